//! The cases: a config each, and the experience that they learn from.

use requel::config::{AgentKind, Config, HeadKind, LossKind, OptimizerKind, ReplayKind, TargetKind};
use requel::{Agent, DqnAgent, Experience, Machine};
use requel_envs::{DType, Space, Step};
use requel_nn::Network;
use serde_json::{Value, json};

use crate::support::{Draws, preset};

pub const INPUTS: usize = 3;
pub const ACTIONS: usize = 3;
pub const UPDATES: usize = 50;
/// Env steps of experience, the last of which ends an episode.
pub const STEPS: usize = 150;

pub struct Case {
    pub name: &'static str,
    pub config: Config,
}

/// One rule, head or network at a time, and then all of them.
pub fn cases() -> Vec<Case> {
    let none = ["target.kind=none"];
    let hard = ["target.kind=hard", "target.every_updates=7"];
    let soft = ["target.kind=soft", "target.every_updates=1", "target.tau=0.0625"];
    let huber = ["loss.kind=huber", "loss.delta=0.5"];
    let double = ["agent.double=true"];
    let munchausen = ["agent.munchausen=true", "munchausen.temperature=0.125"];
    let prioritized = [
        "replay.kind=prioritized",
        "replay.priority_exponent=0.6",
        "replay.importance_start=0.4",
        "replay.importance_end=1.0",
        "replay.importance_env_steps=150",
    ];
    let c51 = ["head.kind=categorical", "head.atoms=11", "head.v_min=-4.0", "head.v_max=4.0"];
    let quantile = ["head.kind=quantile", "head.quantiles=7", "head.kappa=1.0"];
    let implicit = [
        "head.kind=implicit-quantile",
        "head.fractions=5",
        "head.target_fractions=4",
        "head.kappa=1.0",
        "head.cosines=8",
    ];
    let rainbow = ["network.dueling=true", "network.noisy=true", "agent.n_step=3"];
    let list: [(&'static str, Vec<&[&str]>); 24] = [
        ("semi", vec![&none]),
        ("semi-huber-tanh", vec![&none, &huber, &["network.activation=tanh"]]),
        ("residual", vec![&none, &["agent.bellman_gradient=residual"]]),
        ("hard", vec![&hard]),
        ("soft", vec![&soft, &huber]),
        ("double", vec![&hard, &double]),
        ("n-step", vec![&hard, &["agent.n_step=3"]]),
        ("prioritized", vec![&hard, &prioritized]),
        ("munchausen", vec![&hard, &munchausen]),
        ("munchausen-online", vec![&none, &munchausen]),
        ("c51", vec![&hard, &c51]),
        ("c51-double", vec![&soft, &c51, &double]),
        ("qr", vec![&hard, &quantile]),
        ("qr-plain", vec![&hard, &quantile[..2], &["head.kappa=0.0"], &double]),
        ("iqn", vec![&hard, &implicit]),
        ("m-qr", vec![&hard, &quantile, &munchausen]),
        ("m-iqn", vec![&soft, &implicit, &munchausen]),
        ("dueling", vec![&hard, &["network.dueling=true"]]),
        ("noisy", vec![&hard, &double, &["network.noisy=true"]]),
        ("layer-norm", vec![&hard, &["network.layer_norm=true"]]),
        ("rainbow", vec![&hard, &double, &c51, &prioritized, &rainbow]),
        (
            "rmsprop",
            vec![&hard, &huber, &["optimizer.kind=rmsprop", "optimizer.centered=true", "optimizer.epsilon=0.01"]],
        ),
        ("radam", vec![&hard, &RADAM, &["optimizer.max_gradient_norm=0.5"]]),
        ("pqn", vec![&PQN, &RADAM]),
    ];
    list.into_iter().map(|(name, parts)| Case { name, config: config(&parts) }).collect()
}

/// Its first steps are small.
const RADAM: [&str; 2] = ["optimizer.kind=radam", "optimizer.learning_rate=0.01"];

/// Rollouts of ten steps in three environments, twice over in five minibatches.
const PQN: [&str; 9] = [
    "agent.kind=pqn",
    "target.kind=none",
    "network.layer_norm=true",
    "optimizer.max_gradient_norm=10",
    "train.num_envs=3",
    "pqn.rollout_steps=10",
    "pqn.epochs=2",
    "pqn.minibatches=5",
    "pqn.lambda=0.65",
];

fn config(parts: &[&[&str]]) -> Config {
    let common = [
        "agent.gamma=0.875",
        "network.hidden=[10, 6]",
        "replay.batch_size=8",
        "replay.capacity=200",
        "replay.start=100",
        "target.every_env_steps=0",
        "optimizer.learning_rate=0.002",
        "train.seed=5",
    ];
    preset("notebook", &[&common, &parts.concat()[..]].concat())
}

/// What the environment is to the agents.
pub fn space() -> Space {
    Space::Box { low: vec![-1.0; INPUTS], high: vec![1.0; INPUTS], shape: vec![INPUTS], dtype: DType::F32 }
}

/// One step of the environment.
pub struct Seen {
    pub observation: [f32; INPUTS],
    pub action: usize,
    pub reward: f32,
    pub terminated: bool,
    pub truncated: bool,
    pub next_observation: [f32; INPUTS],
}

/// Steps of episodes that terminate, are truncated, or go on; the last one ends.
pub fn experience(seed: u64, count: usize) -> Vec<Seen> {
    let mut draws = Draws(seed);
    let mut observation = std::array::from_fn(|_| draws.unit());
    let mut seen = Vec::new();
    for index in 0..count {
        let end = draws.below(8);
        let next_observation = std::array::from_fn(|_| draws.unit());
        let (terminated, truncated) = (end == 0 || index + 1 == count, end == 1 && index + 1 < count);
        seen.push(Seen {
            observation,
            action: draws.below(ACTIONS),
            reward: 2.0 * draws.unit(),
            terminated,
            truncated,
            next_observation,
        });
        // The next episode begins elsewhere.
        observation = if terminated || truncated { std::array::from_fn(|_| draws.unit()) } else { next_observation };
    }
    seen
}

impl Seen {
    pub fn show(&self, slot: usize, agent: &mut dyn Agent) {
        agent.observe(&Experience {
            slot,
            observation: &self.observation,
            mask: None,
            action: self.action,
            step: Step { reward: self.reward.into(), terminated: self.terminated, truncated: self.truncated },
            next_observation: &self.next_observation,
            next_mask: None,
        });
    }
}

impl Case {
    pub fn is_pqn(&self) -> bool {
        self.config.agent.kind == AgentKind::Pqn
    }

    /// An agent that has seen what there is to learn from.
    pub fn replay_agent(&self) -> DqnAgent {
        let mut agent = self.config.dqn_agent(&space(), ACTIONS, &Machine::default()).unwrap();
        experience(9, STEPS).iter().for_each(|seen| seen.show(0, &mut agent));
        agent
    }

    /// The case in words that the script understands.
    pub fn describe(&self, network: &Network) -> Value {
        let Config { agent: rule, head, loss, optimizer, replay, target, munchausen, pqn, train, .. } = &self.config;
        let slices = network
            .slices()
            .iter()
            .map(|slice| json!({"name": slice.name, "start": slice.range.start, "shape": slice.shape}));
        let head = match head.kind {
            HeadKind::Scalar => match loss.kind {
                LossKind::Mse => json!({"kind": "scalar", "loss": "mse"}),
                LossKind::Huber => json!({"kind": "scalar", "loss": "huber", "delta": loss.delta}),
            },
            HeadKind::Categorical => {
                json!({"kind": "categorical", "atoms": head.atoms, "v_min": head.v_min.number(), "v_max": head.v_max.number()})
            }
            HeadKind::Quantile => json!({"kind": "quantile", "count": head.quantiles, "kappa": head.kappa}),
            HeadKind::ImplicitQuantile => json!({"kind": "implicit_quantile", "kappa": head.kappa}),
        };
        let kind = match optimizer.kind {
            OptimizerKind::Adam => "adam",
            OptimizerKind::Rmsprop => "rmsprop",
            OptimizerKind::Radam => "radam",
        };
        let target_kind = match target.kind {
            TargetKind::None => "none",
            TargetKind::Hard => "hard",
            TargetKind::Soft => "soft",
        };
        let steps = |update: usize| (update as u64 + 1) * train.every_steps;
        let beta = |update: usize| {
            let share = (steps(update) as f64 / replay.importance_env_steps as f64).min(1.0);
            replay.importance_start + (replay.importance_end - replay.importance_start) * share
        };
        json!({
            "name": self.name,
            "kind": if self.is_pqn() { "rollouts" } else { "replay" },
            "network": network.spec(),
            "slices": slices.collect::<Vec<_>>(),
            "actions": ACTIONS,
            "gamma": rule.gamma,
            "n_step": rule.n_step,
            "double": rule.double,
            "residual": rule.bellman_gradient == requel::config::BellmanGradient::Residual,
            "target": {"kind": target_kind, "every_updates": target.every_updates, "tau": target.tau},
            "rule": if rule.munchausen {
                json!({"kind": "munchausen", "alpha": munchausen.alpha, "tau": munchausen.temperature, "clip": munchausen.clip})
            } else {
                json!({"kind": "q_learning"})
            },
            "head": head,
            "priorities": (replay.kind == ReplayKind::Prioritized)
                .then(|| json!({"alpha": replay.priority_exponent, "epsilon": replay.priority_epsilon})),
            "betas": (0..UPDATES).map(beta).collect::<Vec<f64>>(),
            "optimizer": {
                "kind": kind,
                "learning_rate": optimizer.learning_rate,
                "beta1": optimizer.beta1,
                "beta2": optimizer.beta2,
                "epsilon": optimizer.epsilon,
                "alpha": optimizer.alpha,
                "momentum": optimizer.momentum,
                "centered": optimizer.centered,
                "max_gradient_norm": optimizer.max_gradient_norm,
            },
            "lambda": pqn.lambda,
            "minibatch": train.num_envs * pqn.rollout_steps / pqn.minibatches,
        })
    }
}
