//! [`Keyboard`], keys typed on the terminal while there is one.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEvent};
use crossterm::terminal;

/// Keys typed on the terminal.
///
/// Waiting is done here and not in crossterm, which would read a closed terminal again and again forever.
#[derive(Debug)]
pub struct Keyboard {
    source: Source,
    typed: VecDeque<Event>,
    pieces: Pieces,
    size: (u16, u16),
    measured: Instant,
}

/// How often the size of the window is checked: checking opens the terminal.
const MEASURING: Duration = Duration::from_millis(200);

impl Keyboard {
    /// The keyboard of the terminal that this program runs on.
    pub fn open() -> Self {
        let size = terminal::size().unwrap_or_default();
        Keyboard {
            source: Source::open(),
            typed: VecDeque::new(),
            pieces: Pieces::default(),
            size,
            measured: Instant::now(),
        }
    }

    /// Waits for a key or a resize of the window, at most this long.
    ///
    /// # Errors
    /// The error of the terminal; its kind is `NotConnected` if the terminal was closed.
    pub fn wait(&mut self, time: Duration) -> io::Result<Option<Event>> {
        if self.typed.is_empty() && self.source.is_readable(time)? {
            while event::poll(Duration::ZERO)? {
                let event = self.pieces.join(event::read()?, Instant::now());
                self.typed.extend(event);
            }
        }
        if let Some(event) = self.typed.pop_front() {
            return Ok(Some(event));
        }
        if self.measured.elapsed() < MEASURING {
            return Ok(None);
        }
        self.measured = Instant::now();
        let size = terminal::size().unwrap_or(self.size);
        let changed = std::mem::replace(&mut self.size, size) != size;
        Ok(changed.then_some(Event::Resize(size.0, size.1)))
    }
}

/// Reassembles keys whose bytes arrive late: over a slow connection an arrow key is read as Esc, `[` and `C`.
#[derive(Debug, Default)]
struct Pieces {
    /// When the last piece was read, and which.
    begun: Option<(Instant, Piece)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// The first byte.
    Escape,
    /// `[` or `O`, and the digits after it.
    Introducer,
}

/// The maximum time between the bytes of one key, even over a slow connection. Nobody types Esc and `[` this fast.
const APART: Duration = Duration::from_millis(400);

impl Pieces {
    /// The event that was meant: nothing while a key is incomplete, the whole key with its last piece.
    fn join(&mut self, event: Event, now: Instant) -> Option<Event> {
        let Event::Key(key) = event else { return Some(event) };
        let begun = self.begun.take().filter(|(since, _)| now.duration_since(*since) < APART);
        match (begun.map(|(_, piece)| piece), key.code) {
            (_, KeyCode::Esc) => self.begun = Some((now, Piece::Escape)),
            (Some(Piece::Escape), KeyCode::Char('[' | 'O'))
            | (Some(Piece::Introducer), KeyCode::Char('0'..='9' | ';')) => {
                self.begun = Some((now, Piece::Introducer));
                return None;
            }
            (Some(Piece::Introducer), KeyCode::Char(last)) => {
                let code = match last {
                    'A' => KeyCode::Up,
                    'B' => KeyCode::Down,
                    'C' => KeyCode::Right,
                    'D' => KeyCode::Left,
                    // A key without a meaning here.
                    _ => return None,
                };
                return Some(Event::Key(KeyEvent { code, ..key }));
            }
            _ => {}
        }
        Some(event)
    }
}

/// Where crossterm reads keys.
#[derive(Debug)]
enum Source {
    /// Standard input, if it is a terminal.
    #[cfg(unix)]
    Stdin,
    /// Otherwise the terminal that controls the program.
    #[cfg(unix)]
    Controlling(std::fs::File),
    /// Unknown: left to crossterm.
    Unknown,
}

#[cfg(unix)]
impl Source {
    fn open() -> Self {
        use std::io::IsTerminal;
        if io::stdin().is_terminal() {
            return Source::Stdin;
        }
        std::fs::File::open("/dev/tty").map_or(Source::Unknown, Source::Controlling)
    }

    fn is_readable(&self, time: Duration) -> io::Result<bool> {
        match self {
            Source::Stdin => is_readable(&io::stdin(), time),
            Source::Controlling(file) => is_readable(file, time),
            Source::Unknown => event::poll(time),
        }
    }
}

#[cfg(not(unix))]
impl Source {
    fn open() -> Self {
        Source::Unknown
    }

    fn is_readable(&self, time: Duration) -> io::Result<bool> {
        event::poll(time)
    }
}

#[cfg(unix)]
fn is_readable(file: &impl std::os::fd::AsFd, time: Duration) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
    let mut files = [PollFd::new(file, PollFlags::IN)];
    match poll(&mut files, Some(&time)) {
        Err(rustix::io::Errno::INTR) => return Ok(false),
        result => result?,
    };
    let seen = files[0].revents();
    match seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        true => Err(io::Error::new(io::ErrorKind::NotConnected, "the terminal was closed")),
        false => Ok(seen.contains(PollFlags::IN)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use crossterm::event::KeyModifiers;

    use super::*;

    #[test]
    fn a_key_whose_bytes_come_late_is_that_key_and_no_other() {
        let key = |code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        let (start, mut pieces) = (Instant::now(), Pieces::default());
        let mut at = 0;
        let mut typed = |characters: &str, apart: u64| {
            let mut events = Vec::new();
            for character in characters.chars() {
                at += apart;
                let code = if character == '^' { KeyCode::Esc } else { KeyCode::Char(character) };
                events.extend(pieces.join(key(code), start + Duration::from_millis(at)));
            }
            events
        };
        let escape = || key(KeyCode::Esc);
        assert_eq!(typed("^[C", 80), [escape(), key(KeyCode::Right)]);
        assert_eq!(typed("^OA", 80), [escape(), key(KeyCode::Up)]);
        // Ctrl-right, delete, and a report that ends with a letter which means something by itself.
        assert_eq!(typed("^[1;5C^[3~^[1q", 80), [escape(), key(KeyCode::Right), escape(), escape()]);
        // A key typed by hand after Esc is not part of a sequence.
        assert_eq!(typed("^q", 80), [escape(), key(KeyCode::Char('q'))]);
        assert_eq!(typed("^[q", 700), [escape(), key(KeyCode::Char('[')), key(KeyCode::Char('q'))]);
    }

    #[test]
    fn silence_bytes_and_an_end_are_told_apart() {
        let (reader, mut writer) = io::pipe().unwrap();
        let ask = || is_readable(&reader, Duration::from_millis(1));
        assert!(!ask().unwrap());
        writer.write_all(b"x").unwrap();
        assert!(ask().unwrap());
        drop(writer);
        assert_eq!(ask().unwrap_err().kind(), io::ErrorKind::NotConnected);
    }
}
