//! Trains configurations over many seeds, each run in a process of its own and kept to one core.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::finished::Finished;
use xtask::command::CommandLine;
use xtask::{machine, workspace};

/// One configuration to train.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// What its table calls it; also its folder under `target/results/`.
    pub name: Cow<'static, str>,
    /// The arguments of `requel` that make it, without seed and run folder. None contains a space.
    pub arguments: Cow<'static, [&'static str]>,
    /// Whether a run that was cut off goes on from its last checkpoint, in place of being made anew.
    pub resumes: bool,
}

/// One finished run.
#[derive(Debug, Clone)]
pub struct SeedRun {
    /// The seed it was started with.
    pub seed: u64,
    /// What it says of itself.
    pub finished: Finished,
    /// From the start of the process to its end, seconds.
    pub process_seconds: f64,
}

impl Configuration {
    /// A configuration that is known when this is compiled.
    pub const fn new(name: &'static str, arguments: &'static [&'static str]) -> Self {
        Self { name: Cow::Borrowed(name), arguments: Cow::Borrowed(arguments), resumes: false }
    }

    /// The command line of a run, as a table states it.
    pub fn shown(&self) -> String {
        format!("requel {} --seed S --json --run-dir DIR", self.arguments.join(" "))
    }

    /// The command that makes the run with this seed again, for whoever wants to see its weights' hash.
    pub fn command(&self, seed: u64) -> String {
        format!("requel {} --seed {seed} --json", self.arguments.join(" "))
    }

    /// Trains with these seeds, `jobs` processes at a time, and hands the runs back in the order of their seeds.
    ///
    /// # Errors
    /// As [`train_all`].
    pub fn train(&self, binary: &Path, seeds: Range<u64>, jobs: usize) -> Result<Vec<SeedRun>> {
        let wanted: Vec<(&Configuration, u64)> = seeds.map(|seed| (self, seed)).collect();
        let mut runs = Vec::new();
        train_all(binary, &wanted, jobs, &mut |_, run| {
            runs.push(run);
            Ok(())
        })?;
        runs.sort_by_key(|run| run.seed);
        ensure!(runs.len() == wanted.len(), "{} of {} runs finished", runs.len(), wanted.len());
        Ok(runs)
    }

    /// Where the run with this seed lies.
    pub fn run_dir(&self, seed: u64) -> PathBuf {
        workspace::target_dir().join("results").join(self.name.as_ref()).join(format!("seed-{seed:02}"))
    }

    fn train_one(&self, binary: &Path, seed: u64, core: usize) -> Result<SeedRun> {
        let run_dir = self.run_dir(seed);
        let goes_on = self.resumes && run_dir.join("checkpoints").exists();
        if !goes_on {
            workspace::empty_folder(&run_dir)?;
            std::fs::remove_dir(&run_dir)?;
        }
        let program = match machine::pinned_to(core) {
            Some(taskset) => taskset.arg(binary),
            None => CommandLine::new(binary),
        };
        let command = match goes_on {
            true => program.arg("resume").arg(&run_dir).arg("--json"),
            false => {
                let seed = seed.to_string();
                program.args(self.arguments.iter()).args(["--seed", &seed, "--json", "--run-dir"]).arg(&run_dir)
            }
        };
        let start = Instant::now();
        let stdout = command.output()?;
        let process_seconds = start.elapsed().as_secs_f64();
        let finished = Finished::from_stdout(&stdout).with_context(|| format!("`{command}`"))?;
        Ok(SeedRun { seed, finished, process_seconds })
    }
}

/// Trains what is wanted in that order, `jobs` processes at a time, and hands each run over as it ends.
///
/// # Errors
/// When a run cannot be started, fails, or does not end with a `run_finished` line, and what `finished` refuses. No further run is
/// begun then.
pub fn train_all(
    binary: &Path,
    wanted: &[(&Configuration, u64)],
    jobs: usize,
    finished: &mut (dyn FnMut(&Configuration, SeedRun) -> Result<()> + Send),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let finished = Mutex::new(finished);
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..jobs)
            .map(|worker| {
                let (next, finished) = (&next, &finished);
                // From the last core down: the first is where the system's own work tends to land.
                let core = machine::cores().saturating_sub(1 + worker);
                scope.spawn(move || -> Result<()> {
                    while let Some(&(configuration, seed)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let run = configuration.train_one(binary, seed, core);
                        let ended = run.and_then(|run| {
                            eprintln!("{} seed {seed}: {:.2} s", configuration.name, run.process_seconds);
                            finished.lock().expect("no worker panics while it hands over")(configuration, run)
                        });
                        ended.inspect_err(|_| {
                            // The table cannot be made any more: the other workers need not go on.
                            next.fetch_max(wanted.len(), Ordering::Relaxed);
                        })?;
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker.join().expect("a worker returns its error and does not panic")?;
        }
        Ok(())
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A stand-in for `requel` that reports its seed (its third argument) as its environment steps.
    const SCRIPT: &str = r#"#!/bin/sh
[ "$3" = 7 ] && exit 1
echo '{"event":"started"}'
echo '{"event":"run_finished","env_steps":'$3',"updates":1,"episodes":1,"wall_seconds":0.1,"weights_blake3":"ab"}'
"#;

    #[test]
    fn every_seed_is_trained_once_and_a_failing_run_fails_all() {
        let folder = workspace::target_dir().join("xtask").join(format!("seeds-test-{}", std::process::id()));
        workspace::empty_folder(&folder).unwrap();
        let binary = folder.join("requel");
        std::fs::write(&binary, SCRIPT).unwrap();
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
        let configuration = Configuration::new("stand-in", &["train"]);

        let runs = configuration.train(&binary, 0..5, 2).unwrap();
        assert_eq!(
            runs.iter().map(|run| (run.seed, run.finished.env_steps)).collect::<Vec<_>>(),
            [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]
        );
        let error = configuration.train(&binary, 5..8, 2).unwrap_err().to_string();
        assert!(error.contains("--seed 7") && error.contains("failed"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
