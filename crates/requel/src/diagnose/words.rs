//! Numbers in sentences.

/// A number for use in a sentence: about four significant digits.
pub(super) fn tidy(value: f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".into(),
        _ if !(1e-3..1e7).contains(&size) => format!("{value:.2e}"),
        _ if value.fract() == 0.0 || size >= 1000.0 => format!("{value:.0}"),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A fraction as a percentage.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent >= 1.0 || percent == 0.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [(0.0, "0"), (500.0, "500"), (146.594, "146.6"), (9.87654, "9.88"), (0.01234, "0.012")];
        for (value, text) in cases {
            assert_eq!(tidy(value), text);
        }
        assert_eq!((tidy(7.6e7), tidy(-2.5e-6)), ("7.60e7".into(), "-2.50e-6".into()));
        assert_eq!((percent(0.5), percent(0.004)), ("50 %".into(), "0.4 %".into()));
    }
}
