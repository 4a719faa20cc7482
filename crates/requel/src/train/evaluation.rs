//! Scoring a policy over whole episodes.

use std::sync::Arc;

use requel_envs::{Action, Env, EnvError};
use serde::Serialize;

use super::envs::for_network;
use super::{EnvFactory, TrainError};
use crate::agent::{AgentError, Masks, Policy, PolicyInput};
use crate::finite::first_not_finite;

/// Whether to abort long work.
pub type GiveUp = Arc<dyn Fn() -> bool + Send + Sync>;

/// The score of a policy: returns of whole episodes, in the order of their seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// Undiscounted return of each episode.
    pub returns: Vec<f64>,
    /// Length of each episode, env steps.
    pub lengths: Vec<u64>,
    /// How many episodes were cut off at `evaluation.max_episode_steps`: their returns are those reached by then.
    pub cut_off: usize,
}

impl Evaluation {
    /// Number of episodes.
    pub fn episodes(&self) -> usize {
        self.returns.len()
    }

    /// Mean of the returns; 0 without episodes.
    pub fn mean_return(&self) -> f64 {
        mean(self.returns.iter().copied())
    }

    /// Standard deviation of the returns over these episodes (the population's, as numpy's `std`).
    pub fn std_return(&self) -> f64 {
        let mean_return = self.mean_return();
        mean(self.returns.iter().map(|r| (r - mean_return) * (r - mean_return))).sqrt()
    }

    /// Mean length, env steps.
    pub fn mean_length(&self) -> f64 {
        mean(self.lengths.iter().map(|l| *l as f64))
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len();
    if n == 0 { 0.0 } else { values.sum::<f64>() / n as f64 }
}

/// Environments for scoring policies, with many episodes in parallel.
///
/// Episode `i` starts from `reset(seed + i)` whatever else runs in parallel, so that its return depends only on its seed and the policy and
/// can be reproduced separately, in Gymnasium too.
pub struct Evaluator {
    episodes: Vec<Episode>,
    max_episode_steps: u64,
    observations: Vec<f32>,
    /// The policy's slot for each environment: environments change places, and what a policy remembers moves with them.
    slots: Vec<usize>,
    actions: Vec<usize>,
    /// Environments × actions: which are allowed; empty if all are.
    masks: Vec<bool>,
    give_up: Option<GiveUp>,
}

/// An environment and the episode being played in it.
struct Episode {
    env: Box<dyn Env>,
    /// Index of the episode in the evaluation.
    index: usize,
    return_: f64,
    length: u64,
}

impl Evaluator {
    /// Maximum number of environments: enough rows for the matrix kernels to be at their best, few enough to stay in the cache.
    pub const SIDE_BY_SIDE: usize = 32;

    /// Environments for evaluations of up to `episodes` episodes, each cut off after `max_episode_steps` env steps.
    ///
    /// # Errors
    /// If an environment cannot be created.
    pub fn new(factory: &EnvFactory, episodes: usize, max_episode_steps: u64) -> Result<Self, EnvError> {
        let count = episodes.clamp(1, Self::SIDE_BY_SIDE);
        let make = |_| Ok(Episode { env: for_network(factory()?)?, index: 0, return_: 0.0, length: 0 });
        let side_by_side = (0..count).map(make).collect::<Result<Vec<_>, EnvError>>()?;
        Ok(Evaluator {
            max_episode_steps,
            observations: vec![0.0; count * side_by_side[0].env.observation_len()],
            episodes: side_by_side,
            slots: (0..count).collect(),
            actions: vec![0; count],
            masks: Vec::new(),
            give_up: None,
        })
    }

    /// Makes an evaluation fail with [`TrainError::Interrupted`] once `give_up` returns true; it is called at every step.
    pub fn give_up_when(&mut self, give_up: GiveUp) {
        self.give_up = Some(give_up);
    }

    /// How many observations the policy must be able to handle at once.
    pub fn rows(&self) -> usize {
        self.episodes.len()
    }

    /// Plays `episodes` episodes, the `i`-th from seed `seed + i`.
    ///
    /// # Errors
    /// If the policy is for observations or actions of another shape, if an environment fails, or if an observation or a reward is not
    /// finite: a score with skipped steps would be meaningless. And if it is aborted: see [`Evaluator::give_up_when`].
    pub fn evaluate(&mut self, policy: &mut dyn Policy, episodes: usize, seed: u64) -> Result<Evaluation, TrainError> {
        self.evaluate_telling(policy, episodes, seed, &mut |_| Ok(()))
    }

    /// The same; `played` is called with the number of finished episodes whenever one ends.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`], and any error of `played`.
    pub fn evaluate_telling(
        &mut self,
        policy: &mut dyn Policy,
        episodes: usize,
        seed: u64,
        played: &mut dyn FnMut(usize) -> Result<(), TrainError>,
    ) -> Result<Evaluation, TrainError> {
        let mut evaluation = Evaluation { returns: vec![0.0; episodes], lengths: vec![0; episodes], cut_off: 0 };
        let count = self.check(policy)?;
        let len = self.episodes[0].env.observation_len();
        let mut next_episode = 0;
        // Environments [0, running) are playing an episode.
        let (mut running, mut ended) = (0, 0);
        while running < self.episodes.len() && next_episode < episodes {
            policy.begin(self.slots[running]);
            self.episodes[running].begin(next_episode, seed, &mut self.observations[running * len..][..len])?;
            next_episode += 1;
            running += 1;
        }
        while running > 0 {
            if self.give_up.as_ref().is_some_and(|give_up| give_up()) {
                return Err(TrainError::Interrupted);
            }
            self.read_masks(running, count);
            let Evaluator { episodes: side_by_side, observations, slots, actions, masks, .. } = self;
            let (observations_now, masks) = (&observations[..running * len], Masks::new(masks, count));
            let input = PolicyInput { observations: observations_now, slots: &slots[..running], masks };
            policy.choose(&input, &mut actions[..running])?;
            let mut place = 0;
            while place < running {
                let (episode, action) = (&mut side_by_side[place], actions[place]);
                let observation = &mut observations[place * len..][..len];
                let step = episode.env.step(Action::Discrete(action), observation)?;
                episode.check(observation, step.reward, Some(action))?;
                episode.return_ += step.reward;
                episode.length += 1;
                if !step.ended() && episode.length < self.max_episode_steps {
                    place += 1;
                    continue;
                }
                evaluation.cut_off += usize::from(!step.ended());
                evaluation.returns[episode.index] = episode.return_;
                evaluation.lengths[episode.index] = episode.length;
                ended += 1;
                played(ended)?;
                if next_episode < episodes {
                    policy.begin(slots[place]);
                    episode.begin(next_episode, seed, observation)?;
                    next_episode += 1;
                    place += 1;
                } else {
                    running -= 1;
                    side_by_side.swap(place, running);
                    slots.swap(place, running);
                    actions.swap(place, running);
                    observations.copy_within(running * len..(running + 1) * len, place * len);
                }
            }
        }
        Ok(evaluation)
    }

    /// Reads which of `count` actions the first `running` environments allow.
    fn read_masks(&mut self, running: usize, count: usize) {
        self.masks.clear();
        for (row, episode) in self.episodes[..running].iter().enumerate() {
            let Some(mask) = episode.env.action_mask() else { continue };
            self.masks.resize(row * count, true);
            self.masks.extend_from_slice(mask);
        }
        if !self.masks.is_empty() {
            self.masks.resize(running * count, true);
        }
    }

    /// Refuses a policy that does not fit these environments; otherwise returns how many actions they have.
    fn check(&self, policy: &dyn Policy) -> Result<usize, AgentError> {
        let env = &self.episodes[0].env;
        let id = || env.spec().id.clone();
        let actions = env.action_space().discrete_n().ok_or_else(|| AgentError::ContinuousActions { id: id() })?;
        let theirs = (env.observation_len(), actions);
        match policy.shape().filter(|ours| *ours != theirs) {
            Some(ours) => Err(AgentError::OtherShape { id: id(), policy: ours, environment: theirs }),
            None => Ok(actions),
        }
    }
}

impl Episode {
    fn begin(&mut self, index: usize, seed: u64, observation: &mut [f32]) -> Result<(), TrainError> {
        self.env.reset(Some(seed.wrapping_add(index as u64)), observation)?;
        (self.index, self.return_, self.length) = (index, 0.0, 0);
        self.check(observation, 0.0, None)
    }

    /// Refuses numbers that are not finite: the policy would continue, and its score would be meaningless.
    fn check(&self, observation: &[f32], reward: f64, action: Option<usize>) -> Result<(), TrainError> {
        let observed = first_not_finite(observation).map(|(_, value)| ("observation in evaluation", f64::from(value)));
        let rewarded = (!reward.is_finite()).then_some(("reward in evaluation", reward));
        match observed.or(rewarded) {
            None => Ok(()),
            Some((site, value)) => {
                let (env_steps, env) = (self.length, Some(self.index));
                Err(TrainError::NotFinite { site, value, env_steps, env, action })
            }
        }
    }
}
