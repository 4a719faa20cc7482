//! An environment created from its id and its settings, for commands that need nothing else from a config.

use requel::Registry;
use requel::config::{EnvConfig, Layers};

use crate::exit::Failure;

/// The environment `id` with settings such as `env.options.map_name=8x8`.
///
/// # Errors
/// If there is no such environment, or a key is not a setting of the environment.
pub fn described(id: &str, set: &[String], registry: &Registry) -> Result<EnvConfig, Failure> {
    // Checked first, so that a misspelt environment is reported as such and not as a bad value of a key.
    registry.envs().make(id)?;
    let mut layers = Layers::new().set(&format!("env.id={id:?}"))?;
    for assignment in set {
        let key = assignment.split('=').next().unwrap_or_default().trim();
        if key == "env.id" || !key.starts_with("env.") {
            return Err(Failure::bad_input(format!("`{key}` is not a setting of the environment"))
                .hint("only `env.options.NAME`, `env.frame_stack`, `env.action_repeat` and `env.sticky_actions` can be set here"));
        }
        layers = layers.set(assignment)?;
    }
    Ok(layers.resolve()?.env)
}
