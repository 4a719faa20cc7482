//! Trains the cells of a study over many seeds, each run in a process of its own and kept to one core.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use requel::run::Run;
use requel::study::{Cell, RunRecord, RunRow, Study};

use super::finished::Finished;
use xtask::command::CommandLine;
use xtask::{machine, workspace};

/// One configuration to train.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// What its table calls it; also its folder under `target/results/`.
    pub name: String,
    /// The arguments of `requel` that make it, without seed and run folder. None contains a space.
    pub arguments: Vec<String>,
    /// The return that is aimed at, where a study says.
    pub aim: Option<f64>,
}

impl Configuration {
    /// A cell of a study.
    pub fn of(study: &Study, cell: &Cell) -> Self {
        let aim = study.tasks.get(cell.env).and_then(|task| task.aim).or(study.threshold);
        Self { name: cell.name(study), arguments: cell.arguments.clone(), aim }
    }

    /// The command line of a run, as a page states it.
    pub fn shown(&self) -> String {
        format!("requel {} --seed S --json --run-dir DIR", self.arguments.join(" "))
    }

    /// The command that repeats the run with this seed, for readers who want to check the hash of its weights.
    pub fn command(&self, seed: u64) -> String {
        format!("requel {} --seed {seed} --json", self.arguments.join(" "))
    }

    /// Where the run with this seed lies.
    pub fn run_dir(&self, seed: u64) -> PathBuf {
        workspace::target_dir().join("results").join(&self.name).join(format!("seed-{seed:02}"))
    }

    /// An interrupted run continues from its last checkpoint.
    fn train_one(&self, binary: &Path, seed: u64, core: usize) -> Result<RunRow> {
        let run_dir = self.run_dir(seed);
        let goes_on = run_dir.join("checkpoints").exists() && !run_dir.join("summary.json").exists();
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
        let record = RunRecord::read(&Run::open(&run_dir)?)?;
        let row = RunRow::of(&self.name, &record, self.aim)?.context("the run is not finished")?;
        Ok(RunRow { train_seconds: Some(finished.wall_seconds), process_seconds: Some(process_seconds), ..row })
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
    finished: &mut (dyn FnMut(&Configuration, RunRow) -> Result<()> + Send),
) -> Result<()> {
    let train = |configuration: &Configuration, seed, core| configuration.train_one(binary, seed, core);
    train_by(&train, wanted, jobs, finished)
}

/// Makes the run of a configuration with a seed on a core.
type Train<'a> = &'a (dyn Fn(&Configuration, u64, usize) -> Result<RunRow> + Sync);

fn train_by(
    train: Train<'_>,
    wanted: &[(&Configuration, u64)],
    jobs: usize,
    finished: &mut (dyn FnMut(&Configuration, RunRow) -> Result<()> + Send),
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
                        let ended = train(configuration, seed, core).and_then(|run| {
                            let seconds = run.process_seconds.unwrap_or(f64::NAN);
                            eprintln!("{} seed {seed}: {seconds:.2} s", configuration.name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_trained_once_and_after_a_failing_run_none_is_begun() {
        let configuration = Configuration { name: "x".into(), arguments: Vec::new(), aim: None };
        let begun = AtomicUsize::new(0);
        let train = |_: &Configuration, seed: u64, _: usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            anyhow::ensure!(seed != 7, "seed 7 failed");
            Ok(RunRow { seed, ..RunRow::default() })
        };
        let trained = |seeds: std::ops::Range<u64>, jobs| {
            let wanted: Vec<_> = seeds.map(|seed| (&configuration, seed)).collect();
            let mut seeds = Vec::new();
            train_by(&train, &wanted, jobs, &mut |_, run| {
                seeds.push(run.seed);
                Ok(())
            })?;
            seeds.sort_unstable();
            anyhow::Ok(seeds)
        };
        assert_eq!(trained(0..5, 2).unwrap(), [0, 1, 2, 3, 4]);
        begun.store(0, Ordering::Relaxed);
        assert!(trained(6..20, 1).unwrap_err().to_string().contains("seed 7"));
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }
}
