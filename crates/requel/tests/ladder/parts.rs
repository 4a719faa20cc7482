//! A training of parts that this crate does not have: an agent that is a table, with Boltzmann exploration, driven by the trainer
//! and by nobody but its owner.

use requel::agent::{AgentError, Learned, Masks, Policy, PolicyInput};
use requel::config::{Config, ConfigError};
use requel::run::{Control, Ending, Run, Session, verify};
use requel::state::{State, StateError};
use requel::td::argmax_allowed;
use requel::train::TrainError;
use requel::{Agent, Boltzmann, Choice, Experience, Explorer, Schedule, Trainer};
use requel_envs::{Action, make};

use crate::support::preset;

/// The value of each action in each state, states × actions.
#[derive(Clone)]
struct Table {
    values: Vec<f32>,
    actions: usize,
}

impl Table {
    /// The values in the state that a one-hot observation shows.
    fn of(&self, observation: &[f32]) -> &[f32] {
        let state = observation.iter().position(|one| *one == 1.0).expect("a state is seen");
        &self.values[state * self.actions..(state + 1) * self.actions]
    }
}

impl Policy for Table {
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError> {
        let len = input.observations.len() / actions.len();
        for (row, (action, observation)) in actions.iter_mut().zip(input.observations.chunks_exact(len)).enumerate() {
            *action = argmax_allowed(self.of(observation), input.masks.row(row));
        }
        Ok(())
    }

    fn parameters(&self) -> &[f32] {
        &self.values
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError> {
        self.values = parameters.to_vec();
        Ok(())
    }
}

/// Q-learning by a table (Watkins 1989), from each step as it comes.
struct TabularAgent {
    table: Table,
    explorer: Boltzmann,
    learned: Learned,
    /// At which update it fails, if at one.
    fails_at: Option<u64>,
    updates: u64,
}

const STATES: usize = 4;
const STEP_SIZE: f32 = 0.2;
const TEMPERATURE: Schedule = Schedule::Linear { start: 1.0, end: 0.01, env_steps: 1500 };

impl TabularAgent {
    fn new(num_envs: usize) -> Self {
        TabularAgent {
            table: Table { values: vec![0.0; STATES * STATES], actions: STATES },
            explorer: Boltzmann::new(TEMPERATURE, 7, num_envs),
            learned: Learned::default(),
            fails_at: None,
            updates: 0,
        }
    }
}

impl Agent for TabularAgent {
    fn act(
        &mut self,
        observations: &[f32],
        masks: Masks<'_>,
        env_steps: u64,
        actions: &mut [usize],
    ) -> Result<(), AgentError> {
        for (slot, (action, observation)) in actions.iter_mut().zip(observations.chunks_exact(STATES)).enumerate() {
            let choice = Choice { slot, env_steps, actions: STATES, mask: masks.row(slot) };
            *action = self.explorer.choose(&choice, self.table.of(observation));
        }
        Ok(())
    }

    fn observe(&mut self, experience: &Experience<'_>) {
        let next = self.table.of(experience.next_observation).iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let discount = if experience.step.terminated { 0.0 } else { 0.5 };
        let state = experience.observation.iter().position(|one| *one == 1.0).expect("a state was seen");
        let value = &mut self.table.values[state * STATES + experience.action];
        *value += STEP_SIZE * (experience.step.reward as f32 + discount * next - *value);
        let update = Learned { updates: 1, q_sum: f64::from(*value), ..Learned::default() };
        self.learned.add(update);
    }

    fn interrupt(&mut self, _: usize) {}

    fn learn(&mut self, _: u64, _: u64) -> Result<Learned, AgentError> {
        self.updates += self.learned.updates;
        if self.fails_at.is_some_and(|at| self.updates >= at) {
            return Err(AgentError::Failed { reason: "the table is full".into() });
        }
        Ok(std::mem::take(&mut self.learned))
    }

    fn policy(&self, _: usize) -> Result<Box<dyn Policy>, AgentError> {
        Ok(Box::new(self.table.clone()))
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.explorer.statistics(env_steps, report);
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put_f32("agent/table", vec![STATES, STATES], &self.table.values);
        self.explorer.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.read_f32("agent/table", &mut self.table.values)?;
        self.explorer.restore(state)
    }
}

fn plan() -> Config {
    preset(
        "dqn",
        &[
            "env.id=Toy/Identity-v0",
            "train.env_steps=3000",
            "train.num_envs=2",
            "evaluation.every_steps=500",
            "evaluation.final_episodes=20",
            "log.every_steps=250",
            "checkpoint.every_steps=700",
        ],
    )
}

fn trainer(agent: TabularAgent) -> Trainer {
    Trainer::from_parts(Box::new(|| make("Toy/Identity-v0")), Box::new(agent), plan()).unwrap()
}

#[test]
fn an_agent_of_ones_own_learns_is_scored_saved_and_resumed() {
    let mut alone = trainer(TabularAgent::new(2));
    let outcome = alone.run(&mut ()).unwrap();
    assert_eq!(outcome.final_evaluation.mean_return(), 20.0);
    assert_eq!((outcome.updates, alone.updates()), (3000, 3000));
    let aggregates = alone.aggregates();
    assert_eq!((aggregates.epsilon, aggregates.learning_rate), (None, None));
    assert!(alone.value_network().is_err() && alone.greedy_policy().is_err());
    let mut policy = alone.policy().unwrap();
    for state in 0..STATES {
        let seen: [f32; STATES] = std::array::from_fn(|place| f32::from(u8::from(place == state)));
        assert_eq!(policy.act(&seen, None).unwrap(), state);
    }

    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    let session = Session::begin_with(Run::create(&dir, &plan()).unwrap(), trainer(TabularAgent::new(2))).unwrap();
    let control = Control::new();
    let mut stop_at_half = |event: &requel::TrainEvent<'_>| {
        if let requel::TrainEvent::Progress(aggregates) = event
            && aggregates.env_steps >= 1500
        {
            control.request_stop();
        }
        Ok(())
    };
    let Ending::Interrupted { env_steps, .. } = session.train(&mut stop_at_half, &control).unwrap() else {
        panic!("it was asked to stop");
    };
    assert_eq!(env_steps, 1500);
    let run = Run::open(&dir).unwrap();
    let (session, _) = Session::resume_with(run, trainer(TabularAgent::new(2))).unwrap();
    let Ending::Finished { summary, .. } = session.train(&mut (), &Control::new()).unwrap() else { panic!("finished") };
    assert_eq!((summary.weights_blake3, summary.updates), (outcome.weights_blake3, 3000));

    // What a table cannot give is not there, and the run is whole without it.
    let run = Run::open(&dir).unwrap();
    assert!(run.is_finished() && !run.best_policy_path().exists());
    assert!(verify(&run).unwrap().damage.is_empty(), "{:?}", verify(&run).unwrap().damage);
    let metrics = std::fs::read_to_string(dir.join("metrics.jsonl")).unwrap();
    let reported: Vec<&str> = metrics.lines().filter(|line| line.starts_with("{\"event\":\"agent\"")).collect();
    assert_eq!(reported.len(), 3000 / 250);
    let first: serde_json::Value = serde_json::from_str(reported[0]).unwrap();
    assert_eq!((&first["env_steps"], &first["temperature"]), (&250.into(), &TEMPERATURE.at(250).into()));
}

#[test]
fn what_an_agent_fails_with_ends_training() {
    let mut agent = TabularAgent::new(2);
    agent.fails_at = Some(100);
    let mut failing = trainer(agent);
    let error = failing.run(&mut ()).unwrap_err();
    assert!(matches!(error, TrainError::Agent(AgentError::Failed { .. })), "{error}");
    assert_eq!((error.to_string().as_str(), failing.env_steps()), ("the table is full", 100));
}

#[test]
fn a_given_agent_is_asked_to_follow_no_setting_that_it_does_not_look_at() {
    let mut trainer = trainer(TabularAgent::new(2));
    let mut longer = plan();
    longer.train.env_steps = 5000;
    trainer.change_config(longer.clone()).unwrap();
    let mut slower = longer;
    slower.optimizer.learning_rate = 1e-5;
    let error = trainer.change_config(slower).unwrap_err();
    assert!(
        matches!(&error, TrainError::Config(ConfigError::Fixed { key, .. }) if key == "optimizer.learning_rate"),
        "{error}"
    );
    assert_eq!(trainer.config().train.env_steps, 5000);
}

/// The loop that the trainer makes, made by an agent's owner: act, step, observe, learn.
#[test]
fn an_agent_can_be_driven_by_its_owner() {
    let mut agent = TabularAgent::new(1);
    let mut env = requel::train::for_network(make("Toy/Identity-v0").unwrap()).unwrap();
    let (mut observation, mut next_observation) = (vec![0.0; STATES], vec![0.0; STATES]);
    env.reset(Some(0), &mut observation).unwrap();
    for env_steps in 0..3000 {
        let mut actions = [0];
        agent.act(&observation, Masks::ALL, env_steps, &mut actions).unwrap();
        let step = env.step(Action::Discrete(actions[0]), &mut next_observation).unwrap();
        agent.observe(&Experience {
            slot: 0,
            observation: &observation,
            mask: None,
            action: actions[0],
            step,
            next_observation: &next_observation,
            next_mask: None,
        });
        agent.learn(env_steps, env_steps + 1).unwrap();
        observation.copy_from_slice(&next_observation);
        if step.ended() {
            env.reset(None, &mut observation).unwrap();
        }
    }
    let mut policy = agent.policy(1).unwrap();
    assert_eq!(policy.act(&[0.0, 0.0, 1.0, 0.0], None).unwrap(), 2);
}
