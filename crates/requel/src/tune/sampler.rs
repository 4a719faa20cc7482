//! [`Sampler`], how the settings of a trial are found.

use requel_envs::EnvSpec;
use serde::{Deserialize, Serialize};

use super::parzen::Parzen;
use super::{Settings, Space, TuneError};
use crate::config::Config;
use crate::rng::{Stream, StreamRng};

/// How the settings of a new trial are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    /// At random, each value by itself.
    Random,
    /// Tree-structured Parzen estimators (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"): of values drawn where
    /// good trials lie, the one where good ones are the densest against the others, each key by itself. As in BOHB (Falkner, Klein &
    /// Hutter 2018, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale") good are those that are so after a whole
    /// training, once some are known, and every third trial is drawn at random: who only looks where it was good before does not
    /// learn that it is better elsewhere.
    #[default]
    Tpe,
}

/// A trial that is known: its settings, and its score, if it was trained to its end.
pub(super) type Known<'a> = (&'a Settings, Option<f64>);

/// So many trials have come to their end at least before their scores say anything, and one more than there are keys, as in BOHB; until
/// then all are drawn at random.
const FIRST: usize = 10;
/// One of so many trials is drawn at random all the same.
const EXPLORES: usize = 3;
/// The share of those that count as good.
const GOOD: f64 = 0.2;
/// How many values are drawn of which the best is taken.
const CANDIDATES: usize = 24;
/// After so many draws that cannot be trained the estimators are left: no trial speaks against what never was one, so that they come
/// back to it again and again.
const PATIENCE: u32 = 50;
/// Settings that cannot be trained are drawn again so often before the space is given up.
const ATTEMPTS: u32 = 1000;

impl Sampler {
    /// The settings of a trial, and their config, which can be trained in an environment. What they are is a function of `seed`, the
    /// number of the trial, and what is known.
    ///
    /// # Errors
    /// What is wrong with the last of very many draws, if none can be trained.
    pub(super) fn draw(
        self,
        space: &Space,
        (seed, trial): (u64, usize),
        known: &[Known<'_>],
        env: &EnvSpec,
    ) -> Result<(Settings, Config), TuneError> {
        let mut rng = StreamRng::new(seed, Stream::Search { trial: trial as u32 });
        let densities = match self {
            Sampler::Tpe if !explores(trial) => densities(space, known),
            _ => None,
        };
        let mut attempt = 0;
        loop {
            let settings = space.settings(|at| match &densities {
                Some(densities) if attempt < PATIENCE => best_of(&densities[at], &mut rng),
                _ => f64::from(rng.uniform()),
            });
            attempt += 1;
            match space.config(&settings, env) {
                Ok(config) => return Ok((settings, config)),
                Err(TuneError::Config(source)) if attempt == ATTEMPTS => {
                    return Err(TuneError::NothingTrains { attempts: ATTEMPTS, source });
                }
                Err(TuneError::Config(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn explores(trial: usize) -> bool {
    trial.is_multiple_of(EXPLORES)
}

/// For each key the density of good places and that of the others; `None` while too little is known.
///
/// Good are the best of those that were trained to their end. What leads early is what learns fast, and seldom what holds to the end;
/// where early scores counted as good ones do, a search would look for ever where learning is fast. All others speak against their
/// settings: where only those that came to the end did, nothing would speak against settings that never come so far.
fn densities(space: &Space, known: &[Known<'_>]) -> Option<Vec<(Parzen, Parzen)>> {
    let mut whole: Vec<(f64, &Settings)> =
        known.iter().filter_map(|(settings, score)| Some(((*score)?, *settings))).collect();
    if whole.len() < FIRST.max(space.dimensions().len() + 1) {
        return None;
    }
    // Of equals the one that was known first: the sort is stable.
    whole.sort_by(|one, other| other.0.total_cmp(&one.0));
    let good = ((GOOD * whole.len() as f64).ceil() as usize).max(1);
    let ranked: Vec<&Settings> = whole.iter().map(|(_, settings)| *settings).collect();
    let (good, others) = ranked.split_at(good);
    let unfinished = known.iter().filter(|(_, score)| score.is_none()).map(|(settings, _)| *settings);
    let bad: Vec<&Settings> = others.iter().copied().chain(unfinished).collect();
    let pair = |dimension: &super::Dimension| {
        let density = |part: &[&Settings]| {
            let place = |settings: &&Settings| dimension.domain.place(settings.get(dimension.key.path)?);
            Parzen::of(&part.iter().filter_map(place).collect::<Vec<_>>(), dimension.domain.choices())
        };
        (density(good), density(&bad))
    };
    Some(space.dimensions().iter().map(pair).collect())
}

/// Of some places drawn where good ones are, the one that is the most likely to be good.
fn best_of((good, rest): &(Parzen, Parzen), rng: &mut StreamRng) -> f64 {
    let mut best = (f64::NEG_INFINITY, 0.5);
    for _ in 0..CANDIDATES {
        let place = good.draw(rng);
        let ratio = good.density(place) / rest.density(place);
        if ratio > best.0 {
            best = (ratio, place);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Key, Scale};
    use crate::tune::{Dimension, Domain};

    fn space() -> Space {
        let number = Domain::Number { low: 0.0, high: 1.0, scale: Scale::Linear };
        let choice = Domain::OneOf(vec![32.into(), 64.into(), 128.into()]);
        let dimension = |key, domain| Dimension::named(Key::of(key).unwrap(), domain).unwrap();
        Space::of(&Config::default(), vec![dimension("agent.gamma", number), dimension("replay.batch_size", choice)])
    }

    fn draw(sampler: Sampler, trial: usize, known: &[(Settings, Option<f64>)]) -> Settings {
        let env = requel_envs::make("CartPole-v1").unwrap();
        let known: Vec<Known<'_>> = known.iter().map(|(settings, score)| (settings, *score)).collect();
        sampler.draw(&space(), (5, trial), &known, env.spec()).unwrap().0
    }

    /// High where gamma is near 0.3 and the batch is 128.
    fn score(settings: &Settings) -> f64 {
        let gamma = settings["agent.gamma"].as_float().unwrap();
        let batch = settings["replay.batch_size"].as_integer().unwrap();
        -(gamma - 0.3).powi(2) + if batch == 128 { 0.1 } else { 0.0 }
    }

    fn search(sampler: Sampler) -> Vec<(Settings, Option<f64>)> {
        let mut known: Vec<(Settings, Option<f64>)> = Vec::new();
        for trial in 0..60 {
            let settings = draw(sampler, trial, &known);
            let score = score(&settings);
            known.push((settings, Some(score)));
        }
        known
    }

    #[test]
    fn the_same_knowledge_gives_the_same_settings_and_another_trial_others() {
        let known = search(Sampler::Tpe);
        assert_eq!(draw(Sampler::Tpe, 61, &known), draw(Sampler::Tpe, 61, &known));
        assert_ne!(draw(Sampler::Tpe, 61, &known), draw(Sampler::Tpe, 62, &known));
        assert_ne!(draw(Sampler::Tpe, 61, &known), draw(Sampler::Random, 61, &known));
        assert_eq!(draw(Sampler::Tpe, 4, &known[..4]), draw(Sampler::Random, 4, &[]), "too little is known");
        assert_eq!(draw(Sampler::Tpe, 60, &known), draw(Sampler::Random, 60, &[]), "it explores");
    }

    #[test]
    fn a_choice_that_can_never_be_trained_is_left_again() {
        let start = "[replay]\nstart = 100";
        let base = crate::config::Layers::new().text("start", start).unwrap().resolve().unwrap();
        let domain = Domain::OneOf(vec![32.into(), 64.into(), 256.into()]);
        let dimension = Dimension::named(Key::of("replay.batch_size").unwrap(), domain).unwrap();
        let space = Space::of(&base, vec![dimension]);
        let env = requel_envs::make("CartPole-v1").unwrap();
        // A batch of 256 looks promising, since it is never among the bad ones.
        let tried: Vec<Settings> = [32i64, 64]
            .into_iter()
            .cycle()
            .take(30)
            .map(|size| Settings::from([("replay.batch_size".into(), size.into())]))
            .collect();
        let known: Vec<Known<'_>> =
            tried.iter().zip(0..).map(|(settings, trial)| (settings, Some(f64::from(trial)))).collect();
        for trial in (30..45).filter(|trial| !explores(*trial)) {
            let (settings, _) = Sampler::Tpe.draw(&space, (5, trial), &known, env.spec()).unwrap();
            assert!(settings["replay.batch_size"].as_integer() < Some(256), "{settings:?}");
        }
    }

    #[test]
    fn it_comes_nearer_than_chance() {
        let late = |sampler| {
            let known = search(sampler);
            let late = (30..60).filter(|trial| !explores(*trial)).map(|trial| known[trial].1.unwrap());
            late.sum::<f64>() / 20.0
        };
        let (tpe, random) = (late(Sampler::Tpe), late(Sampler::Random));
        assert!(tpe > random + 0.05, "{tpe} {random}");
    }

    #[test]
    fn what_was_good_at_the_end_is_looked_for_and_what_never_came_there_is_left() {
        // What is below 0.6 never comes to its end; of what does, large values are the best.
        let known: Vec<(Settings, Option<f64>)> = (0..40)
            .map(|trial| {
                let settings = draw(Sampler::Random, trial, &[]);
                let gamma = settings["agent.gamma"].as_float().unwrap();
                (settings, (gamma > 0.6).then_some(gamma))
            })
            .collect();
        let gamma = |trial| draw(Sampler::Tpe, trial, &known)["agent.gamma"].as_float().unwrap();
        let draws: Vec<f64> = (100..145).filter(|trial| !explores(*trial)).map(gamma).collect();
        assert!(draws.iter().filter(|gamma| **gamma > 0.6).count() >= 24, "{draws:?}");
        let few: Vec<(Settings, Option<f64>)> = known
            .iter()
            .enumerate()
            .map(|(at, (settings, score))| (settings.clone(), score.filter(|_| at < 10)))
            .collect();
        assert_eq!(draw(Sampler::Tpe, 61, &few), draw(Sampler::Random, 61, &[]), "fewer than ten came to their end");
    }
}
