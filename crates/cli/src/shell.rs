//! Suggested commands in a form that can be typed: with paths quoted for a shell, and the program's own name.

use std::borrow::Cow;
use std::path::Path;

use clap::CommandFactory;

use crate::args::Cli;
use crate::invocation::{NAME, own_name};

/// A text in which commands start with the name of this program: your own program, made with [`main_with`](crate::main_with), is not called
/// `requel`.
pub fn in_own_name(text: &str) -> Cow<'_, str> {
    named(text, &own_name())
}

fn named<'a>(text: &'a str, name: &str) -> Cow<'a, str> {
    if name == NAME || !text.contains(NAME) {
        return text.into();
    }
    let program = Cli::command();
    let is_verb = |rest: &str| {
        let word = rest.strip_prefix(' ').map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next());
        word.flatten().is_some_and(|word| word == "help" || program.find_subcommand(word).is_some())
    };
    let mut pieces = text.split(NAME);
    let mut named = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        named.push_str(if is_verb(piece) { name } else { NAME });
        named.push_str(piece);
    }
    named.into()
}

/// A path that can be pasted into a POSIX shell as one argument and is not taken for an option.
pub fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if text.starts_with('-') { format!("./{text}") } else { text.into_owned() };
    let plain = |c: char| c.is_alphanumeric() || "-_=./,:+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_typed_has_the_name_of_the_program() {
        let said = "`requel resume runs/requel` goes on; requel 0.1.0 wrote it, see `requel help train` and requel_cli";
        let expected = "`mine resume runs/requel` goes on; requel 0.1.0 wrote it, see `mine help train` and requel_cli";
        assert_eq!(named(said, "mine"), expected);
        assert_eq!(named(said, "requel"), said);
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_part_or_change_it() {
        let cases = [
            ("runs/CartPole-v1__dqn__0", "runs/CartPole-v1__dqn__0"),
            ("mit Leerzeichen/\u{fc}n\u{ef}c\u{f6}d\u{e9}", "'mit Leerzeichen/\u{fc}n\u{ef}c\u{f6}d\u{e9}'"),
            ("\u{fc}n\u{ef}c\u{f6}d\u{e9}", "\u{fc}n\u{ef}c\u{f6}d\u{e9}"),
            ("it's", r"'it'\''s'"),
            ("a$b", "'a$b'"),
            ("~", "'~'"),
            ("-x", "./-x"),
            ("", "''"),
        ];
        for (path, typed) in cases {
            assert_eq!(quoted(Path::new(path)), typed);
        }
    }
}
