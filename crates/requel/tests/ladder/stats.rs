//! `requel::stats` against rliable 1.2.0: `xtask/golden/stats.py` wrote the values.

use requel::stats::{Bootstrap, Interval, interquartile_mean, mean, optimality_gap, probability_of_improvement};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/stats/rliable.json")).unwrap()
}

/// Scores per task.
fn columns(value: &Value) -> Vec<Vec<f64>> {
    let numbers = |column: &Value| column.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn refs(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

fn assert_close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap();
    assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "{what}: ours {ours}, rliable's {theirs}");
}

/// Each end lies where the noise of two independent bootstraps lets it; the script derives the bands.
fn assert_within(ours: Interval, theirs: &Value, what: &str) {
    for (end, ours) in [("low", ours.low), ("high", ours.high)] {
        let band = theirs[format!("{end}_band")].as_array().unwrap();
        let (from, to) = (band[0].as_f64().unwrap(), band[1].as_f64().unwrap());
        // Means of the same draws in another order differ in the last bits.
        let slack = 1e-9 * to.abs().max(1.0);
        assert!((from - slack..=to + slack).contains(&ours), "{what}, {end} end: {ours} not in {from}..={to}");
    }
}

#[test]
fn aggregates_are_rliables() {
    let golden = golden();
    let target = golden["optimality_target"].as_f64().unwrap();
    type Statistic<'a> = &'a dyn Fn(&[f64]) -> f64;
    let statistics: [(&str, Statistic<'_>); 3] = [
        ("interquartile_mean", &|sample| interquartile_mean(sample).unwrap()),
        ("mean", &|sample| mean(sample).unwrap()),
        ("optimality_gap", &|sample| optimality_gap(sample, target).unwrap()),
    ];
    let bootstrap = Bootstrap { resamples: golden["our_resamples"].as_u64().unwrap() as usize, ..Bootstrap::default() };
    let cases = golden["aggregates"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let name = case["sample"].as_str().unwrap();
        let strata = columns(&golden["samples"][name]);
        for (key, statistic) in statistics {
            let what = format!("{key} of {name}");
            assert_close(statistic(&strata.concat()), &case[key]["point"], &what);
            let interval = bootstrap.interval(&refs(&strata), statistic).unwrap();
            assert_within(interval, &case[key]["interval"], &what);
        }
    }
}

#[test]
fn the_probability_of_improvement_is_rliables() {
    let golden = golden();
    let cases = golden["improvements"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for (number, case) in cases.iter().enumerate() {
        let (x, y) = (columns(&case["x"]), columns(&case["y"]));
        let what = format!("improvement {number}");
        assert_close(probability_of_improvement(&refs(&x), &refs(&y)).unwrap(), &case["point"], &what);
        let interval = Bootstrap::default().improvement(&refs(&x), &refs(&y)).unwrap();
        assert_within(interval, &case["interval"], &what);
    }
}

#[test]
fn rliables_own_ends_lie_in_the_bands_and_the_bands_are_narrow() {
    // Were the bands wide, the tests above would say little.
    let golden = golden();
    for case in golden["aggregates"].as_array().unwrap() {
        for key in ["interquartile_mean", "mean", "optimality_gap"] {
            let interval = &case[key]["interval"];
            let number = |value: &Value| value.as_f64().unwrap();
            let width = number(&interval["high"]) - number(&interval["low"]);
            for end in ["low", "high"] {
                let band = &interval[format!("{end}_band")];
                let (from, to) = (number(&band[0]), number(&band[1]));
                assert!(from <= number(&interval[end]) && number(&interval[end]) <= to, "{case}");
                assert!(to - from <= 0.1 * width, "{} {key} {end}: {from}..{to} of {width}", case["sample"]);
            }
        }
    }
}
