//! The project's own chores, run as `cargo xtask VERB` from anywhere inside the repository.
//!
//! Each verb is a file: [`checks`] (`test`), [`golden`], [`tools`] and [`mod@ui`] (`test --ui`, `screenshots`); what measures is
//! in the crate `lab`, which is built when it is asked for. This crate stays small and quick to build, since it is the first
//! thing a fresh clone compiles: no argument parser, no async, no framework, nothing of requel. Nothing in `crates/` may
//! depend on it.

#![forbid(unsafe_code)]

mod checks;
mod golden;
mod house;
mod lab;
mod ptx;
mod tools;
mod ui;

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::UsageError;

const USAGE: &str = "\
usage: cargo xtask VERB

  test [CHECK]...              run every check, or only those named
  test --list                  list the checks in the order in which they run
  test --ui [CHECK]...         look at the program with a real terminal and a real browser (tmux, Chromium)
  screenshots [NAME]...        make the pictures in docs/images/ anew, by running the program
  bench [--write]              measure ours beside the machine's limit and the aims; with --write,
                               into results/benchmarks.md
  bench --envs                 measure the environments beside Gymnasium's and MinAtar's own, into the same page
  bench --peers                measure PyTorch, Stable-Baselines3 and rejax beside ours, into the same
                               page (downloads several gigabytes the first time)
  bench --instructions         count the hot path's instructions, into results/instructions.json
  faults [R1]... [--quick] [--write] [--built=DIR]
                               put faults into real runs and print what came of each; with --write,
                               into results/faults.md
  fuzz [TARGET]... [--seconds N]
                               fuzz each reader of files for so long (60 s), and add that to the record
                               in results/fuzz.csv and results/fuzz.md
  golden [envs|nn|updates|stats]... [--check]
                               write the golden data with the real Gymnasium, PyTorch and NumPy;
                               with --check, compare what they give with what is committed
  kernels [miri|address-sanitizer|neon|every-float]... [--write]
                               hold the kernels against Miri, AddressSanitizer, an emulated ARM and every f32;
                               with --write, into results/kernels.md (over half an hour)
  ptx [--check]                compile the kernels of requel-gpu to crates/gpu/kernels/requel.ptx, by a pinned
                               compiler that needs no card; with --check, compare with what is committed
  planted                      make ten known mistakes, one at a time, and see tests catch them
  results algorithms|cartpole|environments|family|minatar|minatar-random|notebook|notebook-ladder|rainbow-ablation|zoo
          [--seeds N] [--jobs N] [--built=DIR]
                               train over many seeds and write the tables in results/
  results --check [--all] [--built=DIR] [PAGE]...
                               make the runs again that these tables rest on, the quick ones or all, and compare
  tools                        install cargo-deny into the target directory (builds for minutes)
";

fn main() -> ExitCode {
    xtask::exit(dispatch(std::env::args().skip(1).collect()))
}

fn dispatch(arguments: Vec<String>) -> Result<ExitCode> {
    let Some((verb, rest)) = arguments.split_first() else { bail!(UsageError(format!("no verb given\n\n{USAGE}"))) };
    match verb.as_str() {
        "test" if rest.first().is_some_and(|first| first == "--ui") => ui::test(&rest[1..]),
        "test" => checks::run(rest),
        "screenshots" => ui::screenshots(rest).map(|()| ExitCode::SUCCESS),
        "golden" => golden::run(rest).map(|()| ExitCode::SUCCESS),
        "ptx" => ptx::run(rest).map(|()| ExitCode::SUCCESS),
        "tools" => tools::install_cargo_deny().map(|()| ExitCode::SUCCESS),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ if lab::VERBS.contains(&verb.as_str()) => lab::run(&arguments),
        other => bail!(UsageError(format!("unknown verb `{other}`\n\n{USAGE}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_verb_is_a_usage_error_that_names_it() {
        let error = dispatch(vec!["tset".into()]).unwrap_err();
        assert!(error.is::<UsageError>());
        assert!(error.to_string().contains("`tset`"));
    }

    #[test]
    fn no_verb_is_a_usage_error() {
        assert!(dispatch(vec![]).unwrap_err().is::<UsageError>());
    }
}
