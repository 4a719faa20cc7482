//! What goes wrong is said, with the place, and loses nothing that was on disk.

use std::path::Path;

use requel::agent::AgentError;
use requel::config::Config;
use requel::replay::ReplayError;
use requel::run::{Control, Ending, Run, RunError, Session};
use requel::train::{EnvFactory, Observer, TrainError};
use requel::{TrainEvent, Trainer};
use requel_envs::{EnvError, Step, make};

use crate::altered::{Alteration, Altered};
use crate::support::{files, preset, short_training};

/// What is wrong with an environment.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    NanObservation,
    InfiniteReward,
    /// Finite in double precision alone.
    HugeReward,
    /// In the observation of a reset, which only comes after the end of an episode.
    NanReset,
    Refusal,
}

/// A fault after so many steps of an environment's life.
struct Faulty {
    fault: Fault,
    after: u32,
}

impl Alteration for Faulty {
    fn reset(&mut self, life: u32, observation: &mut [f32]) {
        if self.fault == Fault::NanReset && life >= self.after {
            observation[3] = f32::NAN;
        }
    }
    fn step(&mut self, life: u32, step: &mut Step, observation: &mut [f32]) -> Result<(), EnvError> {
        match self.fault {
            _ if life < self.after => {}
            Fault::NanObservation => observation[1] = f32::NAN,
            Fault::InfiniteReward => step.reward = f64::NEG_INFINITY,
            Fault::HugeReward => step.reward = 1e39,
            Fault::Refusal => return Err(EnvError::Other("the robot's cable is out".into())),
            Fault::None | Fault::NanReset => {}
        }
        Ok(())
    }
}

/// Environments of which the one with number `env`, in the order in which they are made, has the fault.
fn faulty(fault: Fault, env: usize, after: u32) -> EnvFactory {
    let made = std::sync::atomic::AtomicUsize::new(0);
    Box::new(move || {
        let number = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let fault = if number == env { fault } else { Fault::None };
        Ok(Box::new(Altered::new(make("CartPole-v1")?, Faulty { fault, after })))
    })
}

fn trainer(num_envs: usize, fault: Fault, env: usize) -> Trainer {
    let config = short_training(&format!("notebook, {num_envs} environments"));
    Trainer::with_envs(config, faulty(fault, env, 100)).unwrap()
}

#[test]
fn numbers_that_are_not_finite_are_refused_where_they_come_in() {
    let sites = [
        (Fault::NanObservation, "observation"),
        (Fault::InfiniteReward, "reward"),
        (Fault::HugeReward, "reward"),
        (Fault::NanReset, "observation"),
    ];
    for num_envs in [1, 3] {
        for (fault, expected) in sites {
            let faulty_env = num_envs - 1;
            let error = trainer(num_envs, fault, faulty_env).run(&mut ()).unwrap_err();
            let TrainError::NotFinite { site, value, env_steps, env, action } = error else {
                panic!("{fault:?}: {error}")
            };
            assert_eq!((site, env), (expected, Some(faulty_env)), "{fault:?}");
            assert!(action.is_some_and(|action| action < 2), "{fault:?}: {action:?}");
            assert_eq!(value.is_nan(), expected == "observation", "{fault:?}: {value}");
            if fault == Fault::NanReset {
                // With the first end of an episode from the environment's hundredth step on.
                assert!(env_steps >= 99 * num_envs as u64 && env_steps.is_multiple_of(num_envs as u64));
            } else {
                // The environment's hundredth step was made after 99 of each environment.
                assert_eq!(env_steps, 99 * num_envs as u64, "{fault:?}");
            }
        }
    }
    let text = trainer(3, Fault::NanObservation, 1).run(&mut ()).unwrap_err().to_string();
    assert!(text.starts_with("observation is NaN at env step 297 in environment 1 after action "), "{text}");
}

#[test]
fn a_score_that_is_not_finite_is_refused() {
    // The first environment trains, the second one is the first of those for evaluations.
    let config = short_training("notebook, 1 environments");
    let mut trainer = Trainer::with_envs(config, faulty(Fault::InfiniteReward, 1, 5)).unwrap();
    let error = trainer.run(&mut ()).unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::NotFinite {
                site: "reward in evaluation",
                value: f64::NEG_INFINITY,
                env_steps: 4,
                env: Some(0),
                action: Some(_)
            }
        ),
        "{error}"
    );
}

#[test]
fn an_observation_that_is_not_finite_is_refused_in_evaluations_too() {
    for (fault, steps) in [(Fault::NanObservation, 6), (Fault::NanReset, 0)] {
        let config = short_training("notebook, 1 environments");
        let mut trainer = Trainer::with_envs(config, faulty(fault, 1, 7)).unwrap();
        let error = trainer.run(&mut ()).unwrap_err();
        let TrainError::NotFinite { site: "observation in evaluation", value, env_steps, env, action } = error else {
            panic!("{fault:?}: {error}")
        };
        assert!(value.is_nan() && env_steps == steps && env.is_some(), "{fault:?}: {env_steps} {env:?}");
        assert_eq!(action.is_some(), fault == Fault::NanObservation);
    }
}

#[test]
fn a_training_that_diverges_is_stopped() {
    let settings =
        ["optimizer.kind=rmsprop", "optimizer.learning_rate=1e30", "train.episodes=0", "train.env_steps=2000"];
    let mut trainer = Trainer::new(preset("notebook", &settings)).unwrap();
    let error = trainer.run(&mut ()).unwrap_err();
    assert!(
        matches!(error, TrainError::NotFinite { site: "loss" | "mean q", env_steps: 200.., env: None, .. }),
        "{error}"
    );
}

#[test]
fn an_environment_that_fails_says_so() {
    let error = trainer(3, Fault::Refusal, 2).run(&mut ()).unwrap_err();
    assert!(matches!(&error, TrainError::Env(EnvError::Other(_))), "{error}");
    assert_eq!(error.to_string(), "the robot's cable is out");
    let none: EnvFactory = Box::new(|| Err(EnvError::Other("no port".into())));
    assert!(matches!(Trainer::with_envs(Config::default(), none), Err(TrainError::Env(_))));
    let mut config = Config::default();
    config.env.id = "CartPoel-v1".into();
    let error = Trainer::new(config.clone()).err().unwrap();
    assert!(matches!(error, TrainError::Env(EnvError::UnknownId { suggestion: Some(_), .. })), "{error}");
    config.env.id = "Pendulum-v1".into();
    let error = Trainer::new(config).err().unwrap();
    assert!(matches!(error, TrainError::Agent(AgentError::ContinuousActions { .. })), "{error}");
    assert!(error.to_string().contains("Pendulum-v1") && error.to_string().contains("discretize"), "{error}");
}

#[test]
fn a_run_whose_environment_failed_goes_on_with_the_same_bytes() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let healthy = || Trainer::with_envs(config.clone(), faulty(Fault::None, 0, 0)).unwrap();
    let whole = root.path().join("whole");
    let session = Session::create(&whole, healthy()).unwrap();
    session.train(&mut (), &Control::new()).unwrap();
    for (fault, after) in
        [(Fault::NanObservation, 300), (Fault::Refusal, 128), (Fault::NanReset, 500), (Fault::Refusal, 5)]
    {
        let dir = root.path().join(format!("{fault:?} {after}"));
        let broken = Trainer::with_envs(config.clone(), faulty(fault, 0, after)).unwrap();
        let session = Session::create(&dir, broken).unwrap();
        assert!(matches!(session.train(&mut (), &Control::new()), Err(RunError::Train(_))));
        let (session, resumed) = Session::resume_with(Run::open(&dir).unwrap(), healthy()).unwrap();
        // From the last checkpoint before the fault; none before the first.
        assert!(resumed.env_steps.is_multiple_of(127) && resumed.env_steps + 300 > u64::from(after));
        assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
        let same = |dir: &Path| {
            let mut files = files(dir);
            files.retain(|name, _| {
                !name.starts_with("tensorboard")
                    && name != "timing.csv"
                    && name != "provenance.json"
                    && name != "checksums.blake3"
                    && !name.contains("/manifest.")
            });
            files
        };
        assert!(same(&dir) == same(&whole), "{fault:?} after {after}");
    }
}

#[test]
fn a_buffer_that_does_not_fit_is_refused_with_figures() {
    let mut config = Config::default();
    config.replay.capacity = 4_000_000_000;
    let error = Trainer::new(config.clone()).err().unwrap();
    let TrainError::Agent(AgentError::Replay(ReplayError::OutOfMemory { capacity, needed, available, largest })) =
        error
    else {
        panic!("{error}")
    };
    // Action, reward, discount and two observations of four numbers, each 4 bytes.
    assert_eq!((capacity, needed), (4_000_000_000, 4_000_000_000 * 44));
    assert!(available < needed && largest as u64 == available / 44);
    config.replay.capacity = 5_000_000_000;
    let error = Trainer::new(config).err().unwrap();
    assert!(matches!(error, TrainError::Agent(AgentError::Replay(ReplayError::TooLarge { .. }))), "{error}");
}

#[test]
fn a_network_or_batch_that_does_not_fit_is_refused_with_figures() {
    // A million million weights, five times four bytes each.
    let mut config = Config::default();
    config.network.hidden = vec![1_000_000, 1_000_000];
    let error = Trainer::new(config.clone()).err().unwrap();
    let TrainError::Agent(AgentError::OutOfMemory { needed, available }) = error else { panic!("{error}") };
    assert!(needed > 20_000_000_000_000 && available < needed, "{needed} {available}");
    config.network.hidden = vec![64, 64];
    config.replay.replacement = true;
    for rows in [1 << 40, i64::MAX as usize] {
        config.replay.batch_size = rows;
        let error = Trainer::new(config.clone()).err().unwrap();
        assert!(matches!(error, TrainError::Agent(AgentError::OutOfMemory { .. })), "{error}");
    }
    config.network.hidden = vec![usize::MAX / 8, 64];
    let error = Trainer::new(config).err().unwrap();
    assert!(matches!(error, TrainError::Agent(AgentError::Network(_))), "{error}");
}

#[test]
fn a_config_from_code_is_checked_like_one_from_text() {
    let wrong: [fn(&mut Config); 6] = [
        |c| c.train.every_steps = 0,
        |c| c.log.every_steps = 0,
        |c| c.replay.batch_size = 0,
        |c| c.train.num_envs = 0,
        |c| c.optimizer.learning_rate = f64::NAN,
        |c| c.train.seed = u64::MAX,
    ];
    for change in wrong {
        let mut config = Config::default();
        change(&mut config);
        let error = Trainer::new(config).err().unwrap();
        assert!(matches!(error, TrainError::Config(_)), "{error}");
    }
}

#[test]
fn an_observer_that_fails_stops_training() {
    struct Full(u64);
    impl Observer for Full {
        fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), requel::train::ObserverError> {
            match event {
                TrainEvent::EpisodeEnded { episode, .. } if episode.index == self.0 => Err("disk full".into()),
                _ => Ok(()),
            }
        }
    }
    let mut trainer = Trainer::new(short_training("notebook, 1 environments")).unwrap();
    let error = trainer.run(&mut Full(3)).unwrap_err();
    assert!(matches!(error, TrainError::Observer(_)) && error.to_string().contains("disk full"), "{error}");
    // The first of two that fails is heard, and the second no more.
    let mut heard = 0;
    let mut count = |_: &TrainEvent<'_>| {
        heard += 1;
        Ok(())
    };
    let mut trainer = Trainer::new(short_training("notebook-naive, 1 environments")).unwrap();
    trainer.run(&mut (&mut Full(0), &mut count)).unwrap_err();
    assert_eq!(heard, 0);
}
