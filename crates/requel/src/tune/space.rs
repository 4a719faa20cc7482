//! [`Space`], the keys that a search tries values of.

use std::borrow::Cow;
use std::collections::BTreeMap;

use requel_envs::EnvSpec;
use toml::Value;

use super::{Domain, TuneError};
use crate::config::{Condition, Config, ConfigError, KEYS, Key, Layers, Severity, advice, algorithms};

/// Settings of a trial: values by key.
pub type Settings = BTreeMap<String, Value>;

/// The keys that a search tries values of, in the order in which they are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    base: Config,
    /// The same, for settings to be laid over.
    layers: Layers,
    /// Every value of the base.
    values: toml::Table,
    dimensions: Vec<Dimension>,
    /// Settings whose updates take more arithmetic than this are not tried.
    most_work: f64,
}

/// A key with the values that are tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Dotted path.
    pub key: &'static Key,
    /// The values.
    pub domain: Domain,
    /// When it means something; of a key that was named by somebody always.
    pub when: &'static [Condition],
}

impl Space {
    /// What the declarations of keys say is worth trying over `base`: keys that mean something in such a training, and are no part of
    /// what makes the algorithm that it names.
    pub fn declared(base: &Config) -> Self {
        let algorithm = algorithms::get(&base.algo).and_then(|algorithm| toml::from_str(algorithm.toml).ok());
        let algorithm: toml::Table = algorithm.unwrap_or_default();
        let defines = |key: &Key| {
            let part = ["agent.", "head.", "network.", "target.kind", "optimizer.kind"];
            part.iter().any(|start| key.path.starts_with(start)) && assigned(&algorithm, key.path).is_some()
        };
        let tuned = KEYS.iter().filter(|key| !defines(key)).filter_map(|key| {
            let tuning = key.tuning?;
            let domain = Domain::declared(&tuning).within(most_of(key, base));
            Some(Dimension { key, domain, when: tuning.when })
        });
        let mut space = Space { most_work: MOST_WORK * work(base), ..Self::of(base, tuned.collect()) };
        // What can never mean anything is left out; what depends on another of the keys stays.
        let may_hold = |dimension: &Dimension| {
            let others = space.dimensions.iter().filter(|other| other.key.path != dimension.key.path);
            dimension.when.iter().all(|condition| {
                let by_another = others.clone().any(|other| other.may_fulfil(condition));
                by_another || condition.holds(|key| space.text(key, None))
            })
        };
        let kept: Vec<Dimension> = space.dimensions.iter().filter(|dimension| may_hold(dimension)).cloned().collect();
        space.dimensions = kept;
        space
    }

    /// These keys over `base`, in the order of the config.
    pub fn of(base: &Config, mut dimensions: Vec<Dimension>) -> Self {
        let place = |key: &Key| KEYS.iter().position(|other| other.path == key.path);
        dimensions.sort_by_key(|dimension| place(dimension.key));
        let text = toml::to_string(base).unwrap_or_default();
        let layers = Layers::new().record_text("the search", &text).unwrap_or_default();
        let values = toml::Table::try_from(base).unwrap_or_default();
        Space { base: base.clone(), layers, values, dimensions, most_work: f64::INFINITY }
    }

    /// The same without the keys that are given one value.
    pub fn without(mut self, keys: &[&str]) -> Self {
        self.dimensions.retain(|dimension| !keys.contains(&dimension.key.path));
        self
    }

    /// What all trials have in common.
    pub fn start(&self) -> &Config {
        &self.base
    }

    /// The keys.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The values that the base has of the keys, of those that mean something in it.
    pub fn of_start(&self) -> Settings {
        let active = self.dimensions.iter().filter(|dimension| self.is_active(dimension, &Settings::new()));
        let value = |dimension: &Dimension| {
            Some((dimension.key.path.into(), assigned(&self.values, dimension.key.path)?.clone()))
        };
        active.filter_map(value).collect()
    }

    /// Settings whose value of each key is `draw`n, of those that mean something beside what was drawn before.
    pub(super) fn settings(&self, mut draw: impl FnMut(usize) -> f64) -> Settings {
        // Drawn in any case, so that one key's draw does not depend on another's value.
        let drawn: Vec<Value> =
            self.dimensions.iter().enumerate().map(|(at, dimension)| dimension.domain.at(draw(at))).collect();
        let active = |settings: &Settings| -> Settings {
            let kept = self.dimensions.iter().zip(&drawn).filter(|(dimension, _)| self.is_active(dimension, settings));
            kept.map(|(dimension, value)| (dimension.key.path.into(), value.clone())).collect()
        };
        // A key that another one depends on can itself depend on a third: no chain of them is longer.
        active(&active(&active(&Settings::new())))
    }

    /// The config of these settings, and whether it can be trained in an environment.
    ///
    /// # Errors
    /// If a value is out of range or at odds with another, or nothing could be learned.
    pub fn config(&self, settings: &Settings, env: &EnvSpec) -> Result<Config, TuneError> {
        let mut layers = self.layers.clone();
        for (key, value) in settings {
            layers = layers.set_from("a trial", &format!("{key}={value}"))?;
        }
        // The complete config is in no file: its lines are nobody's.
        let config = layers.resolve().map_err(|error| match error {
            ConfigError::InvalidValue { key, reason, mut place } => {
                place.line = None;
                ConfigError::InvalidValue { key, reason, place }
            }
            error => error,
        })?;
        // How many actions there are changes the bounds, not whether there are any.
        config.with_value_bounds(env, 2)?;
        if work(&config) > self.most_work {
            let keys = ["replay.batch_size", "network.hidden", "train.every_steps"];
            let reason = format!("costs more than {MOST_WORK} times the arithmetic of what the search began from");
            return Err(layers.invalid(&keys, reason).into());
        }
        match advice(&config, env).into_iter().find(|advice| advice.severity == Severity::Impossible) {
            Some(advice) => Err(layers.invalid(&advice.keys(), advice.text).into()),
            None => Ok(config),
        }
    }

    /// Whether a key means something beside these settings. What it means by itself is a question of the base.
    fn is_active(&self, dimension: &Dimension, settings: &Settings) -> bool {
        let of_others = |key: &str| if key == dimension.key.path { None } else { settings.get(key) };
        dimension.when.iter().all(|condition| condition.holds(|key| self.text(key, of_others(key))))
    }

    fn text<'a>(&'a self, key: &str, set: Option<&'a Value>) -> Option<Cow<'a, str>> {
        set.or_else(|| assigned(&self.values, key)).map(text)
    }
}

impl Dimension {
    /// Whether one of its values makes a condition hold. Of an interval that is not asked: it has many.
    fn may_fulfil(&self, condition: &Condition) -> bool {
        let Domain::OneOf(values) = &self.domain else { return false };
        condition.key() == self.key.path && values.iter().any(|value| condition.holds(|_| Some(text(value))))
    }

    /// A key that somebody named, with the values to try.
    ///
    /// # Errors
    /// What is wrong with the key or a value.
    pub(super) fn named(key: &'static Key, domain: Domain) -> Result<Self, ConfigError> {
        let values: Vec<Value> = match &domain {
            Domain::Number { low, high, .. } => vec![(*low).into(), (*high).into()],
            Domain::Whole { low, high, .. } => {
                [low, high].map(|end| i64::try_from(*end).unwrap_or(i64::MAX).into()).into()
            }
            Domain::OneOf(values) => values.clone(),
        };
        match values.iter().find_map(|value| key.fault(value)) {
            None => Ok(Dimension { key, domain, when: &[] }),
            Some(reason) => {
                let place = crate::config::Place { source: "`keys`".into(), line: None };
                Err(ConfigError::InvalidValue { key: key.path.into(), reason, place })
            }
        }
    }
}

/// So many times the arithmetic of what a search begins from is too much for declared values: with each of them at its dearest a
/// trial would take as long as hundreds of others.
const MOST_WORK: f64 = 16.0;

/// Arithmetic of the updates of an env step, in weights of the hidden layers and the head; a measure to compare settings by.
fn work(config: &Config) -> f64 {
    let hidden = &config.network.hidden;
    let between: usize = hidden.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let weights = between + hidden.last().copied().unwrap_or(0) * config.head().0.atoms();
    let updates = config.train.updates as f64 / config.train.every_steps.max(1) as f64;
    updates * config.replay.batch_size as f64 * weights as f64
}

/// The most that a key is worth being in a training as long as this.
fn most_of(key: &Key, config: &Config) -> u64 {
    match key.path {
        "exploration.env_steps" => config.train.env_steps,
        "target.every_env_steps" | "target.every_updates" => config.train.env_steps / 10,
        _ => u64::MAX,
    }
}

/// A value as conditions name it.
fn text(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| value.to_string().into(), Cow::Borrowed)
}

/// The value at a dotted path.
fn assigned<'a>(table: &'a toml::Table, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = table.get(parts.next()?)?;
    for part in parts {
        value = value.as_table()?.get(part)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(preset: &str, algo: Option<&str>) -> Config {
        let layers = Layers::new().preset(preset).unwrap();
        algo.map_or(Ok(layers.clone()), |algo| layers.algorithm(algo)).unwrap().resolve().unwrap()
    }

    fn keys(space: &Space) -> Vec<&str> {
        space.dimensions.iter().map(|dimension| dimension.key.path).collect()
    }

    #[test]
    fn what_means_nothing_in_a_training_is_not_tried() {
        let of_notebook = Space::declared(&training("notebook", None));
        let notebook = keys(&of_notebook);
        for key in
            ["agent.gamma", "optimizer.learning_rate", "target.kind", "target.every_updates", "exploration.start"]
        {
            assert!(notebook.contains(&key), "{key}: {notebook:?}");
        }
        for key in ["pqn.lambda", "munchausen.alpha", "replay.priority_exponent", "target.tau", "exploration.end"] {
            assert!(!notebook.contains(&key), "{key}: {notebook:?}");
        }
        let of_pqn = Space::declared(&training("cartpole", Some("pqn")));
        let pqn = keys(&of_pqn);
        assert!(pqn.contains(&"pqn.lambda") && !pqn.contains(&"replay.capacity"), "{pqn:?}");
    }

    #[test]
    fn schedules_are_no_longer_than_the_training() {
        let mut short = training("cartpole", None);
        short.train.env_steps = 4_000;
        let space = Space::declared(&short);
        let of = |key: &str| space.dimensions.iter().find(|one| one.key.path == key).unwrap().domain.clone();
        assert!(matches!(of("exploration.env_steps"), Domain::Whole { high: 4_000, .. }));
        assert!(matches!(of("replay.capacity"), Domain::Whole { high: 100_000, .. }));
    }

    #[test]
    fn what_makes_the_algorithm_stays() {
        let of_dqn = Space::declared(&training("cartpole", Some("dqn")));
        assert!(!keys(&of_dqn).contains(&"agent.n_step") && keys(&of_dqn).contains(&"agent.gamma"));
        assert!(keys(&Space::declared(&training("cartpole", None))).contains(&"agent.n_step"));
    }

    #[test]
    fn a_key_that_depends_on_another_is_set_with_it_alone() {
        let space = Space::declared(&Config {
            train: crate::config::TrainConfig { env_steps: 9_000, ..Default::default() },
            ..training("notebook", None)
        });
        let at = space.dimensions.iter().position(|dimension| dimension.key.path == "target.kind").unwrap();
        let with = |kind: f64| space.settings(|dimension| if dimension == at { kind } else { 0.5 });
        let (none, hard) = (with(0.0), with(0.9));
        assert_eq!((none["target.kind"].as_str(), none.contains_key("target.every_updates")), (Some("none"), false));
        assert_eq!((hard["target.kind"].as_str(), hard.contains_key("target.every_updates")), (Some("hard"), true));
        let env = requel_envs::make("CartPole-v1").unwrap();
        assert_eq!(space.config(&hard, env.spec()).unwrap().target.kind, crate::config::TargetKind::Hard);
    }

    #[test]
    fn settings_that_cannot_be_trained_are_refused() {
        let space = Space::declared(&training("cartpole", None));
        let env = requel_envs::make("CartPole-v1").unwrap();
        for (key, value) in [("replay.start", Value::Integer(190_000)), ("agent.gamma", Value::Float(1.5))] {
            let error = space.config(&Settings::from([(key.into(), value)]), env.spec()).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
