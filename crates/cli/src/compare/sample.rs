//! A comparison to try tables and pictures with: three groups, made up.

use requel::stats::{Estimate, Interval};
use requel::study::{Caveat, Comparison, Curve, GroupResult, Metric, Reached, RunResult};
use requel::train::Budget;

fn estimate(value: f64, half: f64) -> Estimate {
    Estimate { value, interval: Some(Interval { low: value - half, high: (value + half).min(500.0) }) }
}

fn group(name: &str, level: f64) -> GroupResult {
    let run = |seed: u64| RunResult {
        seed,
        score: (level + 8.0 * seed as f64 - 20.0).min(500.0),
        train_return_last_100: Some(level * 0.8),
        reached_at: (level > 400.0).then_some(12_000),
        env_steps: 40_000,
        wall_seconds: Some(1.5),
        weights_blake3: "00112233445566778899aabbccddeeff".into(),
    };
    let steps: Vec<f64> = (1..=20).map(|i| f64::from(i) * 2000.0).collect();
    let at = |step: f64, factor: f64| factor * level * step / 40_000.0;
    let curve = |factor: f64| steps.iter().map(|step| at(*step, factor)).collect::<Vec<f64>>();
    GroupResult {
        name: name.into(),
        score: estimate(level, 25.0),
        train_return_last_100: Some(estimate(level * 0.8, 10.0)),
        improvement_over_first: None,
        improvement_over_previous: None,
        reached: Some(Reached {
            runs: if level > 400.0 { 6 } else { 0 },
            median_env_steps: (level > 400.0).then_some(12_000.0),
        }),
        mean_over_training: Some(estimate(level * 0.5, 8.0)),
        budget: Budget::EnvSteps(40_000),
        env_steps: 40_000.0,
        wall_seconds: Some(1.5),
        curve: Curve { env_steps: steps.clone(), iqm: curve(1.0), low: curve(0.9), high: curve(1.1) },
        runs: (0..6).map(run).collect(),
    }
}

/// Three groups, the last with a long name.
pub fn comparison() -> Comparison {
    let mut groups = vec![
        group("naive", 40.0),
        group("+replay", 180.0),
        group("notebook agent.gamma=0.99 target.kind=hard target.every_updates=100", 470.0),
    ];
    for group in groups.iter_mut().skip(1) {
        group.improvement_over_first = Some(Estimate { value: 1.0, interval: Some(Interval { low: 1.0, high: 1.0 }) });
        group.improvement_over_previous = Some(estimate(0.9375, 0.05));
    }
    Comparison {
        envs: vec!["CartPole-v1".into()],
        metric: Metric::Final,
        threshold: Some(475.0),
        confidence: 0.95,
        caveats: Vec::new(),
        groups,
    }
}

/// The same with the last group too small for an interval, and with unequal budgets.
pub fn uncertain() -> Comparison {
    let mut comparison = comparison();
    let last = comparison.groups.last_mut().expect("there are groups");
    last.runs.truncate(1);
    last.score.interval = None;
    (last.curve.low, last.curve.high) = (Vec::new(), Vec::new());
    (last.improvement_over_first, last.improvement_over_previous) = (None, None);
    last.budget = Budget::Episodes(500);
    let budgets = comparison.groups.iter().map(|group| group.budget).collect();
    let groups = vec![comparison.groups[2].name.clone()];
    comparison.caveats = vec![Caveat::UnequalBudgets { budgets }, Caveat::FewRuns { groups, least_runs: 5 }];
    comparison
}
