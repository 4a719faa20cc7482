//! Metrics of the environments, summed over episodes.

use std::collections::VecDeque;

use requel_envs::{AddedUp, EnvSpec, OverEpisode};

use crate::state::{State, StateError};

const KEY: &str = "trainer/env_metrics";
const NAMES_KEY: &str = "trainer/env_metric_names";

/// They are averaged over this many episodes, like returns.
const WINDOW: usize = 100;

/// The metrics of a training run's environments: for the current episodes so far, and for the last ones that ended.
#[derive(Clone, Debug)]
pub(super) struct EnvMetrics {
    over_episode: Vec<OverEpisode>,
    /// Environments × metrics.
    running: Vec<AddedUp>,
    /// For the last episodes, at most 100: each metric, unless nothing was reported for it.
    last: VecDeque<Vec<Option<f64>>>,
    /// Names as used in logs, with the numbers to report next.
    told: Vec<(String, f64)>,
}

impl EnvMetrics {
    pub fn new(spec: &EnvSpec, num_envs: usize) -> Self {
        let over_episode: Vec<OverEpisode> = spec.metrics.iter().map(|metric| metric.over_episode).collect();
        let told = column_names(spec).map(|name| (name, f64::NAN)).collect();
        let running = vec![(0.0, 0); num_envs * over_episode.len()];
        EnvMetrics { over_episode, running, last: VecDeque::with_capacity(WINDOW), told }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.over_episode.is_empty()
    }

    /// Adds what environment `slot` reported for a step.
    pub fn add(&mut self, slot: usize, numbers: &[f64]) {
        let count = self.over_episode.len();
        let running = &mut self.running[slot * count..][..count];
        for ((so_far, over_episode), number) in running.iter_mut().zip(&self.over_episode).zip(numbers) {
            *so_far = over_episode.add(*so_far, *number);
        }
    }

    /// Drops the current episode of environment `slot`.
    pub fn abandon(&mut self, slot: usize) {
        let count = self.over_episode.len();
        self.running[slot * count..][..count].fill((0.0, 0));
    }

    /// The metrics of the episode of environment `slot`, which ends here; NaN if nothing was reported.
    pub fn end_episode(&mut self, slot: usize) -> &[(String, f64)] {
        if self.is_empty() {
            return &[];
        }
        let mut row = if self.last.len() == WINDOW { self.last.pop_front() } else { None }.unwrap_or_default();
        row.clear();
        let count = self.over_episode.len();
        let running = self.running[slot * count..][..count].iter().zip(&self.over_episode);
        row.extend(running.map(|(so_far, over_episode)| over_episode.result(*so_far)));
        for ((_, told), number) in self.told.iter_mut().zip(&row) {
            *told = number.unwrap_or(f64::NAN);
        }
        self.last.push_back(row);
        self.abandon(slot);
        &self.told
    }

    /// The mean of each metric over those of the last 100 episodes that have it; NaN if none has.
    pub fn means(&mut self) -> &[(String, f64)] {
        for (at, (_, told)) in self.told.iter_mut().enumerate() {
            let known = self.last.iter().filter_map(|row| row[at]);
            let (sum, count) = known.fold((0.0, 0u32), |(sum, count), number| (sum + number, count + 1));
            *told = if count > 0 { sum / f64::from(count) } else { f64::NAN };
        }
        &self.told
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.told.iter().map(|(name, _)| name.as_str())
    }

    pub fn save(&self, state: &mut State<'_>) {
        if !self.is_empty() {
            state.put(KEY, (&self.running, &self.last));
            state.put(NAMES_KEY, self.names().collect::<Vec<_>>());
        }
    }

    /// Restores what was saved; restores nothing if nothing was saved, or if the environment now reports other metrics.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        if self.is_empty() || !state.values.contains_key(KEY) {
            return Ok(());
        }
        // Versions that did not save names saved no metrics.
        let known = state.values.contains_key(NAMES_KEY);
        if known && !state.read::<Vec<String>>(NAMES_KEY)?.iter().map(String::as_str).eq(self.names()) {
            return Ok(());
        }
        let (running, last): (Vec<AddedUp>, VecDeque<Vec<Option<f64>>>) = state.read(KEY)?;
        let count = self.over_episode.len();
        if running.len() != self.running.len() || last.len() > WINDOW || last.iter().any(|row| row.len() != count) {
            return Err(StateError::new(KEY, format!("does not match {count} metrics in this many environments")));
        }
        (self.running, self.last) = (running, last);
        Ok(())
    }
}

/// The names of an environment's metrics as used in logs.
pub(crate) fn column_names(spec: &EnvSpec) -> impl Iterator<Item = String> {
    spec.metrics.iter().map(|metric| format!("env/{}", metric.name))
}

#[cfg(test)]
mod tests {
    use requel_envs::MetricSpec;

    use super::*;

    fn spec() -> EnvSpec {
        let metrics = vec![
            MetricSpec::new("bumps", OverEpisode::Sum),
            MetricSpec::new("heat", OverEpisode::Mean),
            MetricSpec::new("goal", OverEpisode::Last),
        ];
        EnvSpec { metrics, ..EnvSpec::new("Maze") }
    }

    fn told(numbers: &[(String, f64)]) -> Vec<(&str, String)> {
        numbers.iter().map(|(name, number)| (name.as_str(), number.to_string())).collect()
    }

    #[test]
    fn an_episode_by_hand() {
        let mut metrics = EnvMetrics::new(&spec(), 2);
        let nan = f64::NAN;
        metrics.add(0, &[1.0, 20.0, 0.0]);
        metrics.add(1, &[9.0, nan, nan]);
        metrics.add(0, &[2.0, nan, 1.0]);
        metrics.add(0, &[nan, 23.0, nan]);
        let expected = |bumps: &str, heat: &str, goal: &str| {
            vec![("env/bumps", bumps.into()), ("env/heat", heat.into()), ("env/goal", goal.into())]
        };
        assert_eq!(told(metrics.end_episode(0)), expected("3", "21.5", "1"));
        assert_eq!(told(metrics.end_episode(1)), expected("9", "NaN", "NaN"));
        assert_eq!(told(metrics.means()), expected("6", "21.5", "1"));
        // Each episode begins at nothing, and one that is given up counts nowhere.
        metrics.add(0, &[5.0, 5.0, 5.0]);
        metrics.abandon(0);
        assert_eq!(told(metrics.end_episode(0)), expected("NaN", "NaN", "NaN"));
        assert_eq!(told(metrics.means()), expected("6", "21.5", "1"));
    }

    #[test]
    fn the_last_hundred_episodes_count_and_are_part_of_the_state() {
        let mut metrics = EnvMetrics::new(&spec(), 1);
        for episode in 0..150 {
            metrics.add(0, &[f64::from(episode), f64::NAN, 0.1]);
            metrics.end_episode(0);
        }
        metrics.add(0, &[0.1, 0.2, 0.3]);
        // The mean of 50 to 149.
        assert_eq!(metrics.means()[0].1, 99.5);
        let mut state = State::default();
        metrics.save(&mut state);
        let mut other = EnvMetrics::new(&spec(), 1);
        other.restore(&state).unwrap();
        assert_eq!(told(other.means()), told(metrics.means()));
        assert_eq!(told(other.end_episode(0)), told(metrics.end_episode(0)));
        assert!(EnvMetrics::new(&spec(), 2).restore(&state).is_err());
        assert!(EnvMetrics::new(&spec(), 1).restore(&State::default()).is_ok());
        // Other metrics start from zero, however many there are.
        let others = |names: &[&str]| {
            let metrics = names.iter().map(|name| MetricSpec::new(*name, OverEpisode::Sum)).collect();
            EnvMetrics::new(&EnvSpec { metrics, ..spec() }, 1)
        };
        for mut changed in [others(&["falls"]), others(&["bumps", "heat", "falls"])] {
            changed.restore(&state).unwrap();
            assert!(changed.means().iter().all(|(_, mean)| mean.is_nan()));
        }
    }
}
