//! [`CategoricalHead`]: network outputs as logits of each action's return on a fixed support.

use requel_nn::kernel::Task;
use requel_nn::{Kernel, math};

use super::{Head, HeadLoss, HeadShape, HeadUpdate};
use crate::td::{ProjectionRoom, Support, argmax, categorical_projection, cross_entropy, lanes, log_softmax};

/// A distribution over atoms for each action: C51 (Bellemare, Dabney & Munos 2017). What a row costs, and how surprising it is to
/// a prioritized replay, is its cross-entropy, as in Rainbow (Hessel et al. 2018).
#[derive(Clone, Debug)]
pub struct CategoricalHead {
    support: Support,
    shape: HeadShape,
    kernel: Kernel,
    /// The return of each atom.
    returns: Vec<f32>,
    /// Rows × actions × atoms: exponentials for [`Head::q_values`].
    powers: Vec<f32>,
    /// Rows × atoms, of the chosen next actions.
    next: Vec<f32>,
    /// Rows × atoms, of the actions taken.
    probabilities: Vec<f32>,
    projected: Vec<f32>,
    room: ProjectionRoom,
    log_sums: Vec<f32>,
    maxima: Vec<f32>,
    losses: Vec<f32>,
}

impl CategoricalHead {
    /// For batches of this shape.
    pub fn new(support: Support, shape: HeadShape, kernel: Kernel) -> Self {
        let (rows, atoms) = (shape.rows, support.atoms);
        CategoricalHead {
            support,
            shape,
            kernel,
            returns: (0..atoms).map(|atom| support.atom(atom)).collect(),
            powers: vec![0.0; rows * shape.actions * atoms],
            next: vec![0.0; rows * atoms],
            probabilities: vec![0.0; rows * atoms],
            projected: vec![0.0; atoms],
            room: ProjectionRoom::new(atoms),
            log_sums: vec![0.0; rows],
            maxima: vec![0.0; rows],
            losses: vec![0.0; rows],
        }
    }

    #[inline(always)]
    fn work_out_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        let atoms = self.support.atoms;
        assert_eq!(outputs.len(), q.len() * atoms, "outputs are rows × actions × atoms");
        // Of more rows than a batch has, a batch at a time.
        for (outputs, q) in outputs.chunks(self.powers.len()).zip(q.chunks_mut(self.powers.len() / atoms)) {
            let powers = &mut self.powers[..outputs.len()];
            for (powers, logits) in powers.chunks_exact_mut(atoms).zip(outputs.chunks_exact(atoms)) {
                let max = lanes::max(logits);
                lanes::fill(powers, (logits, logits), |logit, _| logit - max);
            }
            math::exp_all(self.kernel, powers);
            for (q, powers) in q.iter_mut().zip(powers.chunks_exact(atoms)) {
                *q = lanes::sum_of(powers, &self.returns, |power, z| power * z) / lanes::sum(powers);
            }
        }
    }

    #[inline(always)]
    fn work_out_loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        let (HeadShape { rows, actions }, atoms) = (self.shape, self.support.atoms);
        let numbers = rows * actions * atoms;
        assert_eq!((update.outputs.len(), update.next_outputs.len()), (numbers, numbers), "rows × actions × atoms");
        assert_eq!((update.next_q.len(), d_outputs.len()), (rows * actions, numbers), "rows × actions, and × atoms");
        assert_eq!((update.rewards.len(), update.discounts.len()), (rows, rows), "one reward and discount per row");
        assert!(update.weights.is_none_or(|weights| weights.len() == rows), "one weight per row");

        let place = |row: usize, action: usize| (row * actions + action) * atoms..(row * actions + action + 1) * atoms;
        for (row, next) in self.next.chunks_exact_mut(atoms).enumerate() {
            let best = argmax(&update.next_q[row * actions..(row + 1) * actions]);
            next.copy_from_slice(&update.next_outputs[place(row, best)]);
        }
        log_softmax(self.kernel, &mut self.next, &mut self.log_sums, &mut self.maxima);
        for (row, probabilities) in self.probabilities.chunks_exact_mut(atoms).enumerate() {
            probabilities.copy_from_slice(&update.outputs[place(row, update.actions[row] as usize)]);
        }
        log_softmax(self.kernel, &mut self.probabilities, &mut self.log_sums, &mut self.maxima);

        d_outputs.fill(0.0);
        let share = 1.0 / rows as f32;
        let (mut loss_sum, mut q_sum) = (0.0f64, 0.0f32);
        for row in 0..rows {
            let target = (update.rewards[row], update.discounts[row]);
            let next = &self.next[row * atoms..(row + 1) * atoms];
            categorical_projection(&self.support, target, next, &mut self.projected, &mut self.room);
            let taken = place(row, update.actions[row] as usize);
            let probabilities = &self.probabilities[row * atoms..(row + 1) * atoms];
            let sums = (self.log_sums[row], self.maxima[row]);
            let weight = update.weights.map_or(1.0, |weights| weights[row]);
            let d_logits = (weight * share, &mut d_outputs[taken.clone()]);
            let loss = cross_entropy(&self.projected, &update.outputs[taken], probabilities, sums, d_logits);
            self.losses[row] = loss.max(0.0);
            loss_sum += f64::from(weight * loss);
            q_sum += lanes::sum_of(probabilities, &self.returns, |p, z| p * z);
        }
        HeadLoss { loss: (loss_sum / rows as f64) as f32, mean_q: q_sum / rows as f32 }
    }
}

impl Head for CategoricalHead {
    fn atoms(&self) -> usize {
        self.support.atoms
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        self.kernel.run(ValuesTask { head: self, outputs, q });
    }

    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        self.kernel.run(LossTask { head: self, update, d_outputs })
    }

    fn td_errors(&self) -> &[f32] {
        &self.losses
    }
}

/// [`Head::q_values`], compiled for every instruction set.
struct ValuesTask<'a> {
    head: &'a mut CategoricalHead,
    outputs: &'a [f32],
    q: &'a mut [f32],
}

impl Task for ValuesTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.head.work_out_values(self.outputs, self.q);
    }
}

/// [`Head::loss`], compiled for every instruction set.
struct LossTask<'a> {
    head: &'a mut CategoricalHead,
    update: &'a HeadUpdate<'a>,
    d_outputs: &'a mut [f32],
}

impl Task for LossTask<'_> {
    type Output = HeadLoss;

    #[inline(always)]
    fn run(self) -> HeadLoss {
        self.head.work_out_loss(self.update, self.d_outputs)
    }
}
