//! Our environments compared with the originals: Gymnasium's and MinAtar's, on the same core in the same run.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::figures::{self, Figure, Measured};
use super::{page, programs};
use crate::results::table;
use xtask::python::VirtualEnvironment;

/// What one original environment came to, steps of one environment per second.
#[derive(Debug, Deserialize)]
struct Original {
    id: String,
    single: f64,
    /// As 1024 side by side; absent where there is no such form.
    vector: Option<f64>,
    /// How those were stepped, in Gymnasium's word.
    mode: Option<String>,
    program: String,
}

/// Times every environment that has an original and writes the section of `results/benchmarks.md`.
///
/// # Errors
/// When the environment cannot be made, a program fails, or the page cannot be written.
pub fn write_section() -> Result<()> {
    let environment = VirtualEnvironment::for_envs()?;
    let ours = programs::build("requel-envs", "envs")?;
    let ours = figures::of_timings(&programs::on_one_core(ours).output()?).context("requel-envs")?;
    let ids: Vec<&str> =
        ours.iter().filter_map(|figure| single_of(&figure.work)).filter(|id| has_original(id)).collect();
    let output = environment.python_on(programs::core()).arg("lab/peers/envs.py").args(&ids).output()?;
    let originals = output
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("envs.py wrote no such JSON: {line}")))
        .collect::<Result<Vec<Original>>>()?;
    let section = format!(
        "## Environments beside the originals\n\n{}\n\
         Steps of one environment per second, medians of many short samples, with actions drawn at random beforehand, so that\n\
         resets count. Gymnasium's environments are stepped through `make`, and 1024 of them through `make_vec`: *own* where the\n\
         environment has a vector form of its own, *sync* where they are stepped one after the other. MinAtar's games are\n\
         stepped without Gymnasium around them, which is their fastest form; they have no vector form. Ours are environments of\n\
         the registry, in a `VectorEnv` of 1024 on one thread. Pendulum's torque has five values in ours and any value in\n\
         the original. The script is `lab/peers/envs.py`.\n\n{}",
        page::provenance("cargo xtask bench --envs")?,
        rendered(&ours, &originals)?
    );
    page::write_section("envs", &section)?;
    println!("{section}");
    Ok(())
}

/// The environment of a row about a single one.
fn single_of(work: &str) -> Option<&str> {
    work.strip_prefix("step of ")?.strip_suffix(", one environment")
}

/// Whether somebody else's program has the environment too.
fn has_original(id: &str) -> bool {
    !id.starts_with("Toy/") && !id.starts_with("GridWorld")
}

fn rendered(ours: &[Figure], originals: &[Original]) -> Result<String> {
    let rows = originals.iter().map(|original| row(ours, original)).collect::<Result<Vec<_>>>()?;
    let header =
        ["env", "one: requel", "original", "faster by", "1024: requel", "original", "faster by", "original is"];
    Ok(table(&header, &rows))
}

fn row(ours: &[Figure], original: &Original) -> Result<Vec<String>> {
    let id = &original.id;
    let (single, vector) =
        (rate(ours, &format!("step of {id}, one environment"))?, rate(ours, &format!("step of {id}, vector of 1024"))?);
    let times = |ours: f64, theirs: f64| format!("{:.0} ×", ours / theirs);
    let dash = || "–".to_owned();
    let (their_vector, vector_times) = match (original.vector, &original.mode) {
        (Some(rate), Some(mode)) => {
            let form = if mode == "sync" { "sync" } else { "own" };
            (format!("{} ({form})", per_second(rate)), times(vector, rate))
        }
        _ => (dash(), dash()),
    };
    Ok(vec![
        id.clone(),
        per_second(single),
        per_second(original.single),
        times(single, original.single),
        per_second(vector),
        their_vector,
        vector_times,
        original.program.clone(),
    ])
}

/// The median of a row of ours as steps per second.
fn rate(ours: &[Figure], work: &str) -> Result<f64> {
    let figure = ours.iter().find(|figure| figure.work == work).with_context(|| format!("no figure `{work}`"))?;
    match &figure.measured {
        Measured::Plain { median: Some(median), unit, .. } if unit == "ns" => Ok(1e9 / median),
        Measured::Plain { median: Some(median), unit, .. } if unit == "µs" => Ok(1e6 / median),
        other => anyhow::bail!("`{work}` is no time: {other:?}"),
    }
}

fn per_second(rate: f64) -> String {
    if rate < 1e6 { format!("{:.1} k", rate / 1e3) } else { format!("{:.1} M", rate / 1e6) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(work: &str, median: f64, unit: &str) -> Figure {
        Figure { work: work.into(), measured: Measured::Plain { median: Some(median), best: 0.1, unit: unit.into() } }
    }

    #[test]
    fn rates_stand_beside_those_of_the_same_form() {
        let ours =
            [figure("step of A-v1, one environment", 50.0, "ns"), figure("step of A-v1, vector of 1024", 2.0, "µs")];
        let original = |vector, mode: Option<&str>| Original {
            id: "A-v1".into(),
            single: 100_000.0,
            vector,
            mode: mode.map(str::to_owned),
            program: "x 1".into(),
        };
        let text = rendered(&ours, &[original(Some(250_000.0), Some("sync")), original(None, None)]).unwrap();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(rows[0], "| A-v1 | 20.0 M | 100.0 k | 200 × | 500.0 k | 250.0 k (sync) | 2 × | x 1 |");
        assert_eq!(rows[1], "| A-v1 | 20.0 M | 100.0 k | 200 × | 500.0 k | – | – | x 1 |");
        assert!(rendered(&ours[..1], &[original(None, None)]).is_err(), "a figure that is missing is said to be");
    }

    #[test]
    fn environments_of_our_own_have_no_original() {
        let of = |work| single_of(work).is_some_and(has_original);
        assert!(of("step of CartPole-v1, one environment") && of("step of MinAtar/Asterix-v1, one environment"));
        assert!(!of("step of Toy/Catch-v0, one environment") && !of("step of GridWorld-v0, one environment"));
        assert!(!of("step of CartPole-v1, vector of 1024"));
    }
}
