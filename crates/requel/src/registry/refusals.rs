//! Errors about a program's own component, with the config key that names the component.

use requel_nn::Network;

use crate::agent::{AgentError, HeadError, ValueSpec};
use crate::config::Config;
use crate::train::{AgentEnv, TrainError};

/// Refuses a program's own network if it does not fit the observations and actions of the environment.
pub(super) fn check_own_network(config: &Config, env: &AgentEnv<'_>, values: &ValueSpec) -> Result<(), TrainError> {
    let name = &config.network.name;
    if name.is_empty() {
        return Ok(());
    }
    let network = Network::new(&values.network).map_err(|error| refused_by_part(config, error.into()))?;
    let (found, actions) = ((network.input_len(), network.output_len()), env.actions.count);
    let expected = (env.observations.len(), actions * values.head.atoms());
    if found == expected {
        return Ok(());
    }
    let reason = format!(
        "it reads {} numbers and has {} outputs; observations of {} are {} numbers, and {actions} actions take {} outputs as {}",
        found.0, found.1, env.spec.id, expected.0, expected.1, values.head
    );
    Err(TrainError::from(AgentError::Failed { reason }).of_part("network.name", name))
}

/// The error with which components could not be combined, with the program's own component that it is about, if the config names one.
pub(super) fn refused_by_part(config: &Config, error: AgentError) -> TrainError {
    let (head, network) = (("head.name", &config.head.name), ("network.name", &config.network.name));
    let rule = ("agent.rule", &config.agent.rule);
    let parts = match &error {
        // These are about the rule, whatever the head is.
        AgentError::Head(HeadError::CategoricalPolicy | HeadError::ResidualPolicy) => vec![rule, head],
        // A head refuses a rule that it cannot learn by.
        AgentError::Head(_) => vec![head, rule],
        AgentError::Network(_) => vec![network],
        AgentError::NoProbabilities => vec![("replay.name", &config.replay.name)],
        // Either may be the one that does not go with the other.
        AgentError::Policy(_) => vec![network, head],
        _ => Vec::new(),
    };
    let named = parts.into_iter().find(|(_, name)| !name.is_empty());
    let error = TrainError::from(error);
    match named {
        Some((key, name)) => error.of_part(key, name),
        None => error,
    }
}
