//! `requel tune`: a search over settings.

use std::io::Write;
use std::path::{Path, PathBuf};

use requel::Registry;
use requel::checkpoint::CheckpointError;
use requel::run::{Control, Run, RunError};
use requel::study::Crew;
use requel::tune::{OVERRULED, Sampler, Search, SearchBudget, TuneError, TuneFile, Tuned};
use serde::Serialize;

use crate::args::{Layers, Sampling, TuneArgs};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::JsonLines;
use crate::settings;
use crate::shell;
use crate::signals::Signals;
use crate::style::{self, COMMAND, MUTED, paint};
use crate::tune::{Board, Fresh, files, text};

/// The default directory of searches.
const ROOT: &str = "searches";

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Env(error) => error.into(),
            TuneError::Run(error) => of_run(error),
            TuneError::AllFailed { .. } => Failure { hint: error.hint(), ..Failure::failed(error) },
            error => {
                let hint = error.hint();
                Failure { hint, ..Failure::bad_input(error) }
            }
        }
    }
}

/// What is wrong with a run of a trial. A damaged run is not repaired but trained again.
fn of_run(error: RunError) -> Failure {
    let damaged = match &error {
        RunError::Checkpoint(CheckpointError::Damaged { path, .. }) | RunError::NothingWhole { path, .. } => {
            path.ancestors().find(|dir| dir.join("config.toml").is_file()).map(Path::to_path_buf)
        }
        _ => None,
    };
    match damaged {
        Some(run) => Failure::failed(error).hint(format!(
            "remove {}: the same command then trains that run again, with the same bits",
            shell::quoted(&run)
        )),
        None => error.into(),
    }
}

/// Searches, and trains the winner on fresh seeds.
pub fn run(args: &TuneArgs, registry: &Registry) -> Result<Exit, Failure> {
    let (file, layers) = ask(args, registry)?;
    refuse_what_is_the_searchs(&layers)?;
    let (_, base) = settings::resolve(&layers, registry)?;
    let search = file.search(&base)?;
    if args.print {
        write!(style::stdout(), "{}", text::toml(&file, &layers, &search))?;
        return Ok(Exit::Success);
    }
    let dir = args.run_dir.clone().unwrap_or_else(|| default_directory(&file, &search));
    if Run::open(&dir).is_ok() {
        return Err(Failure::bad_input(format_args!(
            "{} is a run, so a search cannot be written there",
            dir.display()
        ))
        .hint("choose another --run-dir"));
    }
    let control = Control::new();
    let signals = Signals::listen_and_stop(control.stop_flag())?;
    let board = Board::new(&search, args.reporting);
    let crew = Crew { registry, threads: 0, control: &control };
    let tuned = search.conduct(&dir, crew, &board);
    board.close();
    let Some(tuned) = tuned? else {
        say_to_go_on(args, &dir);
        return Ok(signals.received().unwrap_or(Exit::Interrupted));
    };
    // A finished search can be shown even where nothing can be written.
    let is_shown_only = output::is_read_only(&dir.join(files::ALL));
    let fresh = Fresh::of(&search, &tuned, file.fresh, &dir)?;
    if !is_shown_only {
        files::write_found(&search, &tuned, &dir)?;
        if let Some(exit) = fresh.train(registry, args.reporting)? {
            say_to_go_on(args, &dir);
            return Ok(exit);
        }
    }
    let comparison = fresh.comparison()?;
    let written = match is_shown_only {
        true => Vec::new(),
        false => files::write(&search, &tuned, comparison.as_ref(), &dir)?,
    };
    if args.reporting.json {
        JsonLines::default().print(&TuneFinished::new(&tuned, comparison.as_ref()))?;
        return Ok(Exit::Success);
    }
    text::print(&search, &tuned, comparison.as_ref())?;
    if !args.reporting.quiet {
        output::say(&written);
        let command = format!("requel train --config {}", shell::quoted(&dir.join(files::BEST)));
        style::say(format_args!("  {}   {}", paint(COMMAND, command), paint(MUTED, "train with it")));
    }
    Ok(Exit::Success)
}

/// Refuses options that would have no effect.
fn refuse_what_is_the_searchs(layers: &Layers) -> Result<(), Failure> {
    let keys = layers.set.iter().filter_map(|assignment| Some(assignment.split_once('=')?.0.trim()));
    match keys.into_iter().find(|key| OVERRULED.contains(key)) {
        Some(key) => Err(Failure::bad_input(format_args!("`{key}` is set by the search itself"))
            .hint("use --seed, --trial-steps and --rungs instead")),
        None => Ok(()),
    }
}

/// The requested search, and the layers of the training that it starts from.
fn ask(args: &TuneArgs, registry: &Registry) -> Result<(TuneFile, Layers), Failure> {
    let own = &args.layers;
    let subject = own.env.as_deref();
    let path = subject.filter(|subject| subject.ends_with(".toml") || Path::new(subject).is_file());
    let mut file = path.map_or_else(|| Ok(TuneFile::default()), |path| TuneFile::read(Path::new(path), registry))?;
    if let Some(path) = path {
        file.name = file.name.or_else(|| Some(Path::new(path).file_stem()?.to_string_lossy().into_owned()));
    } else {
        file.env = subject.map(str::to_owned);
    }
    let layers = Layers {
        env: file.env.clone(),
        preset: own.preset.clone().or_else(|| file.preset.clone()),
        algo: own.algo.clone().or_else(|| file.algo.clone()),
        config: own.config.clone(),
        set: file.set.iter().chain(&own.set).cloned().collect(),
        seed: None,
    };
    let budgets = [
        args.trials.map(SearchBudget::Trials),
        args.env_steps.map(SearchBudget::EnvSteps),
        args.minutes.map(SearchBudget::Minutes),
    ];
    let sampler = args.sampler.map(|sampling| match sampling {
        Sampling::Tpe => Sampler::Tpe,
        Sampling::Random => Sampler::Random,
    });
    let file = TuneFile {
        sampler: sampler.unwrap_or(file.sampler),
        set: layers.set.clone(),
        seed: own.seed.unwrap_or(file.seed),
        jobs: args.jobs.unwrap_or(file.jobs),
        budget: budgets.into_iter().flatten().next().unwrap_or(file.budget),
        trial_env_steps: args.trial_steps.or(file.trial_env_steps),
        trial_seeds: args.trial_seeds.unwrap_or(file.trial_seeds),
        rungs: args.rungs.unwrap_or(file.rungs),
        fresh: args.fresh.unwrap_or(file.fresh),
        ..file
    };
    Ok((file, layers))
}

fn default_directory(file: &TuneFile, search: &Search) -> PathBuf {
    let mut config = search.space.start().clone();
    config.train.seed = search.seed;
    let tag = &search.fingerprint()[..8];
    let name = match &file.name {
        Some(name) => name.clone(),
        None => Run::name(&config, tag),
    };
    Path::new(ROOT).join(name)
}

fn say_to_go_on(args: &TuneArgs, dir: &Path) {
    if !args.reporting.quiet {
        style::say(format_args!("stopped: the same command continues {}", paint(COMMAND, dir.display())));
    }
}

#[derive(Serialize)]
struct TuneFinished<'a> {
    event: &'static str,
    best: Best<'a>,
    trials: usize,
    env_steps: u64,
    fresh: Option<crate::tune::FreshScores<'a>>,
}

#[derive(Serialize)]
struct Best<'a> {
    trial: usize,
    settings: &'a requel::tune::Settings,
    mean_return: f64,
    seeds: &'a [u64],
}

impl<'a> TuneFinished<'a> {
    fn new(tuned: &'a Tuned, fresh: Option<&'a requel::study::Comparison>) -> Self {
        let (winner, score) = (tuned.winner(), tuned.score());
        let best = Best {
            trial: winner.number,
            settings: &winner.settings,
            mean_return: score.mean_return,
            seeds: &score.seeds,
        };
        TuneFinished {
            event: "tune_finished",
            best,
            trials: tuned.trials.len(),
            env_steps: tuned.env_steps,
            fresh: fresh.map(crate::tune::FreshScores::of),
        }
    }
}
