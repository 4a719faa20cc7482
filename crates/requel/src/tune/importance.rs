//! [`importance`], which of the searched keys made a difference.

use super::parzen::Parzen;
use super::{Space, Trial};

/// How much each key of a space had to do with which trials were good, as shares of 1 in the order of the keys.
///
/// PED-ANOVA (Watanabe, Bansal & Hutter 2023, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces"): the
/// Pearson divergence of the density of a key's values among the best quarter of trials from that among all of them. Each key is looked at
/// by itself. A trial is better that was trained for longer, or scored higher after as long. `None` for fewer than 8 trials.
pub fn importance(space: &Space, trials: &[Trial]) -> Option<Vec<f64>> {
    if trials.len() < LEAST {
        return None;
    }
    let mut order: Vec<&Trial> = trials.iter().collect();
    order.sort_by(|one, other| other.compare(one).then(one.number.cmp(&other.number)));
    let best = order.len().div_ceil(4);
    let divergence = |dimension: &super::Dimension| {
        let density = |trials: &[&Trial]| {
            let place = |trial: &&Trial| dimension.domain.place(trial.settings.get(dimension.key.path)?);
            Parzen::of(&trials.iter().filter_map(place).collect::<Vec<_>>(), dimension.domain.choices())
        };
        let (good, all) = (density(&order[..best]), density(&order));
        let points = dimension.domain.choices().unwrap_or(POINTS);
        let at = |point: usize| (point as f64 + 0.5) / points as f64;
        let difference = |place: f64| (good.density(place) / all.density(place) - 1.0).powi(2) * all.density(place);
        (0..points).map(|point| difference(at(point))).sum::<f64>() / points as f64
    };
    let found: Vec<f64> = space.dimensions().iter().map(divergence).collect();
    let sum: f64 = found.iter().sum();
    (sum > 0.0).then(|| found.iter().map(|one| one / sum).collect())
}

const LEAST: usize = 8;
/// Points at which a density is looked at.
const POINTS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Key, Scale};
    use crate::tune::{Dimension, Domain, Scored, Settings};

    #[test]
    fn what_decided_the_scores_is_what_is_important() {
        let number = || Domain::Number { low: 0.0, high: 1.0, scale: Scale::Linear };
        let choice = Domain::OneOf(vec![32.into(), 64.into()]);
        let dimension = |key, domain| Dimension::named(Key::of(key).unwrap(), domain).unwrap();
        let dimensions = vec![
            dimension("agent.gamma", number()),
            dimension("optimizer.momentum", Domain::Number { low: 0.0, high: 0.9, scale: Scale::Linear }),
            dimension("replay.batch_size", choice),
        ];
        let space = Space::of(&Config::default(), dimensions);
        let trial = |number: usize| {
            let place = |step: usize| ((number * step) % 40) as f64 / 40.0;
            let settings = space.settings(|at| place([7, 11, 20][at]));
            let gamma = settings["agent.gamma"].as_float().unwrap();
            let score = -(gamma - 0.4).abs();
            let scored = Scored::new(1, vec![1], vec![score]);
            Trial {
                number,
                settings: Settings::clone(&settings),
                rungs: vec![scored],
                failure: None,
                config: Config::default(),
            }
        };
        let trials: Vec<Trial> = (0..40).map(trial).collect();
        let found = importance(&space, &trials).unwrap();
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(found[0] > 0.6, "{found:?}");
        assert_eq!(importance(&space, &trials[..7]), None);
    }
}
