//! [`Evidence`], what checks look at: plain numbers of one training.

use requel_envs::EnvSpec;

use super::health::LayerHealth;
use crate::agent::Statistic;
use crate::config::{AgentKind, Config, ExplorationKind};
use crate::run::Score;
use crate::schedule::Schedule;
use crate::td::ValueBounds;
use crate::train::{Aggregates, Termination};

/// What is known of a training, from its config, its logs and its newest checkpoint.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What was trained.
    pub config: Config,
    /// What the environment says of itself.
    pub env: EnvSpec,
    /// Actions of the environment.
    pub actions: usize,
    /// The lines of aggregates, by env steps.
    pub course: Vec<Aggregates>,
    /// The scores of the greedy policy, by env steps.
    pub scores: Vec<ScorePoint>,
    /// Env steps, updates and finished episodes so far.
    pub counts: Counts,
    /// What it came to, if training is over.
    pub ending: Option<EndOfTraining>,
    /// The layers of the network on observations out of the replay buffer; empty where there are none.
    pub layers: Vec<LayerHealth>,
    /// What lies in the replay buffer.
    pub memory: Option<MemoryEvidence>,
    /// ‖target − online‖ / ‖online‖ of the parameters, where there is a target network.
    pub target_distance: Option<f64>,
    /// Mean |σ| over mean |μ| of each noisy layer's weights, with its name.
    pub noise: Vec<(String, f64)>,
    /// What could not be looked at and why, such as a damaged checkpoint: that no check found anything says less then.
    pub unread: Vec<String>,
}

/// How far training is.
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
    /// Mean return, its deviation over the episodes, and how many there were.
    pub score: Score,
    /// Mean length of the episodes, env steps.
    pub mean_length: f64,
    /// Whether it was the best so far.
    pub best: bool,
}

/// What a finished training came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndOfTraining {
    /// Why it ended.
    pub termination: Termination,
    /// The best policy on fresh episodes.
    pub best: Score,
    /// The final policy on the same episodes.
    pub last: Score,
}

/// What lies in the replay buffer: transitions evenly from the oldest place to the newest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemoryEvidence {
    /// How many transitions were looked at.
    pub looked_at: usize,
    /// The least and the greatest reward among them, as they are learned from; with n steps per step.
    pub rewards: (f64, f64),
    /// Share of them whose reward is the most frequent one.
    pub constant_rewards: f64,
    /// Share of them that end in a terminal state.
    pub terminal: f64,
    /// Greatest |x| of each number of an observation; empty for images.
    pub feature_sizes: Vec<f64>,
    /// How often the network is greedy for each action there.
    pub greedy: Vec<usize>,
    /// Share of all priorities that the hundredth of the transitions with the greatest ones holds, where there are priorities and
    /// at least 1,000 transitions.
    pub priority_of_top_percent: Option<f64>,
}

impl Evidence {
    /// Evidence of a training that has not begun.
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

    /// Env steps that training is to take, or took where nothing but its episodes limits it.
    pub fn budget(&self) -> u64 {
        match self.ending {
            Some(EndOfTraining { termination: Termination::BudgetUsed, .. }) => self.counts.env_steps,
            _ if self.config.train.env_steps > 0 => self.config.train.env_steps,
            _ => self.counts.env_steps,
        }
    }

    /// Whether training took its whole budget or was solved before.
    pub fn is_finished(&self) -> bool {
        self.ending.is_some()
    }

    /// Updates that training is to take with its budget.
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

    /// ε after so many env steps.
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

    /// Between which bounds values lie, by what the environment says of its rewards.
    pub fn bounds(&self) -> Option<ValueBounds> {
        self.config.value_bounds(&self.env, self.actions)
    }

    /// The later half of the course.
    pub fn late(&self) -> &[Aggregates] {
        &self.course[self.course.len() / 2..]
    }

    /// The mean of a statistic over the later half of the course, with how many lines know it; `None` below 3.
    pub fn late_mean(&self, statistic: Statistic) -> Option<f64> {
        let known: Vec<f64> = self.late().iter().filter_map(|line| line.statistics.get(statistic)).collect();
        (known.len() >= 3).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// The mean return at which the environment counts as solved.
    pub fn goal(&self) -> Option<f64> {
        self.env.reward_threshold.or(self.config.evaluation.stop_return)
    }

    /// Whether the final policy, or the last score before there is one, reaches the goal.
    pub fn is_solved(&self) -> bool {
        let last = self.ending.map(|ending| ending.last).or(self.scores.last().map(|point| point.score));
        self.goal().zip(last).is_some_and(|(goal, last)| last.mean_return >= goal)
    }

    /// The least and the greatest mean return that was ever scored.
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
