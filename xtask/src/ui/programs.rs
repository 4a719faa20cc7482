//! Programs of the system that the scripts drive.

use std::fmt::Write;

use anyhow::{Result, bail};

use xtask::command::CommandLine;

/// What is needed: the ways it may be called with an argument that only asks for its version, and Debian's package.
const NEEDED: &[(&[&str], &str, &str)] = &[
    (&["chromium", "chromium-browser", "google-chrome", "chrome"], "--version", "chromium"),
    (&["tmux"], "-V", "tmux"),
];

/// Makes sure that a browser and a terminal are there; installs them where that can be done without asking.
///
/// # Errors
/// When one is missing and cannot be installed; the message says how to.
pub fn prepare() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    // Where this runs as root on Debian, as in a container, nobody needs to be asked for a password.
    let apt = CommandLine::new("apt-get");
    if apt.clone().arg("--version").succeeds() && CommandLine::new("test").args(["-w", "/var/lib/dpkg/lock"]).succeeds()
    {
        apt.clone().args(["update", "--quiet"]).run()?;
        apt.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(&missing).run()?;
        return Ok(());
    }
    bail!("{}", advice(&missing));
}

fn missing() -> Vec<&'static str> {
    let is_there =
        |(names, ask, _): &&(&[&str], &str, &str)| names.iter().any(|name| CommandLine::new(*name).arg(ask).succeeds());
    NEEDED.iter().filter(|needed| !is_there(needed)).map(|(_, _, package)| *package).collect()
}

fn advice(missing: &[&str]) -> String {
    let mut text = format!("{} not installed", missing.join(" and "));
    let _ = write!(text, ": on Debian, `sudo apt-get install {}`", missing.join(" "));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let text = advice(&["chromium", "tmux"]);
        assert_eq!(text, "chromium and tmux not installed: on Debian, `sudo apt-get install chromium tmux`");
    }
}
