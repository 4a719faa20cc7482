//! How long a save keeps training waiting, with a replay buffer of a million transitions. Settings of the config may follow:
//!
//! ```text
//! cargo run --release -p requel --example save_stall
//! cargo run --release -p requel --example save_stall -- replay.kind=prioritized
//! ```

use std::time::{Duration, Instant};

use requel::TrainEvent;
use requel::config::Layers;
use requel::run::{Control, Run, Session};
use requel::train::{Observer, ObserverError};

/// Every how many env steps there is a save.
const EVERY: u64 = 250_000;

struct Stopwatch {
    last: Instant,
    after_save: bool,
    /// The longest pause in which a save began, by whether the buffer was full.
    stalls: [Vec<Duration>; 2],
    others: Vec<Duration>,
}

impl Observer for Stopwatch {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if let TrainEvent::Stepped { env_steps, .. } = event {
            let pause = self.last.elapsed();
            if self.after_save {
                self.stalls[usize::from(*env_steps > 1_000_000)].push(pause);
            } else {
                self.others.push(pause);
            }
            self.after_save = env_steps.is_multiple_of(EVERY);
            self.last = Instant::now();
        }
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let mut layers = Layers::new().preset("notebook")?;
    for setting in [
        "train.episodes=0",
        "train.env_steps=4_000_000",
        "replay.capacity=1_000_000",
        "replay.start=999_000",
        "train.every_steps=200",
        "evaluation.every_episodes=0",
        "evaluation.final_episodes=1",
        "checkpoint.every_steps=250_000",
    ] {
        layers = layers.set(setting)?;
    }
    for setting in std::env::args().skip(1) {
        layers = layers.set(&setting)?;
    }
    let session = Session::begin(Run::create(&dir.path().join("run"), &layers.resolve()?)?)?;
    let mut watch = Stopwatch { last: Instant::now(), after_save: false, stalls: [vec![], vec![]], others: Vec::new() };
    session.train(&mut watch, &Control::new())?;
    for (name, stalls) in ["buffer filling", "buffer full"].into_iter().zip(&mut watch.stalls) {
        stalls.sort();
        let median = stalls[stalls.len() / 2];
        println!("{name}: {} saves, stall median {median:.1?}, longest {:.1?}", stalls.len(), stalls[stalls.len() - 1]);
    }
    watch.others.sort();
    println!("steps without a save: longest {:.1?}", watch.others[watch.others.len() - 1]);
    Ok(())
}
