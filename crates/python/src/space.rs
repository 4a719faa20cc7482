//! Spaces for Python, and observations as their values: a number, or an array of the space's type.

use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use requel_envs::{DType, Space};

/// A space as a tuple that `requel.envs` turns into one of Gymnasium's: `("discrete", n)`, `("multi_discrete", counts)` or `("box", low,
/// high, shape, dtype)`, with flat bounds.
pub fn to_python<'py>(py: Python<'py>, space: &Space) -> PyResult<Bound<'py, PyAny>> {
    Ok(match space {
        Space::Discrete { n } => ("discrete", *n).into_pyobject(py)?.into_any(),
        Space::MultiDiscrete { n } => ("multi_discrete", n.clone()).into_pyobject(py)?.into_any(),
        Space::Box { low, high, shape, dtype } => {
            let bounds = (PyArray1::from_slice(py, low), PyArray1::from_slice(py, high));
            ("box", bounds.0, bounds.1, shape.clone(), dtype.name()).into_pyobject(py)?.into_any()
        }
    })
}

/// The space of such a tuple.
///
/// # Errors
/// If it is not valid.
pub fn from_python(space: &Bound<'_, PyAny>) -> PyResult<Space> {
    let kind: String = space.get_item(0)?.extract()?;
    match kind.as_str() {
        "discrete" => Ok(Space::Discrete { n: space.get_item(1)?.extract()? }),
        "multi_discrete" => Ok(Space::MultiDiscrete { n: space.get_item(1)?.extract()? }),
        _ => {
            let dtype: String = space.get_item(4)?.extract()?;
            Ok(Space::Box {
                low: space.get_item(1)?.extract::<PyReadonlyArray1<'_, f32>>()?.as_array().to_vec(),
                high: space.get_item(2)?.extract::<PyReadonlyArray1<'_, f32>>()?.as_array().to_vec(),
                shape: space.get_item(3)?.extract()?,
                dtype: DType::of_name(&dtype).unwrap_or(DType::F32),
            })
        }
    }
}

/// How the numbers of an observation are represented in Python.
pub struct Layout {
    /// The shape of one observation; none for a number.
    shape: Vec<usize>,
    elements: Elements,
}

#[derive(Clone, Copy)]
enum Elements {
    F32,
    U8,
    Bool,
    I64,
}

impl Layout {
    /// For a space.
    pub fn of(space: &Space) -> Self {
        let (shape, elements) = match space {
            Space::Discrete { .. } => (vec![], Elements::I64),
            Space::MultiDiscrete { n } => (vec![n.len()], Elements::I64),
            Space::Box { shape, dtype: DType::F32, .. } => (shape.clone(), Elements::F32),
            Space::Box { shape, dtype: DType::U8, .. } => (shape.clone(), Elements::U8),
            Space::Box { shape, dtype: DType::Bool, .. } => (shape.clone(), Elements::Bool),
        };
        Layout { shape, elements }
    }

    /// One observation: an `int` for a discrete space, a new array for others.
    pub fn one<'py>(&self, py: Python<'py>, numbers: &[f32]) -> PyResult<Bound<'py, PyAny>> {
        match (self.elements, &self.shape[..], numbers) {
            (Elements::I64, [], [number]) => Ok((*number as i64).into_pyobject(py)?.into_any()),
            (Elements::F32, [_], numbers) => Ok(PyArray1::from_slice(py, numbers).into_any()),
            (_, shape, numbers) => self.array(py, shape, numbers),
        }
    }

    /// This many observations, one after the other in `numbers`, as a new array with an axis in front.
    pub fn batch<'py>(&self, py: Python<'py>, count: usize, numbers: &[f32]) -> PyResult<Bound<'py, PyAny>> {
        let shape: Vec<usize> = [count].iter().chain(&self.shape).copied().collect();
        self.array(py, &shape, numbers)
    }

    /// The same written into an existing array.
    ///
    /// # Errors
    /// If it is not an array of the space's type, has another size, is not contiguous, or cannot be written.
    pub fn write(&self, array: &Bound<'_, PyAny>, numbers: &[f32]) -> PyResult<()> {
        match self.elements {
            Elements::F32 => write(array, numbers, |number| number),
            Elements::U8 => write(array, numbers, |number| number as u8),
            Elements::Bool => write(array, numbers, |number| number != 0.0),
            Elements::I64 => write(array, numbers, |number| number as i64),
        }
    }

    fn array<'py>(&self, py: Python<'py>, shape: &[usize], numbers: &[f32]) -> PyResult<Bound<'py, PyAny>> {
        let array = match self.elements {
            Elements::F32 => PyArrayDyn::<f32>::zeros(py, shape, false).into_any(),
            Elements::U8 => PyArrayDyn::<u8>::zeros(py, shape, false).into_any(),
            Elements::Bool => PyArrayDyn::<bool>::zeros(py, shape, false).into_any(),
            Elements::I64 => PyArrayDyn::<i64>::zeros(py, shape, false).into_any(),
        };
        self.write(&array, numbers)?;
        Ok(array)
    }
}

fn write<T: Element + Copy>(array: &Bound<'_, PyAny>, numbers: &[f32], convert: impl Fn(f32) -> T) -> PyResult<()> {
    let array = array
        .cast::<PyArrayDyn<T>>()
        .map_err(|_| PyTypeError::new_err("observations go into an array of the observation space's dtype"))?;
    if array.len() != numbers.len() {
        let (found, expected) = (array.len(), numbers.len());
        return Err(PyValueError::new_err(format!("the array has {found} elements, observations have {expected}")));
    }
    let mut array = array.try_readwrite().map_err(|error| PyValueError::new_err(error.to_string()))?;
    let slots = array.as_slice_mut().map_err(|error| PyValueError::new_err(error.to_string()))?;
    for (slot, number) in slots.iter_mut().zip(numbers) {
        *slot = convert(*number);
    }
    Ok(())
}
