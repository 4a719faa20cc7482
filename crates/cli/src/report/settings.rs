//! The config as rows that mark differences from its preset.

use requel::config::{Config, KEYS, Layers};
use serde::Serialize;
use toml::{Table, Value};

/// One setting.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Dotted path.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The preset's value, if it differs.
    pub preset: Option<String>,
    /// Its meaning and unit.
    pub meaning: String,
}

/// All settings, in the order of the file, and the options of the environment.
pub fn rows(config: &Config) -> Vec<Row> {
    let ours = Table::try_from(config).unwrap_or_default();
    let layers = Layers::new().preset(&config.preset).and_then(|layers| match config.algo.as_str() {
        "" => Ok(layers),
        algo => layers.algorithm(algo),
    });
    let base = layers.and_then(|layers| layers.resolve()).unwrap_or_default();
    let theirs = Table::try_from(&base).unwrap_or_default();
    let mut rows: Vec<Row> = KEYS
        .iter()
        .filter(|key| !["preset", "algo"].contains(&key.path))
        .map(|key| {
            let (value, preset) = (lookup(&ours, key.path), lookup(&theirs, key.path));
            let preset = (value != preset).then_some(preset);
            Row { key: key.path.into(), value, preset, meaning: key.help() }
        })
        .collect();
    let options = config.env.options.iter();
    rows.extend(options.map(|(name, value)| Row {
        key: format!("env.options.{name}"),
        value: value.to_string(),
        preset: Some("-".into()),
        meaning: "option of the environment".into(),
    }));
    rows
}

fn lookup(table: &Table, path: &str) -> String {
    let mut value = None;
    let mut inner = Some(table);
    for name in path.split('.') {
        value = inner.and_then(|table| table.get(name));
        inner = value.and_then(Value::as_table);
    }
    value.map_or("-".into(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_the_preset_is_marked() {
        let layers = Layers::new().preset("notebook").unwrap().set("agent.gamma=0.95").unwrap();
        let layers = layers.set("env.options.sutton_barto_reward=true").unwrap();
        let rows = rows(&layers.resolve().unwrap());
        let marked: Vec<_> = rows.iter().filter(|row| row.preset.is_some()).map(|row| row.key.as_str()).collect();
        assert_eq!(marked, ["agent.gamma", "env.options.sutton_barto_reward"]);
        let gamma = rows.iter().find(|row| row.key == "agent.gamma").unwrap();
        assert_eq!((gamma.value.as_str(), gamma.preset.as_deref()), ("0.95", Some("0.9")));
    }
}
