//! The schedule of the importance weights that a config describes.

use crate::config::Config;

impl Config {
    /// Environment steps over which the importance weights' exponent β goes from its start to its end.
    pub fn importance_env_steps(&self) -> u64 {
        match self.replay.importance_env_steps {
            0 => self.train.env_steps,
            env_steps => env_steps,
        }
    }
}
