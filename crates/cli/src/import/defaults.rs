//! The defaults of Stable-Baselines3 and CleanRL, under their own names: `stable_baselines3/dqn/dqn.py`, `sb3_contrib/qrdqn/qrdqn.py`,
//! `cleanrl/{dqn,c51,pqn}.py`.
//!
//! Checked against those files: SB3 and SB3-Contrib as of 2.3.0, which lowered `learning_starts` from 50,000 to 100; CleanRL's `dqn.py` and
//! `pqn.py` at commits 020cf0e and 10334fa. Its `c51.py` has had several sets of defaults; these are the ones it shares with `dqn.py`,
//! before which the first version had `batch_size` 32, `end_e` 0.02 and gradients clipped at 0.5.

use super::given::Given;

/// The program that the hyperparameters are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Stable-Baselines3's DQN.
    Sb3Dqn,
    /// SB3-Contrib's QR-DQN.
    Sb3QrDqn,
    /// CleanRL's DQN.
    CleanRlDqn,
    /// CleanRL's C51.
    CleanRlC51,
    /// CleanRL's PQN.
    CleanRlPqn,
}

impl Source {
    /// The program that the names and the name of the file point to.
    pub fn of(names: &[&str], file: &str) -> Self {
        let any = |wanted: &[&str]| wanted.iter().any(|name| names.contains(name));
        let stem = file.to_lowercase();
        let is_cleanrl =
            any(&["start_e", "end_e", "train_frequency", "target_network_frequency", "q_lambda", "exp_name", "env_id"]);
        match is_cleanrl {
            _ if any(&["q_lambda", "num_minibatches", "update_epochs"]) => Source::CleanRlPqn,
            _ if any(&["n_atoms", "v_min", "v_max"]) => Source::CleanRlC51,
            true => Source::CleanRlDqn,
            false if any(&["n_quantiles"]) || stem.contains("qrdqn") || stem.contains("qr-dqn") => Source::Sb3QrDqn,
            false => Source::Sb3Dqn,
        }
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Source::Sb3Dqn => "Stable-Baselines3's DQN",
            Source::Sb3QrDqn => "SB3-Contrib's QR-DQN",
            Source::CleanRlDqn => "CleanRL's DQN",
            Source::CleanRlC51 => "CleanRL's C51",
            Source::CleanRlPqn => "CleanRL's PQN",
        }
    }

    /// Its default hyperparameters.
    pub fn defaults(self) -> Vec<(&'static str, Given)> {
        use Given::{Nothing, Number, Switch, Whole};
        let sb3 = [
            ("buffer_size", Whole(1_000_000)),
            ("learning_starts", Whole(100)),
            ("batch_size", Whole(32)),
            ("tau", Number(1.0)),
            ("gamma", Number(0.99)),
            ("train_freq", Whole(4)),
            ("gradient_steps", Whole(1)),
            ("target_update_interval", Whole(10_000)),
            ("exploration_initial_eps", Number(1.0)),
        ];
        let cleanrl = [
            ("learning_rate", Number(2.5e-4)),
            ("total_timesteps", Whole(500_000)),
            ("gamma", Number(0.99)),
            ("start_e", Number(1.0)),
            ("end_e", Number(0.05)),
            ("exploration_fraction", Number(0.5)),
        ];
        let with_replay = [
            ("buffer_size", Whole(10_000)),
            ("tau", Number(1.0)),
            ("target_network_frequency", Whole(500)),
            ("batch_size", Whole(128)),
            ("learning_starts", Whole(10_000)),
            ("train_frequency", Whole(10)),
        ];
        let own: Vec<(&str, Given)> = match self {
            Source::Sb3Dqn => vec![
                ("learning_rate", Number(1e-4)),
                ("exploration_fraction", Number(0.1)),
                ("exploration_final_eps", Number(0.05)),
                ("max_grad_norm", Whole(10)),
            ],
            Source::Sb3QrDqn => vec![
                ("learning_rate", Number(5e-5)),
                ("exploration_fraction", Number(0.005)),
                ("exploration_final_eps", Number(0.01)),
                ("max_grad_norm", Nothing),
                ("n_quantiles", Whole(200)),
            ],
            Source::CleanRlDqn => with_replay.to_vec(),
            Source::CleanRlC51 => {
                let c51 = [("n_atoms", Whole(101)), ("v_min", Number(-100.0)), ("v_max", Number(100.0))];
                [&with_replay[..], &c51].concat()
            }
            Source::CleanRlPqn => vec![
                ("num_envs", Whole(4)),
                ("num_steps", Whole(128)),
                ("anneal_lr", Switch(true)),
                ("num_minibatches", Whole(4)),
                ("update_epochs", Whole(4)),
                ("max_grad_norm", Whole(10)),
                ("q_lambda", Number(0.65)),
            ],
        };
        match self {
            Source::Sb3Dqn | Source::Sb3QrDqn => [&sb3[..], &own].concat(),
            _ => [&cleanrl[..], &own].concat(),
        }
    }

    /// Settings of it that have no name, as keys and values of a config. `batch_size`: transitions per update.
    pub fn constants(self, batch_size: i64) -> Vec<(&'static str, String)> {
        // Both choose this ε of Adam for their distributional agents.
        let epsilon = format!("{:?}", 0.01 / batch_size.max(1) as f64);
        let shared = [("exploration.kind", "linear"), ("network.activation", "relu")];
        let own: &[(&str, &str)] = match self {
            Source::Sb3Dqn => &[
                ("loss.kind", "huber"),
                ("loss.delta", "1.0"),
                ("network.hidden", "[64, 64]"),
                ("optimizer.epsilon", "1e-8"),
                ("replay.replacement", "true"),
            ],
            Source::Sb3QrDqn => &[
                ("head.kind", "quantile"),
                ("head.kappa", "1.0"),
                ("network.hidden", "[64, 64]"),
                ("optimizer.epsilon", &epsilon),
                ("replay.replacement", "true"),
            ],
            Source::CleanRlDqn => &[
                ("loss.kind", "mse"),
                ("network.hidden", "[120, 84]"),
                ("optimizer.epsilon", "1e-8"),
                ("replay.replacement", "true"),
            ],
            Source::CleanRlC51 => &[
                ("head.kind", "categorical"),
                ("network.hidden", "[120, 84]"),
                ("optimizer.epsilon", &epsilon),
                ("replay.replacement", "true"),
            ],
            Source::CleanRlPqn => &[
                ("agent.kind", "pqn"),
                ("loss.kind", "mse"),
                ("network.hidden", "[120, 84]"),
                ("network.init", "orthogonal"),
                ("network.layer_norm", "true"),
                ("optimizer.epsilon", "1e-8"),
                ("optimizer.kind", "radam"),
                ("target.kind", "none"),
            ],
        };
        shared.iter().chain(own).map(|(key, value)| (*key, (*value).to_owned())).collect()
    }
}
