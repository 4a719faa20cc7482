//! [`Seeds`], which seeds to train.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Distinct seeds, in the order they were given.
///
/// ```
/// use requel::study::Seeds;
///
/// assert_eq!("3".parse::<Seeds>()?.as_slice(), [0, 1, 2]);
/// assert_eq!("5..=7".parse::<Seeds>()?.as_slice(), [5, 6, 7]);
/// assert_eq!("0..2,9".parse::<Seeds>()?.as_slice(), [0, 1, 9]);
/// # Ok::<(), requel::study::SeedsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(Vec<u64>);

/// Why a text does not give seeds.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeedsError {
    /// A part that is neither a number nor a range.
    #[error("`{part}` is neither a seed nor a range; write 0..20, 5..=9, 0,3,7, or how many")]
    Part {
        /// The part between commas.
        part: String,
    },
    /// An empty range, or a count of 0.
    #[error("`{part}` holds no seed")]
    Empty {
        /// The part between commas.
        part: String,
    },
    /// Unreasonably many seeds.
    #[error("{count} seeds are more than the {most} that can be trained at once")]
    TooMany {
        /// How many were given.
        count: u64,
        /// How many are allowed.
        most: u64,
    },
    /// A seed given twice: it would be the same run.
    #[error("seed {seed} is named twice")]
    Twice {
        /// The seed.
        seed: u64,
    },
}

/// More runs than this are surely a typing error.
const MOST: u64 = 10_000;

impl Seeds {
    /// These seeds.
    ///
    /// # Errors
    /// If there is none, or one is given twice.
    pub fn new(seeds: Vec<u64>) -> Result<Self, SeedsError> {
        if seeds.is_empty() {
            return Err(SeedsError::Empty { part: String::new() });
        }
        let mut sorted = seeds.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(SeedsError::Twice { seed: pair[0] }),
            None => Ok(Seeds(seeds)),
        }
    }

    /// The first `count` seeds: 0, 1, …
    ///
    /// # Errors
    /// If the count is 0 or unreasonably large.
    pub fn first(count: u64) -> Result<Self, SeedsError> {
        Self::new(range(&count.to_string(), 0, Some(count))?)
    }

    /// The seeds.
    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }
}

impl FromStr for Seeds {
    type Err = SeedsError;

    fn from_str(text: &str) -> Result<Self, SeedsError> {
        let text = text.trim();
        if let Ok(count) = text.parse::<u64>() {
            return Self::first(count);
        }
        let mut seeds = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || SeedsError::Part { part: part.into() };
            let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
            match part.split_once("..") {
                None => seeds.push(number(part)?),
                Some((from, to)) => {
                    let end = match to.strip_prefix('=') {
                        Some(last) => number(last)?.checked_add(1),
                        None => Some(number(to)?),
                    };
                    seeds.extend(range(part, number(from)?, end)?);
                }
            }
        }
        if seeds.is_empty() { Err(SeedsError::Part { part: text.into() }) } else { Self::new(seeds) }
    }
}

impl fmt::Display for Seeds {
    /// `0..20` if they are consecutive, else all of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let consecutive = self.0.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) if consecutive && first < last => write!(f, "{first}..={last}"),
            _ => f.write_str(&self.0.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

/// From `from` to before `end`; `None` is past the largest number.
fn range(part: &str, from: u64, end: Option<u64>) -> Result<Vec<u64>, SeedsError> {
    let count = end.unwrap_or(u64::MAX).saturating_sub(from);
    match count {
        0 => Err(SeedsError::Empty { part: part.into() }),
        count if count > MOST => Err(SeedsError::TooMany { count, most: MOST }),
        count => Ok((from..from + count).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds(text: &str) -> Result<Vec<u64>, SeedsError> {
        text.parse::<Seeds>().map(|seeds| seeds.0)
    }

    #[test]
    fn every_way_to_write_them() {
        assert_eq!(seeds("0..4").unwrap(), [0, 1, 2, 3]);
        assert_eq!(seeds(" 5 ..= 7 ").unwrap(), [5, 6, 7]);
        assert_eq!(seeds("0,3,7").unwrap(), [0, 3, 7]);
        assert_eq!(seeds("7,").unwrap(), [7]);
        assert_eq!(seeds("2").unwrap(), [0, 1]);
        assert_eq!(seeds("9, 0..2").unwrap(), [9, 0, 1]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let part = |part: &str| Err(SeedsError::Part { part: part.into() });
        for text in ["", "a", "1..b", "-1", "1...3"] {
            assert!(matches!(seeds(text), Err(SeedsError::Part { .. })), "{text}");
        }
        assert_eq!(seeds("1,x,3"), part("x"));
        assert_eq!(seeds("5..5"), Err(SeedsError::Empty { part: "5..5".into() }));
        assert_eq!(seeds("0"), Err(SeedsError::Empty { part: "0".into() }));
        assert_eq!(seeds("1,0..3"), Err(SeedsError::Twice { seed: 1 }));
        assert_eq!(seeds("0..1000000"), Err(SeedsError::TooMany { count: 1_000_000, most: MOST }));
        assert!(matches!(seeds("0..=18446744073709551615"), Err(SeedsError::TooMany { .. })));
    }

    #[test]
    fn they_are_shown_in_short_and_can_be_read_again() {
        for (text, shown) in [("0..20", "0..=19"), ("0,3,7", "0,3,7"), ("4,", "4"), ("5..=6", "5..=6")] {
            let seeds: Seeds = text.parse().unwrap();
            assert_eq!(seeds.to_string(), shown);
            if seeds.as_slice().len() > 1 {
                assert_eq!(seeds.to_string().parse::<Seeds>().unwrap(), seeds);
            }
        }
    }
}
