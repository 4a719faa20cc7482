//! Parts of one's own for requel, as a crate outside of it brings them: an environment ([`greenhouse`]).
//!
//! [`registry`] registers them; `main.rs` is a program with every verb for them.
#![forbid(unsafe_code)]

pub mod greenhouse;

use requel::Registry;
use requel_envs::{EnvError, TimeLimit};

use greenhouse::{DAY, Greenhouse};

/// What requel has, and the parts of this crate.
///
/// # Errors
/// If a name is taken.
pub fn registry() -> Result<Registry, EnvError> {
    let mut registry = Registry::built_in();
    registry.register_env(|| Ok(Box::new(TimeLimit::new(Greenhouse::new(), DAY)?)))?;
    Ok(registry)
}
