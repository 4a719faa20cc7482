//! `cargo xtask kernels`: what shows that the code with `unsafe` in it is sound and exact, beyond what the default tests can:
//! Miri, AddressSanitizer, ARM in an emulator, and every f32 there is.
//!
//! Each proof needs something that not every machine has; what is missing is said, and how to get it.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use xtask::command::CommandLine;
use xtask::{UsageError, machine, workspace};

/// One way of looking at the kernels.
struct Proof {
    name: &'static str,
    /// What a pass shows.
    shows: &'static str,
    command: fn() -> CommandLine,
    /// What has to answer before it can run, and how to get what does not.
    needs: &'static [Need],
}

/// A command that answers where something is there, and how to get it.
type Need = (fn() -> CommandLine, &'static str);

const ARM: &str = "aarch64-unknown-linux-gnu";

const PROOFS: [Proof; 4] = [
    Proof {
        name: "miri",
        shows: "no undefined behaviour in kernels, layers and index arithmetic, with vectors as plain arrays",
        command: || {
            // Its tests would need files and clocks otherwise; proptest keeps failures in a file.
            let flags = "-Zmiri-disable-isolation";
            nightly("miri").args(["test", "--package", "requel-nn", "--lib", "kernel"]).env("MIRIFLAGS", flags)
        },
        needs: &[(|| nightly("miri").arg("--version"), "rustup component add miri rust-src --toolchain nightly")],
    },
    Proof {
        name: "address-sanitizer",
        shows: "no access outside of what is allocated, with the instructions of this machine",
        command: || {
            // A target that is named keeps the flags away from build scripts.
            nightly("test")
                .args(["--package", "requel-nn", "--lib", "--tests", "--target", "x86_64-unknown-linux-gnu"])
                .env("RUSTFLAGS", "-Zsanitizer=address -Copt-level=1")
                .env("ASAN_OPTIONS", "detect_leaks=1")
        },
        needs: &[(|| nightly("--version"), "rustup toolchain install nightly")],
    },
    Proof {
        name: "neon",
        shows: "the kernels for ARM equal the scalar twin, in an emulator",
        command: || {
            workspace::cargo()
                .args(["test", "--release", "--package", "requel-nn", "--lib", "--target", ARM])
                .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc")
                .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", "qemu-aarch64 -L /usr/aarch64-linux-gnu")
        },
        needs: &[
            (|| CommandLine::new("qemu-aarch64").arg("--version"), "Debian's package qemu-user"),
            (|| CommandLine::new("aarch64-linux-gnu-gcc").arg("--version"), "Debian's package gcc-aarch64-linux-gnu"),
        ],
    },
    Proof {
        name: "every-float",
        shows: "exp, ln, sigmoid and tanh within their stated bounds for every f32, the same from every kernel",
        command: || {
            workspace::cargo().args(["test", "--release", "--package", "requel-nn", "--lib", "--", "--ignored"])
        },
        needs: &[],
    },
];

/// What came of a proof.
enum Verdict {
    /// So many tests passed.
    Passed(usize),
    /// The command that failed.
    Failed(String),
    /// How to get what is missing.
    Missing(&'static str),
}

/// Runs the proofs that `arguments` name, all where none is named; with `--write`, into `results/kernels.md`.
///
/// # Errors
/// For a name that is no proof, and, once all have run, when one failed.
pub fn run(arguments: &[String]) -> Result<()> {
    let (options, names): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|word| word.starts_with("--"));
    let write = options.iter().any(|option| *option == "--write");
    let known = |name: &str| PROOFS.iter().any(|proof| proof.name == name);
    let wrong = (options.iter().find(|option| **option != "--write")).or(names.iter().find(|name| !known(name)));
    let all: Vec<&str> = PROOFS.iter().map(|proof| proof.name).collect();
    if let Some(word) = wrong {
        return Err(UsageError(format!("`kernels {word}`: it takes {} and --write", all.join(", "))).into());
    }
    let mut rows = String::from("| proof | shows | was | s |\n|---|---|---|--:|\n");
    let mut failed = Vec::new();
    for proof in PROOFS.iter().filter(|proof| names.is_empty() || names.iter().any(|name| *name == proof.name)) {
        let start = Instant::now();
        let was = match proof.run() {
            Verdict::Passed(tests) => format!("passed, {tests} tests"),
            Verdict::Missing(remedy) => format!("not run; it needs {remedy}"),
            Verdict::Failed(error) => {
                failed.push(proof.name);
                format!("**failed**: {}", error.replace('\n', " "))
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        writeln!(rows, "| {} | {} | {was} | {seconds:.0} |", proof.name, proof.shows)?;
    }
    println!("{rows}");
    if write {
        let page = format!(
            "# The kernels under scrutiny\n\n- Made by: `cargo xtask kernels {}`\n- Version: commit {}\n- Machine: {}\n\n\
             Seconds are of the clock, builds included, beside other work.\n\n{rows}",
            arguments.join(" "),
            machine::git_commit()?,
            machine::description(),
        );
        let path = workspace::root().join("results").join("kernels.md");
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

impl Proof {
    fn run(&self) -> Verdict {
        if let Some((_, remedy)) = self.needs.iter().find(|(command, _)| !command().succeeds()) {
            return Verdict::Missing(remedy);
        }
        let command = (self.command)();
        eprintln!("$ {command}");
        match command.output() {
            Ok(output) => {
                print!("{output}");
                match passed(&output) {
                    0 => Verdict::Failed("no test ran".into()),
                    tests => Verdict::Passed(tests),
                }
            }
            Err(error) => Verdict::Failed(format!("{error:#}")),
        }
    }
}

/// Cargo from the nightly toolchain, with a target folder of its own, since every build there differs from the default.
fn nightly(verb: &str) -> CommandLine {
    let target = workspace::target_dir().join("kernels");
    let cargo = CommandLine::new("cargo").args(["+nightly", verb]);
    cargo.env("CARGO_TARGET_DIR", &target.to_string_lossy())
}

/// How many tests cargo says have passed, over all programs.
fn passed(output: &str) -> usize {
    let counts = output.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next());
    counts.filter_map(|count| count.parse::<usize>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_over_all_programs() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\
                      test result: ok. 40 passed; 0 failed; 1 ignored\ntest result: FAILED. 3 passed; 1 failed\n";
        assert_eq!(passed(output), 42);
        assert_eq!(passed("nothing"), 0);
    }

    #[test]
    fn what_is_no_proof_is_refused_before_anything_runs() {
        for bad in ["mirri", "--wirte"] {
            assert!(run(&[bad.to_owned()]).unwrap_err().is::<UsageError>(), "{bad}");
        }
    }
}
