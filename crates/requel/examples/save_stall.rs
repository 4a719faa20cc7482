//! How long a save keeps training waiting, with a replay buffer of a million transitions, also in a run that is stopped in the midst
//! of the buffer's third round and resumed. Settings of the config may follow:
//!
//! ```text
//! cargo run --release -p requel --example save_stall
//! cargo run --release -p requel --example save_stall -- replay.kind=prioritized
//! cargo run --release -p requel --example save_stall -- env.id=MinAtar/Seaquest-v1 env.frame_stack=4
//! ```

use std::time::{Duration, Instant};

use requel::TrainEvent;
use requel::config::Layers;
use requel::run::{Control, Run, Session};
use requel::train::{Observer, ObserverError};

/// Every how many env steps there is a save.
const EVERY: u64 = 250_000;

/// Env steps at which training is stopped.
const STOP: u64 = 2_400_000;

struct Stopwatch {
    last: Instant,
    after_save: bool,
    /// The pauses in which a save began: while the buffer fills, once it is full, and after the run was resumed.
    stalls: [Vec<Duration>; 3],
    /// All other pauses, and at which env step: also of saves that were put off.
    others: Vec<(Duration, u64)>,
    control: Control,
}

impl Observer for Stopwatch {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if let TrainEvent::Stepped { env_steps, .. } = event {
            let pause = self.last.elapsed();
            if self.after_save {
                let part = usize::from(*env_steps > 1_000_000) + usize::from(*env_steps > STOP);
                self.stalls[part].push(pause);
            } else {
                self.others.push((pause, *env_steps));
            }
            self.after_save = env_steps.is_multiple_of(EVERY);
            if *env_steps == STOP {
                self.control.request_stop();
            }
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
    let run = Run::create(&dir.path().join("run"), &layers.resolve()?)?;
    let mut watch = Stopwatch {
        last: Instant::now(),
        after_save: false,
        stalls: [vec![], vec![], vec![]],
        others: Vec::new(),
        control: Control::new(),
    };
    let control = watch.control.clone();
    Session::begin(run)?.train(&mut watch, &control)?;
    let (session, resumed) = Session::resume(Run::open(&dir.path().join("run"))?)?;
    println!("resumed at {} env steps", resumed.env_steps);
    (watch.control, watch.last, watch.after_save) = (Control::new(), Instant::now(), false);
    session.train(&mut watch, &Control::new())?;
    for (name, stalls) in ["buffer filling", "buffer full", "resumed"].into_iter().zip(&mut watch.stalls) {
        let listed: Vec<String> = stalls.iter().map(|stall| format!("{stall:.1?}")).collect();
        println!("{name}: {} saves, stalls {}", stalls.len(), listed.join(", "));
    }
    watch.others.sort();
    let longest = watch.others.iter().rev().take(5);
    let listed: Vec<String> = longest.map(|(pause, env_steps)| format!("{pause:.1?} at {env_steps}")).collect();
    println!("other steps: longest {}", listed.join(", "));
    Ok(())
}
