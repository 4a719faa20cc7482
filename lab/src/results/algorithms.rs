//! `results/algorithms.md`: which algorithm learns in which environment, each laid over the environment's own base.
//!
//! Hundreds of runs: the verb goes on where it was stopped, see [`Record`].

use std::borrow::Cow;
use std::ops::Range;

use anyhow::{Context, Result};
use requel::config::algorithms::{self, Algorithm};
use requel::config::{Layers, presets};
use requel::stats::{Estimate, Interval, lowest, median};

use super::page::{Page, estimate, figure, mean_estimate, pinning, table};
use super::random::{self, RandomPlay};
use super::record::Record;
use super::seeds::{Configuration, SeedRun};
use xtask::workspace;

/// An environment that has a base.
struct Environment {
    id: &'static str,
    /// The decimals that its returns are shown with.
    decimals: usize,
    /// The return at which it counts as solved, where its specification has none.
    optimum: Option<f64>,
    /// What its base is run with.
    settings: &'static [&'static str],
}

impl Environment {
    const fn new(id: &'static str, decimals: usize) -> Self {
        Self { id, decimals, optimum: None, settings: &[] }
    }

    /// With a budget that a table of many runs can afford.
    const fn shortened(id: &'static str) -> Self {
        Self { id, decimals: 1, optimum: None, settings: &["--set", "train.env_steps=200000"] }
    }
}

/// In the order in which they are run.
const ENVIRONMENTS: [Environment; 12] = [
    Environment::new("CartPole-v0", 1),
    Environment::new("CartPole-v1", 1),
    Environment { optimum: Some(-13.0), ..Environment::new("CliffWalking-v1", 1) },
    Environment::new("FrozenLake-v1", 3),
    Environment::new("Taxi-v4", 2),
    Environment::new("Acrobot-v1", 1),
    Environment::new("MountainCar-v0", 1),
    Environment::shortened("MinAtar/Breakout-v1"),
    Environment::shortened("MinAtar/Asterix-v1"),
    Environment::shortened("MinAtar/Freeway-v1"),
    Environment::shortened("MinAtar/Seaquest-v1"),
    Environment::shortened("MinAtar/SpaceInvaders-v1"),
];

/// The first of the seeds that this page is made with. Tuning used 1000 to 1999 alone.
const FIRST_SEED: u64 = 26_000;

/// One algorithm in one environment.
struct Cell {
    configuration: Configuration,
    /// Why the two do not go together.
    refusal: Option<String>,
}

/// Makes the runs that are missing and writes the page, after each cell that is full.
///
/// # Errors
/// When the build or a run fails, or a file cannot be read or written.
pub fn write(seeds: u64, jobs: usize) -> Result<()> {
    let binary = workspace::release_binary()?;
    let random = ENVIRONMENTS.iter().map(random_play).collect::<Result<Vec<_>>>()?;
    let range = FIRST_SEED..FIRST_SEED + seeds;
    let cells = cells();
    let mut record = Record::open("algorithms")?;
    let table = Table { cells: &cells, random: &random, seeds: range.clone(), jobs };
    table.page(&record)?.write_quietly()?;
    record.train(&binary, table.wanted(), jobs, &mut |record, configuration| {
        if record.of(configuration, &range).len() as u64 == seeds {
            table.page(record)?.write_quietly()?;
        }
        Ok(())
    })?;
    table.page(&record)?.write()
}

fn random_play(env: &Environment) -> Result<RandomPlay> {
    let preset = presets::default_for(env.id).with_context(|| format!("{} has no base", env.id))?;
    let config = Layers::new().preset(preset.name)?.set(&format!("env.id={}", env.id))?.resolve()?;
    random::play(&config)
}

/// All cells, environment by environment.
fn cells() -> Vec<Vec<Cell>> {
    let of = |env: &Environment| algorithms::all().iter().map(|algorithm| cell(env, algorithm.name)).collect();
    ENVIRONMENTS.iter().map(of).collect()
}

/// What a page is made of, but for the runs.
struct Table<'a> {
    cells: &'a [Vec<Cell>],
    random: &'a [RandomPlay],
    seeds: Range<u64>,
    jobs: usize,
}

impl Table<'_> {
    /// Every run that is to be, in the order of the environments.
    fn wanted(&self) -> Vec<(&Configuration, u64)> {
        let cells = self.cells.iter().flatten().filter(|cell| cell.refusal.is_none());
        cells.flat_map(|cell| self.seeds.clone().map(|seed| (&cell.configuration, seed))).collect()
    }

    fn page(&self, record: &Record) -> Result<Page> {
        let mut page =
            Page::new("algorithms", "Every algorithm in every environment", self.seeds.clone(), &pinning(self.jobs))?;
        let wanted = self.wanted();
        let made = wanted.len() - record.missing(wanted.iter().copied()).len();
        page.add(&format!("**{made} of {} runs so far.** Each: {EACH}", wanted.len()));
        for (env, (cells, random)) in ENVIRONMENTS.iter().zip(self.cells.iter().zip(self.random)) {
            let runs: Vec<Vec<SeedRun>> =
                cells.iter().map(|cell| record.of(&cell.configuration, &self.seeds)).collect();
            if runs.iter().any(|runs| !runs.is_empty()) {
                page.add(&section(env, cells, &runs, *random)?);
            }
            for (cell, runs) in cells.iter().zip(&runs) {
                page.record(&cell.configuration, runs);
            }
        }
        page.add(LEGEND);
        Ok(page)
    }
}

fn cell(env: &Environment, algorithm: &'static str) -> Cell {
    let mut arguments = vec!["train", env.id, "--algo", algorithm];
    arguments.extend(env.settings);
    let name = Cow::Owned(format!("{}/{algorithm}", env.id));
    let configuration = Configuration { name, arguments: Cow::Owned(arguments), resumes: false };
    Cell { configuration, refusal: refusal(env, algorithm) }
}

/// Why an algorithm does not go over an environment's base.
fn refusal(env: &Environment, algorithm: &str) -> Option<String> {
    let preset = presets::default_for(env.id)?;
    let resolved = Layers::new().preset(preset.name).and_then(|layers| layers.algorithm(algorithm)?.resolve());
    resolved.err().map(|error| error.to_string())
}

/// What the runs of a cell show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The whole interval is at the goal or above.
    Goal,
    /// The whole interval is above that of random play.
    Learns,
    /// Neither.
    NotShown,
    /// Too few runs for an interval.
    TooFew,
}

impl Verdict {
    fn of(scores: Option<Estimate>, random: Interval, goal: Option<f64>) -> Self {
        match scores.and_then(|scores| scores.interval) {
            None => Self::TooFew,
            Some(interval) if goal.is_some_and(|goal| interval.low >= goal) && interval.low > random.high => Self::Goal,
            Some(interval) if interval.low > random.high => Self::Learns,
            Some(_) => Self::NotShown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Goal => "**learns, to the goal**",
            Self::Learns => "learns",
            Self::NotShown => "not shown",
            Self::TooFew => "too few runs",
        }
    }
}

fn section(env: &Environment, cells: &[Cell], runs: &[Vec<SeedRun>], random: RandomPlay) -> Result<String> {
    let spec = requel_envs::make(env.id)?.spec().clone();
    let goal = spec.reward_threshold.or(env.optimum);
    let decimals = env.decimals;
    let of = |((cell, runs), algorithm): ((&Cell, &Vec<SeedRun>), &Algorithm)| {
        let shown = format!("`{}`", algorithm.name);
        let row = match &cell.refusal {
            Some(reason) => {
                vec!["–".into(), "–".into(), "0".into(), "–".into(), "–".into(), format!("refused: {reason}")]
            }
            None => row(runs, random.interval, goal, decimals),
        };
        [vec![shown], row].concat()
    };
    let rows: Vec<Vec<String>> = cells.iter().zip(runs).zip(algorithms::all()).map(of).collect();
    let stated = match (spec.reward_threshold, env.optimum) {
        (Some(goal), _) => format!("{goal} is the environment's own goal"),
        (None, Some(optimum)) => format!("the best possible is {optimum}, taken as the goal"),
        (None, None) => "the environment names no goal".to_owned(),
    };
    let budget = if env.settings.is_empty() { String::new() } else { format!(" With `{}`.", env.settings.join(" ")) };
    Ok(format!(
        "## {}\n\nRandom play: {:.decimals$} [{:.decimals$}, {:.decimals$}]; {stated}.{budget}\n\n{}",
        env.id,
        random.mean,
        random.interval.low,
        random.interval.high,
        table(
            &["algorithm", "final policy", "worst seed", "runs", "env steps (median)", "process s (median)", "verdict"],
            &rows
        )
    ))
}

fn row(runs: &[SeedRun], random: Interval, goal: Option<f64>, decimals: usize) -> Vec<String> {
    let scores: Vec<f64> = runs.iter().filter_map(|run| Some(run.finished.final_evaluation?.mean)).collect();
    let scored = mean_estimate(&scores);
    let middle = |value: &dyn Fn(&SeedRun) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>());
    vec![
        estimate(scored, decimals),
        figure(lowest(&scores), decimals),
        runs.len().to_string(),
        figure(middle(&|run| run.finished.env_steps as f64), 0),
        figure(middle(&|run| run.process_seconds), 1),
        Verdict::of(scored, random, goal).word().to_owned(),
    ]
}

const EACH: &str =
    "`requel train ENV --algo NAME --seed S --json --run-dir DIR`, the algorithm laid over the environment's own base.";

const LEGEND: &str = "\
## How to read it

*final policy*: mean over seeds of the mean return of the policy at the end of training, greedy, over fresh episodes (as many as \
the base says), with its 95 % bootstrap interval over seeds, which of five seeds holds the true value in about nine of ten cases. \
*Random play*: 200 episodes of actions drawn evenly among those allowed, under the base's own conditions (repeated actions, time \
limit), with the interval of their mean. *learns*: the whole interval of the final policy is above that of random play. *learns, \
to the goal*: the whole interval is at the goal as well. *not shown*: neither, whatever the mean is. A base is tuned for one \
algorithm, so that the table says which learn and not which is best.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::finished::{Evaluation, Finished};

    fn run(seed: u64, mean: f64) -> SeedRun {
        let finished =
            Finished { final_evaluation: Some(Evaluation { mean, std: 0.0, episodes: 100 }), ..Finished::sample() };
        SeedRun { seed, finished, process_seconds: 1.0 }
    }

    fn verdict(scores: &[f64]) -> Verdict {
        Verdict::of(mean_estimate(scores), Interval { low: 20.0, high: 25.0 }, Some(475.0))
    }

    #[test]
    fn a_verdict_needs_the_whole_interval() {
        assert_eq!(verdict(&[500.0; 5]), Verdict::Goal);
        assert_eq!(verdict(&[500.0, 500.0, 500.0, 500.0, 400.0]), Verdict::Learns);
        assert_eq!(verdict(&[9.0, 9.0, 9.0, 9.0, 500.0]), Verdict::NotShown);
        assert_eq!(verdict(&[500.0; 4]), Verdict::TooFew);
        // No goal, nothing that reaches it.
        let scores = mean_estimate(&[500.0; 5]);
        assert_eq!(Verdict::of(scores, Interval { low: 20.0, high: 25.0 }, None), Verdict::Learns);
        // A goal that random play reaches is no merit.
        assert_eq!(Verdict::of(scores, Interval { low: 490.0, high: 510.0 }, Some(475.0)), Verdict::NotShown);
    }

    #[test]
    fn every_environment_with_a_base_has_a_cell_for_every_algorithm() {
        let with_base: Vec<String> = requel_envs::specs()
            .into_iter()
            .map(|spec| spec.id)
            .filter(|id| presets::default_for(id).is_some())
            .collect();
        let mut ours: Vec<&str> = ENVIRONMENTS.iter().map(|env| env.id).collect();
        assert!(with_base.iter().all(|id| ours.contains(&id.as_str())), "{with_base:?}");
        ours.retain(|id| !with_base.iter().any(|other| other == id));
        assert!(ours.is_empty(), "{ours:?}");
        let cells = cells();
        assert!(cells.iter().all(|cells| cells.len() == algorithms::all().len()));
        let refused =
            |name: &str| cells.iter().flatten().find(|cell| cell.configuration.name == name).unwrap().refusal.clone();
        assert!(refused("FrozenLake-v1/iqn").unwrap().contains("head.kind"));
        assert_eq!(refused("FrozenLake-v1/dqn"), None);
    }

    #[test]
    fn a_row_says_what_its_runs_show() {
        let runs: Vec<SeedRun> = (0..5).map(|seed| run(seed, 500.0 - seed as f64)).collect();
        let row = row(&runs, Interval { low: 20.0, high: 25.0 }, Some(475.0), 1);
        assert!(row[0].starts_with("498.0 [49"), "{row:?}");
        assert_eq!(row[1..], ["496.0", "5", "1000", "1.0", "**learns, to the goal**"]);
    }
}
