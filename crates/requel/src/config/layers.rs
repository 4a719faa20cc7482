//! Building a [`Config`] from layers: preset, then file, then `--set`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::Value;
use toml::de::DeTable;

use super::text::{Leaf, is_section, leaves};
use super::values::{self, assign, defaults, fit};
use super::{Config, ConfigError, Fault, KEYS, Key, Place, algorithms, fault, names, presets, unused};
use crate::storage::read_input;
use crate::suggest::nearest;

/// The maximum length of a config text, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// A config under construction: later layers override earlier ones, and each key remembers where it was set.
///
/// The preset is the lowest layer, wherever it is named: by [`Layers::preset`], by `preset = "…"` in a text, or by a setting. There can be
/// only one; naming a second is an error. If a text sets every key, as the config that a run keeps does, the preset has no effect: its name
/// is then only a label, which need not be known. The same holds for the algorithm, the layer above the preset.
///
/// ```
/// use requel::config::Layers;
///
/// let config = Layers::new().preset("notebook")?.set("train.seed=7")?.resolve()?;
/// assert_eq!(config.agent.gamma, 0.9);
/// assert_eq!(config.train.seed, 7);
/// assert_eq!(Layers::new().set("train.seed=7")?.set("preset=notebook")?.resolve()?, config);
///
/// let error = Layers::new().set("replay.capcity=10").unwrap_err();
/// assert_eq!(error.hint().as_deref(), Some("did you mean `replay.capacity`?"));
/// # Ok::<(), requel::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layers {
    base: Option<Beneath>,
    algorithm: Option<Beneath>,
    /// A text that sets every key.
    complete: Option<Place>,
    settings: Settings,
    layers: usize,
}

/// Value, place and number of the layer, by key.
type Settings = BTreeMap<String, (Value, Place, usize)>;

/// A preset or an algorithm, below all other layers.
#[derive(Clone, Debug, PartialEq)]
struct Beneath {
    name: String,
    place: Place,
    /// Empty if a complete text sets every key.
    settings: Settings,
}

/// How the `preset` of a text is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As the preset to start from, unless the text is complete.
    Layer,
    /// As a label, even if keys are missing because an earlier version did not have them: those get their defaults.
    Record,
}

/// What `preset = "…"` means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Start from it.
    Order,
    /// A label in a text that sets every key.
    Label,
}

impl Layers {
    /// No layer: all keys at their defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts from the preset called `name`; `default` is the preset in which all keys have their defaults.
    ///
    /// # Errors
    /// [`ConfigError::UnknownPreset`], or [`ConfigError::InvalidValue`] if another was named before.
    pub fn preset(mut self, name: &str) -> Result<Self, ConfigError> {
        let place = Place { source: format!("preset {name}"), line: None };
        if presets::known(name) {
            self.start_from(name, place)?;
            return Ok(self);
        }
        let suggestion = nearest(name, presets::all().iter().map(|p| p.name));
        Err(ConfigError::UnknownPreset { name: name.into(), place: None, suggestion })
    }

    /// The preset named so far.
    pub fn named_preset(&self) -> Option<&str> {
        self.base.as_ref().map(|base| base.name.as_str())
    }

    /// Adds the algorithm called `name` above the preset and below all other layers: the keys that define it.
    ///
    /// ```
    /// use requel::config::Layers;
    ///
    /// let config = Layers::new().preset("cartpole")?.algorithm("double-dqn")?.resolve()?;
    /// assert!(config.agent.double && config.replay.capacity == 200_000);
    /// assert_eq!(Layers::new().set("preset=cartpole")?.set("algo=double-dqn")?.resolve()?, config);
    /// # Ok::<(), requel::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::UnknownAlgorithm`], or [`ConfigError::InvalidValue`] if another was named before, or a text sets every key.
    pub fn algorithm(mut self, name: &str) -> Result<Self, ConfigError> {
        let place = Place { source: format!("algorithm {name}"), line: None };
        if algorithms::get(name).is_none() {
            return Err(unknown_algorithm(name, None));
        }
        self.lay_over(name, place)?;
        Ok(self)
    }

    /// The algorithm named so far.
    pub fn named_algorithm(&self) -> Option<&str> {
        self.algorithm.as_ref().map(|algorithm| algorithm.name.as_str())
    }

    /// The text to which the preset sets a key.
    pub fn preset_says(&self, key: &str) -> Option<&str> {
        self.base.as_ref()?.settings.get(key)?.0.as_str()
    }

    /// These layers without some keys of the preset.
    pub fn without_the_presets(mut self, keys: &[&str]) -> Self {
        if let Some(base) = &mut self.base {
            base.settings.retain(|key, _| !keys.contains(&key.as_str()));
        }
        self
    }

    /// The text to which a layer above preset and algorithm sets a key.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.settings.get(key).and_then(|(value, _, _)| value.as_str())
    }

    /// Adds a TOML file, or the pipe behind `/dev/stdin`, of at most 1 MiB.
    ///
    /// # Errors
    /// [`ConfigError`] with the file's line.
    pub fn file(self, path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        self.read_text(&path.display().to_string(), &text, Reading::Layer)
    }

    /// Adds the config that a run wrote into its directory. It determines what was trained, even if its preset has changed since.
    ///
    /// # Errors
    /// [`ConfigError`] with the file's line.
    pub fn record(self, path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        self.record_text(&path.display().to_string(), &text)
    }

    /// Like [`record`](Self::record), from text that was already read; errors name `source` as its origin.
    ///
    /// # Errors
    /// [`ConfigError`] with the text's line.
    pub fn record_text(self, source: &str, text: &str) -> Result<Self, ConfigError> {
        self.read_text(source, text, Reading::Record)
    }

    /// Adds TOML text; errors name `source` as its origin.
    ///
    /// # Errors
    /// [`ConfigError`] with the text's line.
    pub fn text(self, source: &str, text: &str) -> Result<Self, ConfigError> {
        self.read_text(source, text, Reading::Layer)
    }

    /// Adds one `key=value`; the value is TOML, or a bare word.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn set(self, assignment: &str) -> Result<Self, ConfigError> {
        self.set_from("--set", assignment)
    }

    /// Like [`set`](Self::set); errors name `source` as its origin.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn set_from(self, source: &str, assignment: &str) -> Result<Self, ConfigError> {
        self.set_at(Place { source: source.into(), line: None }, assignment)
    }

    /// Like [`set_from`](Self::set_from), with a place that may have a line.
    pub(super) fn set_at(mut self, place: Place, assignment: &str) -> Result<Self, ConfigError> {
        self.layers += 1;
        let Some((key, value)) = assignment.split_once('=') else {
            let reason = format!("`{assignment}` has no `=`");
            return Err(ConfigError::Syntax { reason, place });
        };
        let key = key.trim().to_owned();
        let text = format!("v = {value}");
        let parsed = match DeTable::parse(&text).as_ref().map(|table| (table.get_ref().len(), table.get_ref().get("v")))
        {
            Ok((1, Some(parsed))) => values::plain(parsed.get_ref()),
            _ => Ok(Value::String(value.trim().into())),
        };
        let value =
            parsed.map_err(|reason| ConfigError::InvalidValue { key: key.clone(), reason, place: place.clone() })?;
        match key.as_str() {
            "preset" => self.name_preset(value, place, Meaning::Order)?,
            "algo" => self.name_algorithm(value, place, Meaning::Order)?,
            _ => self.insert(key, value, place)?,
        }
        Ok(self)
    }

    /// Where `key` was set, if any layer sets it.
    pub fn place(&self, key: &str) -> Option<&Place> {
        match key {
            "preset" => self.base.as_ref().map(|base| &base.place),
            "algo" => self.algorithm.as_ref().map(|algorithm| &algorithm.place),
            _ => self.setting(key).map(|(_, place, _)| place),
        }
    }

    /// The config, complete and checked.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] for a value that is out of range or conflicts with another.
    pub fn resolve(&self) -> Result<Config, ConfigError> {
        let mut table = defaults();
        let beneath = self.base.iter().chain(&self.algorithm).flat_map(|beneath| &beneath.settings);
        for (key, (value, ..)) in beneath.chain(&self.settings) {
            assign(&mut table, key, value.clone());
        }
        if let Some(name) = self.named_preset() {
            assign(&mut table, "preset", Value::String(name.into()));
        }
        if let Some(name) = self.named_algorithm() {
            assign(&mut table, "algo", Value::String(name.into()));
        }
        let config: Config = table.try_into().map_err(|e: toml::de::Error| ConfigError::Syntax {
            reason: e.message().to_owned(),
            place: default_place(),
        })?;
        fault(&config).map_err(|Fault { keys, reason }| self.invalid(keys, reason))?;
        Ok(config)
    }

    /// The error for an invalid key. `keys` are that key and any others that it conflicts with; the place is where one of them was last
    /// set. `reason` is the rest of a sentence that starts with the first key.
    pub fn invalid(&self, keys: &[&str], reason: String) -> ConfigError {
        let latest = keys.iter().filter_map(|key| self.setting(key)).max_by_key(|(.., layer)| *layer);
        let place = latest.map_or_else(default_place, |(_, place, _)| place.clone());
        ConfigError::InvalidValue { key: keys.first().copied().unwrap_or_default().into(), reason, place }
    }

    /// The settings above preset and algorithm that have no effect in `config`, which these layers resolve to: the reason, as [`unused()`]
    /// gives it, and where the key was set. A text that sets every key, such as the config of a run, means none of them in particular,
    /// and of one that sets some, what differs from its preset is meant.
    ///
    /// ```
    /// use requel::config::Layers;
    ///
    /// let layers = Layers::new().preset("dqn")?.text("mine.toml", "[head]\natoms = 21\n")?;
    /// let [(why, place)] = &layers.unused(&layers.resolve()?)[..] else { panic!("one setting has no effect") };
    /// assert_eq!(why, "`head.atoms` has no effect while `head.kind` is \"scalar\"");
    /// assert_eq!(place.to_string(), "mine.toml, line 2: `atoms = 21`");
    /// # Ok::<(), requel::config::ConfigError>(())
    /// ```
    pub fn unused(&self, config: &Config) -> Vec<(String, Place)> {
        let is_meant = |place: &Place| self.complete.as_ref().is_none_or(|complete| complete.source != place.source);
        // Nor does a file mean what it leaves as its preset has it: it may be a listing of all keys that somebody shortened.
        let defaults = defaults();
        let below = |key: &str| self.base.as_ref().and_then(|base| base.settings.get(key)).map(|(value, ..)| value);
        let is_default =
            |key: &str, value: &Value| below(key).or_else(|| values::assigned(&defaults, key)) == Some(value);
        let meant = self
            .settings
            .iter()
            .filter(|(key, (value, place, _))| is_meant(place) && (place.line.is_none() || !is_default(key, value)));
        meant.filter_map(|(key, (_, place, _))| Some((unused(config, key)?, place.clone()))).collect()
    }

    /// What the layers above presets and algorithms set, by key.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.settings.iter().map(|(key, (value, ..))| (key.as_str(), value))
    }

    fn setting(&self, key: &str) -> Option<&(Value, Place, usize)> {
        let beneath = self.algorithm.iter().chain(&self.base).find_map(|beneath| beneath.settings.get(key));
        self.settings.get(key).or(beneath)
    }

    fn read_text(mut self, source: &str, text: &str, reading: Reading) -> Result<Self, ConfigError> {
        self.layers += 1;
        let leaves = leaves(source, text)?;
        let said: BTreeSet<&str> = leaves.iter().map(|leaf| leaf.path.as_str()).collect();
        let is_complete = || KEYS.iter().all(|key| values::may_be_absent(key.path) || said.contains(key.path));
        let meaning = if reading == Reading::Record || is_complete() { Meaning::Label } else { Meaning::Order };
        if meaning == Meaning::Label {
            let label =
                leaves.iter().find(|leaf| leaf.path == "algo").and_then(|leaf| leaf.value.as_ref().ok()?.as_str());
            let place = Place { source: source.into(), line: None };
            if let Some(named) = self.algorithm.as_ref().filter(|named| Some(named.name.as_str()) != label) {
                return Err(nothing_left_for(&named.name, &place, named.place.clone()));
            }
            self.complete = Some(place);
        }
        for Leaf { path, value, place } in leaves {
            if !is_section(&path) {
                known(&path, &place)?;
            }
            match value {
                Err(reason) => return Err(ConfigError::InvalidValue { key: path, reason, place }),
                Ok(value) if path == "preset" => self.name_preset(value, place, meaning)?,
                Ok(value) if path == "algo" => self.name_algorithm(value, place, meaning)?,
                Ok(value) => self.insert(path, value, place)?,
            }
        }
        Ok(self)
    }

    fn name_preset(&mut self, value: Value, place: Place, meaning: Meaning) -> Result<(), ConfigError> {
        let name = name_in(value, "preset", &place)?;
        if meaning == Meaning::Order && !presets::known(&name) {
            let suggestion = nearest(&name, presets::all().iter().map(|p| p.name));
            return Err(ConfigError::UnknownPreset { name, place: Some(place), suggestion });
        }
        self.start_from(&name, place)?;
        if let Some(base) = self.base.as_mut().filter(|_| meaning == Meaning::Label) {
            base.settings.clear();
        }
        Ok(())
    }

    fn start_from(&mut self, name: &str, place: Place) -> Result<(), ConfigError> {
        if let Some(base) = &self.base {
            return if base.name == name { Ok(()) } else { Err(second_name("preset", name, base, place)) };
        }
        let settings = match presets::get(name) {
            Some(preset) => Layers::new().text(&format!("preset {name}"), preset.toml)?.settings,
            None => Settings::new(),
        };
        self.base = Some(Beneath { name: name.into(), place, settings: of_layer(settings, 0) });
        Ok(())
    }

    fn name_algorithm(&mut self, value: Value, place: Place, meaning: Meaning) -> Result<(), ConfigError> {
        let name = name_in(value, "algo", &place)?;
        if meaning == Meaning::Order {
            if algorithms::get(&name).is_none() {
                return Err(unknown_algorithm(&name, Some(place)));
            }
            return self.lay_over(&name, place);
        }
        self.algorithm = (!name.is_empty()).then(|| Beneath { name, place, settings: Settings::new() });
        Ok(())
    }

    fn lay_over(&mut self, name: &str, place: Place) -> Result<(), ConfigError> {
        match (&self.algorithm, &self.complete) {
            (Some(algorithm), _) if algorithm.name == name => return Ok(()),
            (Some(algorithm), _) => return Err(second_name("algo", name, algorithm, place)),
            (None, Some(complete)) => return Err(nothing_left_for(name, complete, place)),
            (None, None) => {}
        }
        let settings = match algorithms::get(name) {
            Some(algorithm) => Layers::new().text(&format!("algorithm {name}"), algorithm.toml)?.settings,
            None => Settings::new(),
        };
        self.algorithm = Some(Beneath { name: name.into(), place, settings: of_layer(settings, 0) });
        Ok(())
    }

    fn insert(&mut self, key: String, value: Value, place: Place) -> Result<(), ConfigError> {
        known(&key, &place)?;
        let value = match fit(&key, value) {
            Ok(value) => value,
            Err(reason) => return Err(ConfigError::InvalidValue { key, reason, place }),
        };
        self.settings.insert(key, (value, place, self.layers));
        Ok(())
    }
}

fn of_layer(settings: Settings, layer: usize) -> Settings {
    settings.into_iter().map(|(key, (value, place, _))| (key, (value, place, layer))).collect()
}

fn name_in(value: Value, key: &str, place: &Place) -> Result<String, ConfigError> {
    match value {
        Value::String(name) => Ok(name),
        value => {
            let what = if key == "preset" { "a preset" } else { "an algorithm" };
            let reason = format!("cannot be {}: it takes the name of {what} in quotes", values::shown(&value));
            Err(ConfigError::InvalidValue { key: key.into(), reason, place: place.clone() })
        }
    }
}

fn second_name(key: &str, name: &str, first: &Beneath, place: Place) -> ConfigError {
    let what = if key == "preset" { "can start from only one preset" } else { "can have only one algorithm" };
    let reason = format!("is \"{name}\", but {} already names `{}`: a config {what}", first.place, first.name);
    ConfigError::InvalidValue { key: key.into(), reason, place }
}

fn nothing_left_for(algorithm: &str, complete: &Place, place: Place) -> ConfigError {
    let reason = format!("is \"{algorithm}\", but {complete} sets every key, so an algorithm would change nothing");
    ConfigError::InvalidValue { key: "algo".into(), reason, place }
}

fn unknown_algorithm(name: &str, place: Option<Place>) -> ConfigError {
    let suggestion = nearest(name, algorithms::all().iter().map(|algorithm| algorithm.name));
    ConfigError::UnknownAlgorithm { name: name.into(), place, suggestion }
}

/// Whether there is such a key.
fn known(key: &str, place: &Place) -> Result<(), ConfigError> {
    let is_option = key.strip_prefix("env.options.").is_some_and(|name| !name.is_empty() && !name.contains('.'));
    if is_option || Key::of(key).is_some() {
        return Ok(());
    }
    if is_section(key) {
        let reason = "is a section: set its keys one by one".into();
        return Err(ConfigError::InvalidValue { key: key.into(), reason, place: place.clone() });
    }
    Err(ConfigError::UnknownKey { key: key.into(), place: place.clone(), suggestion: names::meant(key) })
}

fn default_place() -> Place {
    Place { source: "the defaults".into(), line: None }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    read_input(path, MOST_BYTES).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_effect_is_said_of_what_was_set_and_of_nothing_else() {
        let said = |layers: Layers| {
            let found = layers.unused(&layers.resolve().unwrap());
            found.into_iter().map(|(why, place)| format!("{why}, in {place}")).collect::<Vec<_>>()
        };
        let dqn = || Layers::new().preset("dqn").unwrap();
        let text = "[replay]\nbatch_size = 16\npriority_cap = 2.0\n[pqn]\nlambda = 0.5\n";
        let expected = [
            "`pqn.lambda` has no effect while `agent.kind` is \"dqn\", in mine.toml, line 5: `lambda = 0.5`",
            "`replay.priority_cap` has no effect while `replay.kind` is \"uniform\", in mine.toml, line 3: `priority_cap = 2.0`",
        ];
        assert_eq!(said(dqn().text("mine.toml", text).unwrap()), expected);
        // What decides may come later, and what a preset or an algorithm says is nobody's.
        assert_eq!(said(dqn().text("mine.toml", text).unwrap().set("agent.name=own").unwrap()), [""; 0]);
        for preset in presets::all() {
            assert_eq!(said(Layers::new().preset(preset.name).unwrap()), [""; 0], "{}", preset.name);
        }
        // The whole config of a run is one text; what is set over it counts.
        let whole = toml::to_string(&dqn().resolve().unwrap()).unwrap();
        assert_eq!(said(Layers::new().text("run/config.toml", &whole).unwrap()), [""; 0]);
        let over = Layers::new().record_text("run/config.toml", &whole).unwrap().set("pqn.lambda=0.5").unwrap();
        let mut shortened: toml::Table = toml::from_str(&whole).unwrap();
        shortened["head"].as_table_mut().unwrap().remove("cosines");
        shortened["pqn"]["lambda"] = 0.5.into();
        let shortened = toml::to_string(&shortened).unwrap();
        let found = said(Layers::new().text("mine.toml", &shortened).unwrap());
        assert!(found.len() == 1 && found[0].starts_with("`pqn.lambda` has no effect"), "{found:?}");
        assert_eq!(said(over), ["`pqn.lambda` has no effect while `agent.kind` is \"dqn\", in --set"]);
    }

    #[test]
    fn errors_say_what_where_and_what_to_try() {
        let error = Layers::new().text("my.toml", "[agent]\n  gama = 0.9\n").unwrap_err();
        assert_eq!(error.to_string(), "unknown key `agent.gama` in my.toml, line 2: `gama = 0.9`");
        assert_eq!(error.hint().unwrap(), "did you mean `agent.gamma`?");
        let error = Layers::new().set("agent.gamma=2").unwrap().resolve().unwrap_err();
        assert_eq!(error.to_string(), "`agent.gamma` is 2, not between 0 and 1, in --set");
        assert_eq!(error.hint().unwrap(), "agent.gamma: discount factor, 0 to 1 [per environment step]");
        let error = Layers::new().set("agent.gamma").unwrap_err();
        assert_eq!(error.to_string(), "`agent.gamma` has no `=`, in --set");
        assert_eq!(error.hint().unwrap(), "write it as `--set section.key=value`");
    }
}
