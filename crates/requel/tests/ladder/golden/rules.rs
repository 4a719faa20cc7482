//! Targets and losses in `f64`, row by row, as their papers write them.

use requel_nn::Loss;

/// What the outputs mean, and what an error costs.
pub enum TwinHead {
    Scalar(Loss),
    /// The atoms.
    Categorical(Vec<f64>),
    /// κ, at the midpoints.
    Quantile(f64),
    /// κ, at fractions that are drawn.
    ImplicitQuantile(f64),
}

/// α, τ and l₀.
pub type Munchausen = (f64, f64, f64);

/// Outputs with where things are in them.
#[derive(Clone, Copy)]
pub struct Outputs<'a> {
    pub head: &'a TwinHead,
    pub actions: usize,
    pub rows: usize,
    pub values: &'a [f64],
}

/// What follows a step.
pub struct Next<'a> {
    /// Whose distributions count.
    pub evaluator: Outputs<'a>,
    /// Whose values choose.
    pub selector: Outputs<'a>,
}

/// The loss of a row, its gradient in each number of the action taken, and its TD error.
pub struct RowLoss {
    pub loss: f64,
    pub slopes: Vec<f64>,
    pub td_error: f64,
}

impl Outputs<'_> {
    pub fn atoms(&self) -> usize {
        self.values.len() / (self.rows * self.actions)
    }

    /// Where an atom of an action lies.
    pub fn place(&self, row: usize, action: usize, atom: usize) -> usize {
        match self.head {
            TwinHead::ImplicitQuantile(_) => (row * self.atoms() + atom) * self.actions + action,
            _ => (row * self.actions + action) * self.atoms() + atom,
        }
    }

    pub fn distribution(&self, row: usize, action: usize) -> Vec<f64> {
        (0..self.atoms()).map(|atom| self.values[self.place(row, action, atom)]).collect()
    }

    /// The expected return of each action.
    pub fn q(&self, row: usize) -> Vec<f64> {
        let mean = |numbers: Vec<f64>| numbers.iter().sum::<f64>() / numbers.len() as f64;
        let value = |action| match self.head {
            TwinHead::Categorical(support) => {
                softmax(&self.distribution(row, action)).iter().zip(support).map(|(p, z)| p * z).sum()
            }
            _ => mean(self.distribution(row, action)),
        };
        (0..self.actions).map(value).collect()
    }
}

pub fn best(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

fn log_softmax(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::MIN, f64::max);
    let log_sum = x.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
    x.iter().map(|x| x - max - log_sum).collect()
}

fn softmax(x: &[f64]) -> Vec<f64> {
    log_softmax(x).into_iter().map(f64::exp).collect()
}

/// What a row is learned towards: one number, quantiles, or the probabilities of the atoms. For Munchausen's rule `current_q` are
/// the values of its policy at the present state.
pub fn target(
    next: &Next<'_>,
    row: usize,
    (action, reward, discount): (usize, f64, f64),
    munchausen: Option<(Munchausen, &[f64])>,
) -> Vec<f64> {
    let Next { evaluator, selector } = next;
    let selector_q = selector.q(row);
    let Some(((alpha, tau, clip), current_q)) = munchausen else {
        let following = evaluator.distribution(row, best(&selector_q));
        return match evaluator.head {
            TwinHead::Categorical(support) => project(support, &softmax(&following), reward, discount),
            _ => following.iter().map(|z| reward + discount * z).collect(),
        };
    };
    let scaled = |q: &[f64]| log_softmax(&q.iter().map(|q| q / tau).collect::<Vec<_>>());
    let bonus = alpha * (tau * scaled(current_q)[action]).clamp(clip, 0.0);
    let policy = scaled(&selector_q);
    let soft = |atom: usize| -> f64 {
        let of_action = |a: usize| policy[a].exp() * (evaluator.distribution(row, a)[atom] - tau * policy[a]);
        (0..evaluator.actions).map(of_action).sum()
    };
    (0..evaluator.atoms()).map(|atom| reward + bonus + discount * soft(atom)).collect()
}

/// Bellemare, Dabney & Munos 2017, algorithm 1.
fn project(support: &[f64], probabilities: &[f64], reward: f64, discount: f64) -> Vec<f64> {
    let (low, high) = (support[0], support[support.len() - 1]);
    let step = (high - low) / (support.len() - 1) as f64;
    let mut projected = vec![0.0; support.len()];
    for (z, p) in support.iter().zip(probabilities) {
        let b = ((reward + discount * z).clamp(low, high) - low) / step;
        let below = b.floor().min((support.len() - 2) as f64);
        projected[below as usize] += p * (below + 1.0 - b);
        projected[below as usize + 1] += p * (b - below);
    }
    projected
}

/// The loss of the action taken in a row, whose fractions are given where they are drawn.
pub fn loss(outputs: &Outputs<'_>, row: usize, action: usize, target: &[f64], fractions: &[f64]) -> RowLoss {
    let taken = outputs.distribution(row, action);
    match outputs.head {
        TwinHead::Scalar(kind) => {
            let error = taken[0] - target[0];
            let (loss, slope) = match *kind {
                Loss::Mse => (error * error, 2.0 * error),
                Loss::Huber { delta } => {
                    let delta = f64::from(delta);
                    let slope = error.clamp(-delta, delta);
                    (slope * (error - slope / 2.0), slope)
                }
            };
            RowLoss { loss, slopes: vec![slope], td_error: error.abs() }
        }
        TwinHead::Categorical(_) => {
            let loss = -log_softmax(&taken).iter().zip(target).map(|(log, m)| log * m).sum::<f64>();
            let slopes = softmax(&taken).iter().zip(target).map(|(p, m)| p - m).collect();
            RowLoss { loss, slopes, td_error: loss }
        }
        TwinHead::Quantile(kappa) => {
            let count = taken.len() as f64;
            let midpoints: Vec<f64> = (0..taken.len()).map(|i| (i as f64 + 0.5) / count).collect();
            quantile_loss(*kappa, &taken, &midpoints, target)
        }
        TwinHead::ImplicitQuantile(kappa) => quantile_loss(*kappa, &taken, fractions, target),
    }
}

/// Dabney et al. 2018, equation 10.
fn quantile_loss(kappa: f64, taken: &[f64], fractions: &[f64], target: &[f64]) -> RowLoss {
    let (mut total, mut slopes) = (0.0, vec![0.0; taken.len()]);
    for (i, (theta, tau)) in taken.iter().zip(fractions).enumerate() {
        for t in target {
            let u = t - theta;
            let weight = if u < 0.0 { 1.0 - tau } else { *tau };
            let (huber, slope) = if kappa == 0.0 {
                (u.abs(), if u == 0.0 { 0.0 } else { u.signum() })
            } else if u.abs() <= kappa {
                (u * u / 2.0 / kappa, u / kappa)
            } else {
                (u.abs() - kappa / 2.0, u.signum())
            };
            total += weight * huber / target.len() as f64;
            slopes[i] -= weight * slope / target.len() as f64;
        }
    }
    RowLoss { loss: total, slopes, td_error: total }
}
