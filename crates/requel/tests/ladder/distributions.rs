//! In an environment whose distribution of returns is known, the heads that learn distributions recover it.

use requel::Trainer;
use requel::agent::ValueNetwork;
use requel::config::Config;
use requel_envs::{Step, closure::from_closures};
use requel_nn::Workspace;

use crate::presets::small;

/// Of the first action: −1 with this probability, else 1. Of the second: always 0.2.
const LOSES: f64 = 0.25;

/// One step, one of two bets, and the end.
fn bets(name: &str, settings: &[&str]) -> Trainer {
    let common = [
        "train.env_steps=4000",
        "exploration.kind=constant",
        "exploration.start=1",
        "optimizer.anneal=linear",
        "replay.batch_size=64",
        "head.kappa=0",
    ];
    let config: Config = small(name, &[&common, settings].concat());
    let env = from_closures(
        "Bets",
        2,
        |_| [1.0],
        |_, action, rng| {
            let lost = rng.random() < LOSES;
            let reward = if action == 1 { 0.2 } else { [1.0, -1.0][usize::from(lost)] };
            Step { reward, terminated: true, truncated: false }
        },
    );
    let mut trainer = Trainer::with_envs(config, Box::new(move || Ok(Box::new(env.clone())))).unwrap();
    trainer.run(&mut ()).unwrap();
    let q = trainer.greedy_policy().unwrap().q_values(&[1.0]).unwrap().to_vec();
    assert!((q[0] - 0.5).abs() < 0.08 && (q[1] - 0.2).abs() < 0.05, "{name}: {q:?}");
    trainer
}

/// What the network says of the one observation, at these fractions if it reads any.
fn outputs(trainer: &Trainer, fractions: &[f32]) -> Vec<f32> {
    let ValueNetwork { network, parameters, .. } = trainer.value_network().unwrap();
    let mut workspace = Workspace::with_fractions(network, 1, fractions.len().max(1));
    workspace.input_mut(1).fill(1.0);
    if !fractions.is_empty() {
        workspace.fractions_mut(1).copy_from_slice(fractions);
    }
    network.forward(parameters, 1, &mut workspace).to_vec()
}

/// The quantile of the first bet at a fraction that is not just where it jumps.
fn quantile(fraction: f32) -> f32 {
    if f64::from(fraction) < LOSES { -1.0 } else { 1.0 }
}

#[test]
fn categorical_probabilities_are_those_of_the_environment() {
    // Steps of 0.1, so that each return is an atom: −1 the 10th, 0.2 the 22nd, 1 the 30th.
    let trainer = bets("c51", &["head.atoms=41", "head.v_min=-2", "head.v_max=2"]);
    let outputs = outputs(&trainer, &[]);
    let probabilities = |logits: &[f32]| {
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        logits.iter().map(|logit| logit.exp() / sum).collect::<Vec<f32>>()
    };
    let (bet, sure) = outputs.split_at(41);
    let (bet, sure) = (probabilities(bet), probabilities(sure));
    // Of some 2000 bets a share of 0.25 ± 0.01 (one standard deviation) is lost.
    assert!((f64::from(bet[10]) - LOSES).abs() < 0.05, "{bet:?}");
    assert!((f64::from(bet[30]) - (1.0 - LOSES)).abs() < 0.05, "{bet:?}");
    assert!(sure[21] + sure[22] + sure[23] > 0.97, "{sure:?}");
}

#[test]
fn quantiles_are_those_of_the_environment() {
    let trainer = bets("qr-dqn", &["head.quantiles=20"]);
    let outputs = outputs(&trainer, &[]);
    let (bet, sure) = outputs.split_at(20);
    for (index, value) in bet.iter().enumerate() {
        let fraction = (index as f32 + 0.5) / 20.0;
        if (f64::from(fraction) - LOSES).abs() > 0.05 {
            assert!((value - quantile(fraction)).abs() < 0.1, "at {fraction}: {value} of {bet:?}");
        }
    }
    assert!(sure.iter().all(|value| (value - 0.2).abs() < 0.1), "{sure:?}");
}

#[test]
fn implicit_quantiles_are_those_of_the_environment() {
    let trainer = bets("iqn", &["head.acting_fractions=32"]);
    let fractions = [0.02, 0.05, 0.1, 0.15, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98];
    for (fraction, values) in fractions.iter().zip(outputs(&trainer, &fractions).chunks_exact(2)) {
        // The network is smooth in the fraction, the quantile jumps.
        assert!((values[0] - quantile(*fraction)).abs() < 0.3, "at {fraction}: {values:?}");
        assert!((values[1] - 0.2).abs() < 0.1, "at {fraction}: {values:?}");
    }
}
