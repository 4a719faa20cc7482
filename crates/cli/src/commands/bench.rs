//! `requel bench`: how long an update takes on the CPU and on a device, so that users see from which size on a device is worth it.

use std::io::Write;
use std::time::{Duration, Instant};

use requel::agent::{Actions, AgentError, CpuExecutor, DeviceName, Executor, ExecutorShape, ExecutorSpec};
use requel::config::{Config, Layers};
use requel::train::{AgentEnv, TrainError};
use requel::{ElementType, Registry};
use requel_envs::{DType, Space};
use serde::Serialize;

use crate::args::BenchArgs;
use crate::exit::{Exit, Failure};
use crate::style;
use crate::table::Table;
use crate::{runs, settings};

/// How long each update is measured.
const MEASURED: Duration = Duration::from_millis(500);
const LEAST_UPDATES: usize = 3;

/// What is measured if no configuration is given: networks from CartPole's size to those of Atari games, each with its inputs, network
/// settings and transitions per update.
const NETWORKS: [(&str, &[usize], &[&str], usize); 4] = [
    ("4-64-64-4", &[4], &["network.hidden=[64, 64]"], 32),
    ("8-256-256-4", &[8], &["network.hidden=[256, 256]"], 64),
    ("MinAtar CNN", &[10, 10, 4], &["network.conv=[[16, 3, 1]]", "network.hidden=[128]"], 32),
    ("Nature CNN", &[84, 84, 4], &["network.conv=[[32, 8, 4], [64, 4, 2], [64, 3, 1]]", "network.hidden=[512]"], 32),
];
const ACTIONS: usize = 4;

/// An update to be measured.
struct Case {
    name: String,
    spec: ExecutorSpec,
    shape: ExecutorShape,
}

/// The measurements of one update.
#[derive(Serialize)]
struct Measured {
    event: &'static str,
    network: String,
    batch: usize,
    cpu_ms: f64,
    device: Option<String>,
    device_ms: Option<f64>,
}

/// Measures and prints.
pub fn run(args: &BenchArgs, registry: &Registry) -> Result<Exit, Failure> {
    let device = device(args, registry)?;
    let mut out = style::stdout();
    let mut all = Vec::new();
    for case in cases(args, registry)? {
        let cpu = CpuExecutor::new(&case.spec, case.shape, registry.machine()).map_err(TrainError::from)?;
        let cpu_ms = milliseconds(Box::new(cpu)).map_err(TrainError::from)?;
        let mut measured = Measured {
            event: "bench",
            network: case.name,
            batch: case.shape.rows,
            cpu_ms,
            device: None,
            device_ms: None,
        };
        if let (Some(device), Some(accelerator)) = (device, registry.accelerator()) {
            let (executor, used) =
                accelerator.executor(device, (&case.spec, case.shape), registry.machine()).map_err(TrainError::from)?;
            if let Some(executor) = executor {
                measured.device_ms = Some(milliseconds(executor).map_err(TrainError::from)?);
                measured.device = Some(used.device);
            }
        }
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&measured).map_err(Failure::failed)?)?;
        }
        all.push(measured);
    }
    if !args.json {
        table(&all).write(&mut out)?;
    }
    Ok(Exit::Success)
}

/// The device to compare with the CPU. It is an error if a device requested by name does not exist.
fn device(args: &BenchArgs, registry: &Registry) -> Result<Option<DeviceName>, Failure> {
    let why_not = match registry.accelerator().map(|accelerator| accelerator.devices()) {
        _ if args.device == DeviceName::Cpu => return Ok(None),
        // The first one, so that both are measured.
        Some(Ok(_)) if args.device == DeviceName::Auto => return Ok(Some(DeviceName::Cuda(None))),
        Some(Ok(_)) => return Ok(Some(args.device)),
        Some(Err(error)) => error.to_string(),
        None => "this program computes only on the CPU: it was built without the feature `cuda`".into(),
    };
    match args.device {
        DeviceName::Auto => {
            style::say(format_args!("only the CPU: {why_not}"));
            Ok(None)
        }
        _ => Err(Failure::bad_input(why_not).hint("`--device cpu` measures the CPU")),
    }
}

fn cases(args: &BenchArgs, registry: &Registry) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    let given = &args.layers;
    let is_own = given.env.is_some()
        || given.preset.is_some()
        || given.algo.is_some()
        || given.config.is_some()
        || !given.set.is_empty();
    if is_own {
        let (_, config) = settings::resolve(given, registry)?;
        let env = requel::train::for_network(registry.env_factory(&config.env)()?)?;
        let (observations, spec) = (env.observation_space(), env.spec());
        let count = env.action_space().discrete_n().unwrap_or(1);
        let actions = Actions { count, masked: env.action_mask().is_some() };
        let name = format!("{} · {}", config.env.id, runs::settings_named(&config));
        let spec = registry.executor_spec(&config, &AgentEnv { spec, observations, actions })?;
        add(&mut cases, &name, (&spec, config.executor_shape(observations, actions)), args);
        return Ok(cases);
    }
    for (name, shape, network, rows) in NETWORKS {
        let mut layers = Layers::new();
        for setting in network.iter().copied().chain(["target.kind=\"hard\"", "optimizer.max_gradient_norm=10.0"]) {
            layers = layers.set(setting)?;
        }
        let config: Config = layers.resolve()?;
        let dtype = if shape.len() == 3 { DType::U8 } else { DType::F32 };
        let len = shape.iter().product();
        let space = Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape: shape.to_vec(), dtype };
        let shape = ExecutorShape { envs: 1, rows, observations: ElementType::of(&space), actions: ACTIONS.into() };
        add(&mut cases, name, (&config.executor_spec(&space, ACTIONS), shape), args);
    }
    Ok(cases)
}

/// A network at each batch.
fn add(cases: &mut Vec<Case>, name: &str, (spec, shape): (&ExecutorSpec, ExecutorShape), args: &BenchArgs) {
    /// If no batch sizes are given: multiples of the configuration's.
    const TIMES: [usize; 2] = [1, 8];
    let batches =
        if args.batch.is_empty() { TIMES.map(|times| times * shape.rows).to_vec() } else { args.batch.clone() };
    for rows in batches {
        cases.push(Case { name: name.to_owned(), spec: spec.clone(), shape: ExecutorShape { rows, ..shape } });
    }
}

/// The median time of an update from transitions that are all zeros.
fn milliseconds(mut executor: Box<dyn Executor>) -> Result<f64, AgentError> {
    // This also allocates the memory.
    executor.update(0, None)?;
    let (mut times, begun) = (Vec::new(), Instant::now());
    while times.len() < LEAST_UPDATES || begun.elapsed() < MEASURED {
        let one = Instant::now();
        executor.update(0, None)?;
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn table(all: &[Measured]) -> Table {
    let device = all.iter().find_map(|measured| measured.device.as_deref());
    let on_device = format!(">{}, ms", device.unwrap_or("device"));
    let mut columns = vec!["network", ">batch", ">CPU, ms"];
    if device.is_some() {
        columns.extend([on_device.as_str(), ">CPU / device", "faster"]);
    }
    let mut table = Table::new(&columns);
    for Measured { network, batch, cpu_ms, device_ms, .. } in all {
        let mut cells = vec![network.clone(), batch.to_string(), format!("{cpu_ms:.3}")];
        if device.is_some() {
            cells.extend(match device_ms {
                Some(ms) => {
                    let faster = if ms < cpu_ms { "device" } else { "CPU" };
                    [format!("{ms:.3}"), format!("{:.1}", cpu_ms / ms), faster.to_owned()]
                }
                None => ["–", "–", "CPU"].map(String::from),
            });
        }
        table.row(cells);
    }
    table
}
