//! [`Range`], the values that a key accepts, both as written and as used.
//!
//! Networks, losses and optimisers compute in single precision, where 1e-50 is 0, 1e39 is infinite and 0.99999999999 equals 1: a number
//! that is valid only in double precision would have no effect, or not the intended one. So the rounded number is checked too.

use std::fmt;

/// The smallest positive number whose reciprocal and square are still finite and nonzero in single precision, with room for the factors
/// they are multiplied by.
pub(in crate::config) const SMALL: f64 = 1e-12;
/// The smallest denominator: the numerator may be as large as a gradient.
pub(in crate::config) const TINY: f64 = 1e-30;
/// The largest number whose sum over a batch is finite.
pub(in crate::config) const LARGE: f64 = 1e30;
/// The largest number whose square is also finite.
pub(in crate::config) const LARGE_SQUARED: f64 = 1e15;

/// The values that a key accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// All values of its type.
    OfType,
    /// Whole numbers in an interval.
    Whole(u64, u64),
    /// 0 to 1.
    Share,
    /// At least 0 and below 1.
    Decay,
    /// Between two positive numbers.
    Between(f64, f64),
    /// 0, which switches something off, or between two positive numbers.
    ZeroOr(f64, f64),
    /// From a lower bound up to 0.
    NotAboveZero(f64),
    /// Of either sign, up to this magnitude.
    UpTo(f64),
    /// Any number, including infinity: it is only compared with returns.
    Any,
}

use Range::{Any, Between, Decay, NotAboveZero, OfType, Share, UpTo, Whole, ZeroOr};

impl Range {
    /// Whole numbers from a lower bound.
    pub const fn at_least(least: u64) -> Self {
        Whole(least, u64::MAX)
    }

    /// Checks a whole number.
    ///
    /// # Errors
    /// What is wrong, as the rest of a sentence.
    pub(in crate::config) fn check_whole(self, value: u64) -> Result<(), String> {
        match self {
            OfType => Ok(()),
            Whole(low, high) if (low..=high).contains(&value) => Ok(()),
            Whole(..) => Err(format!("is {value}, {}", self.complaint())),
            range => range.check(value as f64),
        }
    }

    /// Checks a number, and its value in single precision.
    ///
    /// # Errors
    /// What is wrong, as the rest of a sentence.
    pub(in crate::config) fn check(self, value: f64) -> Result<(), String> {
        if value.is_nan() {
            return Err("is not a number".into());
        }
        if !self.holds(value) {
            return Err(format!("is {}, {}", number(value), self.complaint()));
        }
        let used = f64::from(value as f32);
        let is_landmark = |x: f64| x == 0.0 || x == 1.0 && matches!(self, Share | Decay) || x.is_infinite();
        if self != Any && used != value && is_landmark(used) {
            let (written, rounded) = (number(value), number(used));
            let advice = match self.holds(used) {
                true => ": write that, or a number that single precision does not round".into(),
                false => format!(", {}", self.complaint()),
            };
            return Err(format!("is {written}, which single precision rounds to {rounded}{advice}"));
        }
        Ok(())
    }

    fn holds(self, value: f64) -> bool {
        let smallest = |x: f64| x == 0.0 || x.abs() >= TINY;
        match self {
            OfType | Any => true,
            Whole(low, high) => value >= low as f64 && value <= high as f64,
            Share => (0.0..=1.0).contains(&value),
            Decay => (0.0..1.0).contains(&value),
            Between(low, high) => value >= low && value <= high,
            ZeroOr(low, high) => value == 0.0 || value >= low && value <= high,
            NotAboveZero(low) => value >= low && value <= 0.0 && smallest(value),
            UpTo(size) => value.abs() <= size && smallest(value),
        }
    }

    fn complaint(self) -> String {
        match self {
            OfType | Any => String::new(),
            Whole(low, u64::MAX) => format!("not {low} or more"),
            Whole(low, high) => format!("not between {low} and {high}"),
            Share => "not between 0 and 1".into(),
            Decay => "not at least 0 and below 1".into(),
            Between(low, high) => format!("not between {} and {}", number(low), number(high)),
            ZeroOr(low, f64::INFINITY) => format!("neither 0 nor at least {}", number(low)),
            ZeroOr(low, high) => format!("neither 0 nor between {} and {}", number(low), number(high)),
            NotAboveZero(low) => format!("neither 0 nor between {} and {}", number(low), number(-TINY)),
            UpTo(size) => format!("neither 0 nor between {} and {} in magnitude", number(TINY), number(size)),
        }
    }
}

impl fmt::Display for Range {
    /// For example `0 to 1`; nothing for all values of a type.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            OfType => Ok(()),
            Whole(low, u64::MAX) => write!(f, "at least {low}"),
            Whole(low, high) => write!(f, "{low} to {high}"),
            Share => write!(f, "0 to 1"),
            Decay => write!(f, "0 to below 1"),
            Between(low, high) => write!(f, "{} to {}", number(low), number(high)),
            ZeroOr(low, f64::INFINITY) => write!(f, "0, or at least {}", number(low)),
            ZeroOr(low, high) => write!(f, "0, or {} to {}", number(low), number(high)),
            NotAboveZero(low) => write!(f, "{} to 0", number(low)),
            UpTo(size) => write!(f, "{} to {}", number(-size), number(size)),
            Any => write!(f, "any, infinity included"),
        }
    }
}

/// A number for people: with an exponent if it has many digits.
pub(in crate::config) fn number(value: f64) -> String {
    let (plain, with_exponent) = (format!("{value}"), format!("{value:e}"));
    let is_usual = value == 0.0 || (1e-5..1e9).contains(&value.abs());
    if is_usual || plain.len() <= with_exponent.len() { plain } else { with_exponent }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, KEYS, Key, Layers};

    /// All keys that take a number which is not whole, found by trying.
    fn float_keys() -> impl Iterator<Item = &'static Key> {
        let takes = |key: &str, value: &str| Layers::new().set(&format!("{key}={value}")).is_ok();
        let keys = KEYS.iter().filter(|key| !["preset", "algo", "env.id"].contains(&key.path));
        keys.filter(move |key| takes(key.path, "0.5") || takes(key.path, "[0.25, 0.5]"))
    }

    #[test]
    fn every_key_that_takes_a_float_has_a_range() {
        float_keys().for_each(|key| assert_ne!(key.range, OfType, "{}", key.path));
        assert!(float_keys().any(|key| key.path == "agent.value_clip"));
    }

    /// Numbers that are sound in double precision and 0, infinite or the same as 1 in single, on every key.
    #[test]
    fn a_number_that_single_precision_makes_another_is_refused_with_its_key() {
        let finite = ["1e-50", "-1e-50", "1e-320", "-1e-320", "5e-324", "1e39", "-1e39", "1e308", "-1e308"];
        for Key { path: key, range, .. } in float_keys() {
            for value in finite.into_iter().chain(["nan", "inf", "-inf", "0.9999999999999"]) {
                let written = if *key == "agent.value_clip" { format!("[{value}, 2.0]") } else { value.into() };
                let resolved = Layers::new().set(&format!("{key}={written}")).and_then(|layers| layers.resolve());
                // The one number among them that is no extreme, where neither 1 is near nor a sign forbids it.
                let takes_almost_one = !matches!(range, Share | Decay | NotAboveZero(_));
                let is_sound = match (*key, value) {
                    ("evaluation.stop_return", value) => value != "nan",
                    ("optimizer.max_gradient_norm", "inf") => true,
                    (_, value) => value == "0.9999999999999" && takes_almost_one,
                };
                match resolved {
                    Ok(_) => assert!(is_sound, "{key}={written} is taken"),
                    Err(ConfigError::InvalidValue { key: named, reason, .. }) => {
                        assert!(!is_sound, "{key}={written}: {reason}");
                        assert_eq!(named, *key, "{written}");
                        assert!(reason.len() < 150, "{reason}");
                    }
                    Err(error) => panic!("{key}={written}: {error}"),
                }
            }
        }
    }

    /// The defaults are in range, and one step outside each end is not.
    #[test]
    fn whole_numbers_are_held_to_their_ends() {
        for key in KEYS {
            let Whole(low, high) = key.range else { continue };
            let set = |value: u64| {
                let written = match key.value_type {
                    crate::config::ValueType::List(crate::config::ValueType::Whole { .. }) => format!("[{value}]"),
                    crate::config::ValueType::List(_) => format!("[[{value}, 1, 1]]"),
                    _ => value.to_string(),
                };
                Layers::new().set(&format!("{}={written}", key.path)).and_then(|layers| layers.resolve())
            };
            let outside = [low.checked_sub(1), high.checked_add(1).filter(|high| *high <= i64::MAX as u64)];
            for value in outside.into_iter().flatten() {
                let error = set(value).expect_err(key.path).to_string();
                assert!(error.starts_with(&format!("`{}` ", key.path)) && error.contains(", not "), "{error}");
            }
        }
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        let table = [
            (0.5, "0.5"),
            (1e30, "1e30"),
            (1e-12, "1e-12"),
            (-1e308, "-1e308"),
            (1e15, "1e15"),
            (0.0, "0"),
            (2000.0, "2000"),
        ];
        table.into_iter().for_each(|(value, shown)| assert_eq!(number(value), shown));
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
