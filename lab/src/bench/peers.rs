//! Other programs on the same machine in the same run: the notebook in PyTorch, Stable-Baselines3 and rejax.
//!
//! Each round starts every program once, one after another, on one core; the ratios are of medians over the rounds, so that
//! a slow minute of the machine meets all of them.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{page, programs};
use xtask::finished_line;

use crate::results::table;
use xtask::command::CommandLine;
use xtask::python::VirtualEnvironment;
use xtask::workspace;

const ROUNDS: usize = 3;

/// One program in one setting.
struct Contestant {
    name: &'static str,
    program: Program,
    /// Ours in the same setting, by name; `None` for ours itself.
    against: Option<&'static str>,
}

enum Program {
    /// `requel train` with these arguments.
    Ours(&'static [&'static str]),
    /// A script in `lab/peers/` with the env steps to make.
    Script(&'static str, &'static str),
}

const NOTEBOOK: &str = "requel, notebook settings";
const ZOO: &str = "requel, cartpole-zoo settings";

const CONTESTANTS: &[Contestant] = &[
    Contestant {
        name: NOTEBOOK,
        program: Program::Ours(&["notebook", "--set", "train.episodes=0", "--set", "train.env_steps=400_000"]),
        against: None,
    },
    Contestant {
        name: "PyTorch, the notebook's algorithm",
        program: Program::Script("notebook_torch.py", "30000"),
        against: Some(NOTEBOOK),
    },
    Contestant { name: ZOO, program: Program::Ours(&["cartpole-zoo"]), against: None },
    Contestant {
        name: "Stable-Baselines3 DQN, cartpole-zoo settings",
        program: Program::Script("sb3_dqn.py", "12800"),
        against: Some(ZOO),
    },
    Contestant {
        name: "rejax DQN, cartpole-zoo settings",
        program: Program::Script("rejax_dqn.py", "25000"),
        against: Some(ZOO),
    },
];

/// What one start of a program came to, per second.
#[derive(Debug, Clone, PartialEq)]
struct Rates {
    env_steps: f64,
    updates: f64,
    /// What the program says of itself: versions.
    versions: String,
}

/// Runs all programs and writes the section of `results/benchmarks.md`.
///
/// # Errors
/// When the environment cannot be made, a program fails, or the page cannot be written.
pub fn write_section() -> Result<()> {
    let environment = VirtualEnvironment::for_peers()?;
    let binary = workspace::release_binary()?;
    let mut rates = vec![Vec::new(); CONTESTANTS.len()];
    for round in 1..=ROUNDS {
        for (contestant, rates) in CONTESTANTS.iter().zip(&mut rates) {
            let start = Instant::now();
            let run = match contestant.program {
                Program::Ours(arguments) => ours(&binary, arguments)?,
                Program::Script(script, env_steps) => script_run(&environment, script, env_steps)?,
            };
            let (name, seconds) = (contestant.name, start.elapsed().as_secs_f64());
            eprintln!("round {round} of {ROUNDS}, {name}: {:.0} env steps/s ({seconds:.0} s in all)", run.env_steps);
            rates.push(run);
        }
    }
    let section = format!(
        "## Beside other programs\n\n{}- Rounds: {ROUNDS}, each starting every program once, in the order of the table; medians \
         over rounds\n\n\
         CartPole-v1, training alone: no evaluation during it, and the time that a program takes to start, to import or to\n\
         compile is not counted. `notebook` is one update of 32 transitions every 4 env steps (4-64-64-2, no target network);\n\
         `cartpole-zoo` is 128 updates of 64 every 256 env steps (4-256-256-2, with a target network). rejax makes as many\n\
         updates per env step, but one at a time after each 2 env steps in 2 environments; it is built to train many seeds side by side on\n\
         an accelerator, and trains one on one core here. The scripts are in `lab/peers/`.\n\n{}",
        page::provenance("cargo xtask bench --peers")?,
        rendered(&rates)
    );
    page::write_section("peers", &section)?;
    println!("{section}");
    Ok(())
}

fn ours(binary: &std::path::Path, arguments: &[&str]) -> Result<Rates> {
    let run_dir = workspace::target_dir().join("xtask").join("peers-run");
    workspace::empty_folder(&run_dir)?;
    std::fs::remove_dir(&run_dir)?;
    let unscored =
        ["evaluation.every_steps=0", "evaluation.every_episodes=0", "evaluation.final_episodes=1", "train.seed=0"];
    let mut command = programs::on_one_core(binary).args(["train", "CartPole-v1", "--json", "--preset"]);
    command = command.args(arguments).arg("--run-dir").arg(&run_dir);
    for setting in unscored {
        command = command.args(["--set", setting]);
    }
    let line = finished_line(&command.output()?)?;
    rates_in(&line, "wall_seconds", format!("requel {}", env!("CARGO_PKG_VERSION")))
}

fn script_run(environment: &VirtualEnvironment, script: &str, env_steps: &str) -> Result<Rates> {
    let mut command: CommandLine = environment.python_on(programs::core());
    // One core each, and no accelerator even where there is one.
    for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"] {
        command = command.env(name, "1");
    }
    command = command.env("CUDA_VISIBLE_DEVICES", "").env("JAX_PLATFORMS", "cpu");
    let output = command.arg(format!("lab/peers/{script}")).arg(env_steps).output()?;
    let line = output.lines().next_back().with_context(|| format!("{script} wrote nothing"))?;
    let line: Value = serde_json::from_str(line).with_context(|| format!("{script} wrote no JSON: {line}"))?;
    let versions = line["versions"].as_str().with_context(|| format!("{script} names no versions"))?.to_owned();
    rates_in(&line, "seconds", versions)
}

fn rates_in(line: &Value, seconds: &str, versions: String) -> Result<Rates> {
    let number = |name: &str| line[name].as_f64().with_context(|| format!("no number `{name}` in {line}"));
    let seconds = number(seconds)?;
    Ok(Rates { env_steps: number("env_steps")? / seconds, updates: number("updates")? / seconds, versions })
}

fn rendered(rates: &[Vec<Rates>]) -> String {
    let env_steps = |index: usize| median(rates[index].iter().map(|rates| rates.env_steps));
    let rows: Vec<Vec<String>> = (CONTESTANTS.iter().enumerate())
        .map(|(index, contestant)| {
            let ratio = contestant.against.and_then(|name| CONTESTANTS.iter().position(|other| other.name == name));
            let all: Vec<String> = rates[index].iter().map(|rates| format!("{:.0}", rates.env_steps)).collect();
            vec![
                contestant.name.to_owned(),
                format!("{:.0}", env_steps(index)),
                format!("{:.0}", median(rates[index].iter().map(|rates| rates.updates))),
                ratio.map_or_else(|| "–".into(), |ours| format!("{:.1} ×", env_steps(ours) / env_steps(index))),
                all.join(", "),
                rates[index].first().map_or_else(String::new, |rates| rates.versions.clone()),
            ]
        })
        .collect();
    table(
        &["program", "env steps/s", "updates/s", "requel is faster by", "env steps/s of each round", "versions"],
        &rows,
    )
}

/// The middle of an odd number of values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_medians_in_the_same_setting() {
        let run = |env_steps: f64| Rates { env_steps, updates: env_steps / 4.0, versions: "x 1".into() };
        let of = |values: [f64; 3]| values.map(run).to_vec();
        let slow = of([10.0, 30.0, 20.0]);
        let rates = [of([500.0, 100.0, 200.0]), slow.clone(), of([40.0, 40.0, 40.0]), slow.clone(), slow];
        let text = rendered(&rates);
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert!(rows[0].contains("| 200 | 50 | – |"), "{text}");
        assert!(rows[1].contains("| 20 | 5 | 10.0 × | 10, 30, 20 |"), "{text}");
        assert!(rows[3].contains("| 2.0 × |") && rows[4].contains("| 2.0 × |"), "{text}");
    }

    #[test]
    fn every_peer_has_one_of_ours_to_stand_beside() {
        for contestant in CONTESTANTS {
            let ours = |name| CONTESTANTS.iter().any(|other| other.name == name && other.against.is_none());
            assert!(contestant.against.is_none_or(ours), "{}", contestant.name);
        }
    }
}
