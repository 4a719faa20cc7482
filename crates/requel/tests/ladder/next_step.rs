//! Simulators that begin a slot's next episode in the place of its next step.

use requel::Trainer;
use requel::agent::AgentError;
use requel::config::{Config, ExplorationKind, Layers};
use requel::train::{EnvFactory, TrainError, TrainEvent};
use requel_envs::{Action, BatchEnv, DType, Env, EnvError, EnvSpec, Space, Step};

/// An environment that shows how many steps its episode has, and pays as much: a step that is none would not fit. Its episodes are
/// 3 to 6 steps long, one after the other.
#[derive(Clone)]
struct Counter {
    spec: EnvSpec,
    observations: Space,
    actions: Space,
    episode: u64,
    count: u64,
}

impl Counter {
    fn new() -> Self {
        let observations = Space::Box { low: vec![0.0], high: vec![6.0], shape: vec![1], dtype: DType::F32 };
        let (spec, actions) = (EnvSpec::new("Counter-v0"), Space::Discrete { n: 2 });
        Counter { spec, observations, actions, episode: 0, count: 0 }
    }

    fn length(&self) -> u64 {
        3 + self.episode % 4
    }
}

impl Env for Counter {
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
        self.episode = seed.unwrap_or(self.episode + 1);
        (self.count, observation[0]) = (0, 0.0);
        Ok(())
    }
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        action.discrete(2)?;
        self.count += 1;
        observation[0] = self.count as f32;
        let (ended, even) = (self.count == self.length(), self.episode.is_multiple_of(2));
        Ok(Step { reward: self.count as f64, terminated: ended && even, truncated: ended && !even })
    }
}

/// Counters in a row, each of which is reset in the place of the step after its last.
struct NextStep {
    envs: Vec<Counter>,
    waiting: Vec<bool>,
    began: Vec<bool>,
}

impl NextStep {
    fn of(slots: usize) -> Self {
        NextStep { envs: vec![Counter::new(); slots], waiting: vec![false; slots], began: vec![false; slots] }
    }
}

impl BatchEnv for NextStep {
    fn slots(&self) -> usize {
        self.envs.len()
    }
    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.waiting[slot] = seed.is_none();
        match seed {
            Some(_) => self.envs[slot].reset(seed, observation),
            None => {
                observation[0] = self.envs[slot].count as f32;
                Ok(())
            }
        }
    }
    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        self.began = std::mem::replace(&mut self.waiting, vec![false; self.envs.len()]);
        for (slot, env) in self.envs.iter_mut().enumerate() {
            let observation = &mut observations[slot..=slot];
            steps[slot] = Step::default();
            if self.began[slot] {
                env.reset(None, observation)?;
            } else {
                steps[slot] = env.step(Action::Discrete(actions[slot]), observation)?;
            }
        }
        Ok(())
    }
    fn began(&self, slot: usize) -> bool {
        self.began[slot]
    }
    fn resets_in_next_step(&self) -> bool {
        true
    }
    fn save(&self, _: usize) -> Result<Vec<u8>, EnvError> {
        Err(EnvError::CannotSave { id: "Counter-v0".into() })
    }
    fn restore(&mut self, _: usize, _: &[u8]) -> Result<(), EnvError> {
        Err(EnvError::CannotSave { id: "Counter-v0".into() })
    }
}

fn counters() -> EnvFactory {
    Box::new(|| Ok(Box::new(Counter::new())))
}

/// Nothing is drawn to explore by, so that a step which is none draws nothing either.
fn config(slots: usize, n_step: usize) -> Config {
    let layers = Layers::new().preset("notebook").unwrap();
    let mut config = layers.resolve().unwrap();
    config.exploration.kind = ExplorationKind::Constant;
    config.exploration.start = 0.0;
    (config.train.num_envs, config.agent.n_step) = (slots, n_step);
    (config.train.episodes, config.train.env_steps) = (0, 1200);
    (config.replay.start, config.evaluation.every_episodes) = (64, 0);
    config.evaluation.final_episodes = 1;
    config
}

/// What a training comes to, and the length and the return of each of its episodes.
fn trained(mut trainer: Trainer) -> (String, u64, Vec<(u64, f64)>) {
    let mut episodes = Vec::new();
    let outcome = trainer.run(&mut |event: &TrainEvent<'_>| {
        if let TrainEvent::EpisodeEnded { episode, .. } = event {
            episodes.push((episode.length, episode.return_));
        }
        Ok(())
    });
    let outcome = outcome.unwrap();
    (outcome.weights_blake3, outcome.env_steps, episodes)
}

#[test]
fn the_step_that_only_begins_an_episode_is_no_transition() {
    for n_step in [1, 3] {
        let apart = trained(Trainer::with_envs(config(1, n_step), counters()).unwrap());
        let batch = Box::new(NextStep::of(1));
        let at_once = trained(Trainer::with_batch(config(1, n_step), batch, counters()).unwrap());
        assert_eq!(at_once, apart, "{n_step}-step");
        assert_eq!(at_once.1, 1200);
    }
}

#[test]
fn among_several_slots_each_episode_has_its_own_steps_and_no_others() {
    let batch = Box::new(NextStep::of(8));
    let (_, env_steps, episodes) = trained(Trainer::with_batch(config(8, 1), batch, counters()).unwrap());
    assert!((1200..1208).contains(&env_steps), "{env_steps}");
    assert!(episodes.len() > 200);
    for (length, return_) in episodes {
        assert!((3..=6).contains(&length), "{length}");
        assert_eq!(return_, (length * (length + 1) / 2) as f64);
    }
}

#[test]
fn an_agent_that_learns_from_rows_of_steps_is_not_trained_in_them() {
    let layers = Layers::new().algorithm("pqn").unwrap().set("train.num_envs=8").unwrap();
    let config = layers.resolve().unwrap();
    assert!(Trainer::with_envs(config.clone(), counters()).is_ok());
    let refused = Trainer::with_batch(config, Box::new(NextStep::of(8)), counters()).err();
    assert!(matches!(&refused, Some(TrainError::Agent(AgentError::BrokenRows { id })) if id == "Counter-v0"));
}
