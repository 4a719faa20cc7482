//! [`KnownQuantile`]: a sample against one of which only a few order statistics are known.

/// One known value of a reference sample: the quantile at `level` of `size` values.
#[derive(Debug, Clone, Copy)]
pub struct KnownQuantile {
    /// The size of the reference sample.
    pub size: usize,
    /// Which quantile, in 0..=1: 0 is the smallest value, 0.5 the median, 1 the largest.
    pub level: f64,
    /// Its value.
    pub value: f64,
}

/// How a sample compares with a [`KnownQuantile`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// How many values of our sample are below it.
    pub below: usize,
    /// How many would be below it on average if both samples came from one distribution.
    pub expected: f64,
    /// Two-sided p-value of that hypothesis.
    pub p_value: f64,
}

impl KnownQuantile {
    /// Mathisen's test (Annals of Mathematical Statistics 14, 1943): counts how many of `sample` fall below this order
    /// statistic of the reference.
    ///
    /// It is a two-sample rank test that needs one order statistic of the other sample, not its values. Under the hypothesis that both
    /// samples come from one continuous distribution every interleaving is equally likely, so the count has exactly a negative
    /// hypergeometric distribution, whatever that distribution is. For a quantile between two order statistics, the less significant of the
    /// two counts, and likewise for a tie; both err on the side of not rejecting. `None` for an empty sample.
    pub fn placement(&self, sample: &[f64]) -> Option<Placement> {
        if sample.is_empty() || self.size == 0 {
            return None;
        }
        let position = self.level * (self.size - 1) as f64;
        let (low_rank, high_rank) = (position.floor() as usize + 1, position.ceil() as usize + 1);
        let ours = sample.len();
        let below = sample.iter().filter(|&&value| value < self.value).count();
        let at_or_below = sample.iter().filter(|&&value| value <= self.value).count();
        let chance = |rank: usize, count: usize| chance_of_count_below(ours, self.size, rank, count);
        let few: f64 = (0..=at_or_below).map(|count| chance(low_rank, count)).sum();
        let many: f64 = (below..=ours).map(|count| chance(high_rank, count)).sum();
        Some(Placement {
            below,
            expected: ours as f64 * (position + 1.0) / (self.size + 1) as f64,
            p_value: (2.0 * few.min(many)).min(1.0),
        })
    }
}

/// The chance that exactly `count` of our `ours` values are below the `rank`-th smallest (from 1) of `theirs` values.
fn chance_of_count_below(ours: usize, theirs: usize, rank: usize, count: usize) -> f64 {
    choose(count + rank - 1, count) * choose(ours - count + theirs - rank, ours - count) / choose(ours + theirs, ours)
}

/// The binomial coefficient; exact in f64 far beyond the sample sizes used here.
fn choose(from: usize, taken: usize) -> f64 {
    (0..taken.min(from - taken)).fold(1.0, |product, index| product * (from - index) as f64 / (index + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choose_is_pascals_triangle() {
        for from in 1..30 {
            for taken in 1..from {
                let above = choose(from - 1, taken - 1) + choose(from - 1, taken);
                assert!((choose(from, taken) - above).abs() < 1e-6, "{from} over {taken}");
            }
        }
    }

    #[test]
    fn the_count_below_has_the_distribution_that_enumeration_gives() {
        // The slow, obvious twin: all interleavings of 4 of ours with 5 of theirs.
        let (ours, theirs) = (4, 5);
        for rank in 1..=theirs {
            let mut counts = [0u32; 5];
            for order in 0u32..1 << (ours + theirs) {
                if order.count_ones() as usize != theirs {
                    continue;
                }
                let place = (0..ours + theirs).filter(|bit| order >> bit & 1 == 1).nth(rank - 1).unwrap();
                counts[place + 1 - rank] += 1;
            }
            let total: u32 = counts.iter().sum();
            for (count, &seen) in counts.iter().enumerate() {
                let chance = chance_of_count_below(ours, theirs, rank, count);
                assert!((chance - f64::from(seen) / f64::from(total)).abs() < 1e-12, "rank {rank}, count {count}");
            }
        }
    }

    #[test]
    fn a_sample_like_the_reference_is_not_rejected_and_a_shifted_one_is() {
        let reference = KnownQuantile { size: 27, level: 0.5, value: 195.0 };
        let alike: Vec<f64> = (0..20).map(|index| 150.5 + 5.0 * f64::from(index)).collect();
        let shifted: Vec<f64> = alike.iter().map(|value| value + 90.0).collect();
        let placement = reference.placement(&alike).unwrap();
        assert_eq!(placement.below, 9);
        assert_eq!(placement.expected, 10.0);
        assert!(placement.p_value > 0.5, "{placement:?}");
        assert!(reference.placement(&shifted).unwrap().p_value < 0.001);
    }

    #[test]
    fn a_hand_worked_placement() {
        // One of ours against the smallest of two: below it in 1 of the 3 interleavings, above in 2.
        let reference = KnownQuantile { size: 2, level: 0.0, value: 5.0 };
        assert!((reference.placement(&[4.0]).unwrap().p_value - 2.0 / 3.0).abs() < 1e-12);
        assert!((reference.placement(&[6.0]).unwrap().p_value - 1.0).abs() < 1e-12);
        assert_eq!(reference.placement(&[]), None);
    }
}
