//! Which episodes get a line in `metrics.jsonl`: a function of their number only, so that an interrupted and resumed run writes the same
//! bytes as an uninterrupted one.

use crate::config::EpisodeLog;

/// This many episodes get a line each; after that, each doubling of their number adds half as many lines.
const ALL_BEFORE: u64 = 1 << 15;

/// Whether the `index`-th event, counted from 0, is written.
///
/// With [`EpisodeLog::Auto`], the first 32,768 are written, every second one of the next 32,768, every fourth of the 65,536 after them, and
/// so on: 10⁸ episodes give 222,000 lines, and the lines of any part of training are spread evenly over it.
pub(super) fn is_written(log: EpisodeLog, index: u64) -> bool {
    match log {
        EpisodeLog::All => true,
        EpisodeLog::Auto => index.is_multiple_of(every(index)),
    }
}

/// Around `index`, one in this many is written, a power of two.
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
