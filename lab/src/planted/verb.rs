//! Making each mistake in a copy of the repository, where cargo builds and tests it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::list::{MISTAKES, Mistake};
use xtask::command::CommandLine;
use xtask::{UsageError, workspace};

/// Runs the test of every mistake, without it and with it.
///
/// # Errors
/// For any argument, a mistake that does not build, a test that fails without a mistake, or one that passes with it.
pub fn run(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), UsageError("`planted` takes no arguments".into()));
    let copy = Copy::make(&workspace::target_dir().join("planted"))?;
    let mut missed = Vec::new();
    for mistake in &MISTAKES {
        copy.test(mistake, &[]).run().context("the test fails without any mistake")?;
        let path = copy.source.join("crates/requel/src").join(mistake.file);
        let right = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        std::fs::write(&path, right.replacen(mistake.right, mistake.wrong, 1))?;
        // What does not build catches nothing.
        copy.test(mistake, &["--no-run"]).run().with_context(|| format!("{} cannot be built", mistake.name))?;
        let caught = !copy.test(mistake, &[]).succeeds();
        std::fs::write(&path, right)?;
        println!(
            "{}, {}: {} by {}",
            mistake.name,
            mistake.what,
            if caught { "caught" } else { "MISSED" },
            mistake.test
        );
        if !caught {
            missed.push(mistake.name);
        }
    }
    ensure!(missed.is_empty(), "{} of {} mistakes are not caught: {}", missed.len(), MISTAKES.len(), missed.join(", "));
    println!("all {} mistakes are caught", MISTAKES.len());
    Ok(())
}

/// A copy of the repository with a target folder of its own, which is kept from one time to the next.
struct Copy {
    source: PathBuf,
    build: PathBuf,
}

impl Copy {
    /// Copies every file that git knows to below `dir`.
    fn make(dir: &Path) -> Result<Self> {
        let (source, build) = (dir.join("source"), dir.join("build"));
        workspace::empty_folder(&source)?;
        for file in workspace::files()? {
            let (from, to) = (workspace::root().join(&file), source.join(&file));
            std::fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
            std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
        Ok(Copy { source, build })
    }

    fn test(&self, mistake: &Mistake, options: &[&str]) -> CommandLine {
        let command = workspace::cargo().args(["test", "--quiet", "--package", "requel", "--manifest-path"]);
        let command = command.arg(self.source.join("Cargo.toml")).arg("--target-dir").arg(&self.build);
        let command = match mistake.target {
            "lib" => command.arg("--lib"),
            name => command.args(["--test", name]),
        };
        command.args(options).args([mistake.test, "--", "--exact"])
    }
}
