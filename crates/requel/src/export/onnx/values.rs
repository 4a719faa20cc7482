//! From a network's outputs to action values, and the greedy action.

use crate::agent::{Mean, Readout};

use super::graph::{Graph, int};

/// The name of the input for allowed actions.
pub(super) const MASK: &str = "action_mask";

/// From the network's outputs to `q_values`, rows × actions: the expected return of each action.
pub(super) fn add_values(graph: &mut Graph<'_>, head: &Readout, actions: usize) {
    match head.mean() {
        Mean::Itself => {}
        Mean::OfReturns(returns) => {
            graph.reshape(&[actions, returns.len()]);
            graph.node("Softmax", &[], vec![int("axis", -1)]);
            graph.tensor("returns", &[returns.len()], &returns);
            graph.node("MatMul", &["returns"], Vec::new());
        }
        Mean::OfAtoms(atoms) => {
            graph.reshape(&[actions, atoms]);
            graph.mean(2, false);
        }
        Mean::OfFractions(fractions) => {
            graph.reshape_to(&[-1, fractions as i64, actions as i64]);
            graph.mean(1, false);
        }
    }
    graph.name_last("q_values");
}

/// From `q_values` to `action`, one per row: the index of the largest value, the lowest index among equals, among the actions that the mask
/// allows if there is one.
pub(super) fn add_action(graph: &mut Graph<'_>, is_masked: bool) {
    if is_masked {
        graph.tensor("forbidden", &[], &[f32::NEG_INFINITY]);
        graph.node_of("Where", &[MASK, "q_values", "forbidden"], Vec::new());
    }
    graph.node("ArgMax", &[], vec![int("axis", 1), int("keepdims", 0)]);
    graph.name_last("action");
}
