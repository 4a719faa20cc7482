//! [`Clock`], how long training took to reach an env step, read from `timing.csv`.

use serde::Serialize;

use super::tail::Lines;

/// Seconds of training until an env step, all sessions together, as columns.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Clock {
    /// Env steps.
    pub x: Vec<f64>,
    /// Seconds.
    pub seconds: Vec<f64>,
}

/// Reads `timing.csv` line by line.
#[derive(Debug)]
pub struct ClockReader {
    clock: Clock,
    session: String,
    /// Seconds of the sessions before this one, and of this one.
    before: f64,
    now: f64,
    every: usize,
    rows: usize,
    most_points: usize,
}

impl ClockReader {
    /// Without lines yet; the clock will have at most this many points.
    pub fn new(most_points: usize) -> Self {
        let (clock, session) = (Clock::default(), String::new());
        ClockReader { clock, session, before: 0.0, now: 0.0, every: 1, rows: 0, most_points }
    }

    /// What has been read so far.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn row(&mut self, line: &str) -> Option<()> {
        let mut cells = line.split(',');
        let (session, env_steps, seconds) =
            (cells.next()?, cells.next()?.parse::<f64>().ok()?, cells.next()?.parse::<f64>().ok()?);
        if session != self.session {
            self.session = session.to_owned();
            self.before += std::mem::take(&mut self.now);
        }
        self.now = seconds;
        let Clock { x, seconds: column } = &mut self.clock;
        // A session resumed from an earlier checkpoint reaches some env steps again: the last time counts.
        while x.last().is_some_and(|last| *last >= env_steps) {
            x.pop();
            column.pop();
        }
        if self.rows.is_multiple_of(self.every) {
            x.push(env_steps);
            column.push(self.before + seconds);
        }
        self.rows += 1;
        if x.len() >= self.most_points {
            self.every *= 2;
            for column in [x, column] {
                let mut index = 0;
                column.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
            }
        }
        Some(())
    }
}

impl Lines for ClockReader {
    fn line(&mut self, line: &[u8]) {
        // The first line has the names of the columns, and no numbers.
        std::str::from_utf8(line).ok().and_then(|line| self.row(line.trim_end()));
    }

    fn restart(&mut self) {
        *self = ClockReader::new(self.most_points);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: impl IntoIterator<Item = String>) -> Clock {
        let mut reader = ClockReader::new(100);
        reader.line(b"session,env_steps,wall_seconds,env_steps_per_second\n");
        rows.into_iter().for_each(|row| reader.line(row.as_bytes()));
        reader.clock()
    }

    #[test]
    fn sessions_add_up_and_what_was_done_again_counts_as_it_was_done_last() {
        let rows = ["1,100,1.0,100", "1,200,2.0,100", "1,300,3.0,100", "2,300,1.5,66", "2,400,2.5,80"];
        let clock = read(rows.map(|row| format!("{row}\n")));
        assert_eq!(clock.x, [100.0, 200.0, 300.0, 400.0]);
        assert_eq!(clock.seconds, [1.0, 2.0, 4.5, 5.5]);
    }

    #[test]
    fn a_clock_of_any_length_keeps_what_can_be_shown() {
        let clock = read((1..=10_000).map(|row| format!("1,{row},{}.0,1\n", 2 * row)));
        assert!(clock.x.len() > 40 && clock.x.len() < 100, "{}", clock.x.len());
        assert!(clock.x.iter().zip(&clock.seconds).all(|(x, seconds)| 2.0 * x == *seconds));
    }
}
