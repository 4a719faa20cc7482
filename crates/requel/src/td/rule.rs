//! [`RuleSpec`] and [`TdRule`]: how rewards and the values of the next states become targets.

use std::fmt::Debug;

use requel_nn::Kernel;

use super::{OutOfRange, argmax};

/// A TD rule with its constants, from which the rule for a batch size is built; a rule of your own implements it. It says with which
/// reward and by which policy a transition is valued; the head turns that into a target, whether a value is one number or a
/// distribution.
///
/// ```
/// use requel::td::{Backup, NextPolicy, OutOfRange, RuleBatch, RuleSpec, TdRule};
/// use requel_nn::Kernel;
///
/// /// Q-learning from twice the reward.
/// #[derive(Clone, Debug)]
/// struct Doubled(Vec<f32>);
///
/// impl RuleSpec for Doubled {
///     fn build(&self, (rows, _): (usize, usize), _: Kernel) -> Result<Box<dyn TdRule>, OutOfRange> {
///         Ok(Box::new(Doubled(vec![0.0; rows])))
///     }
///     fn is_greedy(&self) -> bool {
///         true
///     }
/// }
///
/// impl TdRule for Doubled {
///     fn backup<'a>(&'a mut self, batch: &RuleBatch<'a>) -> Backup<'a> {
///         self.0.iter_mut().zip(batch.rewards).for_each(|(doubled, reward)| *doubled = 2.0 * reward);
///         Backup { rewards: &self.0, next: NextPolicy::Greedy }
///     }
/// }
/// ```
pub trait RuleSpec: Debug + Send + Sync {
    /// The rule for batches of `rows` transitions with `actions` actions, with the buffers that it needs.
    ///
    /// # Errors
    /// [`OutOfRange`] if a constant is out of its range.
    fn build(&self, shape: (usize, usize), kernel: Kernel) -> Result<Box<dyn TdRule>, OutOfRange>;

    /// Whether the rule reads the values of the present states, [`RuleBatch::current_q`], for which the networks then compute more.
    fn reads_current_values(&self) -> bool {
        false
    }

    /// Whether every [`Backup::next`] of the rule is [`NextPolicy::Greedy`]. The categorical head and the residual gradient learn by such
    /// rules only.
    fn is_greedy(&self) -> bool {
        false
    }

    /// The least and the most that the rule adds to the reward of one environment step, where the discount factor is `gamma` and there
    /// are `actions` actions: bounds of values (`"auto"` in a config) are widened by them.
    fn bonus(&self, _gamma: f64, _actions: usize) -> (f64, f64) {
        (0.0, 0.0)
    }
}

/// A TD rule, ready for batches of one size.
pub trait TdRule: Debug + Send {
    /// With which rewards and by which policy the transitions of a batch are valued.
    fn backup<'a>(&'a mut self, batch: &RuleBatch<'a>) -> Backup<'a>;
}

/// What a rule sees of a batch.
#[derive(Clone, Copy, Debug)]
pub struct RuleBatch<'a> {
    /// Rows × 1: the action taken.
    pub actions: &'a [u32],
    /// Rows × 1: the reward, or the discounted sum of `agent.n_step` rewards.
    pub rewards: &'a [f32],
    /// Rows × actions: the values at the next states of the network that chooses the next action; −∞ where an action is not allowed.
    pub next_q: &'a [f32],
    /// Rows × actions: the values at the present states, of the target network if there is one; −∞ where an action was not allowed.
    /// `None` unless the rule [reads them](RuleSpec::reads_current_values).
    pub current_q: Option<&'a [f32]>,
}

/// How the transitions of a batch are valued: a target is `reward + discount · value of the next state`.
#[derive(Clone, Copy, Debug)]
pub struct Backup<'a> {
    /// Rows × 1: the rewards, with what the rule adds to them.
    pub rewards: &'a [f32],
    /// By which policy the next states are valued.
    pub next: NextPolicy<'a>,
}

/// The policy by which next states are valued.
#[derive(Clone, Copy, Debug)]
pub enum NextPolicy<'a> {
    /// The action with the highest value of [`RuleBatch::next_q`], the first of equals.
    Greedy,
    /// `Σ_a π(a|s')·(q(s', a) − offset(a))`, in increasing order of the actions.
    Weighted {
        /// Rows × actions: π(a|s'); an action of probability 0 adds nothing.
        probabilities: &'a [f32],
        /// Rows × actions: the number subtracted from each action's value: 0, or for a policy with entropy τ·ln π(a|s').
        offsets: &'a [f32],
    },
}

/// [`NextPolicy`] at one next state.
#[derive(Clone, Copy, Debug)]
pub enum RowPolicy<'a> {
    /// This action.
    Action(usize),
    /// As [`NextPolicy::Weighted`], one number for each action.
    Weighted {
        /// π(a|s').
        probabilities: &'a [f32],
        /// The number subtracted from each action's value.
        offsets: &'a [f32],
    },
}

impl<'a> NextPolicy<'a> {
    /// The policy at the next state of a row; `next_q` is rows × actions.
    #[inline]
    pub fn at(&self, row: usize, actions: usize, next_q: &[f32]) -> RowPolicy<'a> {
        let places = row * actions..(row + 1) * actions;
        match *self {
            NextPolicy::Greedy => RowPolicy::Action(argmax(&next_q[places])),
            NextPolicy::Weighted { probabilities, offsets } => {
                RowPolicy::Weighted { probabilities: &probabilities[places.clone()], offsets: &offsets[places] }
            }
        }
    }
}
