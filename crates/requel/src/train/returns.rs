//! Returns and lengths of training episodes.

use std::collections::VecDeque;

use requel_envs::Step;
use serde::{Deserialize, Serialize};

/// A finished episode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpisodeRecord {
    /// Number of the episode, from 0 in the order they ended.
    pub index: u64,
    /// Undiscounted sum of rewards.
    #[serde(rename = "return")]
    pub return_: f64,
    /// Env steps.
    pub length: u64,
    /// Ended in a terminal state.
    pub terminated: bool,
    /// Cut off by the time limit.
    pub truncated: bool,
}

/// The current episode of each environment, and the last ones that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Returns {
    /// Return and length so far, per environment.
    running: Vec<(f64, u64)>,
    /// The last episodes, at most 100.
    last: VecDeque<(f64, u64)>,
    /// How many ended.
    pub episodes: u64,
}

/// Training returns are averaged over this many episodes.
const WINDOW: usize = 100;

impl Returns {
    pub fn new(num_envs: usize) -> Self {
        Returns { running: vec![(0.0, 0); num_envs], last: VecDeque::with_capacity(WINDOW + 1), episodes: 0 }
    }

    pub fn num_envs(&self) -> usize {
        self.running.len()
    }

    /// Counts a step in environment `slot`; returns the episode if it ended with that step.
    pub fn step(&mut self, slot: usize, step: Step) -> Option<EpisodeRecord> {
        let (return_, length) = &mut self.running[slot];
        *return_ += step.reward;
        *length += 1;
        if !step.ended() {
            return None;
        }
        let (return_, length) = std::mem::take(&mut self.running[slot]);
        if self.last.len() == WINDOW {
            self.last.pop_front();
        }
        self.last.push_back((return_, length));
        let index = self.episodes;
        self.episodes += 1;
        Some(EpisodeRecord { index, return_, length, terminated: step.terminated, truncated: step.truncated })
    }

    /// Drops the current episode of environment `slot`.
    pub fn abandon(&mut self, slot: usize) {
        self.running[slot] = (0.0, 0);
    }

    /// Length of the current episode of environment `slot`, env steps.
    pub fn running_length(&self, slot: usize) -> u64 {
        self.running[slot].1
    }

    /// Mean return and length of the last 100 episodes.
    pub fn means(&self) -> Option<(f64, f64)> {
        let n = self.last.len() as f64;
        let sum = self.last.iter().fold((0.0, 0.0), |sum, (r, l)| (sum.0 + r, sum.1 + *l as f64));
        (!self.last.is_empty()).then_some((sum.0 / n, sum.1 / n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_hundred() {
        let mut returns = Returns::new(2);
        assert_eq!(returns.means(), None);
        for episode in 0..150u64 {
            let step = Step { reward: episode as f64, terminated: true, truncated: false };
            assert_eq!(returns.step(1, step).unwrap().index, episode);
        }
        // The mean of 50 to 149.
        assert_eq!(returns.means(), Some((99.5, 1.0)));
    }

    #[test]
    fn environments_run_side_by_side() {
        let mut returns = Returns::new(2);
        let step = |ended| Step { reward: 1.0, terminated: false, truncated: ended };
        assert!(returns.step(0, step(false)).is_none());
        assert!(returns.step(1, step(false)).is_none());
        assert!(returns.step(0, step(false)).is_none());
        let ended = returns.step(1, step(true)).unwrap();
        assert_eq!((ended.return_, ended.length, ended.truncated), (2.0, 2, true));
        let ended = returns.step(0, step(true)).unwrap();
        assert_eq!((ended.return_, ended.length), (3.0, 3));
    }
}
