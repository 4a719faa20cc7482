//! Reading a [`TuneFile`] from TOML.

use std::path::Path;

use requel_envs::EnvError;
use serde::Deserialize;
use toml::Value;
use toml::de::{DeTable, DeValue};

use super::file::{dimension, domain};
use super::search::check_numbers;
use super::{Sampler, SearchBudget, TuneError, TuneFile};
use crate::config::{
    ConfigError, KEYS, Key, Place, check_algorithm, check_assignments, check_preset, has_keys, in_plain_words,
};
use crate::registry::Registry;
use crate::storage::read_input;
use crate::study::{is_plain_name, not_plain};
use crate::suggest::nearest;

/// No search that a person could read is longer, bytes.
const MOST_BYTES: u64 = 1 << 20;

const FILE_KEYS: [&str; 12] =
    ["name", "description", "env", "preset", "algo", "set", "sampler", "seed", "jobs", "fresh", "budget", "trial"];
const BUDGET_KEYS: [&str; 3] = ["trials", "env_steps", "minutes"];
const TRIAL_KEYS: [&str; 4] = ["env_steps", "rungs", "reduction", "seeds"];

impl TuneFile {
    /// Reads a search file for a program with these environments.
    ///
    /// # Errors
    /// If it cannot be read, is of an environment that is not there, or as [`TuneFile::parse`].
    pub fn read(path: &Path, registry: &Registry) -> Result<Self, TuneError> {
        let text = read_input(path, MOST_BYTES).map_err(|source| TuneError::Read { path: path.into(), source })?;
        let source = path.display().to_string();
        let file = Self::parse(&source, &text)?;
        let known = file.env.as_ref().map_or(Ok(()), |env| registry.envs().option_specs(env).map(drop));
        match (known, DeTable::parse(&text)) {
            (Err(EnvError::UnknownId { id, suggestion }), Ok(table)) => {
                let place = Place::of_key(&source, &text, (table.get_ref(), "env"));
                Err(TuneError::UnknownEnv { id, place, suggestion })
            }
            (known, _) => Ok(known.map(|()| file)?),
        }
    }

    /// Reads a search from text; `source` says in errors where it is from.
    ///
    /// # Errors
    /// If the text is not TOML, or holds an unknown key, preset or algorithm, a value of the wrong type, or values to try that are
    /// none.
    pub fn parse(source: &str, text: &str) -> Result<Self, TuneError> {
        let origin = Origin { source, text };
        let syntax = |error: toml::de::Error| TuneError::Syntax {
            reason: in_plain_words(error.message()),
            place: origin.place(error.span().map_or(0, |span| span.start)),
        };
        let table = DeTable::parse(text).map_err(syntax)?;
        check_known(table.get_ref(), &origin)?;
        let raw: RawFile = toml::from_str(text).map_err(syntax)?;
        if let Some(name) = raw.name.as_ref().filter(|name| !is_plain_name(name)) {
            let reason = not_plain(name);
            return Err(TuneError::Syntax { reason, place: origin.place_of(table.get_ref(), "name") });
        }
        let default = TuneFile::default();
        let budget = match raw.budget {
            None => default.budget,
            Some(RawBudget { trials: Some(trials), env_steps: None, minutes: None }) => SearchBudget::Trials(trials),
            Some(RawBudget { trials: None, env_steps: Some(steps), minutes: None }) => SearchBudget::EnvSteps(steps),
            Some(RawBudget { trials: None, env_steps: None, minutes: Some(minutes) }) => SearchBudget::Minutes(minutes),
            Some(_) => {
                let reason = "a budget is one of `trials`, `env_steps` and `minutes`".into();
                return Err(TuneError::Syntax { reason, place: origin.place_of(table.get_ref(), "budget") });
            }
        };
        let mut found = Vec::new();
        let has_keys = match table.get_ref().get("keys").map(|keys| (keys.span(), keys.get_ref())) {
            None => false,
            Some((_, DeValue::Table(keys))) => {
                let values = raw.keys.and_then(|keys| keys.try_into().ok()).unwrap_or_default();
                origin.collect("", keys, &values, &mut found)?;
                true
            }
            Some((span, _)) => {
                let reason = "`keys` is a table: a line for each key, with the values to try".into();
                return Err(TuneError::Syntax { reason, place: origin.place(span.start) });
            }
        };
        if let Some(list) = table.get_ref().get("set") {
            check_assignments(list.get_ref(), |offset| origin.place(offset))?;
        }
        let at = |error: ConfigError, key| TuneError::from(error).at(origin.place_of(table.get_ref(), key));
        check_preset(raw.preset.as_deref()).map_err(|error| at(error, "preset"))?;
        check_algorithm(raw.algo.as_deref()).map_err(|error| at(error, "algo"))?;
        let is_set =
            |key: &Key| raw.set.iter().any(|one| one.split_once('=').is_some_and(|(of, _)| of.trim() == key.path));
        if let Some((key, _, place)) = found.iter().find(|(key, ..)| is_set(key)) {
            return Err(TuneError::Twice { key: key.path.into() }.at(place.clone()));
        }
        let file = TuneFile {
            name: raw.name,
            description: raw.description,
            env: raw.env,
            preset: raw.preset,
            algo: raw.algo,
            set: raw.set,
            sampler: raw.sampler,
            seed: raw.seed,
            jobs: raw.jobs.unwrap_or(default.jobs),
            budget,
            trial_env_steps: raw.trial.env_steps,
            rungs: raw.trial.rungs.unwrap_or(default.rungs),
            reduction: raw.trial.reduction.unwrap_or(default.reduction),
            trial_seeds: raw.trial.seeds.unwrap_or(default.trial_seeds),
            fresh: raw.fresh.unwrap_or(default.fresh),
            keys: has_keys.then(|| found.into_iter().map(|(key, domain, _)| (key, domain)).collect()),
        };
        let check = || {
            check_numbers(file.budget, file.jobs)?;
            // How long a trial is where the file does not say so is found out later.
            file.rungs(u64::MAX).check()
        };
        match check() {
            Err(TuneError::Number { what, value, complaint }) => {
                let of = |name: &str| match table.get_ref().get(name).map(|value| value.get_ref()) {
                    Some(DeValue::Table(inner)) => inner.iter().find(|(key, _)| key.get_ref() == what),
                    _ => None,
                };
                let inner = of("budget").or_else(|| of("trial")).map(|(key, _)| origin.place(key.span().start));
                let place = inner.unwrap_or_else(|| origin.place_of(table.get_ref(), what));
                Err(TuneError::Values { key: what.into(), reason: format!("is {value}, {complaint}"), place })
            }
            checked => checked.map(|()| file),
        }
    }
}

#[derive(Deserialize)]
struct RawFile {
    name: Option<String>,
    #[serde(default)]
    description: String,
    env: Option<String>,
    preset: Option<String>,
    algo: Option<String>,
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    sampler: Sampler,
    #[serde(default)]
    seed: u64,
    jobs: Option<usize>,
    fresh: Option<u64>,
    budget: Option<RawBudget>,
    #[serde(default)]
    trial: RawTrial,
    keys: Option<Value>,
}

#[derive(Deserialize)]
struct RawBudget {
    trials: Option<u64>,
    env_steps: Option<u64>,
    minutes: Option<f64>,
}

#[derive(Default, Deserialize)]
struct RawTrial {
    env_steps: Option<u64>,
    rungs: Option<u32>,
    reduction: Option<u64>,
    seeds: Option<u64>,
}

/// The text, for places in it.
struct Origin<'a> {
    source: &'a str,
    text: &'a str,
}

impl Origin<'_> {
    fn place(&self, offset: usize) -> Place {
        Place::at(self.source, self.text, offset)
    }

    fn place_of(&self, table: &DeTable<'_>, name: &str) -> Place {
        Place::of_key(self.source, self.text, (table, name))
    }

    /// The keys of the config below `path`, whose values are those of `values`.
    fn collect(
        &self,
        path: &str,
        table: &DeTable<'_>,
        values: &toml::Table,
        found: &mut Vec<(&'static Key, Option<super::Domain>, Place)>,
    ) -> Result<(), TuneError> {
        for (name, inner) in table {
            let at = || self.place(name.span().start);
            let path = if path.is_empty() { name.get_ref().to_string() } else { format!("{path}.{}", name.get_ref()) };
            let value = &values[name.get_ref().as_ref()];
            match (Key::of(&path), inner.get_ref(), value) {
                (Some(key), _, value) => {
                    let wrong = |reason| TuneError::Values { key: path.clone(), reason, place: at() };
                    let domain = domain(key, value).map_err(wrong)?;
                    // What is wrong with the values shows here, where their place is known.
                    dimension(key, domain.as_ref()).map_err(|error| match error {
                        TuneError::NotSearched { reason, .. } => wrong(reason.into()),
                        TuneError::Config(error) => match *error {
                            ConfigError::InvalidValue { reason, .. } => wrong(reason),
                            error => error.into(),
                        },
                        error => error,
                    })?;
                    found.push((key, domain, at()));
                }
                (None, DeValue::Table(inner), Value::Table(values)) if has_keys(&path) => {
                    self.collect(&path, inner, values, found)?;
                }
                (None, ..) => {
                    let suggestion = nearest(&path, KEYS.iter().map(|key| key.path));
                    return Err(TuneError::UnknownKey { key: path, place: at(), suggestion });
                }
            }
        }
        Ok(())
    }
}

/// Refuses the first key that means nothing.
fn check_known(file: &DeTable<'_>, origin: &Origin<'_>) -> Result<(), TuneError> {
    let unknown = |table: &DeTable<'_>, known: &[&str]| {
        let key = table.keys().find(|key| !known.contains(&key.get_ref().as_ref()))?;
        let suggestion = nearest(key.get_ref(), known.iter().copied());
        Some(TuneError::UnknownKey {
            key: key.get_ref().to_string(),
            place: origin.place(key.span().start),
            suggestion,
        })
    };
    let known: Vec<&str> = FILE_KEYS.into_iter().chain(["keys"]).collect();
    let inner = |name: &str, known: &[&str]| match file.get(name).map(|value| value.get_ref()) {
        Some(DeValue::Table(table)) => unknown(table, known),
        _ => None,
    };
    match unknown(file, &known).or_else(|| inner("budget", &BUDGET_KEYS)).or_else(|| inner("trial", &TRIAL_KEYS)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;
    use crate::tune::Search;

    fn search(text: &str) -> Result<Search, TuneError> {
        let base = Layers::new().preset("notebook").unwrap().resolve().unwrap();
        TuneFile::parse("mine.toml", text)?.search(&base)
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = "name = \"mine\"\nenv = \"CartPole-v1\"\npreset = \"notebook\"\nsampler = \"random\"\nseed = 3\njobs = 2\nfresh = 0\n\
                    [budget]\nenv_steps = 90_000\n[trial]\nenv_steps = 9_000\nrungs = 2\nreduction = 4\nseeds = 1\n\
                    [keys]\nagent.gamma = { low = 0.9, high = 0.99 }\n\"replay.batch_size\" = [32, 64]\n[keys.optimizer]\nlearning_rate = {}\n";
        // A dotted key in quotes is a name of its own in TOML.
        let text = text.replace("\"replay.batch_size\"", "replay.batch_size");
        let found = search(&text).unwrap();
        let keys: Vec<&str> = found.space.dimensions().iter().map(|one| one.key.path).collect();
        assert_eq!(keys, ["agent.gamma", "optimizer.learning_rate", "replay.batch_size"]);
        assert_eq!((found.budget, found.seed, found.jobs), (SearchBudget::EnvSteps(90_000), 3, 2));
        assert_eq!((found.rungs.count, found.rungs.reduction, found.rungs.seeds), (2, 4, 1));
        assert_eq!(found.space.start().train.env_steps, 9_000);
        assert_eq!(search("").unwrap().space.start().train.env_steps, 50_000, "episodes are no budget of a trial");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let table = [
            ("nmae = \"x\"", "unknown key `nmae` in mine.toml, line 1", Some("did you mean `name`?")),
            ("name = \"a/b\"", "`a/b` is not a valid name", None),
            ("name = \"\"", "`` is not a valid name", None),
            ("[budget]\ntrails = 3", "unknown key `trails` in mine.toml, line 2", Some("did you mean `trials`?")),
            ("[budget]\ntrials = 3\nminutes = 1", "a budget is one of", None),
            ("[budget]\ntrials = 0", "`trials` is 0, not between 1 and 10000, in mine.toml, line 2", None),
            ("[budget]\nminutes = -1.0", "`minutes` is -1, not above 0", None),
            ("\njobs = -1", "`-1` is not a whole number, 0 or greater, in mine.toml, line 2", None),
            ("seed = 1.5", "`1.5` is not a whole number, 0 or greater, in mine.toml, line 1", None),
            ("env = 3", "`3` is not text in quotes, in mine.toml, line 1", None),
            (
                "\npreset = \"notbook\"",
                "unknown preset `notbook`, in mine.toml, line 2",
                Some("did you mean `notebook`?"),
            ),
            (
                "\nalgo = \"rainbwo\"",
                "unknown algorithm `rainbwo`, in mine.toml, line 2",
                Some("did you mean `rainbow`?"),
            ),
            ("jobs = 0", "`jobs` is 0, not between 1 and 1024, in mine.toml, line 1", None),
            (
                "set = [\"agent.gama=1\"]",
                "unknown key `agent.gama` in mine.toml, line 1",
                Some("did you mean `agent.gamma`?"),
            ),
            (
                "set = [\n  \"agent.double=true\",\n  \"agent.gamma=2.0\",\n]",
                "`agent.gamma` is 2, not between 0 and 1, in mine.toml, line 3",
                Some("agent.gamma: discount"),
            ),
            ("set = [\"agent.gamma\"]", "`agent.gamma` has no `=`, in mine.toml, line 1", None),
            (
                "set = [\"agent.gamma=0.5\"]\n[keys]\nagent.gamma = {}",
                "`agent.gamma` is both in `set` and under `[keys]`, in mine.toml, line 3",
                Some("leave it"),
            ),
            ("[keys]\nreplay.batch_size = [32, 64.0]", "mixes whole numbers with others", None),
            ("sampler = \"grid\"", "`grid` is not `random` or `tpe`, in mine.toml, line 1", None),
            ("[trial]\nenv_steps = 10", "`env_steps` is 10, too few for so many rungs, in mine.toml, line 2", None),
            ("[trial]\nreduction = 1", "`reduction` is 1", None),
            ("keys = 3", "`keys` is a table", None),
            ("[keys]", "no key is searched", Some("name some under [keys]")),
            ("[keys]\nagent.gama = {}", "unknown key `agent.gama`", Some("did you mean `agent.gamma`?")),
            ("[keys]\nagent.gamma = 0.9", "`agent.gamma` has one value", Some("write { low")),
            ("[keys]\nagent.gamma = [0.9]", "fewer than two values", None),
            ("[keys]\nreplay.batch_size = [32, 64, 32]", "names a value twice", None),
            ("[keys]\nagent.gamma = { low = 0.9 }", "`agent.gamma` has no `high`, in mine.toml, line 2", None),
            ("[keys]\nagent.gamma = { low = 0.9, hgih = 1 }", "has no `hgih`", None),
            ("[keys]\nagent.gamma = { low = 0.9, high = 0.8 }", "nothing lies between", None),
            (
                "[keys]\nagent.gamma = { low = 0.9, high = 1.5 }",
                "`agent.gamma` is 1.5, not between 0 and 1, in mine.toml, line 2",
                None,
            ),
            ("[keys]\nagent.gamma = { low = 0.0, high = 0.8, scale = \"log\" }", "a log scale begins above 0", None),
            ("[keys]\nagent.gamma = { low = 0.0, high = 1, scale = \"horizon\" }", "ends below 1", None),
            ("[keys]\nagent.gamma = { low = 0.1, high = 0.8, scale = \"lgo\" }", "has the scale \"lgo\"", None),
            ("[keys]\nreplay.capacity = { low = 0.5, high = 3 }", "is a whole number", None),
            ("[keys]\nreplay.kind = [\"uniform\", \"best\"]", "cannot be \"best\"", None),
            ("[keys]\ntrain.seed = [1, 2]", "`train.seed` is set by the search itself", None),
            ("[keys]\nlog.every_steps = [1, 2]", "does not change what is learned", None),
            ("[keys]\nenv.id = [\"a\", \"b\"]", "is what the search is for", None),
            ("[keys]\nenv.frame_stack = {}", "has no values that are declared", None),
            ("env = ", "in mine.toml, line 1", None),
        ];
        for (text, expected, hint) in table {
            let error = search(text).expect_err(text);
            assert!(error.to_string().contains(expected), "{text}\n{error}");
            if let Some(hint) = hint {
                assert!(error.hint().is_some_and(|said| said.starts_with(hint)), "{text}\n{:?}", error.hint());
            }
        }
    }
}
