//! How text looks, and the few lines that the program says on stderr. Colour is dropped where stdout or stderr is no
//! terminal, and where `NO_COLOR` asks for it.

use std::fmt::Display;
use std::io::Write;

use anstyle::{AnsiColor, Style};

use crate::ascii::Spoken;
use crate::exit::Failure;
use crate::shell::in_own_name;

/// What stands out: names, headings.
pub const BOLD: Style = Style::new().bold();
/// What may be read past.
pub const MUTED: Style = Style::new().dimmed();
/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What can be typed.
pub const COMMAND: Style = AnsiColor::Cyan.on_default();
/// What may be wrong.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();

/// The text in a style.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Says on stderr how things go.
pub fn say(text: impl Display) {
    line(text);
}

/// Says on stderr that something is not as it should be, but goes on.
pub fn warn(text: impl Display) {
    line(format_args!("{} {text}", paint(WARNING, "warning:")));
}

/// Says on stderr why the program ends.
pub fn report(failure: &Failure) {
    if failure.what.is_empty() {
        return;
    }
    line(format_args!("{} {}", paint(BAD, "error:"), failure.what));
    if let Some(hint) = &failure.hint {
        line(format_args!("{} {hint}", paint(COMMAND, "hint:")));
    }
}

/// Standard output for what people read: without colour where there is none to be had, in ASCII where there is nothing else.
pub fn stdout() -> Spoken<impl Write> {
    let out = std::io::stdout();
    Spoken::new(anstream::stdout().lock(), &out)
}

/// Prints what the command line's reading ended with, help or misuse, and gives the exit code.
pub fn usage(error: &clap::Error) -> u8 {
    let text = error.render().ansi().to_string();
    let text = in_own_name(&text);
    // If nobody listens there is nobody to tell.
    let _ = if error.use_stderr() { write!(stderr(), "{text}") } else { write!(stdout(), "{text}") };
    u8::try_from(error.exit_code()).unwrap_or(2)
}

fn stderr() -> Spoken<impl Write> {
    Spoken::new(anstream::stderr().lock(), &std::io::stderr())
}

fn line(text: impl Display) {
    // If stderr is closed there is nobody to tell.
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
