//! A search as text: as a file to change, in the terminal, for a spreadsheet.

use std::io::Write;

use requel::study::Comparison;
use requel::tune::{Domain, Search, SearchBudget, Settings, TuneFile, Tuned};

use crate::args::Layers;
use crate::compare;
use crate::exit::Failure;
use crate::numbers::{counted, grouped};
use crate::runs;
use crate::show::tidy;
use crate::style::{self, BOLD, GOOD, MUTED, paint};
use crate::table::Table;

/// What is searched, in one line.
pub fn headline(search: &Search) -> String {
    let base = search.space.start();
    let budget = match search.budget {
        SearchBudget::Trials(trials) => format!("{} trials", grouped(trials)),
        SearchBudget::EnvSteps(steps) => format!("{} env steps", grouped(steps)),
        SearchBudget::Minutes(minutes) => format!("{minutes} min"),
    };
    let keys = match search.space.dimensions().len() {
        1 => "1 setting".to_owned(),
        count => format!("{count} settings"),
    };
    format!("{} · {} · {keys} · {budget}", base.env.id, runs::settings_named(base))
}

/// The search as a file that describes it.
pub fn toml(file: &TuneFile, layers: &Layers, search: &Search) -> String {
    let mut out = String::from("# A search for `requel tune`. Everything omitted has a default; see docs/tune.md.\n");
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let quoted = |text: &str| toml::Value::from(text).to_string();
    if let Some(name) = &file.name {
        line(format!("name = {}", quoted(name)));
    }
    if !file.description.is_empty() {
        line(format!("description = {}", quoted(&file.description)));
    }
    line(format!("env = {}", quoted(&search.space.start().env.id)));
    for (key, value) in [("preset", &layers.preset), ("algo", &layers.algo)] {
        if let Some(value) = value {
            line(format!("{key} = {}", quoted(value)));
        }
    }
    if !layers.set.is_empty() {
        line(format!("set = {}", toml::Value::from(layers.set.clone())));
    }
    line(format!("sampler = {}", serde_json::json!(search.sampler)));
    line(format!("seed = {}", search.seed));
    line(format!("jobs = {}                 # trials at a time; part of the result", search.jobs));
    line(format!("fresh = {}               # seeds on which the best settings are trained again", file.fresh));
    line("\n[budget]                  # one of trials, env_steps, minutes".into());
    line(match search.budget {
        SearchBudget::Trials(trials) => format!("trials = {trials}"),
        SearchBudget::EnvSteps(steps) => format!("env_steps = {steps}"),
        SearchBudget::Minutes(minutes) => format!("minutes = {minutes:?}"),
    });
    line("\n[trial]".into());
    line(format!("env_steps = {}        # of a trial that runs to the end", search.rungs.env_steps));
    line(format!("rungs = {}                # at which trials are compared", search.rungs.count));
    line(format!("reduction = {}            # one in this many trials continues", search.rungs.reduction));
    line(format!(
        "seeds = {}                # of the first complete training runs; the best get \
                 more",
        search.rungs.seeds
    ));
    line("\n[keys]".into());
    for dimension in search.space.dimensions() {
        line(format!("{} = {}", dimension.key.path, values(&dimension.domain)));
    }
    out
}

fn values(domain: &Domain) -> String {
    let scale = |scale| serde_json::json!(scale);
    match domain {
        Domain::Number { low, high, scale: spread } => {
            format!("{{ low = {low:?}, high = {high:?}, scale = {} }}", scale(spread))
        }
        Domain::Whole { low, high, scale: spread } => {
            format!("{{ low = {low}, high = {high}, scale = {} }}", scale(spread))
        }
        Domain::OneOf(values) => toml::Value::from(values.clone()).to_string(),
    }
}

/// The winner's whole config, with what is known about it.
///
/// # Errors
/// If the config cannot be written as TOML.
pub fn best(search: &Search, tuned: &Tuned) -> Result<String, Failure> {
    let (winner, score) = (tuned.winner(), tuned.score());
    let base = search.space.of_start();
    let changed: String = winner
        .settings
        .iter()
        .filter(|(key, value)| base.get(*key) != Some(value))
        .map(|(key, value)| format!("#   {key} = {value}, not {}\n", shown(&base, key)))
        .collect();
    let changed = if changed.is_empty() { "#   nothing\n".into() } else { changed };
    let config = toml::to_string(&winner.config).map_err(Failure::failed)?;
    Ok(format!(
        "# The best of {} trials, number {}: with a mean return of {} over the seeds {:?} that chose it.\n# Its \
         settings that differ from those the search began with:\n{changed}\n{config}",
        tuned.trials.len(),
        winner.number,
        tidy(score.mean_return),
        score.seeds
    ))
}

/// The value of a key; `unset` if it has no meaning there.
pub fn shown(settings: &Settings, key: &str) -> String {
    settings.get(key).map_or("unset".into(), |value| value.to_string())
}

/// A row per trial; cells that it did not reach are empty.
pub fn csv(search: &Search, tuned: &Tuned) -> String {
    let keys: Vec<&str> = search.space.dimensions().iter().map(|dimension| dimension.key.path).collect();
    let rungs = search.rungs.levels();
    let returns = rungs.iter().map(|rung| format!("score_at_{}_on_{}", rung.env_steps, rung.seeds));
    let heading: Vec<String> = ["trial".to_owned()].into_iter().chain(returns).chain(["failure".into()]).collect();
    let mut out = heading.into_iter().chain(keys.iter().map(ToString::to_string)).collect::<Vec<_>>().join(",") + "\n";
    let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
    for trial in &tuned.trials {
        let mut cells = vec![trial.number.to_string()];
        let scores = trial.scores();
        cells.extend((0..rungs.len()).map(|rung| scores.get(rung).map(f64::to_string).unwrap_or_default()));
        cells.push(trial.failure.clone().map(quoted).unwrap_or_default());
        let value = |key: &&str| match trial.settings.get(*key) {
            Some(toml::Value::String(text)) => text.clone(),
            Some(value @ toml::Value::Array(_)) => quoted(value.to_string()),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        cells.extend(keys.iter().map(value));
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

/// Prints the results of the search.
///
/// # Errors
/// If stdout cannot be written to.
pub fn print(search: &Search, tuned: &Tuned, fresh: Option<&Comparison>) -> Result<(), Failure> {
    let (winner, score) = (tuned.winner(), tuned.score());
    let mut out = style::stdout();
    let failed = tuned.trials.iter().filter(|trial| trial.failure.is_some()).count();
    let failed = if failed > 0 { format!(", {failed} of them failed") } else { String::new() };
    writeln!(
        out,
        "{} {} {}",
        paint(
            BOLD,
            format_args!("best of {} trials{failed}: number {}, mean return", tuned.trials.len(), winner.number)
        ),
        paint(GOOD, tidy(score.mean_return)),
        paint(
            MUTED,
            format_args!(
                "and score {} over the {} that chose it",
                tidy(score.score),
                counted(score.seeds.len(), "seed")
            )
        ),
    )?;
    if tuned.best == 0 {
        writeln!(out, "nothing better was found than the settings that the search began from")?;
    }
    writeln!(out)?;
    let base = search.space.of_start();
    let mut table = Table::new(&["setting", ">best", ">start"]);
    for dimension in search.space.dimensions() {
        let key = dimension.key.path;
        if winner.settings.contains_key(key) {
            table.row([key.to_owned(), shown(&winner.settings, key), shown(&base, key)]);
        }
    }
    table.write(&mut out)?;
    out.flush()?;
    drop(out);
    if let Some(fresh) = fresh {
        writeln!(style::stdout(), "\n{}", paint(BOLD, "on fresh seeds"))?;
        compare::print(fresh)?;
        if let [start, best] = &fresh.groups[..]
            && best.score.value <= start.score.value
        {
            let line = "on fresh seeds it is no better than the settings the search began from: it was chosen by luck";
            writeln!(style::stdout(), "\n{}", paint(style::WARNING, line))?;
        }
    }
    Ok(())
}
