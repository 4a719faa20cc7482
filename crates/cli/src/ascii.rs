//! [`Spoken`], text for people on a terminal that may know no characters but those of ASCII.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use crate::show::Ability;

/// An output stream for people. On a terminal whose locale is not Unicode (`LC_ALL=C`), every character is written in ASCII; pipes and
/// files get the text unchanged.
pub struct Spoken<W> {
    out: W,
    ascii: bool,
}

impl<W: Write> Spoken<W> {
    /// The stream `out`, which ends at `end`.
    pub fn new(out: W, end: &impl IsTerminal) -> Self {
        Spoken { out, ascii: end.is_terminal() && !Ability::detect().unicode }
    }
}

impl<W: Write> Write for Spoken<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.ascii || bytes.is_ascii() {
            return self.out.write(bytes);
        }
        // Formatted arguments arrive as whole pieces of text.
        self.out.write_all(in_ascii(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The text as stdout will show it, for code that counts columns.
pub fn as_shown(text: &str) -> Cow<'_, str> {
    match io::stdout().is_terminal() && !text.is_ascii() && !Ability::detect().unicode {
        true => in_ascii(text).into(),
        false => text.into(),
    }
}

/// The text in ASCII: signs by their name or a similar character, unknown characters as `?`.
pub fn in_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '·' | '–' | '—' | '−' | '─' | '━' => ascii.push('-'),
            '±' => ascii.push_str("+-"),
            '…' => ascii.push_str("..."),
            '×' => ascii.push('x'),
            '→' => ascii.push_str("->"),
            '←' => ascii.push_str("<-"),
            '≤' => ascii.push_str("<="),
            '≥' => ascii.push_str(">="),
            '‘' | '’' => ascii.push('\''),
            '“' | '”' => ascii.push('"'),
            'α' => ascii.push_str("alpha"),
            'β' => ascii.push_str("beta"),
            'γ' => ascii.push_str("gamma"),
            'δ' => ascii.push_str("delta"),
            'ε' => ascii.push_str("epsilon"),
            'θ' => ascii.push_str("theta"),
            'κ' => ascii.push_str("kappa"),
            'λ' => ascii.push_str("lambda"),
            'π' => ascii.push_str("pi"),
            'τ' => ascii.push_str("tau"),
            '²' => ascii.push_str("^2"),
            '°' => ascii.push_str(" deg"),
            '│' | '├' | '┤' => ascii.push('|'),
            '╭' | '╮' | '╰' | '╯' => ascii.push('+'),
            '●' | '•' => ascii.push('*'),
            other if other.is_ascii() => ascii.push(other),
            _ => ascii.push('?'),
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_without_unicode_gets_ascii_and_a_file_the_text() {
        let text = "CartPole-v1 · 154.35 ± 13.38 · 115aca99… → γ, Ü\n";
        let written = |ascii| {
            let mut spoken = Spoken { out: Vec::new(), ascii };
            write!(spoken, "{text}").unwrap();
            String::from_utf8(spoken.out).unwrap()
        };
        assert_eq!(written(true), "CartPole-v1 - 154.35 +- 13.38 - 115aca99... -> gamma, ?\n");
        assert_eq!(written(false), text);
    }
}
