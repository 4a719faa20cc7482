//! The range of every number that is not whole, as written and as it is used.
//!
//! Networks, losses and optimisers count in single precision. There 1e-50 is 0, 1e39 infinite and 0.99999999999 the same as 1, so
//! that a number which only its double looks sound in would do something else than it says, or nothing. So every range holds for
//! what is left after rounding too.

use super::check::Fault;
use crate::config::Config;
use crate::td::Support;

/// A key with the numbers that it may have.
struct Float {
    key: &'static str,
    value: fn(&Config) -> Option<f64>,
    range: Range,
}

/// Numbers from a lowest to a highest.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Range {
    /// 0 to 1.
    Share,
    /// At least 0 and below 1.
    Decay,
    /// Between two numbers above 0.
    Between(f64, f64),
    /// 0, which switches something off, or between two numbers above it.
    ZeroOr(f64, f64),
    /// At least so much, and at most 0.
    NotAboveZero(f64),
    /// Of either sign and at most so large.
    UpTo(f64),
    /// Any number, infinity included: it is only compared with returns.
    Any,
}

/// The smallest number above 0 whose reciprocal and square are still numbers in single precision, with room for what they are
/// multiplied with.
const SMALL: f64 = 1e-12;
/// The least denominator: what it divides may still be of the size of a gradient.
const TINY: f64 = 1e-30;
/// The largest number whose sum over a batch is finite.
const LARGE: f64 = 1e30;
/// The largest number whose square is finite too.
const LARGE_SQUARED: f64 = 1e15;

const fn float(key: &'static str, value: fn(&Config) -> Option<f64>, range: Range) -> Float {
    Float { key, value, range }
}

use Range::{Any, Between, Decay, NotAboveZero, Share, UpTo, ZeroOr};

/// Every key that holds such a number, in the order in which they are checked.
const FLOATS: &[Float] = &[
    float("env.sticky_actions", |c| Some(c.env.sticky_actions), Share),
    float("agent.gamma", |c| Some(c.agent.gamma), Share),
    float("agent.reward_scale", |c| Some(c.agent.reward_scale), Between(SMALL, LARGE_SQUARED)),
    float("agent.reward_clip", |c| Some(c.agent.reward_clip), ZeroOr(SMALL, LARGE_SQUARED)),
    float("agent.value_clip", |c| c.agent.value_clip.numbers().map(|(low, _)| low), UpTo(LARGE)),
    float("agent.value_clip", |c| c.agent.value_clip.numbers().map(|(_, high)| high), UpTo(LARGE)),
    float("munchausen.alpha", |c| Some(c.munchausen.alpha), Share),
    float("munchausen.temperature", |c| Some(c.munchausen.temperature), Between(SMALL, LARGE_SQUARED)),
    float("munchausen.clip", |c| Some(c.munchausen.clip), NotAboveZero(-LARGE)),
    float("head.v_min", |c| c.head.v_min.number(), UpTo(LARGE)),
    float("head.v_max", |c| c.head.v_max.number(), UpTo(LARGE)),
    float("head.kappa", |c| Some(c.head.kappa), ZeroOr(SMALL, LARGE)),
    float("network.noisy_sigma", |c| Some(c.network.noisy_sigma), ZeroOr(SMALL, 100.0)),
    float("optimizer.learning_rate", |c| Some(c.optimizer.learning_rate), Between(SMALL, LARGE)),
    float("optimizer.beta1", |c| Some(c.optimizer.beta1), Decay),
    float("optimizer.beta2", |c| Some(c.optimizer.beta2), Decay),
    float("optimizer.epsilon", |c| Some(c.optimizer.epsilon), Between(TINY, LARGE)),
    float("optimizer.alpha", |c| Some(c.optimizer.alpha), Decay),
    float("optimizer.momentum", |c| Some(c.optimizer.momentum), Decay),
    float("optimizer.max_gradient_norm", |c| Some(c.optimizer.max_gradient_norm), ZeroOr(SMALL, f64::INFINITY)),
    float("loss.delta", |c| Some(c.loss.delta), Between(SMALL, LARGE)),
    float("replay.priority_exponent", |c| Some(c.replay.priority_exponent), Share),
    float("replay.priority_epsilon", |c| Some(c.replay.priority_epsilon), Between(TINY, LARGE)),
    float("replay.priority_cap", |c| Some(c.replay.priority_cap), Between(SMALL, LARGE)),
    float("replay.importance_start", |c| Some(c.replay.importance_start), Share),
    float("replay.importance_end", |c| Some(c.replay.importance_end), Share),
    float("target.tau", |c| Some(c.target.tau), Share),
    float("pqn.lambda", |c| Some(c.pqn.lambda), Share),
    float("exploration.start", |c| Some(c.exploration.start), Share),
    float("exploration.end", |c| Some(c.exploration.end), Share),
    float("evaluation.stop_return", |c| c.evaluation.stop_return, Any),
];

/// Names the first number that is out of its range, or has no meaning left in single precision.
pub(super) fn check(config: &Config) -> Result<(), Fault> {
    for Float { key, value, range } in FLOATS {
        if let Some(value) = value(config) {
            range.check(value).map_err(|reason| (*key, reason))?;
        }
    }
    check_interval(config)?;
    check_support(config)
}

impl Range {
    fn check(self, value: f64) -> Result<(), String> {
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
                true => ": write that, or a number that it can tell from it".into(),
                false => format!(", {}", self.complaint()),
            };
            return Err(format!("is {written}, which single precision rounds to {rounded}{advice}"));
        }
        Ok(())
    }

    fn holds(self, value: f64) -> bool {
        let smallest = |x: f64| x == 0.0 || x.abs() >= TINY;
        match self {
            Share => (0.0..=1.0).contains(&value),
            Decay => (0.0..1.0).contains(&value),
            Between(low, high) => value >= low && value <= high,
            ZeroOr(low, high) => value == 0.0 || value >= low && value <= high,
            NotAboveZero(low) => value >= low && value <= 0.0 && smallest(value),
            UpTo(size) => value.abs() <= size && smallest(value),
            Any => true,
        }
    }

    fn complaint(self) -> String {
        match self {
            Share => "not between 0 and 1".into(),
            Decay => "not at least 0 and below 1".into(),
            Between(low, high) => format!("not between {} and {}", number(low), number(high)),
            ZeroOr(low, f64::INFINITY) => format!("neither 0 nor at least {}", number(low)),
            ZeroOr(low, high) => format!("neither 0 nor between {} and {}", number(low), number(high)),
            NotAboveZero(low) => format!("neither 0 nor between {} and {}", number(low), number(-TINY)),
            UpTo(size) => format!("neither 0 nor, sign apart, between {} and {}", number(TINY), number(size)),
            Any => String::new(),
        }
    }
}

fn check_interval(config: &Config) -> Result<(), Fault> {
    let Some((low, high)) = config.agent.value_clip.numbers() else { return Ok(()) };
    let (shown, key) = (format!("is [{}, {}]", number(low), number(high)), "agent.value_clip");
    if low >= high {
        return Err((key, format!("{shown}, whose first number is not below the second")));
    }
    if low as f32 >= high as f32 {
        return Err((key, format!("{shown}, whose numbers are the same in single precision")));
    }
    Ok(())
}

fn check_support(config: &Config) -> Result<(), Fault> {
    let head = &config.head;
    let (Some(v_min), Some(v_max)) = (head.v_min.number(), head.v_max.number()) else { return Ok(()) };
    if v_min >= v_max {
        return Err(("head.v_min", format!("is {}, not below `head.v_max` {}", number(v_min), number(v_max))));
    }
    let support = Support { v_min: v_min as f32, v_max: v_max as f32, atoms: head.atoms };
    // The count has a check of its own, and comes later.
    if (2..=10_000).contains(&head.atoms) && !support.tells_atoms_apart() {
        let reason = format!(
            "is {}, so near to `head.v_min` {} that {} atoms (`head.atoms`) are not apart in single precision",
            number(v_max),
            number(v_min),
            head.atoms
        );
        return Err(("head.v_max", reason));
    }
    Ok(())
}

/// A number as people write it: with an exponent where it has many digits.
pub(in crate::config) fn number(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-5..1e16).contains(&size) && size.is_finite() => format!("{value:e}"),
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{ConfigError, KEYS, Layers};

    /// All keys that take a number which is not whole, found by trying.
    fn float_keys() -> BTreeSet<&'static str> {
        let takes = |key: &str, value: &str| Layers::new().set(&format!("{key}={value}")).is_ok();
        let keys = KEYS.iter().map(|key| key.path).filter(|key| *key != "preset");
        keys.filter(|key| takes(key, "0.5") || takes(key, "[0.25, 0.5]")).collect()
    }

    #[test]
    fn every_key_that_takes_a_float_has_a_range() {
        assert_eq!(float_keys(), FLOATS.iter().map(|float| float.key).collect());
    }

    /// Numbers that are sound in double precision and 0, infinite or the same as 1 in single, on every key.
    #[test]
    fn a_number_that_single_precision_makes_another_is_refused_with_its_key() {
        let finite = ["1e-50", "-1e-50", "1e-320", "-1e-320", "5e-324", "1e39", "-1e39", "1e308", "-1e308"];
        for key in float_keys() {
            for value in finite.into_iter().chain(["nan", "inf", "-inf", "0.9999999999999"]) {
                let written = if key == "agent.value_clip" { format!("[{value}, 2.0]") } else { value.into() };
                let resolved = Layers::new().set(&format!("{key}={written}")).and_then(|layers| layers.resolve());
                // The one number among them that is no extreme, where neither 1 is near nor a sign forbids it.
                let takes_almost_one =
                    FLOATS.iter().any(|f| f.key == key && !matches!(f.range, Share | Decay | NotAboveZero(_)));
                let is_sound = match (key, value) {
                    ("evaluation.stop_return", value) => value != "nan",
                    ("optimizer.max_gradient_norm", "inf") => true,
                    (_, value) => value == "0.9999999999999" && takes_almost_one,
                };
                match resolved {
                    Ok(_) => assert!(is_sound, "{key}={written} is taken"),
                    Err(ConfigError::InvalidValue { key: named, reason, .. }) => {
                        assert!(!is_sound, "{key}={written}: {reason}");
                        assert_eq!(named, key, "{written}");
                        assert!(reason.len() < 150, "{reason}");
                    }
                    Err(error) => panic!("{key}={written}: {error}"),
                }
            }
        }
    }

    #[test]
    fn atoms_that_are_not_apart_are_refused() {
        let with = |settings: &[&str]| {
            settings.iter().try_fold(Layers::new(), |layers, s| layers.set(s)).and_then(|layers| layers.resolve())
        };
        for (v_min, v_max, atoms) in
            [("0", "1e-45", 51), ("0", "1e-29", 51), ("1000000", "1000001", 51), ("16777216", "16777217", 2)]
        {
            let settings =
                [format!("head.v_min={v_min}"), format!("head.v_max={v_max}"), format!("head.atoms={atoms}")];
            let error = with(&settings.each_ref().map(String::as_str)).unwrap_err().to_string();
            assert!(error.starts_with("`head.v_max` is"), "{error}");
        }
        assert!(with(&["head.v_min=1000000", "head.v_max=1000010"]).is_ok());
        assert!(with(&["head.v_min=0", "head.v_max=1e-3"]).is_ok());
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        let table = [(0.5, "0.5"), (1e30, "1e30"), (1e-12, "1e-12"), (-1e308, "-1e308"), (0.0, "0"), (2000.0, "2000")];
        table.into_iter().for_each(|(value, shown)| assert_eq!(number(value), shown));
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
