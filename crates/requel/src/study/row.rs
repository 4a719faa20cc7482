//! [`RunRow`], a finished run as a line of comma-separated values.

use std::fmt::Write as _;

use super::{RunRecord, StudyError};
use crate::run::{RunError, Score};

/// A finished run, as it appears in tables and files of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRow {
    /// The variant, preceded by its environment if a study has several: `CartPole-v1/c51`.
    pub configuration: String,
    /// Its seed.
    pub seed: u64,
    /// Env steps of its training.
    pub env_steps: u64,
    /// Updates of its training.
    pub updates: u64,
    /// Episodes of its training.
    pub episodes: u64,
    /// Mean return of its last 100 training episodes.
    pub train_return_last_100: Option<f64>,
    /// The best policy by the evaluations of training, over fresh episodes.
    pub best: Option<RowScore>,
    /// The final policy, over the same episodes.
    pub last: Option<RowScore>,
    /// Seconds of training.
    pub train_seconds: Option<f64>,
    /// Seconds from the start to the end of its process, if it had its own.
    pub process_seconds: Option<f64>,
    /// BLAKE3 of its final weights, hexadecimal.
    pub weights_blake3: String,
    /// Columns that files of earlier versions do not have.
    pub more: Option<RowMore>,
}

/// A policy's score over fresh episodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowScore {
    /// Mean return.
    pub mean: f64,
    /// Standard deviation of the returns.
    pub std: f64,
    /// How many episodes.
    pub episodes: u64,
}

/// How a run went, in addition to its results.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowMore {
    /// The number of episodes of the confirmation that fell short of the goal, and the number of all; `None` without one.
    pub confirmation: Option<(u64, u64)>,
    /// The fraction of evaluations in the second half of training that reached the goal; `None` if there is no goal.
    pub late_share: Option<f64>,
    /// The largest mean value of an action that was logged.
    pub largest_mean_q: Option<f64>,
}

/// The columns that every file of runs has.
const COLUMNS: &str = "configuration,seed,env_steps,updates,episodes,train_return_last_100,best_mean_return,best_std_return,\
                       best_episodes,final_mean_return,final_std_return,final_episodes,train_seconds,process_seconds,weights_blake3";
/// The columns of [`RowMore`].
const MORE: &str = ",confirmation_failed,confirmation_episodes,late_share,largest_mean_q";

impl RunRow {
    /// The first line of a file of runs. An existing file keeps its columns.
    pub fn header(text: Option<&str>) -> String {
        let is_short = text.is_some_and(|text| text.lines().next() == Some(COLUMNS));
        if is_short { format!("{COLUMNS}\n") } else { format!("{COLUMNS}{MORE}\n") }
    }

    /// A finished run; `None` if it is not finished. The goal is `aim`, or that of its environment.
    ///
    /// # Errors
    /// If its log cannot be read.
    pub fn of(configuration: &str, run: &RunRecord, aim: Option<f64>) -> Result<Option<Self>, RunError> {
        let Some(summary) = &run.summary else { return Ok(None) };
        let score = |score: &Score| RowScore {
            mean: score.mean_return,
            std: score.std_return,
            episodes: score.episodes as u64,
        };
        let goal = aim.or(summary.goal);
        Ok(Some(RunRow {
            configuration: configuration.into(),
            seed: run.config.train.seed,
            env_steps: summary.env_steps,
            updates: summary.updates,
            episodes: summary.episodes,
            train_return_last_100: summary.train_return_last_100,
            best: Some(score(&summary.best_evaluation)),
            last: Some(score(&summary.final_evaluation)),
            train_seconds: run.wall_seconds,
            process_seconds: None,
            weights_blake3: summary.weights_blake3.clone(),
            more: Some(RowMore {
                confirmation: summary.confirmation.map(|it| (it.failed as u64, it.episodes as u64)),
                late_share: goal.and_then(|goal| late_share(run, goal)),
                largest_mean_q: run.largest_mean_q()?,
            }),
        }))
    }

    /// Its line for such a header. Unknown figures are empty.
    pub fn line(&self, header: &str) -> String {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let seconds = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
        let score = |score: Option<RowScore>| {
            let episodes = score.map_or_else(String::new, |score| score.episodes.to_string());
            format!("{},{},{episodes}", number(score.map(|score| score.mean)), number(score.map(|score| score.std)))
        };
        let mut line = format!(
            "{},{},{},{},{},{},{},{},{},{},{}",
            self.configuration,
            self.seed,
            self.env_steps,
            self.updates,
            self.episodes,
            number(self.train_return_last_100),
            score(self.best),
            score(self.last),
            seconds(self.train_seconds),
            seconds(self.process_seconds),
            self.weights_blake3,
        );
        if header.trim_end().ends_with(MORE) {
            let more = self.more.unwrap_or_default();
            let (failed, of) = match more.confirmation {
                Some((failed, of)) => (failed.to_string(), of.to_string()),
                None => Default::default(),
            };
            // Writing to a string cannot fail.
            let _ = write!(line, ",{failed},{of},{},{}", number(more.late_share), number(more.largest_mean_q));
        }
        line + "\n"
    }

    /// The runs in a file. A truncated last line is skipped: its run was not recorded.
    ///
    /// # Errors
    /// For another header, and for a malformed line, with the number of that line.
    pub fn read_all(text: &str) -> Result<Vec<Self>, StudyError> {
        let mut lines = text.split_inclusive('\n').zip(1..).filter(|(line, _)| line.ends_with('\n'));
        let header = lines.next().map(|(line, _)| line.trim_end()).unwrap_or_default();
        if header != COLUMNS && header.strip_prefix(COLUMNS) != Some(MORE) {
            return Err(StudyError::Rows { line: 1, reason: "is not the first line of a file of runs".into() });
        }
        let count = header.split(',').count();
        let read = |(line, number): (&str, usize)| {
            read(line.trim_end(), count).map_err(|reason| StudyError::Rows { line: number, reason })
        };
        lines.map(read).collect()
    }
}

fn read(line: &str, count: usize) -> Result<RunRow, String> {
    let fields: Vec<&str> = line.split(',').collect();
    if fields.len() != count {
        return Err(format!("has {} fields, not {count}", fields.len()));
    }
    let number = |at: usize| match fields[at] {
        "" => Ok(None),
        field => {
            let value = field.parse::<f64>().ok().filter(|value| value.is_finite());
            value.map(Some).ok_or_else(|| format!("has `{field}` where a number should be"))
        }
    };
    let whole = |at: usize| {
        fields[at].parse::<u64>().map_err(|_| format!("has `{}` where a whole number should be", fields[at]))
    };
    let score = |at: usize| {
        let (Some(mean), Some(std)) = (number(at)?, number(at + 1)?) else { return Ok::<_, String>(None) };
        Ok(Some(RowScore { mean, std, episodes: whole(at + 2)? }))
    };
    let more = match count > 15 {
        false => None,
        true => Some(RowMore {
            confirmation: if fields[15].is_empty() { None } else { Some((whole(15)?, whole(16)?)) },
            late_share: number(17)?,
            largest_mean_q: number(18)?,
        }),
    };
    Ok(RunRow {
        configuration: fields[0].to_owned(),
        seed: whole(1)?,
        env_steps: whole(2)?,
        updates: whole(3)?,
        episodes: whole(4)?,
        train_return_last_100: number(5)?,
        best: score(6)?,
        last: score(9)?,
        train_seconds: number(12)?,
        process_seconds: number(13)?,
        weights_blake3: fields[14].to_owned(),
        more,
    })
}

/// The fraction of the evaluations in the second half of the env steps that reach the goal.
fn late_share(run: &RunRecord, goal: f64) -> Option<f64> {
    let last = run.evaluations.last()?.env_steps;
    let late = || run.evaluations.iter().filter(|point| 2 * point.env_steps > last);
    Some(late().filter(|point| point.mean_return >= goal).count() as f64 / late().count() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(last: Option<RowScore>) -> RunRow {
        RunRow {
            configuration: "x".into(),
            seed: 3,
            env_steps: 10,
            updates: 2,
            episodes: 1,
            train_return_last_100: Some(9.25),
            last,
            train_seconds: Some(0.5),
            process_seconds: Some(0.75),
            weights_blake3: "ab".into(),
            ..RunRow::default()
        }
    }

    #[test]
    fn a_missing_figure_is_an_empty_field() {
        assert_eq!(row(None).line(COLUMNS), "x,3,10,2,1,9.25,,,,,,,0.500,0.750,ab\n");
        assert_eq!(row(None).line(&RunRow::header(None)), "x,3,10,2,1,9.25,,,,,,,0.500,0.750,ab,,,,\n");
    }

    #[test]
    fn what_is_written_is_read_back_and_a_cut_line_is_not() {
        let more = RowMore { confirmation: Some((2, 1000)), late_share: Some(0.5), largest_mean_q: Some(-3.5) };
        for more in [None, Some(more)] {
            let header = if more.is_some() { RunRow::header(None) } else { format!("{COLUMNS}\n") };
            let score = RowScore { mean: -7.5, std: 0.25, episodes: 100 };
            let rows = [RunRow { more, ..row(None) }, RunRow { more, ..row(Some(score)) }];
            let text = format!("{header}{}{}x,4,1", rows[0].line(&header), rows[1].line(&header));
            assert_eq!(RunRow::read_all(&text).unwrap(), rows);
            assert_eq!(RunRow::header(Some(&text)), header, "a file keeps its columns");
        }
    }

    #[test]
    fn another_header_and_a_line_of_another_form_are_refused_by_their_number() {
        let line = row(None).line(COLUMNS);
        for (text, said) in [
            ("configuration,seed\n".to_owned(), "line 1"),
            (String::new(), "line 1"),
            (format!("{COLUMNS}\n{line}x,1\n"), "line 3 has 2 fields, not 15"),
            (format!("{COLUMNS}\n{}", line.replace(",10,", ",ten,")), "line 2 has `ten`"),
            (format!("{COLUMNS}\n{}", line.replace("9.25", "NaN")), "line 2 has `NaN`"),
        ] {
            let error = RunRow::read_all(&text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
