//! [`in_plain_words`], messages of the TOML reader for users.

/// The message of a TOML reader without Rust's names of types.
pub(crate) fn in_plain_words(message: &str) -> String {
    let message = message.trim();
    let kinds = ["invalid type: ", "invalid value: ", "unknown variant "];
    let said = message
        .split_once(", expected ")
        .and_then(|(found, wanted)| Some((kinds.iter().find_map(|kind| found.strip_prefix(kind))?, wanted)));
    match said {
        Some((found, wanted)) => format!("{} is not {}", value(found), kind(wanted)),
        None => message.to_owned(),
    }
}

/// The value in ``integer `3` ``, or a description of one that is not shown.
fn value(found: &str) -> &str {
    match found {
        "sequence" => "a list",
        "map" => "a table",
        found => found.find(['`', '"']).map_or(found, |at| &found[at..]),
    }
}

fn kind(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or greater",
        "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "a borrowed string" => "text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        One,
        Two,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    #[allow(dead_code, reason = "only read")]
    struct Every {
        count: usize,
        seed: u64,
        number: f64,
        text: String,
        switch: bool,
        list: Vec<String>,
        table: BTreeMap<String, u32>,
        word: Option<Word>,
    }

    #[test]
    fn no_message_names_a_type_of_rust() {
        let table = [
            ("count = -1", "`-1` is not a whole number, 0 or greater"),
            ("seed = 1.5", "`1.5` is not a whole number, 0 or greater"),
            ("number = \"x\"", "\"x\" is not a number"),
            ("text = 3", "`3` is not text in quotes"),
            ("text = [3]", "a list is not text in quotes"),
            ("switch = 1", "`1` is not true or false"),
            ("list = \"a\"", "\"a\" is not a list"),
            ("table = 3", "`3` is not a table"),
            ("table = { a = true }", "`true` is not a whole number, 0 or greater"),
            ("word = \"oen\"", "`oen` is not `one` or `two`"),
        ];
        for (text, expected) in table {
            let error = toml::from_str::<Every>(text).expect_err(text);
            assert_eq!(in_plain_words(error.message()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_plain_stays() {
        for message in ["missing field `name`", "invalid array, expected `]`"] {
            assert_eq!(in_plain_words(message), message);
        }
    }
}
