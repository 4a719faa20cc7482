//! [`train_all`], many runs on all cores.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::plan::check_new;
use super::{PlannedRun, Standing, StudyError};
use crate::diagnose::{Evidence, Watch};
use crate::registry::Registry;
use crate::run::{Control, Ending, Made, Run, RunError, Session};
use crate::train::Observer;

/// Observes many runs at once. Called from the training threads; it cannot change a result.
pub trait Audience: Sync {
    /// The run at `index` starts or continues; its events go to the returned observer, including findings of a [`Watch`].
    fn begins(&self, index: usize, session: &Session) -> Box<dyn Observer + '_>;

    /// The run at `index` ended, was interrupted, or failed.
    fn ends(&self, index: usize, ending: &Result<Ending, RunError>);

    /// Another process is training the run at `index`, and nothing is left to do except wait for it.
    fn waits(&self, _index: usize) {}

    /// The file system failed for the run at `index`, which will be tried again: see [`train_claimed`](super::train_claimed).
    fn tries_again(&self, _index: usize, _error: &RunError) {}

    /// The run at `index` was finished by another process.
    fn ended_elsewhere(&self, _index: usize) {}
}

/// No observer.
impl Audience for () {
    fn begins(&self, _: usize, _: &Session) -> Box<dyn Observer + '_> {
        Box::new(())
    }

    fn ends(&self, _: usize, _: &Result<Ending, RunError>) {}
}

/// How many runs are trained at a time, and until when.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    /// The registry with the environments of the runs.
    pub registry: &'a Registry,
    /// Maximum number of runs at a time; 0: the number of threads of the registry's machine.
    pub threads: usize,
    /// Asks all of them to stop.
    pub control: &'a Control,
}

impl Crew<'_> {
    /// How many threads train this many runs.
    pub(super) fn threads_for(&self, runs: usize) -> usize {
        let threads = if self.threads == 0 { self.registry.machine().threads } else { self.threads };
        // A thread without a run would only take time to start, during which no signal is handled.
        threads.min(runs).max(1)
    }

    /// The threads for training this many runs, whose directories are in `place`.
    pub(crate) fn start_threads(&self, runs: usize, place: &Path) -> Result<ThreadPool, RunError> {
        let threads = self.threads_for(runs);
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("run-{number}")).build();
        pool.map_err(|error| RunError::Io {
            action: "start threads for",
            path: place.to_path_buf(),
            source: std::io::Error::other(error),
        })
    }
}

/// Trains runs with at most one thread per run, started in their order, each in its own directory and with the bits of a separate run.
///
/// Finished runs are left alone, unfinished ones are resumed. First, [`check_new`] refuses what can be refused; then all directories are
/// created before the first run starts, so that the planned runs are known when resuming. Runs that another process is training are left to
/// it: several processes can share the runs of a group. When nothing else is left, those runs are waited for, and trained if that process
/// stops before they are finished. When `control` asks to stop, the runs in training save their state, and the others do not start. If one
/// fails, the others continue.
///
/// The result at each index is `None` if the run was finished before or elsewhere, or did not start.
///
/// # Errors
/// If a run cannot start, the directories cannot be created, or the threads cannot be started; what was created for it is removed.
pub fn train_all(
    runs: &[PlannedRun],
    crew: Crew<'_>,
    audience: &dyn Audience,
) -> Result<Vec<Option<Result<Ending, RunError>>>, StudyError> {
    let Crew { registry, control, .. } = crew;
    check_new(runs, registry)?;
    let place = runs.first().map(|run| run.dir.clone()).unwrap_or_default();
    let pool = crew.start_threads(runs.len(), &place)?;
    let Some(standings) = make_all(runs, control)? else { return Ok(runs.iter().map(|_| None).collect()) };
    let mut pending: Vec<usize> = (0..runs.len())
        .zip(standings)
        .filter(|(_, standing)| *standing != Standing::Finished)
        .map(|(i, _)| i)
        .collect();
    let endings = Mutex::new(runs.iter().map(|_| None).collect::<Vec<_>>());
    let mut told = vec![false; runs.len()];
    loop {
        let elsewhere = Mutex::new(Vec::new());
        let train = |index: usize| {
            if control.stop_requested() {
                return;
            }
            let ending = match resumed(&runs[index], registry) {
                Ok(None) => return audience.ended_elsewhere(index),
                Err(RunError::InUse { .. }) => {
                    return elsewhere.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(index);
                }
                Ok(Some(session)) => {
                    let mut observer = audience.begins(index, &session);
                    let evidence = Evidence::of_trainer(session.trainer());
                    session.train(&mut Watch::new(evidence, &mut *observer), control)
                }
                Err(error) => Err(error),
            };
            audience.ends(index, &ending);
            endings.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[index] = Some(ending);
        };
        let train = &train;
        // First in, first out: the runs named first are finished first.
        pool.scope_fifo(|scope| pending.drain(..).for_each(|index| scope.spawn_fifo(move |_| train(index))));
        pending = elsewhere.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        pending.sort_unstable();
        for &index in &pending {
            if !std::mem::replace(&mut told[index], true) {
                audience.waits(index);
            }
        }
        if !wait(runs, &pending, control) {
            break;
        }
    }
    Ok(endings.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

fn resumed(planned: &PlannedRun, registry: &Registry) -> Result<Option<Session>, RunError> {
    Session::resume_unfinished(Run::open(&planned.dir)?, registry)
}

/// How often to check whether a run has become free.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until another process releases one of the runs; `false` if there is nothing left to wait for.
fn wait(runs: &[PlannedRun], pending: &[usize], control: &Control) -> bool {
    while !pending.is_empty() && !control.stop_requested() {
        if pending.iter().any(|&index| !Run::open(&runs[index].dir).is_ok_and(|run| run.is_in_use())) {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}

/// Creates the directories of all runs, or none. Returns the progress of each; `None` if a stop was requested in the meantime.
fn make_all(runs: &[PlannedRun], control: &Control) -> Result<Option<Vec<Standing>>, StudyError> {
    let mut made: Vec<Made> = Vec::new();
    let mut standings = Vec::new();
    for planned in runs {
        if control.stop_requested() {
            made.into_iter().rev().for_each(Made::undo);
            return Ok(None);
        }
        match planned.open_or_create() {
            Ok((_, new)) => made.extend(new),
            Err(error) => {
                // Last one first: the first may have created a directory that contains all.
                made.into_iter().rev().for_each(Made::undo);
                return Err(error);
            }
        }
        standings.push(planned.standing());
    }
    Ok(Some(standings))
}
