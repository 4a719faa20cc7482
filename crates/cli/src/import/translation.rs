//! From names in other libraries to keys of a config.

use std::collections::BTreeMap;

use super::given::Given;
use super::python::literal;

/// Keys and values of a config, each with the name it was given under, and what could not be translated.
#[derive(Debug, Default)]
pub struct Translation {
    /// By key: the value as TOML, and where it comes from.
    pub settings: BTreeMap<&'static str, (String, String)>,
    /// Settings without a counterpart that would have changed training.
    pub lost: Vec<String>,
    /// Names that do not affect training.
    pub ignored: Vec<String>,
    pub totals: Totals,
}

/// Numbers on which the meaning of others depends.
#[derive(Clone, Copy, Debug)]
pub struct Totals {
    /// Env steps of training, all environments together.
    pub env_steps: i64,
    /// Number of parallel environments.
    pub num_envs: i64,
    /// Steps of each environment between two learning phases.
    pub every: i64,
}

impl Default for Totals {
    fn default() -> Self {
        Totals { env_steps: 50_000, num_envs: 1, every: 1 }
    }
}

/// Names that say where training is shown and stored, not how it is done.
const OF_NO_WEIGHT: &[&str] = &[
    "_init_setup_model",
    "capture_video",
    "cuda",
    "device",
    "exp_name",
    "hf_entity",
    "monitor_wrapper",
    "run_name",
    "save_model",
    "stats_window_size",
    "tensorboard_log",
    "torch_deterministic",
    "track",
    "upload_model",
    "verbose",
    "wandb_entity",
    "wandb_project_name",
];

impl Translation {
    /// Sets a key.
    pub fn put(&mut self, key: &'static str, value: impl ToString, from: &str) {
        self.settings.insert(key, (value.to_string(), from.to_owned()));
    }

    /// Translates one hyperparameter.
    pub fn take(&mut self, name: &str, given: &Given) {
        let done = match name {
            "learning_rate" => self.learning_rate(given),
            "tau" => self.tau(given),
            "train_freq" | "train_frequency" => self.train_freq(name, given),
            "policy" => self.policy(given),
            "policy_kwargs" => self.policy_kwargs(given),
            "anneal_lr" => self.anneal(given),
            "gradient_steps" => self.gradient_steps(given),
            "exploration_fraction" => given.number().map(|fraction| {
                let steps = (fraction * self.totals.env_steps as f64).round().max(1.0);
                self.put("exploration.env_steps", steps as i64, &format!("{name} {fraction}"));
            }),
            "max_grad_norm" if *given == Given::Nothing => {
                self.put("optimizer.max_gradient_norm", "0.0", name);
                Some(())
            }
            "frame_stack" | "n_stack" => given.whole().map(|n| self.put("env.frame_stack", n, name)),
            "env_id" | "env" => {
                self.put("env.id", format!("{:?}", given.shown()), name);
                Some(())
            }
            _ => self.plain(name, given),
        };
        if done.is_none() {
            self.leave(name, given);
        }
    }

    /// Names whose value can be used for the key unchanged.
    fn plain(&mut self, name: &str, given: &Given) -> Option<()> {
        let whole = match name {
            "n_timesteps" | "total_timesteps" => "train.env_steps",
            "n_envs" | "num_envs" => "train.num_envs",
            "buffer_size" => "replay.capacity",
            "learning_starts" => "replay.start",
            "batch_size" => "replay.batch_size",
            "target_update_interval" | "target_network_frequency" => "target.every_env_steps",
            "n_quantiles" => "head.quantiles",
            "n_atoms" => "head.atoms",
            "n_steps" => "agent.n_step",
            "num_steps" => "pqn.rollout_steps",
            "num_minibatches" => "pqn.minibatches",
            "update_epochs" => "pqn.epochs",
            "seed" => "train.seed",
            _ => "",
        };
        let number = match name {
            "gamma" => "agent.gamma",
            "exploration_initial_eps" | "start_e" => "exploration.start",
            "exploration_final_eps" | "end_e" => "exploration.end",
            "max_grad_norm" => "optimizer.max_gradient_norm",
            "v_min" => "head.v_min",
            "v_max" => "head.v_max",
            "q_lambda" => "pqn.lambda",
            _ => "",
        };
        match (whole, number) {
            ("", "") => return None,
            (key, "") => self.put(key, given.whole()?, name),
            (_, key) => self.put(key, format!("{:?}", given.number()?), name),
        }
        if whole == "target.every_env_steps" {
            self.put("target.every_updates", 0, name);
        }
        Some(())
    }

    fn learning_rate(&mut self, given: &Given) -> Option<()> {
        let linear = match given {
            Given::Text(text) => text.strip_prefix("lin_").map(Given::of_word),
            _ => None,
        };
        let rate = linear.as_ref().unwrap_or(given).number()?;
        self.put("optimizer.learning_rate", format!("{rate:?}"), "learning_rate");
        if linear.is_some() {
            self.put("optimizer.anneal", "\"linear\"", "learning_rate lin_");
        }
        Some(())
    }

    fn anneal(&mut self, given: &Given) -> Option<()> {
        let Given::Switch(is_on) = given else { return None };
        self.put("optimizer.anneal", if *is_on { "\"linear\"" } else { "\"none\"" }, "anneal_lr");
        Some(())
    }

    fn tau(&mut self, given: &Given) -> Option<()> {
        let tau = given.number()?;
        if tau == 1.0 {
            self.put("target.kind", "\"hard\"", "tau 1");
        } else {
            self.put("target.kind", "\"soft\"", "tau");
            self.put("target.tau", format!("{tau:?}"), "tau");
        }
        Some(())
    }

    fn train_freq(&mut self, name: &str, given: &Given) -> Option<()> {
        let given = match given {
            Given::Text(text) => literal(text)?,
            given => given.clone(),
        };
        let every = match &given {
            Given::List(parts) => match parts.as_slice() {
                [count, Given::Text(unit)] if unit == "step" => count.whole()?,
                _ => return None,
            },
            given => given.whole()?,
        };
        self.totals.every = every;
        let num_envs = self.totals.num_envs;
        let from = if num_envs > 1 { format!("{name} {every} in {num_envs} environments") } else { name.to_owned() };
        self.put("train.every_steps", every * num_envs, &from);
        Some(())
    }

    fn gradient_steps(&mut self, given: &Given) -> Option<()> {
        match given.whole()? {
            -1 => self.put(
                "train.updates",
                self.totals.every * self.totals.num_envs,
                "gradient_steps -1: one per env step",
            ),
            steps => self.put("train.updates", steps, "gradient_steps"),
        }
        Some(())
    }

    fn policy(&mut self, given: &Given) -> Option<()> {
        match given.shown().as_str() {
            "MlpPolicy" => {}
            "CnnPolicy" => {
                self.put("network.conv", "[[32, 8, 4], [64, 4, 2], [64, 3, 1]]", "CnnPolicy");
                self.put("network.hidden", "[512]", "CnnPolicy");
            }
            _ => return None,
        }
        Some(())
    }

    fn policy_kwargs(&mut self, given: &Given) -> Option<()> {
        let parsed = match given {
            Given::Text(text) => literal(text)?,
            given => given.clone(),
        };
        let Given::Map(entries) = parsed else { return (parsed == Given::Nothing).then_some(()) };
        for (name, value) in &entries {
            let done = match name.as_str() {
                "net_arch" => self.net_arch(value),
                "n_quantiles" => value.whole().map(|count| self.put("head.quantiles", count, "n_quantiles")),
                "activation_fn" => match value.shown().rsplit('.').next() {
                    Some("ReLU") => {
                        self.put("network.activation", "\"relu\"", name);
                        Some(())
                    }
                    Some("Tanh") => {
                        self.put("network.activation", "\"tanh\"", name);
                        Some(())
                    }
                    _ => None,
                },
                "optimizer_kwargs" => match value {
                    Given::Map(options) => {
                        for (option, value) in options {
                            match (option.as_str(), value.number()) {
                                ("eps", Some(eps)) => self.put("optimizer.epsilon", format!("{eps:?}"), "eps"),
                                _ => self.leave(option, value),
                            }
                        }
                        Some(())
                    }
                    _ => None,
                },
                _ => None,
            };
            if done.is_none() {
                self.leave(name, value);
            }
        }
        Some(())
    }

    fn net_arch(&mut self, given: &Given) -> Option<()> {
        let Given::List(layers) = given else { return None };
        let layers: Vec<i64> = layers.iter().map(Given::whole).collect::<Option<_>>()?;
        self.put("network.hidden", format!("{layers:?}"), "net_arch");
        Some(())
    }

    fn leave(&mut self, name: &str, given: &Given) {
        if OF_NO_WEIGHT.contains(&name) {
            return self.ignored.push(name.into());
        }
        // Features that are switched off are not missing.
        if matches!(given, Given::Nothing | Given::Switch(false)) {
            return self.ignored.push(name.into());
        }
        let why = match name {
            "env_wrapper" | "vec_env_wrapper" => "Python wrappers do not run here; see `env.*` and `env.options`",
            "normalize" | "normalize_kwargs" => "observations and rewards are not normalised here",
            "train_freq" => "updates are scheduled by env steps, not by episodes",
            "optimize_memory_usage" => "requel always shares the next observation's memory where it can",
            "replay_buffer_class" | "replay_buffer_kwargs" => "replay is uniform or prioritized, see `replay.kind`",
            "learning_rate" => "schedules are `none` or `linear`",
            "policy" => "a policy is an MLP, or convolutions followed by an MLP; see `network.*`",
            _ => "requel has nothing like it",
        };
        self.lost.push(format!("`{name}` ({}) has no counterpart: {why}", given.shown()));
    }
}
