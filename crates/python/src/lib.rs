//! `requel._requel`, the part of the Python package `requel` that is written in Rust: it converts Python's values to those of the libraries
//! and back, and contains no logic. What users see is in `python/requel/`.
#![forbid(unsafe_code)]

mod env;
mod env_error;
mod policy;
mod program;
mod replay;
mod space;
mod stats;
mod train;
mod vector_env;

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
mod _requel {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::env::{PyEnv, environments};
    #[pymodule_export]
    use super::policy::PyPolicy;
    #[pymodule_export]
    use super::program::run_program;
    #[pymodule_export]
    use super::replay::{PyReplayBuffer, importance_weights};
    #[pymodule_export]
    use super::stats::{aggregate, normalized, performance_profile, probability_of_improvement};
    #[pymodule_export]
    use super::train::{
        AgentLoop, Collector, Config, Learner, Training, config_sections, is_own_env, preset_settings, presets,
        program_in, run_record, run_saves_envs,
    };
    #[pymodule_export]
    use super::vector_env::PyVectorEnv;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
