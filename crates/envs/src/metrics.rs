//! Metrics: numbers that an environment reports with its steps, in addition to rewards.

/// A number that an environment reports with each step, by [`Env::metrics`](crate::Env::metrics).
///
/// It is for people: it is logged under `env/` and its name, and nothing is learned from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricSpec {
    /// Its name, such as `collisions`.
    pub name: String,
    /// How the numbers of an episode's steps are combined.
    pub over_episode: OverEpisode,
}

impl MetricSpec {
    /// The metric `name`, combined over an episode as `over_episode` says.
    pub fn new(name: impl Into<String>, over_episode: OverEpisode) -> Self {
        MetricSpec { name: name.into(), over_episode }
    }
}

/// How the numbers of an episode's steps are combined. A number that is not finite counts as not reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverEpisode {
    /// Their sum, for example of collisions.
    Sum,
    /// Their mean, for example of a temperature.
    Mean,
    /// The last one, for example whether the goal was reached.
    Last,
}

/// The steps of an episode so far: the sum or the last of their numbers, and how many there are.
pub type AddedUp = (f64, u64);

impl OverEpisode {
    /// Adds the number of one more step.
    ///
    /// ```
    /// use requel_envs::OverEpisode;
    ///
    /// let over = |metric: OverEpisode| [1.0, f64::NAN, 3.0].into_iter().fold((0.0, 0), |so_far, x| metric.add(so_far, x));
    /// assert_eq!(OverEpisode::Sum.result(over(OverEpisode::Sum)), Some(4.0));
    /// assert_eq!(OverEpisode::Mean.result(over(OverEpisode::Mean)), Some(2.0));
    /// assert_eq!(OverEpisode::Last.result(over(OverEpisode::Last)), Some(3.0));
    /// assert_eq!(OverEpisode::Sum.result((0.0, 0)), None);
    /// ```
    #[must_use]
    pub fn add(self, (so_far, count): AddedUp, number: f64) -> AddedUp {
        match self {
            _ if !number.is_finite() => (so_far, count),
            OverEpisode::Sum | OverEpisode::Mean => (so_far + number, count + 1),
            OverEpisode::Last => (number, count + 1),
        }
    }

    /// The combined number; `None` if no step reported one.
    pub fn result(self, (so_far, count): AddedUp) -> Option<f64> {
        match (self, count) {
            (_, 0) => None,
            (OverEpisode::Mean, count) => Some(so_far / count as f64),
            _ => Some(so_far),
        }
    }
}
