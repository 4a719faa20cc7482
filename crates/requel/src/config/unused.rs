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
    Reading {
        keys: &["train.every_steps", "train.updates"],
        by: "agent.kind",
        are_read: |c| c.agent.kind != AgentKind::Pqn,
    },
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
        are_read: |c| c.replay.kind == ReplayKind::Prioritized,
    },
    Reading {
        keys: &[
            "replay.priority_epsilon",
            "replay.importance_start",
            "replay.importance_end",
            "replay.importance_env_steps",
        ],
        by: "replay.priority_exponent",
        are_read: |c| c.replay.priority_exponent > 0.0,
    },
    Reading { keys: &["replay.replacement"], by: "replay.kind", are_read: |c| c.replay.kind == ReplayKind::Uniform },
    Reading { keys: &["target.tau"], by: "target.kind", are_read: |c| c.target.kind == TargetKind::Soft },
    Reading {
        keys: &["target.every_updates", "target.every_env_steps", "agent.double"],
        by: "target.kind",
        are_read: |c| c.target.kind != TargetKind::None,
    },
    Reading {
        keys: &["head.atoms", "head.v_min", "head.v_max"],
        by: "head.kind",
        are_read: |c| c.head.kind == HeadKind::Categorical,
    },
    Reading { keys: &["head.quantiles"], by: "head.kind", are_read: |c| c.head.kind == HeadKind::Quantile },
    Reading {
        keys: &["head.kappa"],
        by: "head.kind",
        are_read: |c| matches!(c.head.kind, HeadKind::Quantile | HeadKind::ImplicitQuantile),
    },
    Reading {
        keys: &["head.fractions", "head.target_fractions", "head.acting_fractions", "head.cosines"],
        by: "head.kind",
        are_read: |c| c.head.kind == HeadKind::ImplicitQuantile,
    },
    Reading { keys: &["loss."], by: "head.kind", are_read: |c| c.head.kind == HeadKind::Scalar },
    Reading { keys: &["loss.delta"], by: "loss.kind", are_read: |c| c.loss.kind == LossKind::Huber },
    Reading {
        keys: &["network.noisy_layers", "network.noisy_sigma"],
        by: "network.noisy",
        are_read: |c| c.network.noisy,
    },
    Reading { keys: &["munchausen."], by: "agent.munchausen", are_read: |c| c.agent.munchausen },
    Reading {
        keys: &["optimizer.alpha", "optimizer.momentum", "optimizer.centered"],
        by: "optimizer.kind",
        are_read: |c| c.optimizer.kind == OptimizerKind::Rmsprop,
    },
    Reading {
        keys: &["optimizer.beta1", "optimizer.beta2"],
        by: "optimizer.kind",
        are_read: |c| c.optimizer.kind != OptimizerKind::Rmsprop,
    },
    Reading {
        keys: &["network.activation", "network.layer_norm"],
        by: "network.hidden",
        are_read: |c| !c.network.hidden.is_empty() || !c.network.conv.is_empty(),
    },
    Reading {
        keys: &["exploration.end", "exploration.env_steps"],
        by: "exploration.kind",
        are_read: |c| c.exploration.kind != ExplorationKind::Constant,
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
    if config.own_parts().next().is_some() {
        return None;
    }
    let is_meant = |known: &&str| *known == key || known.ends_with('.') && key.starts_with(*known);
    let reading = READINGS.iter().find(|row| row.keys.iter().any(is_meant) && !(row.are_read)(config))?;
    let table = toml::Table::try_from(config).ok()?;
    Some(format!("`{key}` has no effect while `{}` is {}", reading.by, shown(assigned(&table, reading.by)?)))
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
            ("head.name=own", "head.kind", None),
            ("head.name=own", "head.atoms", None),
            ("agent.executor=own", "munchausen.alpha", None),
            ("agent.name=own", "pqn.lambda", None),
            ("exploration.name=own", "munchausen.temperature", None),
            ("target.kind=none", "agent.double", Some("`target.kind` is \"none\"")),
            ("network.hidden=[]", "network.activation", Some("`network.hidden` is []")),
            ("optimizer.kind=rmsprop", "optimizer.beta1", Some("`optimizer.kind` is \"rmsprop\"")),
            ("agent.kind=pqn target.kind=none", "train.updates", Some("`agent.kind` is \"pqn\"")),
            (
                "replay.kind=prioritized replay.priority_exponent=0",
                "replay.importance_start",
                Some("`replay.priority_exponent` is 0"),
            ),
            ("", "munchausen.alpha", Some("`agent.munchausen` is false")),
            ("exploration.kind=constant", "exploration.end", Some("`exploration.kind` is \"constant\"")),
        ];
        for (settings, key, why) in cases {
            let expected = why.map(|why| format!("`{key}` has no effect while {why}"));
            assert_eq!(unused(&config(settings), key), expected, "{settings}");
        }
    }
}
