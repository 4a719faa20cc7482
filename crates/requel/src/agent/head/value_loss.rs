//! [`ValueLoss`]: from a batch and the outputs of a network to a loss and its gradient.

use requel_policy::Reader;

use crate::td::RuleBatch;

/// The loss of a batch. It knows neither networks nor replay: it turns numbers into numbers, in buffers allocated when it was built. It
/// is also a [`Reader`], because targets are made of values.
pub trait ValueLoss: Reader {
    /// The mean over the batch of each row's weight times its loss; `d_outputs` gets the gradient with the target held
    /// constant, zero for the actions that were not taken.
    ///
    /// # Panics
    /// If the lengths do not match.
    fn loss(&mut self, update: &HeadUpdate<'_>, d_outputs: &mut [f32]) -> HeadLoss;

    /// The TD error of each row of the last [`ValueLoss::loss`], unweighted and at least 0, from which a prioritized replay computes
    /// priorities: |q(s, a) − target| if a value is one number, the row's loss if it is a distribution.
    fn td_errors(&self) -> &[f32];

    /// The share of targets of the last [`ValueLoss::loss`] that lay outside their bounds and was clipped, of a distribution the share of
    /// its mass; `None` if targets have no bounds. `rewards` and `discounts` are those of that update.
    fn clipped_targets(&self, _rewards: &[f32], _discounts: &[f32]) -> Option<f64> {
        None
    }

    /// ∂loss/∂(q(s, a) − target) of each row of the last [`ValueLoss::loss`], which the residual gradient needs; `None` if a value is a
    /// distribution.
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
    /// Rows × 1: γⁿ, or 0 if the episode terminated; the next state of such a row is ignored, whatever its values.
    pub discounts: &'a [f32],
    /// Rows × 1: importance weights; `None` for 1 each.
    pub weights: Option<&'a [f32]>,
    /// The online network at s, in the head's layout.
    pub outputs: &'a [f32],
    /// The network that values the next state, at s', in the head's layout.
    pub next_outputs: &'a [f32],
    /// Rows × actions: the expected values at s' by which the next action is chosen or the next policy computed. −∞ where an action is
    /// not allowed.
    pub next_q: &'a [f32],
    /// True if `next_q` was computed from `next_outputs` by the last call to [`Reader::q_values`] (masking aside), in which case a head
    /// may reuse its cached softmax.
    pub next_q_is_fresh: bool,
    /// Rows × actions: the expected values at s, of the target network if there is one. −∞ where an action was not allowed. `None` unless
    /// the rule reads them.
    pub current_q: Option<&'a [f32]>,
    /// Bootstrapped targets are clipped to this lowest and highest return; `None` for no clipping. The categorical head uses its support
    /// instead.
    pub bounds: Option<(f32, f32)>,
    /// Rows × fractions: the fractions of the implicit quantile head's online outputs; empty for other heads.
    pub fractions: &'a [f32],
}

impl<'a> HeadUpdate<'a> {
    /// The part that a TD rule sees.
    pub fn for_rule(&self) -> RuleBatch<'a> {
        let HeadUpdate { actions, rewards, next_q, current_q, .. } = *self;
        RuleBatch { actions, rewards, next_q, current_q }
    }
}

/// The loss of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadLoss {
    /// Mean of weight × loss.
    pub loss: f32,
    /// Mean of q(s, a).
    pub mean_q: f32,
}
