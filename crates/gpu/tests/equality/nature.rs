//! The network of Mnih et al. 2015.

use requel_gpu::Launching;
use requel_nn::{Activation, LayerSpec, NetworkSpec};

use super::both::{Both, Case};

fn updates(count: usize) {
    let conv = |channels, kernel, stride| LayerSpec::Conv2d { channels, kernel, stride, activation: Activation::Relu };
    let network = NetworkSpec {
        input_shape: vec![84, 84, 4],
        input_scale: 1.0 / 255.0,
        layers: vec![
            conv(32, 8, 4),
            conv(64, 4, 2),
            conv(64, 3, 1),
            LayerSpec::Dense { outputs: 512, activation: Activation::Relu },
            LayerSpec::Dense { outputs: 6, activation: Activation::Identity },
        ],
    };
    let case = Case { is_bytes: true, max_gradient_norm: 10.0, launching: Launching::Graph, ..Case::new(network, 32) };
    let begun = std::time::Instant::now();
    let mut both = Both::new(case, 1);
    for _ in 0..count {
        both.update(1e-4);
    }
    both.act();
    // A difference ends the test: what is left to say is how much was compared.
    println!("{count} updates, {} numbers compared, 0 differ; {:.0?}", both.compared(), begun.elapsed());
}

#[test]
fn some_updates() {
    updates(3);
}

#[test]
#[ignore = "takes minutes: `cargo test -p requel-gpu --test equality -- --ignored --nocapture`"]
fn a_thousand_updates() {
    updates(1_000);
}
