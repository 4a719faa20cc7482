//! A command that knows how to print itself, so that what failed can be pasted back into a shell.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A program with its arguments and extra environment, started in the repository's root without standard input.
#[derive(Debug, Clone)]
pub struct CommandLine {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
}

impl CommandLine {
    /// A command without arguments.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// Adds one argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable for this command alone.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs it with its output passed through.
    ///
    /// # Errors
    /// When it cannot be started or does not exit with 0; the message shows the command.
    pub fn run(&self) -> Result<()> {
        eprintln!("$ {self}");
        let status = self.command().status().with_context(|| format!("cannot start `{self}`"))?;
        if !status.success() {
            bail!("`{self}` failed: {status}");
        }
        Ok(())
    }

    /// Runs it and hands back what it wrote to standard output; standard error is passed through.
    ///
    /// # Errors
    /// As [`CommandLine::run`], and when the output is not UTF-8.
    pub fn output(&self) -> Result<String> {
        let output = self
            .command()
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start `{self}`: is it installed?"))?;
        if !output.status.success() {
            bail!("`{self}` failed: {}", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("the output of `{self}` is not UTF-8"))
    }

    /// Runs it with its output passed through, and hands back the code that it exits with: 1 where a signal ended it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn exit_code(&self) -> Result<i32> {
        let status = self.command().status().with_context(|| format!("cannot start `{self}`"))?;
        Ok(status.code().unwrap_or(1))
    }

    /// As [`CommandLine::run`], with nothing shown.
    ///
    /// # Errors
    /// As [`CommandLine::run`].
    pub fn run_quietly(&self) -> Result<()> {
        if !self.succeeds() {
            bail!("`{self}` failed");
        }
        Ok(())
    }

    /// Whether it starts and exits with 0, with nothing shown: for asking what a machine has.
    pub fn succeeds(&self) -> bool {
        self.command().stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // No standard input: the continuous integration has none, and a chore must not wait for a person there.
        command.args(&self.arguments).current_dir(workspace::root()).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(formatter, "{name}={} ", quoted(value))?;
        }
        // A path to a program is long and differs between machines; inside the root, show it from there.
        formatter.write_str(&quoted(&shown(&self.program)))?;
        for argument in &self.arguments {
            write!(formatter, " {}", quoted(&shown(argument)))?;
        }
        Ok(())
    }
}

/// `text` with the repository's root taken off its front, and cargo by its name.
fn shown(text: &OsStr) -> String {
    let text = text.to_string_lossy();
    let root = format!("{}{}", workspace::root().display(), std::path::MAIN_SEPARATOR);
    match text.strip_prefix(&root) {
        Some(inside) => inside.to_owned(),
        None if text.ends_with("/bin/cargo") => "cargo".to_owned(),
        None => text.into_owned(),
    }
}

/// `text` as a POSIX shell would need it typed.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_as_it_would_be_typed() {
        let command =
            CommandLine::new("requel").args(["train", "CartPole-v1", "--set", "a.b=c d"]).env("FLAGS", "-D x");
        assert_eq!(command.to_string(), "FLAGS='-D x' requel train CartPole-v1 --set 'a.b=c d'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_path_inside_the_repository_is_shown_from_its_root() {
        let inside = workspace::root().join("xtask").join("Cargo.toml");
        assert_eq!(CommandLine::new("cat").arg(inside).to_string(), "cat xtask/Cargo.toml");
    }

    #[test]
    fn a_failing_command_shows_itself() {
        let error =
            CommandLine::new("git").args(["rev-parse", "--verify", "--quiet", "no-such-name"]).output().unwrap_err();
        assert!(error.to_string().contains("`git rev-parse --verify --quiet no-such-name` failed"), "{error}");
    }
}
