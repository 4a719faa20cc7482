//! The presets: named combinations of settings, each a TOML file with the source and unit of every number.

/// A named combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name for `--preset`.
    pub name: &'static str,
    /// One-line description.
    pub summary: &'static str,
    /// The environments for which it is the default: ids, or the start of ids followed by `*`.
    default_for: &'static [&'static str],
    /// The origin of its environments if they are not in this crate, and how to use the preset with them.
    pub envs_from: Option<&'static str>,
    /// The file.
    pub toml: &'static str,
}

impl Preset {
    /// Whether it is the default of some environment, and so the base for algorithms.
    pub fn is_base(&self) -> bool {
        !self.default_for.is_empty()
    }

    /// Whether it is the default of this environment.
    fn is_default_for(&self, env_id: &str) -> bool {
        self.default_for.iter().any(|id| match id.strip_suffix('*') {
            Some(beginning) => env_id.starts_with(beginning),
            None => env_id == *id,
        })
    }
}

/// The files of `presets/`, in the order of their names.
const PRESETS: &[Preset] = include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// All presets, by name.
pub fn all() -> &'static [Preset] {
    PRESETS
}

/// The presets whose environments are in this crate.
pub fn with_envs() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter().filter(|preset| preset.envs_from.is_none())
}

/// The preset called `name`.
pub fn get(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The name that stands for no preset: all keys have their defaults.
pub const DEFAULT: &str = "default";

/// Whether a config can start from `name`.
pub fn known(name: &str) -> bool {
    name == DEFAULT || get(name).is_some()
}

/// The preset that `train ENV` uses when none is named; `None`: the defaults of [`Config`](super::Config).
pub fn default_for(env_id: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.is_default_for(env_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_found() {
        assert!(PRESETS.is_sorted_by(|a, b| a.name < b.name));
        assert!(PRESETS.iter().all(|preset| get(preset.name) == Some(preset)));
        assert_eq!(get("none"), None);
        assert!(known("dqn") && known(DEFAULT) && !known("none") && get(DEFAULT).is_none());
        assert_eq!(super::super::Config::default().preset, DEFAULT);
    }

    #[test]
    fn an_environment_has_its_preset() {
        assert_eq!(default_for("CartPole-v1").unwrap().name, "cartpole");
        assert_eq!(default_for("Toy/Catch-v0"), None);
        for id in ["MountainCar-v0", "Acrobot-v1", "CliffWalking-v1", "FrozenLake-v1", "Taxi-v4"] {
            assert!(default_for(id).unwrap().toml.contains(&format!("id = \"{id}\"")), "{id}");
        }
        assert_eq!(default_for("MinAtar/Breakout-v1").unwrap().name, "minatar-dqn");
    }

    #[test]
    fn presets_are_for_environments_that_are_here_or_say_whose_they_are() {
        for preset in PRESETS {
            let env = crate::config::Layers::new().preset(preset.name).unwrap().resolve().unwrap().env;
            let is_here = requel_envs::Registry::built_in().is_built_in(&env.id) == Some(true);
            assert_eq!(is_here, preset.envs_from.is_none(), "{}", preset.name);
        }
        assert!(with_envs().count() > 20 && with_envs().count() < all().len());
    }

    /// What an untrained network says is the middle of its support. Where it is below what walking on for ever costs, that looks better
    /// than all that has not been tried, and a goal is not looked for.
    #[test]
    fn a_support_begins_above_what_never_coming_to_an_end_costs() {
        let mut tried = 0;
        for env in requel_envs::Registry::built_in().specs() {
            let (Some((_, best)), Some(preset)) = (env.reward_range, default_for(&env.id)) else { continue };
            // Elsewhere a step may be free.
            if best >= 0.0 {
                continue;
            }
            let layers = crate::config::Layers::new().set(&format!("env.id={:?}", env.id)).unwrap();
            let layers = layers.preset(preset.name).unwrap().algorithm("c51").unwrap();
            let config = layers.resolve().unwrap().with_value_bounds(env, 2).unwrap();
            let (low, high) = (config.head.v_min.number().unwrap(), config.head.v_max.number().unwrap());
            let for_ever =
                best * config.agent.reward_scale * config.env.action_repeat as f64 / (1.0 - config.agent.gamma);
            assert!((low + high) / 2.0 >= for_ever, "{}: {low} to {high}, {for_ever}", env.id);
            tried += 1;
        }
        assert!(tried >= 2, "environments whose every step costs something");
    }

    #[test]
    fn an_environment_has_one_preset_at_most() {
        for env in requel_envs::Registry::built_in().specs() {
            let defaults = PRESETS.iter().filter(|preset| preset.is_default_for(&env.id)).count();
            assert!(defaults <= 1, "{}", env.id);
        }
    }
}
