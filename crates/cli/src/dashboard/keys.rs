//! What the keys mean on the dashboard.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Pause or continue.
    Pause,
    /// One step of the environments, then wait.
    SingleStep,
    /// Faster.
    Faster,
    /// Slower.
    Slower,
    /// Other charts.
    NextChart,
    /// Switch between the training environment and the best policy.
    NextView,
    /// Save a checkpoint and continue.
    Save,
    /// Save a checkpoint and stop.
    Stop,
    /// Show or hide the help.
    Help,
    /// Hide the help if it is shown.
    CloseHelp,
    /// Ctrl-C.
    Interrupt,
}

/// What the keys do: key and meaning.
pub const KEYS: [(&str, &str); 10] = [
    ("space", "pause, or continue"),
    (". →", "pause and take a single step"),
    ("+ -", "faster, slower; the fastest has no limit"),
    ("c tab", "other charts"),
    ("v", "training environment, or the best policy at play"),
    ("s", "save a checkpoint now"),
    ("q", "save and stop; `requel resume` continues"),
    ("? h", "show or hide this help"),
    ("esc", "close this help without stopping"),
    ("ctrl-c", "like q; twice: stop at once, without saving"),
];

/// The meaning of a key.
pub fn wish(key: KeyEvent) -> Option<Wish> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Wish::Interrupt,
        // Characters that a terminal sends by itself, such as NUL, arrive as keys with Ctrl.
        _ if key.modifiers.contains(KeyModifiers::CONTROL) => return None,
        KeyCode::Char('q') => Wish::Stop,
        KeyCode::Esc => Wish::CloseHelp,
        KeyCode::Char(' ' | 'p') => Wish::Pause,
        KeyCode::Char('.') | KeyCode::Right => Wish::SingleStep,
        KeyCode::Char('+' | '=') | KeyCode::Up => Wish::Faster,
        KeyCode::Char('-') | KeyCode::Down => Wish::Slower,
        KeyCode::Char('c') | KeyCode::Tab => Wish::NextChart,
        KeyCode::Char('v') => Wish::NextView,
        KeyCode::Char('s') => Wish::Save,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Wish::Help,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_of_an_escape_sequence_stops_the_training() {
        let of = |code| wish(KeyEvent::new(code, KeyModifiers::NONE));
        assert_eq!(of(KeyCode::Esc), Some(Wish::CloseHelp));
        assert!(KEYS.iter().any(|(key, _)| *key == "esc"));
        for code in [KeyCode::Char('['), KeyCode::Char('O'), KeyCode::Char('A'), KeyCode::Char('C'), KeyCode::Left] {
            assert_eq!(of(code), None, "{code:?}");
        }
    }

    #[test]
    fn a_key_with_control_is_none_of_ours() {
        for code in [KeyCode::Char(' '), KeyCode::Char('p'), KeyCode::Char('q'), KeyCode::Char('s'), KeyCode::Up] {
            assert_eq!(wish(KeyEvent::new(code, KeyModifiers::CONTROL)), None, "{code:?}");
        }
    }

    #[test]
    fn c_alone_is_no_interruption() {
        let key = |modifiers| wish(KeyEvent::new(KeyCode::Char('c'), modifiers));
        assert_eq!(key(KeyModifiers::NONE), Some(Wish::NextChart));
        assert_eq!(key(KeyModifiers::CONTROL), Some(Wish::Interrupt));
    }
}
