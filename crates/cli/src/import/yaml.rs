//! YAML as [`Given`], JSON included.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::given::Given;

/// More values than any file of hyperparameters has: nested aliases could expand to billions.
const MOST_VALUES: usize = 100_000;
/// The maximum depth of nesting in hyperparameters.
const DEEPEST: usize = 32;

/// Reads the first document of a text.
///
/// # Errors
/// The error, with its line.
pub fn read(text: &str) -> Result<Given, String> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), values: 0, depth: 0 };
    loop {
        match reader.next()? {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(Given::Nothing),
            event => return reader.value(event),
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    /// The values of aliases, each with the number of values in it.
    anchors: HashMap<usize, (Given, usize)>,
    values: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Event<'t>, String> {
        match self.parser.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(format!("{}, line {}", error.info(), error.marker().line())),
            None => Err("the text ends too early".into()),
        }
    }

    fn value(&mut self, event: Event<'t>) -> Result<Given, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("values are nested more than {DEEPEST} deep"));
        }
        let before = self.values;
        self.count(1)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = if style == ScalarStyle::Plain { Given::of_word(&text) } else { Given::Text(text.into()) };
                (value, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence()?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping()?, anchor),
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).cloned().ok_or("an alias comes before its anchor")?;
                self.count(size)?;
                (value, 0)
            }
            _ => return Err("a value is missing".into()),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        self.depth -= 1;
        Ok(value)
    }

    fn count(&mut self, more: usize) -> Result<(), String> {
        self.values += more;
        if self.values > MOST_VALUES { Err(format!("there are more than {MOST_VALUES} values")) } else { Ok(()) }
    }

    fn sequence(&mut self) -> Result<Given, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Given::List(items)),
                event => items.push(self.value(event)?),
            }
        }
    }

    /// Entries of `<<` apply if the mapping itself does not have the name.
    fn mapping(&mut self) -> Result<Given, String> {
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        loop {
            let name = match self.next()? {
                Event::MappingEnd => break,
                event => self.value(event)?.shown(),
            };
            let event = self.next()?;
            match (name.as_str(), self.value(event)?) {
                ("<<", Given::Map(others)) => merged.extend(others),
                (_, value) => entries.push((name, value)),
            }
        }
        merged.retain(|(name, _)| entries.iter().all(|(own, _)| own != name));
        entries.extend(merged);
        Ok(Given::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_are_read_alike() {
        let yaml = "CartPole-v1: &c\n  n_timesteps: !!float 5e4\n  policy: 'MlpPolicy'\n  x: [4, \"step\"]\nB:\n  <<: *c\n  policy: no\n";
        assert_eq!(
            read(yaml).unwrap().shown(),
            "dict(CartPole-v1=dict(n_timesteps=50000, policy=MlpPolicy, x=[4, step]), B=dict(policy=no, n_timesteps=50000, x=[4, step]))"
        );
        let json = "{\"gamma\": 0.99, \"tau\": 1.0, \"buffer_size\": 1000, \"track\": false, \"note\": null}";
        assert_eq!(read(json).unwrap().shown(), "dict(gamma=0.99, tau=1, buffer_size=1000, track=false, note=None)");
        assert_eq!(read("").unwrap(), Given::Nothing);
    }

    #[test]
    fn what_is_no_yaml_or_too_much_of_it_is_refused() {
        assert!(read("a: [1, 2").is_err());
        assert!(read("a: b: c").unwrap_err().contains("line 1"));
        assert!(read(&"[".repeat(100)).is_err());
        let mut bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for (name, of) in "bcdefghij".chars().zip("abcdefghi".chars()) {
            bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(", "));
        }
        assert!(read(&bomb).unwrap_err().contains("more than 100000 values"));
    }
}
