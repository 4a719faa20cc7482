//! PyTorch's layout of the same parameters.
//!
//! Here a dense weight is `[inputs, outputs]`; `torch.nn.Linear` stores `[outputs, inputs]`. A convolution's is `[down, across, inputs,
//! outputs]`; `torch.nn.Conv2d` stores `[outputs, inputs, down, across]`. Biases are the same.
//!
//! Images have their channels last here and first there. So a dense layer that reads an image finds its inputs in a different order: in
//! PyTorch, `permute(0, 2, 3, 1)` comes before `flatten`.

use crate::ParameterSlice;

/// The shape of this array in PyTorch.
pub fn shape(slice: &ParameterSlice) -> Vec<usize> {
    match slice.shape[..] {
        [inputs, outputs] => vec![outputs, inputs],
        [down, across, inputs, outputs] => vec![outputs, inputs, down, across],
        _ => slice.shape.clone(),
    }
}

/// Copies `ours`, one array in the order of the parameter buffer, into PyTorch's order.
///
/// # Panics
/// If a length is not that of the slice.
pub fn export(slice: &ParameterSlice, ours: &[f32], theirs: &mut [f32]) {
    copy(slice, |our, their| theirs[their] = ours[our]);
}

/// The inverse of [`export`].
///
/// # Panics
/// If a length is not that of the slice.
pub fn import(slice: &ParameterSlice, theirs: &[f32], ours: &mut [f32]) {
    copy(slice, |our, their| ours[our] = theirs[their]);
}

/// Calls `f(our index, their index)` for every number.
fn copy(slice: &ParameterSlice, mut f: impl FnMut(usize, usize)) {
    match slice.shape[..] {
        [inputs, outputs] => (0..inputs * outputs).for_each(|i| f(i, i % outputs * inputs + i / outputs)),
        [down, across, inputs, outputs] => (0..down * across * inputs * outputs).for_each(|i| {
            let (pixel, input, output) = (i / (inputs * outputs), i / outputs % inputs, i % outputs);
            f(i, (output * inputs + input) * down * across + pixel);
        }),
        _ => slice.range.clone().enumerate().for_each(|(i, _)| f(i, i)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_transposed_and_comes_back() {
        let slice = ParameterSlice { name: "layers.0.weight".into(), shape: vec![2, 3], range: 0..6 };
        let ours = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let (mut theirs, mut back) = ([0.0; 6], [0.0; 6]);
        export(&slice, &ours, &mut theirs);
        assert_eq!(shape(&slice), [3, 2]);
        assert_eq!(theirs, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        import(&slice, &theirs, &mut back);
        assert_eq!(back, ours);
    }
}
