//! [`NStepAccumulator`], transitions over several steps (Sutton 1988; in deep Q-learning: Hessel et al. 2018, section
//! "Multi-step learning").

use super::ReplayError;
use super::buffer::check_memory;
use crate::agent::Experience;
use crate::state::{State, StateError};
use crate::transition::Transition;

/// The steps of one world that wait until n of them make a transition.
///
/// A transition from step t holds `Σ γᵏ·r(t+k)` over the k < m steps that it spans, the observation and the mask after the
/// last of them, and the discount γᵐ, or 0 where the world terminated there. m is n, or fewer at the end of an episode, be it
/// terminated or truncated: then all steps that still wait come out, oldest first, and none waits for the next episode.
///
/// Rewards are rounded to `f32` as they come; powers of γ (repeated products) and the sum, from the earliest reward to the
/// latest, are `f64`, rounded to `f32` once at the end. For n = 1 that is the reward itself.
///
/// ```
/// use requel::Experience;
/// use requel::replay::NStepAccumulator;
/// use requel_envs::Step;
///
/// let mut two = NStepAccumulator::new(2, 0.5, 1)?;
/// let mut seen = Vec::new();
/// for (at, terminated) in [(0.0, false), (1.0, false), (2.0, true)] {
///     let step = Step { reward: 1.0, terminated, truncated: false };
///     let (observation, next_observation) = (&[at], &[at + 1.0]);
///     let experience = Experience { slot: 0, observation, action: 0, step, next_observation, next_mask: None };
///     two.push(&experience, &mut |t| seen.push((t.observation[0], t.reward, t.discount, t.next_observation[0])));
/// }
/// assert_eq!(seen, [(0.0, 1.5, 0.25, 2.0), (1.0, 1.5, 0.0, 3.0), (2.0, 1.0, 0.0, 3.0)]);
/// # Ok::<(), requel::replay::ReplayError>(())
/// ```
pub struct NStepAccumulator {
    observation_len: usize,
    /// γ⁰ to γⁿ.
    powers: Vec<f64>,
    /// A ring of n slots: n × observation length.
    observations: Vec<f32>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    /// The slot of the step that has waited longest.
    start: usize,
    /// How many steps wait.
    len: usize,
}

impl NStepAccumulator {
    /// For transitions of up to `n` steps, each discounted by `gamma`, between observations of so many numbers.
    ///
    /// # Errors
    /// If `n` is 0 or the steps that wait do not fit the memory.
    pub fn new(n: usize, gamma: f64, observation_len: usize) -> Result<Self, ReplayError> {
        if n == 0 {
            return Err(ReplayError::NoSteps);
        }
        // One step needs no waiting, so that nothing is kept of it.
        let slots = if n == 1 { 0 } else { n };
        let per_step = (observation_len as u64).saturating_add(4).saturating_mul(4);
        check_memory(n, (n as u64).saturating_mul(per_step))?;
        let powers = std::iter::successors(Some(1.0), |power| Some(power * gamma)).take(n + 1).collect();
        Ok(NStepAccumulator {
            observation_len,
            powers,
            observations: vec![0.0; slots * observation_len],
            actions: vec![0; slots],
            rewards: vec![0.0; slots],
            start: 0,
            len: 0,
        })
    }

    /// The largest number of steps of a transition.
    pub fn n(&self) -> usize {
        self.powers.len() - 1
    }

    /// Takes a step of this accumulator's world and emits the transitions that it completes.
    pub fn push(&mut self, experience: &Experience<'_>, emit: &mut dyn FnMut(&Transition<'_>)) {
        let n = self.n();
        if n == 1 {
            emit(&Transition {
                observation: experience.observation,
                action: experience.action as u32,
                reward: experience.step.reward as f32,
                discount: self.discount(1, experience),
                next_observation: experience.next_observation,
                next_mask: experience.next_mask,
            });
            return;
        }
        let slot = (self.start + self.len) % n;
        self.observations[slot * self.observation_len..][..self.observation_len]
            .copy_from_slice(experience.observation);
        self.actions[slot] = experience.action as u32;
        self.rewards[slot] = experience.step.reward as f32;
        self.len += 1;
        if experience.step.ended() {
            while self.len > 0 {
                self.emit_oldest(experience, emit);
            }
        } else if self.len == n {
            self.emit_oldest(experience, emit);
        }
    }

    /// Emits the transition from the oldest step to the end of `last`.
    fn emit_oldest(&mut self, last: &Experience<'_>, emit: &mut dyn FnMut(&Transition<'_>)) {
        let n = self.n();
        let rewards = (0..self.len).map(|step| f64::from(self.rewards[(self.start + step) % n]));
        let sum = rewards.zip(&self.powers).fold(0.0, |sum, (reward, power)| sum + power * reward);
        emit(&Transition {
            observation: &self.observations[self.start * self.observation_len..][..self.observation_len],
            action: self.actions[self.start],
            reward: sum as f32,
            discount: self.discount(self.len, last),
            next_observation: last.next_observation,
            next_mask: last.next_mask,
        });
        self.start = (self.start + 1) % n;
        self.len -= 1;
    }

    /// What the value after `steps` steps counts for. Truncation ends the episode, not the future.
    fn discount(&self, steps: usize, last: &Experience<'_>) -> f32 {
        if last.step.terminated { 0.0 } else { self.powers[steps] as f32 }
    }

    /// Adds the steps that wait under `name`, which every world has its own of, such as `replay/n_step.0`. Of one step none
    /// waits, and nothing is added.
    pub fn save<'a>(&'a self, name: &str, state: &mut State<'a>) {
        if self.n() == 1 {
            return;
        }
        let shape = vec![self.n(), self.observation_len];
        state.put_f32(format!("{name}.observations"), shape, &self.observations);
        state.put_u32(format!("{name}.actions"), vec![self.n()], &self.actions);
        state.put_f32(format!("{name}.rewards"), vec![self.n()], &self.rewards);
        state.put(format!("{name}.window"), [self.start, self.len]);
    }

    /// Takes over what was saved under `name`.
    ///
    /// # Errors
    /// If it is missing or of an accumulator of other steps.
    pub fn restore(&mut self, name: &str, state: &State<'_>) -> Result<(), StateError> {
        let n = self.n();
        if n == 1 {
            return Ok(());
        }
        let window = format!("{name}.window");
        let [start, len]: [usize; 2] = state.read(&window)?;
        // A full window has always been emitted from.
        if start >= n || len >= n {
            return Err(StateError::new(window, format!("is {len} steps from {start}, not fewer than {n} within {n}")));
        }
        state.read_f32(&format!("{name}.observations"), &mut self.observations)?;
        state.read_u32(&format!("{name}.actions"), &mut self.actions)?;
        state.read_f32(&format!("{name}.rewards"), &mut self.rewards)?;
        (self.start, self.len) = (start, len);
        Ok(())
    }
}
