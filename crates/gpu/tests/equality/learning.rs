//! Optimisers and clipping.

use requel_nn::{Activation, NetworkSpec, OptimizerSpec};

use super::both::{Both, Case};

fn optimizers() -> Vec<OptimizerSpec> {
    let mut optimizers = vec![OptimizerSpec::adam(1e-3), OptimizerSpec::radam(1e-3)];
    for centered in [false, true] {
        for momentum in [0.0, 0.9] {
            optimizers.push(OptimizerSpec::RmsProp {
                learning_rate: 1e-3,
                alpha: 0.95,
                epsilon: 1e-2,
                centered,
                momentum,
            });
        }
    }
    optimizers
}

#[test]
fn every_optimizer_with_and_without_clipping() {
    for optimizer in optimizers() {
        for max_gradient_norm in [0.0, 0.5, 1e9] {
            let network = NetworkSpec::mlp(5, &[33], 3, Activation::Tanh);
            let mut both = Both::new(Case { optimizer, max_gradient_norm, ..Case::new(network, 9) }, 3);
            // Rectified Adam leaves the variance out in the first five steps.
            for update in 0..8 {
                both.update(1e-3 / f64::from(update + 1));
            }
        }
    }
}

#[test]
fn the_norm_of_several_blocks() {
    // 65,536 numbers are a block: just below, just above, and a last one that is no whole number of partial sums.
    for hidden in [1_000, 1_024, 3_333] {
        let network = NetworkSpec::mlp(61, &[hidden], 2, Activation::Relu);
        let mut both = Both::new(Case { max_gradient_norm: 1.0, ..Case::new(network, 2) }, 5);
        both.update(1e-3);
        both.update(1e-3);
    }
}
