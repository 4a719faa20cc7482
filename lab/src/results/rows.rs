//! Finished runs as lines of comma-separated values, written and read back.

use anyhow::{Context, Result, ensure};

use super::finished::{Evaluation, Finished};
use super::seeds::SeedRun;

/// The first line.
pub const HEADER: &str = "configuration,seed,env_steps,updates,episodes,train_return_last_100,best_mean_return,\
                          best_std_return,best_episodes,final_mean_return,final_std_return,final_episodes,train_seconds,\
                          process_seconds,weights_blake3\n";

/// The line of one run. What it has no figure of is empty.
pub fn line(configuration: &str, run: &SeedRun) -> String {
    let finished = &run.finished;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let evaluation = |evaluation: Option<Evaluation>| {
        let episodes = evaluation.map_or_else(String::new, |evaluation| evaluation.episodes.to_string());
        let [mean, std] = [evaluation.map(|evaluation| evaluation.mean), evaluation.map(|evaluation| evaluation.std)];
        format!("{},{},{episodes}", number(mean), number(std))
    };
    format!(
        "{configuration},{},{},{},{},{},{},{},{:.3},{:.3},{}\n",
        run.seed,
        finished.env_steps,
        finished.updates,
        finished.episodes,
        number(finished.train_return_last_100),
        evaluation(finished.best_evaluation),
        evaluation(finished.final_evaluation),
        finished.wall_seconds,
        run.process_seconds,
        finished.weights_blake3,
    )
}

/// The configurations and runs that [`line()`] wrote below [`HEADER`]. A last line that was cut off is left out: its run was not
/// recorded. How many episodes fell short of the goal is not in the lines.
///
/// # Errors
/// For another header, and for a line that is not of this form.
pub fn read(text: &str) -> Result<Vec<(String, SeedRun)>> {
    let lines = text.strip_prefix(HEADER).context("the first line is not that of this version")?;
    lines.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(|line| read_line(line.trim_end())).collect()
}

fn read_line(line: &str) -> Result<(String, SeedRun)> {
    let fields: Vec<&str> = line.split(',').collect();
    ensure!(fields.len() == HEADER.split(',').count(), "{} fields: {line}", fields.len());
    let number = |index: usize| -> Result<Option<f64>> {
        let field = fields[index];
        Ok(if field.is_empty() { None } else { Some(field.parse().with_context(|| format!("no number: {field}"))?) })
    };
    let whole =
        |index: usize| fields[index].parse::<u64>().with_context(|| format!("no whole number: {}", fields[index]));
    let evaluation = |at: usize| -> Result<Option<Evaluation>> {
        let Some((mean, std)) = number(at)?.zip(number(at + 1)?) else { return Ok(None) };
        Ok(Some(Evaluation { mean, std, episodes: whole(at + 2)? }))
    };
    let finished = Finished {
        env_steps: whole(2)?,
        updates: whole(3)?,
        episodes: whole(4)?,
        train_return_last_100: number(5)?,
        best_evaluation: evaluation(6)?,
        final_evaluation: evaluation(9)?,
        failed: None,
        wall_seconds: number(12)?.context("no training time")?,
        weights_blake3: fields[14].to_owned(),
    };
    let process_seconds = number(13)?.context("no process time")?;
    Ok((fields[0].to_owned(), SeedRun { seed: whole(1)?, finished, process_seconds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(last: Option<Evaluation>) -> SeedRun {
        let finished = Finished {
            env_steps: 10,
            updates: 2,
            episodes: 1,
            wall_seconds: 0.5,
            train_return_last_100: Some(9.25),
            final_evaluation: last,
            ..Finished::sample()
        };
        SeedRun { seed: 3, finished, process_seconds: 0.75 }
    }

    #[test]
    fn a_missing_figure_is_an_empty_field() {
        assert_eq!(line("x", &run(None)), "x,3,10,2,1,9.25,,,,,,,0.500,0.750,ab\n");
    }

    #[test]
    fn what_is_written_is_read_back_and_a_cut_line_is_not() {
        let runs = [run(None), run(Some(Evaluation { mean: -7.5, std: 0.25, episodes: 100 }))];
        let text = format!("{HEADER}{}{}x,4,1", line("x", &runs[0]), line("a/b", &runs[1]));
        let read = read(&text).unwrap();
        assert_eq!(read.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x", "a/b"]);
        for ((_, read), written) in read.iter().zip(&runs) {
            assert_eq!((&read.finished, read.seed), (&written.finished, written.seed));
        }
    }

    #[test]
    fn another_header_and_a_line_of_another_form_are_refused() {
        assert!(read("configuration,seed\n").is_err());
        assert!(read(&format!("{HEADER}x,1\n")).is_err());
        assert!(read(&format!("{HEADER}{}", line("x", &run(None)).replace("10,", "ten,"))).is_err());
    }
}
