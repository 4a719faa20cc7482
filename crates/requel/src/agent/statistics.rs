//! [`Statistics`]: how learning goes, in numbers by name.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::state::StateError;

/// A statistic of learning. To add one, name it here and record it where it is computed: logs and events then have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Euclidean norm of the gradient of all parameters, before clipping.
    GradientNorm,
    /// Fraction of the updates whose gradient was clipped.
    ClippedUpdates,
    /// ‖new − old‖ / ‖old‖ of all parameters in one update.
    UpdateToWeight,
    /// Fraction of the hidden units that are τ-dormant on the batch with τ = 0.025 (Sokar et al. 2023): see [`dormant_units`].
    DormantShare,
    /// Largest |Q| among the values of the batch from which targets were computed, for any action.
    LargestQ,
    /// Median over the batch of |q(s, a) − target|; for a loss over distributions, the median of that loss.
    TdErrorMedian,
    /// The 90th percentile of the same.
    TdErrorP90,
    /// The maximum of the same.
    TdErrorMax,
    /// Fraction of the targets outside the support or the bounds, which were clipped to them; for a distribution, the fraction of its mass.
    ClippedTargets,
    /// Mean age of the transitions in the batch, in transitions stored since.
    ReplayAge,
}

/// How numbers of several updates are combined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Merge {
    Mean,
    Greatest,
}

impl Statistic {
    /// All statistics, in the order of logs.
    pub const ALL: [Statistic; 10] = [
        Statistic::GradientNorm,
        Statistic::ClippedUpdates,
        Statistic::UpdateToWeight,
        Statistic::DormantShare,
        Statistic::LargestQ,
        Statistic::TdErrorMedian,
        Statistic::TdErrorP90,
        Statistic::TdErrorMax,
        Statistic::ClippedTargets,
        Statistic::ReplayAge,
    ];

    /// Its name in logs, such as `gradient_norm`; `train/gradient_norm` in `progress.csv` and TensorBoard.
    pub fn name(self) -> &'static str {
        self.row().0.strip_prefix("train/").expect("all are of training")
    }

    /// Its name in `progress.csv` and TensorBoard, such as `train/gradient_norm`.
    pub fn tag(self) -> &'static str {
        self.row().0
    }

    fn row(self) -> (&'static str, Merge) {
        use Merge::{Greatest, Mean};
        match self {
            Statistic::GradientNorm => ("train/gradient_norm", Mean),
            Statistic::ClippedUpdates => ("train/clipped_updates", Mean),
            Statistic::UpdateToWeight => ("train/update_to_weight", Mean),
            Statistic::DormantShare => ("train/dormant_share", Mean),
            Statistic::LargestQ => ("train/largest_q", Greatest),
            Statistic::TdErrorMedian => ("train/td_error_median", Mean),
            Statistic::TdErrorP90 => ("train/td_error_p90", Mean),
            Statistic::TdErrorMax => ("train/td_error_max", Greatest),
            Statistic::ClippedTargets => ("train/clipped_targets", Mean),
            Statistic::ReplayAge => ("train/replay_age", Mean),
        }
    }
}

/// The number of updates between two measurements of the costly statistics, counted from the first. A prime, so that anything periodic in
/// the count of updates, such as the epochs of a rollout or a copy to the target network, is met at a different phase each time.
pub(super) const MEASURED_EVERY: u64 = 61;

/// Statistics of some updates. Which updates contribute depends only on counts of updates: cheap statistics are recorded for all updates,
/// the rest for every 61st.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// For each statistic, the sum over its updates, or the maximum.
    values: [f64; Statistic::ALL.len()],
    /// For each statistic, the number of updates.
    counts: [u32; Statistic::ALL.len()],
}

impl Statistics {
    /// Records a number of one update.
    pub fn record(&mut self, statistic: Statistic, value: f64) {
        self.merge(statistic, value, 1);
    }

    /// Adds the statistics of other updates.
    pub fn add(&mut self, other: &Statistics) {
        for statistic in Statistic::ALL {
            self.merge(statistic, other.values[statistic as usize], other.counts[statistic as usize]);
        }
    }

    /// The mean over the updates, or the maximum for statistics named so; `None` if it was recorded for none.
    pub fn get(&self, statistic: Statistic) -> Option<f64> {
        let (value, count) = (self.values[statistic as usize], self.counts[statistic as usize]);
        (count > 0).then(|| match statistic.row().1 {
            Merge::Mean => value / f64::from(count),
            Merge::Greatest => value,
        })
    }

    /// All, in the order of logs.
    pub fn iter(&self) -> impl Iterator<Item = (Statistic, Option<f64>)> {
        Statistic::ALL.into_iter().map(|statistic| (statistic, self.get(statistic)))
    }

    fn merge(&mut self, statistic: Statistic, other: f64, count: u32) {
        if count == 0 {
            return;
        }
        let (value, known) = (&mut self.values[statistic as usize], &mut self.counts[statistic as usize]);
        *value = match statistic.row().1 {
            Merge::Greatest if *known > 0 => value.max(other),
            _ => *value + other,
        };
        *known = known.saturating_add(count);
    }

    /// What a checkpoint stores: name, sum or maximum, and count of the recorded statistics.
    pub(crate) fn saved(&self) -> Vec<(&'static str, f64, u32)> {
        let all = Statistic::ALL.map(|s| (s.name(), self.values[s as usize], self.counts[s as usize]));
        all.into_iter().filter(|(.., count)| *count > 0).collect()
    }

    /// Restores what a checkpoint stored.
    pub(crate) fn restored(saved: &[(String, f64, u32)]) -> Result<Self, StateError> {
        let mut statistics = Statistics::default();
        for (name, value, count) in saved {
            let statistic = Statistic::ALL.into_iter().find(|statistic| statistic.name() == name);
            let statistic = statistic.ok_or_else(|| {
                StateError::new("trainer/statistics_since_log", format!("has `{name}`, which is no statistic"))
            })?;
            (statistics.values[statistic as usize], statistics.counts[statistic as usize]) = (*value, *count);
        }
        Ok(statistics)
    }
}

impl Serialize for Statistics {
    /// A map from every name to its number, or null.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Statistic::ALL.len()))?;
        for (statistic, value) in self.iter() {
            map.serialize_entry(statistic.name(), &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Statistics {
    /// From such a map, as if each number came from one update; unknown names are ignored.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?;
        let mut statistics = Statistics::default();
        for statistic in Statistic::ALL {
            if let Some(value) = map.get(statistic.name()).and_then(serde_json::Value::as_f64) {
                statistics.record(statistic, value);
            }
        }
        Ok(statistics)
    }
}

/// How many units of a layer are τ-dormant: those whose mean |activation| over a batch is at most `tau` times the mean over the layer's
/// units (Sokar et al. 2023, "The Dormant Neuron Phenomenon in Deep Reinforcement Learning"). All of them are, if no unit is active.
///
/// `activations` contains the units' numbers one after another, repeatedly: rows × units; for an image, rows × pixels × channels. `room`
/// has one number per unit and is overwritten with the sums of |activation|.
///
/// ```
/// let mut room = [0.0; 3];
/// assert_eq!(requel::agent::dormant_units(&[1.0, 0.0, 3.0, 1.0, 0.01, 1.0], 0.025, &mut room), 1);
/// assert_eq!(room, [2.0, 0.009999999776482582, 4.0]);
/// ```
///
/// # Panics
/// If `room` is empty, or `activations` does not divide into rows of its length.
pub fn dormant_units(activations: &[f32], tau: f64, room: &mut [f64]) -> usize {
    let units = room.len();
    assert!(units > 0 && activations.len().is_multiple_of(units), "activations are rows × units");
    room.fill(0.0);
    for row in activations.chunks_exact(units) {
        room.iter_mut().zip(row).for_each(|(sum, activation)| *sum += f64::from(activation.abs()));
    }
    let least = tau * room.iter().sum::<f64>() / units as f64;
    room.iter().filter(|sum| **sum <= least).count()
}

/// The fraction of the hidden units of some layers that are dormant, given the activations and the number of units of each: see
/// [`dormant_units`], with τ = 0.025. `None` if there are no units. `room` has at least one number per unit of the widest layer.
pub fn dormant_share<'a>(layers: impl Iterator<Item = (&'a [f32], usize)>, room: &mut [f64]) -> Option<f64> {
    /// The paper of [`dormant_units`] also uses 0.025.
    const DORMANT: f64 = 0.025;
    let (mut dormant, mut all) = (0, 0);
    for (activations, units) in layers {
        dormant += dormant_units(activations, DORMANT, &mut room[..units]);
        all += units;
    }
    (all > 0).then(|| dormant as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_greatest_over_updates() {
        let mut all = Statistics::default();
        assert_eq!(all.get(Statistic::GradientNorm), None);
        for values in [[1.0, -5.0], [4.0, -7.0], [1.0, -6.0]] {
            let mut one = Statistics::default();
            one.record(Statistic::GradientNorm, values[0]);
            one.record(Statistic::TdErrorMax, values[1]);
            all.add(&one);
        }
        assert_eq!(all.get(Statistic::GradientNorm), Some(2.0));
        assert_eq!(all.get(Statistic::TdErrorMax), Some(-5.0));
        assert_eq!(all.get(Statistic::ReplayAge), None);
    }

    #[test]
    fn what_is_saved_comes_back() {
        let mut statistics = Statistics::default();
        statistics.record(Statistic::LargestQ, 3.5);
        statistics.record(Statistic::ReplayAge, 0.1);
        statistics.record(Statistic::ReplayAge, 0.2);
        let saved: Vec<_> = statistics.saved().into_iter().map(|(name, v, n)| (name.to_owned(), v, n)).collect();
        assert_eq!(Statistics::restored(&saved), Ok(statistics));
        assert!(Statistics::restored(&[("nothing".into(), 1.0, 1)]).is_err());
    }

    #[test]
    fn each_has_its_place_and_a_name_of_its_own() {
        let mut names: Vec<&str> = Statistic::ALL.iter().map(|statistic| statistic.name()).collect();
        for (place, statistic) in Statistic::ALL.into_iter().enumerate() {
            assert_eq!(statistic as usize, place);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Statistic::ALL.len());
        let json = serde_json::to_string(&Statistics::default()).unwrap();
        assert!(json.starts_with(r#"{"gradient_norm":null,"clipped_updates":null,"#), "{json}");
    }

    #[test]
    fn a_layer_that_gives_nothing_is_dormant_whole() {
        let mut room = [9.0; 4];
        assert_eq!(dormant_units(&[0.0; 8], 0.025, &mut room), 4);
        assert_eq!(dormant_units(&[1.0; 8], 0.025, &mut room), 0);
    }
}
