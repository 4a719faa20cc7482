//! `results/minatar.md`: DQN on the five MinAtar games, with learning curves.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use requel::stats::mean;

use super::curves::{Panel, Series, figure_of};
use super::page::{Page, figure, pinning, table};
use super::training::Training;
use crate::command::CommandLine;
use crate::{machine, workspace};

/// The games, by the middle of their ids.
const GAMES: [&str; 5] = ["Asterix", "Breakout", "Freeway", "Seaquest", "SpaceInvaders"];

/// A game with the runs that there are, by seed.
type Game = (&'static str, Vec<(u64, Training)>);

/// The command that the runs are made with.
const SHOWN: &str = "requel train MinAtar/GAME-v1 --seed S --json --run-dir DIR";

/// Trains what is missing under `target/results/minatar` and writes the page, or, where `runs` names a folder with
/// `GAME-SEED` below it, writes the page from what is there, finished or not.
///
/// # Errors
/// When the build or a run fails, or a file cannot be read or written.
pub fn write(seeds: u64, runs: Option<&Path>) -> Result<()> {
    let mut page = Page::new("minatar", "DQN on the MinAtar games", 0..seeds, &pinning(1))?;
    page.add(&format!("Each run: `{SHOWN}`, which uses the preset `minatar-dqn`"));
    let folder = match runs {
        Some(folder) => {
            page.add(
                "This page was written from runs made beforehand by that command, beside other work on the same machine \
                 and not pinned: take the times as upper bounds.",
            );
            folder.to_owned()
        }
        None => train_missing(seeds)?,
    };
    let mut games = Vec::new();
    for game in GAMES {
        let mut trainings = Vec::new();
        for seed in 0..seeds {
            let run = folder.join(format!("{game}-{seed}"));
            if run.join("metrics.jsonl").exists() {
                trainings.push((seed, Training::read(&run).with_context(|| format!("run {}", run.display()))?));
            }
        }
        games.push((game, trainings));
    }
    page.add("![Learning curves](minatar.svg)");
    page.add(&summary(&games, seeds));
    page.add(&by_run(&games));
    page.add(REMARKS);
    let panels: Vec<Panel> = games.iter().map(|(game, trainings)| panel(game, trainings)).collect();
    let picture = workspace::root().join("results").join("minatar.svg");
    std::fs::write(&picture, figure_of(&panels)).with_context(|| format!("cannot write {}", picture.display()))?;
    page.replace_values(points(&games));
    page.write()
}

/// Every point of the picture as comma-separated values.
fn points(games: &[Game]) -> String {
    let mut csv = "game,seed,frames,quantity,mean_return\n".to_owned();
    for (game, trainings) in games {
        for (seed, training) in trainings {
            for (quantity, points) in [("evaluation", &training.evaluations), ("training", &training.returns)] {
                for (frames, value) in points {
                    csv.push_str(&format!("{game},{seed},{frames},{quantity},{value}\n"));
                }
            }
        }
    }
    csv
}

const REMARKS: &str = "\
Env steps are frames. *best*, *final*: mean ± standard deviation of the return of the best policy kept and of that at the end \
of training, greedy, over 100 fresh episodes, with sticky actions and difficulty ramping as in training; an episode is cut off \
after 10 000 frames. *training*: mean return of the last 100 training episodes, with ε = 0.1. *hours*: training time of the \
process. In the picture, the thick line of a seed is the greedy policy over 20 episodes, the thin one the training return.

The settings are those of the paper, Young and Tian, *MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible \
Reinforcement Learning Experiments* (2019), but the paper trains for 5 million frames, over more seeds. Its figures \
are given there as curves of the training return; they are not copied here, since no source of the numbers was at hand.";

fn train_missing(seeds: u64) -> Result<PathBuf> {
    let folder = workspace::target_dir().join("results").join("minatar");
    let binary = workspace::release_binary()?;
    for seed in 0..seeds {
        for game in GAMES {
            let run = folder.join(format!("{game}-{seed}"));
            if run.join("summary.json").exists() {
                continue;
            }
            let core = machine::cores().saturating_sub(1);
            let program = match machine::pinned_to(core) {
                Some(taskset) => taskset.arg(&binary),
                None => CommandLine::new(&binary),
            };
            // One that was cut off goes on from its last checkpoint, to the same bits.
            let is_begun = run.join("checkpoints").exists();
            let command = match is_begun {
                true => program.arg("resume").arg(&run),
                false => program
                    .args(["train", &format!("MinAtar/{game}-v1"), "--seed", &seed.to_string(), "--run-dir"])
                    .arg(&run),
            };
            command.args(["--json", "--quiet"]).output()?;
            eprintln!("{game} seed {seed} is trained");
        }
    }
    Ok(folder)
}

/// A row for each game: means over the finished runs.
fn summary(games: &[Game], seeds: u64) -> String {
    let header =
        ["game", "finished runs", "best, mean over seeds", "final, mean over seeds", "training, mean over seeds"];
    let rows: Vec<Vec<String>> = games
        .iter()
        .map(|(game, trainings)| {
            let finished: Vec<&Training> =
                trainings.iter().map(|(_, training)| training).filter(|training| training.summary.is_some()).collect();
            let over = |value: &dyn Fn(&Training) -> Option<f64>| {
                figure(mean(&finished.iter().filter_map(|training| value(training)).collect::<Vec<_>>()), 1)
            };
            vec![
                format!("**{game}**"),
                format!("{} of {seeds}", finished.len()),
                over(&|training| Some(training.summary.as_ref()?.best.mean)),
                over(&|training| Some(training.summary.as_ref()?.last.mean)),
                over(&Training::last_return),
            ]
        })
        .collect();
    table(&header, &rows)
}

/// A row for each run, finished or not.
fn by_run(games: &[Game]) -> String {
    let header = ["game", "seed", "frames", "best", "final", "training", "hours", "state"];
    let mut rows = Vec::new();
    for (game, trainings) in games {
        for (seed, training) in trainings {
            let summary = training.summary.as_ref();
            let shown = |score: Option<super::finished::Evaluation>| {
                score.map_or_else(|| figure(None, 1), |score| format!("{:.1} ± {:.1}", score.mean, score.std))
            };
            rows.push(vec![
                (*game).to_owned(),
                seed.to_string(),
                training.frames.to_string(),
                shown(summary.map(|summary| summary.best)),
                shown(summary.map(|summary| summary.last)),
                figure(training.last_return(), 1),
                figure(training.seconds.map(|seconds| seconds / 3600.0), 2),
                if summary.is_some() { "finished" } else { "**unfinished**" }.to_owned(),
            ]);
        }
    }
    table(&header, &rows)
}

fn panel(game: &str, trainings: &[(u64, Training)]) -> Panel {
    let series = trainings
        .iter()
        .map(|(seed, training)| Series {
            name: format!("seed {seed}"),
            thick: training.evaluations.clone(),
            thin: training.returns.clone(),
        })
        .collect();
    Panel { title: game.to_owned(), series }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::finished::Evaluation;
    use crate::results::training::Summary;

    fn training(best: Option<f64>) -> Training {
        let score = |mean| Evaluation { mean, std: 2.0, episodes: 100 };
        Training {
            frames: 7,
            returns: vec![(5, 1.0), (7, 3.0)],
            evaluations: vec![(5, 4.0)],
            seconds: Some(1800.0),
            summary: best.map(|best| Summary { best: score(best), last: score(best - 1.0) }),
        }
    }

    #[test]
    fn a_mean_is_over_finished_runs_and_an_unfinished_one_is_shown_as_such() {
        let games = [("Breakout", vec![(0, training(Some(10.0))), (1, training(None))]), ("Freeway", vec![])];
        let text = summary(&games, 2);
        assert!(text.contains("| **Breakout** | 1 of 2 | 10.0 | 9.0 | 3.0 |"), "{text}");
        assert!(text.contains("| **Freeway** | 0 of 2 | – | – | – |"), "{text}");
        let text = by_run(&games);
        assert!(text.contains("| Breakout | 0 | 7 | 10.0 ± 2.0 | 9.0 ± 2.0 | 3.0 | 0.50 | finished |"), "{text}");
        assert!(text.contains("| Breakout | 1 | 7 | – | – | 3.0 | 0.50 | **unfinished** |"), "{text}");
    }
}
