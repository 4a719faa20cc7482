//! [`ValueBounds`], the bounds of every expected return, and [`clip_bootstrapped`].

/// The lowest and the highest value that a state can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueBounds {
    /// The lowest, in units of the rewards that are learned from.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl ValueBounds {
    /// The bounds in an environment whose rewards, after scaling and clipping, lie in `rewards`: `[min(r₀, 0), max(r₁, 0)] / (1 − γ)`, the sum of
    /// the geometric series. 0 is among them because an episode that ended is worth 0.
    ///
    /// A truncated episode bootstraps, so that for `gamma` < 1 a time limit does not make the interval smaller. For `gamma` = 1 the
    /// series has no sum; then the values are those that an episode of `max_episode_steps` can return.
    ///
    /// `None` if nothing bounds a value: rewards that are not finite, or `gamma` = 1 and no time limit.
    ///
    /// ```
    /// use requel::td::ValueBounds;
    ///
    /// let cartpole = ValueBounds::of_rewards((1.0, 1.0), 0.99, Some(500)).unwrap();
    /// assert!((cartpole.high - 100.0).abs() < 1e-9 && cartpole.low == 0.0);
    /// let undiscounted = ValueBounds::of_rewards((-1.0, -1.0), 1.0, Some(200));
    /// assert_eq!(undiscounted, Some(ValueBounds { low: -200.0, high: 0.0 }));
    /// assert_eq!(ValueBounds::of_rewards((-1.0, -1.0), 1.0, None), None);
    /// ```
    ///
    /// # Panics
    /// If `gamma` is not from 0 to 1, or the first reward is above the second.
    pub fn of_rewards(rewards: (f64, f64), gamma: f64, max_episode_steps: Option<u32>) -> Option<Self> {
        let (least, most) = rewards;
        assert!((0.0..=1.0).contains(&gamma), "gamma is from 0 to 1, not {gamma}");
        assert!(least <= most, "the lowest reward, {least}, is not above the highest, {most}");
        let series = if gamma < 1.0 { 1.0 / (1.0 - gamma) } else { f64::from(max_episode_steps?) };
        let bounds = ValueBounds { low: least.min(0.0) * series, high: most.max(0.0) * series };
        (bounds.low.is_finite() && bounds.high.is_finite()).then_some(bounds)
    }

    /// Whether a value lies between the bounds, each widened by `slack` of their distance (0.05: by 5 %).
    pub fn contains(&self, value: f64, slack: f64) -> bool {
        let room = slack * (self.high - self.low);
        (self.low - room..=self.high + room).contains(&value)
    }
}

/// Clips bootstrapped targets to `low` and `high`, and returns how many were outside. A target with a discount of 0 is an observed reward
/// and stays as it is; so do NaN and infinity, which clipping would hide from the checks that stop training.
///
/// `discounts` has one number per row, `targets` rows × any number.
///
/// ```
/// let mut targets = [3.0, -7.0, 12.0];
/// let clipped = requel::td::clip_bootstrapped(&[0.9, 0.9, 0.0], (-5.0, 5.0), &mut targets);
/// assert_eq!((clipped, targets), (1, [3.0, -5.0, 12.0]));
/// ```
///
/// # Panics
/// If the lengths do not match, or `low` is above `high` or NaN.
pub fn clip_bootstrapped(discounts: &[f32], (low, high): (f32, f32), targets: &mut [f32]) -> usize {
    let rows = discounts.len();
    assert!(rows > 0 && targets.len().is_multiple_of(rows), "targets are rows × any number");
    assert!(low <= high, "the lower bound, {low}, is not above the upper, {high}");
    let width = targets.len() / rows;

    let mut clipped = 0;
    for (targets, _) in targets.chunks_exact_mut(width.max(1)).zip(discounts).filter(|(_, discount)| **discount != 0.0)
    {
        for target in targets {
            let inside = if target.is_finite() { target.clamp(low, high) } else { *target };
            clipped += usize::from(inside != *target && target.is_finite());
            *target = inside;
        }
    }
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_table() {
        for (rewards, gamma, limit, expected) in [
            ((0.0, 1.0), 0.5, None, Some((0.0, 2.0))),
            ((-1.0, -1.0), 0.75, Some(200), Some((-4.0, 0.0))),
            ((2.0, 3.0), 0.0, None, Some((0.0, 3.0))),
            ((-100.0, -1.0), 1.0, Some(10), Some((-1000.0, 0.0))),
            ((-1.0, 1.0), 1.0, None, None),
            ((f64::NEG_INFINITY, 1.0), 0.5, None, None),
        ] {
            let bounds = ValueBounds::of_rewards(rewards, gamma, limit);
            assert_eq!(bounds.map(|b| (b.low, b.high)), expected, "{rewards:?}, {gamma}, {limit:?}");
        }
    }

    #[test]
    fn contains_with_slack() {
        let bounds = ValueBounds { low: 0.0, high: 100.0 };
        assert!(bounds.contains(100.0, 0.0) && !bounds.contains(100.1, 0.0));
        assert!(bounds.contains(105.0, 0.05) && !bounds.contains(105.1, 0.05));
        assert!(!bounds.contains(f64::NAN, 1.0));
    }

    #[test]
    fn rows_of_several_targets_are_clipped_together() {
        let mut targets = [1.0, 9.0, 9.0, 1.0, f32::NAN, -9.0];
        assert_eq!(clip_bootstrapped(&[1.0, 0.0, 0.5], (0.0, 5.0), &mut targets), 2);
        assert_eq!(targets[..4], [1.0, 5.0, 9.0, 1.0]);
        assert!(targets[4].is_nan());
        assert_eq!(targets[5], 0.0);
    }
}
