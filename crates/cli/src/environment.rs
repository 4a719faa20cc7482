//! An environment from its id and what is set of it, for commands that need nothing else of a config.

use requel::Registry;
use requel::config::{EnvConfig, Layers};

use crate::exit::Failure;

/// The environment `id` with settings such as `env.options.map_name=8x8`.
///
/// # Errors
/// If there is no such environment, or a setting is none of the environment's.
pub fn described(id: &str, set: &[String], registry: &Registry) -> Result<EnvConfig, Failure> {
    // Found out first, so that a misspelt environment is called that and not a value of a key.
    registry.envs().make(id)?;
    let mut layers = Layers::new().set(&format!("env.id={id:?}"))?;
    for assignment in set {
        let key = assignment.split('=').next().unwrap_or_default().trim();
        if key == "env.id" || !key.starts_with("env.") {
            return Err(Failure::bad_input(format!("`{key}` is no setting of the environment"))
                .hint("what can be set here is `env.options.NAME`, `env.frame_stack`, `env.action_repeat`, `env.sticky_actions`"));
        }
        layers = layers.set(assignment)?;
    }
    Ok(layers.resolve()?.env)
}
