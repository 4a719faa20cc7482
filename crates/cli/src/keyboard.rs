//! [`Keyboard`], what is typed on the terminal for as long as there is one.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event};
use crossterm::terminal;

/// What is typed on the terminal.
///
/// Waiting is done here and not in crossterm: that reads a terminal which went away again and again, without an end.
#[derive(Debug)]
pub struct Keyboard {
    source: Source,
    typed: VecDeque<Event>,
    size: (u16, u16),
    measured: Instant,
}

/// How often the size of the window is looked at: it takes opening the terminal.
const MEASURING: Duration = Duration::from_millis(200);

impl Keyboard {
    /// The keyboard of the terminal that this program runs on.
    pub fn open() -> Self {
        let size = terminal::size().unwrap_or_default();
        Keyboard { source: Source::open(), typed: VecDeque::new(), size, measured: Instant::now() }
    }

    /// Waits for a key or another size of the window, at most so long.
    ///
    /// # Errors
    /// What the terminal returns; of the kind `NotConnected` where it went away.
    pub fn wait(&mut self, time: Duration) -> io::Result<Option<Event>> {
        if self.typed.is_empty() && self.source.is_readable(time)? {
            while event::poll(Duration::ZERO)? {
                self.typed.push_back(event::read()?);
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

/// Where crossterm reads keys.
#[derive(Debug)]
enum Source {
    /// Standard input, where it is a terminal.
    #[cfg(unix)]
    Stdin,
    /// Otherwise the terminal that controls the program.
    #[cfg(unix)]
    Controlling(std::fs::File),
    /// Only crossterm knows.
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
        true => Err(io::Error::new(io::ErrorKind::NotConnected, "the terminal went away")),
        false => Ok(seen.contains(PollFlags::IN)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use super::*;

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
