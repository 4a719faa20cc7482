//! [`ValueUpdate`]: from the outputs of networks to the gradients of the outputs, on any device.

use requel_nn::Kernel;

use super::batch::BatchShape;
use super::networks::{Look, Networks};
use super::{Bootstrap, ExecutorShape, ExecutorSpec};
use crate::agent::measure::BatchMeasure;
use crate::agent::{AgentError, HeadError, HeadLoss, HeadShape, HeadUpdate, Learned, Statistic, ValueLoss};
use crate::td::{argmax, importance_weights};
use crate::transition::Batch;

/// A head with its rule and the choice of the network that values the next states, with the buffers of an update.
pub(super) struct ValueUpdate {
    pub head: Box<dyn ValueLoss>,
    pub bootstrap: Bootstrap,
    /// Whether only the output distributions of the actions taken are used, so that the last layer need not compute the others.
    pub reads_only_taken: bool,
    /// The gradient of the loss for the outputs of the rows that it flows back through.
    pub d_outputs: Vec<f32>,
    /// Whether the rule reads the values at the observations.
    looks_back: bool,
    /// Whether the network that chooses the next action has noise or fractions of its own.
    selects_apart: bool,
    /// Number of outputs of the online and of the target network for the rows of the batch; those of the rows below follow them.
    online_len: usize,
    target_len: usize,
    /// The lowest and the highest bootstrapped target.
    bounds: Option<(f32, f32)>,
    weights: Vec<f32>,
    /// Values at the next observations, rows × actions, −∞ where an action is not allowed.
    next_q: Vec<f32>,
    /// Values at the observations, rows × actions, if the rule reads them.
    current_q: Vec<f32>,
    /// Stands in for the outputs at the next observations if no network reads them.
    no_outputs: Vec<f32>,
    measure: BatchMeasure,
}

/// The options of an update.
pub(super) struct UpdateHow {
    /// The exponent β of the importance weights, if transitions were sampled with unequal probabilities.
    pub beta: Option<f64>,
    /// Whether costly statistics are measured.
    pub measures: bool,
    /// The number of the update, from 0.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests put numbers into an update by it"))]
    pub update: u64,
}

impl ValueUpdate {
    pub fn new(
        spec: &ExecutorSpec,
        shape: ExecutorShape,
        sizes: &BatchShape,
        (output_len, kernel): (usize, Kernel),
    ) -> Result<Self, AgentError> {
        let (rows, actions) = (shape.rows, shape.actions.count);
        let bootstrap = spec.bootstrap;
        if bootstrap == Bootstrap::Residual && !spec.rule.is_greedy() {
            return Err(HeadError::ResidualPolicy.into());
        }
        let head = spec.head.build(&*spec.rule, HeadShape { rows, actions }, kernel)?;
        let looks_back = spec.rule.reads_current_values();
        Ok(ValueUpdate {
            reads_only_taken: head.atoms() > 1 && !bootstrap.reads_all_values(looks_back),
            bootstrap,
            head,
            looks_back,
            selects_apart: sizes.selector.rows > 0,
            online_len: rows * sizes.online.fractions * output_len,
            target_len: rows * sizes.target.fractions * output_len,
            bounds: spec.bounds,
            weights: vec![0.0; rows],
            measure: BatchMeasure::new(rows),
            next_q: vec![0.0; rows * actions],
            current_q: vec![0.0; if looks_back { rows * actions } else { 0 }],
            d_outputs: vec![0.0; sizes.rows_back * sizes.online.fractions * output_len],
            no_outputs: vec![0.0; if bootstrap == Bootstrap::None { rows * output_len } else { 0 }],
        })
    }

    /// Computes `d_outputs` from the networks' outputs for the transitions in `columns`, whose observations they read with these
    /// fractions.
    pub fn work_out(
        &mut self,
        networks: &impl Networks,
        (columns, fractions): (&Batch, &[f32]),
        how: &UpdateHow,
    ) -> Result<Learned, AgentError> {
        let bootstraps = self.bootstrap != Bootstrap::None;
        let (outputs, online_next) = networks.outputs(Look::Online).split_at(self.online_len);
        let has_target = self.bootstrap.has_target();
        let target_outputs = has_target.then(|| networks.outputs(Look::Target).split_at(self.target_len));
        let online_next = if bootstraps { online_next } else { &self.no_outputs };
        let next_outputs = target_outputs.map_or(online_next, |(next, _)| next);
        let choice = if self.selects_apart {
            networks.outputs(Look::Selector)
        } else if self.bootstrap == Bootstrap::Double {
            online_next
        } else {
            next_outputs
        };
        if bootstraps {
            self.head.q_values(choice, &mut self.next_q);
            columns.mask_next_values(&mut self.next_q);
        }
        if self.looks_back {
            self.head.q_values(target_outputs.map_or(outputs, |(_, current)| current), &mut self.current_q);
            columns.mask_values(&mut self.current_q);
        }
        if let Some(beta) = how.beta {
            importance_weights(&columns.probabilities, beta, &mut self.weights);
        }

        let (d_outputs, d_next) = self.d_outputs.split_at_mut(self.online_len);
        let update = HeadUpdate {
            actions: &columns.actions,
            rewards: &columns.rewards,
            discounts: &columns.discounts,
            weights: how.beta.map(|_| &self.weights[..]),
            outputs,
            next_outputs,
            next_q: &self.next_q,
            // The values at the observations were computed after it.
            next_q_is_fresh: bootstraps
                && self.bootstrap != Bootstrap::Double
                && !self.looks_back
                && !self.selects_apart,
            current_q: self.looks_back.then_some(&self.current_q[..]),
            bounds: self.bounds,
            fractions,
        };
        let HeadLoss { loss, mean_q } = self.head.loss(&update, d_outputs);
        #[cfg(test)]
        let loss = crate::agent::poison::take("loss", how.update).unwrap_or(loss);
        let mut learned = Learned::update(loss, mean_q)?;
        if let Some(d_errors) = self.head.d_errors().filter(|_| self.bootstrap == Bootstrap::Residual) {
            // The target is r + d·q(s', a*): its derivative is −d at a*, times the error's (Baird 1995).
            d_next.fill(0.0);
            let actions = self.next_q.len() / columns.actions.len();
            for (row, (next_q, d_error)) in self.next_q.chunks_exact(actions).zip(d_errors).enumerate() {
                d_next[row * actions + argmax(next_q)] = -columns.discounts[row] * d_error;
            }
        }
        if how.measures {
            let statistics = &mut learned.statistics;
            let values = if bootstraps { &self.next_q[..] } else { &[] };
            self.measure.record(&*self.head, values, statistics);
            if let Some(share) = self.head.clipped_targets(&columns.rewards, &columns.discounts) {
                statistics.record(Statistic::ClippedTargets, share);
            }
        }
        Ok(learned)
    }
}
