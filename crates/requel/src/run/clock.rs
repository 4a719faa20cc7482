//! The current time, for names and notes. Nothing that decides a result uses it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The current time (UTC) as `20260131T235959`.
pub fn timestamp() -> String {
    let [year, month, day, hour, minute, second] = civil(now());
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}")
}

/// The current time (UTC) as `2026-01-31T23:59:59Z`.
pub(super) fn written_out() -> String {
    let [year, month, day, hour, minute, second] = civil(now());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// Year, month, day, hour, minute and second.
fn civil(seconds: u64) -> [u64; 6] {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years that start in March end with the leap day; a cycle of 400 of them has 146,097 days.
    let shifted = days + 719_468;
    let (cycle, day_of_cycle) = (shifted / 146_097, shifted % 146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * cycle + year_of_cycle + u64::from(month <= 2);
    [year, month, day, second / 3600, second / 60 % 60, second % 60]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_civil() {
        assert_eq!(civil(0), [1970, 1, 1, 0, 0, 0]);
        assert_eq!(civil(951_782_400), [2000, 2, 29, 0, 0, 0]);
        assert_eq!(civil(1_735_689_599), [2024, 12, 31, 23, 59, 59]);
        assert_eq!(civil(4_107_542_400), [2100, 3, 1, 0, 0, 0]);
    }

    #[test]
    fn a_name_sorts_as_time_passes() {
        assert_eq!(timestamp().len(), "20260131T235959".len());
        assert!(timestamp() > "20200101T000000".into() && written_out() > "2020-01-01T00:00:00Z".into());
    }
}
