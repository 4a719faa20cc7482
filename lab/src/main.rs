//! What makes `results/`, run as `cargo xtask VERB`: trainings over many seeds ([`results`]), speed ([`mod@bench`]), faults put
//! into real runs ([`faults`]), mistakes put into the source ([`planted`]), fuzzing ([`fuzz`]) and the checks of the kernels that
//! take long ([`kernels`]). It is apart from the chores of a commit because it is built of the library that it measures.
#![forbid(unsafe_code)]

mod bench;
mod faults;
mod fuzz;
mod kernels;
mod planted;
mod results;

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::UsageError;

fn main() -> ExitCode {
    xtask::exit(dispatch(std::env::args().skip(1).collect()))
}

fn dispatch(arguments: Vec<String>) -> Result<ExitCode> {
    let Some((verb, rest)) = arguments.split_first() else { bail!(UsageError("no verb given".into())) };
    let done = |result: Result<()>| result.map(|()| ExitCode::SUCCESS);
    match verb.as_str() {
        "bench" => done(bench::run(rest)),
        "faults" => faults::run(rest),
        "fuzz" => done(fuzz::run(rest)),
        "kernels" => done(kernels::run(rest)),
        "planted" => done(planted::run(rest)),
        "results" => done(results::run(rest)),
        other => bail!(UsageError(format!("unknown verb `{other}`: `cargo xtask help` lists them"))),
    }
}
