//! The frame that every page in `results/` shares: what made it, where, from which version; and how it is written.

use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Context, Result};
use requel::stats::{Bootstrap, Estimate, Interval};

use super::seeds::SeedRun;
use crate::{machine, workspace};

/// A page in Markdown with the figures of every run beside it as comma-separated values.
#[derive(Debug)]
pub struct Page {
    name: &'static str,
    markdown: String,
    csv: String,
}

impl Page {
    /// A page that begins with its title and provenance. `name` is that of its files and of its verb.
    ///
    /// # Errors
    /// When the commit cannot be named.
    pub fn new(name: &'static str, title: &str, seeds: Range<u64>, pinning: &str) -> Result<Self> {
        let count = seeds.end - seeds.start;
        let markdown = format!(
            "# {title}\n\n\
             - Made by: `cargo xtask results {name} --seeds {count}`\n\
             - Version: commit {}\n\
             - Machine: {}; {pinning}\n\
             - Seeds: {} to {} ({count} runs per configuration), which nothing was chosen by\n\
             - Every run: [{name}.csv]({name}.csv)\n",
            machine::git_commit()?,
            machine::description(),
            seeds.start,
            seeds.end - 1,
        );
        let csv =
            "configuration,seed,env_steps,updates,episodes,train_return_last_100,best_mean_return,best_std_return,\
                   best_episodes,final_mean_return,train_seconds,process_seconds,weights_blake3\n"
                .to_owned();
        Ok(Self { name, markdown, csv })
    }

    /// Adds a paragraph, list or table, with a blank line before it.
    pub fn add(&mut self, block: &str) {
        self.markdown.push('\n');
        self.markdown.push_str(block.trim_end());
        self.markdown.push('\n');
    }

    /// Adds the runs of one configuration to the comma-separated values.
    pub fn record(&mut self, configuration: &str, runs: &[SeedRun]) {
        for run in runs {
            self.csv.push_str(&csv_line(configuration, run));
        }
    }

    /// Replaces the comma-separated values by others, for a page whose figures are not of finished runs.
    pub fn replace_values(&mut self, csv: String) {
        self.csv = csv;
    }

    /// Writes both files into `results/`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(self) -> Result<()> {
        let folder = workspace::root().join("results");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        for (extension, text) in [("md", &self.markdown), ("csv", &self.csv)] {
            let path = folder.join(format!("{}.{extension}", self.name));
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        print!("{}", self.markdown);
        Ok(())
    }
}

/// How runs are kept to cores, for the line that names the machine.
pub fn pinning(jobs: usize) -> String {
    let how = if machine::pinned_to(0).is_some() {
        "each pinned to one core with taskset"
    } else {
        "not pinned (no taskset)"
    };
    match jobs {
        1 => format!("one run at a time, {how}"),
        _ => format!("{jobs} runs at a time, {how}"),
    }
}

/// A Markdown table.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), " --- |".repeat(header.len()));
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// A figure, or a dash where there is none.
pub fn figure(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.decimals$}"))
}

/// The interquartile mean of a sample with its 95 % bootstrap interval over seeds (Agarwal et al. 2021), which few seeds do
/// not have; a dash where there is no sample.
pub fn iqm_with_interval(sample: &[f64], decimals: usize) -> String {
    match Estimate::interquartile_mean(sample, &Bootstrap::default()) {
        Some(Estimate { value, interval: Some(Interval { low, high }) }) => {
            format!("{value:.decimals$} [{low:.decimals$}, {high:.decimals$}]")
        }
        estimate => figure(estimate.map(|estimate| estimate.value), decimals),
    }
}

fn csv_line(configuration: &str, run: &SeedRun) -> String {
    let finished = &run.finished;
    let best = finished.best_evaluation;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    format!(
        "{configuration},{},{},{},{},{},{},{},{},{},{:.3},{:.3},{}\n",
        run.seed,
        finished.env_steps,
        finished.updates,
        finished.episodes,
        number(finished.train_return_last_100),
        number(best.map(|best| best.mean)),
        number(best.map(|best| best.std)),
        best.map_or_else(String::new, |best| best.episodes.to_string()),
        number(finished.final_evaluation.map(|last| last.mean)),
        finished.wall_seconds,
        run.process_seconds,
        finished.weights_blake3,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::finished::Finished;

    #[test]
    fn a_table_has_one_column_per_header() {
        let text = table(&["a", "b"], &[vec!["1".into(), "2".into()]]);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }

    #[test]
    fn an_interval_lies_about_its_mean_and_nothing_has_none() {
        assert_eq!(iqm_with_interval(&[7.0; 5], 1), "7.0 [7.0, 7.0]");
        // The middle half of 0..8 is 2, 3, 4, 5.
        let spread = iqm_with_interval(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 1);
        assert!(spread.starts_with("3.5 [1.") && spread.contains(", 5."), "{spread}");
        assert_eq!(iqm_with_interval(&[], 1), "–");
    }

    #[test]
    fn a_missing_figure_is_an_empty_field_and_a_dash() {
        let finished = Finished {
            env_steps: 10,
            updates: 2,
            episodes: 1,
            wall_seconds: 0.5,
            train_return_last_100: Some(9.25),
            best_evaluation: None,
            final_evaluation: None,
            failed: None,
            weights_blake3: "ab".into(),
        };
        let line = csv_line("x", &SeedRun { seed: 3, finished, process_seconds: 0.75 });
        assert_eq!(line, "x,3,10,2,1,9.25,,,,,0.500,0.750,ab\n");
        assert_eq!(figure(None, 1), "–");
    }
}
