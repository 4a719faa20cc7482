//! [`unused`], what is set and has no effect beside other settings.

use super::values::{assigned, shown};
use super::{AgentKind, Config, ExplorationKind, HeadKind, LossKind, OptimizerKind, ReplayKind, TargetKind};

/// Keys that are read only where another key has certain values.
struct Reading {
    /// The keys; one that ends in a dot is a whole section.
    keys: &'static [&'static str],
    /// The key that decides whether they are read.
    by: &'static str,
    /// Whether they are.
    are_read: fn(&Config) -> bool,
}

/// Of a key that stands in several rows, the first one that is broken counts.
const READINGS: &[Reading] = &[
    Reading { keys: &["pqn."], by: "agent.kind", are_read: |c| c.agent.kind == AgentKind::Pqn },
    Reading { keys: &["replay."], by: "agent.kind", are_read: |c| c.agent.kind == AgentKind::Dqn },
    Reading {
        keys: &[
            "replay.priority_exponent",
            "replay.priority_epsilon",
            "replay.priority_cap",
            "replay.importance_start",
            "replay.importance_end",
            "replay.importance_env_steps",
        ],
        by: "replay.kind",
        are_read: |c| c.replay.kind == ReplayKind::Prioritized || !c.replay.name.is_empty(),
    },
    Reading {
        keys: &["replay.replacement"],
        by: "replay.kind",
        are_read: |c| c.replay.kind == ReplayKind::Uniform || !c.replay.name.is_empty(),
    },
    Reading {
        keys: &["target.tau"],
        by: "target.kind",
        are_read: |c| c.target.kind == TargetKind::Soft || has_own_executor(c),
    },
    Reading { keys: &["head.kind"], by: "head.name", are_read: |c| c.head.name.is_empty() },
    Reading {
        keys: &["head.atoms", "head.v_min", "head.v_max"],
        by: "head.kind",
        are_read: |c| c.head.kind == HeadKind::Categorical || has_own_head(c),
    },
    Reading {
        keys: &["head.quantiles"],
        by: "head.kind",
        are_read: |c| c.head.kind == HeadKind::Quantile || has_own_head(c),
    },
    Reading {
        keys: &["head.kappa"],
        by: "head.kind",
        are_read: |c| matches!(c.head.kind, HeadKind::Quantile | HeadKind::ImplicitQuantile) || has_own_head(c),
    },
    Reading {
        keys: &["head.fractions", "head.target_fractions", "head.acting_fractions", "head.cosines"],
        by: "head.kind",
        are_read: |c| c.head.kind == HeadKind::ImplicitQuantile || has_own_head(c),
    },
    Reading { keys: &["loss."], by: "head.kind", are_read: |c| c.head.kind == HeadKind::Scalar || has_own_head(c) },
    Reading { keys: &["loss.delta"], by: "loss.kind", are_read: |c| c.loss.kind == LossKind::Huber || has_own_head(c) },
    Reading {
        keys: &["network.noisy_layers", "network.noisy_sigma"],
        by: "network.noisy",
        are_read: |c| c.network.noisy || !c.network.name.is_empty() || has_own_executor(c),
    },
    Reading { keys: &["munchausen."], by: "agent.munchausen", are_read: |c| c.agent.munchausen || has_own_executor(c) },
    Reading {
        keys: &["optimizer.alpha", "optimizer.momentum", "optimizer.centered"],
        by: "optimizer.kind",
        are_read: |c| c.optimizer.kind == OptimizerKind::Rmsprop || has_own_executor(c),
    },
    Reading {
        keys: &["exploration.end", "exploration.env_steps"],
        by: "exploration.kind",
        are_read: |c| c.exploration.kind != ExplorationKind::Constant || !c.exploration.name.is_empty(),
    },
];

/// Why `key` has no effect in this config, as a sentence; `None` where it has, or where that cannot be known: an agent or another part of
/// one's own reads what it likes.
///
/// ```
/// use requel::config::{Layers, unused};
///
/// let config = Layers::new().set("head.atoms=21")?.resolve()?;
/// let said = unused(&config, "head.atoms").unwrap();
/// assert_eq!(said, "`head.atoms` has no effect while `head.kind` is \"scalar\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unused(config: &Config, key: &str) -> Option<String> {
    if !config.agent.name.is_empty() {
        return None;
    }
    let is_meant = |known: &&str| *known == key || known.ends_with('.') && key.starts_with(*known);
    let reading = READINGS.iter().find(|row| row.keys.iter().any(is_meant) && !(row.are_read)(config))?;
    let table = toml::Table::try_from(config).ok()?;
    Some(format!("`{key}` has no effect while `{}` is {}", reading.by, shown(assigned(&table, reading.by)?)))
}

fn has_own_executor(config: &Config) -> bool {
    !config.agent.executor.is_empty()
}

fn has_own_head(config: &Config) -> bool {
    !config.head.name.is_empty() || has_own_executor(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KEYS, Layers};

    fn config(settings: &str) -> Config {
        settings.split_whitespace().fold(Layers::new(), |layers, s| layers.set(s).unwrap()).resolve().unwrap()
    }

    #[test]
    fn every_row_names_keys_that_there_are() {
        let is_there =
            |path: &str| KEYS.iter().any(|key| key.path == path || path.ends_with('.') && key.path.starts_with(path));
        for row in READINGS {
            assert!(row.keys.iter().chain([&row.by]).all(|key| is_there(key)), "{:?} by {}", row.keys, row.by);
        }
    }

    #[test]
    fn a_key_has_an_effect_or_the_one_that_takes_it_away_is_named() {
        let cases = [
            ("", "head.kind", None),
            ("", "agent.gamma", None),
            ("", "pqn.lambda", Some("`agent.kind` is \"dqn\"")),
            ("agent.kind=naive", "replay.capacity", Some("`agent.kind` is \"naive\"")),
            ("", "replay.priority_exponent", Some("`replay.kind` is \"uniform\"")),
            ("replay.kind=prioritized", "replay.priority_exponent", None),
            ("replay.kind=prioritized", "replay.replacement", Some("`replay.kind` is \"prioritized\"")),
            ("replay.name=own", "replay.priority_exponent", None),
            ("", "target.tau", Some("`target.kind` is \"hard\"")),
            ("head.kind=categorical head.v_min=0 head.v_max=1", "loss.delta", Some("`head.kind` is \"categorical\"")),
            ("", "loss.delta", Some("`loss.kind` is \"mse\"")),
            ("head.name=own", "head.kind", Some("`head.name` is \"own\"")),
            ("head.name=own", "head.atoms", None),
            ("agent.executor=own", "munchausen.alpha", None),
            ("agent.name=own", "pqn.lambda", None),
            ("", "munchausen.alpha", Some("`agent.munchausen` is false")),
            ("exploration.kind=constant", "exploration.end", Some("`exploration.kind` is \"constant\"")),
        ];
        for (settings, key, why) in cases {
            let expected = why.map(|why| format!("`{key}` has no effect while {why}"));
            assert_eq!(unused(&config(settings), key), expected, "{settings}");
        }
    }
}
