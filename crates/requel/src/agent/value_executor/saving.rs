//! The state of an executor, the same for every device.

use requel_nn::Network;

use super::ValueExecutor;
use super::networks::{Lists, Networks, OptimizerLists};
use crate::state::{State, StateError};

/// The key under which the name of a user's learning rate function is saved.
const LEARNING_RATE: &str = "optimizer/learning_rate_function";
/// The key of the position of the acting noise.
const ACTING_POSITION: &str = "agent/acting_position";

/// Saves the parameters, the optimiser's averages and the counters. What a lost device holds is left out; callers ask for the parameters
/// first, and that call returns the error.
pub(super) fn save<'a, N: Networks>(executor: &'a ValueExecutor<N>, state: &mut State<'a>) {
    let network = executor.networks.network();
    if let Ok(Lists { online: Some(online), target, optimizer }) = executor.networks.lists() {
        put_parameters(state, "online", network, online);
        if let Some(target) = target {
            put_parameters(state, "target", network, target);
        }
        if let Some(OptimizerLists { steps, averages }) = optimizer {
            for (name, values) in averages {
                state.put_f32(format!("optimizer/{name}"), vec![values.len()], values);
            }
            state.put("optimizer/steps", steps);
        }
    }
    state.put("agent/updates", executor.updates);
    state.put_name(LEARNING_RATE, executor.learning_rate.name());
    if network.noise_len() > 0 {
        state.put(ACTING_POSITION, executor.acting_noise.position());
    }
    executor.batch.save(state);
}

/// Restores them.
pub(super) fn restore<N: Networks>(executor: &mut ValueExecutor<N>, state: &State<'_>) -> Result<(), StateError> {
    state.check_name(LEARNING_RATE, executor.learning_rate.name())?;
    let network = executor.networks.network();
    let count = network.parameter_count();
    let online = read_parameters(state, "online", network)?;
    let target = executor.has_target().then(|| read_parameters(state, "target", network)).transpose()?;
    let names = executor.buffer_names();
    let mut buffers = Vec::new();
    for &name in names {
        let mut values = vec![0.0; count];
        state.read_f32(&format!("optimizer/{name}"), &mut values)?;
        buffers.push((name, values));
    }
    let averages = buffers.iter().map(|(name, values)| (*name, &values[..])).collect();
    let optimizer = OptimizerLists { steps: state.read("optimizer/steps")?, averages };
    executor.networks.set_lists(&Lists {
        online: Some(&online),
        target: target.as_deref(),
        optimizer: Some(optimizer),
    })?;
    executor.updates = state.read("agent/updates")?;
    if executor.networks.network().noise_len() > 0 {
        executor.acting_noise.set_position(state.read(ACTING_POSITION)?);
    }
    executor.batch.restore(state)
}

/// Saves the parameters of `network` under `network/NAME.`, slice by slice.
fn put_parameters<'a>(state: &mut State<'a>, name: &str, network: &Network, parameters: &'a [f32]) {
    for slice in network.slices() {
        let values = &parameters[slice.range.clone()];
        state.put_f32(format!("network/{name}.{}", slice.name), slice.shape.clone(), values);
    }
}

/// Reads what [`put_parameters`] saved.
fn read_parameters(state: &State<'_>, name: &str, network: &Network) -> Result<Vec<f32>, StateError> {
    let mut parameters = vec![0.0; network.parameter_count()];
    for slice in network.slices() {
        state.read_f32(&format!("network/{name}.{}", slice.name), &mut parameters[slice.range.clone()])?;
    }
    Ok(parameters)
}
