//! [`Reader`]: from the outputs of a network to the values of actions.

use std::fmt::Debug;

/// Turns the outputs of a network into the values of actions. A reader does not know the network: it turns numbers into numbers.
///
/// Outputs are laid out action by action: network rows × actions × [`Reader::atoms`]. A network row is a row of the batch, except for
/// implicit quantiles, where it is one fraction of a row: all fractions of row 0 first.
pub trait Reader: Debug + Send {
    /// Numbers per action in a network row: the network has actions × atoms outputs.
    fn atoms(&self) -> usize;

    /// The expected return of each action, rows × actions, from the outputs of any number of rows. The number of fractions per row follows
    /// from the lengths.
    ///
    /// # Panics
    /// If the lengths do not match.
    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]);
}
