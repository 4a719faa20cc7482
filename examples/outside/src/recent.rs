//! [`RecentReplay`], a replay buffer of one's own.

use requel::agent::AgentError;
use requel::replay::ReplayBuffer;
use requel::state::{State, StateError};
use requel::train::AgentEnv;
use requel::{BatchMut, Config, Stream, StreamRng, Transition};

/// Keeps the last transitions, and draws half of each batch from the latest tenth of them: what was learned from early on is worth
/// less where the policy has changed since.
pub struct RecentReplay {
    observation_len: usize,
    capacity: usize,
    // A ring: the next transition goes where `next` is.
    observations: Vec<f32>,
    next_observations: Vec<f32>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    discounts: Vec<f32>,
    next: usize,
    len: usize,
    draws: StreamRng,
}

impl RecentReplay {
    /// The buffer of a config: `replay.capacity` transitions.
    ///
    /// # Errors
    /// If actions of the environment are not always allowed: masks are not kept.
    pub fn new(config: &Config, env: &AgentEnv<'_>) -> Result<Self, AgentError> {
        if env.actions.masked {
            return Err(AgentError::Failed { reason: "this replay buffer keeps no action masks".into() });
        }
        let (capacity, len) = (config.replay.capacity, env.observations.len());
        Ok(RecentReplay {
            observation_len: len,
            capacity,
            observations: vec![0.0; capacity * len],
            next_observations: vec![0.0; capacity * len],
            actions: vec![0; capacity],
            rewards: vec![0.0; capacity],
            discounts: vec![0.0; capacity],
            next: 0,
            len: 0,
            draws: StreamRng::new(config.train.seed, Stream::Replay),
        })
    }

    /// Where the transition is that came `age` transitions before the latest.
    fn place(&self, age: usize) -> usize {
        (self.next + self.capacity - 1 - age) % self.capacity
    }
}

impl ReplayBuffer for RecentReplay {
    fn push(&mut self, transition: &Transition<'_>) {
        let (place, len) = (self.next, self.observation_len);
        self.observations[place * len..][..len].copy_from_slice(transition.observation);
        self.next_observations[place * len..][..len].copy_from_slice(transition.next_observation);
        self.actions[place] = transition.action;
        self.rewards[place] = transition.reward;
        self.discounts[place] = transition.discount;
        self.next = (place + 1) % self.capacity;
        self.len = self.capacity.min(self.len + 1);
    }

    fn len(&self) -> usize {
        self.len
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        let len = self.observation_len;
        for row in 0..batch.rows() {
            let among = if row % 2 == 0 { self.len } else { self.len.div_ceil(10) };
            let age = self.draws.below(among as u32) as usize;
            let place = self.place(age);
            batch.observations[row * len..][..len].copy_from_slice(&self.observations[place * len..][..len]);
            batch.next_observations[row * len..][..len].copy_from_slice(&self.next_observations[place * len..][..len]);
            batch.actions[row] = self.actions[place];
            batch.rewards[row] = self.rewards[place];
            batch.discounts[row] = self.discounts[place];
            batch.indices[row] = place as u32;
        }
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put_f32("replay/observations", vec![self.observations.len()], &self.observations);
        state.put_f32("replay/next_observations", vec![self.next_observations.len()], &self.next_observations);
        state.put_u32("replay/actions", vec![self.capacity], &self.actions);
        state.put_f32("replay/rewards", vec![self.capacity], &self.rewards);
        state.put_f32("replay/discounts", vec![self.capacity], &self.discounts);
        state.put("replay/ring", (self.next, self.len, self.draws.position()));
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.read_f32("replay/observations", &mut self.observations)?;
        state.read_f32("replay/next_observations", &mut self.next_observations)?;
        state.read_u32("replay/actions", &mut self.actions)?;
        state.read_f32("replay/rewards", &mut self.rewards)?;
        state.read_f32("replay/discounts", &mut self.discounts)?;
        let (next, len, position): (usize, usize, u64) = state.read("replay/ring")?;
        if next >= self.capacity || len > self.capacity {
            return Err(StateError::new("replay/ring", "is of another capacity"));
        }
        (self.next, self.len) = (next, len);
        self.draws.set_position(position);
        Ok(())
    }
}
