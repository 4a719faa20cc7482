//! Runs that several workers claim: each is trained once, and is the run it would be alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use requel::Registry;
use requel::run::{Control, Ending, Run, RunError, Session};
use requel::storage::{FlakyStorage, RealStorage, Storage, Weather};
use requel::study::{Audience, Claims, Crew, PlannedRun, Standing, shared, train_all, train_claimed};
use requel::train::{Observer, ObserverError, TrainEvent};

use crate::study::timeless;
use crate::support::short_training;

const LEASE: Duration = Duration::from_millis(600);

fn planned(root: &Path, seeds: u64) -> Vec<PlannedRun> {
    let config = short_training("notebook, 1 environments");
    (0..seeds).map(|seed| PlannedRun::new(root, 0, &config, seed).unwrap()).collect()
}

fn trained_alone(root: &Path, seeds: u64) -> Vec<PlannedRun> {
    let runs = planned(root, seeds);
    train_all(&runs, crew(&Control::new()), &()).unwrap();
    runs
}

fn crew(control: &Control) -> Crew<'_> {
    static REGISTRY: std::sync::LazyLock<Registry> = std::sync::LazyLock::new(Registry::built_in);
    Crew { registry: &REGISTRY, threads: 1, control }
}

fn claims(root: &Path, storage: Arc<dyn Storage>) -> Claims {
    loop {
        if let Ok(claims) = Claims::open(Arc::clone(&storage), &root.join("claims"), LEASE) {
            return claims;
        }
    }
}

fn assert_same(one: &[PlannedRun], other: &[PlannedRun]) {
    for (one, other) in one.iter().zip(other) {
        assert_eq!(other.standing(), Standing::Finished);
        assert!(timeless(&one.dir) == timeless(&other.dir), "seed {}", one.config.train.seed);
    }
}

#[test]
fn workers_on_a_bad_file_system_train_every_run_once() {
    const RUNS: u64 = 9;
    let root = tempfile::tempdir().unwrap();
    let whole = trained_alone(&root.path().join("whole"), RUNS);
    let together = root.path().join("together");
    std::fs::create_dir(&together).unwrap();
    let weather = Weather { one_fails_in: 8, one_is_late_in: 8, delay: Duration::from_millis(2) };
    let endings: Vec<_> = std::thread::scope(|scope| {
        let work = |seed| {
            let storage = FlakyStorage::new(Arc::new(RealStorage), weather, seed);
            let claims = claims(&together, Arc::new(storage));
            train_claimed(&planned(&together, RUNS), crew(&Control::new()), claims, &()).unwrap()
        };
        let threads: Vec<_> = (0..3).map(|seed| scope.spawn(move || work(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let runs = planned(&together, RUNS);
    for index in 0..runs.len() {
        let trained = endings.iter().filter_map(|endings| endings[index].as_ref());
        let finished = trained.filter(|ending| matches!(ending, Ok(Ending::Finished { .. }))).count();
        assert_eq!(finished, 1, "run {index}");
    }
    assert_same(&whole, &runs);
}

/// A worker that dies in the middle of a run, and whose lock its machine holds on.
#[test]
fn a_dead_workers_run_is_taken_over_from_its_checkpoint_after_its_lease() {
    let root = tempfile::tempdir().unwrap();
    let whole = trained_alone(&root.path().join("whole"), 1);
    let together = root.path().join("together");
    std::fs::create_dir(&together).unwrap();
    let runs = planned(&together, 1);
    let name = "seed-0";
    let dead = match claims(&together, Arc::new(RealStorage)).try_take(name, 0, Instant::now()).unwrap() {
        shared::Attempt::Taken(lease) => lease,
        shared::Attempt::Elsewhere => panic!("nobody has it"),
    };
    let control = Control::new();
    let run = Run::create(&runs[0].dir, &runs[0].config).unwrap();
    let ending = Session::begin(run.clone()).unwrap().train(&mut StopAt(300, control.clone()), &control).unwrap();
    assert!(matches!(ending, Ending::Interrupted { .. }));
    // It still has its files open, and writes when nobody expects it.
    let (held, _) = Session::resume(run).unwrap();
    dead.renew().unwrap();

    let begun = Instant::now();
    let watching = Watching::default();
    let endings =
        train_claimed(&runs, crew(&Control::new()), claims(&together, Arc::new(RealStorage)), &watching).unwrap();
    assert!(matches!(endings[..], [Some(Ok(Ending::Finished { .. }))]), "{endings:?}");
    assert!(begun.elapsed() >= LEASE && watching.begun_at.load(Ordering::SeqCst) >= 300);
    assert!(!dead.is_held());
    drop(held);
    assert_same(&whole, &runs);
}

/// A worker that has lost its run, and learns of it when it writes.
#[test]
fn who_has_lost_a_run_neither_changes_its_best_policy_nor_ends_it() {
    let root = tempfile::tempdir().unwrap();
    let config = short_training("notebook, 1 environments");
    let lost_at = |name: &str, is_moment: fn(&TrainEvent<'_>) -> bool| {
        let lease = match claims(root.path(), Arc::new(RealStorage)).try_take(name, 0, Instant::now()).unwrap() {
            shared::Attempt::Taken(lease) => lease,
            shared::Attempt::Elsewhere => panic!("nobody has it"),
        };
        let run = Run::create(&root.path().join(name), &config).unwrap();
        let fenced = shared::FencedStorage::new(RealStorage, lease.clone());
        let session = Session::begin(run.clone()).unwrap().with_storage(Arc::new(fenced));
        let mut lose = |event: &TrainEvent<'_>| {
            // A test may take longer than the lease.
            match is_moment(event) {
                true => lease.clone().release(),
                false => lease.renew()?,
            }
            Ok(())
        };
        let error = session.train(&mut lose, &Control::new()).unwrap_err();
        assert!(error.to_string().contains("cannot"), "{name}: {error}");
        assert!(run.summary().unwrap().is_none() && !run.is_finished(), "{name}");
        run.best_policy_path().exists()
    };
    assert!(!lost_at("evaluated", |event| matches!(event, TrainEvent::Evaluated { .. })));
    assert!(lost_at("ended", |event| matches!(event, TrainEvent::FinalEvaluated { .. })));
}

#[test]
fn what_is_stopped_is_given_back_and_another_goes_on_at_once() {
    let root = tempfile::tempdir().unwrap();
    let whole = trained_alone(&root.path().join("whole"), 2);
    let together = root.path().join("together");
    std::fs::create_dir(&together).unwrap();
    let runs = planned(&together, 2);
    let control = Control::new();
    let stopping = Watching { stop: Some(control.clone()), ..Watching::default() };
    let endings = train_claimed(&runs, crew(&control), claims(&together, Arc::new(RealStorage)), &stopping).unwrap();
    assert!(matches!(endings[..], [Some(Ok(Ending::Interrupted { .. })), None]), "{endings:?}");
    let begun = Instant::now();
    train_claimed(&runs, crew(&Control::new()), claims(&together, Arc::new(RealStorage)), &()).unwrap();
    assert_same(&whole, &runs);
    // Nobody waited for a lease: claims of finished runs are never asked for.
    let again = train_claimed(&runs, crew(&Control::new()), claims(&together, Arc::new(RealStorage)), &()).unwrap();
    assert!(again.iter().all(Option::is_none) && begun.elapsed() < Duration::from_secs(30));
}

/// Asks to stop at some env steps.
struct StopAt(u64, Control);

impl Observer for StopAt {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if matches!(event, TrainEvent::EpisodeEnded { env_steps, .. } if *env_steps >= self.0) {
            self.1.request_stop();
        }
        Ok(())
    }
}

/// Where runs began, and whether to stop them.
#[derive(Default)]
struct Watching {
    begun_at: AtomicUsize,
    stop: Option<Control>,
}

impl Audience for Watching {
    fn begins(&self, _: usize, session: &Session) -> Box<dyn Observer + '_> {
        self.begun_at.store(session.trainer().env_steps() as usize, Ordering::SeqCst);
        match &self.stop {
            Some(control) => Box::new(StopAt(200, control.clone())),
            None => Box::new(()),
        }
    }

    fn ends(&self, _: usize, _: &Result<Ending, RunError>) {}
}
