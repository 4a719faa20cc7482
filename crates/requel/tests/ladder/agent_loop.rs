//! Trainings that their owner drives: the same weights as the trainer's, from environments of the owner's and from a data set.

use requel::agent::{Actions, Agent, AgentError, DeviceFault, Learned, Masks, Policy};
use requel::config::Config;
use requel::state::{State, StateError};
use requel::train::{AgentEnv, AgentLoop, Evaluator, TrainError};
use requel::{Experience, ExperienceBatch, OwnedExperience, Registry, TrainEvent, Trainer};
use requel_envs::{Step, VectorEnv, make};

use crate::support::{preset, short_training};

/// The environments of a config, and what drives an agent of it.
struct Driven {
    envs: VectorEnv,
    agent: AgentLoop,
    observations: Vec<f32>,
    masks: Vec<bool>,
    /// What was shown to the agent, by the weights that acted.
    shown: Vec<ExperienceBatch>,
}

fn agent_loop(config: &Config, envs: &VectorEnv) -> AgentLoop {
    let count = envs.action_space().discrete_n().unwrap();
    let actions = Actions { count, masked: envs.action_mask(0).is_some() };
    let env = AgentEnv { spec: envs.spec(), observations: envs.observation_space(), actions };
    AgentLoop::new(Registry::built_in().agent(config, &env).unwrap(), &env, config.clone()).unwrap()
}

impl Driven {
    fn new(config: &Config) -> Self {
        let make = |_| requel::train::for_network(make(&config.env.id).unwrap()).unwrap();
        let mut envs = VectorEnv::new((0..config.train.num_envs).map(make).collect()).unwrap();
        let mut observations = vec![0.0; envs.len() * envs.observation_len()];
        let seed = agent_loop(config, &envs).env_seed();
        envs.reset(seed, &mut observations).unwrap();
        let agent = agent_loop(config, &envs);
        Driven { envs, agent, observations, masks: Vec::new(), shown: Vec::new() }
    }

    /// One step of each environment, and the learning that is due after it.
    fn step(&mut self, observer: &mut dyn requel::Observer) -> Result<(), TrainError> {
        let (slots, len) = (self.envs.len(), self.envs.observation_len());
        let count = self.envs.action_space().discrete_n().unwrap();
        self.masks.clear();
        (0..slots).for_each(|slot| self.masks.extend_from_slice(self.envs.action_mask(slot).unwrap_or_default()));
        let masks = Masks::new(&self.masks, count);
        let mut actions = vec![0; slots];
        self.agent.act(&self.observations, masks, &mut actions)?;
        let (mut steps, mut next, mut following) =
            (vec![Step::default(); slots], self.observations.clone(), self.observations.clone());
        self.envs.step(&actions, &mut steps, &mut next, &mut following)?;
        let weights_version = self.agent.weights_version();
        let mut batch = ExperienceBatch { weights_version, experiences: Vec::new() };
        for slot in 0..slots {
            let row = slot * len..(slot + 1) * len;
            let experience = Experience {
                slot,
                observation: &self.observations[row.clone()],
                mask: masks.row(slot),
                action: actions[slot],
                step: steps[slot],
                next_observation: &next[row],
                next_mask: self.envs.next_action_mask(slot),
            };
            self.agent.observe(&experience, observer)?;
            batch.experiences.push(OwnedExperience::from(experience));
        }
        self.shown.push(batch);
        self.observations = following;
        self.agent.learn(observer)?;
        Ok(())
    }
}

fn weights(agent: &AgentLoop) -> Vec<f32> {
    agent.policy(1).unwrap().parameters().to_vec()
}

/// Of each kind of agent, with masks and with scaled rewards, and the episodes and numbers that are told.
#[test]
fn a_training_driven_by_hand_comes_to_the_weights_of_the_trainers() {
    for name in ["cartpole, 1 environments", "rainbow, 3 environments", "pqn, masks", "notebook-naive, 3 environments"]
    {
        let mut config = short_training(name);
        (config.agent.reward_scale, config.agent.reward_clip) = (0.5, 0.4);
        let listen = |told: &mut Vec<String>, event: &TrainEvent<'_>| match event {
            // A trainer counts the steps of all environments before it tells of episodes, a loop those that it was shown.
            TrainEvent::EpisodeEnded { episode, .. } => told.push(format!("{episode:?}")),
            TrainEvent::Progress(numbers) => {
                // The owner makes no evaluations here.
                let numbers =
                    requel::train::Aggregates { evaluation_return: None, evaluation_length: None, ..*numbers };
                told.push(format!("{numbers:?}"));
            }
            _ => {}
        };
        let (mut told, mut told_by_hand) = (Vec::new(), Vec::new());
        let mut trainer = Trainer::new(config.clone()).unwrap();
        let mut driven = Driven::new(&config);
        for _ in 0..400 / config.train.num_envs {
            let mut observer = |event: &TrainEvent<'_>| {
                listen(&mut told, event);
                Ok(())
            };
            trainer.advance(&mut observer).unwrap();
            let mut observer = |event: &TrainEvent<'_>| {
                listen(&mut told_by_hand, event);
                Ok(())
            };
            driven.step(&mut observer).unwrap();
        }
        assert!(trainer.updates() > 0 && !told.is_empty(), "{name}");
        assert_eq!(driven.agent.weights_version(), trainer.updates(), "{name}");
        assert_eq!(weights(&driven.agent), trainer.agent().policy(1).unwrap().parameters(), "{name}");
        assert_eq!(told_by_hand, told, "{name}");
        // A trainer's state can be taken over, and one's own.
        let mut other = agent_loop(&config, &driven.envs);
        other.restore(&trainer.save().unwrap()).unwrap();
        assert_eq!((weights(&other), other.env_steps()), (weights(&driven.agent), trainer.env_steps()), "{name}");
        let mut other = agent_loop(&config, &driven.envs);
        other.restore(&driven.agent.save().unwrap()).unwrap();
        assert_eq!(other.aggregates(), driven.agent.aggregates(), "{name}");
    }
}

/// Steps that were acted by others are written as JSON, read again, and learned from without an environment.
#[test]
fn a_data_set_that_was_saved_gives_the_same_updates() {
    let config = preset("cartpole", &["replay.start=100", "agent.n_step=3"]);
    let mut collected = Driven::new(&config);
    (0..300).for_each(|_| collected.step(&mut ()).unwrap());
    let versions: Vec<u64> = collected.shown.iter().map(|batch| batch.weights_version).collect();
    assert!(versions.is_sorted() && versions[0] == 0 && versions.last() <= Some(&collected.agent.weights_version()));
    assert!(versions.last() > Some(&0), "something was learned on the way");

    let text = serde_json::to_string(&collected.shown).unwrap();
    let read: Vec<ExperienceBatch> = serde_json::from_str(&text).unwrap();
    let learn = |batches: &[ExperienceBatch]| {
        let mut agent = agent_loop(&config, &collected.envs);
        batches.iter().try_for_each(|batch| agent.observe_batch(batch, &mut ())).unwrap();
        agent.update(50).unwrap();
        assert_eq!((agent.env_steps(), agent.weights_version()), (300, 50));
        agent
    };
    let mut agent = learn(&read);
    assert_eq!(weights(&agent), weights(&learn(&collected.shown)));
    assert_ne!(weights(&agent), weights(&agent_loop(&config, &collected.envs)));

    // What was learned is scored as a trainer's policy is.
    let factory: requel::train::EnvFactory = Box::new(|| make("CartPole-v1"));
    let mut envs = Evaluator::new(&factory, 2, 500).unwrap();
    let mut told = None;
    let mut observer = |event: &TrainEvent<'_>| {
        if let TrainEvent::Evaluated { evaluation, updates, .. } = event {
            told = Some(((*evaluation).clone(), *updates));
        }
        Ok(())
    };
    let evaluation = agent.evaluate(&mut envs, 7, &mut observer).unwrap();
    assert_eq!(told, Some((evaluation.clone(), 50)));
    assert_eq!(agent.aggregates().evaluation_return, Some(evaluation.mean_return()));
}

#[test]
fn steps_of_other_environments_are_refused_and_not_shown() {
    let config = preset("cartpole", &[]);
    let mut driven = Driven::new(&config);
    driven.step(&mut ()).unwrap();
    let good = driven.shown[0].experiences[0].clone();
    let not_shown = [
        OwnedExperience { slot: 1, ..good.clone() },
        OwnedExperience { action: 2, ..good.clone() },
        OwnedExperience { observation: vec![0.0; 3], ..good.clone() },
        OwnedExperience { next_observation: vec![0.0; 5], ..good.clone() },
        OwnedExperience { next_observation: vec![f32::NAN; 4], ..good.clone() },
        OwnedExperience { reward: f64::INFINITY, ..good.clone() },
        OwnedExperience { mask: Some(vec![true; 3]), ..good },
    ];
    for experience in not_shown {
        let batch = ExperienceBatch { weights_version: 0, experiences: vec![experience] };
        let error = driven.agent.observe_batch(&batch, &mut ()).unwrap_err();
        assert!(matches!(error, TrainError::Agent(_) | TrainError::NotFinite { .. }), "{error}");
        assert_eq!(driven.agent.env_steps(), 1, "{error}");
    }
    // One step is no batch.
    let error = driven.agent.update(1).unwrap_err();
    assert!(error.to_string().contains("but the replay buffer holds"), "{error}");
    let mut actions = [0; 2];
    assert!(driven.agent.act(&[0.0; 4], Masks::ALL, &mut actions).is_err());
}

/// An agent on a device that is lost.
struct Lost;

fn lost() -> AgentError {
    DeviceFault::Lost { reason: "the device is lost".into() }.into()
}

impl Agent for Lost {
    fn act(&mut self, _: &[f32], _: Masks<'_>, _: u64, _: &mut [usize]) -> Result<(), AgentError> {
        Err(lost())
    }

    fn observe(&mut self, _: &Experience<'_>) {}

    fn interrupt(&mut self, _: usize) {}

    fn learn(&mut self, _: u64, _: u64) -> Result<Learned, AgentError> {
        Err(lost())
    }

    fn policy(&self, _: usize) -> Result<Box<dyn Policy>, AgentError> {
        Err(lost())
    }

    fn prepare_save(&self) -> Result<(), AgentError> {
        Err(lost())
    }

    fn save<'a>(&'a self, _: &mut State<'a>) {}

    fn restore(&mut self, _: &State<'_>) -> Result<(), StateError> {
        Ok(())
    }
}

#[test]
fn what_a_lost_device_has_is_not_left_out_of_a_state() {
    let config = preset("cartpole", &[]);
    let envs = VectorEnv::new(vec![make(&config.env.id).unwrap()]).unwrap();
    let env = AgentEnv { spec: envs.spec(), observations: envs.observation_space(), actions: 2.into() };
    let agent = AgentLoop::new(Box::new(Lost), &env, config).unwrap();
    assert_eq!(agent.save().unwrap_err().to_string(), TrainError::from(lost()).to_string());
}
