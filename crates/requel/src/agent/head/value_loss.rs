//! [`ValueLoss`]: from a batch and the outputs of a network to a loss and its gradient.

use requel_policy::Reader;

use crate::td::RuleBatch;

/// What a batch costs. A loss knows neither networks nor replay: it turns numbers into numbers, into buffers that it allocated
/// when it was made. It reads values as well, since targets are made of them.
pub trait ValueLoss: Reader {
    /// The mean over the batch of each row's weight times its loss; `d_outputs` gets the gradient with the target held
    /// constant, zero for the actions that were not taken.
    ///
    /// # Panics
    /// If the lengths do not go together.
    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss;

    /// How surprising each row of the last [`ValueLoss::loss`] was, without its weight, at least 0: what a prioritized replay takes.
    /// |q(s, a) − target| where a value is one number, the row's loss where it is a distribution.
    fn td_errors(&self) -> &[f32];

    /// Which share of the last [`ValueLoss::loss`]'s targets lay outside of what a return may be and was brought back, of a
    /// distribution its mass; `None` where nothing bounds them. `rewards` and `discounts` are those of that update.
    fn clipped_targets(&self, _rewards: &[f32], _discounts: &[f32]) -> Option<f64> {
        None
    }

    /// ∂loss/∂(q(s, a) − target) of each row of the last [`ValueLoss::loss`], where a value is one number: what the residual
    /// gradient needs. `None` for a distribution.
    fn d_errors(&self) -> Option<&[f32]> {
        None
    }
}

/// The sizes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadShape {
    /// Rows of the batches to learn from.
    pub rows: usize,
    /// Actions of the environment.
    pub actions: usize,
}

/// A batch as a loss sees it.
#[derive(Clone, Copy, Debug)]
pub struct HeadUpdate<'a> {
    /// Rows × 1: the action taken.
    pub actions: &'a [u32],
    /// Rows × 1.
    pub rewards: &'a [f32],
    /// Rows × 1: γⁿ, or 0 where the episode terminated; the next state of such a row counts for nothing, whatever its values.
    pub discounts: &'a [f32],
    /// Rows × 1: importance weights; `None` for 1 each.
    pub weights: Option<&'a [f32]>,
    /// The online network at s, in the head's layout.
    pub outputs: &'a [f32],
    /// The network that values the next state, at s', in the head's layout.
    pub next_outputs: &'a [f32],
    /// Rows × actions: the expected values by which the next action is chosen, or its probabilities are given, at s'. −∞ where
    /// an action is not allowed.
    pub next_q: &'a [f32],
    /// True if `next_q` was computed from `next_outputs` by the last call to [`Reader::q_values`] (masking aside), in which case a head
    /// may reuse its cached softmax.
    pub next_q_is_fresh: bool,
    /// Rows × actions: the expected values at s, of the target network if there is one. −∞ where an action was not allowed. `None` unless
    /// the rule reads them.
    pub current_q: Option<&'a [f32]>,
    /// The lowest and the highest return that a bootstrapped target may be; `None`: any. The categorical head has its support.
    pub bounds: Option<(f32, f32)>,
    /// Rows × fractions: where in the distribution the online outputs of the implicit quantile head are; empty for the others.
    pub fractions: &'a [f32],
}

impl<'a> HeadUpdate<'a> {
    /// What a TD rule sees of it.
    pub fn for_rule(&self) -> RuleBatch<'a> {
        let HeadUpdate { actions, rewards, next_q, current_q, .. } = *self;
        RuleBatch { actions, rewards, next_q, current_q }
    }
}

/// What a batch cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadLoss {
    /// Mean of weight × loss.
    pub loss: f32,
    /// Mean of q(s, a).
    pub mean_q: f32,
}
