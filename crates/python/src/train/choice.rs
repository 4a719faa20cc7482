//! The greedy choice of a policy, for arrays.

use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use requel::agent::{Masks, Policy, PolicyInput};
use requel::train::TrainError;

use super::errors::of_training;

/// Actions, and row by row the values by which they were chosen.
type Chosen = (Vec<usize>, Option<Vec<f32>>);

/// What a policy created for these observations, rows × numbers, chooses among the actions that `masks` allows.
///
/// # Errors
/// If the policy could not be created, masks have another shape, or the policy cannot choose.
pub fn chosen(
    py: Python<'_>,
    policy: Result<Box<dyn Policy>, TrainError>,
    observations: &PyReadonlyArray2<'_, f32>,
    masks: Option<&PyReadonlyArray2<'_, bool>>,
) -> PyResult<Chosen> {
    let rows = observations.shape()[0];
    let masks = masks_of(rows, masks)?;
    let failed = |error| of_training(py, error);
    let mut policy = policy.map_err(failed)?;
    let slots: Vec<usize> = (0..rows).collect();
    let mut actions = vec![0; rows];
    let input = PolicyInput { observations: observations.as_slice()?, slots: &slots, masks };
    policy.choose(&input, &mut actions).map_err(|error| failed(error.into()))?;
    Ok((actions, policy.values().map(<[f32]>::to_vec)))
}

/// Masks for this many observations; everything is allowed if there are none.
///
/// # Errors
/// If there are more or fewer of them.
pub fn masks_of<'a>(rows: usize, flags: Option<&'a PyReadonlyArray2<'_, bool>>) -> PyResult<Masks<'a>> {
    match flags {
        Some(flags) if flags.shape()[0] == rows => Ok(Masks::new(flags.as_slice()?, flags.shape()[1])),
        Some(_) => Err(PyValueError::new_err(format!("masks need one row for each of the {rows} observations"))),
        None => Ok(Masks::ALL),
    }
}
