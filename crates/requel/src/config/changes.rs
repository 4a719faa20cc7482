//! How two configs differ, and which keys may change when a run is resumed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Config, ConfigError, Key};

/// A key with different values in two configs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Dotted path.
    pub key: String,
    /// The value before, as TOML; `None` if it was not set.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
}

impl std::fmt::Display for Change {
    /// Such as `train.env_steps from 4000 to 9000`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "unset".into());
        write!(f, "{} from {} to {}", self.key, value(&self.before), value(&self.after))
    }
}

/// Why a key cannot change, by the start of its path; the first match counts.
const FIXED: &[(&str, &str)] = &[
    ("preset", "names what the run started from"),
    ("env.", "defines the environment of the run"),
    ("network.", "determines the shape of the run's weights"),
    ("head.", "determines the shape of the run's weights"),
    ("replay.", "determines what the run's replay buffer holds"),
    ("agent.gamma", "is part of the transitions in the run's replay buffer"),
    ("agent.n_step", "is part of the transitions in the run's replay buffer"),
    ("agent.reward_", "is part of the transitions in the run's replay buffer"),
    ("train.seed", "is what all random numbers of the run are derived from"),
    ("train.num_envs", "is the number of environments in the run's checkpoints"),
    ("optimizer.", "determines the meaning of the saved state of the run's optimiser"),
    ("target.", "determines whether the run's checkpoints hold a target network"),
];

impl Config {
    /// The keys in which a later config differs from this one.
    pub fn changes(&self, later: &Config) -> Vec<Change> {
        let (before, after) = (leaves(self), leaves(later));
        let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        let change = |key: &String| Change {
            key: key.clone(),
            before: before.get(key).cloned(),
            after: after.get(key).cloned(),
        };
        keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).map(change).collect()
    }

    /// The same for a config with which a run of this one is to be resumed.
    ///
    /// # Errors
    /// [`ConfigError::Fixed`] for the first key that cannot change when a run is resumed, and [`ConfigError::InvalidValue`] for one that is
    /// out of range.
    pub fn check_changes(&self, later: &Config) -> Result<Vec<Change>, ConfigError> {
        later.check()?;
        let changes = self.changes(later);
        match changes.iter().find(|change| !may_change(&change.key)) {
            None => Ok(changes),
            Some(Change { key, .. }) => {
                let why = FIXED.iter().find(|(start, _)| key.starts_with(start));
                let reason = why.map_or("determines what the run's checkpoints hold", |(_, reason)| reason);
                Err(ConfigError::Fixed { key: key.clone(), reason: reason.into() })
            }
        }
    }
}

fn may_change(key: &str) -> bool {
    Key::of(key).is_some_and(|key| key.may_change)
}

/// Every value by its dotted path, as TOML.
fn leaves(config: &Config) -> BTreeMap<String, String> {
    fn collect(path: &str, table: &toml::Table, found: &mut BTreeMap<String, String>) {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match value {
                toml::Value::Table(inner) => collect(&path, inner, found),
                value => drop(found.insert(path, value.to_string())),
            }
        }
    }
    let mut found = BTreeMap::new();
    collect("", &toml::Table::try_from(config).unwrap_or_default(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KEYS, Layers};

    #[test]
    fn every_reason_is_of_a_key_that_cannot_change() {
        for (start, _) in FIXED {
            assert!(KEYS.iter().any(|key| key.path.starts_with(start) && !key.may_change), "{start}");
        }
    }

    #[test]
    fn changes_are_named_with_both_values() {
        let set = |settings: &[&str]| {
            let layers = Layers::new().preset("notebook").unwrap();
            settings.iter().fold(layers, |layers, one| layers.set(one).unwrap()).resolve().unwrap()
        };
        let importance = "replay.importance_env_steps=1000";
        let (before, after) =
            (set(&[importance]), set(&[importance, "train.episodes=2000", "evaluation.stop_return=300"]));
        let said: Vec<String> = before.check_changes(&after).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["evaluation.stop_return from unset to 300.0", "train.episodes from 1000 to 2000"]);
        assert_eq!(before.check_changes(&before).unwrap(), []);
        for (setting, reason) in [
            ("network.hidden=[32]", "`network.hidden` cannot change when a run is resumed: it determines the shape"),
            ("env.frame_stack=2", "`env.frame_stack` cannot change when a run is resumed: it defines the environment"),
            ("env.options.sutton_barto_reward=true", "`env.options.sutton_barto_reward` cannot"),
            (
                "replay.kind=prioritized",
                "`replay.kind` cannot change when a run is resumed: it determines what the run's replay buffer",
            ),
            ("train.seed=9", "`train.seed` cannot change when a run is resumed: it is what all random numbers"),
            (
                "agent.double=true",
                "`agent.double` cannot change when a run is resumed: it determines what the run's checkpoints",
            ),
        ] {
            let error = before.check_changes(&set(&[importance, setting])).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{error}");
        }
        let mut wrong = after.clone();
        wrong.evaluation.episodes = 0;
        assert!(matches!(before.check_changes(&wrong), Err(ConfigError::InvalidValue { .. })));
    }
}
