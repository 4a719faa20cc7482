//! The JSON schema of a [`Config`].

use serde_json::{Value, json};

use super::{Config, Key, Range, SECTIONS, ValueType};

/// The vocabulary that the schema is written in.
const VOCABULARY: &str = "https://json-schema.org/draft/2020-12/schema";

impl Config {
    /// The JSON schema (draft 2020-12) of a config file, for editors and for programs that write configs: every key with its type, range,
    /// default and meaning. No key is required, since a key missing from a file comes from the preset or has its default.
    ///
    /// A schema cannot express everything; [`Config::check`] does the rest: the [rules between keys](crate::config::RULES), and the few
    /// numbers within a range that single precision rounds to its edge.
    ///
    /// ```
    /// let schema = requel::Config::json_schema();
    /// assert_eq!(schema["properties"]["agent"]["properties"]["gamma"]["maximum"], 1.0);
    /// ```
    pub fn json_schema() -> Value {
        let mut properties = serde_json::Map::new();
        for section in SECTIONS {
            let mut keys: serde_json::Map<String, Value> =
                section.keys.iter().map(|key| (key.name().into(), of_key(key))).collect();
            if section.name.is_empty() {
                properties.append(&mut keys);
                continue;
            }
            if section.name == "env" {
                let options =
                    json!({ "type": "object", "description": "options of the environment, see `requel envs ID`" });
                keys.insert("options".into(), options);
            }
            properties.insert(section.name.into(), object(section.about, keys));
        }
        let mut schema = object("Everything that decides the result of a training run.", properties);
        schema["$schema"] = VOCABULARY.into();
        schema["title"] = "requel config".into();
        schema
    }
}

fn object(about: &str, properties: serde_json::Map<String, Value>) -> Value {
    json!({ "type": "object", "description": about, "properties": properties, "additionalProperties": false })
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_type(&key.value_type, key.range);
    schema["description"] = key.help().into();
    if let Some(default) = key.default().and_then(|default| serde_json::to_value(default).ok()) {
        schema["default"] = default;
    }
    schema
}

fn of_type(value_type: &ValueType, range: Range) -> Value {
    match value_type {
        ValueType::Switch => json!({ "type": "boolean" }),
        ValueType::Text => json!({ "type": "string" }),
        ValueType::Word(words) => json!({ "enum": words.iter().map(|word| word.word).collect::<Vec<_>>() }),
        ValueType::Whole { most } => {
            // TOML integers have the range of an `i64`.
            let mut schema = json!({ "type": "integer", "minimum": 0, "maximum": most.min(&(i64::MAX as u64)) });
            limit(&mut schema, range);
            schema
        }
        ValueType::Number => {
            let mut schema = json!({ "type": "number" });
            limit(&mut schema, range);
            schema
        }
        ValueType::List(of) => json!({ "type": "array", "items": of_type(of, range) }),
        ValueType::Tuple { names, of } => {
            json!({ "type": "array", "items": of_type(of, range), "minItems": names.len(), "maxItems": names.len() })
        }
        ValueType::Either(types) => {
            json!({ "anyOf": types.iter().map(|one| of_type(one, range)).collect::<Vec<_>>() })
        }
    }
}

/// Adds the conditions of a range on a number.
fn limit(schema: &mut Value, range: Range) {
    match range {
        Range::OfType | Range::Any => {}
        Range::Whole(low, high) => {
            schema["minimum"] = low.into();
            if high < u64::MAX {
                schema["maximum"] = high.into();
            }
        }
        Range::Share => between(schema, 0.0, 1.0),
        Range::Decay => {
            schema["minimum"] = 0.0.into();
            schema["exclusiveMaximum"] = 1.0.into();
        }
        Range::Between(low, high) => between(schema, low, high),
        Range::ZeroOr(low, high) => {
            let mut above = json!({});
            between(&mut above, low, high);
            schema["anyOf"] = json!([{ "const": 0.0 }, above]);
        }
        Range::NotAboveZero(low) => between(schema, low, 0.0),
        Range::UpTo(size) => between(schema, -size, size),
    }
}

/// JSON has no infinity: ranges up to it have no maximum.
fn between(schema: &mut Value, low: f64, high: f64) {
    schema["minimum"] = low.into();
    if high.is_finite() {
        schema["maximum"] = high.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KEYS, Layers, algorithms, presets};

    /// Whether a value is as a schema wants it, by the keywords that are used here and no others.
    fn keeps(schema: &Value, value: &Value) -> bool {
        // What counts on the type comes after it.
        let is_of_type = schema.get("type").is_none_or(|kind| is_of(kind.as_str().unwrap(), value));
        is_of_type
            && schema.as_object().unwrap().iter().all(|(keyword, wanted)| match keyword.as_str() {
                "enum" => wanted.as_array().unwrap().contains(value),
                "const" => value.as_f64() == wanted.as_f64(),
                "minimum" => value.as_f64().is_some_and(|number| number >= wanted.as_f64().unwrap()),
                "maximum" => value.as_f64().is_some_and(|number| number <= wanted.as_f64().unwrap()),
                "exclusiveMaximum" => value.as_f64().is_some_and(|number| number < wanted.as_f64().unwrap()),
                "items" => value.as_array().unwrap().iter().all(|item| keeps(wanted, item)),
                "minItems" => value.as_array().unwrap().len() as u64 >= wanted.as_u64().unwrap(),
                "maxItems" => value.as_array().unwrap().len() as u64 <= wanted.as_u64().unwrap(),
                "anyOf" => wanted.as_array().unwrap().iter().any(|one| keeps(one, value)),
                "properties" => {
                    let given = value.as_object().unwrap();
                    given.iter().all(|(name, value)| wanted.get(name).is_none_or(|schema| keeps(schema, value)))
                }
                "additionalProperties" => {
                    let known = schema["properties"].as_object().unwrap();
                    value.as_object().unwrap().keys().all(|name| known.contains_key(name))
                }
                "type" | "$schema" | "title" | "description" | "default" => true,
                unknown => panic!("the schema uses `{unknown}`"),
            })
    }

    fn is_of(kind: &str, value: &Value) -> bool {
        match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "boolean" => value.is_boolean(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            kind => panic!("the schema uses type `{kind}`"),
        }
    }

    /// A TOML text as JSON.
    fn json(text: &str) -> Value {
        serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
    }

    #[test]
    fn presets_and_algorithms_keep_the_schema() {
        let schema = Config::json_schema();
        for preset in presets::all() {
            assert!(keeps(&schema, &json(preset.toml)), "{}", preset.name);
            let config = Layers::new().preset(preset.name).unwrap().resolve().unwrap();
            assert!(keeps(&schema, &json(&toml::to_string(&config).unwrap())), "{}", preset.name);
        }
        algorithms::all().iter().for_each(|one| assert!(keeps(&schema, &json(one.toml)), "{}", one.name));
    }

    #[test]
    fn what_is_no_key_or_out_of_range_does_not() {
        let schema = Config::json_schema();
        for wrong in [
            "gamma = 0.9",
            "[agent]\ngama = 0.9",
            "[agent]\ngamma = 1.5",
            "[agent]\nkind = \"dqnn\"",
            "[agent]\nvalue_clip = [1.0]",
            "[agent]\nvalue_clip = \"sometimes\"",
            "[agent]\ndouble = \"yes\"",
            "[network]\nhidden = [0]",
            "[network]\nconv = [[16, 3]]",
            "[optimizer]\nbeta1 = 1",
            "[optimizer]\nmax_gradient_norm = -1",
            "[replay]\ncapacity = 1.5",
            "[checkpoint]\nkeep = 1",
        ] {
            assert!(!keeps(&schema, &json(wrong)), "{wrong}");
        }
        for right in
            ["[agent]\nvalue_clip = [-1, 2.5]", "[env.options]\nrows = 7", "[optimizer]\nmax_gradient_norm = 0"]
        {
            assert!(keeps(&schema, &json(right)), "{right}");
        }
    }

    /// A value that the schema refuses for a single key is refused when set, and vice versa except for rules that a schema cannot express.
    #[test]
    fn the_schema_and_the_checks_agree_on_every_key() {
        let schema = Config::json_schema();
        let numbers = ["-1", "0", "1", "2", "0.5", "1.0", "1e-50", "1e20", "1e39", "-1e39", "5000000000"];
        let others = ["true", "\"auto\"", "\"dqn\"", "[]", "[0]", "[1, 2]", "[[8, 3, 1]]", "[[8, 0, 1]]"];
        let mut agreed = 0;
        for key in KEYS.iter().filter(|key| key.path != "preset" && key.path != "algo") {
            for value in numbers.into_iter().chain(others) {
                let set = || Layers::new().set(&format!("{}={value}", key.path))?.resolve();
                let (section, name) = key.path.split_once('.').unwrap();
                let is_kept = keeps(&schema, &json(&format!("[{section}]\n{name} = {value}\n")));
                match set() {
                    Ok(_) => assert!(is_kept, "{} = {value} is taken", key.path),
                    // What is at odds with other keys, or rounded away, is said with more than the range.
                    Err(error) if is_kept => {
                        let said = error.to_string();
                        let beyond =
                            said.contains("` is ") || said.contains("single precision") || said.contains("neither 0");
                        assert!(beyond, "{said}");
                        continue;
                    }
                    Err(_) => {}
                }
                agreed += 1;
            }
        }
        assert!(agreed > 10 * KEYS.len(), "{agreed}");
    }
}
