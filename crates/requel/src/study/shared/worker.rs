//! [`train_claimed`], the loop of a worker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::{Next, Queue};
use super::{Claims, FencedStorage, Lease};
use crate::checkpoint::CheckpointError;
use crate::diagnose::{Evidence, Watch};
use crate::run::{Control, Ending, Run, RunError, Session};
use crate::storage::RealStorage;
use crate::study::{Audience, Crew, PlannedRun, StudyError, check_new};
use crate::train::TrainError;

type Endings = Vec<Option<Result<Ending, RunError>>>;

/// Trains the runs that nobody else has, until all are finished: runs of other workers are waited for, and taken over if a worker died. Any
/// number of workers can do so at the same time, on any number of machines, each run with the bits of a separate run. When `control` asks
/// to stop, runs save their state and are given back. What fails because of the file system is tried again, here or by another worker.
///
/// The result at each index is `None` if the run was finished elsewhere, or not started.
///
/// # Errors
/// As [`train_all`](crate::study::train_all), and if the claims cannot be read for long.
pub fn train_claimed(
    runs: &[PlannedRun],
    crew: Crew<'_>,
    claims: Claims,
    audience: &dyn Audience,
) -> Result<Endings, StudyError> {
    check_with_others(runs, crew)?;
    let threads = crew.threads_for(runs.len());
    let dir = claims.dir().to_path_buf();
    let worker = Worker {
        runs,
        crew,
        audience,
        queue: Mutex::new(Queue::new(runs, claims)),
        endings: Mutex::new(runs.iter().map(|_| None).collect()),
        leases: Mutex::default(),
        error: Mutex::default(),
        is_over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let renewing = scope.spawn(|| worker.renew_all());
        let training: Vec<_> = (0..threads).map(|_| scope.spawn(|| worker.train())).collect();
        let panics: Vec<_> = training.into_iter().filter_map(|thread| thread.join().err()).collect();
        worker.is_over.store(true, Ordering::SeqCst);
        renewing.thread().unpark();
        if let Some(panic) = panics.into_iter().next() {
            std::panic::resume_unwind(panic);
        }
    });
    match worker.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(Problem::Claims(source)) => Err(RunError::io("read the claims in", &dir)(source).into()),
        Some(Problem::Study(error)) => Err(error),
        None => Ok(worker.endings.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

struct Worker<'a> {
    runs: &'a [PlannedRun],
    crew: Crew<'a>,
    audience: &'a dyn Audience,
    queue: Mutex<Queue<'a>>,
    endings: Mutex<Endings>,
    /// The leases that are held.
    leases: Mutex<Vec<(usize, Lease)>>,
    /// The error that ends the worker.
    error: Mutex<Option<Problem>>,
    is_over: AtomicBool,
}

enum Problem {
    Claims(std::io::Error),
    Study(StudyError),
}

/// How many times a lease is renewed during its length.
const RENEWALS: u32 = 10;

impl Worker<'_> {
    /// Renews the leases until all threads have ended.
    fn renew_all(&self) {
        let pause = lock(&self.queue).lease() / RENEWALS;
        while !self.is_over.load(Ordering::SeqCst) {
            let held: Vec<Lease> = lock(&self.leases).iter().map(|(_, lease)| lease.clone()).collect();
            for lease in held {
                // A lease that cannot be renewed expires, which the training thread notices by itself.
                let _ = lease.renew();
            }
            std::thread::park_timeout(pause);
        }
    }

    fn train(&self) {
        let pause = lock(&self.queue).pause();
        while !self.crew.control.stop_requested() && lock(&self.error).is_none() {
            let next = lock(&self.queue).next();
            match next {
                Ok(Next::Train(index, lease)) => self.train_one(index, &lease),
                Ok(Next::Finished(elsewhere)) => {
                    elsewhere.into_iter().for_each(|index| self.audience.ended_elsewhere(index));
                }
                Ok(Next::Wait(others)) => {
                    others.into_iter().for_each(|index| self.audience.waits(index));
                    self.sleep(pause);
                }
                Ok(Next::Over) => return,
                Err(error) => *lock(&self.error) = Some(Problem::Claims(error)),
            }
        }
    }

    /// Sleeps, but returns soon after a request to stop.
    fn sleep(&self, mut time: Duration) {
        const PIECE: Duration = Duration::from_millis(50);
        while time > Duration::ZERO && !self.crew.control.stop_requested() {
            std::thread::sleep(time.min(PIECE));
            time = time.saturating_sub(PIECE);
        }
    }

    fn train_one(&self, index: usize, lease: &Lease) {
        lock(&self.leases).push((index, lease.clone()));
        let ending = self.train_held(index, lease);
        lock(&self.leases).retain(|(held, _)| *held != index);
        let is_held = lease.is_held();
        match &ending {
            Ok(Some(Ok(Ending::Finished { .. }))) | Ok(None) => lease.clone().finish(),
            _ => lease.clone().release(),
        }
        let ending = match ending {
            Err(error) => {
                *lock(&self.error) = Some(Problem::Study(error));
                return;
            }
            Ok(None) => {
                lock(&self.queue).is_over(index);
                return self.audience.ended_elsewhere(index);
            }
            Ok(Some(ending)) => ending,
        };
        let is_stopped = matches!(ending, Ok(Ending::Interrupted { .. })) && self.crew.control.stop_requested();
        match &ending {
            Ok(Ending::Finished { .. }) => lock(&self.queue).is_over(index),
            _ if is_stopped => lock(&self.queue).is_over(index),
            // Whatever happened is not the end of the run: another worker has it.
            _ if !is_held => return lock(&self.queue).is_lost(index),
            Ok(Ending::Interrupted { .. }) => return lock(&self.queue).is_lost(index),
            Err(RunError::InUse { .. } | RunError::Occupied { .. }) => return lock(&self.queue).is_busy(index),
            Err(error) if may_pass(error) => {
                if lock(&self.queue).has_failed(index) {
                    return self.audience.tries_again(index, error);
                }
            }
            Err(_) => lock(&self.queue).is_over(index),
        }
        self.audience.ends(index, &ending);
        lock(&self.endings)[index] = Some(ending);
    }

    /// Trains a run whose lease this worker has; `None` if it is already finished.
    fn train_held(&self, index: usize, lease: &Lease) -> Result<Option<Result<Ending, RunError>>, StudyError> {
        let session = match self.session(index, lease) {
            Ok(Some(session)) => session,
            Ok(None) => return Ok(None),
            Err(StudyError::Run(error)) => return Ok(Some(Err(error))),
            Err(error) => return Err(error),
        };
        let mut observer = self.audience.begins(index, &session);
        let evidence = Evidence::of_trainer(session.trainer());
        let (all, held) = (self.crew.control.clone(), lease.clone());
        let control = Control::new().asking(move || all.stop_requested() || !held.is_held());
        Ok(Some(session.train(&mut Watch::new(evidence, &mut *observer), &control)))
    }

    fn session(&self, index: usize, lease: &Lease) -> Result<Option<Session>, StudyError> {
        let planned = &self.runs[index];
        if lease.follows_lapsed() {
            // A run that was only partly taken over must not be given back: the next worker would not take it over.
            Run::take_over(&planned.dir).inspect_err(|_| lease.abandon())?;
        }
        let (run, _) = planned.open_or_create()?;
        let session = Session::resume_unfinished(run, self.crew.registry)?;
        Ok(session.map(|session| session.with_storage(Arc::new(FencedStorage::new(RealStorage, lease.clone())))))
    }
}

/// Like [`check_new`], which would find a place occupied while another worker creates the run there.
fn check_with_others(runs: &[PlannedRun], crew: Crew<'_>) -> Result<(), StudyError> {
    let mut attempts = 0;
    loop {
        match check_new(runs, crew.registry) {
            Err(StudyError::Run(RunError::Occupied { .. } | RunError::Io { .. })) if attempts < ATTEMPTS => {
                attempts += 1;
                std::thread::sleep(PAUSE);
            }
            checked => return checked,
        }
    }
}

const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Whether the error came from the file system, which may work next time.
fn may_pass(error: &RunError) -> bool {
    let is_of_files = matches!(error, RunError::Io { .. } | RunError::Train(TrainError::Observer(_)));
    is_of_files || matches!(error, RunError::Checkpoint(CheckpointError::Io { .. }))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
