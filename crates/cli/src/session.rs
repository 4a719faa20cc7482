//! Training with a display: what `train` and `resume` share.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use requel::diagnose::{Evidence, Watch};
use requel::run::{Control, Ending, Run, Session, Summary, Timing};
use requel::stats::proportion_interval;
use requel::train::{Budget, Confirmation};
use requel::{Observer, Registry};
use serde::Serialize;

use crate::args::Reporting;
use crate::commands::eval;
use crate::dashboard::{self, Dashboard, Subject};
use crate::exit::{Exit, Failure};
use crate::numbers::{duration, grouped, rate};
use crate::panel::{Frame, Panel};
use crate::progress::{JsonLines, Person, Tally, Warnings};
use crate::show::{Ability, tidy};
use crate::signals::Signals;
use crate::style::{self, BOLD, COMMAND, GOOD, MUTED, WARNING, paint};
use crate::{report, runs, shell};

/// Trains to the end or until a signal comes, and prints the result.
///
/// # Errors
/// If training or the disk fails.
pub fn train(session: Session, registry: &Registry, reporting: Reporting) -> Result<Exit, Failure> {
    let control = Control::new();
    let signals = Signals::listen_and_stop(control.stop_flag())?;
    let run = session.run().clone();
    let config = session.trainer().config().clone();
    let budget = Budget::of(&config);

    let mut json = JsonLines::default();
    let made = session.trainer().aggregates();
    let made = (made.env_steps, made.episodes);
    let mut headline = format!("{} · {} · seed {}", config.env.id, runs::settings_named(&config), config.train.seed);
    if let Some(used) = session.trainer().agent().device().filter(|used| used.device != "cpu") {
        headline = format!("{headline} · {}", used.device);
    }
    let mut dashboard = match reporting.json || reporting.quiet || reporting.plain || !dashboard::fits() {
        true => None,
        false => {
            let (run, config, registry) = (run.clone(), config.clone(), registry.clone());
            let subject = Subject { run, config, registry, headline: headline.clone(), made };
            // Progress can still be printed line by line if the terminal cannot be taken over.
            Dashboard::open(subject, &control).ok()
        }
    };
    let mut person = (!reporting.quiet && dashboard.is_none())
        .then(|| Person::new(Tally::new(budget, made), &headline, reporting.json));
    let mut warnings = if dashboard.is_some() { Warnings::Later(Vec::new()) } else { Warnings::AtOnce };
    let mut no_one = ();
    let lines: &mut dyn Observer = if reporting.json { &mut json } else { &mut no_one };
    let evidence = Evidence::of_trainer(session.trainer());
    let train = |observer: &mut dyn Observer| session.train(&mut Watch::new(evidence, observer), &control);
    let ending = match (&mut dashboard, &mut person) {
        (Some(dashboard), _) => train(&mut (dashboard, &mut (&mut warnings, lines))),
        // These print warnings themselves.
        (None, Some(person)) => train(&mut (person, lines)),
        (None, None) => train(&mut (&mut warnings, lines)),
    };
    if let Some(person) = person {
        person.close();
    }
    if let Some(dashboard) = dashboard {
        let curves = dashboard.close();
        style::say(paint(BOLD, headline));
        // If the terminal was closed, no picture is needed.
        let _ = curves.iter().try_for_each(|line| writeln!(style::stdout(), "{line}"));
    }
    warnings.say_kept();

    match ending? {
        Ending::Finished { summary, timing, outcome } => {
            let seed = runs::evaluation_seed(&config);
            // A report is optional: the run is complete without it.
            let report = report::write(&run, registry, (&outcome.best_evaluation, seed), &signals);
            if let Err(failure) = &report {
                style::warn(format_args!("no report: {}", failure.what));
            }
            if reporting.json {
                json.print(&Finished::new(&summary, timing, run.dir()))?;
            } else {
                write_summary(&run, &summary, timing)?;
                suggest_next(reporting, &run);
            }
            Ok(report.err().and_then(|_| signals.received()).unwrap_or(Exit::Success))
        }
        Ending::Interrupted { env_steps, checkpoint } => {
            if reporting.json {
                json.print(&Interrupted {
                    event: "run_interrupted",
                    env_steps,
                    checkpoint: &checkpoint,
                    run_dir: run.dir(),
                })?;
            }
            if !reporting.quiet {
                style::say(format_args!("stopped at env step {}, everything is saved", grouped(env_steps)));
                say_command("requel resume", (&run, runs::newest(runs::is_unfinished)), "go on");
            }
            Ok(signals.received().unwrap_or(Exit::Interrupted))
        }
    }
}

#[derive(Serialize)]
struct Finished<'a> {
    event: &'static str,
    #[serde(flatten)]
    summary: &'a Summary,
    wall_seconds: f64,
    env_steps_per_second: f64,
    updates_per_second: f64,
    run_dir: &'a Path,
}

impl<'a> Finished<'a> {
    fn new(summary: &'a Summary, timing: Timing, run_dir: &'a Path) -> Self {
        let Timing { wall_seconds, env_steps_per_second, updates_per_second } = timing;
        Finished { event: "run_finished", summary, wall_seconds, env_steps_per_second, updates_per_second, run_dir }
    }
}

#[derive(Serialize)]
struct Interrupted<'a> {
    event: &'static str,
    env_steps: u64,
    checkpoint: &'a Path,
    run_dir: &'a Path,
}

fn write_summary(run: &Run, summary: &Summary, timing: Timing) -> Result<(), Failure> {
    let config = run.config()?;
    let (best, last) = (&summary.best_evaluation, &summary.final_evaluation);
    let title = match summary.goal {
        Some(_) if summary.is_solved() => format!("{} solved", config.env.id),
        Some(goal) => format!("{} trained, but not solved ({} needed)", config.env.id, tidy(goal)),
        None => format!("{} trained", config.env.id),
    };
    let score = |mean, std| format!("{} ± {}", tidy(mean), tidy(std));
    let last_text = format!(
        "{} {}",
        paint(
            if summary.is_solved() { GOOD } else { BOLD },
            format_args!("{:<15}", score(last.mean_return, last.std_return))
        ),
        paint(MUTED, format_args!("over {} fresh episodes, greedy", last.episodes)),
    );
    let best_text = format!(
        "{:<15} {}",
        score(best.mean_return, best.std_return),
        paint(MUTED, format_args!("the same episodes, found at env step {}", grouped(summary.best_env_steps))),
    );
    let cut_off = eval::cut_off(last.cut_off.max(best.cut_off), last.episodes, config.evaluation.max_episode_steps);
    let counts = format!(
        "{} env steps, {} updates, {} episodes",
        grouped(summary.env_steps),
        grouped(summary.updates),
        grouped(summary.episodes)
    );
    let skipped = match summary.skipped {
        0 => String::new(),
        count => format!(", {} steps skipped", grouped(count)),
    };
    let resumes = match summary.inexact_resumes {
        0 => String::new(),
        count => format!(", {} × resumed with new episodes", grouped(count)),
    };
    let time = format!(
        "{}, {} env steps/s, {} updates/s",
        duration(Duration::from_secs_f64(timing.wall_seconds)),
        rate(timing.env_steps_per_second),
        rate(timing.updates_per_second)
    );
    let frame = match (std::io::stdout().is_terminal(), Ability::detect().unicode) {
        (false, _) => Frame::None,
        (true, false) => Frame::Ascii,
        (true, true) => Frame::Box,
    };
    let mut panel = Panel::new(title).line("final policy", last_text).line("best policy", best_text);
    if let Some(words) = cut_off {
        panel = panel.line("cut off", paint(WARNING, words).to_string());
    }
    if let Some(confirmation) = &summary.confirmation {
        panel = panel.line("confirmed", confirmed(confirmation, summary.goal));
    }
    let panel = panel
        .line("training", counts + &skipped + &resumes)
        .line("time", time)
        .line("weights", format!("{}… {}", &summary.weights_blake3[..16], paint(MUTED, "BLAKE3")))
        .line("run", run.dir().display().to_string());
    let mut out = style::stdout();
    panel.write(&mut out, frame)?;
    Ok(out.flush()?)
}

/// How many of the fresh episodes fell short, with the interval of that probability.
fn confirmed(confirmation: &Confirmation, goal: Option<f64>) -> String {
    let Confirmation { episodes, failed, .. } = *confirmation;
    let short = match goal {
        Some(goal) => format!("below {}", tidy(goal)),
        None => "below the return that stops training".into(),
    };
    let percent = |share: f64| tidy(100.0 * share);
    let interval = proportion_interval(failed, episodes).map_or(String::new(), |interval| {
        format!("95 % interval {} to {} %", percent(interval.low), percent(interval.high))
    });
    let count = format!("{} of {} fresh episodes {short}", grouped(failed as u64), grouped(episodes as u64));
    format!("{count}; {}", paint(MUTED, interval))
}

fn suggest_next(reporting: Reporting, run: &Run) {
    if reporting.quiet {
        return;
    }
    style::say("");
    let page = report::path(run);
    if page.exists() {
        say_line(page.display(), "charts and replays");
    }
    let newest = runs::newest_with_policy();
    say_command("requel watch", (run, newest.clone()), "watch the best policy");
    say_command("requel eval", (run, newest), "score it on as many episodes as you like");
}

/// A command that can be typed; the run is named if it would not be `found` without its name.
fn say_command(command: &str, (run, found): (&Run, Option<Run>), what: &str) {
    let is_found = found.is_some_and(|found| found.dir() == run.dir());
    let command = if is_found { command.to_owned() } else { format!("{command} {}", shell::quoted(run.dir())) };
    say_line(format_args!("{command:<14}"), what);
}

fn say_line(start: impl std::fmt::Display, what: &str) {
    style::say(format_args!("  {}   {}", paint(COMMAND, start), paint(MUTED, what)));
}
