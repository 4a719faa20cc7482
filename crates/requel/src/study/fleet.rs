//! [`train_all`], many runs on all cores.

use std::sync::Mutex;

use rayon::ThreadPoolBuilder;

use super::{PlannedRun, Standing};
use crate::diagnose::{Evidence, Watch};
use crate::run::{Control, Ending, RunError, Session};
use crate::train::Observer;

/// Who watches many runs at once. Called from the threads that train; it can change no result.
pub trait Audience: Sync {
    /// The run at `index` begins or goes on; what it tells goes to the observer, findings of a [`Watch`] among it.
    fn begins(&self, index: usize, session: &Session) -> Box<dyn Observer + '_>;

    /// The run at `index` ended, was interrupted, or failed.
    fn ends(&self, index: usize, ending: &Result<Ending, RunError>);
}

/// Nobody watches.
impl Audience for () {
    fn begins(&self, _: usize, _: &Session) -> Box<dyn Observer + '_> {
        Box::new(())
    }

    fn ends(&self, _: usize, _: &Result<Ending, RunError>) {}
}

/// Trains runs, at most `threads` at a time (0: as many as there are cores) and never with more threads than runs, begun in their
/// order, each in its own directory and with the bits of a run by itself.
///
/// Finished runs are left alone, begun ones are resumed. All directories are made before the first run begins, so that what was
/// to be trained is known to whoever resumes. When `control` asks to stop, those that train save their state, and the others do
/// not begin. One that fails does not keep the others from going on.
///
/// The answer at each place is `None` where the run was finished before or did not begin.
///
/// # Errors
/// If the directories cannot be made or the threads not started.
pub fn train_all(
    runs: &[PlannedRun],
    threads: usize,
    control: &Control,
    audience: &dyn Audience,
) -> Result<Vec<Option<Result<Ending, RunError>>>, RunError> {
    let mut pending = Vec::new();
    for (index, planned) in runs.iter().enumerate() {
        if control.stop_requested() {
            return Ok(runs.iter().map(|_| None).collect());
        }
        let run = planned.open_or_create()?;
        if planned.standing() != Standing::Finished {
            pending.push((index, run));
        }
    }
    let endings = Mutex::new(runs.iter().map(|_| None).collect::<Vec<_>>());
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    // A thread without a run would only take time to start, in which nobody hears a signal.
    let threads = threads.min(pending.len()).max(1);
    let pool =
        ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("run-{number}")).build().map_err(
            |error| RunError::Io {
                action: "start threads for",
                path: runs.first().map(|run| run.dir.clone()).unwrap_or_default(),
                source: std::io::Error::other(error),
            },
        )?;
    let train = |index: usize, run| {
        if control.stop_requested() {
            return;
        }
        let ending = Session::resume(run).and_then(|(session, _)| {
            let mut observer = audience.begins(index, &session);
            let evidence = Evidence::of_trainer(session.trainer());
            session.train(&mut Watch::new(evidence, &mut *observer), control)
        });
        audience.ends(index, &ending);
        endings.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[index] = Some(ending);
    };
    let train = &train;
    // First in, first out: what is named first is also done first.
    pool.scope_fifo(|scope| pending.into_iter().for_each(|(index, run)| scope.spawn_fifo(move |_| train(index, run))));
    Ok(endings.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
}
