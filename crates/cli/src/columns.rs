//! Measuring and folding text by its width in terminal columns.

use std::io::IsTerminal;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The width of the text in columns: wide characters count twice, combining accents and escape sequences not at all.
pub fn width(text: &str) -> usize {
    if text.contains('\x1b') { anstream::adapter::strip_str(text).to_string().width() } else { text.width() }
}

/// The number of columns of the terminal on stdout, if stdout is a terminal.
pub fn of_stdout() -> Option<usize> {
    let terminal = std::io::stdout().is_terminal();
    terminal.then(crossterm::terminal::size)?.ok().map(|(columns, _)| columns.into())
}

/// The text padded with spaces at its end to at least this many columns.
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text padded with spaces at its start to at least this many columns.
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text in lines of at most this many columns, broken between words where possible. At least one line.
pub fn folded(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for mut word in text.split(' ') {
        let line = lines.last().expect("there is always a line");
        if !line.is_empty() && width(line) + 1 + width(word) > columns {
            lines.push(String::new());
        }
        while width(word) > columns {
            let at = fitting(word, columns);
            if at == word.len() {
                break;
            }
            lines.last_mut().expect("there is always a line").push_str(&word[..at]);
            lines.push(String::new());
            word = &word[at..];
        }
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// How many bytes of the text fit into this many columns; at least one character.
fn fitting(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > columns && at > 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::{GOOD, paint};

    #[test]
    fn wide_characters_take_two_columns_and_styles_none() {
        assert_eq!(["abc", "日本", "e\u{301}", "± 5"].map(width), [3, 4, 1, 3]);
        assert_eq!(width(&paint(GOOD, "日本")), 4);
        assert_eq!((left("日", 4), right("日", 4)), ("日  ".into(), "  日".into()));
    }

    #[test]
    fn text_is_folded_between_words() {
        assert_eq!(folded("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(folded("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(folded("日本語 x", 4), ["日本", "語 x"]);
        assert_eq!(folded("日", 1), ["日"]);
        assert_eq!(folded("", 3), [""]);
    }
}
