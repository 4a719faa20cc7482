//! [`Queue`], from which the threads of a worker take the next run to train.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Attempt, Claims, Lease};
use crate::study::{PlannedRun, Standing};

/// The runs of a worker, and the progress of each.
pub(super) struct Queue<'a> {
    runs: &'a [PlannedRun],
    claims: Claims,
    entries: Vec<Entry>,
    /// Since when checking has only produced errors.
    failing_since: Option<Instant>,
}

struct Entry {
    state: State,
    /// A run that failed is not tried again at once.
    not_before: Option<Instant>,
    failures: u32,
    told: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// To be trained here, if nobody else has it.
    Open,
    /// Being trained by this worker.
    Training,
    /// Finished, or given up by this worker.
    Over,
}

/// What a thread of a worker should do.
pub(super) enum Next {
    /// Train the run at this index.
    Train(usize, Lease),
    /// The runs at these indices were finished by others.
    Finished(Vec<usize>),
    /// Check again later. Others have the runs at these indices, which has not been reported yet.
    Wait(Vec<usize>),
    /// There is nothing left.
    Over,
}

/// How often one worker retries a run that fails because of the file system.
const MOST_FAILURES: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// A file system that fails for this many leases will not recover.
const PATIENCE_LEASES: u32 = 10;

impl<'a> Queue<'a> {
    pub fn new(runs: &'a [PlannedRun], claims: Claims) -> Self {
        let entry = |_| Entry { state: State::Open, not_before: None, failures: 0, told: false };
        Queue { runs, claims, entries: runs.iter().map(entry).collect(), failing_since: None }
    }

    /// How long to wait between two checks.
    pub fn pause(&self) -> Duration {
        (self.claims.lease() / 20).clamp(Duration::from_millis(20), Duration::from_secs(2))
    }

    /// The length of a lease.
    pub fn lease(&self) -> Duration {
        self.claims.lease()
    }

    /// The next task.
    ///
    /// # Errors
    /// The error of the file system, once it has persisted for long.
    pub fn next(&mut self) -> io::Result<Next> {
        let now = Instant::now();
        match self.look(now) {
            Ok(next) => {
                self.failing_since = None;
                Ok(next)
            }
            Err(error) => {
                let since = *self.failing_since.get_or_insert(now);
                if now.duration_since(since) > PATIENCE_LEASES * self.claims.lease() {
                    return Err(error);
                }
                Ok(Next::Wait(Vec::new()))
            }
        }
    }

    fn look(&mut self, now: Instant) -> io::Result<Next> {
        let newest = self.claims.newest()?;
        let mut finished = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate().filter(|(_, entry)| entry.state == State::Open) {
            let planned = &self.runs[index];
            if planned.standing() == Standing::Finished {
                entry.state = State::Over;
                finished.push(index);
                continue;
            }
            if !finished.is_empty() || entry.not_before.is_some_and(|time| now < time) {
                continue;
            }
            let name = name_of(planned, &self.claims);
            let number = newest.get(&name).copied().unwrap_or(0);
            if let Attempt::Taken(lease) = self.claims.try_take(&name, number, Instant::now())? {
                entry.state = State::Training;
                return Ok(Next::Train(index, lease));
            }
        }
        if !finished.is_empty() {
            return Ok(Next::Finished(finished));
        }
        if self.entries.iter().all(|entry| entry.state == State::Over) {
            return Ok(Next::Over);
        }
        // Runs that this worker trains, or retries soon, are not a reason to report that it waits for others.
        if self.entries.iter().any(|entry| entry.state == State::Training || entry.not_before.is_some_and(|t| now < t))
        {
            return Ok(Next::Wait(Vec::new()));
        }
        let waits = |(index, entry): (usize, &mut Entry)| {
            (entry.state == State::Open && !std::mem::replace(&mut entry.told, true)).then_some(index)
        };
        Ok(Next::Wait(self.entries.iter_mut().enumerate().filter_map(waits).collect()))
    }

    /// The run at `index` is over for this worker.
    pub fn is_over(&mut self, index: usize) {
        self.entries[index].state = State::Over;
    }

    /// The run at `index` now belongs to another worker.
    pub fn is_lost(&mut self, index: usize) {
        self.entries[index].state = State::Open;
    }

    /// A process without a claim is working on the run at `index`, which is left to it for a while.
    pub fn is_busy(&mut self, index: usize) {
        let entry = &mut self.entries[index];
        (entry.state, entry.not_before) = (State::Open, Some(Instant::now() + self.claims.lease() / 4));
    }

    /// The file system failed for the run at `index`. Returns whether it should be tried again.
    pub fn has_failed(&mut self, index: usize) -> bool {
        let entry = &mut self.entries[index];
        entry.failures += 1;
        if entry.failures > MOST_FAILURES {
            entry.state = State::Over;
            return false;
        }
        entry.state = State::Open;
        entry.not_before = Some(Instant::now() + FIRST_PAUSE * entry.failures);
        true
    }
}

/// The name of a run's claims: its directory within that of the study.
fn name_of(planned: &PlannedRun, claims: &Claims) -> String {
    let study = claims.dir().parent().unwrap_or(Path::new(""));
    let inside = planned.dir.strip_prefix(study).unwrap_or(&planned.dir);
    let names = inside.iter().map(|name| name.to_string_lossy().replace('/', ""));
    names.collect::<Vec<_>>().join("--")
}
