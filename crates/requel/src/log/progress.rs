//! `progress.csv`: one row per line of aggregates, under the names that Stable-Baselines3 uses, for a spreadsheet.

use crate::train::Aggregates;

pub(super) const HEADER: &str = "time/total_timesteps,time/episodes,rollout/ep_rew_mean,rollout/ep_len_mean,\
rollout/exploration_rate,train/loss,train/mean_q,train/learning_rate,train/n_updates,eval/mean_reward,eval/mean_ep_length\n";

/// The row for aggregates; what is not known yet stays empty.
pub(super) fn row(aggregates: &Aggregates) -> String {
    let optional = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    let a = aggregates;
    format!(
        "{},{},{},{},{},{},{},{},{},{},{}\n",
        a.env_steps,
        a.episodes,
        optional(a.return_mean),
        optional(a.length_mean),
        a.epsilon,
        optional(a.loss),
        optional(a.mean_q),
        a.learning_rate,
        a.updates,
        optional(a.evaluation_return),
        optional(a.evaluation_length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_per_column() {
        let columns = HEADER.trim_end().split(',').count();
        let row = row(&Aggregates { return_mean: Some(1.5), ..Aggregates::default() });
        assert_eq!(row.trim_end_matches('\n').split(',').count(), columns);
        assert!(HEADER.starts_with("time/total_timesteps,") && HEADER.ends_with("eval/mean_ep_length\n"));
    }
}
