//! [`Every`], how often to save: the value of `--every`.

use std::time::Duration;

/// How often to save.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    /// After this many env steps.
    Steps(u64),
    /// After this much time.
    Minutes(Duration),
}

/// Reads env steps such as `50_000`, or minutes such as `10m`.
///
/// # Errors
/// The message for a wrong value.
pub fn every(text: &str) -> Result<Every, String> {
    let minutes = ["minutes", "min", "m"].iter().find_map(|unit| text.strip_suffix(unit));
    let parsed = match minutes {
        Some(number) => {
            let minutes = number.trim().parse().ok().filter(|n: &f64| *n > 0.0);
            minutes.and_then(|n| Duration::try_from_secs_f64(n * 60.0).ok()).map(Every::Minutes)
        }
        None => text.replace('_', "").parse().ok().filter(|n| *n > 0).map(Every::Steps),
    };
    parsed.ok_or_else(|| "give env steps such as 50000, or minutes such as 10m".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_often_to_save_is_steps_or_minutes() {
        assert_eq!(every("50_000"), Ok(Every::Steps(50_000)));
        assert_eq!(every("10m"), Ok(Every::Minutes(Duration::from_secs(600))));
        assert_eq!(every("0.5 min"), Ok(Every::Minutes(Duration::from_secs(30))));
        for wrong in ["", "0", "m", "-1", "0m", "1h", "1.5", "nanm", "infm"] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }
}
