//! A DQN agent with parts that this crate does not have: an executor that is a table, and a replay buffer of its own.

use std::borrow::Cow;

use requel::agent::{
    Actions, AgentError, CpuExecutor, DqnParts, DqnSpec, Executor, Learned, LearnsFrom, Policy, PolicyInput,
    QuantileSpec, Readout,
};
use requel::replay::ReplayBuffer;
use requel::state::{State, StateError};
use requel::td::argmax_allowed;
use requel::{Agent, Batch, BatchMut, DqnAgent, EpsilonGreedy, Machine, Registry, Schedule, Trainer, Transition};
use requel_envs::make;
use requel_nn::{Activation, NetworkSpec};

use crate::support::{preset, short_training};

/// Transitions in the order in which they came, drawn in turn.
struct TurnReplay {
    stored: Vec<Kept>,
    next: usize,
}

struct Kept {
    observation: Vec<f32>,
    action: u32,
    reward: f32,
    discount: f32,
    next_observation: Vec<f32>,
}

impl ReplayBuffer for TurnReplay {
    fn push(&mut self, transition: &Transition<'_>) {
        let Transition { observation, action, reward, discount, next_observation, .. } = *transition;
        let (observation, next_observation) = (observation.to_vec(), next_observation.to_vec());
        self.stored.push(Kept { observation, action, reward, discount, next_observation });
    }

    fn len(&self) -> usize {
        self.stored.len()
    }

    fn capacity(&self) -> usize {
        usize::MAX
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        for row in 0..batch.rows() {
            let index = self.next % self.stored.len();
            self.next += 7;
            let kept = &self.stored[index];
            batch.observations.write(row, &kept.observation, &kept.next_observation);
            (batch.actions[row], batch.rewards[row]) = (kept.action, kept.reward);
            (batch.discounts[row], batch.indices[row]) = (kept.discount, index as u32);
        }
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put("replay/next", self.next);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.next = state.read("replay/next")?;
        Ok(())
    }
}

const SYMBOLS: usize = 4;

/// A value for each symbol and action, moved towards the targets of a batch.
struct TableExecutor {
    table: Vec<f32>,
    values: Vec<f32>,
    batch: Batch,
    observations: Vec<f32>,
    next_observations: Vec<f32>,
    td_errors: Vec<f32>,
}

impl TableExecutor {
    fn new(rows: usize) -> Self {
        TableExecutor {
            table: vec![0.0; SYMBOLS * SYMBOLS],
            values: vec![],
            batch: Batch::new(rows),
            observations: vec![0.0; rows * SYMBOLS],
            next_observations: vec![0.0; rows * SYMBOLS],
            td_errors: vec![0.0; rows],
        }
    }
}

fn symbol(observation: &[f32]) -> usize {
    observation.iter().position(|one| *one == 1.0).expect("a symbol is shown")
}

impl Executor for TableExecutor {
    fn values(&mut self, observations: &[f32]) -> Result<&[f32], AgentError> {
        self.values.clear();
        for observation in observations.chunks_exact(SYMBOLS) {
            self.values.extend_from_slice(&self.table[symbol(observation) * SYMBOLS..][..SYMBOLS]);
        }
        Ok(&self.values)
    }

    fn batch_mut(&mut self) -> BatchMut<'_> {
        self.batch.with_observations(&mut self.observations, &mut self.next_observations)
    }

    fn update(&mut self, _: u64, beta: Option<f64>) -> Result<Learned, AgentError> {
        assert_eq!(beta, None);
        let mut learned = Learned { updates: 1, ..Learned::default() };
        for (row, seen) in self.observations.chunks_exact(SYMBOLS).enumerate() {
            let next = symbol(&self.next_observations[row * SYMBOLS..][..SYMBOLS]) * SYMBOLS;
            let best = self.table[next..][..SYMBOLS].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let target = self.batch.rewards[row] + self.batch.discounts[row] * best;
            let value = &mut self.table[symbol(seen) * SYMBOLS + self.batch.actions[row] as usize];
            self.td_errors[row] = (target - *value).abs();
            *value += 0.1 * (target - *value);
            learned.q_sum += f64::from(*value) / self.td_errors.len() as f64;
        }
        Ok(learned)
    }

    fn batch(&self) -> &Batch {
        &self.batch
    }

    fn td_errors(&self) -> &[f32] {
        &self.td_errors
    }

    fn parameters(&self) -> Result<Cow<'_, [f32]>, AgentError> {
        Ok(Cow::Borrowed(&self.table))
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), StateError> {
        self.table.copy_from_slice(parameters);
        Ok(())
    }

    fn policy(&self, _: usize) -> Result<Box<dyn Policy>, AgentError> {
        Ok(Box::new(TablePolicy(self.table.clone())))
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put_f32("agent/table", vec![SYMBOLS, SYMBOLS], &self.table);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.read_f32("agent/table", &mut self.table)
    }
}

struct TablePolicy(Vec<f32>);

impl Policy for TablePolicy {
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError> {
        for (row, (action, seen)) in actions.iter_mut().zip(input.observations.chunks_exact(SYMBOLS)).enumerate() {
            *action = argmax_allowed(&self.0[symbol(seen) * SYMBOLS..][..SYMBOLS], input.masks.row(row));
        }
        Ok(())
    }

    fn parameters(&self) -> &[f32] {
        &self.0
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError> {
        self.0.copy_from_slice(parameters);
        Ok(())
    }
}

#[test]
fn an_executor_and_a_replay_of_ones_own_learn() {
    let spec = DqnSpec {
        num_envs: 1,
        actions: Actions::from(SYMBOLS),
        gamma: 0.5,
        n_step: 1,
        learns_from: LearnsFrom::Replay,
        start: 50,
        every_steps: 1,
        updates: 1,
        importance: None,
    };
    let parts = DqnParts {
        executor: Box::new(TableExecutor::new(8)),
        replay: Box::new(TurnReplay { stored: vec![], next: 0 }),
        explorer: Box::new(EpsilonGreedy::new(Schedule::Constant(0.5), 1, 1)),
    };
    let agent = DqnAgent::new(spec, parts).unwrap();
    let plan = preset("dqn", &["train.env_steps=2000", "evaluation.every_steps=0", "evaluation.final_episodes=20"]);
    let mut trainer = Trainer::from_parts(Box::new(|| make("Toy/Identity-v0")), Box::new(agent), plan).unwrap();
    let outcome = trainer.run(&mut ()).unwrap();
    assert_eq!(outcome.final_evaluation.mean_return(), 20.0);
    assert_eq!(outcome.updates, 2000 - 50);
    assert_eq!((trainer.aggregates().epsilon, trainer.aggregates().learning_rate), (Some(0.5), None));
}

/// A part that does what the built-in one does, put in its place: nothing else changes.
struct Wrapped(Box<dyn ReplayBuffer>);

impl ReplayBuffer for Wrapped {
    fn push(&mut self, transition: &Transition<'_>) {
        self.0.push(transition);
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        self.0.sample(batch);
    }

    fn update_priorities(&mut self, indices: &[u32], td_errors: &[f32]) {
        self.0.update_priorities(indices, td_errors);
    }

    fn gives_probabilities(&self) -> bool {
        self.0.gives_probabilities()
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        self.0.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.0.restore(state)
    }
}

#[test]
fn a_buffer_without_probabilities_is_refused_where_importance_weights_are_to_be_learned_with() {
    let config = short_training("rainbow, 3 environments");
    let agents: requel::train::AgentFactory = Box::new(|config, env| {
        let bounded = config.with_value_bounds(env.spec, env.actions.count)?;
        let mut parts = bounded.dqn_parts(env.observations, env.actions, &Machine::default())?;
        let uniform =
            requel::config::Config { replay: short_training("notebook, 1 environments").replay, ..bounded.clone() };
        parts.replay = uniform.replay_buffer(env.observations, env.actions, &Machine::default())?;
        let agent: Box<dyn Agent> = Box::new(DqnAgent::new(bounded.dqn_spec(env.actions), parts)?);
        Ok(agent)
    });
    let envs = Registry::built_in().env_factory(&config.env);
    let refused = Trainer::from_factories(envs, agents, config).err();
    assert!(matches!(refused, Some(requel::train::TrainError::Agent(AgentError::NoProbabilities))), "{refused:?}");
}

#[test]
fn the_parts_of_a_config_with_one_replaced_give_the_same_bits() {
    for name in ["notebook, 1 environments", "rainbow, 3 environments"] {
        let config = short_training(name);
        let expected = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap();
        let agents: requel::train::AgentFactory = Box::new(|config, env| {
            let bounded = config.with_value_bounds(env.spec, env.actions.count)?;
            let mut parts = bounded.dqn_parts(env.observations, env.actions, &Machine::default())?;
            parts.replay = Box::new(Wrapped(parts.replay));
            let agent: Box<dyn Agent> = Box::new(DqnAgent::new(bounded.dqn_spec(env.actions), parts)?);
            Ok(agent)
        });
        let envs = Registry::built_in().env_factory(&config.env);
        let outcome = Trainer::from_factories(envs, agents, config).unwrap().run(&mut ()).unwrap();
        assert_eq!(outcome, expected, "{name}");
    }
}

/// The config's agent with a step size and an ε that follow functions of a program, as its own schedules would.
fn with_functions(config: &requel::Config, name: &'static str) -> Trainer {
    let envs = Registry::built_in().env_factory(&config.env);
    let env = envs().unwrap();
    let (observations, actions) = (env.observation_space(), Actions::from(env.action_space().discrete_n().unwrap()));
    let schedules = (config.learning_rate(), config.exploration.schedule());
    let mut parts = config.dqn_parts(observations, actions, &Machine::default()).unwrap();
    let mut spec = config.executor_spec(observations, actions.count);
    spec.learner.learning_rate = Schedule::function(name, move |t| schedules.0.at(t));
    parts.executor =
        Box::new(CpuExecutor::new(&spec, config.executor_shape(observations, actions), &Machine::default()).unwrap());
    let epsilon = Schedule::function(name, move |t| schedules.1.at(t));
    parts.explorer = Box::new(EpsilonGreedy::new(epsilon, config.train.seed, config.train.num_envs));
    let agent = Box::new(DqnAgent::new(config.dqn_spec(actions), parts).unwrap());
    Trainer::from_parts(envs, agent, config.clone()).unwrap()
}

#[test]
fn step_sizes_and_epsilon_follow_functions_and_go_on_with_those_of_the_same_name() {
    let mut config = short_training("notebook, 1 environments");
    config.exploration.kind = requel::config::ExplorationKind::Linear;
    (config.exploration.start, config.exploration.end, config.exploration.env_steps) = (0.9, 0.1, 400);
    config.optimizer.anneal = requel::config::AnnealKind::Linear;
    config.train.env_steps = 700;
    let expected = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap();
    assert_eq!(with_functions(&config, "mine").run(&mut ()).unwrap(), expected);

    let mut first = with_functions(&config, "mine");
    while first.env_steps() < 350 {
        first.advance(&mut ()).unwrap();
    }
    let state = first.save().unwrap();
    let mut second = with_functions(&config, "mine");
    second.restore(&state).unwrap();
    assert_eq!(second.run(&mut ()).unwrap(), expected);
    for mut other in [with_functions(&config, "another"), Trainer::new(config.clone()).unwrap()] {
        let error = other.restore(&state).unwrap_err().to_string();
        assert!(error.contains("_function` is `mine`, but this program has"), "{error}");
    }
    let plain = Trainer::new(config.clone()).unwrap();
    assert!(with_functions(&config, "mine").restore(&plain.save().unwrap()).is_err());
}

/// A registry whose parts of its own called `mine` all refuse.
fn refusing() -> Registry {
    let mut registry = Registry::built_in();
    let refused = || requel::train::TrainError::Agent(AgentError::Failed { reason: "not here".into() });
    registry.register_agent("mine", move |_, _| Err(refused())).unwrap();
    registry.register_executor("mine", move |_, _| Err(refused())).unwrap();
    registry.register_replay("mine", move |_, _| Err(refused())).unwrap();
    registry.register_explorer("mine", move |_, _| Err(refused())).unwrap();
    registry.register_rule("mine", move |_, _| Err(refused())).unwrap();
    registry.register_head("mine", move |_, _| Err(refused())).unwrap();
    registry.register_network("mine", move |_, _| Err(refused())).unwrap();
    // Those that are made and do not go with the rest.
    let head = std::sync::Arc::new(QuantileSpec { count: 0, kappa: 1.0 });
    registry.register_head("empty", move |_, _| Ok((Readout::Scalar, head.clone()))).unwrap();
    let network = |inputs, outputs| NetworkSpec::mlp(inputs, &[4], outputs, Activation::Relu);
    registry.register_network("no inputs", move |_, _| Ok(network(0, 2))).unwrap();
    registry.register_network("other inputs", move |_, _| Ok(network(3, 2))).unwrap();
    registry.register_network("other actions", move |_, _| Ok(network(4, 3))).unwrap();
    registry
        .register_replay("plain", |config, env| {
            let mut config = config.clone();
            config.replay.kind = requel::config::ReplayKind::Uniform;
            Ok(config.replay_buffer(env.observations, env.actions, &Machine::default())?)
        })
        .unwrap();
    registry
}

#[test]
fn what_a_part_of_ones_own_refuses_is_said_with_the_key_that_names_it() {
    let refused = |settings: &[&str]| {
        let layers = requel::config::Layers::new().preset("notebook").unwrap();
        let layers = settings.iter().fold(layers, |layers, setting| layers.set(setting).unwrap());
        let error = refusing().trainer(layers.resolve().unwrap()).err().unwrap_or_else(|| panic!("{settings:?}"));
        let hint = error.hint().unwrap_or_else(|| panic!("{error}: no hint"));
        (error.to_string(), hint)
    };
    let keys =
        ["agent.name", "agent.executor", "agent.rule", "replay.name", "exploration.name", "head.name", "network.name"];
    for key in keys {
        let (error, hint) = refused(&[&format!("{key}=mine")]);
        assert_eq!(error, format!("`{key} = \"mine\"`: not here"));
        assert!(hint.contains(&format!("leave `{key}` empty")), "{hint}");
    }
    let cases: [(&[&str], &str); 5] = [
        (&["head.name=empty"], "`head.name = \"empty\"`: quantiles is 0"),
        (&["network.name=no inputs"], "`network.name = \"no inputs\"`: input_shape [0]"),
        (&["network.name=other inputs"], "`network.name = \"other inputs\"`: "),
        (&["network.name=other actions"], "`network.name = \"other actions\"`: "),
        (
            &["replay.name=plain", "replay.kind=prioritized", "replay.importance_env_steps=1000"],
            "`replay.name = \"plain\"`: `replay.kind` is \"prioritized\"",
        ),
    ];
    for (settings, expected) in cases {
        let (error, _) = refused(settings);
        assert!(error.starts_with(expected), "{settings:?}: {error}");
    }
}
