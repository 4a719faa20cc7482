//! Runs on disk: cut off in any way and resumed, they end with the bytes of the run that was never interrupted.

use std::path::Path;

use requel::config::Config;
use requel::run::{Control, Ending, Pace, Run, RunError, Session, verify};
use requel::storage::RealStorage;
use requel::train::{Observer, ObserverError, TrainError};
use requel::{TrainEvent, checkpoint};

use crate::support::{Draws, files, short_training};

/// How a session is cut off.
#[derive(Clone, Copy)]
pub enum Cut {
    /// It is asked to stop, and saves.
    Stop,
    /// It dies, and saves nothing.
    Death,
}

/// Cuts a session off once `at` env steps have been made.
pub struct Scissors<'a> {
    pub control: &'a Control,
    pub at: u64,
    pub cut: Cut,
}

impl Observer for Scissors<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        match (event, self.cut) {
            (TrainEvent::Stepped { env_steps, .. }, Cut::Stop) if *env_steps >= self.at => self.control.request_stop(),
            (TrainEvent::Stepped { env_steps, .. }, Cut::Death) if *env_steps >= self.at => return Err("cut".into()),
            _ => {}
        }
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        true
    }
}

pub fn train_at_once(dir: &Path, config: &Config) {
    let session = Session::begin(Run::create(dir, config).unwrap()).unwrap();
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
}

/// Trains with cuts at steps that `next` gives from the steps made; returns how often it was cut off.
fn train_with_cuts(dir: &Path, config: &Config, mut next: impl FnMut(u64) -> (u64, Cut)) -> usize {
    let mut session = Session::begin(Run::create(dir, config).unwrap()).unwrap();
    for cuts in 0.. {
        let control = Control::new();
        let (at, cut) = next(session.trainer().env_steps());
        match session.train(&mut Scissors { control: &control, at, cut }, &control) {
            Ok(Ending::Finished { .. }) => return cuts,
            Ok(Ending::Interrupted { env_steps, checkpoint }) => {
                assert_eq!(checkpoint::read(&RealStorage, &checkpoint).unwrap().manifest.env_steps, env_steps);
            }
            Err(RunError::Train(TrainError::Observer(_))) => {}
            Err(error) => panic!("{error}"),
        }
        let (resumed, report) = Session::resume(Run::open(dir).unwrap()).unwrap();
        assert!(report.damaged.is_empty());
        assert_eq!(report.env_steps, resumed.trainer().env_steps());
        session = resumed;
    }
    unreachable!()
}

/// What must not depend on how often a run was cut off: all files but times and older checkpoints.
fn assert_same_run(name: &str, dir: &Path, expected: &Path) {
    let same = ["config.toml", "metrics.jsonl", "progress.csv", "best/policy.safetensors", "summary.json"];
    assert_same_files(name, dir, expected, &same);
    let events = |dir: &Path| files(&dir.join("tensorboard")).values().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(events(dir), events(expected), "{name}: TensorBoard events");
}

/// These files and all of the newest checkpoint but its manifest.
pub fn assert_same_files(name: &str, dir: &Path, expected: &Path, same: &[&str]) {
    let newest = |dir: &Path| checkpoint::list(&RealStorage, &dir.join("checkpoints")).unwrap().pop().unwrap().1;
    let (mut ours, theirs) = (files(&newest(dir)), files(&newest(expected)));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{name}");
    // A manifest says how often was saved, and what TensorBoard's events with their times are.
    ours.retain(|name, _| !name.starts_with("manifest"));
    for (file, bytes) in ours {
        assert!(bytes == theirs[&file], "{name}: {file} of the last checkpoint differs");
    }
    for file in same {
        let read = |dir: &Path| std::fs::read(dir.join(file)).unwrap();
        assert!(!read(dir).is_empty() && read(dir) == read(expected), "{name}: {file} differs");
    }
}

const NAMES: [&str; 8] = [
    "notebook, 1 environments",
    "notebook-naive, 3 environments",
    "hard by env steps, double, 3 environments",
    "soft by updates, 1 environments",
    "a full ring, 3 environments",
    "frames, prioritized",
    "pqn, masks",
    "rainbow, 3 environments",
];

#[test]
fn a_run_cut_off_at_random_steps_ends_with_the_same_bytes() {
    let mut draws = Draws(11);
    for name in NAMES {
        let config = short_training(name);
        let root = tempfile::tempdir().unwrap();
        let (whole, cut) = (root.path().join("whole"), root.path().join("cut"));
        train_at_once(&whole, &config);
        let mut deaths = 0;
        let cuts = train_with_cuts(&cut, &config, |from| {
            let death = draws.below(2) == 0 && deaths < 4;
            deaths += usize::from(death);
            (from + 1 + draws.below(150) as u64, if death { Cut::Death } else { Cut::Stop })
        });
        assert!(cuts >= 4, "{name}: only {cuts} cuts");
        assert_same_run(name, &cut, &whole);
    }
}

/// Around every multiple of an interval: that is where something happens twice or not at all, if it does.
#[test]
fn a_run_cut_off_beside_every_interval_ends_with_the_same_bytes() {
    let mut config = short_training("hard by updates, 1 environments");
    config.train.env_steps = 260;
    (config.log.every_steps, config.evaluation.every_steps, config.checkpoint.every_steps) = (17, 23, 19);
    let root = tempfile::tempdir().unwrap();
    let (whole, cut) = (root.path().join("whole"), root.path().join("cut"));
    train_at_once(&whole, &config);
    let mut at: Vec<u64> = (1..260).filter(|s| [17, 23, 19].iter().any(|n| s % n <= 1 || s % n == n - 1)).collect();
    at.reverse();
    let cuts = train_with_cuts(&cut, &config, |_| (at.pop().unwrap_or(u64::MAX), Cut::Stop));
    assert!(cuts > 80, "{cuts}");
    assert_same_run("beside every interval", &cut, &whole);
}

/// Its copy is kept near to it on the way, and saves may be put off.
#[test]
fn a_run_with_a_large_buffer_is_saved_and_resumed_to_the_same_bytes() {
    for (name, capacity) in [("notebook, 1 environments", 1_000_000), ("frames, prioritized", 100_000)] {
        let mut config = short_training(name);
        (config.train.env_steps, config.train.every_steps) = (6_000, 16);
        (config.evaluation.every_steps, config.checkpoint.every_steps) = (3_000, 700);
        config.replay.capacity = capacity;
        let root = tempfile::tempdir().unwrap();
        let (whole, cut) = (root.path().join("whole"), root.path().join("cut"));
        train_at_once(&whole, &config);
        let mut draws = Draws(3);
        let cuts = train_with_cuts(&cut, &config, |now| {
            let cut = if draws.below(2) == 0 { Cut::Stop } else { Cut::Death };
            (now + 800 + draws.below(900) as u64, cut)
        });
        assert!(cuts > 2, "{name}: {cuts}");
        assert_same_run(name, &cut, &whole);
    }
}

#[test]
fn a_finished_run_stays_as_it_is_when_resumed() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let (once, twice) = (root.path().join("once"), root.path().join("twice"));
    train_at_once(&once, &config);
    train_at_once(&twice, &config);
    let (session, resumed) = Session::resume(Run::open(&twice).unwrap()).unwrap();
    assert_eq!(resumed.env_steps, 700);
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
    assert_same_run("resumed at its end", &twice, &once);
    let kept = |dir: &Path| checkpoint::list(&RealStorage, &dir.join("checkpoints")).unwrap().len();
    assert_eq!((kept(&once), kept(&twice)), (2, 2));
}

#[test]
fn a_stop_right_after_a_checkpoint_does_not_touch_it() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    let session = Session::begin(Run::create(&dir, &config).unwrap()).unwrap();
    let control = Control::new();
    // The checkpoint of step 127 is there when the stop of the same step is heard.
    session.train(&mut Scissors { control: &control, at: 127, cut: Cut::Stop }, &control).unwrap();
    let written =
        |dir: &Path| std::fs::metadata(dir.join("checkpoints/ckpt-000000000127")).unwrap().modified().unwrap();
    let before = written(&dir);
    let (session, _) = Session::resume(Run::open(&dir).unwrap()).unwrap();
    let control = Control::new();
    control.request_stop();
    assert!(matches!(session.train(&mut (), &control).unwrap(), Ending::Interrupted { env_steps: 127, .. }));
    assert_eq!(written(&dir), before);
}

#[test]
fn a_checkpoint_on_request_changes_nothing() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let (plain, asked) = (root.path().join("plain"), root.path().join("asked"));
    train_at_once(&plain, &config);
    let control = Control::new();
    let mut saved = Vec::new();
    let mut ask = |event: &TrainEvent<'_>| {
        match event {
            TrainEvent::EpisodeEnded { .. } => control.request_checkpoint(),
            TrainEvent::CheckpointSaved { env_steps, path } => saved.push((*env_steps, path.is_dir())),
            _ => {}
        }
        Ok(())
    };
    let session = Session::begin(Run::create(&asked, &config).unwrap()).unwrap();
    session.train(&mut ask, &control).unwrap();
    assert!(saved.len() > 20 && saved.iter().all(|(_, is_there)| *is_there), "{saved:?}");
    assert_same_run("saved at every episode", &asked, &plain);
}

#[test]
fn what_is_occupied_in_use_or_no_run_is_refused() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    assert!(matches!(Run::open(&dir), Err(RunError::NotARun { .. })));
    assert!(matches!(Run::newest(root.path()), Err(RunError::NoRuns { .. })));
    let run = Run::create(&dir, &config).unwrap();
    assert!(matches!(Run::create(&dir, &config), Err(RunError::Occupied { .. })));
    assert!(matches!(run.best_policy(), Err(RunError::NoPolicy { .. })));
    assert_eq!(run.config().unwrap(), config);
    assert_eq!(Run::newest(root.path()).unwrap(), run);

    let session = Session::begin(run.clone()).unwrap();
    assert!(matches!(Session::begin(run.clone()), Err(RunError::InUse { .. })));
    assert!(matches!(Session::resume(run.clone()), Err(RunError::InUse { .. })));
    session.train(&mut (), &Control::new()).unwrap();
    // Beginning anew would cut the logs.
    let before = files(&dir);
    assert!(matches!(Session::begin(run.clone()), Err(RunError::Occupied { .. })));
    assert_eq!(files(&dir), before);
    assert_eq!(run.best_policy().unwrap().env_id, "CartPole-v1");
    assert_eq!(run.summary().unwrap().unwrap().env_steps, 700);

    let file = root.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(matches!(Run::create(&file, &config), Err(RunError::Io { .. })));
    let unspeakable =
        Config { train: requel::config::TrainConfig { seed: u64::MAX, ..config.train.clone() }, ..config };
    assert!(matches!(Run::create(&root.path().join("other"), &unspeakable), Err(RunError::Config(_))));
    assert!(!root.path().join("other").exists());
}

/// Tells another thread of steps and of checkpoints.
struct Teller(std::sync::mpsc::Sender<(&'static str, u64)>);

impl Observer for Teller {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        let told = match event {
            TrainEvent::Stepped { env_steps, .. } => ("step", *env_steps),
            TrainEvent::CheckpointSaved { env_steps, .. } => ("saved", *env_steps),
            _ => return Ok(()),
        };
        // Whoever listened may have heard enough.
        let _ = self.0.send(told);
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        true
    }
}

/// Paused, stepped, saved, slowed down and let go: what comes of it is what comes of a run that nobody touched.
#[test]
fn a_paused_training_makes_the_steps_it_is_allowed_and_saves_when_asked() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let (whole, held) = (root.path().join("whole"), root.path().join("held"));
    train_at_once(&whole, &config);
    let control = Control::new();
    control.set_pace(Pace::Paused);
    let (teller, told) = std::sync::mpsc::channel();
    let person = control.clone();
    let watching = std::thread::spawn(move || {
        let next = || told.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
        for step in 1..=3 {
            person.allow_step();
            assert_eq!(next(), ("step", step));
        }
        // Once it is written and once it is there, both times without a step.
        for _ in 0..2 {
            person.request_checkpoint();
            assert_eq!(next(), ("saved", 3));
        }
        person.set_pace(Pace::Limited(10_000.0));
        assert_eq!((next(), next()), (("step", 4), ("step", 5)));
        assert_eq!(person.pace(), Pace::Limited(10_000.0));
        person.set_pace(Pace::Full);
    });
    let session = Session::begin(Run::create(&held, &config).unwrap()).unwrap();
    let ending = session.train(&mut Teller(teller), &control).unwrap();
    watching.join().unwrap();
    assert!(matches!(ending, Ending::Finished { .. }), "{ending:?}");
    for file in ["metrics.jsonl", "progress.csv", "summary.json"] {
        let read = |dir: &Path| std::fs::read(dir.join(file)).unwrap();
        assert!(read(&held) == read(&whole), "{file}");
    }
}

#[test]
fn a_paused_training_hears_the_stop() {
    let root = tempfile::tempdir().unwrap();
    let run = Run::create(&root.path().join("run"), &short_training("notebook, 1 environments")).unwrap();
    let control = Control::new();
    control.set_pace(Pace::Paused);
    let person = control.clone();
    let stopping = std::thread::spawn(move || person.request_stop());
    let ending = Session::begin(run).unwrap().train(&mut (), &control).unwrap();
    stopping.join().unwrap();
    assert!(matches!(ending, Ending::Interrupted { env_steps: 0, .. }), "{ending:?}");
}

#[test]
fn lost_logs_are_an_error() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    train_at_once(&dir, &config);
    let metrics = dir.join("metrics.jsonl");
    let bytes = std::fs::read(&metrics).unwrap();
    std::fs::write(&metrics, &bytes[..bytes.len() / 2]).unwrap();
    let error = Session::resume(Run::open(&dir).unwrap()).err().unwrap();
    assert!(matches!(error, RunError::NothingWhole { .. }) && error.to_string().contains("metrics.jsonl"), "{error}");
    // What it can tell right from wrong by it leaves as it is.
    assert_eq!(std::fs::read(&metrics).unwrap(), bytes[..bytes.len() / 2]);
    // Damage behind what the last checkpoint but one knew costs no more than the steps since.
    let end = bytes.len() - 30;
    let changed: Vec<u8> = bytes.iter().enumerate().map(|(at, b)| if at == end { b ^ 1 } else { *b }).collect();
    std::fs::write(&metrics, changed).unwrap();
    let known = checkpoint::list(&RealStorage, &dir.join("checkpoints")).unwrap().pop().unwrap().1;
    let known = checkpoint::read(&RealStorage, &known).unwrap().manifest.logs["metrics.jsonl"].bytes;
    let (session, resumed) = Session::resume(Run::open(&dir).unwrap()).unwrap();
    assert_eq!(resumed.damaged.is_empty(), end as u64 >= known);
    session.train(&mut (), &Control::new()).unwrap();
    assert_eq!(std::fs::read(&metrics).unwrap(), bytes);
}

/// A config that is not what the run began with would be trained on without a word.
#[test]
fn a_changed_config_is_refused_until_it_is_said_to_be_meant() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    let run = Run::create(&dir, &config).unwrap();
    let control = Control::new();
    // Before there is a checkpoint that could tell, and after.
    Session::begin(run.clone())
        .unwrap()
        .train(&mut Scissors { control: &control, at: 50, cut: Cut::Death }, &control)
        .unwrap_err();
    for _ in 0..2 {
        let path = dir.join("config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("learning_rate = 0.001", "learning_rate = 0.003")).unwrap();
        let errors = [run.config().err().unwrap(), Session::resume(run.clone()).err().unwrap()];
        for error in errors.map(|error| error.to_string()) {
            assert!(error.contains("config.toml is damaged") && error.contains("on purpose"), "{error}");
        }
        assert!(verify(&run).unwrap().damage[0].to_string().contains("config.toml"));
        std::fs::write(&path, text).unwrap();
        let control = Control::new();
        let (session, _) = Session::resume(run.clone()).unwrap();
        session.train(&mut Scissors { control: &control, at: 300, cut: Cut::Stop }, &control).unwrap();
    }
    std::fs::remove_file(dir.join("checksums.blake3")).unwrap();
    let path = dir.join("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("env_steps = 700", "env_steps = 800")).unwrap();
    let (session, _) = Session::resume(run).unwrap();
    let ending = session.train(&mut (), &Control::new()).unwrap();
    assert!(matches!(ending, Ending::Finished { summary, .. } if summary.env_steps == 800));
}

/// One bit in any file of a finished run.
#[test]
fn damage_to_any_file_of_a_finished_run_is_found_and_named() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    train_at_once(&dir, &short_training("notebook, 1 environments"));
    let run = Run::open(&dir).unwrap();
    assert!(verify(&run).unwrap().damage.is_empty());
    let mut draws = Draws(17);
    // The lock says nothing.
    let all: Vec<(String, Vec<u8>)> = files(&dir).into_iter().filter(|(name, _)| name != ".lock").collect();
    assert!(all.len() > 15, "{}", all.len());
    for (name, bytes) in &all {
        for _ in 0..8 {
            let mut damaged = bytes.clone();
            damaged[draws.below(bytes.len())] ^= 1 << draws.below(8);
            std::fs::write(dir.join(name), &damaged).unwrap();
            let said: Vec<String> = verify(&run).unwrap().damage.iter().map(ToString::to_string).collect();
            let called = name.replace("manifest.blake3", "manifest");
            assert!(said.iter().any(|said| said.contains(&called)), "{name}: {said:?}");
        }
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    assert!(verify(&run).unwrap().damage.is_empty());
}

/// A log that is changed without being cut is found by its hash.
#[test]
fn changed_logs_cost_the_checkpoints_that_know_them() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    train_at_once(&dir, &config);
    let metrics = dir.join("metrics.jsonl");
    let bytes = std::fs::read(&metrics).unwrap();
    let checkpoints = checkpoint::list(&RealStorage, &dir.join("checkpoints")).unwrap();
    let known = |index: usize| {
        let checkpoint = checkpoint::read(&RealStorage, &checkpoints[index].1).unwrap();
        checkpoint.manifest.logs["metrics.jsonl"].bytes as usize
    };
    let (older, newer) = (known(0), known(1));
    assert!(older < newer && newer < bytes.len());
    for (at, expected) in [(0, None), (older - 1, None), (older, Some(1)), (newer - 1, Some(1)), (newer, Some(0))] {
        let mut changed = bytes.clone();
        changed[at] ^= 2;
        std::fs::write(&metrics, changed).unwrap();
        let found = Session::resume(Run::open(&dir).unwrap());
        assert_eq!(found.as_ref().ok().map(|(_, resumed)| resumed.damaged.len()), expected, "byte {at}");
        let Ok((session, _)) = found else { continue };
        session.train(&mut (), &Control::new()).unwrap();
        assert!(std::fs::read(&metrics).unwrap() == bytes, "byte {at}");
    }
}
