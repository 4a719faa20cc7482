//! What the keys mean while watching.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::keyboard::Keyboard;

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Pause or continue.
    Pause,
    /// One step, then wait.
    SingleStep,
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// The next episode.
    NextEpisode,
    /// The window was resized, or must be redrawn.
    Redraw,
    /// The end.
    Quit,
    /// Ctrl-C.
    Interrupt,
    /// The terminal was closed.
    HungUp,
}

/// What the keys do, for the last line of the screen.
pub const HINT: &str = "space pause   . step   + - speed   n next   q quit";

/// Waits for a key, at most this long.
///
/// # Errors
/// What the terminal returns.
pub fn wait(keyboard: &mut Keyboard, time: Duration) -> io::Result<Option<Wish>> {
    Ok(match keyboard.wait(time) {
        Ok(Some(Event::Key(key))) if key.kind != KeyEventKind::Release => wish(key),
        Ok(Some(Event::Resize(..))) => Some(Wish::Redraw),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Some(Wish::HungUp),
        result => result.map(|_| None)?,
    })
}

fn wish(key: KeyEvent) -> Option<Wish> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Wish::Interrupt,
        KeyCode::Char('q') => Wish::Quit,
        KeyCode::Char(' ') => Wish::Pause,
        KeyCode::Char('.') | KeyCode::Right => Wish::SingleStep,
        KeyCode::Char('+' | '=') | KeyCode::Up => Wish::Faster,
        KeyCode::Char('-') | KeyCode::Down => Wish::Slower,
        KeyCode::Char('n') => Wish::NextEpisode,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_meaning() {
        let plain = |c| wish(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        assert_eq!(plain('q'), Some(Wish::Quit));
        assert_eq!(plain('c'), None);
        assert_eq!(wish(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(Wish::Interrupt));
    }
}
