//! The terminal, taken over and restored whatever happens.

use std::io::{self, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::{cursor, execute, terminal};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

/// Whether the terminal is taken over. A program has one terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The alternate screen with an unbuffered keyboard. Everything is restored when this is dropped, and also when a panic starts, so that its
/// message is readable.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// The error of the terminal, which is then restored.
    pub fn open() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        terminal::enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let open = || -> io::Result<Self> {
            execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
            Ok(Screen { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
        };
        open().inspect_err(|_| give_back())
    }

    /// Draws, unless a panic has already restored the terminal.
    ///
    /// # Errors
    /// What the terminal returns.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) {
            self.terminal.draw(render)?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Restores the terminal, once.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Nothing useful can be done if the terminal is gone.
        let _ = execute!(io::stdout(), crossterm::style::ResetColor, cursor::Show, terminal::LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
        let _ = io::stdout().flush();
    }
}
