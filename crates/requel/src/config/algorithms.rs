//! The algorithms of the value-based family, each a layer with exactly the keys that define it.

/// An algorithm as a layer over the preset of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// Its name for `--algo`.
    pub name: &'static str,
    /// One-line description.
    pub summary: &'static str,
    /// The layer.
    pub toml: &'static str,
}

/// The files of `algorithms/`, in the order of their names.
const ALGORITHMS: &[Algorithm] = include!(concat!(env!("OUT_DIR"), "/algorithms.rs"));

/// All algorithms, by name.
pub fn all() -> &'static [Algorithm] {
    ALGORITHMS
}

/// The algorithm called `name`.
pub fn get(name: &str) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{Config, Layers, presets};

    fn keys(table: &toml::Table) -> BTreeSet<String> {
        let of = |(section, values): (&String, &toml::Value)| {
            values.as_table().unwrap().keys().map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
        };
        table.iter().flat_map(of).collect()
    }

    fn layer(name: &str) -> toml::Table {
        get(name).unwrap().toml.parse().unwrap()
    }

    fn over(base: &str, name: &str) -> Config {
        Layers::new().preset(base).unwrap().algorithm(name).unwrap().resolve().unwrap()
    }

    #[test]
    fn names_are_in_order_and_found() {
        assert!(ALGORITHMS.is_sorted_by(|a, b| a.name < b.name));
        assert!(ALGORITHMS.iter().all(|algorithm| get(algorithm.name) == Some(algorithm)));
        assert_eq!(get("sarsa"), None);
    }

    #[test]
    fn every_algorithm_undoes_what_makes_another() {
        let shared: Vec<&str> = vec![
            "agent.kind",
            "agent.bellman_gradient",
            "agent.double",
            "agent.munchausen",
            "agent.n_step",
            "head.kind",
            "network.dueling",
            "network.noisy",
        ];
        for algorithm in ALGORITHMS {
            let keys = keys(&layer(algorithm.name));
            assert!(shared.iter().all(|key| keys.contains(*key)), "{}: {keys:?}", algorithm.name);
            assert!(algorithm.name == "pqn" || !keys.iter().any(|key| key.starts_with("train.")), "{}", algorithm.name);
        }
    }

    #[test]
    fn dqn_and_double_dqn_differ_in_the_rule_alone() {
        let (dqn, double) = (over("cartpole", "dqn"), over("cartpole", "double-dqn"));
        assert_ne!(dqn, double);
        let with_dqns_rule = Config {
            agent: crate::config::AgentConfig { double: false, ..double.agent.clone() },
            algo: "dqn".into(),
            ..double
        };
        assert_eq!(with_dqns_rule, dqn);
    }

    #[test]
    fn all_go_over_every_environments_base() {
        for preset in presets::all().iter().filter(|preset| preset.is_base()) {
            for algorithm in ALGORITHMS {
                let layers = Layers::new().preset(preset.name).unwrap().algorithm(algorithm.name).unwrap();
                let config = match layers.resolve() {
                    Ok(config) => config,
                    // A table has no layer to embed a fraction in.
                    Err(error) => {
                        assert_eq!((preset.name, algorithm.name), ("frozen-lake", "iqn"), "{error}");
                        assert!(error.to_string().contains("head.kind"), "{error}");
                        continue;
                    }
                };
                assert_eq!((config.preset.as_str(), config.algo.as_str()), (preset.name, algorithm.name));
            }
        }
    }
}
