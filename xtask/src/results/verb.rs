//! The arguments of `cargo xtask results`.

use anyhow::{Result, bail, ensure};

use super::{cartpole, notebook};
use crate::{UsageError, machine};

/// How many seeds a table has, unless told: those by which issue and README judge.
const SEEDS: u64 = 20;

/// Makes the table named first in `arguments`.
///
/// # Errors
/// For arguments that mean nothing, a build or run that fails, or a table that cannot be written.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some((table, options)) = arguments.split_first() else {
        bail!(UsageError("which table? there are cartpole and notebook".into()));
    };
    let options = parse(options)?;
    match table.as_str() {
        "cartpole" => {
            // Its wall times are judged, so nothing may run beside it.
            ensure!(
                options.jobs.is_none(),
                UsageError("cartpole is timed, one run at a time: it takes no --jobs".into())
            );
            cartpole::write(options.seeds)
        }
        "notebook" => notebook::write(options.seeds, options.jobs.unwrap_or_else(machine::cores)),
        other => bail!(UsageError(format!("no table is called `{other}`; there are cartpole and notebook"))),
    }
}

#[derive(Debug, PartialEq)]
struct Options {
    seeds: u64,
    jobs: Option<usize>,
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options { seeds: SEEDS, jobs: None };
    for pair in arguments.chunks(2) {
        let value = pair.get(1).and_then(|value| value.parse::<u64>().ok()).filter(|&value| value > 0);
        match (pair[0].as_str(), value) {
            ("--seeds", Some(value)) => options.seeds = value,
            ("--jobs", Some(value)) => options.jobs = Some(usize::try_from(value)?),
            (flag @ ("--seeds" | "--jobs"), None) => bail!(UsageError(format!("{flag} takes a whole number from 1"))),
            (other, _) => bail!(UsageError(format!("unknown option `{other}`; there are --seeds and --jobs"))),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Options> {
        parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_in_any_order() {
        assert_eq!(parsed("").unwrap(), Options { seeds: 20, jobs: None });
        assert_eq!(parsed("--jobs 1 --seeds 5").unwrap(), Options { seeds: 5, jobs: Some(1) });
    }

    #[test]
    fn what_is_not_an_option_or_not_a_count_is_refused() {
        for bad in ["--seeds", "--seeds 0", "--seeds x", "--jobs -1", "--cores 2"] {
            assert!(parsed(bad).unwrap_err().is::<UsageError>(), "{bad}");
        }
    }
}
