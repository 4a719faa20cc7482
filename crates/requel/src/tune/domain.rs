//! What a search does with the values of a key, its [`Domain`].

use toml::Value;

use crate::config::{Domain, Scale, Tuning};

impl Domain {
    /// What a key's declaration says of it.
    pub fn declared(tuning: &Tuning) -> Self {
        match tuning.domain {
            Domain::Number { low, high, scale } => Domain::Number { low, high, scale },
            Domain::Whole { low, high, scale } => Domain::Whole { low, high, scale },
            Domain::OneOf(values) => Domain::OneOf(values.iter().map(|text| parsed(text)).collect()),
        }
    }

    /// The same, of whole numbers none above `most`.
    pub(super) fn within(self, most: u64) -> Self {
        match self {
            Domain::Whole { low, high, scale } if high > most => {
                let high = most.max(2);
                Domain::Whole { low: low.min(high / 2).max(1), high, scale }
            }
            other => other,
        }
    }

    /// How many values there are to choose from, where they have no order.
    pub fn choices(&self) -> Option<usize> {
        match self {
            Domain::OneOf(values) => Some(values.len()),
            _ => None,
        }
    }

    /// The value at a place from 0 to 1.
    pub fn at(&self, place: f64) -> Value {
        let place = place.clamp(0.0, 1.0);
        match self {
            Domain::Number { low, high, scale } => {
                let (from, to) = (stretched(*low, *scale), stretched(*high, *scale));
                let value = shrunk(from + place * (to - from), *scale);
                Value::Float(rounded(value, *scale).clamp(*low, *high))
            }
            Domain::Whole { low, high, scale } => {
                let (from, to) = whole_ends(*low, *high, *scale);
                let value = shrunk(from + place * (to - from), *scale).round();
                Value::Integer((value as u64).clamp(*low, *high) as i64)
            }
            Domain::OneOf(values) => {
                let at = (place * values.len() as f64) as usize;
                values[at.min(values.len() - 1)].clone()
            }
        }
    }

    /// Where a value lies, the middle of its width; `None` of one that is not among them.
    pub fn place(&self, value: &Value) -> Option<f64> {
        let number = || value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
        match self {
            Domain::Number { low, high, scale } => {
                let number = number().filter(|number| (*low..=*high).contains(number))?;
                let (from, to) = (stretched(*low, *scale), stretched(*high, *scale));
                Some((stretched(number, *scale) - from) / (to - from))
            }
            Domain::Whole { low, high, scale } => {
                let number = number().filter(|number| (*low as f64..=*high as f64).contains(number))?;
                let (from, to) = whole_ends(*low, *high, *scale);
                Some((stretched(number, *scale) - from) / (to - from))
            }
            Domain::OneOf(values) => {
                let at = values.iter().position(|one| one == value)?;
                Some((at as f64 + 0.5) / values.len() as f64)
            }
        }
    }
}

fn parsed(text: &str) -> Value {
    let table: toml::Table = toml::from_str(&format!("value = {text}")).expect("declared values are TOML");
    table["value"].clone()
}

/// Ends that give the first and the last whole number as much room as the others.
fn whole_ends(low: u64, high: u64, scale: Scale) -> (f64, f64) {
    (stretched(low as f64 - 0.5, scale), stretched(high as f64 + 0.5, scale))
}

/// What is spread evenly.
fn stretched(value: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Log => libm::log(value),
        Scale::Horizon => -libm::log(1.0 - value),
    }
}

fn shrunk(even: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Linear => even,
        Scale::Log => libm::exp(even),
        Scale::Horizon => 1.0 - libm::exp(-even),
    }
}

/// The value with as many digits as are worth reading: three of them at the scale's finer end.
fn rounded(value: f64, scale: Scale) -> f64 {
    let digits = |value: f64| format!("{value:.3e}").parse().unwrap_or(value);
    match scale {
        Scale::Horizon => format!("{:.6}", 1.0 - digits(1.0 - value)).parse().unwrap_or(value),
        Scale::Linear | Scale::Log => digits(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_to_values_and_back() {
        let domains = [
            Domain::Number { low: 1e-4, high: 1e-2, scale: Scale::Log },
            Domain::Number { low: 0.9, high: 0.999, scale: Scale::Horizon },
            Domain::Number { low: -1.0, high: 3.0, scale: Scale::Linear },
            Domain::Whole { low: 1, high: 10, scale: Scale::Log },
            Domain::Whole { low: 0, high: 3, scale: Scale::Linear },
            Domain::OneOf(vec!["a".into(), "b".into(), "c".into()]),
        ];
        for domain in domains {
            for step in 0..=100 {
                let value = domain.at(f64::from(step) / 100.0);
                let place = domain.place(&value).unwrap();
                assert_eq!(domain.at(place), value, "{domain:?} at {step}");
            }
        }
    }

    #[test]
    fn ends_and_middles_by_hand() {
        let log = Domain::Number { low: 1e-4, high: 1e-2, scale: Scale::Log };
        assert_eq!([0.0, 0.5, 1.0].map(|place| log.at(place)), [1e-4, 1e-3, 1e-2].map(Value::Float));
        // Horizons of 10, 100 and 1000.
        let horizon = Domain::Number { low: 0.9, high: 0.999, scale: Scale::Horizon };
        assert_eq!([0.0, 0.5, 1.0].map(|place| horizon.at(place)), [0.9, 0.99, 0.999].map(Value::Float));
        let whole = Domain::Whole { low: 1, high: 4, scale: Scale::Linear };
        assert_eq!([0.0, 0.3, 0.6, 1.0].map(|place| whole.at(place)), [1, 2, 3, 4].map(Value::Integer));
        assert_eq!(whole.place(&Value::Integer(5)), None);
        assert_eq!(log.place(&Value::Float(0.5)), None);
        assert_eq!(log.place(&Value::Boolean(true)), None);
    }

    #[test]
    fn of_a_choice_each_has_the_same_room() {
        let choice = Domain::OneOf(vec![32.into(), 64.into(), 128.into(), 256.into()]);
        let count =
            |value: i64| (0..1000).filter(|i| choice.at(f64::from(*i) / 1000.0) == Value::Integer(value)).count();
        assert_eq!([32, 64, 128, 256].map(count), [250; 4]);
        assert_eq!(choice.choices(), Some(4));
    }
}
