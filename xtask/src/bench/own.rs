//! The table of our own figures, beside their floors and aims.

use anyhow::{Context, Result};

use super::figures::{self, Figure, Measured};
use super::{aims, page, programs};
use crate::results::table;

/// Measures and prints the table.
///
/// # Errors
/// When a benchmark cannot be built, fails, or prints what is not understood.
pub fn print_table() -> Result<()> {
    let (machine, figures) = measure()?;
    println!("{machine}; {}\n\n{}", programs::pinning(), rendered(&figures));
    Ok(())
}

/// Measures, prints the table and writes it into `results/benchmarks.md`.
///
/// # Errors
/// As [`print_table`], and when the page cannot be written.
pub fn write_table() -> Result<()> {
    let (machine, figures) = measure()?;
    let section = format!(
        "## Against the machine's limit\n\n{}- Peak: {machine}, on one core\n\n\
         Floor: the floating-point operations of an update at the peak measured in the same run, and the memory traffic of\n\
         Adam. An update is a forward pass of the target network, a forward and a backward pass of the online network, and a\n\
         step of Adam. Updates and single actions are the best of many runs; the rest are medians of many short samples, which\n\
         are what the aims are held against. Samples of over a millisecond are measured in processor time. Training is\n\
         measured without evaluation, past the point at which learning starts.\n\n{}",
        page::provenance("cargo xtask bench --write")?,
        rendered(&figures)
    );
    page::write_section("own", &section)?;
    println!("{section}");
    Ok(())
}

fn measure() -> Result<(String, Vec<Figure>)> {
    // All are built before anything is measured: a build on the other core would show.
    let kernels = programs::build("requel-nn", "kernels")?;
    let hot_path = programs::build("requel", "hot_path")?;
    let worlds = programs::build("requel-envs", "worlds")?;
    let (machine, mut all) = figures::of_kernels(&programs::on_one_core(kernels).output()?).context("requel-nn")?;
    all.extend(figures::of_timings(&programs::on_one_core(hot_path).output()?).context("requel")?);
    let worlds = figures::of_timings(&programs::on_one_core(worlds).output()?).context("requel-envs")?;
    // The others have a table of their own, beside the originals.
    all.extend(worlds.into_iter().filter(|figure| figure.work.starts_with("step of CartPole-v1")));
    Ok((machine, all))
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
}
