//! The frame that every page in `results/` shares: what made it, where, from which version; and how it is written.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::check::{self, Claim};
use xtask::{machine, workspace};

/// A page in Markdown, with the figures of every run in a file of comma-separated values next to it.
#[derive(Debug)]
pub struct Page {
    name: String,
    markdown: String,
    csv: String,
    /// The first run of each configuration.
    to_check: Vec<Claim>,
}

impl Page {
    /// A page with its figures. `name` is that of its files and of its verb.
    pub fn of(name: &str, markdown: String, csv: String) -> Self {
        Self { name: name.into(), markdown, csv, to_check: Vec::new() }
    }

    /// Adds a paragraph, list or table, with a blank line before it.
    pub fn add(&mut self, block: &str) {
        self.markdown.push('\n');
        self.markdown.push_str(block.trim_end());
        self.markdown.push('\n');
    }

    /// Adds a run to those that can be checked.
    pub fn claim(&mut self, claim: Claim) {
        self.to_check.push(claim);
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

/// The first lines of a page: what made it, where, and with which seeds. A page whose runs are those that it has had keeps the version
/// and the machine that it names: they are of the runs.
///
/// # Errors
/// When the commit cannot be named.
pub fn made(name: &str, seeds: &str, pinning: &str, csv: &str) -> Result<String> {
    let folder = workspace::root().join("results");
    let before = |extension: &str| std::fs::read_to_string(folder.join(format!("{name}.{extension}"))).ok();
    let page = before("md").filter(|_| before("csv").as_deref() == Some(csv)).unwrap_or_default();
    let (version, machine) = match (kept(&page, "- Version: "), kept(&page, "- Machine: ")) {
        (Some(version), Some(machine)) => (version.to_owned(), machine.to_owned()),
        _ => (
            format!(
                "- Version: requel {} at commit {}; whether it holds still: `cargo xtask results --check {name}`, see \
                 [below](#check)",
                env!("CARGO_PKG_VERSION"),
                machine::git_commit()?,
            ),
            format!("- Machine: {}; {pinning}", machine::description()),
        ),
    };
    Ok(format!(
        "- Made by: `cargo xtask results {name}`\n{version}\n{machine}\n- Seeds: {seeds}, which nothing was chosen by\n- Every run: \
         [{name}.csv]({name}.csv)\n"
    ))
}

/// The line of a page that begins so.
fn kept<'a>(page: &'a str, beginning: &str) -> Option<&'a str> {
    page.lines().find(|line| line.starts_with(beginning))
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
    fn a_page_without_new_runs_keeps_what_is_said_of_those_that_it_has() {
        let page = "# t\n\n- Made by: `x`\n- Version: old\n- Machine: old one\n";
        assert_eq!(kept(page, "- Machine: "), Some("- Machine: old one"));
        assert_eq!(kept(page, "- Seeds: "), None);
    }
}
