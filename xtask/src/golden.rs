//! `cargo xtask golden`: reference data made by the real Gymnasium, by PyTorch, for the learning rules by NumPy and for the
//! statistics by rliable; committed, and read by the tests.
//!
//! With `--check`, the data is made anew beside the committed one and compared byte for byte. Gymnasium's traces must come
//! out the same anywhere. PyTorch's and NumPy's may differ in the last bits on a processor with other vector units, since they
//! pick their kernels by machine; the tests that read them allow for that, this comparison does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use xtask::command::CommandLine;
use xtask::python::VirtualEnvironment;
use xtask::{UsageError, workspace};

/// One script and the folder of what it writes.
struct Generator {
    name: &'static str,
    script: &'static str,
    committed: &'static str,
    /// What writes the script's inputs into the same folder first, if it has any.
    inputs: Option<fn(&Path) -> Result<()>>,
    /// PyTorch is gigabytes: only the script that uses it waits for it.
    environment: fn() -> Result<VirtualEnvironment>,
}

const GENERATORS: [Generator; 4] = [
    Generator {
        name: "envs",
        script: "xtask/golden/envs.py",
        committed: "crates/envs/tests/golden",
        inputs: None,
        environment: VirtualEnvironment::for_tests,
    },
    Generator {
        name: "nn",
        script: "xtask/golden/nn.py",
        committed: "crates/nn/tests/golden",
        inputs: None,
        environment: VirtualEnvironment::for_golden,
    },
    Generator {
        name: "updates",
        script: "xtask/golden/updates.py",
        committed: "crates/requel/tests/golden/updates",
        inputs: Some(write_update_inputs),
        environment: VirtualEnvironment::for_tests,
    },
    Generator {
        name: "stats",
        script: "xtask/golden/stats.py",
        committed: "crates/requel/tests/golden/stats",
        inputs: None,
        environment: VirtualEnvironment::for_stats,
    },
];

/// Has our agents write down what they start from and draw.
fn write_update_inputs(out: &Path) -> Result<()> {
    CommandLine::new("cargo")
        .args(["test", "--package", "requel", "--test", "ladder", "golden::write_inputs", "--", "--exact", "--ignored"])
        .env("REQUEL_GOLDEN_OUT", &out.to_string_lossy())
        .run()
}

/// Writes, or with `--check` compares, the data of the generators named, or of all.
///
/// # Errors
/// For an unknown argument, a script that fails, or data that differs from the committed.
pub fn run(arguments: &[String]) -> Result<()> {
    let (flags, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    for flag in &flags {
        ensure!(flag.as_str() == "--check", UsageError(format!("unknown option `{flag}`; there is --check")));
    }
    for name in &names {
        let known = GENERATORS.iter().any(|generator| generator.name == name.as_str());
        ensure!(known, UsageError(format!("no golden data is called `{name}`; there are envs, nn, updates and stats")));
    }
    for generator in &GENERATORS {
        if !names.is_empty() && !names.iter().any(|name| name.as_str() == generator.name) {
            continue;
        }
        if flags.is_empty() { generator.write()? } else { generator.check()? }
    }
    Ok(())
}

impl Generator {
    /// Writes the data where it is committed.
    fn write(&self) -> Result<()> {
        let out = workspace::root().join(self.committed);
        std::fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
        self.generate(&out)
    }

    /// Creates the data again and compares it with the committed data.
    fn check(&self) -> Result<()> {
        let out = workspace::target_dir().join("xtask").join("golden").join(self.name);
        workspace::empty_folder(&out)?;
        self.generate(&out)?;
        compare(&out, &workspace::root().join(self.committed))?;
        println!("{}: the data in {} is what {} writes", self.name, self.committed, self.script);
        Ok(())
    }

    fn generate(&self, out: &Path) -> Result<()> {
        if let Some(write_inputs) = self.inputs {
            write_inputs(out)?;
        }
        (self.environment)()?.python().arg(self.script).arg(out).run()
    }
}

/// Fails unless both folders hold the same files with the same bytes.
fn compare(made: &Path, committed: &Path) -> Result<()> {
    let (made_files, committed_files) = (files_below(made)?, files_below(committed)?);
    ensure!(!made_files.is_empty(), "nothing was written into {}", made.display());
    let mut faults = Vec::new();
    for file in made_files.union(&committed_files) {
        if !made_files.contains(file) {
            faults.push(format!("{} is committed and no longer made", file.display()));
        } else if !committed_files.contains(file) {
            faults.push(format!("{} is made and not committed", file.display()));
        } else if std::fs::read(made.join(file))? != std::fs::read(committed.join(file))? {
            faults.push(format!("{} differs", file.display()));
        }
    }
    if !faults.is_empty() {
        bail!("{} is not what the reference gives:\n  {}", committed.display(), faults.join("\n  "));
    }
    Ok(())
}

fn files_below(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(current) = open.pop() {
        for entry in std::fs::read_dir(&current).with_context(|| format!("cannot list {}", current.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(folder)?.to_path_buf());
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_names_what_differs_is_missing_or_is_new() {
        let folder = workspace::target_dir().join("xtask").join(format!("golden-test-{}", std::process::id()));
        let (made, committed) = (folder.join("made"), folder.join("committed"));
        for (file, text) in [("made/a", "1"), ("made/sub/b", "2"), ("committed/a", "1"), ("committed/sub/b", "2")] {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        compare(&made, &committed).unwrap();
        std::fs::write(made.join("a"), "other").unwrap();
        std::fs::write(made.join("new"), "3").unwrap();
        std::fs::remove_file(made.join("sub/b")).unwrap();
        let error = compare(&made, &committed).unwrap_err().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        for expected in ["a differs", "new is made and not committed", "b is committed and no longer made"] {
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_unknown_option_or_name_is_a_usage_error() {
        assert!(run(&["--chek".into()]).unwrap_err().is::<UsageError>());
        assert!(run(&["pong".into()]).unwrap_err().is::<UsageError>());
    }
}
