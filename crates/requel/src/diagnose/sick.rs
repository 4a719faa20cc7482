//! Evidence of a healthy training run, which tests then modify.

use requel_envs::EnvSpec;

use super::health::LayerHealth;
use super::{Counts, EndOfTraining, Evidence, MemoryEvidence, ScorePoint};
use crate::agent::{Statistic, Statistics};
use crate::config::Layers;
use crate::run::Score;
use crate::train::{Aggregates, Termination};

/// A CartPole run of 20,000 env steps that went well.
pub(super) fn healthy() -> Evidence {
    let settings = [
        "train.env_steps=20000",
        "target.kind=hard",
        "target.every_updates=500",
        "target.every_env_steps=0",
        "evaluation.stop_return=475",
    ];
    let layers = settings.iter().try_fold(Layers::new().preset("double-dqn").unwrap(), |layers, s| layers.set(s));
    let config = layers.unwrap().resolve().unwrap();
    let env = EnvSpec {
        max_episode_steps: Some(500),
        reward_threshold: Some(475.0),
        reward_range: Some((1.0, 1.0)),
        ..EnvSpec::new("CartPole-v1")
    };
    let mut evidence = Evidence::new(config, env, 2);
    evidence.course = (1..=20).map(line).collect();
    evidence.scores = (1..=20).map(point).collect();
    evidence.counts = Counts { env_steps: 20_000, updates: 9_750, episodes: 150 };
    let (best, last) = (score(490.0, 20.0), score(485.0, 25.0));
    evidence.ending = Some(EndOfTraining { termination: Termination::BudgetUsed, best, last });
    let layer = |layer| LayerHealth { layer, units: 64, dead: 2, dormant: 6, rank: Some(12), rows: 256 };
    evidence.layers = vec![layer(0), layer(1)];
    evidence.memory = Some(MemoryEvidence {
        looked_at: 2048,
        rewards: (1.0, 1.0),
        constant_rewards: 1.0,
        terminal: 0.01,
        feature_sizes: vec![2.4, 3.0, 0.2, 3.5],
        greedy: vec![1000, 1048],
        priority_of_top_percent: None,
    });
    evidence.target_distance = Some(0.05);
    evidence
}

/// Line `index` of the aggregates, from 1.
fn line(index: u64) -> Aggregates {
    let mut statistics = Statistics::default();
    for (statistic, value) in [
        (Statistic::GradientNorm, 2.0),
        (Statistic::ClippedUpdates, 0.02),
        (Statistic::UpdateToWeight, 2e-3),
        (Statistic::DormantShare, 0.1),
        (Statistic::LargestQ, 4.0 * index as f64),
        (Statistic::TdErrorMedian, 0.1),
        (Statistic::TdErrorP90, 1.0),
        (Statistic::TdErrorMax, 5.0),
        (Statistic::ReplayAge, 500.0 * index as f64),
    ] {
        statistics.record(statistic, value);
    }
    Aggregates {
        env_steps: 1000 * index,
        episodes: 7 * index,
        updates: (500 * index).saturating_sub(250),
        return_mean: Some(20.0 * index as f64),
        length_mean: Some(20.0 * index as f64),
        loss: Some(0.5),
        mean_q: Some(4.0 * index as f64),
        epsilon: Some(0.05),
        learning_rate: Some(2e-3),
        statistics,
        ..Aggregates::default()
    }
}

fn point(index: u64) -> ScorePoint {
    let mean = (25.0 * index as f64).min(490.0);
    ScorePoint { env_steps: 1000 * index, score: score(mean, 20.0), mean_length: mean, best: index == 20 }
}

pub(super) fn score(mean_return: f64, std_return: f64) -> Score {
    Score { mean_return, std_return, episodes: 50, cut_off: 0 }
}

/// Replaces a statistic by `value` in every line.
pub(super) fn set(evidence: &mut Evidence, statistic: Statistic, value: f64) {
    for line in &mut evidence.course {
        let mut statistics = Statistics::default();
        for (other, known) in line.statistics.iter().filter(|(other, _)| *other != statistic) {
            known.iter().for_each(|known| statistics.record(other, *known));
        }
        statistics.record(statistic, value);
        line.statistics = statistics;
    }
}
