//! [`Link`], all that the training thread and the drawing thread have in common.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use requel::train::{Aggregates, EventRecord, Observer, ObserverError, TrainEvent};
use requel_envs::{Scene, VectorEnv};

/// How fast training may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as it can.
    Full,
    /// So many steps of the environments per second.
    Limited(f32),
    /// Only as many steps as were allowed one by one.
    Paused,
}

/// A score of the greedy policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Env steps at which it was made.
    pub env_steps: u64,
    /// Mean return.
    pub mean: f64,
    /// Whether it is the best so far.
    pub best: bool,
}

/// What happened since the drawing thread last looked. Bounded: where more happens than can be seen, some is left out.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Env steps and return of episodes that ended.
    pub episodes: Vec<(u64, f64)>,
    /// How many episodes ended so far.
    pub episode_count: u64,
    /// Aggregates, oldest first.
    pub progress: Vec<Aggregates>,
    /// Evaluations.
    pub scores: Vec<Score>,
    /// Checks that found something wrong.
    pub findings: Vec<&'static str>,
    /// The first training environment, if it was asked for.
    pub scene: Option<Scene>,
    /// Env steps of the newest checkpoint.
    pub saved: Option<u64>,
}

impl Inbox {
    /// Takes in what the drawing thread wants to know of an event.
    fn take(&mut self, record: EventRecord) {
        match record {
            EventRecord::Episode { env_steps, episode } => {
                self.episode_count = episode.index + 1;
                push(&mut self.episodes, (env_steps, episode.return_));
            }
            EventRecord::Train(aggregates) => push(&mut self.progress, aggregates),
            EventRecord::Evaluation { env_steps, score, best, .. } => {
                push(&mut self.scores, Score { env_steps, mean: score.mean_return, best });
            }
            EventRecord::Finding { finding, .. } => push(&mut self.findings, finding.check),
            EventRecord::Checkpoint { env_steps, .. } => self.saved = Some(env_steps),
            _ => {}
        }
    }
}

/// No more entries than this lie in one part of the inbox.
const MOST: usize = 4096;
/// How often a waiting training thread looks whether it is to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// All that the training thread and the drawing thread have in common.
#[derive(Debug)]
pub struct Link {
    /// Whether the training thread has to stop by after its step: the pace is not full, or a picture is wanted.
    attention: AtomicBool,
    /// Whether training was asked to stop, by whomever: nobody waits then.
    stop: Arc<AtomicBool>,
    env_steps: AtomicU64,
    inbox: Mutex<Inbox>,
    gate: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Debug)]
struct Gate {
    pace: Pace,
    allowed: u32,
    picture_wanted: bool,
}

impl Link {
    /// A link at full pace; `stop` is the flag that ends training.
    pub fn new(stop: Arc<AtomicBool>) -> Self {
        Link {
            attention: AtomicBool::new(false),
            stop,
            env_steps: AtomicU64::new(0),
            inbox: Mutex::default(),
            gate: Mutex::new(Gate { pace: Pace::Full, allowed: 0, picture_wanted: false }),
            changed: Condvar::new(),
        }
    }

    /// Env steps so far.
    pub fn env_steps(&self) -> u64 {
        self.env_steps.load(Ordering::Relaxed)
    }

    /// What happened since the last time.
    pub fn collect(&self) -> Inbox {
        let mut inbox = lock(&self.inbox);
        let fresh = Inbox { episode_count: inbox.episode_count, ..Inbox::default() };
        std::mem::replace(&mut inbox, fresh)
    }

    /// Sets the pace.
    pub fn set_pace(&self, pace: Pace) {
        let mut gate = lock(&self.gate);
        (gate.pace, gate.allowed) = (pace, 0);
        self.attention.store(pace != Pace::Full || gate.picture_wanted, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Lets one step pass while paused.
    pub fn allow_step(&self) {
        lock(&self.gate).allowed += 1;
        self.changed.notify_all();
    }

    /// Asks for the first training environment as it is after the next step.
    pub fn want_picture(&self) {
        lock(&self.gate).picture_wanted = true;
        self.attention.store(true, Ordering::Relaxed);
    }

    /// What the training thread does where attention is wanted: shows the environment, then waits until it may go on.
    fn attend(&self, (envs, observations): (&VectorEnv, &[f32]), last_step: &mut Instant) {
        let mut gate = lock(&self.gate);
        if gate.picture_wanted || gate.pace != Pace::Full {
            gate.picture_wanted = false;
            let numbers =
                || observations.iter().take(envs.observation_len()).copied().map(f64::from).collect::<Vec<_>>();
            lock(&self.inbox).scene = envs.scene(0).or_else(|| Some(Scene::of_numbers(&numbers())));
        }
        while !self.stop.load(Ordering::Relaxed) {
            let wait = match gate.pace {
                Pace::Full => {
                    self.attention.store(gate.picture_wanted, Ordering::Relaxed);
                    break;
                }
                Pace::Limited(steps_per_second) => {
                    let due = *last_step + Duration::from_secs_f32(1.0 / steps_per_second.max(0.01));
                    due.saturating_duration_since(Instant::now())
                }
                Pace::Paused if gate.allowed > 0 => {
                    gate.allowed -= 1;
                    break;
                }
                Pace::Paused => PATIENCE,
            };
            if wait.is_zero() {
                break;
            }
            gate = self.changed.wait_timeout(gate, wait.min(PATIENCE)).unwrap_or_else(PoisonError::into_inner).0;
        }
        *last_step = Instant::now();
    }
}

/// The training thread's end of the link: an observer that hands over what happens.
pub struct Listener {
    link: Arc<Link>,
    last_step: Instant,
}

impl Listener {
    /// The end of this link.
    pub fn new(link: Arc<Link>) -> Self {
        Listener { link, last_step: Instant::now() }
    }
}

impl Observer for Listener {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        let link = &*self.link;
        match *event {
            TrainEvent::Stepped { env_steps, envs, observations, .. } => {
                link.env_steps.store(env_steps, Ordering::Relaxed);
                if link.attention.load(Ordering::Relaxed) {
                    link.attend((envs, observations), &mut self.last_step);
                }
            }
            _ => {
                if let Some(record) = EventRecord::of(event) {
                    lock(&link.inbox).take(record);
                }
            }
        }
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        true
    }
}

/// Adds an entry; where there are too many already, it takes the place of the last one.
fn push<T>(entries: &mut Vec<T>, entry: T) {
    if entries.len() >= MOST {
        entries.pop();
    }
    entries.push(entry);
}

/// A thread that died in a panic leaves whole values behind here: none is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use requel::Trainer;
    use requel::config::Layers;

    use super::*;

    fn trainer() -> Trainer {
        let layers = Layers::new().preset("notebook").unwrap().set("train.episodes=0").unwrap();
        Trainer::new(layers.set("train.env_steps=1500").unwrap().resolve().unwrap()).unwrap()
    }

    #[test]
    fn watching_pausing_and_slowing_change_no_weight() {
        let mut alone = trainer();
        alone.run(&mut ()).unwrap();

        let link = Arc::new(Link::new(Arc::default()));
        let done = AtomicBool::new(false);
        let mut watched = trainer();
        let (mut pictures, mut episodes) = (0, 0);
        std::thread::scope(|scope| {
            let training = scope.spawn(|| {
                watched.run(&mut Listener::new(link.clone())).unwrap();
                done.store(true, Ordering::Relaxed);
            });
            let mut turn = 0;
            while !done.load(Ordering::Relaxed) {
                turn += 1;
                match turn % 4 {
                    0 => link.set_pace(Pace::Paused),
                    1 => link.allow_step(),
                    2 => link.set_pace(Pace::Limited(5000.0)),
                    _ => link.set_pace(Pace::Full),
                }
                link.want_picture();
                std::thread::sleep(Duration::from_millis(2));
                let inbox = link.collect();
                pictures += usize::from(inbox.scene.is_some());
                episodes += inbox.episodes.len();
            }
            training.join().unwrap();
        });
        episodes += link.collect().episodes.len();
        assert_eq!(watched.weights_blake3().unwrap(), alone.weights_blake3().unwrap());
        assert!(pictures > 0 && episodes > 20, "{pictures} pictures, {episodes} episodes");
        assert_eq!(link.env_steps(), 1500);
    }

    #[test]
    fn a_paused_training_makes_the_steps_it_is_allowed_and_hears_the_stop() {
        let stop = Arc::new(AtomicBool::new(false));
        let link = Arc::new(Link::new(stop.clone()));
        link.set_pace(Pace::Paused);
        let mut trainer = trainer();
        std::thread::scope(|scope| {
            let training = scope.spawn(|| {
                let mut listener = Listener::new(link.clone());
                while !stop.load(Ordering::Relaxed) {
                    trainer.advance(&mut listener).unwrap();
                }
            });
            let reached = |steps: u64| {
                let deadline = Instant::now() + Duration::from_secs(20);
                while link.env_steps() < steps && Instant::now() < deadline {
                    std::thread::sleep(Duration::from_millis(2));
                }
                std::thread::sleep(Duration::from_millis(20));
                link.env_steps()
            };
            assert_eq!(reached(1), 1);
            link.allow_step();
            assert_eq!(reached(2), 2);
            stop.store(true, Ordering::Relaxed);
            training.join().unwrap();
        });
    }

    #[test]
    fn an_inbox_that_nobody_empties_stays_small() {
        let mut entries = Vec::new();
        (0..3 * MOST).for_each(|i| push(&mut entries, i));
        assert_eq!((entries.len(), entries[0], *entries.last().unwrap()), (MOST, 0, 3 * MOST - 1));
    }
}
