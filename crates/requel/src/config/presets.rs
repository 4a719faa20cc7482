//! The presets: named combinations of settings, each a TOML file with the source and unit of every number.

/// A named combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What `--preset` takes.
    pub name: &'static str,
    /// What it is, one line.
    pub summary: &'static str,
    /// The file.
    pub toml: &'static str,
}

macro_rules! preset {
    ($name:literal, $summary:literal) => {
        Preset { name: $name, summary: $summary, toml: include_str!(concat!("../../presets/", $name, ".toml")) }
    };
}

const PRESETS: &[Preset] = &[
    preset!("acrobot", "Acrobot swung up: double DQN, each action held for two frames"),
    preset!("acrobot-zoo", "C51 on Acrobot, no action repeated, with the env steps of RL Baselines3 Zoo"),
    preset!("c51", "categorical DQN on CartPole (Bellemare 2017)"),
    preset!("cartpole", "CartPole in about a second: C51 with ten-step targets on a bounded support"),
    preset!("cartpole-zoo", "DQN on CartPole with RL Baselines3 Zoo's settings"),
    preset!("cliff-walking", "the shortest way along the cliff: double DQN on one-hot states"),
    preset!("double-dqn", "double DQN on CartPole (van Hasselt 2016)"),
    preset!("dqn", "DQN on CartPole (Mnih 2015)"),
    preset!("dueling-dqn", "dueling double DQN on CartPole (Wang 2016)"),
    preset!("frozen-lake", "FrozenLake, 4 x 4 and slippery: double Q-learning from replay with a table"),
    preset!("iqn", "implicit quantile networks on CartPole (Dabney 2018b)"),
    preset!("minatar-c51", "categorical DQN on the MinAtar games with the settings of Ceron & Castro 2021"),
    preset!("minatar-dqn", "DQN on the MinAtar games with the settings of Young & Tian 2019"),
    preset!("minatar-pqn", "PQN on the MinAtar games with its authors' settings (Gallici 2024)"),
    preset!("minatar-rainbow", "Rainbow on the MinAtar games with the settings of Ceron & Castro 2021"),
    preset!("mountaincar", "MountainCar up the hill: double DQN, each action held for six frames"),
    preset!(
        "mountaincar-zoo",
        "double DQN on MountainCar, no action repeated, with the env steps of RL Baselines3 Zoo"
    ),
    preset!("munchausen-dqn", "Munchausen DQN on CartPole (Vieillard 2020)"),
    preset!("n-step-dqn", "DQN with three-step targets on CartPole (Hessel 2018)"),
    preset!("noisy-dqn", "DQN with noisy networks on CartPole (Fortunato 2018)"),
    preset!("notebook", "the DQN-with-replay notebook that requel grew out of, its equation taken at its word"),
    preset!("notebook-naive", "the same without replay: each transition is learned from once, as it comes"),
    preset!("per-dqn", "double DQN with prioritized replay on CartPole (Schaul 2016)"),
    preset!("pqn", "parallelised Q-network on CartPole: no replay, no target network (Gallici 2024)"),
    preset!("qr-dqn", "quantile-regression DQN on CartPole (Dabney 2018a)"),
    preset!("rainbow", "Rainbow on CartPole: six extensions of DQN together (Hessel 2018)"),
    preset!("taxi", "Taxi: double DQN on one-hot states, actions that do nothing masked"),
];

/// All presets, by name.
pub fn all() -> &'static [Preset] {
    PRESETS
}

/// The preset called `name`.
pub fn get(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The name that stands for no preset: all keys at their defaults.
pub const DEFAULT: &str = "default";

/// Whether a config can start from `name`.
pub fn known(name: &str) -> bool {
    name == DEFAULT || get(name).is_some()
}

/// The preset that `train ENV` uses when none is named; `None`: the defaults of [`Config`](super::Config).
pub fn default_for(env_id: &str) -> Option<&'static Preset> {
    match env_id {
        "CartPole-v0" | "CartPole-v1" => get("cartpole"),
        "MountainCar-v0" => get("mountaincar"),
        "Acrobot-v1" => get("acrobot"),
        "CliffWalking-v1" => get("cliff-walking"),
        "FrozenLake-v1" => get("frozen-lake"),
        "Taxi-v4" => get("taxi"),
        _ if env_id.starts_with("MinAtar/") => get("minatar-dqn"),
        _ => None,
    }
}

/// Whether the preset called `name` is the default of an environment, the base for algorithms.
pub fn is_base(name: &str) -> bool {
    const ENVIRONMENTS: [&str; 7] = [
        "CartPole-v1",
        "MountainCar-v0",
        "Acrobot-v1",
        "CliffWalking-v1",
        "FrozenLake-v1",
        "Taxi-v4",
        "MinAtar/Breakout-v1",
    ];
    ENVIRONMENTS.into_iter().any(|id| default_for(id).is_some_and(|preset| preset.name == name))
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
    }
}
