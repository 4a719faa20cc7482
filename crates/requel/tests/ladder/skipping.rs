//! `train.on_nan = "skip"`: what is not finite costs its step, is counted, and nothing is learned across the hole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use requel::config::{Config, OnNan};
use requel::run::{Control, Ending, Run, Session};
use requel::train::{EnvFactory, Observer, ObserverError, TrainError};
use requel::{TrainEvent, Trainer};
use requel_envs::{Action, DType, Env, EnvError, EnvSpec, Space, StateReader, StateWriter, Step, make};

use crate::altered::{Alteration, Altered};
use crate::support::{Draws, preset, stored};

/// Shows the number of its episode and of the step in it; at times one of its numbers is not finite.
struct Clock {
    spec: EnvSpec,
    observations: Space,
    actions: Space,
    episode: u32,
    step: u32,
    /// Steps in all.
    life: u32,
    sound: bool,
    /// How many numbers that are not finite were given.
    given: Arc<AtomicU64>,
}

/// Env steps of an episode.
const LENGTH: u32 = 9;

impl Clock {
    fn show(&self, observation: &mut [f32], spoilt: bool) {
        observation.copy_from_slice(&[self.episode as f32, self.step as f32]);
        if spoilt {
            observation[1] = f32::NAN;
            self.given.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Env for Clock {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }
    fn observation_space(&self) -> &Space {
        &self.observations
    }
    fn action_space(&self) -> &Space {
        &self.actions
    }
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.episode = if seed.is_some() { 0 } else { self.episode + 1 };
        self.step = 0;
        self.show(observation, !self.sound && seed.is_none() && self.episode.is_multiple_of(7));
        Ok(())
    }
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        action.discrete(2)?;
        self.life += 1;
        self.step += 1;
        self.show(observation, !self.sound && self.life % 37 == 5);
        let mut step = Step { reward: 1.0, terminated: self.step == LENGTH, truncated: false };
        if !self.sound && self.life % 41 == 7 {
            step.reward = f64::NEG_INFINITY;
            self.given.fetch_add(1, Ordering::Relaxed);
        }
        Ok(step)
    }
    fn save(&self) -> Result<Vec<u8>, EnvError> {
        let mut writer = StateWriter::new();
        [self.episode, self.step, self.life].into_iter().for_each(|number| writer.u32(number));
        Ok(writer.into_bytes())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: requel_envs::StateError| EnvError::InvalidState { id: "Clock".into(), reason: e.0 };
        let mut reader = StateReader::new(state);
        for number in [&mut self.episode, &mut self.step, &mut self.life] {
            *number = reader.u32().map_err(invalid)?;
        }
        Ok(())
    }
}

/// Environments of which the first `num_envs`, those of training, are unsound.
fn clocks(num_envs: usize, given: &Arc<AtomicU64>) -> EnvFactory {
    let (made, given) = (AtomicUsize::new(0), Arc::clone(given));
    Box::new(move || {
        Ok(Box::new(Clock {
            spec: EnvSpec { frames_per_second: 1.0, ..EnvSpec::new("Clock") },
            observations: Space::Box { low: vec![0.0; 2], high: vec![1e6; 2], shape: vec![2], dtype: DType::F32 },
            actions: Space::Discrete { n: 2 },
            episode: 0,
            step: 0,
            life: 0,
            sound: made.fetch_add(1, Ordering::Relaxed) >= num_envs,
            given: Arc::clone(&given),
        }))
    })
}

fn config(name: &str, num_envs: usize, settings: &[&str]) -> Config {
    let envs = format!("train.num_envs={num_envs}");
    let common = [
        "train.episodes=0",
        "train.env_steps=600",
        "train.on_nan=skip",
        "network.hidden=[8]",
        "evaluation.every_steps=0",
        "evaluation.every_episodes=0",
        "evaluation.final_episodes=1",
        "evaluation.max_episode_steps=50",
        "log.every_steps=50",
        "checkpoint.every_steps=70",
        &envs,
    ];
    preset(name, &[&common, settings].concat())
}

fn trainings() -> Vec<(&'static str, Config)> {
    let off_policy = ["replay.start=40", "replay.batch_size=8", "train.every_steps=4", "replay.capacity=2000"];
    let three = [&off_policy[..], &["agent.n_step=3"]].concat();
    let pqn = ["pqn.rollout_steps=4", "pqn.minibatches=2"];
    vec![
        ("dqn", config("notebook", 1, &off_policy)),
        ("dqn, three environments", config("notebook", 3, &off_policy)),
        ("three steps", config("notebook", 1, &three)),
        ("rainbow, three environments", config("rainbow", 3, &three)),
        ("naive", config("notebook-naive", 1, &[])),
        ("naive, three environments", config("notebook-naive", 3, &[])),
        ("pqn, three environments", config("pqn", 3, &pqn)),
    ]
}

/// Listens for what is dropped.
#[derive(Default)]
struct Heard {
    skipped: Vec<(u64, &'static str, usize)>,
    episodes: u64,
}

impl Observer for Heard {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        match event {
            TrainEvent::Skipped { env_steps, site, value, env, skipped, .. } => {
                assert!(!value.is_finite());
                self.skipped.push((*env_steps, site, *env));
                assert_eq!(*skipped, self.skipped.len() as u64);
            }
            TrainEvent::EpisodeEnded { episode, .. } => {
                assert_eq!((episode.length, episode.return_), (LENGTH.into(), LENGTH.into()), "an episode with a hole");
                self.episodes += 1;
            }
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn every_bad_number_is_counted_and_training_goes_on() {
    for (name, config) in trainings() {
        let given = Arc::new(AtomicU64::new(0));
        let mut trainer = Trainer::with_envs(config.clone(), clocks(config.train.num_envs, &given)).unwrap();
        let mut heard = Heard::default();
        let outcome = trainer.run(&mut heard).unwrap();
        assert_eq!(outcome.env_steps, 600, "{name}");
        assert!(heard.skipped.len() > 20, "{name}: {:?}", heard.skipped);
        // One step may have a bad observation and a bad reward: it is dropped once.
        let given = given.load(Ordering::Relaxed);
        assert!(outcome.skipped == heard.skipped.len() as u64 && given - outcome.skipped < 3, "{name}: {given}");
        assert!(outcome.updates > 0 && outcome.episodes == heard.episodes && heard.episodes > 20, "{name}");
        for site in ["observation", "reward"] {
            assert!(heard.skipped.iter().any(|skipped| skipped.1 == site), "{name}: {site}");
        }
    }
}

#[test]
fn no_transition_spans_a_hole() {
    for (name, config) in trainings().into_iter().filter(|(name, _)| !name.starts_with("pqn")) {
        let given = Arc::default();
        let mut trainer = Trainer::with_envs(config.clone(), clocks(config.train.num_envs, &given)).unwrap();
        let mut heard = Heard::default();
        trainer.run(&mut heard).unwrap();
        let all = stored(&trainer);
        for transition in &all {
            let ([episode, step], [next_episode, next_step]) =
                (&transition.observation[..], &transition.next_observation[..])
            else {
                panic!("{transition:?}")
            };
            let steps = next_step - step;
            assert_eq!(episode, next_episode, "{name}: {transition:?}");
            assert!(steps >= 1.0 && steps <= config.agent.n_step as f32, "{name}: {transition:?}");
            // Every reward is 1: what it adds up to says how many steps it is of.
            let gamma = config.agent.gamma as f32;
            let expected: f32 = (0..steps as i32).map(|k| gamma.powi(k)).sum();
            assert!((transition.reward - expected).abs() < 1e-5, "{name}: {transition:?}");
        }
        if config.agent.n_step == 1 && !name.starts_with("naive") {
            // Of those that were dropped some are first observations, which are no transitions.
            let starts = 600 - all.len();
            let most = heard.skipped.len();
            assert!(starts <= most && starts + 20 > most, "{name}: {starts} of {most}");
        }
    }
}

#[test]
fn what_was_skipped_is_part_of_the_state() {
    let mut draws = Draws(23);
    for (name, config) in trainings() {
        let given = Arc::default();
        let fresh = || Trainer::with_envs(config.clone(), clocks(config.train.num_envs, &given)).unwrap();
        let mut undisturbed = fresh();
        let outcome = undisturbed.run(&mut ()).unwrap();
        let mut trainer = fresh();
        let termination = loop {
            let mut next = fresh();
            next.restore(&trainer.save().unwrap()).unwrap();
            trainer = next;
            let gap = 1 + draws.below(30);
            if let Some(termination) = (0..gap).find_map(|_| trainer.advance(&mut ()).unwrap()) {
                break termination;
            }
        };
        assert_eq!(trainer.finish(termination, &mut ()).unwrap(), outcome, "{name}");
        assert_eq!(trainer.save().unwrap(), undisturbed.save().unwrap(), "{name}");
    }
}

#[test]
fn without_it_training_stops_and_an_environment_of_nothing_else_stops_it_too() {
    let given = Arc::default();
    let mut stopping = config("notebook", 1, &["replay.start=40"]);
    stopping.train.on_nan = OnNan::Stop;
    let error = Trainer::with_envs(stopping, clocks(1, &given)).unwrap().run(&mut ()).unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { site: "observation", env_steps: 4, .. }), "{error}");

    /// Shows nothing but infinity.
    struct Broken;
    impl Alteration for Broken {
        fn step(&mut self, _: u32, _: &mut Step, observation: &mut [f32]) -> Result<(), EnvError> {
            observation.fill(f32::INFINITY);
            Ok(())
        }
    }
    // Its episodes never end, so that a budget of episodes would never be used up.
    let mut endless = config("notebook", 1, &["replay.start=40"]);
    (endless.train.env_steps, endless.train.episodes) = (0, 5);
    let factory: EnvFactory = Box::new(|| Ok(Box::new(Altered::new(make("CartPole-v1")?, Broken))));
    let error = Trainer::with_envs(endless, factory).unwrap().run(&mut ()).unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { site: "observation", env_steps: 1000, .. }), "{error}");
}

#[test]
fn the_log_and_the_summary_of_a_run_tell_it() {
    let given = Arc::default();
    let config = config("notebook", 1, &["replay.start=40"]);
    let dir = tempfile::tempdir().unwrap();
    let trainer = Trainer::with_envs(config, clocks(1, &given)).unwrap();
    let run = Run::create(&dir.path().join("run"), trainer.config()).unwrap();
    let ending = Session::begin_with(run.clone(), trainer).unwrap().train(&mut (), &Control::new()).unwrap();
    let Ending::Finished { summary, .. } = ending else { panic!("{ending:?}") };
    let metrics = std::fs::read_to_string(run.dir().join("metrics.jsonl")).unwrap();
    let lines = metrics.lines().filter(|line| line.starts_with("{\"event\":\"skipped\""));
    assert_eq!((lines.count() as u64, run.summary().unwrap().unwrap().skipped), (summary.skipped, summary.skipped));
    assert!(metrics.contains("\"value\":\"NaN\"") && metrics.contains("\"value\":\"-inf\""));
}
