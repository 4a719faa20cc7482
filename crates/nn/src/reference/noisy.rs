//! Factorised Gaussian noise on the parameters of a dense layer (Fortunato et al. 2018).

use super::Real;

/// What the parameters of a noisy layer are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct NoisyParameters<'a, R> {
    /// μ of the weight, `inputs × outputs`.
    pub weight_mean: &'a [R],
    /// σ of the weight, `inputs × outputs`.
    pub weight_sigma: &'a [R],
    /// μ of the bias.
    pub bias_mean: &'a [R],
    /// σ of the bias.
    pub bias_sigma: &'a [R],
}

/// `to[i] = sign(x)·√|x|` of each standard normal x.
pub fn scaled_noise<R: Real>(normals: &[R], to: &mut [R]) {
    for (to, &x) in to.iter_mut().zip(normals) {
        *to = if x < R::ZERO { -(-x).root() } else { x.root() };
    }
}

/// `w[k][o] = μ[k][o] + σ[k][o]·(e[k]·f[o])` and `b[o] = μ[o] + σ[o]·f[o]`, with the scaled noise e of the inputs and f of
/// the outputs. Where e and f are all 0, they are the means to the bit.
pub fn draw_noisy<R: Real>(p: NoisyParameters<'_, R>, (e, f): (&[R], &[R]), (w, b): (&mut [R], &mut [R])) {
    if e.iter().chain(f).all(|&x| x == R::ZERO) {
        w.copy_from_slice(p.weight_mean);
        b.copy_from_slice(p.bias_mean);
        return;
    }
    for (i, w) in w.iter_mut().enumerate() {
        let (k, o) = (i / f.len(), i % f.len());
        *w = p.weight_mean[i].plus(p.weight_sigma[i].times(e[k].times(f[o])));
    }
    for (o, b) in b.iter_mut().enumerate() {
        *b = p.bias_mean[o].plus(p.bias_sigma[o].times(f[o]));
    }
}

/// The gradients of σ from those of the drawn parameters, which are the gradients of μ: `dw[k][o]·(e[k]·f[o])` and
/// `db[o]·f[o]`; 0 where e and f are all 0.
pub fn noisy_gradient<R: Real>(
    (dw, db): (&[R], &[R]),
    (e, f): (&[R], &[R]),
    (dw_sigma, db_sigma): (&mut [R], &mut [R]),
) {
    if e.iter().chain(f).all(|&x| x == R::ZERO) {
        dw_sigma.fill(R::ZERO);
        db_sigma.fill(R::ZERO);
        return;
    }
    for (i, to) in dw_sigma.iter_mut().enumerate() {
        *to = dw[i].times(e[i / f.len()].times(f[i % f.len()]));
    }
    for (o, to) in db_sigma.iter_mut().enumerate() {
        *to = db[o].times(f[o]);
    }
}
