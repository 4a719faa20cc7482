//! The greedy action.

/// Index of the largest value; the lowest among equals. NaN is only chosen if there is nothing else.
///
/// # Panics
/// If there are no values.
///
/// ```
/// assert_eq!(requel_policy::argmax(&[0.5, 2.0, 2.0, -1.0]), 1);
/// ```
#[inline]
pub fn argmax(values: &[f32]) -> usize {
    assert!(!values.is_empty(), "of no values none is the greatest");
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] || (values[best].is_nan() && !value.is_nan()) {
            best = index;
        }
    }
    best
}

/// Like [`argmax`], among the actions that `mask` allows; if it allows none, all count as allowed.
///
/// # Panics
/// If there are no values, or the mask does not have one flag per value.
#[inline]
pub fn argmax_allowed(values: &[f32], mask: Option<&[bool]>) -> usize {
    let Some(mask) = mask else { return argmax(values) };
    assert!(mask.len() == values.len(), "a mask of {} flags for {} actions", mask.len(), values.len());
    let allowed = values.iter().enumerate().filter(|(index, _)| mask[*index]);
    let better = |best: (usize, f32), new: (usize, f32)| {
        if new.1 > best.1 || (best.1.is_nan() && !new.1.is_nan()) { new } else { best }
    };
    allowed.map(|(index, value)| (index, *value)).reduce(better).map_or_else(|| argmax(values), |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::{argmax, argmax_allowed};

    #[test]
    fn obeys_the_mask() {
        assert_eq!(argmax_allowed(&[3.0, 1.0, 2.0], Some(&[false, true, true])), 2);
        assert_eq!(argmax_allowed(&[3.0, 2.0, 2.0], Some(&[false, true, true])), 1);
        assert_eq!(argmax_allowed(&[3.0, 1.0], None), 0);
        assert_eq!(argmax_allowed(&[1.0, 3.0], Some(&[false, false])), 1);
    }

    #[test]
    fn table() {
        assert_eq!(argmax(&[1.0]), 0);
        assert_eq!(argmax(&[1.0, 1.0]), 0);
        assert_eq!(argmax(&[-0.0, 0.0]), 0);
        assert_eq!(argmax(&[f32::NAN, -5.0, f32::NEG_INFINITY]), 1);
        assert_eq!(argmax(&[f32::NAN, f32::NAN]), 0);
    }
}
