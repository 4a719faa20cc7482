//! Several environments at once: steps, intervals and budgets count env steps of all environments together.

use requel::train::Outcome;
use requel::{TrainEvent, Trainer};

use crate::support::{preset, short_training};

/// How many multiples of `every` are passed going from `before` to `after`, by counting.
fn multiples(every: u64, before: u64, after: u64) -> u64 {
    (before + 1..=after).filter(|step| step % every == 0).count() as u64
}

#[test]
fn budgets_end_with_the_step_that_reaches_them() {
    for (num_envs, env_steps, expected) in [(1, 500, 500), (3, 500, 501), (3, 501, 501), (7, 500, 504)] {
        let mut config = short_training("notebook-naive, 1 environments");
        (config.train.num_envs, config.train.env_steps) = (num_envs, env_steps);
        let outcome: Outcome = Trainer::new(config).unwrap().run(&mut ()).unwrap();
        assert_eq!(outcome.env_steps, expected);
    }
    let mut config = short_training("notebook, 3 environments");
    (config.train.env_steps, config.train.episodes) = (0, 11);
    let mut ended = 0;
    let mut trainer = Trainer::new(config).unwrap();
    let mut count = |event: &TrainEvent<'_>| {
        ended += u64::from(matches!(event, TrainEvent::EpisodeEnded { .. }));
        Ok(())
    };
    let outcome = trainer.run(&mut count).unwrap();
    assert_eq!(outcome.episodes, ended);
    assert!((11..14).contains(&ended));
}

#[test]
fn intervals_are_passed_as_often_as_they_should() {
    for (num_envs, every_steps, updates) in [(1, 4, 1), (3, 4, 1), (3, 1, 2), (5, 2, 1), (2, 256, 8)] {
        let settings = ["train.episodes=0", "train.env_steps=700", "replay.start=150", "network.hidden=[8]"];
        let mut config = preset("notebook", &[&settings[..], &["evaluation.every_episodes=0"]].concat());
        (config.train.num_envs, config.train.every_steps, config.train.updates) = (num_envs, every_steps, updates);
        (config.evaluation.every_steps, config.log.every_steps, config.evaluation.final_episodes) = (160, 101, 1);
        let mut trainer = Trainer::new(config).unwrap();
        let (mut scored, mut logged, mut learned) = (Vec::new(), Vec::new(), 0);
        let (mut expect_scored, mut expect_logged) = (Vec::new(), Vec::new());
        loop {
            let before = trainer.env_steps();
            let mut note = |event: &TrainEvent<'_>| {
                match event {
                    TrainEvent::Evaluated { env_steps, .. } => scored.push(*env_steps),
                    TrainEvent::Progress(aggregates) => logged.push(aggregates.env_steps),
                    _ => {}
                }
                Ok(())
            };
            let termination = trainer.advance(&mut note).unwrap();
            let after = trainer.env_steps();
            if before == after {
                break;
            }
            assert_eq!(after, before + num_envs as u64);
            // The buffer has one transition per env step until it is full.
            if after > 150 {
                learned += multiples(every_steps, before, after) * updates;
            }
            assert_eq!(trainer.updates(), learned);
            expect_scored.extend((multiples(160, before, after) > 0).then_some(after));
            expect_logged.extend((multiples(101, before, after) > 0).then_some(after));
            if termination.is_some() {
                break;
            }
        }
        assert_eq!((scored, logged), (expect_scored, expect_logged));
    }
}

#[test]
fn a_naive_agent_learns_from_each_transition_once() {
    // However many environments there are, one update per step of theirs, whose batch is what they brought.
    for num_envs in [1, 3] {
        let settings = [format!("train.num_envs={num_envs}"), "train.episodes=0".into(), "train.env_steps=90".into()];
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let mut trainer = Trainer::new(preset("notebook-naive", &settings)).unwrap();
        let outcome = trainer.run(&mut ()).unwrap();
        assert_eq!(outcome.updates, 90 / num_envs);
    }
}

#[test]
fn the_target_follows_at_the_env_steps_that_are_named() {
    for num_envs in [1, 3] {
        let settings = [
            "target.kind=hard",
            "target.every_updates=0",
            "target.every_env_steps=50",
            "train.episodes=0",
            "train.env_steps=600",
        ];
        let mut config = preset("notebook", &[&settings[..], &["evaluation.every_episodes=0"]].concat());
        config.train.num_envs = num_envs;
        let mut trainer = Trainer::new(config).unwrap();
        let network = |trainer: &Trainer, which: &str| {
            let state = trainer.save().unwrap();
            let of = |name: &&String| name.starts_with(&format!("network/{which}."));
            state
                .tensors
                .keys()
                .filter(of)
                .map(|name| state.tensors[name].bytes.contiguous().into_owned())
                .collect::<Vec<_>>()
        };
        let mut followed = 0;
        while trainer.env_steps() < 600 {
            let before = trainer.env_steps();
            let (online, target) = (network(&trainer, "online"), network(&trainer, "target"));
            trainer.advance(&mut ()).unwrap();
            // It follows what was learned before the step, then the step's own learning comes.
            let due = multiples(50, before, trainer.env_steps()) > 0;
            assert_eq!(network(&trainer, "target"), if due { online.clone() } else { target.clone() });
            followed += u64::from(online != target && due);
        }
        assert!(followed >= 7, "{followed}");
    }
}

#[test]
fn every_environment_explores_for_itself() {
    let mut config = short_training("notebook, 3 environments");
    config.exploration.start = 1.0;
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new(); 3];
    let mut trainer = Trainer::new(config).unwrap();
    struct Actions<'a>(&'a mut Vec<Vec<usize>>);
    impl requel::Observer for Actions<'_> {
        fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), requel::train::ObserverError> {
            if let TrainEvent::Stepped { actions, .. } = event {
                actions.iter().zip(&mut *self.0).for_each(|(action, chosen)| chosen.push(*action));
            }
            Ok(())
        }
        fn wants_steps(&self) -> bool {
            true
        }
    }
    (0..100).for_each(|_| assert_eq!(trainer.advance(&mut Actions(&mut chosen)).unwrap(), None));
    assert!(chosen[0] != chosen[1] && chosen[1] != chosen[2] && chosen[0] != chosen[2]);
}
