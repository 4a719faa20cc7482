//! What is aimed at, on one core. An aim that is missed fails nothing: the table says so.

use super::figures::{Figure, Measured};

/// What a work's figure should be.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// At most this multiple of the floor.
    TimesFloor(f64),
    /// At most this many nanoseconds.
    Nanoseconds(f64),
    /// At least this many env steps per second.
    EnvStepsPerSecond(f64),
}

/// The aims, by how the name of the work begins.
const AIMS: &[(&str, Aim)] = &[
    ("update S1 ", Aim::TimesFloor(1.3)),
    ("update S2 ", Aim::TimesFloor(1.2)),
    ("update S3a ", Aim::TimesFloor(1.2)),
    ("update S3b ", Aim::TimesFloor(1.2)),
    ("update S4 ", Aim::TimesFloor(1.3)),
    ("update S5 ", Aim::TimesFloor(1.4)),
    ("replay sample 32,", Aim::Nanoseconds(1_000.0)),
    ("prioritized sample 32 + update", Aim::Nanoseconds(5_000.0)),
    // 20 million steps per second.
    ("step of CartPole-v1, vector of 1024", Aim::Nanoseconds(50.0)),
    ("train notebook", Aim::EnvStepsPerSecond(120_000.0)),
];

/// The aim of a figure and whether it is met, in words; both empty where nothing is aimed at.
///
/// Where a median is measured it is what counts.
pub fn judge(figure: &Figure) -> (String, &'static str) {
    let Some((_, aim)) = AIMS.iter().find(|(work, _)| figure.work.starts_with(work)) else {
        return (String::new(), "");
    };
    let words = match aim {
        Aim::TimesFloor(times) => format!("≤ {times:.1} × floor"),
        Aim::Nanoseconds(nanoseconds) => format!("≤ {nanoseconds:.0} ns"),
        Aim::EnvStepsPerSecond(rate) => format!("≥ {rate:.0} env-steps/s"),
    };
    (words, if is_met(*aim, &figure.measured) { "met" } else { "**missed**" })
}

fn is_met(aim: Aim, measured: &Measured) -> bool {
    match (aim, measured) {
        (Aim::TimesFloor(times), Measured::AboveFloor { floor, best }) => *best <= times * floor,
        (aim, Measured::Plain { median, best, unit }) => {
            let value = median.unwrap_or(*best);
            match (aim, unit.as_str()) {
                (Aim::Nanoseconds(most), "ns") => value <= most,
                (Aim::Nanoseconds(most), "µs") => value * 1e3 <= most,
                (Aim::EnvStepsPerSecond(least), "env-steps/s") => value >= least,
                _ => false,
            }
        }
        // What was not measured is not met.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(work: &str, measured: Measured) -> &'static str {
        judge(&Figure { work: work.into(), measured }).1
    }

    #[test]
    fn the_median_is_judged_and_the_unit_minded() {
        let time = |median, unit: &str| Measured::Plain { median: Some(median), best: 0.1, unit: unit.into() };
        assert_eq!(verdict("replay sample 32, capacity 1e6", time(0.99, "µs")), "met");
        assert_eq!(verdict("replay sample 32, capacity 1e6", time(1.01, "µs")), "**missed**");
        assert_eq!(verdict("replay sample 32, capacity 1e6", time(700.0, "ns")), "met");
        assert_eq!(verdict("train notebook", time(119_999.0, "env-steps/s")), "**missed**");
        assert_eq!(verdict("train notebook", time(120_000.0, "ns")), "**missed**");
    }

    #[test]
    fn an_update_is_judged_against_its_floor() {
        assert_eq!(verdict("update S3b x", Measured::AboveFloor { floor: 10.0, best: 12.0 }), "met");
        assert_eq!(verdict("update S3b x", Measured::AboveFloor { floor: 10.0, best: 12.1 }), "**missed**");
    }

    #[test]
    fn what_was_skipped_is_missed_and_what_has_no_aim_is_neither() {
        assert_eq!(verdict("train notebook", Measured::Skipped("x".into())), "**missed**");
        assert_eq!(verdict("act for 1 environments", Measured::Skipped("x".into())), "");
    }
}
