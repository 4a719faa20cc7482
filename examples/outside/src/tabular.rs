//! [`TabularAgent`], your own agent without a network: a value for each action in each cell of the observation space.

use requel::agent::{AgentError, Learned, Masks, Policy, PolicyError, PolicyInput};
use requel::state::{State, StateError};
use requel::td::argmax_allowed;
use requel::train::AgentEnv;
use requel::{Agent, Boltzmann, Choice, Config, Experience, Explorer, Schedule};

/// Cells along each number of an observation: of half a unit each, from −2 to 2.
const CELLS: usize = 8;

/// Q-learning by a table (Watkins 1989), from each step as it comes, with Boltzmann exploration.
pub struct TabularAgent {
    table: Table,
    explorer: Boltzmann,
    step_size: f32,
    discount: f32,
    learned: Learned,
}

impl TabularAgent {
    /// The agent of a config: `agent.gamma`, `train.seed` and `train.num_envs` are looked at, and the temperature follows
    /// `exploration`.
    ///
    /// # Errors
    /// If observations have too many numbers for a table of all cells.
    pub fn new(config: &Config, env: &AgentEnv<'_>) -> Result<Self, AgentError> {
        let (numbers, actions) = (env.observations.len(), env.actions.count);
        let cells = u32::try_from(numbers)
            .ok()
            .and_then(|numbers| CELLS.checked_pow(numbers))
            .filter(|cells| *cells <= 1 << 20);
        let Some(cells) = cells else {
            let reason = format!("a table of observations of {numbers} numbers is too large: use at most 6");
            return Err(AgentError::Failed { reason });
        };
        let temperature = Schedule::Linear { start: 1.0, end: 0.01, env_steps: config.exploration.env_steps };
        Ok(TabularAgent {
            table: Table { values: vec![0.0; cells * actions], numbers, actions },
            explorer: Boltzmann::new(temperature, config.train.seed, config.train.num_envs),
            step_size: 0.2,
            discount: config.agent.gamma as f32,
            learned: Learned::default(),
        })
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
        let rows = observations.chunks_exact(self.table.numbers);
        for (slot, (action, observation)) in actions.iter_mut().zip(rows).enumerate() {
            let choice = Choice { slot, env_steps, actions: self.table.actions, mask: masks.row(slot) };
            *action = self.explorer.choose(&choice, self.table.of(observation));
        }
        Ok(())
    }

    fn observe(&mut self, experience: &Experience<'_>) {
        let next = self.table.of(experience.next_observation);
        let discount = if experience.step.terminated { 0.0 } else { self.discount };
        let target = experience.step.reward as f32 + discount * next[argmax_allowed(next, experience.next_mask)];
        let place = self.table.place(experience.observation) + experience.action;
        let value = &mut self.table.values[place];
        let error = target - *value;
        *value += self.step_size * error;
        self.learned.add(Learned {
            updates: 1,
            loss_sum: f64::from(error * error),
            q_sum: f64::from(*value),
            ..Learned::default()
        });
    }

    fn interrupt(&mut self, _: usize) {}

    fn learn(&mut self, _: u64, _: u64) -> Result<Learned, AgentError> {
        Ok(std::mem::take(&mut self.learned))
    }

    fn policy(&self, _: usize) -> Result<Box<dyn Policy>, AgentError> {
        Ok(Box::new(self.table.clone()))
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        self.explorer.statistics(env_steps, report);
        report("visited_share", self.table.visited_share());
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put_f32("agent/table", vec![self.table.values.len()], &self.table.values);
        self.explorer.save(state);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.read_f32("agent/table", &mut self.table.values)?;
        self.explorer.restore(state)
    }
}

/// The values, cells × actions.
#[derive(Clone)]
struct Table {
    values: Vec<f32>,
    numbers: usize,
    actions: usize,
}

impl Table {
    /// Where the values of an observation's cell begin.
    fn place(&self, observation: &[f32]) -> usize {
        let cell = |number: f32| (((number + 2.0) * 2.0).max(0.0) as usize).min(CELLS - 1);
        observation.iter().fold(0, |place, number| place * CELLS + cell(*number)) * self.actions
    }

    fn of(&self, observation: &[f32]) -> &[f32] {
        let place = self.place(observation);
        &self.values[place..place + self.actions]
    }

    /// Share of the values that are no longer what they began as.
    fn visited_share(&self) -> f64 {
        self.values.iter().filter(|value| **value != 0.0).count() as f64 / self.values.len() as f64
    }
}

impl Policy for Table {
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError> {
        let rows = input.observations.chunks_exact(self.numbers);
        for (row, (action, observation)) in actions.iter_mut().zip(rows).enumerate() {
            *action = argmax_allowed(self.of(observation), input.masks.row(row));
        }
        Ok(())
    }

    fn shape(&self) -> Option<(usize, usize)> {
        Some((self.numbers, self.actions))
    }

    fn parameters(&self) -> &[f32] {
        &self.values
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError> {
        let (found, expected) = (parameters.len(), self.values.len());
        if found != expected {
            return Err(PolicyError::ParameterCount { found, expected }.into());
        }
        self.values.copy_from_slice(parameters);
        Ok(())
    }
}
