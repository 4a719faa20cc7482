//! [`Given`], a value from another library's file.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// None, null, nothing.
    Nothing,
    /// True or false.
    Switch(bool),
    /// A whole number.
    Whole(i64),
    /// Another number.
    Number(f64),
    /// Text, names of Python's classes included.
    Text(String),
    /// A list or a tuple.
    List(Vec<Given>),
    /// Values by name, in the file's order.
    Map(Vec<(String, Given)>),
}

impl Given {
    /// The meaning of a bare word, the same in YAML and in Python.
    pub fn of_word(word: &str) -> Self {
        match word {
            "" | "~" | "null" | "Null" | "NULL" | "None" => return Given::Nothing,
            "true" | "True" | "TRUE" => return Given::Switch(true),
            "false" | "False" | "FALSE" => return Given::Switch(false),
            _ => {}
        }
        let plain = word.replace('_', "");
        let is_number = plain.trim_start_matches(['-', '+', '.']).starts_with(|c: char| c.is_ascii_digit());
        match (plain.parse(), plain.parse::<f64>()) {
            (Ok(whole), _) if is_number => Given::Whole(whole),
            (_, Ok(number)) if is_number && number.is_finite() => Given::Number(number),
            _ => Given::Text(word.into()),
        }
    }

    /// As a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Given::Whole(whole) => Some(*whole as f64),
            Given::Number(number) => Some(*number),
            Given::Text(text) => match Given::of_word(text) {
                Given::Text(_) => None,
                given => given.number(),
            },
            _ => None,
        }
    }

    /// As a whole number; 1e5 is one.
    pub fn whole(&self) -> Option<i64> {
        self.number().filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64)
    }

    /// As it would be written.
    pub fn shown(&self) -> String {
        match self {
            Given::Nothing => "None".into(),
            Given::Switch(switch) => switch.to_string(),
            Given::Whole(whole) => whole.to_string(),
            Given::Number(number) => number.to_string(),
            Given::Text(text) => text.clone(),
            Given::List(items) => format!("[{}]", items.iter().map(Given::shown).collect::<Vec<_>>().join(", ")),
            Given::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(|(name, value)| format!("{name}={}", value.shown())).collect();
                format!("dict({})", entries.join(", "))
            }
        }
    }
}
