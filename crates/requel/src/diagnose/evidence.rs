//! [`Evidence`], the input of checks: plain numbers about one training run.

use requel_envs::EnvSpec;

use super::health::LayerHealth;
use crate::agent::Statistic;
use crate::config::{AgentKind, Config, ExplorationKind};
use crate::run::Score;
use crate::schedule::Schedule;
use crate::td::ValueBounds;
use crate::train::{Aggregates, Termination};

/// Facts about a training run from its config, its logs and its newest checkpoint.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The config.
    pub config: Config,
    /// The environment's own description.
    pub env: EnvSpec,
    /// Actions of the environment.
    pub actions: usize,
    /// Lines of training aggregates, by env steps.
    pub course: Vec<Aggregates>,
    /// Scores of the greedy policy, by env steps.
    pub scores: Vec<ScorePoint>,
    /// Env steps, updates and finished episodes so far.
    pub counts: Counts,
    /// The result, if training is over.
    pub ending: Option<EndOfTraining>,
    /// The layers of the network, measured on observations from the replay buffer; empty if there are none.
    pub layers: Vec<LayerHealth>,
    /// The contents of the replay buffer.
    pub memory: Option<MemoryEvidence>,
    /// ‖target − online‖ / ‖online‖ of the parameters, if there is a target network.
    pub target_distance: Option<f64>,
    /// Mean |σ| over mean |μ| of each noisy layer's weights, with its name.
    pub noise: Vec<(String, f64)>,
    /// What could not be read and why, such as a damaged checkpoint: that checks found nothing then means less.
    pub unread: Vec<String>,
}

/// The progress of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Env steps.
    pub env_steps: u64,
    /// Updates.
    pub updates: u64,
    /// Finished episodes.
    pub episodes: u64,
}

/// One score of the greedy policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScorePoint {
    /// Env steps at which it was made.
    pub env_steps: u64,
    /// Mean return, its standard deviation over the episodes, and the number of episodes.
    pub score: Score,
    /// Mean length of the episodes, env steps.
    pub mean_length: f64,
    /// Whether it was the best so far.
    pub best: bool,
}

/// The result of finished training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndOfTraining {
    /// Why it ended.
    pub termination: Termination,
    /// The best policy on fresh episodes.
    pub best: Score,
    /// The final policy on the same episodes.
    pub last: Score,
}

/// A sample of the replay buffer: transitions spread evenly from the oldest position to the newest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryEvidence {
    /// Number of transitions examined.
    pub looked_at: usize,
    /// The smallest and the largest reward among them, as used for learning; per step for n-step returns.
    pub rewards: (f64, f64),
    /// Fraction of them with the most frequent reward.
    pub constant_rewards: f64,
    /// Fraction of them that end in a terminal state.
    pub terminal: f64,
    /// Largest |x| of each number of an observation; empty for images.
    pub feature_sizes: Vec<f64>,
    /// How often each action is the network's greedy one there.
    pub greedy: Vec<usize>,
    /// Fraction of the total priority that belongs to the hundredth of the transitions with the highest priorities, if there are priorities
    /// and at least 1,000 transitions.
    pub priority_of_top_percent: Option<f64>,
}

impl Evidence {
    /// Evidence of a training run that has not started.
    pub fn new(config: Config, env: EnvSpec, actions: usize) -> Self {
        Evidence {
            config,
            env,
            actions,
            course: Vec::new(),
            scores: Vec::new(),
            counts: Counts::default(),
            ending: None,
            layers: Vec::new(),
            memory: None,
            target_distance: None,
            noise: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Env steps that training is to take, or took if only its episodes are limited.
    pub fn budget(&self) -> u64 {
        match self.ending {
            Some(EndOfTraining { termination: Termination::BudgetUsed, .. }) => self.counts.env_steps,
            _ if self.config.train.env_steps > 0 => self.config.train.env_steps,
            _ => self.counts.env_steps,
        }
    }

    /// Whether training used its whole budget or was solved earlier.
    pub fn is_finished(&self) -> bool {
        self.ending.is_some()
    }

    /// Updates that training makes with its budget.
    pub fn planned_updates(&self) -> u64 {
        let train = &self.config.train;
        let planned = match self.config.agent.kind {
            AgentKind::Naive => self.budget() / train.num_envs.max(1) as u64,
            AgentKind::Dqn => {
                self.budget().saturating_sub(self.config.replay.start as u64) / train.every_steps.max(1) * train.updates
            }
            AgentKind::Pqn => {
                let pqn = &self.config.pqn;
                let rollout = (pqn.rollout_steps * train.num_envs).max(1) as u64;
                self.budget() / rollout * (pqn.epochs * pqn.minibatches) as u64
            }
        };
        planned.max(self.counts.updates)
    }

    /// ε after this many env steps.
    pub fn epsilon(&self, env_steps: u64) -> f64 {
        let exploration = &self.config.exploration;
        let (start, end, course) = (exploration.start, exploration.end, exploration.env_steps.max(1));
        let schedule = match exploration.kind {
            ExplorationKind::Constant => Schedule::Constant(start),
            ExplorationKind::Linear => Schedule::Linear { start, end, env_steps: course },
            ExplorationKind::Exponential => Schedule::Exponential { start, end, env_steps: course },
        };
        schedule.at(env_steps)
    }

    /// The bounds of all values, given the environment's declared range of rewards.
    pub fn bounds(&self) -> Option<ValueBounds> {
        self.config.value_bounds(&self.env, self.actions)
    }

    /// The second half of the lines.
    pub fn late(&self) -> &[Aggregates] {
        &self.course[self.course.len() / 2..]
    }

    /// The mean of a statistic over the second half of the lines, with the number of lines that have it; `None` below 3.
    pub fn late_mean(&self, statistic: Statistic) -> Option<f64> {
        let known: Vec<f64> = self.late().iter().filter_map(|line| line.statistics.get(statistic)).collect();
        (known.len() >= 3).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// The mean return at which the environment counts as solved.
    pub fn goal(&self) -> Option<f64> {
        self.env.reward_threshold.or(self.config.evaluation.stop_return)
    }

    /// Whether the final policy (or the last score, if there is none yet) reaches the goal.
    pub fn is_solved(&self) -> bool {
        let last = self.ending.map(|ending| ending.last).or(self.scores.last().map(|point| point.score));
        self.goal().zip(last).is_some_and(|(goal, last)| last.mean_return >= goal)
    }

    /// The lowest and the highest mean return ever scored.
    pub fn score_range(&self) -> Option<(f64, f64)> {
        let ends = self.ending.iter().flat_map(|ending| [ending.best.mean_return, ending.last.mean_return]);
        let all = self.scores.iter().map(|point| point.score.mean_return).chain(ends);
        all.fold(None, |range: Option<(f64, f64)>, mean| {
            let (low, high) = range.unwrap_or((mean, mean));
            Some((low.min(mean), high.max(mean)))
        })
    }
}

/// The standard error of the difference of two means.
pub(super) fn difference_error(a: &Score, b: &Score) -> f64 {
    let squared = |score: &Score| score.std_return * score.std_return / score.episodes.max(1) as f64;
    (squared(a) + squared(b)).sqrt()
}
