//! `results/minatar.md`: the MinAtar games, training return as in the paper, compared with its curve.
//!
//! These are tens of core-hours. A run that was cut off goes on from its last checkpoint, to the same bits; what has come so far
//! stands in the page with its number of runs. The comma-separated values are the record: `minatar.csv` of finished runs, which are not
//! made again, `minatar-curves.csv` of the curves of all.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use requel::Registry;
use requel::stats::{Bootstrap, LEAST_RUNS, mean};
use requel::study::{CellRows, Seeds, Tables};

use super::check::Claim;
use super::curves::{Panel, Series, figure_of};
use super::page::{Page, made, pinning, table};
use super::record::Record;
use super::seeds::Configuration;
use super::studied::Studied;
use super::training;
use xtask::workspace;

/// The games, by the middle of their ids, in the order of the study.
const GAMES: [&str; 5] = ["Asterix", "Breakout", "Freeway", "Seaquest", "SpaceInvaders"];

/// The frames at which training returns are compared.
const MARKS: [u64; 3] = [1_000_000, 2_000_000, 4_900_000];

/// Training returns of DQN in Young & Tian 2019 at [`MARKS`], 30 seeds, read off its figure: ± 0.3.
const PUBLISHED: [[f64; 3]; 5] =
    [[7.1, 14.3, 16.6], [9.2, 9.6, 10.1], [47.8, 50.7, 50.2], [1.0, 4.9, 19.9], [32.5, 41.3, 43.1]];

/// The distance of points in the record, frames. A log has a line for every 10,000 or 20,000.
const SPACING: u64 = 100_000;

const CURVES: &str = "minatar-curves.csv";

/// Frames and mean return of the last 100 training episodes, of a run by its configuration's name and seed.
type Curves = BTreeMap<(String, u64), Vec<(u64, f64)>>;

/// Trains what is missing, seed by seed, and writes the page whenever a run ends.
///
/// # Errors
/// When the build or a run fails, or a file cannot be read or written.
pub fn write(seeds: Option<u64>, jobs: usize) -> Result<()> {
    let studied = Studied::read("minatar", seeds)?;
    let mut record = Record::open("minatar")?;
    make_page(&studied, &record, jobs)?.write_quietly()?;
    let mut wanted = studied.runs();
    wanted.sort_by_key(|(_, seed)| *seed);
    if !record.missing(wanted.iter().copied()).is_empty() {
        let binary = workspace::release_binary()?;
        let mut after =
            |record: &Record, _: &Configuration| make_page(&studied, record, jobs)?.write_quietly().map(drop);
        record.train(&binary, wanted, jobs, &mut after)?;
    }
    make_page(&studied, &record, jobs)?.write()
}

/// What a run is called.
fn name(game: &str, preset: &str) -> String {
    format!("MinAtar/{game}-v1/{preset}")
}

/// The presets, in the order of the study.
fn presets(studied: &Studied) -> Vec<&str> {
    studied.study.variants.iter().map(|variant| variant.name.as_str()).collect()
}

fn results(file: &str) -> std::path::PathBuf {
    workspace::root().join("results").join(file)
}

fn make_page(studied: &Studied, record: &Record, jobs: usize) -> Result<Page> {
    let curves = read_curves(&studied.wanted)?;
    let cells: Vec<CellRows> = (studied.study.resolve()?.into_iter().zip(&studied.wanted))
        .map(|(cell, (configuration, seeds))| CellRows { cell, rows: record.of(configuration, seeds) })
        .collect();
    let finished: usize = cells.iter().map(|one| one.rows.len()).sum();
    let csv = record.lines(cells.iter().flat_map(|one| &one.rows));
    let seeds = studied.wanted.first().map(|(_, seeds)| seeds.to_string()).unwrap_or_default();
    let made = made("minatar", &seeds, &pinning(jobs), &csv)?;
    let mut page = Page::of("minatar", format!("# The MinAtar games\n\n{made}"), csv);
    page.add(&format!(
        "**{finished} of {} runs are finished so far**; nothing is claimed beyond the runs that each figure names. Each run: `requel train \
         MinAtar/GAME-v1 --preset NAME --seed S --json --run-dir DIR`, with `--set env.options.full_action_set=true` for all and \
         `--set train.env_steps=5000000` for `minatar-dqn`.",
        studied.runs().len()
    ));
    page.add("![Training returns](minatar.svg)");
    page.add("## Training return");
    page.add(&training_returns(&presets(studied), &curves));
    page.add(METHOD);
    page.add("## Final policies");
    if finished == 0 {
        page.add("No run has ended yet.");
    } else {
        let tables = Tables { study: &studied.study, cells: &cells, registry: &Registry::built_in() };
        page.add(&tables.render("final")?);
        page.add(FINAL);
    }
    for (one, (configuration, _)) in cells.iter().zip(&studied.wanted) {
        one.rows.iter().take(1).for_each(|run| page.claim(Claim::of(configuration, run)));
    }
    let panels: Vec<Panel> = GAMES.iter().map(|game| panel(game, &presets(studied), &curves)).collect();
    for (file, text) in [("minatar.svg", figure_of(&panels)), (CURVES, written(&curves))] {
        let path = results(file);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(page)
}

const FINAL: &str = "\
Mean over seeds of the mean return over 100 fresh episodes, with sticky actions and difficulty ramping as in training; an episode is cut \
off after 10,000 frames.";

const METHOD: &str = "\
Mean over seeds, with its 95 % bootstrap interval from five on, of the mean return of the last 100 training episodes at so many \
frames, exploration included, as the paper counts; behind it how many runs have come so far. *published*: DQN in Young and Tian, \
*MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible Reinforcement Learning Experiments* (2019), 30 seeds, read off its \
figure to ± 0.3; its Seaquest was of a version with an error in the supply of oxygen. `minatar-dqn` has its settings; the others \
have those that their files name.";

/// The mean with its interval where there are enough runs.
fn estimate(sample: &[f64]) -> String {
    let mean = |sample: &[f64]| mean(sample).unwrap_or(f64::NAN);
    let enough = sample.len() >= LEAST_RUNS;
    match enough.then(|| Bootstrap::default().interval(&[sample], mean)).flatten() {
        Some(ends) => format!("{:.1} [{:.1}, {:.1}]", mean(sample), ends.low, ends.high),
        None => format!("{:.1}", mean(sample)),
    }
}

/// A row for each game and preset that has reached the first mark.
fn training_returns(presets: &[&str], curves: &Curves) -> String {
    let mut rows = Vec::new();
    for (game, published) in GAMES.iter().zip(&PUBLISHED) {
        let mut row = vec![format!("**{game}**"), "DQN, published".into()];
        row.extend(published.iter().map(|value| format!("{value:.1} (30)")));
        rows.push(row);
        for preset in presets {
            let cells: Vec<String> = MARKS
                .iter()
                .map(|mark| {
                    let sample = at_mark(curves, &name(game, preset), *mark);
                    if sample.is_empty() { "–".into() } else { format!("{} ({})", estimate(&sample), sample.len()) }
                })
                .collect();
            rows.push([vec![String::new(), format!("`{preset}`")], cells].concat());
        }
    }
    table(&["game", "", "1 M frames", "2 M frames", "4.9 M frames"], &rows)
}

/// The values of a configuration's runs at this many frames, for the runs that have reached it.
fn at_mark(curves: &Curves, name: &str, mark: u64) -> Vec<f64> {
    let runs = curves.iter().filter(|((other, _), _)| other == name);
    let at = |points: &Vec<(u64, f64)>| {
        points.iter().find(|(frames, _)| (mark..mark + SPACING).contains(frames)).map(|(_, value)| *value)
    };
    runs.filter_map(|(_, points)| at(points)).collect()
}

fn panel(game: &str, presets: &[&str], curves: &Curves) -> Panel {
    let series = |preset: &&str| {
        let name = name(game, preset);
        let runs: Vec<_> = curves.iter().filter(|((other, _), _)| *other == name).map(|(_, points)| points).collect();
        let shortest = runs.iter().map(|points| points.len()).min().unwrap_or(0);
        let point = |index: usize| {
            let values: Vec<f64> = runs.iter().map(|points| points[index].1).collect();
            (runs[0][index].0, mean(&values).unwrap_or(f64::NAN))
        };
        Series { name: format!("{preset}, {} so far", runs.len()), points: (0..shortest).map(point).collect() }
    };
    Panel { title: game.to_owned(), series: presets.iter().map(series).collect() }
}

/// The curves on record, and those of the runs that are there, whichever has come further.
fn read_curves(wanted: &[(Configuration, Seeds)]) -> Result<Curves> {
    let path = results(CURVES);
    let mut curves = match path.exists() {
        true => parsed(&std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?)?,
        false => Curves::new(),
    };
    for (configuration, seeds) in wanted {
        for &seed in seeds.as_slice() {
            let run = configuration.run_dir(seed);
            if run.join("metrics.jsonl").exists() {
                let points = thinned(&training::returns(&run).with_context(|| format!("run {}", run.display()))?);
                let known = curves.entry((configuration.name.to_string(), seed)).or_default();
                if points.len() > known.len() {
                    *known = points;
                }
            }
        }
    }
    curves.retain(|_, points| !points.is_empty());
    Ok(curves)
}

/// The first point at or after each multiple of [`SPACING`].
fn thinned(points: &[(u64, f64)]) -> Vec<(u64, f64)> {
    let mut kept: Vec<(u64, f64)> = Vec::new();
    for &(frames, value) in points {
        let last = kept.last().map_or(0, |(frames, _)| frames / SPACING);
        if frames / SPACING > last {
            kept.push((frames, value));
        }
    }
    kept
}

const CURVES_HEADER: &str = "configuration,seed,frames,training_return\n";

fn written(curves: &Curves) -> String {
    let mut csv = CURVES_HEADER.to_owned();
    for ((name, seed), points) in curves {
        for (frames, value) in points {
            // Writing to a string cannot fail.
            let _ = writeln!(csv, "{name},{seed},{frames},{value}");
        }
    }
    csv
}

fn parsed(csv: &str) -> Result<Curves> {
    let lines = csv.strip_prefix(CURVES_HEADER).context("the curves have another header")?;
    let mut curves = Curves::new();
    for line in lines.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [name, seed, frames, value] = fields[..] else { anyhow::bail!("no curve's line: {line}") };
        let point = (frames.parse()?, value.parse()?);
        curves.entry((name.to_owned(), seed.parse()?)).or_default().push(point);
    }
    Ok(curves)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves() -> Curves {
        let points = |first: f64| vec![(100_352, 0.5), (1_003_520, first)];
        Curves::from([
            (("MinAtar/Breakout-v1/minatar-c51".into(), 25_000), points(9.0)),
            (("MinAtar/Breakout-v1/minatar-c51".into(), 25_001), points(11.0)),
            (("MinAtar/Breakout-v1/minatar-pqn".into(), 25_000), vec![(100_352, 0.5)]),
        ])
    }

    #[test]
    fn a_figure_counts_the_runs_that_have_come_there() {
        let text = training_returns(&["minatar-c51", "minatar-pqn"], &curves());
        assert!(text.contains("|  | `minatar-c51` | 10.0 (2) | – | – |"), "{text}");
        assert!(text.contains("|  | `minatar-pqn` | – | – | – |"), "{text}");
        assert!(text.contains("| **Breakout** | DQN, published | 9.2 (30) |"), "{text}");
    }

    #[test]
    fn curves_are_thinned_and_read_back() {
        assert_eq!(
            thinned(&[(50_000, 1.0), (100_352, 2.0), (150_000, 3.0), (310_000, 4.0)]),
            [(100_352, 2.0), (310_000, 4.0)]
        );
        assert_eq!(parsed(&written(&curves())).unwrap(), curves());
        assert!(parsed("frames\n1\n").is_err());
    }

    #[test]
    fn every_game_is_played_with_all_actions_by_every_preset() {
        let studied = Studied::read("minatar", None).unwrap();
        let presets = presets(&studied);
        for (game, task) in GAMES.iter().zip(&studied.study.tasks) {
            for preset in presets.iter().filter(|preset| !task.skip.iter().any(|skipped| skipped == *preset)) {
                let is_it = |(which, _): &&(Configuration, Seeds)| which.name == name(game, preset);
                let (configuration, _) = studied.wanted.iter().find(is_it).unwrap();
                assert!(configuration.shown().contains("full_action_set=true"), "{configuration:?}");
            }
        }
    }

    #[test]
    fn a_mean_curve_ends_where_the_shortest_run_does() {
        let panel = panel("Breakout", &["minatar-dqn", "minatar-c51"], &curves());
        assert_eq!(panel.series[1].points, [(100_352, 0.5), (1_003_520, 10.0)]);
        assert!(panel.series[1].name.ends_with("2 so far") && panel.series[0].points.is_empty());
    }
}
