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

/// Who watches many runs at once. Called from the threads that train; it can change no result.
pub trait Audience: Sync {
    /// The run at `index` begins or goes on; what it tells goes to the observer, findings of a [`Watch`] among it.
    fn begins(&self, index: usize, session: &Session) -> Box<dyn Observer + '_>;

    /// The run at `index` ended, was interrupted, or failed.
    fn ends(&self, index: usize, ending: &Result<Ending, RunError>);

    /// Another process trains the run at `index`, and all that is left to do is to wait for it.
    fn waits(&self, _index: usize) {}

    /// The file system failed the run at `index`, which is tried again: see [`train_claimed`](super::train_claimed).
    fn tries_again(&self, _index: usize, _error: &RunError) {}

    /// The run at `index` was finished by another process.
    fn ended_elsewhere(&self, _index: usize) {}
}

/// Nobody watches.
impl Audience for () {
    fn begins(&self, _: usize, _: &Session) -> Box<dyn Observer + '_> {
        Box::new(())
    }

    fn ends(&self, _: usize, _: &Result<Ending, RunError>) {}
}

/// Who trains many runs, and until when.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    /// Has the environments of the runs.
    pub registry: &'a Registry,
    /// At most so many runs are trained at a time; 0: as many as the registry's machine has threads.
    pub threads: usize,
    /// Asks all of them to stop.
    pub control: &'a Control,
}

impl Crew<'_> {
    /// How many threads train so many runs.
    pub(super) fn threads_for(&self, runs: usize) -> usize {
        let threads = if self.threads == 0 { self.registry.machine().threads } else { self.threads };
        // A thread without a run would only take time to start, in which nobody hears a signal.
        threads.min(runs).max(1)
    }

    /// The threads that train so many runs, which lie in `place`.
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

/// Trains runs, never with more threads than runs, begun in their order, each in its own directory and with the bits of a run by
/// itself.
///
/// Finished runs are left alone, begun ones are resumed. What can be refused is refused first, by [`check_new`]; then all
/// directories are made before the first run begins, so that what was to be trained is known to whoever resumes. Runs that
/// another process trains are left to it: several processes share the runs of one group. Once there is nothing else to do they
/// are waited for, and trained if that process stops before their end. When `control` asks to stop, those that train save their
/// state, and the others do not begin. One that fails does not keep the others from going on.
///
/// The answer at each place is `None` where the run was finished before or elsewhere, or did not begin.
///
/// # Errors
/// If a run cannot begin, the directories cannot be made, or the threads not started; what was made for it is removed.
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
        // First in, first out: what is named first is also done first.
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

/// How often is looked whether a run has become free.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until another process leaves one of the runs; `false` where there is nothing to wait for any more.
fn wait(runs: &[PlannedRun], pending: &[usize], control: &Control) -> bool {
    while !pending.is_empty() && !control.stop_requested() {
        if pending.iter().any(|&index| !Run::open(&runs[index].dir).is_ok_and(|run| run.is_in_use())) {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}

/// Makes the directories of all runs, or none. Returns how far each has come; `None` if a stop was asked for meanwhile.
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
                // The last first: the first may have made a directory that all are in.
                made.into_iter().rev().for_each(Made::undo);
                return Err(error);
            }
        }
        standings.push(planned.standing());
    }
    Ok(Some(standings))
}
