//! A trainer that is handed over in mid-training, again and again, ends where the undisturbed one ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use requel::config::presets;
use requel::train::TrainError;
use requel::{TrainEvent, Trainer};

use crate::support::{Draws, Notes, preset, short_training, short_trainings};

#[test]
fn a_training_handed_over_at_random_steps_goes_on_with_the_same_bits() {
    let mut draws = Draws(7);
    for (name, config) in short_trainings() {
        let mut undisturbed = Trainer::new(config.clone()).unwrap();
        let mut expected = Notes { with_steps: true, ..Notes::default() };
        let outcome = undisturbed.run(&mut expected).unwrap();

        let mut notes = Notes { with_steps: true, ..Notes::default() };
        let mut trainer = Trainer::new(config.clone()).unwrap();
        let termination = loop {
            let mut next = Trainer::new(config.clone()).unwrap();
            next.restore(&trainer.save().unwrap()).unwrap();
            assert_eq!(next.save().unwrap(), trainer.save().unwrap(), "{name}");
            trainer = next;
            // From a step or two to half a hundred.
            let gap = 1 + draws.below(50);
            let ended = (0..gap).find_map(|_| trainer.advance(&mut notes).unwrap());
            if let Some(termination) = ended {
                break termination;
            }
        };
        assert_eq!(trainer.finish(termination, &mut notes).unwrap(), outcome, "{name}");
        assert_eq!(trainer.save().unwrap(), undisturbed.save().unwrap(), "{name}");
        assert_eq!(notes.lines, expected.lines, "{name}");
    }
}

/// The presets as they are, only shorter.
#[test]
fn presets_of_full_size_are_handed_over_too() {
    for name in presets::with_envs().map(|preset| preset.name) {
        // Past the step at which learning starts.
        let env_steps = match name {
            _ if name.starts_with("minatar-") => continue,
            "notebook-naive" => 200,
            "pqn" => 1600,
            _ => 0,
        };
        let mut config = preset(name, &["train.episodes=0", "train.env_steps=1", "evaluation.final_episodes=2"]);
        let env_steps = env_steps.max(config.replay.start as u64 + config.train.every_steps + 120);
        (config.train.env_steps, config.log.every_steps) = (env_steps, 97);
        let mut undisturbed = Trainer::new(config.clone()).unwrap();
        let outcome = undisturbed.run(&mut ()).unwrap();
        assert!(outcome.updates > 0, "{name} learned nothing in {env_steps} env steps");
        let mut first = Trainer::new(config.clone()).unwrap();
        while first.env_steps() < env_steps * 9 / 10 {
            first.advance(&mut ()).unwrap();
        }
        let mut second = Trainer::new(config).unwrap();
        second.restore(&first.save().unwrap()).unwrap();
        drop(first);
        assert_eq!(second.run(&mut ()).unwrap(), outcome, "{name}");
        assert_eq!(second.save().unwrap(), undisturbed.save().unwrap(), "{name}");
    }
}

#[test]
fn a_state_of_another_config_is_refused() {
    let trainings = short_trainings();
    let config = |name: &str| trainings.iter().find(|(other, _)| other == name).unwrap().1.clone();
    let from = |name: &str| {
        let mut trainer = Trainer::new(config(name)).unwrap();
        (0..100).for_each(|_| assert_eq!(trainer.advance(&mut ()).unwrap(), None));
        trainer
    };
    let mut wider = config("notebook, 1 environments");
    wider.network.hidden = vec![13, 8];
    let mut smaller = config("notebook, 1 environments");
    smaller.replay.capacity = 500;
    let plain = from("notebook, 1 environments");
    let cases = [
        (wider, "network/online.layers.0.weight"),
        (smaller, "replay/capacity"),
        (config("notebook, 3 environments"), "agent/exploration_positions"),
        (config("hard by updates, 1 environments"), "network/target.layers.0.weight"),
        (config("rmsprop, 1 environments"), "optimizer/velocity"),
    ];
    for (config, name) in cases {
        let error = Trainer::new(config).unwrap().restore(&plain.save().unwrap()).unwrap_err();
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
}

#[test]
fn an_evaluation_that_was_given_up_is_made_by_who_takes_over() {
    let config = short_training("notebook, 1 environments");
    let expected = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap();
    let handed_over = |trainer: &Trainer| {
        let mut next = Trainer::new(config.clone()).unwrap();
        next.restore(&trainer.save().unwrap()).unwrap();
        next
    };
    let mut trainer = Trainer::new(config.clone()).unwrap();
    let mut given_up = Vec::new();
    let termination = loop {
        // Each is given up twice: at once, and after some steps.
        let left = AtomicU64::new(if given_up.len() % 3 == 0 { 0 } else { 7 });
        let count = given_up.len();
        trainer.give_up_evaluations_when(Arc::new(move || count % 3 < 2 && left.fetch_sub(1, Ordering::Relaxed) == 0));
        let at = trainer.env_steps();
        match trainer.advance(&mut ()) {
            Ok(Some(termination)) => break termination,
            // The evaluation that was owed was made.
            Ok(None) if trainer.env_steps() == at => given_up.push(at),
            Ok(None) => {}
            Err(TrainError::Interrupted) => {
                given_up.push(trainer.env_steps());
                trainer = handed_over(&trainer);
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert!(given_up.len() > 6 && given_up[0] == given_up[2], "{given_up:?}");
    // So are those after the end.
    trainer.give_up_evaluations_when(Arc::new(|| true));
    assert!(matches!(trainer.finish(termination, &mut ()), Err(TrainError::Interrupted)));
    let outcome = handed_over(&trainer).run(&mut ()).unwrap();
    assert!(outcome == expected, "another outcome after evaluations that were given up, at {given_up:?}");
}

/// Where aggregates and an evaluation are due at the same step, the aggregates hold its score, whoever makes it.
#[test]
fn aggregates_wait_for_an_evaluation_that_was_given_up() {
    let mut config = short_training("notebook, 1 environments");
    (config.log.every_steps, config.evaluation.every_steps) = (50, 100);
    let mut expected = Vec::new();
    let mut write_down = |event: &TrainEvent<'_>| {
        expected.extend(told(event));
        Ok(())
    };
    Trainer::new(config.clone()).unwrap().run(&mut write_down).unwrap();

    let (mut trainer, mut heard, mut given_up) = (Trainer::new(config.clone()).unwrap(), Vec::new(), 0);
    let termination = loop {
        let gives_up = given_up % 2 == 0;
        trainer.give_up_evaluations_when(Arc::new(move || gives_up));
        let mut write_down = |event: &TrainEvent<'_>| {
            heard.extend(told(event));
            Ok(())
        };
        let at = trainer.env_steps();
        match trainer.advance(&mut write_down) {
            Ok(Some(termination)) => break termination,
            Ok(None) => given_up += u32::from(trainer.env_steps() == at),
            Err(TrainError::Interrupted) => {
                given_up += 1;
                let mut next = Trainer::new(config.clone()).unwrap();
                next.restore(&trainer.save().unwrap()).unwrap();
                trainer = next;
            }
            Err(error) => panic!("{error}"),
        }
    };
    let mut write_down = |event: &TrainEvent<'_>| {
        heard.extend(told(event));
        Ok(())
    };
    trainer.finish(termination, &mut write_down).unwrap();
    assert!(given_up > 6, "{given_up}");
    assert_eq!(heard, expected);
}

fn told(event: &TrainEvent<'_>) -> Option<String> {
    match event {
        TrainEvent::Progress(aggregates) => Some(format!("{aggregates:?}")),
        TrainEvent::Evaluated { env_steps, evaluation, .. } => {
            Some(format!("{env_steps}: {}", evaluation.mean_return()))
        }
        _ => None,
    }
}
