//! What the benchmarks print, as figures.

use anyhow::{Context, Result, bail, ensure};

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was done.
    pub work: String,
    /// How long, or how often, it was measured to take.
    pub measured: Measured,
}

impl Figure {
    /// The best sample, in the figure's own unit; `None` where nothing was measured.
    pub fn best(&self) -> Option<f64> {
        match self.measured {
            Measured::AboveFloor { best, .. } | Measured::Plain { best, .. } => Some(best),
            Measured::Skipped(_) => None,
        }
    }
}

/// What a measurement came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// The best time of an update, with its floor, µs.
    AboveFloor {
        /// Floating-point operations at the machine's peak, and the optimiser's memory traffic, µs.
        floor: f64,
        /// Ours, µs.
        best: f64,
    },
    /// A time or a rate in `unit`.
    Plain {
        /// Half of the samples were worse; absent if only the best is known.
        median: Option<f64>,
        /// The best sample.
        best: f64,
        /// `ns`, `µs` or `env-steps/s`.
        unit: String,
    },
    /// Not measured, for this reason.
    Skipped(String),
}

/// Reads the benchmark of `requel-nn`: its line about the machine, and its figures, updates before actions.
///
/// # Errors
/// When a line is not of its form.
pub fn of_kernels(output: &str) -> Result<(String, Vec<Figure>)> {
    let machine = output.lines().find(|line| line.starts_with("kernel ")).context("no line about the peak")?;
    let (mut updates, mut actions) = (Vec::new(), Vec::new());
    for line in output.lines().filter(|line| line.starts_with('S')) {
        let (work, [floor, best, _, action]) = split(line)?;
        let numbers = [floor, best, action].map(str::parse::<f64>);
        let [Ok(floor), Ok(best), Ok(action)] = numbers else { bail!("not four numbers: {line}") };
        updates.push(Figure { work: format!("update {work}"), measured: Measured::AboveFloor { floor, best } });
        let network = work.rsplit_once(", batch").map_or(work, |(network, _)| network);
        let measured = Measured::Plain { median: None, best: action, unit: "µs".into() };
        // Two works differ in nothing but the batch.
        let action = Figure { work: format!("one action, {network}"), measured };
        if !actions.iter().any(|known: &Figure| known.work.split(' ').skip(3).eq(action.work.split(' ').skip(3))) {
            actions.push(action);
        }
    }
    ensure!(!updates.is_empty(), "no update was measured");
    updates.append(&mut actions);
    Ok((machine.to_owned(), updates))
}

/// Reads a benchmark that prints a name, a median, a best and a unit on each line.
///
/// # Errors
/// When a line is not of that form.
pub fn of_timings(output: &str) -> Result<Vec<Figure>> {
    output.lines().map(of_timing).collect()
}

fn of_timing(line: &str) -> Result<Figure> {
    if let Some((work, reason)) = line.split_once("skipped: ") {
        return Ok(Figure { work: work.trim().into(), measured: Measured::Skipped(reason.into()) });
    }
    let (work, [median, best, unit]) = split(line)?;
    let (Ok(median), Ok(best)) = (median.parse(), best.parse()) else { bail!("not two numbers: {line}") };
    Ok(Figure { work: work.into(), measured: Measured::Plain { median: Some(median), best, unit: unit.into() } })
}

/// The last `N` words of a line, and what is before them.
fn split<const N: usize>(line: &str) -> Result<(&str, [&str; N])> {
    let mut rest = line.trim_end();
    let mut words = [""; N];
    for word in words.iter_mut().rev() {
        (rest, *word) = rest.rsplit_once(' ').with_context(|| format!("too few words: {line}"))?;
        rest = rest.trim_end();
    }
    Ok((rest.trim_start(), words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_have_floors_and_actions_follow_once_per_network() {
        let output = "kernel avx2, peak 98.0 GFLOP/s\n\
                      work                 floor µs    ours µs   ratio  action µs\n\
                      S3a 8-256-256-4, batch 64   385.00     456.00    1.18      3.200\n\
                      S3b 8-256-256-4, batch 256 1452.00    1687.00    1.16      3.300\n";
        let (machine, figures) = of_kernels(output).unwrap();
        assert_eq!(machine, "kernel avx2, peak 98.0 GFLOP/s");
        let works: Vec<&str> = figures.iter().map(|figure| figure.work.as_str()).collect();
        assert_eq!(
            works,
            ["update S3a 8-256-256-4, batch 64", "update S3b 8-256-256-4, batch 256", "one action, S3a 8-256-256-4"]
        );
        assert_eq!(figures[0].measured, Measured::AboveFloor { floor: 385.0, best: 456.0 });
    }

    #[test]
    fn timings_and_skips_are_told_apart() {
        let figures =
            of_timings("replay add, capacity 1e6      7.45    6.92 ns\ntrain x   skipped: no such key\n").unwrap();
        let plain = Measured::Plain { median: Some(7.45), best: 6.92, unit: "ns".into() };
        assert_eq!(figures[0], Figure { work: "replay add, capacity 1e6".into(), measured: plain });
        assert_eq!(figures[1].measured, Measured::Skipped("no such key".into()));
        assert_eq!(figures[1].work, "train x");
    }

    #[test]
    fn a_line_of_another_form_is_an_error_and_not_left_out() {
        assert!(of_timings("panicked at somewhere\n").is_err());
        assert!(of_kernels("kernel avx2, peak 1 GFLOP/s\nS1 x 1.0 2.0\n").is_err());
        assert!(of_kernels("kernel avx2, peak 1 GFLOP/s\n").is_err());
    }
}
