//! [`import`], which turns the text of another library into the text of a config.

use std::fmt::Write;

use requel::Registry;
use requel::config::{KEYS, Layers};

use super::defaults::Source;
use super::given::Given;
use super::translation::Translation;
use super::yaml;
use crate::exit::Failure;

/// An imported config.
#[derive(Debug)]
pub struct Imported {
    /// The config's text, which starts from no preset.
    pub toml: String,
    /// Notes for the user, one per line.
    pub notes: Vec<String>,
}

/// Translates the hyperparameters in `text`; `file` is the name of the file, and `env` selects one of several environments in it. The
/// registry has the environments that a config may name.
///
/// # Errors
/// If the text is not YAML, has several environments and none is selected, or gives no valid config.
pub fn import(text: &str, file: &str, (env, registry): (Option<&str>, &Registry)) -> Result<Imported, Failure> {
    let wrong = |what: String| Failure::bad_input(format_args!("{file}: {what}"));
    let Given::Map(entries) = yaml::read(text).map_err(|what| wrong(format!("not YAML or JSON: {what}")))? else {
        return Err(wrong("no hyperparameters: give names with values, as YAML or JSON".into()));
    };
    let (id, entries) =
        pick(entries, env).map_err(|failure| Failure { what: format!("{file}: {}", failure.what), ..failure })?;
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(foreign) = names.iter().find(|name| OF_POLICY_GRADIENTS.contains(*name)) {
        return Err(wrong(format!(
            "`{foreign}` is a setting of an algorithm that learns a policy directly, and requel learns values: give a \
            file for DQN, QR-DQN, C51 or PQN"
        )));
    }
    let stem =
        std::path::Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let kwargs = entries.iter().find(|(name, _)| name == "policy_kwargs").map(|(_, value)| value.shown());
    let mut telling = names.clone();
    telling.extend(kwargs.filter(|kwargs| kwargs.contains("n_quantiles")).map(|_| "n_quantiles"));
    let source = Source::of(&telling, &stem);
    let translation = translate(source, &entries, id.as_deref());

    let toml = written(source, &translation);
    let config = Layers::new().text("the imported config", &toml)?.resolve()?;
    let mut notes = vec![format!("read as the hyperparameters of {}", source.name())];
    notes.extend(translation.lost);
    if !translation.ignored.is_empty() {
        notes.push(format!("without effect here: {}", translation.ignored.join(", ")));
    }
    match registry.envs().make(&config.env.id) {
        _ if !translation.settings.contains_key("env.id") => {
            notes.push(format!("the file names no environment: `env.id` is {}", config.env.id));
        }
        Err(_) => notes.push(format!(
            "this program has no environment `{}`; `requel envs` lists all \
                               environments",
            config.env.id
        )),
        Ok(_) => {}
    }
    if !translation.settings.contains_key("train.env_steps") {
        notes.push(format!("the file names no budget: `train.env_steps` is {}", config.train.env_steps));
    }
    Ok(Imported { toml, notes })
}

/// Names that only algorithms with a policy network use.
const OF_POLICY_GRADIENTS: &[&str] = &[
    "ent_coef",
    "clip_range",
    "clip_coef",
    "gae_lambda",
    "vf_coef",
    "use_sde",
    "policy_delay",
    "action_noise",
    "noise_type",
];

type Entries = Vec<(String, Given)>;

/// The hyperparameters of one environment, with its id where the file has several.
fn pick(entries: Entries, env: Option<&str>) -> Result<(Option<String>, Entries), Failure> {
    let is_zoo = !entries.is_empty() && entries.iter().all(|(_, value)| matches!(value, Given::Map(_)));
    if !is_zoo {
        return Ok((env.map(str::to_owned), entries));
    }
    let ids: Vec<&str> = entries.iter().map(|(id, _)| id.as_str()).collect();
    let wanted = match (env, ids.as_slice()) {
        (Some(env), _) if ids.contains(&env) => env.to_owned(),
        (None, [only]) => (*only).to_owned(),
        (Some(env), _) => {
            let failure = Failure::bad_input(format_args!("it has no entry for `{env}`"));
            return Err(match requel::nearest(env, ids.iter().copied()) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint(format!("it has {}", ids.join(", "))),
            });
        }
        (None, _) => {
            return Err(Failure::bad_input(format_args!(
                "it has entries for {} environments: \
                                                       {}",
                ids.len(),
                ids.join(", ")
            ))
            .hint("pick one with --env"));
        }
    };
    let (id, given) = entries.into_iter().find(|(id, _)| *id == wanted).unwrap_or((wanted, Given::Nothing));
    let Given::Map(entries) = given else { return Err(Failure::bad_input(format_args!("`{id}` is empty"))) };
    Ok((Some(id), entries))
}

fn translate(source: Source, entries: &Entries, id: Option<&str>) -> Translation {
    let said = |name: &str| entries.iter().any(|(own, _)| own == name);
    let defaults: Vec<_> = source.defaults().into_iter().filter(|(name, _)| !said(name)).collect();
    let all =
        || defaults.iter().map(|(name, given)| (*name, given)).chain(entries.iter().map(|(n, g)| (n.as_str(), g)));
    let number = |names: [&str; 2]| all().find(|(name, _)| names.contains(name)).and_then(|(_, given)| given.whole());

    let mut translation = Translation::default();
    let totals = &mut translation.totals;
    totals.env_steps = number(["n_timesteps", "total_timesteps"]).unwrap_or(totals.env_steps);
    totals.num_envs = number(["n_envs", "num_envs"]).unwrap_or(totals.num_envs).max(1);
    let batch_size = number(["batch_size", ""]).unwrap_or(32);
    for (key, value) in source.constants(batch_size) {
        let is_word = value.starts_with(char::is_alphabetic) && value != "true";
        translation.put(key, if is_word { format!("\"{value}\"") } else { value }, source.name());
    }
    if let Some(id) = id {
        translation.put("env.id", format!("{id:?}"), "the file");
    }
    // Updates are counted in env steps between two learning phases, and layers depend on `policy`: hence this order.
    let order = |name: &str| match name {
        "train_freq" | "train_frequency" | "policy" => 0,
        _ => 1,
    };
    for stage in 0..=1 {
        for (name, given) in defaults.iter().filter(|(name, _)| order(name) == stage) {
            translation.take(name, given);
        }
        for (name, given) in entries.iter().filter(|(name, _)| order(name) == stage) {
            translation.take(name, given);
        }
    }
    translation
}

/// Where comments start, characters from the left.
const COMMENT_COLUMN: usize = 34;

fn written(source: Source, translation: &Translation) -> String {
    let mut text = format!("# From {}, for `requel train --config`.\npreset = \"default\"\n", source.name());
    let mut section = "";
    for key in KEYS {
        let Some((value, from)) = translation.settings.get(key.path) else { continue };
        let (this_section, name) = key.path.split_once('.').unwrap_or(("", key.path));
        if this_section != section {
            section = this_section;
            let _ = writeln!(text, "\n[{section}]");
        }
        let setting = format!("{name} = {value}");
        let _ = writeln!(text, "{setting:<COMMENT_COLUMN$} # {from}");
    }
    text
}

#[cfg(test)]
mod tests {
    use requel::Config;
    use requel::config::{AnnealKind, HeadKind, LossKind, TargetKind};

    use super::*;

    fn import(text: &str, file: &str, env: Option<&str>) -> Result<Imported, Failure> {
        super::import(text, file, (env, &Registry::built_in()))
    }

    const ZOO: &str = "
CartPole-v1:
  n_timesteps: !!float 5e4
  policy: 'MlpPolicy'
  learning_rate: !!float 2.3e-3
  batch_size: 64
  buffer_size: 100000
  learning_starts: 1000
  gamma: 0.99
  target_update_interval: 10
  train_freq: 256
  gradient_steps: 128
  exploration_fraction: 0.16
  exploration_final_eps: 0.04
  policy_kwargs: \"dict(net_arch=[256, 256])\"

MountainCar-v0:
  n_timesteps: 120000
  n_envs: 2
  policy: MlpPolicy
  learning_rate: lin_4e-3
  train_freq: 16
  gradient_steps: -1
  tau: 0.01
  env_wrapper:
    - gymnasium.wrappers.TimeLimit
  policy_kwargs: dict(net_arch=[256], activation_fn=nn.Tanh, share_features=True)
";

    fn config(text: &str, file: &str, env: Option<&str>) -> (Config, Vec<String>) {
        let imported = import(text, file, env).unwrap();
        (Layers::new().text("f", &imported.toml).unwrap().resolve().unwrap(), imported.notes)
    }

    #[test]
    fn an_entry_of_the_zoo_is_a_config() {
        let (config, notes) = config(ZOO, "dqn.yml", Some("CartPole-v1"));
        assert_eq!(
            (config.env.id.as_str(), config.train.env_steps, config.preset.as_str()),
            ("CartPole-v1", 50_000, "default")
        );
        assert_eq!((config.optimizer.learning_rate, config.optimizer.max_gradient_norm), (2.3e-3, 10.0));
        assert_eq!((config.replay.capacity, config.replay.start, config.replay.batch_size), (100_000, 1000, 64));
        assert_eq!((config.train.every_steps, config.train.updates, config.replay.replacement), (256, 128, true));
        assert_eq!(
            (config.exploration.start, config.exploration.end, config.exploration.env_steps),
            (1.0, 0.04, 8_000)
        );
        assert_eq!(
            (config.target.kind, config.target.every_env_steps, config.target.every_updates),
            (TargetKind::Hard, 10, 0)
        );
        assert_eq!((config.network.hidden.as_slice(), config.loss.kind), (&[256, 256][..], LossKind::Huber));
        assert_eq!(notes, ["read as the hyperparameters of Stable-Baselines3's DQN"]);
    }

    /// The preset was written by hand from the same entry.
    #[test]
    fn it_is_the_preset_that_is_named_after_the_zoo() {
        let (imported, _) = config(ZOO, "dqn.yml", Some("CartPole-v1"));
        let preset = Layers::new().preset("cartpole-zoo").unwrap().resolve().unwrap();
        assert_eq!((imported.agent, imported.network), (preset.agent, preset.network));
        assert_eq!((imported.optimizer, imported.loss), (preset.optimizer, preset.loss));
        assert_eq!((imported.target, imported.exploration), (preset.target, preset.exploration));
    }

    #[test]
    fn schedules_several_environments_and_what_has_no_counterpart() {
        let (config, notes) = config(ZOO, "dqn.yml", Some("MountainCar-v0"));
        assert_eq!((config.optimizer.learning_rate, config.optimizer.anneal), (4e-3, AnnealKind::Linear));
        assert_eq!((config.train.num_envs, config.train.every_steps, config.train.updates), (2, 32, 32));
        assert_eq!(
            (config.target.kind, config.target.tau, config.target.every_env_steps),
            (TargetKind::Soft, 0.01, 10_000)
        );
        assert!(
            notes
                .iter()
                .any(|note| note.starts_with("`env_wrapper` ([gymnasium.wrappers.TimeLimit]) has no counterpart"))
        );
        assert!(notes.iter().any(|note| note.starts_with("`share_features` (true)")), "{notes:?}");
        let failure = import(ZOO, "dqn.yml", None).unwrap_err();
        assert!(failure.what.contains("2 environments: CartPole-v1, MountainCar-v0"), "{}", failure.what);
        assert!(import(ZOO, "dqn.yml", Some("CartPole-v0")).unwrap_err().hint.unwrap().contains("`CartPole-v1`"));
    }

    #[test]
    fn other_algorithms_are_known_by_their_names() {
        let kind = |text: &str, file: &str| config(text, file, None).0;
        assert_eq!(kind("{\"n_timesteps\": 1000}", "qrdqn.yml").head.kind, HeadKind::Quantile);
        let quantiles = kind("Own-v0:\n  policy_kwargs: \"dict(n_quantiles=25)\"\n", "a.yml");
        assert_eq!(
            (quantiles.head.kind, quantiles.head.quantiles, quantiles.env.id.as_str()),
            (HeadKind::Quantile, 25, "Own-v0")
        );
        let c51 =
            kind("{\"env_id\": \"CartPole-v1\", \"n_atoms\": 51, \"v_min\": 0, \"learning_starts\": 900}", "c51.json");
        assert_eq!((c51.head.kind, c51.head.atoms, c51.exploration.env_steps), (HeadKind::Categorical, 51, 250_000));
        let pqn = kind("q_lambda: 0.5\ntotal_timesteps: 1000\nnum_envs: 8\n", "args.yaml");
        assert_eq!((pqn.pqn.lambda, pqn.pqn.rollout_steps, pqn.train.num_envs), (0.5, 128, 8));
        let failure = import("{\"gae_lambda\": 0.9}", "ppo.yml", None).unwrap_err();
        assert!(
            failure.what.contains("`gae_lambda` is a setting of an algorithm that learns a policy directly"),
            "{}",
            failure.what
        );
    }

    #[test]
    fn what_is_no_set_of_hyperparameters_is_refused() {
        for text in ["", "3", "[1, 2]", "a: [", "{\"batch_size\": 0}", "a:\n  buffer_size: 1\n"] {
            assert_eq!(import(text, "f.yml", None).unwrap_err().exit, crate::exit::Exit::BadInput, "{text}");
        }
    }
}
