//! [`NStepAccumulator`], transitions over several steps (Sutton 1988; in deep Q-learning: Hessel et al. 2018, section
//! "Multi-step learning").

use super::ReplayError;
use super::buffer::check_size;
use crate::experience::Experience;
use crate::state::{State, StateError};
use crate::transition::Transition;

/// The steps of one environment that are waiting until n of them make a transition.
///
/// A transition from step t has `Σ γᵏ·r(t+k)` over the k < m steps that it spans, the observation and the mask after the last of them, and
/// the discount γᵐ, or 0 if the environment terminated there. m is n, or less at the end of an episode, whether terminated or truncated:
/// then all waiting steps are emitted, oldest first, and none waits for the next episode.
///
/// Rewards are rounded to `f32` as they arrive; powers of γ (repeated products) and the sum, from the earliest reward to the latest, are
/// computed in `f64` and rounded to `f32` once at the end. For n = 1 the result is the reward itself.
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
///     let (mask, next_mask) = (None, None);
///     let experience = Experience { slot: 0, observation, mask, action: 0, step, next_observation, next_mask };
///     two.push(&experience, &mut |t| seen.push((t.observation[0], t.reward, t.discount, t.next_observation[0])));
/// }
/// assert_eq!(seen, [(0.0, 1.5, 0.25, 2.0), (1.0, 1.5, 0.0, 3.0), (2.0, 1.0, 0.0, 3.0)]);
/// # Ok::<(), requel::replay::ReplayError>(())
/// ```
pub struct NStepAccumulator {
    observation_len: usize,
    /// The environment that the steps come from, once there is one.
    env: Option<usize>,
    /// γ⁰ to γⁿ.
    powers: Vec<f64>,
    /// A ring of n slots: n × observation length.
    observations: Vec<f32>,
    /// The masks in the same ring: n × actions, empty if no masks are stored.
    masks: Vec<bool>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    /// The slot of the step that has waited longest.
    start: usize,
    /// How many steps are waiting.
    len: usize,
}

impl NStepAccumulator {
    /// For transitions of up to `n` steps, discounted by `gamma` per step, with observations of this many numbers.
    ///
    /// # Errors
    /// If `n` is 0, `gamma` is not from 0 to 1, or the waiting steps need more memory than can be addressed.
    pub fn new(n: usize, gamma: f64, observation_len: usize) -> Result<Self, ReplayError> {
        if n == 0 {
            return Err(ReplayError::NoSteps);
        }
        if !(0.0..=1.0).contains(&gamma) {
            return Err(ReplayError::Discount { gamma });
        }
        // One-step transitions need no waiting, so nothing is stored.
        let slots = if n == 1 { 0 } else { n };
        check_size(n, Self::bytes_needed(n, observation_len))?;
        let powers = std::iter::successors(Some(1.0), |power| Some(power * gamma)).take(n + 1).collect();
        Ok(NStepAccumulator {
            observation_len,
            env: None,
            powers,
            observations: vec![0.0; slots * observation_len],
            masks: Vec::new(),
            actions: vec![0; slots],
            rewards: vec![0.0; slots],
            start: 0,
            len: 0,
        })
    }

    /// Approximate bytes of the waiting steps, for this many steps and numbers per observation.
    pub fn bytes_needed(n: usize, observation_len: usize) -> u64 {
        let per_step = (observation_len as u64).saturating_add(4).saturating_mul(4);
        (n as u64).saturating_mul(per_step)
    }

    /// The same with masks for this many actions. Without it, masks of waiting steps are discarded.
    #[must_use]
    pub fn with_masks(mut self, actions: usize) -> Self {
        self.masks = vec![true; self.actions.len() * actions];
        self
    }

    /// The maximum number of steps of a transition.
    pub fn n(&self) -> usize {
        self.powers.len() - 1
    }

    /// Takes a step of this accumulator's environment and emits the transitions that it completes.
    ///
    /// # Panics
    /// If the length of an observation or of a mask is wrong, or the step comes from another environment (slot) than the previous ones:
    /// their steps would be mixed.
    pub fn push(&mut self, experience: &Experience<'_>, emit: &mut dyn FnMut(&Transition<'_>)) {
        let n = self.n();
        let env = *self.env.get_or_insert(experience.slot);
        assert!(env == experience.slot, "a step of environment {} among those of environment {env}", experience.slot);
        let lengths = (experience.observation.len(), experience.next_observation.len());
        let expected = self.observation_len;
        assert!(lengths == (expected, expected), "observations of {lengths:?} numbers, not {expected}");
        if n == 1 {
            emit(&Transition {
                observation: experience.observation,
                mask: experience.mask,
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
        let actions = self.masks.len() / n;
        let mask = &mut self.masks[slot * actions..][..actions];
        match experience.mask {
            Some(allowed) if !mask.is_empty() => {
                assert!(allowed.len() == actions, "a mask of {} entries for {actions} actions", allowed.len());
                mask.copy_from_slice(allowed);
            }
            _ => mask.fill(true),
        }
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

    /// Drops the waiting steps: the next step does not follow them.
    pub fn clear(&mut self) {
        (self.start, self.len) = (0, 0);
    }

    /// Emits the transition from the oldest step to the end of `last`.
    fn emit_oldest(&mut self, last: &Experience<'_>, emit: &mut dyn FnMut(&Transition<'_>)) {
        let n = self.n();
        let rewards = (0..self.len).map(|step| f64::from(self.rewards[(self.start + step) % n]));
        let sum = rewards.zip(&self.powers).fold(0.0, |sum, (reward, power)| sum + power * reward);
        let actions = self.masks.len() / n;
        emit(&Transition {
            observation: &self.observations[self.start * self.observation_len..][..self.observation_len],
            mask: (actions > 0).then(|| &self.masks[self.start * actions..][..actions]),
            action: self.actions[self.start],
            reward: sum as f32,
            discount: self.discount(self.len, last),
            next_observation: last.next_observation,
            next_mask: last.next_mask,
        });
        self.start = (self.start + 1) % n;
        self.len -= 1;
    }

    /// The discount of the value after `steps` steps. Truncation ends the episode, not the future.
    fn discount(&self, steps: usize, last: &Experience<'_>) -> f32 {
        if last.step.terminated { 0.0 } else { self.powers[steps] as f32 }
    }

    /// Saves the waiting steps under `name`, which must be unique per environment (`replay/n_step.0`). For n = 1 no steps wait, and nothing
    /// is saved.
    pub fn save<'a>(&'a self, name: &str, state: &mut State<'a>) {
        if self.n() == 1 {
            return;
        }
        let shape = vec![self.n(), self.observation_len];
        state.put_f32(format!("{name}.observations"), shape, &self.observations);
        if !self.masks.is_empty() {
            state.put_flags(format!("{name}.masks"), &self.masks);
        }
        state.put_u32(format!("{name}.actions"), vec![self.n()], &self.actions);
        state.put_f32(format!("{name}.rewards"), vec![self.n()], &self.rewards);
        state.put(format!("{name}.window"), [self.start, self.len]);
    }

    /// Restores what was saved under `name`.
    ///
    /// # Errors
    /// If it is missing or from an accumulator with other settings.
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
        if !self.masks.is_empty() {
            state.read_flags(&format!("{name}.masks"), &mut self.masks)?;
        }
        (self.start, self.len) = (start, len);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use requel_envs::Step;

    use super::*;

    /// A step of the environments below: the reward, and whether the episode continues.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Ending {
        None,
        Terminated,
        Truncated,
    }

    /// First observation, action, reward, discount, next observation, whether action 0 is allowed there, and whether it was
    /// allowed at first.
    type Seen = (f32, u32, f32, f32, f32, Option<bool>, Option<bool>);

    fn push(accumulator: &mut NStepAccumulator, id: usize, reward: f64, ending: Ending, seen: &mut Vec<Seen>) {
        let step = Step { reward, terminated: ending == Ending::Terminated, truncated: ending == Ending::Truncated };
        let (observation, next_observation) = (&[id as f32, -1.0], &[id as f32 + 0.5, -2.0]);
        let mask = [id.is_multiple_of(2), true];
        let next_mask = (!id.is_multiple_of(3)).then_some(&mask[..]);
        // Of an environment that has masks now and then, none is everything.
        let own = [id.is_multiple_of(5), true];
        let mask = (!id.is_multiple_of(7)).then_some(&own[..]);
        let experience = Experience { slot: 0, observation, mask, action: id, step, next_observation, next_mask };
        accumulator.push(&experience, &mut |t| {
            assert_eq!((t.observation[1], t.next_observation[1]), (-1.0, -2.0));
            let (allowed, next_allowed) = (t.mask.map(|mask| mask[0]), t.next_mask.map(|mask| mask[0]));
            assert!(t.mask.is_none_or(|mask| mask.len() == 2 && mask[1]));
            seen.push((t.observation[0], t.action, t.reward, t.discount, t.next_observation[0], next_allowed, allowed));
        });
    }

    /// The obvious twin: whole episodes, each step's transition by its definition.
    fn by_definition(n: usize, gamma: f64, steps: &[(f64, Ending)]) -> Vec<Seen> {
        let mut seen = Vec::new();
        for first in 0..steps.len() {
            let rest = steps.len() - first;
            let to_end = steps[first..].iter().position(|(_, ending)| *ending != Ending::None);
            let span = match to_end {
                Some(at) => n.min(at + 1),
                None if rest < n => continue,
                None => n,
            };
            let last = first + span - 1;
            let mut sum = 0.0;
            for (k, (reward, _)) in steps[first..=last].iter().enumerate() {
                sum += (0..k).fold(1.0, |power, _| power * gamma) * f64::from(*reward as f32);
            }
            let discount = (0..span).fold(1.0, |power, _| power * gamma) as f32;
            let discount = if steps[last].1 == Ending::Terminated { 0.0 } else { discount };
            let next_allowed = (!last.is_multiple_of(3)).then_some(last.is_multiple_of(2));
            let allowed = (!first.is_multiple_of(7)).then_some(first.is_multiple_of(5));
            // What has waited has a mask, be it of all.
            let allowed = if n > 1 { Some(allowed.unwrap_or(true)) } else { allowed };
            seen.push((first as f32, first as u32, sum as f32, discount, last as f32 + 0.5, next_allowed, allowed));
        }
        seen
    }

    fn steps() -> impl Strategy<Value = Vec<(f64, Ending)>> {
        let ending = prop_oneof![8 => Just(Ending::None), 1 => Just(Ending::Terminated), 1 => Just(Ending::Truncated)];
        proptest::collection::vec((-10.0f64..10.0, ending), 0..80)
    }

    proptest! {
        #[test]
        fn equals_the_definition(n in 1usize..7, gamma in 0.0f64..=1.0, steps in steps()) {
            let mut accumulator = NStepAccumulator::new(n, gamma, 2).unwrap().with_masks(2);
            let mut seen = Vec::new();
            for (id, (reward, ending)) in steps.iter().enumerate() {
                push(&mut accumulator, id, *reward, *ending, &mut seen);
            }
            prop_assert_eq!(seen, by_definition(n, gamma, &steps));
        }

        #[test]
        fn restored_goes_on(n in 1usize..7, steps in steps(), at in 0.0f64..1.0) {
            let cut = (steps.len() as f64 * at) as usize;
            let new = || NStepAccumulator::new(n, 0.9, 2).unwrap().with_masks(2);
            let (mut accumulator, mut resumed, mut seen, mut seen_resumed) = (new(), new(), Vec::new(), Vec::new());
            for (id, (reward, ending)) in steps[..cut].iter().enumerate() {
                push(&mut accumulator, id, *reward, *ending, &mut seen);
            }
            let mut state = State::default();
            accumulator.save("replay/n_step.3", &mut state);
            resumed.restore("replay/n_step.3", &state).unwrap();
            seen.clear();
            for (id, (reward, ending)) in steps.iter().enumerate().skip(cut) {
                push(&mut accumulator, id, *reward, *ending, &mut seen);
                push(&mut resumed, id, *reward, *ending, &mut seen_resumed);
            }
            prop_assert_eq!(seen, seen_resumed);
            // A checkpoint of both is the same, byte for byte.
            let (mut state, mut state_resumed) = (State::default(), State::default());
            accumulator.save("replay/n_step.3", &mut state);
            resumed.save("replay/n_step.3", &mut state_resumed);
            prop_assert_eq!(state, state_resumed);
        }
    }

    #[test]
    fn hand_worked() {
        // n = 3, γ = 0.5; five steps, truncated; then two steps, terminated.
        let rewards = [1.0, 2.0, 4.0, 8.0, 16.0, 1.0, 1.0];
        let endings = [
            Ending::None,
            Ending::None,
            Ending::None,
            Ending::None,
            Ending::Truncated,
            Ending::None,
            Ending::Terminated,
        ];
        let mut accumulator = NStepAccumulator::new(3, 0.5, 2).unwrap();
        let (mut seen, mut counts) = (Vec::new(), Vec::new());
        for (id, (reward, ending)) in rewards.into_iter().zip(endings).enumerate() {
            push(&mut accumulator, id, reward, ending, &mut seen);
            counts.push(seen.len());
        }
        assert_eq!(counts, [0, 0, 1, 2, 5, 5, 7]);
        let expected = [
            // 1 + 2/2 + 4/4, to the end of step 2.
            (0.0, 0, 3.0, 0.125, 2.5, Some(true), None),
            // 2 + 4/2 + 8/4
            (1.0, 1, 6.0, 0.125, 3.5, None, None),
            // 4 + 8/2 + 16/4: the last whole window ends where the episode is cut off, and bootstraps there.
            (2.0, 2, 12.0, 0.125, 4.5, Some(true), None),
            // 8 + 16/2, over two steps.
            (3.0, 3, 16.0, 0.25, 4.5, Some(true), None),
            (4.0, 4, 16.0, 0.5, 4.5, Some(true), None),
            // 1 + 1/2: nothing follows a terminal state.
            (5.0, 5, 1.5, 0.0, 6.5, None, None),
            (6.0, 6, 1.0, 0.0, 6.5, None, None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn one_step_passes_what_is_there() {
        let mut accumulator = NStepAccumulator::new(1, 0.9, 1).unwrap();
        let (observation, next_observation) = ([1.0f32], [2.0f32]);
        let step = Step { reward: 0.1, terminated: false, truncated: true };
        let experience = Experience {
            slot: 0,
            observation: &observation,
            mask: Some(&[true, false]),
            action: 3,
            step,
            next_observation: &next_observation,
            next_mask: None,
        };
        let mut count = 0;
        accumulator.push(&experience, &mut |t| {
            assert!(std::ptr::eq(t.observation, &observation[..]), "copied");
            assert_eq!(t.mask, Some(&[true, false][..]));
            assert!(std::ptr::eq(t.next_observation, &next_observation[..]), "copied");
            assert_eq!((t.action, t.reward, t.discount), (3, 0.1, 0.9));
            count += 1;
        });
        assert_eq!(count, 1);
    }

    #[test]
    fn steps_that_are_not_of_this_environment_are_refused() {
        for n in [1, 3] {
            let mut accumulator = NStepAccumulator::new(n, 0.9, 2).unwrap().with_masks(2);
            let mut push = |slot: usize, observation: &[f32], next: &[f32], mask: Option<&[bool]>| {
                let step = Step { reward: 1.0, ..Step::default() };
                let (next_observation, next_mask) = (next, None);
                let experience = Experience { slot, observation, mask, action: 0, step, next_observation, next_mask };
                let push = || accumulator.push(&experience, &mut |_| {});
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(push))
                    .map_err(|cause| cause.downcast_ref::<String>().cloned().expect("a message"))
            };
            push(4, &[0.0; 2], &[0.0; 2], None).unwrap();
            let refusal = push(5, &[0.0; 2], &[0.0; 2], None).unwrap_err();
            assert!(refusal.contains("a step of environment 5 among those of environment 4"), "{refusal}");
            assert!(push(4, &[0.0], &[0.0; 2], None).unwrap_err().contains("not 2"));
            assert!(push(4, &[0.0; 2], &[0.0; 3], None).unwrap_err().contains("not 2"));
            assert_eq!(push(4, &[0.0; 2], &[0.0; 2], Some(&[true; 3])).is_err(), n > 1, "of one step no mask is kept");
        }
    }

    #[test]
    fn refuses_what_cannot_be() {
        assert_eq!(NStepAccumulator::new(0, 0.9, 1).err(), Some(ReplayError::NoSteps));
        assert!(NStepAccumulator::new(usize::MAX, 0.9, 1).is_err());
        assert!(NStepAccumulator::new(4, 0.9, usize::MAX).is_err());
        for gamma in [-1.0, 1.1, f64::NAN, f64::INFINITY] {
            let error = NStepAccumulator::new(3, gamma, 1).err().unwrap();
            assert!(error.to_string().contains("it must be from 0 to 1"), "{error}");
        }
        let mut state = State::default();
        let saved = NStepAccumulator::new(3, 0.9, 2).unwrap();
        saved.save("replay/n_step.0", &mut state);
        for (n, len) in [(2, 2), (4, 2), (3, 1)] {
            assert!(NStepAccumulator::new(n, 0.9, len).unwrap().restore("replay/n_step.0", &state).is_err());
        }
        let error = NStepAccumulator::new(3, 0.9, 2).unwrap().restore("replay/n_step.1", &state).unwrap_err();
        assert_eq!(error.name, "replay/n_step.1.window");
        state.put("replay/n_step.0.window", [0, 3]);
        assert!(NStepAccumulator::new(3, 0.9, 2).unwrap().restore("replay/n_step.0", &state).is_err());
    }
}
