//! Paths in commands that are suggested, as a shell needs them typed.

use std::path::Path;

/// A path that can be pasted into a POSIX shell as one argument that is no option.
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
