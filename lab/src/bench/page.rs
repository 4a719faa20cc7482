//! `results/benchmarks.md`: sections, each replaced by the command that measures it while the others stay.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail};

use super::programs;
use xtask::{machine, workspace};

/// The sections, in their order on the page.
const SECTIONS: [&str; 3] = ["own", "envs", "peers"];

/// What every section begins with: the command that made it, the version and the machine.
///
/// # Errors
/// When the commit cannot be named.
pub fn provenance(command: &str) -> Result<String> {
    Ok(format!(
        "- Made by: `{command}`\n- Version: commit {}\n- Machine: {}; {}{}\n",
        machine::git_commit()?,
        machine::description(),
        programs::pinning(),
        machine::load().map_or_else(String::new, |load| format!("; others work on it too: load {load}")),
    ))
}

/// Writes `text` in place of the section `name`.
///
/// # Errors
/// When the file system refuses.
pub fn write_section(name: &str, text: &str) -> Result<()> {
    let path = workspace::root().join("results").join("benchmarks.md");
    let before = match std::fs::read_to_string(&path) {
        Ok(before) => before,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => bail!("cannot read {}: {error}", path.display()),
    };
    std::fs::write(&path, with_section(&before, name, text)).with_context(|| format!("cannot write {}", path.display()))
}

fn with_section(page: &str, name: &str, text: &str) -> String {
    let mut new = "# How fast it is\n".to_owned();
    for section in SECTIONS {
        let content = if section == name { Some(text.trim()) } else { section_of(page, section) };
        if let Some(content) = content {
            // Writing to a string cannot fail.
            let _ = write!(new, "\n<!-- {section} -->\n{content}\n<!-- end of {section} -->\n");
        }
    }
    new
}

fn section_of<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("<!-- {name} -->\n"))?;
    rest.split_once(&format!("\n<!-- end of {name} -->")).map(|(content, _)| content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_the_other_kept_whichever_came_first() {
        let peers = with_section("", "peers", "peers 1\n");
        let both = with_section(&peers, "own", "own 1");
        assert!(both.find("own 1").unwrap() < both.find("peers 1").unwrap());
        let again = with_section(&both, "own", "own 2");
        assert!(again.contains("own 2") && again.contains("peers 1") && !again.contains("own 1"));
        assert_eq!(with_section(&again, "own", "own 2"), again);
    }
}
