//! [`LinearExecutor`], your own executor: a network that requel does not have, with its own way of learning.

use std::borrow::Cow;

use requel::agent::{AgentError, Executor, Learned, LearningFault, Policy, PolicyError, PolicyInput};
use requel::state::{State, StateError};
use requel::td::{argmax, argmax_allowed};
use requel::train::AgentEnv;
use requel::{Batch, BatchMut, Config};

/// Values that are linear in the numbers of an observation and their squares, learned by semi-gradient Q-learning with plain
/// gradient descent (Sutton & Barto 2018, on linear function approximation).
pub struct LinearExecutor {
    values: LinearValues,
    step_size: f32,
    /// Values to act by, rows × actions.
    q: Vec<f32>,
    batch: Batch,
    observations: Vec<f32>,
    next_observations: Vec<f32>,
    td_errors: Vec<f32>,
}

impl LinearExecutor {
    /// The executor of a config: `optimizer.learning_rate` and the sizes of its batches are looked at.
    ///
    /// # Errors
    /// If actions of the environment are not always allowed.
    pub fn new(config: &Config, env: &AgentEnv<'_>) -> Result<Self, AgentError> {
        if env.actions.masked {
            return Err(AgentError::Failed { reason: "this executor heeds no action masks".into() });
        }
        let (rows, numbers) = (config.executor_shape(env.observations, env.actions).rows, env.observations.len());
        Ok(LinearExecutor {
            values: LinearValues::new(numbers, env.actions.count),
            step_size: config.optimizer.learning_rate as f32,
            q: vec![0.0; config.train.num_envs * env.actions.count],
            batch: Batch::new(rows),
            observations: vec![0.0; rows * numbers],
            next_observations: vec![0.0; rows * numbers],
            td_errors: vec![0.0; rows],
        })
    }
}

impl Executor for LinearExecutor {
    fn values(&mut self, observations: &[f32]) -> Result<&[f32], AgentError> {
        let rows = observations.chunks_exact(self.values.numbers).zip(self.q.chunks_exact_mut(self.values.actions));
        rows.for_each(|(observation, q)| self.values.at(observation, q));
        Ok(&self.q)
    }

    fn batch_mut(&mut self) -> BatchMut<'_> {
        self.batch.with_observations(&mut self.observations, &mut self.next_observations)
    }

    fn update(&mut self, _: u64, _: Option<f64>) -> Result<Learned, AgentError> {
        let (numbers, actions) = (self.values.numbers, self.values.actions);
        let (mut q, mut next_q) = (vec![0.0; actions], vec![0.0; actions]);
        let rows = self.td_errors.len();
        let (mut loss, mut q_sum) = (0.0, 0.0);
        // All errors before the first step: the batch is learned from as a whole.
        for row in 0..rows {
            self.values.at(&self.observations[row * numbers..][..numbers], &mut q);
            self.values.at(&self.next_observations[row * numbers..][..numbers], &mut next_q);
            let target = self.batch.rewards[row] + self.batch.discounts[row] * next_q[argmax(&next_q)];
            let value = q[self.batch.actions[row] as usize];
            self.td_errors[row] = target - value;
            loss += f64::from(self.td_errors[row] * self.td_errors[row]) / rows as f64;
            q_sum += f64::from(value) / rows as f64;
        }
        if !loss.is_finite() {
            return Err(LearningFault { site: "loss", value: loss as f32 }.into());
        }
        let step = self.step_size / rows as f32;
        for row in 0..rows {
            let observation = &self.observations[row * numbers..][..numbers];
            self.values.step(observation, self.batch.actions[row] as usize, step * self.td_errors[row]);
        }
        self.td_errors.iter_mut().for_each(|error| *error = error.abs());
        Ok(Learned { updates: 1, loss_sum: loss, q_sum, ..Learned::default() })
    }

    fn batch(&self) -> &Batch {
        &self.batch
    }

    fn td_errors(&self) -> &[f32] {
        &self.td_errors
    }

    fn parameters(&self) -> Result<Cow<'_, [f32]>, AgentError> {
        Ok(Cow::Borrowed(&self.values.weights))
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), StateError> {
        if parameters.len() != self.values.weights.len() {
            return Err(StateError::new("network", "is of another size"));
        }
        self.values.weights.copy_from_slice(parameters);
        Ok(())
    }

    fn policy(&self, _: usize) -> Result<Box<dyn Policy>, AgentError> {
        Ok(Box::new(self.values.clone()))
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put_f32("network/weights", vec![self.values.weights.len()], &self.values.weights);
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.read_f32("network/weights", &mut self.values.weights)
    }
}

/// Actions × (1 + 2 × numbers) weights: of 1, of each number and of its square.
#[derive(Clone)]
struct LinearValues {
    weights: Vec<f32>,
    numbers: usize,
    actions: usize,
}

impl LinearValues {
    fn new(numbers: usize, actions: usize) -> Self {
        LinearValues { weights: vec![0.0; actions * (1 + 2 * numbers)], numbers, actions }
    }

    /// The values at an observation.
    fn at(&self, observation: &[f32], q: &mut [f32]) {
        for (q, weights) in q.iter_mut().zip(self.weights.chunks_exact(1 + 2 * self.numbers)) {
            let pairs = weights[1..].chunks_exact(2).zip(observation);
            *q = pairs.fold(weights[0], |sum, (pair, x)| sum + pair[0] * x + pair[1] * x * x);
        }
    }

    /// Moves the value of an action along its gradient.
    fn step(&mut self, observation: &[f32], action: usize, by: f32) {
        let width = 1 + 2 * self.numbers;
        let weights = &mut self.weights[action * width..][..width];
        weights[0] += by;
        for (pair, x) in weights[1..].chunks_exact_mut(2).zip(observation) {
            pair[0] += by * x;
            pair[1] += by * x * x;
        }
    }
}

impl Policy for LinearValues {
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError> {
        let mut q = vec![0.0; self.actions];
        for (row, (action, observation)) in
            actions.iter_mut().zip(input.observations.chunks_exact(self.numbers)).enumerate()
        {
            self.at(observation, &mut q);
            *action = argmax_allowed(&q, input.masks.row(row));
        }
        Ok(())
    }

    fn shape(&self) -> Option<(usize, usize)> {
        Some((self.numbers, self.actions))
    }

    fn parameters(&self) -> &[f32] {
        &self.weights
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError> {
        let (found, expected) = (parameters.len(), self.weights.len());
        if found != expected {
            return Err(PolicyError::ParameterCount { found, expected }.into());
        }
        self.weights.copy_from_slice(parameters);
        Ok(())
    }
}
