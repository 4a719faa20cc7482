//! [`RecentReplay`], your own replay buffer.

use requel::agent::AgentError;
use requel::replay::ReplayBuffer;
use requel::state::{SharedRows, State, StateError};
use requel::train::AgentEnv;
use requel::{BatchMut, Config, Stream, StreamRng, Transition};

/// Keeps the last transitions, and draws half of each batch from the latest tenth of them: what was learned from early on is worth
/// less where the policy has changed since.
pub struct RecentReplay {
    observation_len: usize,
    /// A ring of transitions, a row each: the next one goes where `next` is. Training does not wait while these are saved.
    transitions: SharedRows,
    /// Both observations of the row that was read last.
    read: Vec<f32>,
    next: usize,
    len: usize,
    draws: StreamRng,
}

/// Words of a row before its two observations: action, reward, discount.
const HEADER: usize = 3;

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
            transitions: SharedRows::zeroed(capacity, HEADER + 2 * len),
            read: vec![0.0; 2 * len],
            next: 0,
            len: 0,
            draws: StreamRng::new(config.train.seed, Stream::Replay),
        })
    }

    /// Where the transition is that came `age` transitions before the latest.
    fn place(&self, age: usize) -> usize {
        (self.next + self.capacity() - 1 - age) % self.capacity()
    }
}

fn encode(numbers: &[f32], words: &mut [u32]) {
    words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number.to_bits());
}

fn decode(words: &[u32], numbers: &mut [f32]) {
    numbers.iter_mut().zip(words).for_each(|(number, word)| *number = f32::from_bits(*word));
}

impl ReplayBuffer for RecentReplay {
    fn push(&mut self, transition: &Transition<'_>) {
        let (header, observations) = self.transitions.row_mut(self.next).split_at_mut(HEADER);
        header.copy_from_slice(&[transition.action, transition.reward.to_bits(), transition.discount.to_bits()]);
        let (observation, next_observation) = observations.split_at_mut(self.observation_len);
        encode(transition.observation, observation);
        encode(transition.next_observation, next_observation);
        self.next = (self.next + 1) % self.capacity();
        self.len = self.capacity().min(self.len + 1);
    }

    fn len(&self) -> usize {
        self.len
    }

    fn capacity(&self) -> usize {
        self.transitions.rows()
    }

    fn sample(&mut self, batch: &mut BatchMut<'_>) {
        let len = self.observation_len;
        for row in 0..batch.rows() {
            let among = if row % 2 == 0 { self.len } else { self.len.div_ceil(10) };
            let age = self.draws.below(among as u32) as usize;
            let place = self.place(age);
            let (header, observations) = self.transitions.row(place).split_at(HEADER);
            decode(observations, &mut self.read);
            let (observation, next_observation) = self.read.split_at(len);
            batch.observations.write(row, observation, next_observation);
            batch.actions[row] = header[0];
            batch.rewards[row] = f32::from_bits(header[1]);
            batch.discounts[row] = f32::from_bits(header[2]);
            batch.indices[row] = place as u32;
        }
    }

    fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put_rows("replay/transitions", &self.transitions, 0..self.len);
        state.put("replay/ring", (self.next, self.len, self.draws.position()));
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let (next, len, position): (usize, usize, u64) = state.read("replay/ring")?;
        if next >= self.capacity() || len > self.capacity() {
            return Err(StateError::new("replay/ring", "is of another capacity"));
        }
        state.read_rows("replay/transitions", &mut self.transitions, 0..len)?;
        (self.next, self.len) = (next, len);
        self.draws.set_position(position);
        Ok(())
    }
}
