//! `progress.csv` with the names that Stable-Baselines3 uses, for a spreadsheet: a row for each line of aggregates, the last one at the end
//! of training, and for each score. Evaluation columns of the row at t were measured at t; aggregates and a score of the same step share a
//! row, and unknown cells are empty.

use crate::agent::Statistic;

const KNOWN: &str = "time/total_timesteps,time/episodes,rollout/ep_rew_mean,rollout/ep_len_mean,\
rollout/exploration_rate,train/loss,train/mean_q,train/learning_rate,train/n_updates,eval/mean_reward,eval/mean_ep_length";

/// The columns of a table. They are fixed when the table is created: numbers that appear later have no column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns(Vec<String>);

impl Columns {
    /// The columns of a new table: those common to all, then the statistics, then those of the program's own numbers.
    pub fn new(own: impl IntoIterator<Item = String>) -> Self {
        let known = KNOWN.split(',').chain(Statistic::ALL.iter().map(|statistic| statistic.tag()));
        Columns(known.map(str::to_owned).chain(own).collect())
    }

    /// The columns of an existing table, from its first line.
    pub fn of_header(line: &str) -> Self {
        Columns(line.trim_end().split(',').map(str::to_owned).collect())
    }

    /// The first line of the table.
    pub fn header(&self) -> String {
        self.0.join(",") + "\n"
    }

    /// A row; numbers without a column are dropped.
    pub fn row(&self, cells: &[(&str, f64)]) -> String {
        let cell = |name: &String| cells.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string());
        let cells: Vec<String> = self.0.iter().map(|name| cell(name).unwrap_or_default()).collect();
        cells.join(",") + "\n"
    }
}

/// A score of the greedy policy, in the form of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ScoreCells {
    pub env_steps: u64,
    pub updates: u64,
    pub mean_return: f64,
    pub mean_length: f64,
}

impl ScoreCells {
    /// The cells of a row that contains only a score, its step first.
    pub fn alone(self) -> [(&'static str, f64); 4] {
        let [mean_return, mean_length] = self.beside_aggregates();
        let step = ("time/total_timesteps", self.env_steps as f64);
        [step, ("train/n_updates", self.updates as f64), mean_return, mean_length]
    }

    /// The cells that a score adds to a row of aggregates.
    pub fn beside_aggregates(self) -> [(&'static str, f64); 2] {
        [("eval/mean_reward", self.mean_return), ("eval/mean_ep_length", self.mean_length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_per_column_and_nothing_else() {
        let columns = Columns::new(["env/bumps".to_owned(), "my/heat".to_owned()]);
        let header = columns.header();
        assert!(
            header.starts_with("time/total_timesteps,") && header.ends_with("train/replay_age,env/bumps,my/heat\n")
        );
        let score = ScoreCells { env_steps: 7, updates: 3, mean_return: 9.5, mean_length: 10.0 };
        for cells in [&[][..], &score.alone(), &[("my/heat", 0.5), ("unknown", 1.0)]] {
            let row = columns.row(cells);
            assert_eq!(row.matches(',').count(), header.matches(',').count(), "{row}");
        }
        assert!(columns.row(&[("my/heat", 0.5), ("unknown", 1.0)]).ends_with(",,0.5\n"));
        let row = columns.row(&score.alone());
        let named: Vec<(&str, &str)> = header.trim_end().split(',').zip(row.trim_end().split(',')).collect();
        let cell = |name: &str| named.iter().find(|(column, _)| *column == name).unwrap().1;
        assert_eq!(["time/total_timesteps", "train/n_updates", "eval/mean_reward"].map(cell), ["7", "3", "9.5"]);
    }

    #[test]
    fn the_columns_of_a_table_that_is_there_stay() {
        let before = Columns::new(["env/bumps".to_owned(), "my/heat".to_owned()]);
        let after = Columns::of_header(&before.header());
        assert_eq!(after, before);
        assert!(after.row(&[("env/falls", 3.0), ("my/heat", 0.5)]).ends_with(",,0.5\n"));
    }
}
