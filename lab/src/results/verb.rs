//! The arguments of `cargo xtask results`.

use anyhow::{Result, bail};

use super::studied::{self, Studied};
use super::{check, minatar, minatar_random, studies};
use xtask::{UsageError, machine, workspace};

/// Makes the table named first in `arguments`, or checks the tables there are.
///
/// # Errors
/// For arguments that mean nothing, a build or run that fails, or a table that cannot be written.
pub fn run(arguments: &[String]) -> Result<()> {
    // A program that was built beforehand serves as well: the same bits.
    let (built, arguments): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with("--built="));
    if let Some(dir) = built.iter().find_map(|argument| argument.strip_prefix("--built=")) {
        workspace::use_built(std::path::absolute(dir)?);
    }
    let arguments: Vec<String> = arguments.into_iter().cloned().collect();
    let Some((table, options)) = arguments.split_first() else {
        bail!(UsageError(format!("which table? there are {}", tables()?)));
    };
    if table == "--check" {
        let (flags, pages): (Vec<&String>, Vec<&String>) = options.iter().partition(|option| option.starts_with('-'));
        if let Some(other) = flags.iter().find(|flag| **flag != "--all") {
            bail!(UsageError(format!("unknown option `{other}`; --check takes --all and names of pages")));
        }
        return check::run(&pages.into_iter().cloned().collect::<Vec<_>>(), !flags.is_empty());
    }
    let options = parse(options)?;
    // Wall times are judged or shown, so nothing should run beside them unless asked for.
    let one_at_a_time = options.jobs.unwrap_or(1);
    match table.as_str() {
        "minatar-random" if !options.is_empty() => {
            bail!(UsageError("minatar-random takes no options".into()))
        }
        "minatar-random" => minatar_random::write(),
        "minatar" => minatar::write(options.seeds, one_at_a_time),
        name if studies::STUDIES.iter().any(|(study, _)| *study == name) => {
            studies::write(name, options.seeds.unwrap_or(20), options.jobs.unwrap_or_else(machine::cores))
        }
        name if studied::names()?.iter().any(|known| known == name) => {
            Studied::read(name, options.seeds)?.write(one_at_a_time)
        }
        other => bail!(UsageError(format!("no table is called `{other}`; there are {}", tables()?))),
    }
}

/// The tables that there are.
fn tables() -> Result<String> {
    let mut names = studied::names()?;
    names.extend(studies::STUDIES.iter().map(|(name, _)| (*name).to_owned()));
    names.extend(["minatar", "minatar-random"].map(String::from));
    names.sort();
    Ok(names.join(", "))
}

#[derive(Debug, Default, PartialEq)]
struct Options {
    seeds: Option<u64>,
    jobs: Option<usize>,
}

impl Options {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    for pair in arguments.chunks(2) {
        let (flag, value) = (pair[0].as_str(), pair.get(1));
        let count = value.and_then(|value| value.parse::<u64>().ok()).filter(|&value| value > 0);
        match (flag, count) {
            ("--seeds", Some(count)) => options.seeds = Some(count),
            ("--jobs", Some(count)) => options.jobs = Some(usize::try_from(count)?),
            ("--seeds" | "--jobs", None) => bail!(UsageError(format!("{flag} takes a whole number from 1"))),
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
        assert_eq!(parsed("").unwrap(), Options::default());
        assert_eq!(parsed("--jobs 1 --seeds 5").unwrap(), Options { seeds: Some(5), jobs: Some(1) });
    }

    #[test]
    fn what_is_not_an_option_or_not_a_count_is_refused() {
        for bad in ["--seeds", "--seeds 0", "--seeds x", "--jobs -1", "--cores 2"] {
            assert!(parsed(bad).unwrap_err().is::<UsageError>(), "{bad}");
        }
    }

    #[test]
    fn what_does_not_go_with_a_table_is_refused_before_anything_is_built() {
        for bad in ["", "pong", "minatar --runs x", "--check --al", "--check pong"] {
            let arguments: Vec<String> = bad.split_whitespace().map(String::from).collect();
            assert!(run(&arguments).unwrap_err().is::<UsageError>(), "{bad}");
        }
    }
}
