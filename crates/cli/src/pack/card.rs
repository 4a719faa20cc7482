//! The model card: what a policy is, how it scores and how it was trained, in the format that Hugging Face's hub reads.

use std::fmt::Write;

use requel::config::Config;
use requel::run::{Provenance, Run, Score, Summary};

use crate::exit::Failure;
use crate::numbers::grouped;
use crate::shell::in_own_name;
use crate::{report, runs};

/// With fewer episodes, no interval of the mean is given.
const LEAST_EPISODES: usize = 30;

/// The card of a finished run called `name`.
///
/// # Errors
/// If the run is not finished, or cannot be read.
pub fn text(run: &Run, name: &str) -> Result<String, Failure> {
    let config = run.config()?;
    let Some(summary) = run.summary()? else {
        return Err(Failure::bad_input(format_args!(
            "{} is not finished, so it has no final scores for a model card",
            run.dir().display()
        ))
        .hint("`requel resume RUN` continues its training"));
    };
    let mut card = front_matter(&config, &summary, name);
    let env = &config.env.id;
    let _ = writeln!(
        card,
        "\n# {name}\n\nA policy for **{env}**, trained with requel (deep Q-learning with experience replay), \
         preset `{}`, seed {}.\n",
        config.preset, config.train.seed
    );
    scores(&mut card, &summary);
    environment(&mut card, run, &config);
    algorithm(&mut card, &config, &summary);
    how_it_was_made(&mut card, run)?;
    card.push_str(&usage(&config, name));
    Ok(card)
}

/// A string that both YAML and JSON can read.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn front_matter(config: &Config, summary: &Summary, name: &str) -> String {
    let env = quoted(&config.env.id);
    let Score { mean_return, std_return, .. } = summary.best_evaluation;
    format!(
        "---\n\
         library_name: requel\n\
         tags:\n\
         - reinforcement-learning\n\
         - deep-reinforcement-learning\n\
         - requel\n\
         - {env}\n\
         - {kind}\n\
         model-index:\n\
         - name: {name}\n\
         \x20 results:\n\
         \x20 - task:\n\
         \x20     type: reinforcement-learning\n\
         \x20     name: reinforcement-learning\n\
         \x20   dataset:\n\
         \x20     name: {env}\n\
         \x20     type: {env}\n\
         \x20   metrics:\n\
         \x20   - type: mean_reward\n\
         \x20     value: \"{mean_return:.2} +/- {std_return:.2}\"\n\
         \x20     name: mean_reward\n\
         \x20     verified: false\n\
         ---\n",
        kind = quoted(&config.preset),
        name = quoted(name),
    )
}

fn scores(card: &mut String, summary: &Summary) {
    let (best, last) = (&summary.best_evaluation, &summary.final_evaluation);
    let _ = writeln!(
        card,
        "## Scores\n\nUndiscounted returns of greedy episodes with their own seeds, which were not used to choose \
         anything.\n\n| policy | mean return | 95 % interval of the mean | standard deviation | episodes | cut off \
         |\n|---|---:|---|---:|---:|---:|\n{}\n{}\n\nThe file `best/policy.safetensors` is the policy with the best \
         evaluation during training; the final policy is the one after the last update.\n",
        row(&format!("best, from env step {}", grouped(summary.best_env_steps)), best),
        row(&format!("final, from env step {}", grouped(summary.env_steps)), last),
    );
}

fn row(name: &str, score: &Score) -> String {
    let Score { mean_return, std_return, episodes, cut_off } = *score;
    let interval = match interval(score) {
        Some((low, high)) => format!("{low:.2} to {high:.2}"),
        None => "too few episodes".into(),
    };
    format!("| {name} | {mean_return:.2} | {interval} | {std_return:.2} | {episodes} | {cut_off} |")
}

/// The interval of the mean over these episodes, by the normal approximation.
fn interval(score: &Score) -> Option<(f64, f64)> {
    let n = score.episodes as f64;
    let half = 1.96 * score.std_return / (n - 1.0).sqrt();
    (score.episodes >= LEAST_EPISODES).then_some((score.mean_return - half, score.mean_return + half))
}

fn environment(card: &mut String, run: &Run, config: &Config) {
    let env = &config.env;
    let mut lines = vec![format!("- `{}`", env.id)];
    if let Some(known) = runs::environment(run) {
        let (observations, actions) = (known.observations.network_len(), known.action_count().unwrap_or(0));
        lines.push(format!("- observations of {observations} numbers, {actions} actions"));
        lines.extend(known.goal.map(|goal| format!("- counts as solved at a mean return of {goal}")));
    }
    lines.extend(env.options.iter().map(|(name, value)| format!("- option `{name} = {value}`")));
    let around = [
        (env.frame_stack > 1, format!("- the last {} observations are stacked into one", env.frame_stack)),
        (env.action_repeat > 1, format!("- each action is repeated for {} steps", env.action_repeat)),
        (env.sticky_actions > 0.0, format!("- sticky actions with probability {}", env.sticky_actions)),
    ];
    lines.extend(around.into_iter().filter(|(is_so, _)| *is_so).map(|(_, line)| line));
    let _ = writeln!(card, "## Environment\n\n{}\n", lines.join("\n"));
}

fn algorithm(card: &mut String, config: &Config, summary: &Summary) {
    let _ = writeln!(
        card,
        "## Training\n\n{} env steps, {} updates, {} episodes. All settings are in `config.toml`; these differ from \
         the preset:\n",
        grouped(summary.env_steps),
        grouped(summary.updates),
        grouped(summary.episodes)
    );
    let changed: Vec<String> = report::settings(config)
        .into_iter()
        .filter_map(|row| Some((row.preset?, row.key, row.value)))
        .map(|(preset, key, value)| format!("- `{key} = {value}` (preset: `{preset}`)"))
        .collect();
    let changed = if changed.is_empty() { "- none".into() } else { changed.join("\n") };
    let _ = writeln!(card, "{changed}\n\nBLAKE3 of the final weights: `{}`\n", summary.weights_blake3);
}

fn how_it_was_made(card: &mut String, run: &Run) -> Result<(), Failure> {
    for segment in run.segments()?.iter().skip(1) {
        let changes: Vec<String> = segment.changes.iter().map(|change| format!("`{change}`")).collect();
        let _ = writeln!(card, "From env step {} on: {}.\n", grouped(segment.from_env_steps), changes.join(", "));
    }
    let records = run.provenance()?;
    if let Some(first) = records.first() {
        let Provenance { machine, program, started, .. } = first;
        let command = program.command.join(" ");
        let _ = writeln!(
            card,
            "Trained by requel {} on {machine}, started {started}:\n\n```console\n{command}\n```\n",
            first.version()
        );
        if records.len() > 1 {
            let _ = writeln!(card, "{} sessions in all; `provenance.json` has a record of each.\n", records.len());
        }
        card.push_str("The same version, config and seed give the same bits.\n\n");
    }
    Ok(())
}

fn usage(config: &Config, name: &str) -> String {
    let env = &config.env.id;
    let text = format!(
        "## How to use it\n\n```console\nrequel eval best/policy.safetensors     # score it again\nrequel watch \
         best/policy.safetensors    # see it at work\nrequel unpack {name}.requel.tar         # the whole run, for \
         reports and comparisons\n```\n\nIn Rust, `requel_policy::SavedPolicy::read` and `into_policy` turn it into a \
         `GreedyPolicy`. The weights are safetensors with PyTorch's names and layout; `requel export` writes ONNX. The \
         action in {env} is the index of the largest Q-value.\n"
    );
    in_own_name(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_mean() {
        let score = |std_return, episodes| Score { mean_return: 10.0, std_return, episodes, cut_off: 0 };
        // 1.96 · 5 / √100, with the deviation of a sample of 101.
        let (low, high) = interval(&score(5.0, 101)).unwrap();
        assert!((low - 9.02).abs() < 1e-12 && (high - 10.98).abs() < 1e-12);
        assert_eq!(interval(&score(0.0, 100)), Some((10.0, 10.0)));
        assert_eq!(interval(&score(5.0, 29)), None);
    }

    #[test]
    fn names_cannot_break_the_front_matter() {
        assert_eq!(quoted("a\": b\n- c"), r#""a\": b\n- c""#);
    }
}
