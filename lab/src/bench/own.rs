//! The table of our own figures, with their floors and targets.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::figures::{self, Figure, Measured};
use super::{aims, page, programs};
use crate::results::table;
use xtask::command::CommandLine;
use xtask::machine;

/// How many times the scalar update one with 51 atoms may take.
const MOST_FOR_CATEGORICAL: f64 = 2.5;

/// What is compared.
const SCALAR: &str = "update 32, scalar";
const CATEGORICAL: &str = "update 32, categorical 51";

/// Measures and prints the tables.
///
/// # Errors
/// When a benchmark cannot be built, fails, or prints what is not understood.
pub fn print_table() -> Result<()> {
    let measurements = Measurements::take()?;
    println!("{}; {}\n\n{}", measurements.machine, programs::pinning(), measurements.rendered());
    Ok(())
}

/// Measures, prints the tables and writes them into `results/benchmarks.md`.
///
/// # Errors
/// As [`print_table`], and when the page cannot be written.
pub fn write_table() -> Result<()> {
    let measurements = Measurements::take()?;
    let section = format!(
        "## Against the machine's limit\n\n{}- Peak: {}, on one core\n\n\
         Floor: the floating-point operations of an update at the peak measured in the same run, and the memory traffic of\n\
         Adam. An update is a forward pass of the target network, a forward and a backward pass of the online network, and a\n\
         step of Adam. Updates and single actions are the best of many runs; the rest are medians of many short samples, which\n\
         are what the aims are held against. Samples of over a millisecond are measured in processor time. Training is\n\
         measured without evaluation, past the point at which learning starts.\n\n{}",
        page::provenance("cargo xtask bench --write")?,
        measurements.machine,
        measurements.rendered()
    );
    page::write_section("own", &section)?;
    println!("{section}");
    Ok(())
}

/// Everything that is measured of our own.
struct Measurements {
    /// The kernel and its peak, in words.
    machine: String,
    figures: Vec<Figure>,
    /// At the width that the aims were set for; only where it is not the widest.
    narrower: Option<Narrower>,
    /// How many threads, and the updates with them; only where there are several cores.
    threaded: Option<(usize, Vec<Figure>)>,
}

/// What is measured with narrower registers as well.
struct Narrower {
    /// As [`Measurements::machine`].
    machine: String,
    updates: Vec<Figure>,
    /// Updates of a learner with each kind of head.
    heads: Vec<Figure>,
}

impl Measurements {
    fn take() -> Result<Self> {
        // All are built before anything is measured: a build on the other core would show.
        let kernels = programs::build("requel-nn", "kernels")?;
        let hot_path = programs::build("requel", "hot_path")?;
        let envs = programs::build("requel-envs", "envs")?;
        let (machine, mut all) =
            figures::of_kernels(&programs::on_one_core(&kernels).output()?).context("requel-nn")?;
        all.extend(figures::of_timings(&programs::on_one_core(&hot_path).output()?).context("requel")?);
        let envs = figures::of_timings(&programs::on_one_core(envs).output()?).context("requel-envs")?;
        // The others have their own table, next to the originals.
        all.extend(envs.into_iter().filter(|figure| figure.work.starts_with("step of CartPole-v1")));

        let updates = |output: String| -> Result<_> {
            let (machine, figures) = figures::of_kernels(&output).context("requel-nn")?;
            Ok((machine, figures.into_iter().filter(|figure| figure.work.starts_with("update")).collect::<Vec<_>>()))
        };
        let narrower = match machine.starts_with("kernel avx512") {
            true => {
                let narrow = |program| programs::on_one_core(program).env("REQUEL_KERNEL", "avx2");
                let (machine, updates) = updates(narrow(&kernels).output()?)?;
                let heads = figures::of_timings(&narrow(&hot_path).arg(SCALAR).arg(CATEGORICAL).output()?);
                Some(Narrower { machine, updates, heads: heads.context("requel")? })
            }
            false => None,
        };
        let cores = machine::cores();
        let threaded = match cores {
            0 | 1 => None,
            _ => {
                let output = CommandLine::new(&kernels).arg(format!("--threads={cores}")).output()?;
                Some((cores, updates(output)?.1))
            }
        };
        Ok(Self { machine, figures: all, narrower, threaded })
    }

    fn rendered(&self) -> String {
        let mut text = rendered(&self.figures);
        if let Some(line) = cost_of_categorical(&self.figures) {
            text += &line;
        }
        if let Some(Narrower { machine, updates, heads }) = &self.narrower {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n### With half the width\n\nThe same updates in the same run with `REQUEL_KERNEL=avx2`, the width that \
                 the aims were set for, above its own floor: {machine}.\n\n{}",
                rendered(updates)
            );
            text += &cost_of_categorical(heads).unwrap_or_default();
        }
        if let Some((threads, figures)) = &self.threaded {
            let _ = write!(
                text,
                "\n### With {threads} threads\n\nThe same updates in the same run on {threads} cores, measured by the clock. \
                 What is not worth another thread stays on one.\n\n{}",
                side_by_side(&self.figures, figures, *threads)
            );
        }
        text
    }
}

/// The cost of 51 atoms, compared with the target.
fn cost_of_categorical(figures: &[Figure]) -> Option<String> {
    let best = |work: &str| figures.iter().find(|figure| figure.work == work)?.best();
    let ratio = best(CATEGORICAL)? / best(SCALAR)?;
    let verdict = if ratio <= MOST_FOR_CATEGORICAL { "met" } else { "**missed**" };
    Some(format!(
        "\nAn update with 51 atoms takes {ratio:.2} × the scalar one of the same network, best beside best; aim ≤ \
         {MOST_FOR_CATEGORICAL} ×: {verdict}.\n"
    ))
}

/// Updates on one thread compared with updates on several.
fn side_by_side(single: &[Figure], threaded: &[Figure], threads: usize) -> String {
    let rows: Vec<Vec<String>> = threaded
        .iter()
        .filter_map(|figure| {
            let one = single.iter().find(|other| other.work == figure.work)?.best()?;
            let several = figure.best()?;
            let faster = format!("{:.2} ×", one / several);
            Some(vec![figure.work.clone(), format!("{one:.2} µs"), format!("{several:.2} µs"), faster])
        })
        .collect();
    table(&["work", "1 thread", &format!("{threads} threads"), "faster by"], &rows)
}

fn rendered(figures: &[Figure]) -> String {
    let header = ["work", "floor", "median", "best", "× floor", "aim", ""];
    table(&header, &figures.iter().map(row).collect::<Vec<_>>())
}

fn row(figure: &Figure) -> Vec<String> {
    let dash = || "–".to_owned();
    let (aim, verdict) = aims::judge(figure);
    let [floor, median, best, ratio] = match &figure.measured {
        Measured::AboveFloor { floor, best } => {
            [format!("{floor:.2} µs"), dash(), format!("{best:.2} µs"), format!("{:.2}", best / floor)]
        }
        Measured::Plain { median, best, unit } => {
            let shown = |value: f64| {
                let decimals = if unit.ends_with("/s") { 0 } else { 2 };
                format!("{value:.decimals$} {unit}")
            };
            [dash(), median.map_or_else(dash, shown), shown(*best), dash()]
        }
        Measured::Skipped(reason) => [dash(), format!("not measured: {reason}"), dash(), dash()],
    };
    vec![figure.work.clone(), floor, median, best, ratio, aim, verdict.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_what_was_measured_and_what_was_not() {
        let figure = |work: &str, measured| Figure { work: work.into(), measured };
        let update = figure("update S1 x", Measured::AboveFloor { floor: 10.0, best: 12.5 });
        assert_eq!(row(&update)[1..], ["10.00 µs", "–", "12.50 µs", "1.25", "≤ 1.3 × floor", "met"]);
        let plain = Measured::Plain { median: Some(1000.4), best: 2000.0, unit: "env-steps/s".into() };
        assert_eq!(row(&figure("train y", plain))[1..4], ["–", "1000 env-steps/s", "2000 env-steps/s"]);
        let skipped = figure("train z", Measured::Skipped("no convolution".into()));
        assert_eq!(row(&skipped)[2], "not measured: no convolution");
    }

    #[test]
    fn threads_stand_beside_one_thread_of_the_same_work() {
        let update =
            |work: &str, best| Figure { work: work.into(), measured: Measured::AboveFloor { floor: 1.0, best } };
        let text = side_by_side(&[update("update A", 30.0), update("update B", 9.0)], &[update("update B", 6.0)], 2);
        assert_eq!(text.lines().nth(2), Some("| update B | 9.00 µs | 6.00 µs | 1.50 × |"), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}
