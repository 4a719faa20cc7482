//! Numbers on the command line. A negative one is a number and no option, so that it is its range that is spoken of.

use std::fmt::Display;

/// A parser of whole numbers from `low` to `high`; `1_000` is a thousand.
pub fn whole<T>(low: T, high: T) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: TryFrom<i128> + Copy + Display + Into<i128> + Send + Sync + 'static,
{
    move |text| {
        let number = text.replace('_', "").parse().ok().filter(|n: &i128| (low.into()..=high.into()).contains(n));
        number.and_then(|n| T::try_from(n).ok()).ok_or_else(|| format!("give a whole number from {low} to {high}"))
    }
}

/// The same for counts of this machine's size.
pub fn count(low: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    let parse = whole::<u64>(low as u64, u64::MAX);
    move |text| {
        let number = parse(text).ok().and_then(|n| usize::try_from(n).ok());
        number.ok_or_else(|| format!("give a whole number from {low}"))
    }
}

/// A seed; TOML, in which configs are kept, has no larger numbers.
///
/// # Errors
/// What to give in place of it.
pub fn seed(text: &str) -> Result<u64, String> {
    whole(0, i64::MAX as u64)(text)
}

/// A number that is neither NaN nor infinite.
///
/// # Errors
/// What to give in place of it.
pub fn finite(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| "give a finite number".into())
}

/// How fast to show, as a multiple of the environment's own speed.
///
/// # Errors
/// What to give in place of it.
pub fn speed(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(factor) if (0.01..=100.0).contains(&factor) => Ok(factor),
        _ => Err("give a number from 0.01 to 100".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_its_range_is_told_the_range() {
        assert_eq!(whole(1u32, 9)("7"), Ok(7));
        assert_eq!(seed("1_000"), Ok(1000));
        assert_eq!(seed("9223372036854775807"), Ok(i64::MAX as u64));
        for wrong in ["-1", "9223372036854775808", "1e3", "", "x", "99999999999999999999999999999999999999999999"] {
            assert_eq!(seed(wrong), Err("give a whole number from 0 to 9223372036854775807".into()), "{wrong}");
        }
        assert_eq!(count(2)("1"), Err("give a whole number from 2".into()));
        assert_eq!(count(2)("-1"), Err("give a whole number from 2".into()));
        assert_eq!(finite("-1e3"), Ok(-1000.0));
        for wrong in ["nan", "inf", "-inf", "1e999", "x"] {
            assert!(finite(wrong).is_err() && speed(wrong).is_err(), "{wrong}");
        }
    }
}
