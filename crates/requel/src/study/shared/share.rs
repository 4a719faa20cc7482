//! [`Share`], a part of a study for one worker.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Every `count`-th run, starting with the `number`-th, both from 1: for job queues. The shares of all numbers together are all runs, each
/// once.
///
/// ```
/// use requel::study::Share;
///
/// let share: Share = "2/3".parse()?;
/// assert_eq!(share.of(vec!["a", "b", "c", "d", "e"]), ["b", "e"]);
/// # Ok::<(), requel::study::ShareError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    number: usize,
    count: usize,
}

/// Why a text is not a share.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a share: write 1/4, 2/4, 3/4 and 4/4 for four jobs")]
pub struct ShareError {
    /// What was given.
    pub text: String,
}

/// Nobody has more machines than this.
const MOST: usize = 100_000;

impl Share {
    /// The items that belong to it, in their order.
    pub fn of<T>(self, all: impl IntoIterator<Item = T>) -> Vec<T> {
        all.into_iter().skip(self.number - 1).step_by(self.count).collect()
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let wrong = || ShareError { text: text.into() };
        let (number, count) = text.split_once('/').ok_or_else(wrong)?;
        let read = |part: &str| part.trim().parse::<usize>().map_err(|_| wrong());
        let (number, count) = (read(number)?, read(count)?);
        if number == 0 || number > count || count > MOST { Err(wrong()) } else { Ok(Share { number, count }) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_are_all_each_once() {
        for count in 1..7 {
            let shares = (1..=count).map(|number| format!("{number}/{count}").parse::<Share>().unwrap());
            let mut dealt: Vec<u32> = shares.flat_map(|share| share.of(0..17)).collect();
            dealt.sort_unstable();
            assert!(dealt.into_iter().eq(0..17), "{count}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["0/4", "5/4", "4", "1/0", "a/b", "1/", "-1/4", "1/4/2"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError { text: text.into() }));
        }
        assert_eq!(" 3 / 4".parse::<Share>().unwrap().to_string(), "3/4");
    }
}
