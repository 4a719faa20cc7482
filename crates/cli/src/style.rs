//! How text looks, and the few messages that the program prints on stderr. Colour is dropped if stdout or stderr is not a terminal, and if
//! `NO_COLOR` is set.

use std::fmt::Display;
use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::ascii::Spoken;
use crate::exit::Failure;
use crate::shell::in_own_name;

/// Emphasised text: names, headings.
pub const BOLD: Style = Style::new().bold();
/// Less important text.
pub const MUTED: Style = Style::new().dimmed();
/// Something that went well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// A command that can be typed.
pub const COMMAND: Style = AnsiColor::Cyan.on_default();
/// Something that may be wrong.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Something that is wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// The text in a style.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints progress on stderr.
pub fn say(text: impl Display) {
    line(text);
}

/// Prints a warning on stderr.
pub fn warn(text: impl Display) {
    line(format_args!("{} {text}", paint(WARNING, "warning:")));
}

/// Prints on stderr why the program ends.
pub fn report(failure: &Failure) {
    if failure.what.is_empty() {
        return;
    }
    line(format_args!("{} {}", paint(BAD, "error:"), failure.what));
    if let Some(hint) = &failure.hint {
        line(format_args!("{} {hint}", paint(COMMAND, "hint:")));
    }
}

/// Standard output for people: without colour if none is available, in ASCII if nothing else is.
pub fn stdout() -> Spoken<impl Write> {
    let out = std::io::stdout();
    Spoken::new(anstream::stdout().lock(), &out)
}

/// Prints the result of parsing the command line, help or an error, and returns the exit code.
pub fn usage(error: &clap::Error) -> u8 {
    let text = error.render().ansi().to_string();
    let text = in_own_name(&text);
    // If stdout is closed, nobody reads it.
    let _ = if error.use_stderr() { write!(stderr(), "{text}") } else { write!(stdout(), "{text}") };
    u8::try_from(error.exit_code()).unwrap_or(2)
}

fn stderr() -> Spoken<impl Write> {
    Spoken::new(anstream::stderr().lock(), &std::io::stderr())
}

fn line(text: impl Display) {
    // If stderr is closed, nobody reads it.
    let _ = writeln!(stderr(), "{}", in_own_name(&text.to_string()));
}

/// The styles of `--help`.
pub fn help() -> clap::builder::Styles {
    clap::builder::Styles::styled()
        .header(GOOD)
        .usage(GOOD)
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(COMMAND)
        .error(BAD)
        .invalid(WARNING)
        .valid(COMMAND)
}
