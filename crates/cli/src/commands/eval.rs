//! `requel eval`: the score of a run's best policy.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use requel::Registry;
use requel::train::{Evaluation, Evaluator};
use serde::Serialize;

use crate::args::EvalArgs;
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::runs;
use crate::show::tidy;
use crate::signals::Signals;
use crate::style::{self, GOOD, MUTED, WARNING, paint};
use crate::subject::{Needs, Subject};

/// Plays greedy episodes and prints their returns.
pub fn run(args: &EvalArgs, registry: &Registry) -> Result<Exit, Failure> {
    let subject = Subject::open(args.run.as_deref(), Needs::Steps, registry)?;
    let config = subject.config.clone();
    let episodes = args.episodes as usize;
    let seed = args.seed.unwrap_or_else(|| runs::evaluation_seed(&config));
    // Nothing can be left half done here, so a signal ends the program as usual.
    let evaluation = evaluate(&subject, (episodes, seed), &Signals::default())?;

    let mut out = style::stdout();
    if args.json {
        let line = Line {
            run_dir: subject.name.clone(),
            env_id: config.env.id,
            episodes,
            seed,
            mean_return: evaluation.mean_return(),
            std_return: evaluation.std_return(),
            returns: evaluation.returns,
            lengths: evaluation.lengths,
            cut_off: evaluation.cut_off,
        };
        writeln!(out, "{}", serde_json::to_string(&line).map_err(Failure::failed)?)?;
    } else {
        writeln!(out, "{}", in_words(&evaluation))?;
        if let Some(words) = cut_off(evaluation.cut_off, episodes, config.evaluation.max_episode_steps) {
            writeln!(out, "{}", paint(WARNING, words))?;
        }
        writeln!(
            out,
            "{}",
            paint(
                MUTED,
                format_args!("{}, seeds {seed} to {}", subject.name.display(), seed.wrapping_add(episodes as u64 - 1))
            )
        )?;
    }
    Ok(Exit::Success)
}

/// Greedy episodes of the run's best policy, the `i`-th from seed `seed + i`.
///
/// # Errors
/// If there is no policy, the environment fails, or a signal comes.
pub fn evaluate(subject: &Subject, (episodes, seed): (usize, u64), signals: &Signals) -> Result<Evaluation, Failure> {
    let config = &subject.config;
    let mut evaluator = Evaluator::new(&subject.env_factory(), episodes, config.evaluation.max_episode_steps)?;
    let mut policy = subject.policy(evaluator.rows())?;
    let heard = signals.clone();
    evaluator.give_up_when(Arc::new(move || heard.received().is_some()));
    let evaluation = evaluator.evaluate(&mut *policy, episodes, seed);
    signals.check()?;
    Ok(evaluation?)
}

fn in_words(evaluation: &Evaluation) -> String {
    let mut sorted = evaluation.returns.clone();
    sorted.sort_by(f64::total_cmp);
    let score = format!("{} ± {}", tidy(evaluation.mean_return()), tidy(evaluation.std_return()));
    let range = format!(
        "least {}, median {}, greatest {}",
        tidy(sorted[0]),
        tidy(median(&sorted)),
        tidy(sorted[sorted.len() - 1])
    );
    format!("return {} over {} greedy episodes ({range})", paint(GOOD, score), sorted.len())
}

/// What unfinished episodes mean for a score, if there are any.
pub fn cut_off(count: usize, episodes: usize, most_steps: u64) -> Option<String> {
    let all = if count == episodes { "all".to_owned() } else { count.to_string() };
    (count > 0).then(|| {
        format!(
            "{all} of {episodes} episodes did not end within evaluation.max_episode_steps ({}) and count with the \
            return they had reached",
            grouped(most_steps)
        )
    })
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { (sorted[half - 1] + sorted[half]) / 2.0 } else { sorted[half] }
}

#[derive(Serialize)]
struct Line {
    run_dir: PathBuf,
    env_id: String,
    episodes: usize,
    seed: u64,
    mean_return: f64,
    std_return: f64,
    returns: Vec<f64>,
    lengths: Vec<u64>,
    cut_off: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[1.0, 2.0, 10.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 10.0]), 3.0);
    }
}
