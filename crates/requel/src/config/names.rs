//! Which key an unknown name stands for: one in another section, one with another name in other libraries, or a misspelt one.

use super::KEYS;

/// A name from Stable-Baselines3, CleanRL, Dopamine, Tianshou or everyday use, the key that it corresponds to here, and any difference
/// between them.
struct Foreign {
    name: &'static str,
    key: &'static str,
    note: Option<&'static str>,
}

const fn same(name: &'static str, key: &'static str) -> Foreign {
    Foreign { name, key, note: None }
}

const fn but(name: &'static str, key: &'static str, note: &'static str) -> Foreign {
    Foreign { name, key, note: Some(note) }
}

const FRACTION: &str = "env steps: the fraction times `train.env_steps`";
const START_OF_EPSILON: &str = "how epsilon changes; it ends at `exploration.end`";

/// A name with a section applies only there; a name without one applies wherever no key has that name.
const FOREIGN: &[Foreign] = &[
    but("agent.alpha", "optimizer.learning_rate", "the exponent of priorities is `replay.priority_exponent`"),
    but("agent.epsilon", "exploration.start", START_OF_EPSILON),
    but("alpha", "optimizer.learning_rate", "the exponent of priorities is `replay.priority_exponent`"),
    but("epsilon", "exploration.start", START_OF_EPSILON),
    but("episodes", "train.episodes", "the episodes of an evaluation are `evaluation.episodes`"),
    but("exploration.epsilon", "exploration.start", START_OF_EPSILON),
    but("exploration.fraction", "exploration.env_steps", FRACTION),
    same("replay.alpha", "replay.priority_exponent"),
    same("replay.beta", "replay.importance_start"),
    same("replay.epsilon", "replay.priority_epsilon"),
    same("replay.size", "replay.capacity"),
    same("train.epsilon", "exploration.start"),
    same("train.batch_size", "replay.batch_size"),
    same("adam_eps", "optimizer.epsilon"),
    same("anneal_lr", "optimizer.anneal"),
    same("beta", "replay.importance_start"),
    same("beta_frames", "replay.importance_env_steps"),
    same("beta_start", "replay.importance_start"),
    same("buffer_size", "replay.capacity"),
    same("clip_grad_norm", "optimizer.max_gradient_norm"),
    same("decay", "exploration.env_steps"),
    same("discount", "agent.gamma"),
    same("discount_factor", "agent.gamma"),
    same("double_dqn", "agent.double"),
    same("double_q", "agent.double"),
    same("duelling", "network.dueling"),
    same("end_e", "exploration.end"),
    same("env_id", "env.id"),
    same("environment", "env.id"),
    same("eps", "exploration.start"),
    same("eps_decay", "exploration.env_steps"),
    same("eps_end", "exploration.end"),
    same("eps_start", "exploration.start"),
    same("eps_train", "exploration.start"),
    same("epsilon_decay", "exploration.env_steps"),
    same("epsilon_decay_period", "exploration.env_steps"),
    same("epsilon_end", "exploration.end"),
    same("epsilon_start", "exploration.start"),
    same("epsilon_train", "exploration.end"),
    same("estimation_step", "agent.n_step"),
    same("eval_episodes", "evaluation.episodes"),
    same("eval_freq", "evaluation.every_steps"),
    same("exploration_final_eps", "exploration.end"),
    but("exploration_fraction", "exploration.env_steps", FRACTION),
    same("exploration_initial_eps", "exploration.start"),
    same("frame_skip", "env.action_repeat"),
    same("grad_clip", "optimizer.max_gradient_norm"),
    same("gradient_clip", "optimizer.max_gradient_norm"),
    same("gradient_clipping", "optimizer.max_gradient_norm"),
    same("gradient_steps", "train.updates"),
    same("hidden_layers", "network.hidden"),
    same("hidden_sizes", "network.hidden"),
    same("hidden_units", "network.hidden"),
    same("huber_delta", "loss.delta"),
    same("is_double", "agent.double"),
    same("layers", "network.hidden"),
    same("learning_starts", "replay.start"),
    same("log_interval", "log.every_steps"),
    same("lr", "optimizer.learning_rate"),
    same("max_grad_norm", "optimizer.max_gradient_norm"),
    same("memory", "replay.capacity"),
    same("memory_size", "replay.capacity"),
    same("min_replay_history", "replay.start"),
    same("minibatch_size", "replay.batch_size"),
    same("n_atoms", "head.atoms"),
    same("n_envs", "train.num_envs"),
    same("n_eval_episodes", "evaluation.episodes"),
    same("n_quantiles", "head.quantiles"),
    but("n_steps", "agent.n_step", "for PQN it is `pqn.rollout_steps`"),
    same("n_timesteps", "train.env_steps"),
    same("net_arch", "network.hidden"),
    same("noisy_std", "network.noisy_sigma"),
    same("num_atoms", "head.atoms"),
    same("num_cosines", "head.cosines"),
    same("num_episodes", "train.episodes"),
    same("num_minibatches", "pqn.minibatches"),
    same("num_quantile_samples", "head.acting_fractions"),
    same("num_quantiles", "head.quantiles"),
    same("num_steps", "pqn.rollout_steps"),
    same("num_tau_prime_samples", "head.target_fractions"),
    same("num_tau_samples", "head.fractions"),
    same("num_timesteps", "train.env_steps"),
    same("optim", "optimizer.kind"),
    same("policy_kwargs", "network.hidden"),
    same("prioritized", "replay.kind"),
    same("prioritized_replay_alpha", "replay.priority_exponent"),
    same("prioritized_replay_beta", "replay.importance_start"),
    same("prioritized_replay_eps", "replay.priority_epsilon"),
    same("q_lambda", "pqn.lambda"),
    same("quantile_embedding_dim", "head.cosines"),
    same("replay_capacity", "replay.capacity"),
    same("replay_size", "replay.capacity"),
    same("save_freq", "checkpoint.every_steps"),
    same("stack_size", "env.frame_stack"),
    same("start_e", "exploration.start"),
    same("step_per_collect", "train.every_steps"),
    same("steps", "train.env_steps"),
    same("target_network_frequency", "target.every_env_steps"),
    same("target_update_freq", "target.every_updates"),
    same("target_update_interval", "target.every_env_steps"),
    same("target_update_period", "target.every_env_steps"),
    same("temperature", "munchausen.temperature"),
    same("total_steps", "train.env_steps"),
    same("total_timesteps", "train.env_steps"),
    same("train_freq", "train.every_steps"),
    same("train_frequency", "train.every_steps"),
    same("training_num", "train.num_envs"),
    same("training_steps", "train.env_steps"),
    same("units", "network.hidden"),
    same("update_epochs", "pqn.epochs"),
    same("update_every", "train.every_steps"),
    same("update_horizon", "agent.n_step"),
    same("update_per_step", "train.updates"),
    same("update_period", "train.every_steps"),
    same("vmax", "head.v_max"),
    same("vmin", "head.v_min"),
];

/// The key that an unknown name stands for: another library's name in this section, a key with the same last part, another library's name
/// anywhere, and finally the key with the most similar spelling.
pub(super) fn meant(name: &str) -> Option<String> {
    foreign(name)
        .filter(|foreign| foreign.name == plain(name))
        .map(|foreign| foreign.key)
        .or_else(|| above(name))
        .or_else(|| of_the_same_last_part(name))
        .or_else(|| foreign(name).map(|foreign| foreign.key))
        .or_else(|| of_like_letters(name))
        .map(str::to_owned)
}

/// How the key that is [`meant`] differs from the meaning of the name elsewhere.
pub(super) fn note(name: &str) -> Option<&'static str> {
    let foreign = foreign(name)?;
    foreign.note.filter(|_| meant(name).as_deref() == Some(foreign.key))
}

fn plain(name: &str) -> String {
    name.trim().trim_start_matches('-').replace('-', "_").to_lowercase()
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn foreign(name: &str) -> Option<&'static Foreign> {
    let name = plain(name);
    let called = |what: &str| FOREIGN.iter().find(|foreign| foreign.name == what);
    // For a user who is looking for the layers, `policy_kwargs.net_arch` and `policy_kwargs` are the same.
    called(&name).or_else(|| called(last_part(&name))).or_else(|| called(name.split('.').next()?))
}

/// The key that the name continues as if it were a section.
fn above(name: &str) -> Option<&'static str> {
    let begins = |path: &str| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    KEYS.iter().map(|key| key.path).find(|path| begins(path))
}

/// The key with this last part, if there is only one.
fn of_the_same_last_part(name: &str) -> Option<&'static str> {
    let name = plain(name);
    let mut found = KEYS.iter().map(|key| key.path).filter(|path| last_part(path) == last_part(&name));
    found.next().filter(|_| found.next().is_none())
}

/// The key that a typing mistake explains, judged by the spelling of the last part and of the section if there is one.
fn of_like_letters(name: &str) -> Option<&'static str> {
    const LIKE: f64 = 0.85;
    let name = plain(name);
    let (section, last) = name.rsplit_once('.').unwrap_or(("", &name));
    let likeness = |path: &'static str| {
        let (its_section, its_last) = path.rsplit_once('.').unwrap_or(("", path));
        let of_last = strsim::jaro_winkler(last, its_last);
        let of_section = if section.is_empty() { 1.0 } else { strsim::jaro_winkler(section, its_section) };
        (of_last >= LIKE).then_some((of_last + of_section, path))
    };
    KEYS.iter().filter_map(|key| likeness(key.path)).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_a_key_and_is_none_itself() {
        for foreign in FOREIGN {
            assert!(KEYS.iter().any(|key| key.path == foreign.key), "{}", foreign.key);
            assert!(KEYS.iter().all(|key| key.path != foreign.name), "{}", foreign.name);
            assert_eq!(meant(foreign.name).as_deref(), Some(foreign.key), "{}", foreign.name);
            assert_eq!(FOREIGN.iter().filter(|other| other.name == foreign.name).count(), 1, "{}", foreign.name);
        }
    }

    #[test]
    fn names_of_other_libraries_and_other_sections_lead_to_the_right_key() {
        let table = [
            ("agent.learning_rate", "optimizer.learning_rate"),
            ("replay.buffer_size", "replay.capacity"),
            ("agent.epsilon", "exploration.start"),
            ("replay.alpha", "replay.priority_exponent"),
            ("replay.beta", "replay.importance_start"),
            ("train.gradient_steps", "train.updates"),
            ("train.learning_starts", "replay.start"),
            ("train.total_timesteps", "train.env_steps"),
            ("agent.dueling", "network.dueling"),
            ("exploration.fraction", "exploration.env_steps"),
            ("gamma", "agent.gamma"),
            ("learning_rate", "optimizer.learning_rate"),
            ("lr", "optimizer.learning_rate"),
            ("seed", "train.seed"),
            ("dueling", "network.dueling"),
            ("num_envs", "train.num_envs"),
            ("env.num_envs", "train.num_envs"),
            ("batch_size", "replay.batch_size"),
            ("tau", "target.tau"),
            ("policy_kwargs.net_arch", "network.hidden"),
            ("max-grad-norm", "optimizer.max_gradient_norm"),
            ("Gamma", "agent.gamma"),
            ("--lr", "optimizer.learning_rate"),
        ];
        for (name, key) in table {
            assert_eq!(meant(name).as_deref(), Some(key), "{name}");
        }
    }

    #[test]
    fn slips_of_the_hand_are_found_in_their_section_first() {
        let table = [
            ("replay.capcity", Some("replay.capacity")),
            ("repaly.capacity", Some("replay.capacity")),
            ("evaluation.every_step", Some("evaluation.every_steps")),
            ("log.every_step", Some("log.every_steps")),
            ("replay.batchsize", Some("replay.batch_size")),
            ("agent.gama", Some("agent.gamma")),
            ("train.sed", Some("train.seed")),
            ("train.seed.x", Some("train.seed")),
            ("optimiser.learning_rate", Some("optimizer.learning_rate")),
            ("xyzzy", None),
            ("agent.xyzzy", None),
            ("", None),
        ];
        for (name, key) in table {
            assert_eq!(meant(name).as_deref(), key, "{name}");
        }
    }

    #[test]
    fn what_differs_is_said() {
        assert!(note("exploration_fraction").unwrap().contains("train.env_steps"));
        assert_eq!(note("lr"), None);
        assert_eq!(note("agent.gama"), None);
    }
}
