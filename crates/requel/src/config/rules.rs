//! [`RULES`], which values go together.

use super::values::{assigned, shown};
use super::{
    AgentKind, AnnealKind, AugmentationKind, BellmanGradient, Config, HeadKind, ReplayKind, TargetKind, ValueClip,
    ValueClipWord,
};
use crate::agent::DeviceName;
use crate::td::Support;

/// What several keys have to keep between them. Ranges are checked before, so that a rule can count on them.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The key that an error begins with, then those that it can be at odds with.
    pub keys: &'static [&'static str],
    /// Whether a config keeps it.
    pub holds: fn(&Config) -> bool,
    /// What the first key must be, and why, as the rest of a sentence that it begins.
    pub reason: &'static str,
}

impl Rule {
    /// The reason with the values of a config that breaks the rule.
    pub(super) fn broken(&self, config: &Config) -> String {
        let table = toml::Table::try_from(config).unwrap_or_default();
        let value = |key: &&str| match assigned(&table, key) {
            Some(value) => format!("`{key}` is {}", shown(value)),
            None => format!("`{key}` is unset"),
        };
        format!("{} ({})", self.reason, self.keys.iter().map(value).collect::<Vec<_>>().join(", "))
    }
}

/// Every rule, in the order in which they are checked.
pub const RULES: &[Rule] = &[
    Rule {
        keys: &["train.device"],
        holds: |c| c.train.device.parse::<DeviceName>().is_ok(),
        reason: "must be auto, cpu, cuda, or cuda: with the number of a device, counted from 0",
    },
    Rule {
        keys: &["agent.value_clip"],
        holds: |c| c.agent.value_clip.bounds().is_none_or(|(low, high)| low < high),
        reason: "must be an interval [low, high] with low below high, in single precision too",
    },
    Rule {
        keys: &["head.v_min", "head.v_max"],
        holds: |c| c.head.v_min.number().zip(c.head.v_max.number()).is_none_or(|(low, high)| low < high),
        reason: "must be below `head.v_max`",
    },
    Rule {
        keys: &["head.v_max", "head.v_min", "head.atoms"],
        holds: atoms_are_apart,
        reason: "must be so far above `head.v_min` that all `head.atoms` returns differ in single precision",
    },
    Rule {
        keys: &["train.env_steps", "train.episodes"],
        holds: |c| c.train.env_steps > 0 || c.train.episodes > 0,
        reason: "and `train.episodes` must not both be 0: training would never end",
    },
    Rule {
        keys: &["target.every_updates", "target.every_env_steps"],
        holds: |c| c.target.kind == TargetKind::None || c.target.every_updates > 0 || c.target.every_env_steps > 0,
        reason: "and `target.every_env_steps` must not both be 0: the target network would never follow",
    },
    Rule {
        keys: &["target.every_env_steps", "target.every_updates"],
        holds: |c| c.target.kind == TargetKind::None || c.target.every_updates == 0 || c.target.every_env_steps == 0,
        reason: "and `target.every_updates` must not both be set: set the one that does not count to 0",
    },
    Rule {
        keys: &["head.kind", "network.hidden", "network.conv"],
        holds: |c| !is_implicit(c) || !c.network.hidden.is_empty() || !c.network.conv.is_empty(),
        reason: "can be `implicit-quantile` only with a layer in `network.hidden` or `network.conv` to embed fractions in",
    },
    Rule {
        keys: &["head.target_fractions", "head.fractions", "head.kind", "target.kind"],
        holds: |c| !is_implicit(c) || c.target.kind != TargetKind::None || c.head.fractions == c.head.target_fractions,
        reason: "must equal `head.fractions` where an implicit quantile head has no target network: one pass covers both states",
    },
    Rule {
        keys: &["replay.name", "agent.kind"],
        holds: |c| c.replay.name.is_empty() || c.agent.kind == AgentKind::Dqn || !c.agent.name.is_empty(),
        reason: "needs an agent with a replay buffer: `agent.kind = \"dqn\"`",
    },
    Rule {
        keys: &["replay.augmentation", "agent.kind"],
        holds: |c| {
            c.replay.augmentation == AugmentationKind::Off || c.agent.kind == AgentKind::Dqn || !c.agent.name.is_empty()
        },
        reason: "needs an agent with a replay buffer: `agent.kind = \"dqn\"`",
    },
    Rule {
        keys: &["head.name", "network.name", "agent.executor", "agent.name"],
        holds: |c| {
            c.head.name.is_empty() && c.network.name.is_empty()
                || c.agent.executor.is_empty() && c.agent.name.is_empty()
        },
        reason: "would not be used, nor would `network.name`, by an executor or an agent of your own",
    },
    Rule {
        keys: &["agent.rule", "agent.executor", "agent.name"],
        holds: |c| c.agent.rule.is_empty() || c.agent.executor.is_empty() && c.agent.name.is_empty(),
        reason: "would not be used by an executor or an agent of your own",
    },
    Rule {
        keys: &["agent.rule", "agent.munchausen"],
        holds: |c| c.agent.rule.is_empty() || !c.agent.munchausen,
        reason: "cannot be combined with `agent.munchausen`, which is another rule",
    },
    Rule {
        keys: &["agent.munchausen", "head.kind"],
        holds: |c| !c.agent.munchausen || c.head.kind != HeadKind::Categorical,
        reason: "cannot be combined with a categorical head: use a scalar or quantile head",
    },
    Rule {
        keys: &["agent.munchausen", "agent.double"],
        holds: |c| !c.agent.munchausen || !c.agent.double,
        reason: "cannot be combined with `agent.double`: its softmax policy chooses where double Q-learning would",
    },
    Rule {
        keys: &["agent.munchausen", "agent.n_step"],
        holds: |c| !c.agent.munchausen || c.agent.n_step == 1,
        reason: "needs an `agent.n_step` of 1: its bonus is for one step (Vieillard et al. 2020), and the rewards of later \
                 steps would lack it",
    },
    Rule {
        keys: &["agent.bellman_gradient", "agent.munchausen", "head.kind"],
        holds: |c| !is_residual(c) || !c.agent.munchausen && c.head.kind == HeadKind::Scalar,
        reason: "can be `residual` only for Q-learning with a scalar head",
    },
    Rule {
        keys: &["agent.n_step", "agent.kind"],
        holds: |c| c.agent.kind != AgentKind::Naive || !c.agent.name.is_empty() || c.agent.n_step == 1,
        reason: "must be 1 for the naive agent, which learns from each step as it arrives",
    },
    Rule {
        keys: &["agent.value_clip", "head.kind"],
        holds: |c| !is_clipped(c) || !c.head.uses_support(),
        reason: "cannot be combined with a categorical head, whose support bounds the values: set `head.v_min` and `head.v_max`",
    },
    Rule {
        keys: &["agent.value_clip", "agent.bellman_gradient"],
        holds: |c| !is_clipped(c) || !is_residual(c),
        reason: "cannot be combined with the residual gradient, which differentiates the target",
    },
    Rule {
        keys: &["agent.bellman_gradient", "target.kind"],
        holds: |c| !is_residual(c) || c.target.kind == TargetKind::None,
        reason: "can be `residual` only with `target.kind = \"none\"`, because it differentiates the target",
    },
    Rule {
        keys: &["optimizer.anneal", "train.env_steps"],
        holds: |c| c.optimizer.anneal == AnnealKind::None || c.train.env_steps > 0,
        reason: "can be `linear` only with a limit in `train.env_steps`, where it ends",
    },
    Rule {
        keys: &["replay.start", "replay.capacity"],
        holds: |c| !has_replay(c) || c.replay.start < c.replay.capacity,
        reason: "must be below `replay.capacity`: the buffer never holds more than that",
    },
    Rule {
        keys: &["replay.importance_env_steps", "train.env_steps"],
        holds: |c| !has_replay(c) || c.replay.kind != ReplayKind::Prioritized || c.importance_env_steps() > 0,
        reason: "and `train.env_steps`, which 0 stands for, must not both be 0",
    },
    Rule {
        keys: &["replay.batch_size", "replay.start"],
        holds: |c| !has_replay(c) || !is_without_replacement(c) || c.replay.batch_size <= c.replay.start + 1,
        reason: "must be at most `replay.start` + 1, the transitions at which learning starts: batches are drawn without \
                 replacement",
    },
    Rule {
        keys: &["pqn.minibatches", "pqn.rollout_steps", "train.num_envs"],
        holds: |c| !is_pqn(c) || (c.pqn.rollout_steps * c.train.num_envs).is_multiple_of(c.pqn.minibatches),
        reason: "must divide the number of steps in a rollout, `pqn.rollout_steps` times `train.num_envs`",
    },
    Rule {
        keys: &["agent.double", "agent.kind"],
        holds: |c| !is_pqn(c) || !c.agent.double,
        reason: "must be false for PQN, which has no double Q-learning",
    },
    Rule {
        keys: &["agent.munchausen", "agent.kind"],
        holds: |c| !is_pqn(c) || !c.agent.munchausen,
        reason: "must be false for PQN, which has no Munchausen update",
    },
    Rule {
        keys: &["agent.rule", "agent.kind"],
        holds: |c| !is_pqn(c) || c.agent.rule.is_empty(),
        reason: "must be empty for PQN, which learns from lambda-returns",
    },
    Rule {
        keys: &["agent.n_step", "agent.kind"],
        holds: |c| !is_pqn(c) || c.agent.n_step == 1,
        reason: "must be 1 for PQN, which learns from lambda-returns",
    },
    Rule {
        keys: &["agent.bellman_gradient", "agent.kind"],
        holds: |c| !is_pqn(c) || !is_residual(c),
        reason: "must be `semi` for PQN",
    },
    Rule {
        keys: &["head.kind", "agent.kind"],
        holds: |c| !is_pqn(c) || c.head.kind == HeadKind::Scalar,
        reason: "must be `scalar` for PQN",
    },
    Rule {
        keys: &["network.noisy", "agent.kind"],
        holds: |c| !is_pqn(c) || !c.network.noisy,
        reason: "must be false for PQN, which explores by epsilon",
    },
    Rule {
        keys: &["target.kind", "agent.kind"],
        holds: |c| !is_pqn(c) || c.target.kind == TargetKind::None,
        reason: "must be `none` for PQN, which has no target network",
    },
];

fn atoms_are_apart(config: &Config) -> bool {
    let head = &config.head;
    let Some((v_min, v_max)) = head.v_min.number().zip(head.v_max.number()) else { return true };
    Support { v_min: v_min as f32, v_max: v_max as f32, atoms: head.atoms }.tells_atoms_apart()
}

fn is_implicit(config: &Config) -> bool {
    config.head.kind == HeadKind::ImplicitQuantile
}

fn is_residual(config: &Config) -> bool {
    config.agent.bellman_gradient == BellmanGradient::Residual
}

fn is_clipped(config: &Config) -> bool {
    config.agent.value_clip != ValueClip::Word(ValueClipWord::Off)
}

fn is_pqn(config: &Config) -> bool {
    config.agent.kind == AgentKind::Pqn && config.agent.name.is_empty()
}

fn has_replay(config: &Config) -> bool {
    config.agent.kind == AgentKind::Dqn && config.agent.name.is_empty()
}

fn is_without_replacement(config: &Config) -> bool {
    config.replay.kind == ReplayKind::Uniform && !config.replay.replacement
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KEYS, Layers};

    fn resolved(settings: &str) -> Result<Config, String> {
        let layers = settings.split(' ').try_fold(Layers::new(), |layers, setting| layers.set(setting));
        layers.and_then(|layers| layers.resolve()).map_err(|error| error.to_string())
    }

    /// Settings over the defaults for each rule, the only one that they break.
    const BROKEN: [&str; RULES.len()] = [
        "train.device=cuda:x",
        "agent.value_clip=[1,1]",
        "head.v_min=2 head.v_max=1",
        "head.v_min=16777216 head.v_max=16777217 head.atoms=51",
        "train.env_steps=0",
        "target.every_updates=0",
        "target.every_env_steps=5",
        "head.kind=implicit-quantile network.hidden=[]",
        "head.kind=implicit-quantile target.kind=none head.fractions=4",
        "replay.name=own agent.kind=pqn target.kind=none",
        "replay.augmentation=shift agent.kind=pqn target.kind=none",
        "head.name=own agent.executor=own",
        "agent.rule=own agent.executor=own",
        "agent.rule=own agent.munchausen=true",
        "agent.munchausen=true head.kind=categorical",
        "agent.munchausen=true agent.double=true",
        "agent.munchausen=true agent.n_step=3",
        "agent.bellman_gradient=residual target.kind=none head.kind=quantile",
        "agent.kind=naive agent.n_step=2",
        "agent.value_clip=auto head.kind=categorical",
        "agent.value_clip=auto agent.bellman_gradient=residual target.kind=none",
        "agent.bellman_gradient=residual",
        "optimizer.anneal=linear train.env_steps=0 train.episodes=9",
        "replay.capacity=900",
        "replay.kind=prioritized train.env_steps=0 train.episodes=9",
        "replay.batch_size=1002",
        "agent.kind=pqn target.kind=none pqn.minibatches=7",
        "agent.kind=pqn target.kind=none agent.double=true",
        "agent.kind=pqn target.kind=none agent.munchausen=true",
        "agent.kind=pqn target.kind=none agent.rule=own",
        "agent.kind=pqn target.kind=none agent.n_step=2",
        "agent.kind=pqn target.kind=none agent.bellman_gradient=residual",
        "agent.kind=pqn target.kind=none head.kind=quantile",
        "agent.kind=pqn target.kind=none network.noisy=true",
        "agent.kind=pqn",
    ];

    #[test]
    fn every_rule_is_kept_by_the_defaults_and_broken_by_some_settings() {
        for (rule, settings) in RULES.iter().zip(BROKEN) {
            assert!((rule.holds)(&Config::default()), "{}", rule.reason);
            let error = resolved(settings).expect_err(settings);
            assert!(error.starts_with(&format!("`{}` {} (", rule.keys[0], rule.reason)), "{settings}: {error}");
            assert!(rule.keys.iter().all(|key| error.contains(&format!("`{key}` is "))), "{settings}: {error}");
            assert!(rule.keys.iter().all(|path| KEYS.iter().any(|key| key.path == *path)), "{:?}", rule.keys);
        }
    }

    #[test]
    fn a_broken_rule_is_told_with_the_values() {
        let error = resolved("replay.capacity=900").unwrap_err();
        let said = "`replay.start` must be below `replay.capacity`: the buffer never holds more than that \
                    (`replay.start` is 1000, `replay.capacity` is 900), in --set";
        assert_eq!(error, said);
    }

    #[test]
    fn atoms_that_are_not_apart_are_refused() {
        for (v_min, v_max, atoms) in
            [("0", "1e-45", 51), ("0", "1e-29", 51), ("1000000", "1000001", 51), ("16777216", "16777217", 2)]
        {
            let error = resolved(&format!("head.v_min={v_min} head.v_max={v_max} head.atoms={atoms}")).unwrap_err();
            assert!(error.starts_with("`head.v_max` "), "{error}");
        }
        assert!(resolved("head.v_min=1000000 head.v_max=1000010").is_ok());
        assert!(resolved("head.v_min=0 head.v_max=1e-3").is_ok());
    }
}
