//! [`TuneFile`], a search as a person writes it down.

use toml::Value;

use super::{Dimension, Domain, Rungs, Sampler, Search, SearchBudget, Space, TuneError};
use crate::config::{Config, Key, Scale, ValueType};

/// A search as a person writes it down; what is left out has a default.
///
/// ```
/// use requel::config::Layers;
/// use requel::tune::{Domain, TuneFile};
///
/// let file = TuneFile::parse("mine.toml", r#"
///     env = "CartPole-v1"
///     preset = "notebook"
///     [budget]
///     trials = 20
///     [keys]
///     agent.gamma = { low = 0.9, high = 0.999, scale = "horizon" }
///     replay.batch_size = [32, 64]
///     optimizer.learning_rate = {}
/// "#)?;
/// let base = Layers::new().preset("notebook")?.resolve()?;
/// let search = file.search(&base)?;
/// assert_eq!(search.space.dimensions().len(), 3);
/// assert!(matches!(search.space.dimensions()[2].domain, Domain::OneOf(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TuneFile {
    /// What it is called.
    pub name: Option<String>,
    /// What it is for.
    pub description: String,
    /// Id of the environment.
    pub env: Option<String>,
    /// The preset to begin from.
    pub preset: Option<String>,
    /// The algorithm laid over it.
    pub algo: Option<String>,
    /// Settings of all trials, as `key=value`.
    pub set: Vec<String>,
    /// How values are found.
    pub sampler: Sampler,
    /// What all of it is drawn from.
    pub seed: u64,
    /// How many trials go on at a time.
    pub jobs: usize,
    /// When no more trials begin.
    pub budget: SearchBudget,
    /// Env steps of a run that comes to the last rung; `None`: the budget of the training that the search begins from.
    pub trial_env_steps: Option<u64>,
    /// How many rungs there are.
    pub rungs: u32,
    /// Of so many trials one goes on.
    pub reduction: u64,
    /// Seeds at the last rung.
    pub trial_seeds: u64,
    /// With how many fresh seeds the winner is trained again, beside what the search began from; 0: it is not.
    pub fresh: u64,
    /// The keys, each with the values to try or `None` for those of its declaration; no list of keys: all that have some.
    pub keys: Option<Vec<(&'static Key, Option<Domain>)>>,
}

impl Default for TuneFile {
    /// Fifty trials, four at a time, on three rungs of which the last has three seeds; ten fresh seeds for the winner.
    fn default() -> Self {
        TuneFile {
            name: None,
            description: String::new(),
            env: None,
            preset: None,
            algo: None,
            set: Vec::new(),
            sampler: Sampler::default(),
            seed: 0,
            jobs: 4,
            budget: SearchBudget::Trials(50),
            trial_env_steps: None,
            rungs: 3,
            reduction: 3,
            trial_seeds: 3,
            fresh: 10,
            keys: None,
        }
    }
}

impl TuneFile {
    /// The search over `base`, the training that it begins from.
    ///
    /// # Errors
    /// If a key has nothing declared to be tried and is given nothing, its values are none of it, or a number is out of its range.
    pub fn search(&self, base: &Config) -> Result<Search, TuneError> {
        let default = Config::default().train.env_steps;
        let of_base = if base.train.env_steps > 0 { base.train.env_steps } else { default };
        let rungs = self.rungs(of_base);
        let set: Vec<&str> = self.set.iter().filter_map(|setting| Some(setting.split_once('=')?.0.trim())).collect();
        let episodes = base.evaluation.episodes;
        let mut base = rungs.apply(base);
        if set.contains(&"evaluation.episodes") {
            base.evaluation.episodes = episodes;
        }
        let space = match &self.keys {
            // What all trials have is not searched.
            None => Space::declared(&base).without(&set),
            Some(keys) => {
                if let Some((key, _)) = keys.iter().find(|(key, _)| set.contains(&key.path)) {
                    return Err(TuneError::Twice { key: key.path.into() });
                }
                let dimensions = keys.iter().map(|(key, domain)| dimension(key, domain.as_ref()));
                Space::of(&base, dimensions.collect::<Result<_, _>>()?)
            }
        };
        let TuneFile { sampler, seed, jobs, budget, .. } = *self;
        let search = Search { space, sampler, seed, jobs, budget, rungs };
        search.check()?;
        Ok(search)
    }

    /// The rungs, where a trial is as long as `env_steps` unless the file says how long.
    pub(super) fn rungs(&self, env_steps: u64) -> Rungs {
        Rungs {
            env_steps: self.trial_env_steps.unwrap_or(env_steps),
            count: self.rungs,
            reduction: self.reduction,
            seeds: self.trial_seeds,
        }
    }
}

pub(super) fn dimension(key: &'static Key, domain: Option<&Domain>) -> Result<Dimension, TuneError> {
    if let Some(reason) = taken(key) {
        return Err(TuneError::NotSearched { key: key.path.into(), reason });
    }
    match (domain, key.tuning) {
        (Some(domain), _) => Ok(Dimension::named(key, domain.clone())?),
        (None, Some(tuning)) => Ok(Dimension { key, domain: Domain::declared(&tuning), when: tuning.when }),
        (None, None) => Err(TuneError::NotSearched {
            key: key.path.into(),
            reason: "has no values that are declared to be worth trying",
        }),
    }
}

/// Keys that a search sets itself, whatever its base has of them.
pub const OVERRULED: [&str; 4] =
    ["train.episodes", "train.seed", "evaluation.every_steps", "evaluation.every_episodes"];

/// Why a key is none to be searched.
fn taken(key: &Key) -> Option<&'static str> {
    let of_the_task = ["preset", "algo", "env.id"];
    if OVERRULED.contains(&key.path) || key.path == "train.env_steps" {
        return Some("is set by the search itself");
    }
    let decides_nothing = ["evaluation.", "checkpoint.", "log."].iter().any(|start| key.path.starts_with(start));
    if decides_nothing {
        return Some("does not change what is learned");
    }
    of_the_task.contains(&key.path).then_some("is what the search is for: it is set beside the keys")
}

/// The values to try that a TOML value stands for; `None` for those of the declaration.
///
/// # Errors
/// What is wrong, as the rest of a sentence that the key begins.
pub(super) fn domain(key: &Key, value: &Value) -> Result<Option<Domain>, String> {
    match value {
        Value::Array(values) if values.iter().enumerate().any(|(at, one)| values[..at].contains(one)) => {
            Err("names a value twice".into())
        }
        Value::Array(values) if values.iter().any(Value::is_integer) && values.iter().any(Value::is_float) => {
            Err("mixes whole numbers with others: write all of them with a point, or none".into())
        }
        Value::Array(values) if values.len() > 1 => Ok(Some(Domain::OneOf(values.clone()))),
        Value::Array(_) => Err("has fewer than two values to choose from".into()),
        Value::Table(table) => interval(key, table),
        _ => Err("has one value, which leaves nothing to search: put it into `set`".into()),
    }
}

fn interval(key: &Key, table: &toml::Table) -> Result<Option<Domain>, String> {
    const WORDS: [&str; 3] = ["low", "high", "scale"];
    if table.is_empty() {
        return Ok(None);
    }
    if let Some(word) = table.keys().find(|word| !WORDS.contains(&word.as_str())) {
        let near = crate::suggest::nearest(word, WORDS);
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("has no `{word}`: an interval has low, high and scale{near}"));
    }
    let end = |name: &str| {
        let value = table.get(name).ok_or_else(|| format!("has no `{name}`"))?;
        let number = value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
        number.filter(|number| number.is_finite()).ok_or_else(|| format!("has a `{name}` that is no number"))
    };
    let (low, high) = (end("low")?, end("high")?);
    let scale = match table.get("scale") {
        None => Scale::Linear,
        Some(value) => {
            let scale = value.clone().try_into();
            scale.map_err(|_| format!("has the scale {value}, and there are \"linear\", \"log\" and \"horizon\""))?
        }
    };
    if low >= high {
        return Err(format!("has a low of {low} and a high of {high}: nothing lies between them"));
    }
    if scale == Scale::Log && low <= 0.0 {
        return Err(format!("has a low of {low}, and a log scale begins above 0"));
    }
    if scale == Scale::Horizon && high >= 1.0 {
        return Err(format!("has a high of {high}, and a horizon scale ends below 1"));
    }
    if !is_whole(&key.value_type) {
        return Ok(Some(Domain::Number { low, high, scale }));
    }
    match (low.fract() == 0.0 && low >= 0.0, high.fract() == 0.0, scale) {
        (_, _, Scale::Horizon) => Err("is a whole number, which has no horizon".into()),
        (true, true, scale) => Ok(Some(Domain::Whole { low: low as u64, high: high as u64, scale })),
        _ => Err("is a whole number from 0, and so are its low and high".into()),
    }
}

fn is_whole(value_type: &ValueType) -> bool {
    matches!(value_type, ValueType::Whole { .. })
}
