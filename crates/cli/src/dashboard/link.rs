//! [`Link`], what the training thread and the drawing thread share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use requel::train::{Aggregates, EventRecord, Observer, ObserverError, TrainEvent};
use requel_envs::{Scene, VectorEnv};

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

/// What happened since the drawing thread last looked. Bounded: if more happens than can be shown, some is dropped.
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
    /// Adds what the drawing thread needs from an event.
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

/// The maximum number of entries in one part of the inbox.
const MOST: usize = 4096;

/// What the training thread and the drawing thread share.
#[derive(Debug, Default)]
pub struct Link {
    /// Whether the first training environment should be shown as it is after the next step.
    picture_wanted: AtomicBool,
    env_steps: AtomicU64,
    inbox: Mutex<Inbox>,
}

impl Link {
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

    /// Requests the first training environment as it is after the next step.
    pub fn want_picture(&self) {
        self.picture_wanted.store(true, Ordering::Relaxed);
    }

    fn show(&self, envs: &VectorEnv, observations: &[f32]) {
        let numbers = || observations.iter().take(envs.observation_len()).copied().map(f64::from).collect::<Vec<_>>();
        lock(&self.inbox).scene = envs.scene(0).or_else(|| Some(Scene::of_numbers(&numbers())));
    }
}

/// The training thread's end of the link: an observer that passes events on.
pub struct Listener {
    link: Arc<Link>,
}

impl Listener {
    /// The end of this link.
    pub fn new(link: Arc<Link>) -> Self {
        Listener { link }
    }
}

impl Observer for Listener {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        let link = &*self.link;
        match *event {
            TrainEvent::Stepped { env_steps, envs, observations, .. } => {
                link.env_steps.store(env_steps, Ordering::Relaxed);
                if link.picture_wanted.load(Ordering::Relaxed) && link.picture_wanted.swap(false, Ordering::Relaxed) {
                    link.show(envs, observations);
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

/// Adds an entry; if there are too many, it replaces the last one.
fn push<T>(entries: &mut Vec<T>, entry: T) {
    if entries.len() >= MOST {
        entries.pop();
    }
    entries.push(entry);
}

/// If a thread panics, the values behind this lock are still consistent: none is changed in two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use requel::Trainer;
    use requel::config::Layers;

    use super::*;

    fn trainer() -> Trainer {
        let layers = Layers::new().preset("notebook").unwrap().set("train.episodes=0").unwrap();
        Trainer::new(layers.set("train.env_steps=1500").unwrap().resolve().unwrap()).unwrap()
    }

    #[test]
    fn watching_changes_no_weight() {
        let mut alone = trainer();
        alone.run(&mut ()).unwrap();

        let link = Arc::new(Link::default());
        let done = AtomicBool::new(false);
        let mut watched = trainer();
        let (mut pictures, mut episodes) = (0, 0);
        std::thread::scope(|scope| {
            let training = scope.spawn(|| {
                watched.run(&mut Listener::new(link.clone())).unwrap();
                done.store(true, Ordering::Relaxed);
            });
            while !done.load(Ordering::Relaxed) {
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
    fn an_inbox_that_nobody_empties_stays_small() {
        let mut entries = Vec::new();
        (0..3 * MOST).for_each(|i| push(&mut entries, i));
        assert_eq!((entries.len(), entries[0], *entries.last().unwrap()), (MOST, 0, 3 * MOST - 1));
    }
}
