//! Runs that go on with other settings: recorded as segments, and cut off in any way they end with the same bytes.

use std::path::Path;

use requel::checkpoint;
use requel::config::{AnnealKind, Config, ConfigError};
use requel::run::{Control, Ending, Run, RunError, Session, Summary, verify};
use requel::storage::RealStorage;
use requel::train::Trainer;

use crate::sessions::{Cut, Scissors, assert_same_files, train_at_once};
use crate::support::{Draws, files, short_training};

fn finish(session: Session) -> Summary {
    match session.train(&mut (), &Control::new()).unwrap() {
        Ending::Finished { summary, .. } => summary,
        Ending::Interrupted { .. } => panic!("nobody asked it to stop"),
    }
}

fn extend(dir: &Path, change: impl Fn(&mut Config)) -> Session {
    let run = Run::open(dir).unwrap();
    let mut config = run.config().unwrap();
    change(&mut config);
    Session::extend(run, &config).unwrap().0
}

/// Trains what is begun in `dir` to its end, with cuts at random steps.
fn finish_with_cuts(dir: &Path, draws: &mut Draws) -> usize {
    for cuts in 0.. {
        let (session, _) = Session::resume(Run::open(dir).unwrap()).unwrap();
        let control = Control::new();
        let cut = if draws.below(2) == 0 { Cut::Death } else { Cut::Stop };
        let at = session.trainer().env_steps() + 1 + draws.below(190) as u64;
        if let Ok(Ending::Finished { .. }) = session.train(&mut Scissors { control: &control, at, cut }, &control) {
            return cuts;
        }
    }
    unreachable!()
}

#[test]
fn a_run_with_a_larger_budget_is_the_run_that_had_it_from_the_beginning() {
    for name in [
        "notebook, 1 environments",
        "frames, prioritized",
        "pqn, masks",
        "rainbow, 3 environments",
        "notebook-naive, 3 environments",
    ] {
        let mut config = short_training(name);
        config.optimizer.anneal = AnnealKind::None;
        let root = tempfile::tempdir().unwrap();
        let (at_once, extended) = (root.path().join("at-once"), root.path().join("extended"));
        train_at_once(&extended, &config);
        let first = Run::open(&extended).unwrap().summary().unwrap().unwrap();
        let end = config.train.env_steps + 333;
        let summary = finish(extend(&extended, |config| config.train.env_steps = end));
        config.train.env_steps = end;
        train_at_once(&at_once, &config);
        assert_same_files(name, &extended, &at_once, &["metrics.jsonl", "best/policy.safetensors", "summary.json"]);
        assert!(summary.env_steps >= end && first.env_steps < end, "{name}");

        let run = Run::open(&extended).unwrap();
        let segments = run.segments().unwrap();
        assert_eq!((segments.len(), segments[1].from_env_steps), (2, first.env_steps), "{name}");
        assert_eq!(run.config().unwrap(), config);
        // What it had come to before is not lost.
        let kept = std::fs::read(extended.join("segments/0001-summary.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Summary>(&kept).unwrap(), first);
        assert_eq!(verify(&run).unwrap().damage.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
        let sessions: Vec<_> = run.provenance().unwrap().iter().map(|s| (s.from_env_steps, s.segment)).collect();
        assert_eq!(sessions, [(0, 1), (first.env_steps, 2)]);
    }
}

fn other_settings(config: &mut Config) {
    config.train.env_steps += 400;
    config.optimizer.learning_rate *= 0.5;
    config.exploration.start *= 0.25;
    (config.evaluation.episodes, config.evaluation.every_steps) = (2, 151);
    (config.checkpoint.every_steps, config.log.every_steps) = (97, 50);
}

#[test]
fn an_extended_run_that_is_cut_off_ends_with_the_bytes_of_one_that_is_not() {
    let mut draws = Draws(29);
    for name in ["hard by env steps, double, 3 environments", "frames, prioritized", "pqn, masks"] {
        let config = short_training(name);
        let root = tempfile::tempdir().unwrap();
        let (whole, cut) = (root.path().join("whole"), root.path().join("cut"));
        let mut cuts = 0;
        for dir in [&whole, &cut] {
            train_at_once(dir, &config);
        }
        for _ in 0..2 {
            finish(extend(&whole, other_settings));
            // It dies right after the change was recorded.
            drop(extend(&cut, other_settings));
            cuts += finish_with_cuts(&cut, &mut draws);
        }
        assert!(cuts >= 4, "{name}: {cuts}");
        let segments: Vec<String> =
            files(&whole.join("segments")).into_keys().map(|file| format!("segments/{file}")).collect();
        assert_eq!(segments.len(), 4);
        let segments = segments.iter().map(String::as_str);
        let same = ["config.toml", "metrics.jsonl", "progress.csv", "best/policy.safetensors", "summary.json"];
        assert_same_files(name, &cut, &whole, &same.into_iter().chain(segments).collect::<Vec<_>>());
        assert!(verify(&Run::open(&cut).unwrap()).unwrap().damage.is_empty());
    }
}

/// Damage costs the steps since the checkpoint before, whose segment is gone through again.
#[test]
fn a_run_whose_checkpoints_of_the_last_segment_are_lost_goes_through_both() {
    let config = short_training("hard by updates, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let (whole, damaged) = (root.path().join("whole"), root.path().join("damaged"));
    for dir in [&whole, &damaged] {
        train_at_once(dir, &config);
    }
    finish(extend(&whole, other_settings));
    drop(extend(&damaged, other_settings));
    let (env_steps, newest) = checkpoint::list(&RealStorage, &damaged.join("checkpoints")).unwrap().pop().unwrap();
    let file = newest.join("network.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    // No change can be made before the last one was reached.
    let run = Run::open(&damaged).unwrap();
    let mut third = run.config().unwrap();
    third.train.env_steps += 1;
    let error = Session::extend(run.clone(), &third).err().unwrap();
    assert!(matches!(error, RunError::BeforeSegment { begins, .. } if begins == env_steps), "{error}");

    let (session, resumed) = Session::resume(run).unwrap();
    assert!(resumed.env_steps < env_steps && resumed.damaged.len() == 1);
    assert_eq!(session.trainer().config(), &config);
    finish(session);
    let same = ["metrics.jsonl", "progress.csv", "best/policy.safetensors", "summary.json"];
    assert_same_files("gone through again", &damaged, &whole, &same);
}

#[test]
fn what_cannot_change_is_refused_by_name_and_nothing_is_written() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    train_at_once(&dir, &config);
    let run = Run::open(&dir).unwrap();
    let before = files(&dir);
    let refuse = |change: &dyn Fn(&mut Config)| {
        let mut config = config.clone();
        change(&mut config);
        let error = Session::extend(run.clone(), &config).err().expect("refused");
        assert_eq!(files(&dir), before, "{error}");
        error
    };
    let fixed = |change: &dyn Fn(&mut Config)| match refuse(change) {
        RunError::Config(ConfigError::Fixed { key, .. }) => key,
        error => panic!("{error}"),
    };
    assert_eq!(fixed(&|c| c.network.hidden = vec![9]), "network.hidden");
    assert_eq!(fixed(&|c| c.env.id = "Acrobot-v1".into()), "env.id");
    assert_eq!(fixed(&|c| c.replay.capacity += 1), "replay.capacity");
    assert_eq!(fixed(&|c| c.train.seed += 1), "train.seed");
    assert!(matches!(refuse(&|c| c.train.env_steps = 699), RunError::StaysOver { .. }));
    let mut other = config.clone();
    other.optimizer.learning_rate = -1.0;
    assert!(matches!(
        Session::extend(run.clone(), &other).err().unwrap(),
        RunError::Config(ConfigError::InvalidValue { .. })
    ));
    assert_eq!(files(&dir), before);
    // As it is, it is resumed.
    let (_, resumed) = Session::extend(run.clone(), &config).unwrap();
    assert!(resumed.changed.is_none() && run.segments().unwrap().len() == 1);
}

#[test]
fn one_bit_in_a_segment_is_found_before_anything_is_trained() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    train_at_once(&dir, &short_training("notebook, 1 environments"));
    finish(extend(&dir, |config| config.train.env_steps += 50));
    let run = Run::open(&dir).unwrap();
    let path = run.segments().unwrap().pop().unwrap().path;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("env_steps = 750", "env_steps = 950")).unwrap();
    let error = Session::resume(run.clone()).err().unwrap().to_string();
    assert!(error.contains("0002-from-000000000700.toml"), "{error}");
    assert!(!verify(&run).unwrap().damage.is_empty());
}

#[test]
fn a_trainer_goes_on_with_the_settings_it_is_given() {
    let config = short_training("hard by updates, 1 environments");
    let mut trainer = Trainer::new(config.clone()).unwrap();
    while trainer.env_steps() < 300 {
        trainer.advance(&mut ()).unwrap();
    }
    let (before, updates) = (trainer.weights_blake3().unwrap(), trainer.updates());
    let mut slower = config.clone();
    slower.optimizer.learning_rate *= 0.1;
    trainer.change_config(slower.clone()).unwrap();
    assert_eq!((trainer.weights_blake3().unwrap(), trainer.updates(), trainer.config()), (before, updates, &slower));
    assert_eq!(trainer.aggregates().learning_rate, Some(slower.optimizer.learning_rate));
    let other = Config {
        network: requel::config::NetworkConfig { hidden: vec![3], ..slower.network.clone() },
        ..slower.clone()
    };
    assert!(trainer.change_config(other).is_err() && trainer.config() == &slower);
    trainer.run(&mut ()).unwrap();
}

#[test]
fn a_trainer_that_begins_anew_keeps_what_it_learned_and_counts_from_zero() {
    let config = short_training("hard by updates, 1 environments");
    let made = |steps: u64| {
        let mut trainer = Trainer::new(config.clone()).unwrap();
        while trainer.env_steps() < steps {
            trainer.advance(&mut ()).unwrap();
        }
        trainer
    };
    let mut trainer = made(300);
    let (weights, updates, began_with) =
        (trainer.weights_blake3().unwrap(), trainer.updates(), made(0).observations().to_vec());
    trainer.begin_anew(config.clone()).unwrap();
    assert_eq!((trainer.env_steps(), trainer.aggregates().episodes), (0, 0));
    assert_eq!((trainer.weights_blake3().unwrap(), trainer.updates()), (weights, updates));
    assert_ne!(trainer.observations(), began_with, "the same episode as at first");
    let shown = trainer.observations().to_vec();

    // It goes on from a checkpoint with the same bits, and begins another episode the next time too.
    trainer.advance(&mut ()).unwrap();
    let mut resumed = Trainer::new(config.clone()).unwrap();
    resumed.restore(&trainer.save().unwrap()).unwrap();
    for trainer in [&mut trainer, &mut resumed] {
        while trainer.env_steps() < 200 {
            trainer.advance(&mut ()).unwrap();
        }
        trainer.begin_anew(config.clone()).unwrap();
    }
    assert_eq!(trainer.weights_blake3().unwrap(), resumed.weights_blake3().unwrap());
    assert_eq!(trainer.observations(), resumed.observations());
    assert_ne!(trainer.observations(), shown, "the same episode as the last time");
}
