//! [`CategoricalHead`]: network outputs as logits of each action's return on a fixed support.

use requel_nn::Kernel;
use requel_nn::kernel::Task;
use requel_policy::{CategoricalReader, Reader};

use super::{HeadError, HeadLoss, HeadShape, HeadSpec, HeadUpdate, ValueLoss};
use crate::td::{
    Backup, NextPolicy, ProjectionRoom, RuleSpec, SoftmaxRows, Support, TdRule, argmax, categorical_projection,
};

/// The constants of a [`CategoricalHead`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CategoricalSpec {
    /// The support.
    pub support: Support,
}

impl HeadSpec for CategoricalSpec {
    fn build(&self, rule: &dyn RuleSpec, shape: HeadShape, kernel: Kernel) -> Result<Box<dyn ValueLoss>, HeadError> {
        shape.check()?;
        self.support.validate()?;
        if !rule.is_greedy() {
            return Err(HeadError::CategoricalPolicy);
        }
        let rule = shape.rule(rule, kernel)?;
        Ok(Box::new(CategoricalHead::new(self.support, rule, shape, kernel)))
    }
}

/// A distribution over atoms for each action: C51 (Bellemare, Dabney & Munos 2017). The cross-entropy of a row is both its loss and its
/// priority in a prioritized replay, as in Rainbow (Hessel et al. 2018).
#[derive(Debug)]
pub struct CategoricalHead {
    /// It keeps the probabilities of its last call, which the loss may reuse.
    reader: CategoricalReader,
    rule: Box<dyn TdRule>,
    shape: HeadShape,
    kernel: Kernel,
    /// Of the chosen next actions.
    next: SoftmaxRows,
    /// Of the actions taken.
    taken: SoftmaxRows,
    /// Rows × atoms.
    next_probabilities: Vec<f32>,
    /// Rows × atoms.
    projected: Vec<f32>,
    room: ProjectionRoom,
    /// Of each row.
    taken_q: Vec<f32>,
    losses: Vec<f32>,
}

impl CategoricalHead {
    /// For batches of this shape, by a rule that is [greedy](RuleSpec::is_greedy).
    pub fn new(support: Support, rule: Box<dyn TdRule>, shape: HeadShape, kernel: Kernel) -> Self {
        let (rows, atoms) = (shape.rows, support.atoms);
        CategoricalHead {
            reader: CategoricalReader::new(support, rows * shape.actions, kernel),
            rule,
            shape,
            kernel,
            next: SoftmaxRows::new((rows, atoms), kernel),
            taken: SoftmaxRows::new((rows, atoms), kernel),
            next_probabilities: vec![0.0; rows * atoms],
            projected: vec![0.0; rows * atoms],
            room: ProjectionRoom::new(rows, atoms),
            taken_q: vec![0.0; rows],
            losses: vec![0.0; rows],
        }
    }

    #[inline(always)]
    fn work_out_loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        let (HeadShape { rows, actions }, atoms) = (self.shape, self.reader.atoms());
        let numbers = rows * actions * atoms;
        assert_eq!((update.outputs.len(), update.next_outputs.len()), (numbers, numbers), "rows × actions × atoms");
        assert_eq!((update.next_q.len(), d_outputs.len()), (rows * actions, numbers), "rows × actions, and × atoms");
        assert_eq!((update.rewards.len(), update.discounts.len()), (rows, rows), "one reward and discount per row");
        assert!(update.weights.is_none_or(|weights| weights.len() == rows), "one weight per row");
        assert!(update.actions.len() == rows, "one action per row");
        assert!(update.actions.iter().all(|action| (*action as usize) < actions), "actions are below {actions}");

        let place = |row: usize, action: usize| (row * actions + action) * atoms..(row * actions + action + 1) * atoms;
        let best = |row: usize| argmax(&update.next_q[row * actions..(row + 1) * actions]);
        let valued = self.reader.last(rows * actions).filter(|_| update.next_q_is_fresh);
        if valued.is_none() {
            self.next.work_out(update.next_outputs, (0..rows).map(|row| place(row, best(row)).start));
        }
        let taken = |row: usize| place(row, update.actions[row] as usize);
        self.taken.work_out(update.outputs, (0..rows).map(|row| taken(row).start));
        self.taken.means(self.reader.returns(), &mut self.taken_q);

        for (row, next) in self.next_probabilities.chunks_exact_mut(atoms).enumerate() {
            match valued {
                Some(valued) => valued.probabilities(row * actions + best(row), next),
                None => self.next.probabilities(row, next),
            }
        }
        let Backup { rewards, next } = self.rule.backup(&update.for_rule());
        assert!(matches!(next, NextPolicy::Greedy), "a rule that says it is greedy values by another policy");
        let target = (rewards, update.discounts);
        categorical_projection(
            self.reader.support(),
            target,
            &self.next_probabilities,
            &mut self.projected,
            &mut self.room,
        );

        self.taken.cross_entropies(update.outputs, &self.projected, &mut self.losses);

        d_outputs.fill(0.0);
        let share = 1.0 / rows as f32;
        let mut loss_sum = 0.0f64;
        for (row, projected) in self.projected.chunks_exact(atoms).enumerate() {
            let weight = update.weights.map_or(1.0, |weights| weights[row]);
            self.taken.gradient(row, projected, (weight * share, &mut d_outputs[taken(row)]));
            loss_sum += f64::from(weight * self.losses[row]);
            // Rounding could make it negative. NaN stays, because training stops on it.
            self.losses[row] = if self.losses[row] < 0.0 { 0.0 } else { self.losses[row] };
        }
        let mean_q = self.taken_q.iter().sum::<f32>() / rows as f32;
        HeadLoss { loss: (loss_sum / rows as f64) as f32, mean_q }
    }
}

impl Reader for CategoricalHead {
    fn atoms(&self) -> usize {
        self.reader.atoms()
    }

    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]) {
        self.reader.q_values(outputs, q);
    }
}

impl ValueLoss for CategoricalHead {
    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss {
        self.kernel.run(LossTask { head: self, update, d_outputs })
    }

    fn td_errors(&self) -> &[f32] {
        &self.losses
    }

    fn clipped_targets(&self, rewards: &[f32], discounts: &[f32]) -> Option<f64> {
        let Support { v_min, v_max, atoms } = *self.reader.support();
        // A target that misses an end only by rounding is not clipped.
        let slack = 1e-5 * (v_max - v_min);
        let inside = v_min - slack..=v_max + slack;
        let mut clipped = 0.0f64;
        for (row, next) in self.next_probabilities.chunks_exact(atoms).enumerate() {
            let targets = self.reader.returns().iter().map(|return_| rewards[row] + discounts[row] * return_);
            let outside = targets.zip(next).filter(|(target, _)| !inside.contains(target));
            clipped += outside.map(|(_, probability)| f64::from(*probability)).sum::<f64>();
        }
        Some(clipped / rewards.len() as f64)
    }
}

/// [`ValueLoss::loss`], compiled for every instruction set.
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
