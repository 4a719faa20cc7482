//! [`Chronicle`], what the dashboard remembers of a training run, in bounded memory.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use requel::train::Budget;

use super::audit::Audit;
use super::link::Inbox;
use crate::progress::Headway;

/// A curve over env steps with at most [`Series::MOST`] points: longer ones are thinned to every n-th point.
#[derive(Clone, Debug)]
pub struct Series {
    points: Vec<(f64, f64)>,
    stride: u64,
    seen: u64,
}

impl Series {
    /// The maximum number of points; no terminal can show more.
    pub const MOST: usize = 512;

    /// A curve without points.
    pub fn new() -> Self {
        Series { points: Vec::new(), stride: 1, seen: 0 }
    }

    /// Adds a point; values that are not finite are ignored because they cannot be drawn.
    pub fn push(&mut self, x: f64, y: f64) {
        if !y.is_finite() {
            return;
        }
        if self.seen.is_multiple_of(self.stride) {
            if self.points.len() == Self::MOST {
                let mut index = 0;
                self.points.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride *= 2;
            }
            if self.seen.is_multiple_of(self.stride) {
                self.points.push((x, y));
            }
        }
        self.seen += 1;
    }

    /// The points, oldest first.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The newest value that was kept.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|point| point.1)
    }
}

/// How many episodes a moving mean spans.
const WINDOW: usize = 100;
/// Rates are averaged over this much time.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// What the dashboard remembers of a training run.
#[derive(Debug)]
pub struct Chronicle {
    /// How much of the budget is used, and how fast.
    pub headway: Headway,
    /// Updates so far, as of the latest aggregates.
    pub updates: u64,
    /// Undiscounted return of each training episode.
    pub returns: Series,
    /// Its mean over the last 100 episodes.
    pub return_mean: Series,
    /// Mean return of the greedy policy at each evaluation.
    pub greedy: Series,
    /// Mean loss.
    pub loss: Series,
    /// Mean q(s, a) of the batches.
    pub mean_q: Series,
    /// The bounds of all possible values, if known.
    pub value_bounds: Option<[f64; 2]>,
    /// Mean discounted return that the best policy obtained from the states of an episode.
    pub obtained: Series,
    /// ε.
    pub epsilon: Series,
    /// Env steps per second.
    pub speed: Series,
    /// The newest audit.
    pub audit: Option<Audit>,
    /// Checks that found something wrong, in the order they found it.
    pub findings: Vec<&'static str>,
    /// The best evaluation so far.
    pub best: Option<f64>,
    /// Recent updates per second.
    pub updates_per_second: f64,
    window: VecDeque<f64>,
    marks: VecDeque<Mark>,
}

/// Progress of training at a moment.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    env_steps: u64,
    updates: u64,
}

impl Chronicle {
    /// A chronicle that starts now, with the env steps and episodes of earlier sessions.
    pub fn new(budget: Budget, made: (u64, u64)) -> Self {
        let series = Series::new;
        Chronicle {
            headway: Headway::new(budget, made),
            updates: 0,
            returns: series(),
            return_mean: series(),
            greedy: series(),
            loss: series(),
            mean_q: series(),
            value_bounds: None,
            obtained: series(),
            epsilon: series(),
            speed: series(),
            audit: None,
            findings: Vec::new(),
            best: None,
            updates_per_second: 0.0,
            window: VecDeque::new(),
            marks: VecDeque::new(),
        }
    }

    /// Records an event that happened up to `env_steps`; `now` is the time.
    pub fn note(&mut self, inbox: &Inbox, env_steps: u64, now: Instant) {
        self.headway.env_steps = self.headway.env_steps.max(env_steps);
        self.headway.episodes = self.headway.episodes.max(inbox.episode_count);
        for &(at, value) in &inbox.episodes {
            self.window.push_back(value);
            if self.window.len() > WINDOW {
                self.window.pop_front();
            }
            self.returns.push(at as f64, value);
            self.return_mean.push(at as f64, self.window.iter().sum::<f64>() / self.window.len() as f64);
        }
        for a in &inbox.progress {
            let x = a.env_steps as f64;
            self.updates = a.updates;
            a.epsilon.into_iter().for_each(|epsilon| self.epsilon.push(x, epsilon));
            a.loss.into_iter().for_each(|loss| self.loss.push(x, loss));
            a.mean_q.into_iter().for_each(|q| self.mean_q.push(x, q));
        }
        self.findings.extend_from_slice(&inbox.findings);
        for score in &inbox.scores {
            self.greedy.push(score.env_steps as f64, score.mean);
            if score.best {
                self.best = Some(score.mean);
            }
        }
        self.mark(now);
    }

    /// Records an audit of the best policy.
    pub fn note_audit(&mut self, audit: Audit) {
        self.obtained.push(self.headway.env_steps as f64, audit.obtained);
        self.audit = Some(audit);
    }

    /// Records that training is paused from `now` on: time and speed stand still.
    pub fn hold(&mut self, now: Instant) {
        self.headway.hold(now);
    }

    /// Records that training continues at `now`, possibly at another pace.
    pub fn go_on(&mut self, now: Instant) {
        self.headway.go_on(now);
        self.marks.clear();
    }

    fn mark(&mut self, now: Instant) {
        if self.headway.is_held() {
            return;
        }
        self.marks.push_back(Mark { at: now, env_steps: self.headway.env_steps, updates: self.updates });
        while self.marks.len() > 2 && now.duration_since(self.marks[1].at) > RATE_WINDOW {
            self.marks.pop_front();
        }
        let (first, last) = (self.marks[0], self.marks[self.marks.len() - 1]);
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        if seconds > 0.05 {
            let rate = (last.env_steps - first.env_steps) as f64 / seconds;
            self.speed.push(self.headway.env_steps as f64, rate);
            self.updates_per_second = last.updates.saturating_sub(first.updates) as f64 / seconds;
        }
    }
}

#[cfg(test)]
mod tests {
    use requel::train::Aggregates;

    use super::*;
    use crate::dashboard::link::Score;

    #[test]
    fn a_long_curve_keeps_its_shape_in_bounded_memory() {
        let mut series = Series::new();
        (0..100_000).for_each(|i| series.push(f64::from(i), f64::from(2 * i)));
        let points = series.points();
        assert!(points.len() <= Series::MOST && points.len() > Series::MOST / 4, "{}", points.len());
        assert!(points.iter().all(|(x, y)| *y == 2.0 * x));
        let gaps: Vec<f64> = points.windows(2).map(|w| w[1].0 - w[0].0).collect();
        assert!(gaps.iter().all(|gap| *gap == gaps[0]), "unequal gaps");
        series.push(0.0, f64::NAN);
        assert!(series.points().iter().all(|p| p.1.is_finite()));
    }

    #[test]
    fn what_happened_becomes_curves_and_rates() {
        let mut chronicle = Chronicle::new(Budget::EnvSteps(1000), (0, 0));
        let now = Instant::now();
        chronicle.note(&Inbox::default(), 0, now);
        let episodes = vec![(10, 1.0), (20, 3.0)];
        let aggregates =
            Aggregates { env_steps: 100, updates: 50, loss: Some(0.5), epsilon: Some(0.1), ..Default::default() };
        let scores = vec![Score { env_steps: 100, mean: 9.0, best: true }];
        let (progress, findings) = (vec![aggregates], vec!["value-bound"]);
        let inbox = Inbox { episodes, episode_count: 2, progress, scores, findings, ..Inbox::default() };
        chronicle.note(&inbox, 200, now + Duration::from_secs(1));
        assert_eq!(chronicle.findings, ["value-bound"]);
        assert_eq!(chronicle.return_mean.points(), [(10.0, 1.0), (20.0, 2.0)]);
        assert_eq!((chronicle.loss.last(), chronicle.mean_q.last()), (Some(0.5), None));
        assert_eq!((chronicle.best, chronicle.headway.episodes, chronicle.headway.fraction()), (Some(9.0), 2, 0.2));
        assert_eq!((chronicle.speed.last(), chronicle.updates_per_second), (Some(200.0), 50.0));
        // While training waits the speed stands still, and afterwards the wait is no part of it.
        let at = |seconds| now + Duration::from_secs(seconds);
        chronicle.hold(at(1));
        chronicle.note(&Inbox::default(), 200, at(60));
        assert_eq!((chronicle.speed.last(), chronicle.updates_per_second), (Some(200.0), 50.0));
        chronicle.go_on(at(61));
        chronicle.note(&Inbox::default(), 200, at(61));
        chronicle.note(&Inbox::default(), 300, at(62));
        assert_eq!(chronicle.speed.last(), Some(100.0));
    }
}
