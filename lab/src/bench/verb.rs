//! The arguments of `cargo xtask bench`.

use anyhow::{Result, bail};

use super::{envs, instructions, own, peers};
use xtask::UsageError;

/// Measures what `arguments` ask for.
///
/// # Errors
/// For arguments that mean nothing, a build or measurement that fails, or a page that cannot be written.
pub fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => own::print_table(),
        ["--write"] => own::write_table(),
        ["--peers"] => peers::write_section(),
        ["--envs"] => envs::write_section(),
        ["--instructions"] => instructions::write_counts(),
        ["--check"] => instructions::check_counts(),
        _ => bail!(UsageError(format!(
            "`bench {}`: it takes nothing, or one of --write, --envs, --peers, --instructions and --check",
            words.join(" ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_is_refused_before_anything_is_built() {
        for bad in [&["--wirte"][..], &["--write", "--peers"], &["S1"]] {
            let arguments: Vec<String> = bad.iter().map(|word| (*word).to_owned()).collect();
            assert!(run(&arguments).unwrap_err().is::<UsageError>(), "{bad:?}");
        }
    }
}
