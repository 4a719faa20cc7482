//! Numbers of a Python object, converted to an observation of `f32`.

use numpy::ndarray::{ArrayViewD, IxDyn};
use numpy::{Element, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

/// How observations are read.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Numbers of one observation.
    pub len: usize,
    /// Subtracted from each: a discrete space may start at a number other than 0.
    pub start: f32,
    /// The order in which the axes of an array are read, if it differs from theirs: for images with the channels first.
    pub axes: Option<Vec<usize>>,
}

impl Reader {
    /// Writes the numbers of a value into an observation.
    ///
    /// # Errors
    /// `ValueError` if there are more or fewer of them, `TypeError` if they are not numbers.
    pub fn read(&self, value: &Bound<'_, PyAny>, observation: &mut [f32]) -> PyResult<()> {
        let read = self.copy::<f32>(value, observation, |number| number)?
            || self.copy::<u8>(value, observation, f32::from)?
            || self.copy::<f64>(value, observation, |number| number as f32)?
            || self.copy::<i64>(value, observation, |number| number as f32)?
            || self.copy::<bool>(value, observation, |number| f32::from(u8::from(number)))?;
        if !read {
            if let ([only], Ok(number)) = (&mut *observation, value.extract::<f64>()) {
                *only = number as f32;
            } else {
                let numpy = value.py().import(intern!(value.py(), "numpy"))?;
                let array = numpy.call_method1(intern!(value.py(), "asarray"), (value, "float32"))?;
                if !self.copy::<f32>(&array, observation, |number| number)? {
                    return Err(self.other_length(&array));
                }
            }
        }
        if self.start != 0.0 {
            observation.iter_mut().for_each(|number| *number -= self.start);
        }
        Ok(())
    }

    /// Whether the value is an array of this type.
    fn copy<T: Element + Copy>(
        &self,
        value: &Bound<'_, PyAny>,
        observation: &mut [f32],
        number: impl Fn(T) -> f32,
    ) -> PyResult<bool> {
        let Ok(array) = value.cast::<PyArrayDyn<T>>() else { return Ok(false) };
        if array.len() != observation.len() {
            return Err(self.other_length(value));
        }
        let array = array.try_readonly()?;
        if let (None, Ok(numbers)) = (&self.axes, array.as_slice()) {
            observation.iter_mut().zip(numbers).for_each(|(to, from)| *to = number(*from));
            return Ok(true);
        }
        let view = self.ordered(array.as_array())?;
        observation.iter_mut().zip(view.iter()).for_each(|(to, from)| *to = number(*from));
        Ok(true)
    }

    fn ordered<'a, T>(&self, view: ArrayViewD<'a, T>) -> PyResult<ArrayViewD<'a, T>> {
        match &self.axes {
            None => Ok(view),
            Some(axes) if axes.len() == view.ndim() => Ok(view.permuted_axes(IxDyn(axes))),
            Some(axes) => {
                let found = view.ndim();
                Err(PyValueError::new_err(format!("an observation has {found} axes, but its space has {}", axes.len())))
            }
        }
    }

    fn other_length(&self, value: &Bound<'_, PyAny>) -> PyErr {
        let shape = value.getattr("shape").and_then(|shape| shape.repr()?.extract::<String>()).unwrap_or_default();
        PyValueError::new_err(format!(
            "an observation of shape {shape} does not belong to its space, which has {} numbers",
            self.len
        ))
    }
}

/// Reads flags, such as those of the allowed actions.
///
/// # Errors
/// `ValueError` if there are more or fewer of them.
pub fn read_flags(value: &Bound<'_, PyAny>, flags: &mut [bool]) -> PyResult<()> {
    let numpy = value.py().import(intern!(value.py(), "numpy"))?;
    let array = numpy.call_method1(intern!(value.py(), "asarray"), (value, "bool"))?;
    let array = array.cast_into::<PyArrayDyn<bool>>().map_err(PyErr::from)?;
    if array.len() != flags.len() {
        let found = array.len();
        return Err(PyValueError::new_err(format!("an action mask has {found} flags for {} actions", flags.len())));
    }
    let array = array.try_readonly()?;
    flags.iter_mut().zip(array.as_array()).for_each(|(to, from)| *to = *from);
    Ok(())
}
