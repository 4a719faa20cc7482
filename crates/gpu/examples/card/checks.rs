//! The six checks.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use requel::config::{Config, Layers};
use requel::{Machine, Registry, Trainer};
use requel_gpu::{Card, Cuda, DeviceNetworks, Launching, Look, NetworksSpec, Numbers};
use requel_nn::{Activation, LayerSpec, Network, NetworkSpec, Optimizer, OptimizerSpec, Workspace};

type Found = Result<String, Box<dyn Error>>;

/// What the checks are made on.
pub struct Given {
    pub cuda: Cuda,
    /// Whether it is the host twin: then little is computed.
    is_twin: bool,
    /// The folder of the twin's library, for the program.
    library: Option<PathBuf>,
}

impl Given {
    pub fn new(is_twin: bool) -> Result<Given, Box<dyn Error>> {
        if !is_twin {
            let cuda = Cuda::default();
            cuda.card(0)?;
            return Ok(Given { cuda, is_twin, library: None });
        }
        let library = requel_gpu::twin::build(std::env::temp_dir())?;
        let folder = library.parent().map(PathBuf::from);
        Ok(Given { cuda: Cuda::at(library), is_twin, library: folder })
    }

    fn registry(&self) -> Registry {
        Registry::built_in().with_machine(Machine::default()).with_accelerator(self.cuda.clone())
    }

    fn trainer(&self, config: &Config, device: &str) -> Result<Trainer, Box<dyn Error>> {
        let mut config = config.clone();
        config.train.device = device.into();
        Ok(self.registry().trainer(config)?)
    }

    /// A preset with images, with so many updates.
    fn config(&self, preset: &str, updates: u64) -> Result<Config, Box<dyn Error>> {
        let mut layers = Layers::new().preset(preset)?;
        let steps = if preset == "minatar-pqn" { 128 * 32 * updates / 2_000 } else { 200 + updates };
        let steps = format!("train.env_steps={}", steps.max(64));
        let mut settings = vec![steps.as_str(), "train.episodes=0", "evaluation.every_steps=0", "train.every_steps=1"];
        match preset {
            "minatar-pqn" => {
                settings.extend(["train.num_envs=4", "pqn.rollout_steps=8", "pqn.minibatches=4", "pqn.epochs=4"])
            }
            _ => settings.extend(["replay.start=200", "replay.capacity=10000"]),
        }
        for setting in settings {
            layers = layers.set(setting)?;
        }
        Ok(layers.resolve()?)
    }

    fn updates(&self) -> u64 {
        if self.is_twin { 20 } else { 2_000 }
    }
}

fn advance(trainer: &mut Trainer, env_steps: u64) -> Result<(), Box<dyn Error>> {
    while trainer.env_steps() < env_steps {
        trainer.advance(&mut ())?;
    }
    Ok(())
}

/// 1: the CPU's weights after 2,000 updates, for each preset with images.
pub fn weights(given: &Given) -> Found {
    let mut lines = String::from("| preset | updates | `weights_blake3`, CPU = card |\n|---|---|---|\n");
    for preset in ["minatar-dqn", "minatar-c51", "minatar-rainbow", "minatar-pqn"] {
        let config = given.config(preset, given.updates())?;
        let [mut cpu, mut card] = [given.trainer(&config, "cpu")?, given.trainer(&config, "cuda")?];
        advance(&mut cpu, config.train.env_steps)?;
        advance(&mut card, config.train.env_steps)?;
        let (ours, theirs) = (cpu.weights_blake3()?, card.weights_blake3()?);
        if ours != theirs {
            return Err(format!("{preset}: {ours} on the CPU, {theirs} on the card").into());
        }
        lines += &format!("| `{preset}` | {} | `{ours}` |\n", card.updates());
    }
    Ok(lines)
}

/// 2: a training that goes from one to the other and back, beside one that stays.
pub fn resumed(given: &Given) -> Found {
    let config = given.config("minatar-rainbow", given.updates())?;
    let thirds = [1, 2, 3].map(|third| config.train.env_steps * third / 3);
    let mut whole = given.trainer(&config, "cpu")?;
    advance(&mut whole, thirds[2])?;
    let mut last = given.trainer(&config, "cpu")?;
    for (device, until) in ["cpu", "cuda", "cpu"].into_iter().zip(thirds) {
        let mut next = given.trainer(&config, device)?;
        if last.env_steps() > 0 {
            next.restore(&last.save()?)?;
        }
        advance(&mut next, until)?;
        last = next;
    }
    let same = last.save()? == whole.save()?;
    let hash = whole.weights_blake3()?;
    if same { Ok(format!("The complete state is the same, weights `{hash}`.")) } else { Err("states differ".into()) }
}

/// 3: the program is killed on the card, and resumed there.
pub fn killed(given: &Given) -> Found {
    let program = std::env::current_exe()?.with_file_name("program");
    if !program.exists() {
        return Err("`cargo build --release -p requel-gpu --examples` makes the program that is killed".into());
    }
    let folder = std::env::temp_dir().join(format!("requel-card-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let steps = if given.is_twin { 600 } else { 6_000 };
    let start = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(library) = &given.library {
            command.env("LD_LIBRARY_PATH", library);
        }
        command
    };
    let train = |run: &str, device: &str| {
        let (device, steps) = (format!("train.device={device}"), format!("train.env_steps={steps}"));
        let mut arguments =
            vec!["train", "--preset", "minatar-dqn", "--run-dir", run, "--set", &device, "--set", &steps];
        let settings = ["replay.start=200", "checkpoint.every_steps=100", "evaluation.every_steps=0"];
        settings.iter().for_each(|setting| arguments.extend(["--set", *setting]));
        arguments.extend(["--set", "evaluation.final_episodes=2", "--set", "evaluation.max_episode_steps=50"]);
        start(&arguments)
    };
    train("whole", "cpu").status()?;
    let mut kills = 0;
    let mut running = train("run", "cuda").spawn()?;
    for milliseconds in [400, 700, 1_100, 1_600] {
        std::thread::sleep(Duration::from_millis(milliseconds));
        if running.try_wait()?.is_none() {
            running.kill()?;
            running.wait()?;
            kills += 1;
            running = start(&["resume", "run"]).spawn()?;
        }
    }
    running.wait()?;
    let hash = |run: &str| -> Result<String, Box<dyn Error>> {
        let text = std::fs::read_to_string(folder.join(run).join("summary.json"))?;
        let at = text.find("weights_blake3").ok_or("no hash in the summary")?;
        Ok(text[at..].chars().filter(char::is_ascii_hexdigit).skip("eb3".len() + 4).take(64).collect())
    };
    let (whole, run) = (hash("whole")?, hash("run")?);
    std::fs::remove_dir_all(&folder)?;
    match whole == run && kills > 0 {
        true => Ok(format!(
            "{kills} kills by `kill -9`, then `requel resume`: the weights of the run on the CPU that was never interrupted."
        )),
        false => Err(format!("{kills} kills; {whole} whole, {run} resumed").into()),
    }
}

/// 4: one update on one core, on the card as a graph, and launch by launch.
pub fn times(given: &Given) -> Found {
    let card = given.cuda.card(0)?;
    let mut lines = String::from(
        "An update by Adam, clipped; median of those that fit half a second each, one core of the CPU.\n\n\
         | network | batch | CPU, ms | card as a graph, ms | launch by launch, ms | CPU / graph |\n|---|---|---|---|---|---|\n",
    );
    let mut nature_ms = f64::NAN;
    for (name, network, rows) in networks() {
        if given.is_twin && rows * network.input_shape.iter().product::<usize>() > 5_000 {
            continue;
        }
        let cpu = on_the_cpu(&network, rows)?;
        let graph = on_the_card(&card, &network, (rows, Launching::Graph))?;
        let single = on_the_card(&card, &network, (rows, Launching::OneByOne))?;
        if name == "Nature" && rows == 32 {
            nature_ms = graph;
        }
        lines += &format!("| {name} | {rows} | {cpu:.3} | {graph:.3} | {single:.3} | {:.1} |\n", cpu / graph);
    }
    lines += "\nPyTorch, eager and compiled, is measured by `cargo xtask bench --peers` on the same machine.\n";
    if nature_ms > 0.6 {
        return Err(
            format!("{lines}\nan update of 32 Nature takes {nature_ms:.3} ms, 0.6 at most was asked for").into()
        );
    }
    Ok(lines)
}

fn networks() -> Vec<(&'static str, NetworkSpec, usize)> {
    let dense = |outputs, activation| LayerSpec::Dense { outputs, activation };
    let conv = |channels, kernel, stride| LayerSpec::Conv2d { channels, kernel, stride, activation: Activation::Relu };
    let mlp = |inputs, hidden: &[usize], outputs| NetworkSpec::mlp(inputs, hidden, outputs, Activation::Relu);
    let images = |shape: [usize; 3], mut layers: Vec<LayerSpec>, hidden| {
        layers.extend([dense(hidden, Activation::Relu), dense(6, Activation::Identity)]);
        NetworkSpec { input_shape: shape.to_vec(), input_scale: 1.0 / 255.0, layers }
    };
    let nature = || images([84, 84, 4], vec![conv(32, 8, 4), conv(64, 4, 2), conv(64, 3, 1)], 512);
    vec![
        ("4-64-64-2", mlp(4, &[64, 64], 2), 32),
        ("4-120-84-2", mlp(4, &[120, 84], 2), 128),
        ("MinAtar", images([10, 10, 4], vec![conv(16, 3, 1)], 128), 32),
        ("8-256-256-4", mlp(8, &[256, 256], 4), 256),
        ("Nature", nature(), 32),
        ("Nature", nature(), 256),
    ]
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

/// 5: whatever threads do, each repetition gives the same bits; and NVIDIA's race check, where it is installed.
pub fn repeated(given: &Given) -> Found {
    let config = given.config("minatar-rainbow", given.updates() / 10)?;
    let times = if given.is_twin { 3 } else { 20 };
    let mut first = None;
    for time in 0..times {
        let mut trainer = given.trainer(&config, "cuda")?;
        advance(&mut trainer, config.train.env_steps)?;
        let hash = trainer.weights_blake3()?;
        if *first.get_or_insert_with(|| hash.clone()) != hash {
            return Err(format!("repetition {time} has other weights").into());
        }
    }
    let mut race_check = Command::new("compute-sanitizer");
    race_check
        .args(["--tool", "racecheck", "--error-exitcode", "9"])
        .arg(std::env::current_exe()?.with_file_name("program"));
    race_check.args([
        "train",
        "--preset",
        "minatar-rainbow",
        "--set",
        "train.device=cuda",
        "--set",
        "train.env_steps=220",
    ]);
    race_check.args([
        "--set",
        "replay.start=200",
        "--set",
        "evaluation.final_episodes=1",
        "--set",
        "evaluation.max_episode_steps=9",
    ]);
    let told = match race_check.current_dir(std::env::temp_dir()).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        _ if given.is_twin => "not asked for on the host twin".to_owned(),
        Err(error) => format!("not made ({error})"),
        Ok(status) if status.success() => "no race".to_owned(),
        Ok(status) => return Err(format!("compute-sanitizer --tool racecheck: {status}").into()),
    };
    Ok(format!("{times} repetitions, one hash. `compute-sanitizer --tool racecheck`: {told}."))
}

/// 6: what a device that takes nothing more gives: a typed error each time, and no end of the program.
pub fn lost(given: &Given) -> Found {
    let card = given.cuda.card(0)?;
    let (free, _) = card.memory()?;
    let rows = free / 4 / 4096;
    let spec = NetworkSpec::mlp(4096, &[4096], 4, Activation::Relu);
    let look = Look { by: Numbers::Online, rows, fractions: 1 };
    let sizes = NetworksSpec { looks: vec![look], rows_back: rows, ..NetworksSpec::default() };
    let refused = match DeviceNetworks::new(&card, Network::new(&spec)?, &sizes) {
        Err(error) => error.to_string(),
        Ok(_) => return Err("more memory than there is was given".into()),
    };
    let absent = given.cuda.card(99).err().ok_or("there is no device 99")?;
    Ok(format!(
        "Too much memory: \"{refused}\". Another number: \"{absent}\". A device that goes away in the midst cannot be made here without \
         harm to it; the host twin does it in `cargo test -p requel-gpu --test program`."
    ))
}
