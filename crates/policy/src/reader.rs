//! [`Reader`]: from the outputs of a network to the values of actions.

use std::fmt::Debug;

/// From the outputs of a network to the values of actions. A reader knows no network: it turns numbers into numbers.
///
/// Outputs are laid out action by action: network rows × actions × [`Reader::atoms`]. A network row is a row of the batch, but
/// for implicit quantiles, where it is one fraction of a row: all fractions of row 0 first.
pub trait Reader: Debug + Send {
    /// Numbers of each action in a network row: the network has actions × atoms outputs.
    fn atoms(&self) -> usize;

    /// The expected return of each action, rows × actions, from the outputs of any number of rows. How many fractions a row has
    /// follows from the lengths.
    ///
    /// # Panics
    /// If the lengths do not go together.
    fn q_values(&mut self, outputs: &[f32], q: &mut [f32]);
}
