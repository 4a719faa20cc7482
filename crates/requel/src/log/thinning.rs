//! Which episodes get a line of `metrics.jsonl`: a function of their number alone, so that a run that was cut off and resumed
//! writes the bytes of one that never was.

use crate::config::EpisodeLog;

/// So many episodes get a line each; then half of as many lines come with each doubling of their number.
const ALL_BEFORE: u64 = 1 << 15;

/// Whether something that happens for the `index`-th time, counted from 0, is written.
///
/// With [`EpisodeLog::Auto`] the first 32,768 are, of the next 32,768 every second one, of the 65,536 after them every fourth,
/// and so on: 10⁸ episodes are 222,000 lines, and what is written of any stretch of training lies evenly over it.
pub(super) fn is_written(log: EpisodeLog, index: u64) -> bool {
    match log {
        EpisodeLog::All => true,
        EpisodeLog::Auto => index.is_multiple_of(every(index)),
    }
}

/// Of those about `index` one in so many is written, a power of two.
fn every(index: u64) -> u64 {
    let doublings = (index / ALL_BEFORE).checked_ilog2().map_or(0, |log2| log2 + 1);
    1 << doublings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_by_hand() {
        let table = [
            (0, 1),
            (32_767, 1),
            (32_768, 2),
            (65_535, 2),
            (65_536, 4),
            (131_071, 4),
            (131_072, 8),
            (1 << 40, 1 << 26),
        ];
        for (index, expected) in table {
            assert_eq!(every(index), expected, "{index}");
        }
        assert!(every(u64::MAX) == 1 << 49);
    }

    #[test]
    fn lines_grow_with_the_logarithm_of_the_episodes() {
        let lines = |episodes: u64| (0..episodes).filter(|index| is_written(EpisodeLog::Auto, *index)).count();
        assert_eq!(lines(32_768), 32_768);
        let counts = [1 << 16, 1 << 17, 1 << 18, 1 << 19].map(lines);
        assert_eq!(counts, [3 << 14, 4 << 14, 5 << 14, 6 << 14]);
        assert!((0..100_000).all(|index| is_written(EpisodeLog::All, index)));
    }
}
