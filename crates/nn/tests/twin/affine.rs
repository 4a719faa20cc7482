//! A dense part, plain or noisy.

use requel_nn::Activation;
use requel_nn::reference::{self, DenseShape, NoisyParameters, Real};

/// Arrays handed out one after another.
pub struct Reader<'a, R>(pub &'a [R]);

impl<'a, R> Reader<'a, R> {
    pub fn take(&mut self, len: usize) -> &'a [R] {
        let (first, rest) = self.0.split_at(len);
        self.0 = rest;
        first
    }
}

/// The numbers of a pass through a dense part.
pub struct Affine<R> {
    shape: DenseShape,
    is_noisy: bool,
    noise: (Vec<R>, Vec<R>),
    weight: Vec<R>,
    x: Vec<R>,
    pub y: Vec<R>,
    pub activation: Activation,
}

impl<R: Real> Affine<R> {
    /// `layer` is the number of outputs, the activation, and whether it is noisy.
    pub fn forward(
        (parameters, noise): (&mut Reader<'_, R>, &mut Reader<'_, R>),
        (outputs, activation, is_noisy): (usize, Activation, bool),
        rows: usize,
        x: &[R],
    ) -> Affine<R> {
        let inputs = x.len() / rows;
        let shape = DenseShape { rows, inputs, outputs };
        let (mut weight, mut bias) = (vec![R::ZERO; inputs * outputs], vec![R::ZERO; outputs]);
        let (mut e, mut f) = (vec![R::ZERO; inputs], vec![R::ZERO; outputs]);
        if is_noisy {
            reference::scaled_noise(noise.take(inputs), &mut e);
            reference::scaled_noise(noise.take(outputs), &mut f);
            let parameters = NoisyParameters {
                weight_mean: parameters.take(inputs * outputs),
                weight_sigma: parameters.take(inputs * outputs),
                bias_mean: parameters.take(outputs),
                bias_sigma: parameters.take(outputs),
            };
            reference::draw_noisy(parameters, (&e, &f), (&mut weight, &mut bias));
        } else {
            weight.copy_from_slice(parameters.take(inputs * outputs));
            bias.copy_from_slice(parameters.take(outputs));
        }
        let mut y = vec![R::ZERO; rows * outputs];
        reference::dense_forward(shape, (&weight, &bias), x, activation, &mut y);
        Affine { shape, is_noisy, noise: (e, f), weight, x: x.to_vec(), y, activation }
    }

    /// The gradients of the parameters and of the inputs, from that before the activation.
    pub fn backward(&self, dy: &[R], before: Activation) -> (Vec<R>, Vec<R>) {
        let (mut dw, mut db) = (vec![R::ZERO; self.weight.len()], vec![R::ZERO; self.shape.outputs]);
        let mut dx = vec![R::ZERO; self.x.len()];
        reference::dense_weight_gradient(self.shape, &self.x, dy, (&mut dw, &mut db));
        reference::dense_input_gradient(self.shape, &self.weight, dy, (&self.x, before), &mut dx);
        if !self.is_noisy {
            return ([dw, db].concat(), dx);
        }
        let (mut dw_sigma, mut db_sigma) = (dw.clone(), db.clone());
        let noise = (&self.noise.0[..], &self.noise.1[..]);
        reference::noisy_gradient((&dw, &db), noise, (&mut dw_sigma, &mut db_sigma));
        ([dw, dw_sigma, db, db_sigma].concat(), dx)
    }
}
