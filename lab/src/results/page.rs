//! The frame that every page in `results/` shares: what made it, where, from which version; and how it is written.

use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Context, Result};
use requel::stats::{self, Bootstrap, Estimate, Interval, LEAST_RUNS};

use super::check::{self, Claim};
use super::rows;
use super::seeds::{Configuration, SeedRun};
use xtask::{machine, workspace};

/// A page in Markdown with the figures of every run beside it as comma-separated values.
#[derive(Debug)]
pub struct Page {
    name: &'static str,
    markdown: String,
    csv: String,
    /// The first run of each configuration.
    to_check: Vec<Claim>,
}

impl Page {
    /// A page that begins with its title and provenance. `name` is that of its files and of its verb.
    ///
    /// # Errors
    /// When the commit cannot be named.
    pub fn new(name: &'static str, title: &str, seeds: Range<u64>, pinning: &str) -> Result<Self> {
        Self::with_seeds(
            name,
            title,
            seeds.end - seeds.start,
            &format!("{} to {}", seeds.start, seeds.end - 1),
            pinning,
        )
    }

    /// As [`Page::new`], for configurations that have each `count` seeds of their own.
    ///
    /// # Errors
    /// As [`Page::new`].
    pub fn with_seeds(name: &'static str, title: &str, count: u64, seeds: &str, pinning: &str) -> Result<Self> {
        let markdown = format!(
            "# {title}\n\n\
             - Made by: `cargo xtask results {name} --seeds {count}`\n\
             - Version: requel {} at commit {}; whether it holds still: `cargo xtask results --check {name}`, see \
             [below](#check)\n\
             - Machine: {}; {pinning}\n\
             - Seeds: {seeds} ({count} runs per configuration), which nothing was chosen by\n\
             - Every run: [{name}.csv]({name}.csv)\n",
            env!("CARGO_PKG_VERSION"),
            machine::git_commit()?,
            machine::description(),
        );
        Ok(Self { name, markdown, csv: rows::HEADER.to_owned(), to_check: Vec::new() })
    }

    /// Adds a paragraph, list or table, with a blank line before it.
    pub fn add(&mut self, block: &str) {
        self.markdown.push('\n');
        self.markdown.push_str(block.trim_end());
        self.markdown.push('\n');
    }

    /// Adds the runs of one configuration to the comma-separated values, and its first to those that can be checked.
    pub fn record(&mut self, configuration: &Configuration, runs: &[SeedRun]) {
        for run in runs {
            self.csv.push_str(&rows::line(&configuration.name, run));
        }
        self.to_check.extend(runs.first().map(|run| Claim::of(configuration, run)));
    }

    /// Adds a run to those that can be checked.
    pub fn claim(&mut self, claim: Claim) {
        self.to_check.push(claim);
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
        println!("{}", self.write_quietly()?);
        Ok(())
    }

    /// As [`Page::write`], with the page handed back in place of printed.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write_quietly(mut self) -> Result<String> {
        let folder = workspace::root().join("results");
        let before = |extension: &str| std::fs::read_to_string(folder.join(format!("{}.{extension}", self.name)));
        if let Some(said) = before("md").ok().as_deref().and_then(conclusion).map(str::to_owned)
            && !self.markdown.contains(CONCLUSION)
        {
            if before("csv").is_ok_and(|csv| csv != self.csv) {
                eprintln!(
                    "the figures of results/{}.md have changed: see whether what it says of them holds",
                    self.name
                );
            }
            self.add(&said);
        }
        if !self.to_check.is_empty() {
            let section = check::section(&self.to_check);
            self.add(&section);
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        for (extension, text) in [("md", &self.markdown), ("csv", &self.csv)] {
            let path = folder.join(format!("{}.{extension}", self.name));
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(self.markdown)
    }
}

/// How a conclusion begins. A person writes it, below the figures, and the page keeps it when it is made anew.
const CONCLUSION: &str = "**What it says.**";

/// What a page concludes, without the runs that can be checked, which follow.
fn conclusion(page: &str) -> Option<&str> {
    let from = &page[page.find(CONCLUSION)?..];
    Some(from[..from.find("\n## ").unwrap_or(from.len())].trim_end())
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

/// The mean of a sample with its 95 % bootstrap interval, which few seeds do not have; `None` where there is no sample.
pub fn mean_estimate(sample: &[f64]) -> Option<Estimate> {
    let mean = |sample: &[f64]| stats::mean(sample).unwrap_or(f64::NAN);
    let enough = sample.len() >= LEAST_RUNS;
    let interval = enough.then(|| Bootstrap::default().interval(&[sample], mean)).flatten();
    Some(Estimate { value: stats::mean(sample)?, interval })
}

/// An estimate with its interval where it has one; a dash where there is none.
pub fn estimate(estimate: Option<Estimate>, decimals: usize) -> String {
    match estimate {
        Some(Estimate { value, interval: Some(Interval { low, high }) }) => {
            format!("{value:.decimals$} [{low:.decimals$}, {high:.decimals$}]")
        }
        estimate => figure(estimate.map(|estimate| estimate.value), decimals),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_concludes_is_found_and_ends_before_the_next_section() {
        let page = "# t\n\n| a |\n\n**What it says.** Much,\nand more.\n\nA second paragraph.\n\n## Check\n\nruns\n";
        assert_eq!(conclusion(page), Some("**What it says.** Much,\nand more.\n\nA second paragraph."));
        assert_eq!(conclusion("# t\n\n## Check\n"), None);
        assert_eq!(conclusion("**What it says.** All.\n"), Some("**What it says.** All."));
    }

    #[test]
    fn a_table_has_one_column_per_header() {
        let text = table(&["a", "b"], &[vec!["1".into(), "2".into()]]);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }

    #[test]
    fn a_mean_of_few_has_no_interval() {
        assert_eq!(estimate(mean_estimate(&[1.0, 2.0, 6.0]), 1), "3.0");
        let five = estimate(mean_estimate(&[0.0, 1.0, 2.0, 3.0, 9.0]), 1);
        assert!(five.starts_with("3.0 [0.") || five.starts_with("3.0 [1."), "{five}");
        assert_eq!(estimate(mean_estimate(&[]), 1), "–");
    }

    #[test]
    fn a_missing_figure_is_a_dash() {
        assert_eq!(figure(None, 1), "–");
    }
}
