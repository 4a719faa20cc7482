//! How long an update takes: on one core, on the card as a graph and launch by launch, and in PyTorch on the same card.

use std::error::Error;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use requel_gpu::{Card, DeviceNetworks, Launching, Look, NetworksSpec, Numbers};
use requel_nn::{Activation, LayerSpec, Network, NetworkSpec, Optimizer, OptimizerSpec, Workspace};
use serde_json::{Value, json};

use crate::given::{Found, Given};

/// What an update of 32 by the network of Mnih et al. 2015 may take, ms.
const AIM_MS: f64 = 0.6;

/// A network of results/benchmarks.md with a batch.
struct Case {
    name: &'static str,
    /// Images' sides and channels, or the length of a vector.
    input: Vec<usize>,
    /// Channels, kernel and stride of each convolution.
    conv: &'static [[usize; 3]],
    hidden: &'static [usize],
    outputs: usize,
    rows: usize,
}

const NATURE: &[[usize; 3]] = &[[32, 8, 4], [64, 4, 2], [64, 3, 1]];

fn cases() -> Vec<Case> {
    let vector =
        |name, inputs, hidden, outputs, rows| Case { name, input: vec![inputs], conv: &[], hidden, outputs, rows };
    let images = |name, input: [usize; 3], conv, hidden, rows| Case {
        name,
        input: input.to_vec(),
        conv,
        hidden,
        outputs: 6,
        rows,
    };
    vec![
        vector("4-64-64-2", 4, &[64, 64], 2, 32),
        vector("4-120-84-2", 4, &[120, 84], 2, 128),
        vector("8-256-256-4", 8, &[256, 256], 4, 64),
        vector("8-256-256-4", 8, &[256, 256], 4, 256),
        images("MinAtar CNN", [10, 10, 4], &[[16, 3, 1]], &[128], 32),
        images("MinAtar CNN", [10, 10, 4], &[[16, 3, 1]], &[128], 256),
        images("Nature CNN", [84, 84, 4], NATURE, &[512], 32),
        images("Nature CNN", [84, 84, 4], NATURE, &[512], 128),
    ]
}

impl Case {
    fn is_images(&self) -> bool {
        self.input.len() == 3
    }

    fn network(&self) -> NetworkSpec {
        let relu = Activation::Relu;
        let conv = self.conv.iter();
        let mut layers: Vec<LayerSpec> = conv
            .map(|[channels, kernel, stride]| LayerSpec::Conv2d {
                channels: *channels,
                kernel: *kernel,
                stride: *stride,
                activation: relu,
            })
            .collect();
        layers.extend(self.hidden.iter().map(|outputs| LayerSpec::Dense { outputs: *outputs, activation: relu }));
        layers.push(LayerSpec::Dense { outputs: self.outputs, activation: Activation::Identity });
        NetworkSpec {
            input_shape: self.input.clone(),
            input_scale: if self.is_images() { 1.0 / 255.0 } else { 1.0 },
            layers,
        }
    }
}

/// 4: one update on one core, on the card as a graph, launch by launch, and in PyTorch.
pub fn times(given: &Given) -> Found {
    let card = given.cuda.card(0)?;
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| !given.is_twin || case.rows * case.input.iter().product::<usize>() < 15_000)
        .collect();
    let torch = in_torch(&cases, given);
    let mut lines = String::from(
        "An update: what comes next valued by the target network, Adam, clipped to a norm of 10, observations brought to the card; the \
         median of those of half a second each. CPU: one core.\n\n\
         | network | batch | CPU, ms | card as a graph, ms | launch by launch, ms | PyTorch eager, ms | PyTorch compiled, ms | CPU / graph |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut nature_ms = None;
    for (place, case) in cases.iter().enumerate() {
        let network = case.network();
        let cpu = on_the_cpu(&network, case.rows)?;
        let graph = on_the_card(&card, &network, (case.rows, Launching::Graph))?;
        let single = on_the_card(&card, &network, (case.rows, Launching::OneByOne))?;
        if case.conv == NATURE && case.rows == 32 {
            nature_ms = Some(graph);
        }
        let in_torch = |how: &str| match &torch {
            Ok(times) => times[place][how].as_f64().map_or("–".into(), |ms| format!("{ms:.3}")),
            Err(_) => "–".to_owned(),
        };
        let (eager, compiled) = (in_torch("eager"), in_torch("compiled"));
        lines += &format!(
            "| {} | {} | {cpu:.3} | {graph:.3} | {single:.3} | {eager} | {compiled} | {:.1} |\n",
            case.name,
            case.rows,
            cpu / graph
        );
    }
    lines += &match torch {
        Ok(times) => format!("\nPyTorch {} on the same card.\n", times[cases.len()].as_str().unwrap_or_default()),
        Err(reason) => format!("\nPyTorch was left out: {reason}.\n"),
    };
    match nature_ms {
        Some(ms) if ms > AIM_MS => {
            Err(format!("{lines}\nAn update of 32 by the Nature CNN takes {ms:.3} ms, {AIM_MS} at most was asked for.")
                .into())
        }
        Some(ms) => {
            Ok(format!("{lines}\nAn update of 32 by the Nature CNN takes {ms:.3} ms; {AIM_MS} at most was asked for."))
        }
        None => Ok(lines),
    }
}

/// What `torch_times.py` measures, a value for each case and one for the version; or why it measures nothing.
fn in_torch(cases: &[Case], given: &Given) -> Result<Vec<Value>, String> {
    let asked: Vec<Value> = cases
        .iter()
        .map(|case| json!({"input": case.input, "conv": case.conv, "hidden": case.hidden, "outputs": case.outputs, "rows": case.rows}))
        .collect();
    let asked = json!({"device": if given.is_twin { "cpu" } else { "cuda" }, "cases": asked});
    let script = include_str!("torch_times.py");
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("no `python3` ({error})"))?;
    let mut stdin = python.stdin.take().expect("it is piped");
    stdin.write_all(asked.to_string().as_bytes()).map_err(|error| error.to_string())?;
    drop(stdin);
    let output = python.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    let measured = serde_json::from_slice::<Vec<Value>>(&output.stdout);
    measured.ok().filter(|times| times.len() == cases.len() + 1).ok_or_else(|| last.trim_end_matches('.').to_owned())
}

/// The median of the times of `one`, in milliseconds.
fn median(mut one: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    one()?;
    let (mut times, begun) = (Vec::new(), Instant::now());
    while times.len() < 3 || begun.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        one()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn on_the_cpu(spec: &NetworkSpec, rows: usize) -> Result<f64, Box<dyn Error>> {
    let network = Network::new(spec)?;
    let mut parameters = vec![0.01; network.parameter_count()];
    let mut gradients = vec![0.0; parameters.len()];
    let mut optimizer = Optimizer::new(&OptimizerSpec::default(), parameters.len());
    let (mut workspace, mut next) = (Workspace::new(&network, rows), Workspace::new(&network, rows));
    let d_outputs = vec![0.01; rows * network.output_len()];
    median(|| {
        network.forward(&parameters, rows, &mut workspace);
        network.forward(&parameters, rows, &mut next);
        network.backward(&parameters, &d_outputs, &mut workspace, &mut gradients);
        requel_nn::clip_global_norm(&mut gradients, 10.0);
        optimizer.step(&mut parameters, &gradients);
        Ok(())
    })
}

fn on_the_card(card: &Card, spec: &NetworkSpec, (rows, launching): (usize, Launching)) -> Result<f64, Box<dyn Error>> {
    let look = |by| Look { by, rows, fractions: 1 };
    let sizes = NetworksSpec {
        max_gradient_norm: 10.0,
        looks: vec![look(Numbers::Online), look(Numbers::Target)],
        rows_back: rows,
        is_bytes: spec.input_shape.len() == 3,
        has_target: true,
        launching,
        ..NetworksSpec::default()
    };
    let mut networks = DeviceNetworks::new(card, Network::new(spec)?, &sizes)?;
    networks.d_outputs_mut().fill(0.01);
    median(|| {
        networks.look()?;
        networks.step(1e-3)?;
        Ok(())
    })
}
