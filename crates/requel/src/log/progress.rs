//! `progress.csv` under the names that Stable-Baselines3 uses, for a spreadsheet: a row for each line of aggregates, the last
//! one at the end of training, and for each score. What the row at t says of evaluation was measured at t; where aggregates and
//! a score are of the same step they share a row, and what a row does not know stays empty.

use crate::agent::Statistic;
use crate::train::Aggregates;

const KNOWN: &str = "time/total_timesteps,time/episodes,rollout/ep_rew_mean,rollout/ep_len_mean,\
rollout/exploration_rate,train/loss,train/mean_q,train/learning_rate,train/n_updates,eval/mean_reward,eval/mean_ep_length";

/// The names of the columns: those that are known by others, then the statistics, then the metrics of the environment.
pub(super) fn header(env_metrics: &[(String, f64)]) -> String {
    let statistics: String = Statistic::ALL.iter().map(|statistic| format!(",{}", statistic.tag())).collect();
    let env_metrics: String = env_metrics.iter().map(|(name, _)| format!(",{name}")).collect();
    format!("{KNOWN}{statistics}{env_metrics}\n")
}

/// A score of the greedy policy, as a row has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ScoreCells {
    pub env_steps: u64,
    pub updates: u64,
    pub mean_return: f64,
    pub mean_length: f64,
}

/// The row for aggregates, and for a score that was made at the same step, with the metrics of the environment.
pub(super) fn row(aggregates: &Aggregates, score: Option<ScoreCells>, env_metrics: &[(String, f64)]) -> String {
    let optional = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    let a = aggregates;
    let statistics: String = a.statistics.iter().map(|(_, value)| format!(",{}", optional(value))).collect();
    let reported = |number: &f64| optional(Some(*number).filter(|number| number.is_finite()));
    let env_metrics: String = env_metrics.iter().map(|(_, number)| format!(",{}", reported(number))).collect();
    format!(
        "{},{},{},{},{},{},{},{},{},{},{}{statistics}{env_metrics}\n",
        a.env_steps,
        a.episodes,
        optional(a.return_mean),
        optional(a.length_mean),
        optional(a.epsilon),
        optional(a.loss),
        optional(a.mean_q),
        optional(a.learning_rate),
        a.updates,
        optional(score.map(|score| score.mean_return)),
        optional(score.map(|score| score.mean_length)),
    )
}

/// The row for a score at a step that has no aggregates.
pub(super) fn score_row(score: ScoreCells, env_metrics: &[(String, f64)]) -> String {
    let ScoreCells { env_steps, updates, mean_return, mean_length } = score;
    let statistics = ",".repeat(Statistic::ALL.len() + env_metrics.len());
    format!("{env_steps},,,,,,,,{updates},{mean_return},{mean_length}{statistics}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_per_column() {
        let env = [("env/bumps".to_owned(), 2.0), ("env/heat".to_owned(), f64::NAN)];
        let columns = header(&env).trim_end().split(',').count();
        let score = ScoreCells { env_steps: 7, updates: 3, mean_return: 9.5, mean_length: 10.0 };
        let aggregates = Aggregates { return_mean: Some(1.5), ..Aggregates::default() };
        for row in [row(&aggregates, None, &env), row(&aggregates, Some(score), &env), score_row(score, &env)] {
            assert_eq!(row.trim_end_matches('\n').split(',').count(), columns, "{row}");
        }
        assert!(row(&aggregates, None, &env).ends_with(",2,\n") && header(&env).ends_with(",env/bumps,env/heat\n"));
        let header = header(&[]);
        assert!(header.starts_with("time/total_timesteps,") && header.ends_with("train/replay_age\n"));
        let named: Vec<(&str, String)> =
            header.trim_end().split(',').zip(score_row(score, &[]).trim_end().split(',').map(str::to_owned)).collect();
        let cell = |name: &str| &*named.iter().find(|(column, _)| *column == name).unwrap().1;
        assert_eq!(
            [cell("time/total_timesteps"), cell("train/n_updates"), cell("eval/mean_reward")],
            ["7", "3", "9.5"]
        );
    }
}
