//! Numbers and durations as people read them.

use std::time::Duration;

/// A count with thousands separators: `24,576`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate per second, to three figures or so: `31,200`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if !r.is_finite() || r < 0.0 => "-".into(),
        r if r < 10.0 => format!("{r:.2}"),
        r => {
            let step = 10f64.powi(r.log10().floor() as i32 - 2).max(1.0);
            grouped(((r / step).round() * step) as u64)
        }
    }
}

/// A duration: `1.94 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        0..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        s @ 60..3600 => format!("{} min {} s", s / 60, s % 60),
        s => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

/// `1 seed`, `3 seeds`
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn rates_have_three_figures() {
        assert_eq!([2.345, 31.2, 31234.0, 999.6, f64::INFINITY].map(rate), ["2.35", "31", "31,200", "1,000", "-"]);
    }

    #[test]
    fn durations_have_their_units() {
        let text = |s: f64| duration(Duration::from_secs_f64(s));
        assert_eq!([1.942, 12.34, 200.0, 7500.0].map(text), ["1.94 s", "12.3 s", "3 min 20 s", "2 h 5 min"]);
    }
}
