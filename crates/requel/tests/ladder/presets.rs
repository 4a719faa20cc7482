//! Every agent preset reaches the optimum of environments made for it, for every seed that is tried.

use requel::Trainer;
use requel::config::{AgentKind, Config, presets};

use crate::support::preset;

/// The presets that are an algorithm rather than settings for an environment.
const AGENTS: [&str; 12] = [
    "c51",
    "double-dqn",
    "dqn",
    "dueling-dqn",
    "iqn",
    "munchausen-dqn",
    "n-step-dqn",
    "noisy-dqn",
    "per-dqn",
    "pqn",
    "qr-dqn",
    "rainbow",
];
const SEEDS: [u64; 3] = [0, 1, 2];

/// The same small sizes for all of them.
const SMALL: [&str; 24] = [
    "agent.gamma=0.95",
    "network.hidden=[32]",
    "optimizer.learning_rate=3e-3",
    "head.v_min=-2",
    "head.v_max=14",
    "head.acting_fractions=8",
    "head.cosines=16",
    "replay.batch_size=32",
    "replay.start=100",
    "exploration.kind=linear",
    "exploration.start=1",
    "exploration.end=0.05",
    "exploration.env_steps=2000",
    "train.episodes=0",
    "train.every_steps=2",
    "train.updates=1",
    "evaluation.every_steps=0",
    "evaluation.every_episodes=0",
    "evaluation.stop_after=0",
    "evaluation.final_episodes=20",
    "evaluation.max_episode_steps=200",
    "pqn.rollout_steps=8",
    "pqn.minibatches=4",
    "pqn.epochs=4",
];

pub fn small(name: &str, settings: &[&str]) -> Config {
    let kind = preset(name, &[]).agent.kind;
    let own: &[&str] = match kind {
        AgentKind::Pqn => &["train.num_envs=8"],
        _ => &["target.kind=hard", "target.every_env_steps=0", "target.every_updates=50"],
    };
    preset(name, &[&SMALL, own, settings].concat())
}

/// What the final policy of each preset returns is `optimum`; some settings are for those with replay, some for the one
/// without.
fn all_reach(optimum: f64, settings: &[&str], of_replay: &[&str], of_pqn: &[&str]) {
    let mut missed = Vec::new();
    for name in AGENTS {
        let own = if name == "pqn" { of_pqn } else { of_replay };
        // Its rule is of single steps.
        if name == "munchausen-dqn" && own.contains(&"agent.n_step=3") {
            continue;
        }
        for seed in SEEDS {
            let seed = format!("train.seed={seed}");
            let mut trainer = Trainer::new(small(name, &[settings, own, &[&seed]].concat())).unwrap();
            let return_ = trainer.run(&mut ()).unwrap().final_evaluation.mean_return();
            if return_ != optimum {
                missed.push(format!("{name}, {seed}: {return_}"));
            }
        }
    }
    assert!(missed.is_empty(), "{settings:?}: {missed:#?}");
}

#[test]
fn all_agents_are_tried() {
    let settings_for_environments = [
        "acrobot",
        "acrobot-zoo",
        "cartpole",
        "cartpole-zoo",
        "cliff-walking",
        "frozen-lake",
        "minatar-c51",
        "minatar-dqn",
        "minatar-pqn",
        "minatar-rainbow",
        "mountaincar",
        "mountaincar-zoo",
        "notebook",
        "notebook-naive",
        "taxi",
    ];
    let others: Vec<_> = presets::with_envs().map(|p| p.name).filter(|name| !AGENTS.contains(name)).collect();
    assert_eq!(others, settings_for_environments);
}

#[test]
fn all_name_the_symbol_that_is_shown() {
    // Without a memory of what was explored it takes longer.
    let of_pqn = ["train.env_steps=10000", "exploration.env_steps=5000"];
    all_reach(20.0, &["env.id=Toy/Identity-v0"], &["train.env_steps=3000"], &of_pqn);
}

#[test]
fn all_catch_the_ball() {
    all_reach(1.0, &["env.id=Toy/Catch-v0", "env.options.rows=6", "train.env_steps=6000"], &[], &[]);
}

/// The first of three steps decides and none after it shows which it was: a target of three steps tells them apart, and so does
/// a λ-return.
#[test]
fn all_decide_where_only_the_third_step_tells() {
    all_reach(1.0, &CHAIN, &["agent.n_step=3"], &["pqn.lambda=0.95"]);
}

const CHAIN: [&str; 3] = ["env.id=Toy/Chain-v0", "env.options.length=4", "train.env_steps=1000"];

/// One step at a time, both first actions lead to the same: that is what the three steps are for.
#[test]
fn one_step_at_a_time_cannot_tell() {
    for seed in SEEDS {
        let gap = |n_step: &str| {
            let mut trainer =
                Trainer::new(small("dqn", &[&CHAIN[..], &[n_step, &format!("train.seed={seed}")]].concat())).unwrap();
            trainer.run(&mut ()).unwrap();
            let q = trainer.greedy_policy().unwrap().q_values(&[1.0, 0.0, 0.0, 0.0]).unwrap().to_vec();
            q[1] - q[0]
        };
        // The truth is twice 0.95².
        assert!((gap("agent.n_step=3") - 1.805).abs() < 0.1, "seed {seed}");
        assert!(gap("agent.n_step=1").abs() < 0.5, "seed {seed}");
    }
}
