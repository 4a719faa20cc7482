//! [`Budget`], when training stops.

use serde::Serialize;

use crate::config::Config;

/// When training stops, unless it stops early. As JSON: `{"env_steps": 50000}` or `{"episodes": 1000}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// This many env steps.
    EnvSteps(u64),
    /// This many episodes.
    Episodes(u64),
}

impl Budget {
    /// The budget of a config; env steps if both are set.
    pub fn of(config: &Config) -> Self {
        match config.train.env_steps {
            0 => Budget::Episodes(config.train.episodes),
            steps => Budget::EnvSteps(steps),
        }
    }

    /// The amount.
    pub fn total(self) -> u64 {
        let (Budget::EnvSteps(total) | Budget::Episodes(total)) = self;
        total
    }

    /// The unit.
    pub fn unit(self) -> &'static str {
        match self {
            Budget::EnvSteps(_) => "env steps",
            Budget::Episodes(_) => "episodes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_steps_are_the_budget_where_both_are_set() {
        let mut config = Config::default();
        (config.train.env_steps, config.train.episodes) = (500, 7);
        assert_eq!(Budget::of(&config), Budget::EnvSteps(500));
        config.train.env_steps = 0;
        assert_eq!(Budget::of(&config), Budget::Episodes(7));
    }
}
