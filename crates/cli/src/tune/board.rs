//! [`Board`], the progress of a search.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use requel::run::Session;
use requel::train::{Observer, ObserverError, TrainEvent};
use requel::tune::{News, Search, SearchBudget, Settings, Trial, TuneAudience, leader};
use serde::Serialize;

use crate::args::Reporting;
use crate::compare::label;
use crate::numbers::{counted, duration, grouped};
use crate::progress::JsonLines;
use crate::show::{Ability, tidy};
use crate::style::{self, BOLD, GOOD, MUTED, paint};

/// Shows the progress of a search: on a terminal, one updated line and a line for each trial that takes the lead; otherwise, a line for
/// each trial that reached a rung.
pub struct Board {
    budget: SearchBudget,
    reporting: Reporting,
    bar: Option<ProgressBar>,
    started: Instant,
    /// Env steps made by this process.
    env_steps: AtomicU64,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    trials: usize,
    known: usize,
    /// The latest state of each trial.
    standing: BTreeMap<usize, Trial>,
    json: JsonLines,
}

impl Board {
    pub fn new(search: &Search, reporting: Reporting) -> Self {
        let is_drawn = !reporting.quiet && !reporting.plain && std::io::stderr().is_terminal();
        let stdout_in_use = reporting.json && std::io::stdout().is_terminal();
        let bar = (is_drawn && !stdout_in_use).then(|| {
            let bar = ProgressBar::new(1000);
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            let (template, blocks) = match Ability::detect().unicode {
                true => ("  {bar:12.cyan/dim}  {wide_msg}", "━━─"),
                false => ("  [{bar:10}]  {wide_msg}", "=>-"),
            };
            bar.set_style(ProgressStyle::with_template(template).expect("it is well formed").progress_chars(blocks));
            bar
        });
        if !reporting.quiet {
            style::say(paint(BOLD, super::text::headline(search)));
        }
        Board {
            budget: search.budget,
            reporting,
            bar,
            started: Instant::now(),
            env_steps: AtomicU64::new(0),
            found: Mutex::default(),
        }
    }

    /// Removes the display, and says how many results already existed.
    pub fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let known = self.found().known;
        if known > 0 && !self.reporting.quiet {
            style::say(paint(MUTED, format_args!("{known} results already existed")));
        }
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn say(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.suspend(|| style::say(text)),
            None => style::say(text),
        }
    }

    /// `12/50 trials   best score 487.10 (trial 9)   1.23M env steps, 34 s`
    fn draw(&self, found: &Found) {
        let Some(bar) = &self.bar else { return };
        let (elapsed, made) = (self.started.elapsed(), self.env_steps.load(Ordering::Relaxed));
        let (share, trials) = match self.budget {
            SearchBudget::Trials(trials) => {
                (found.trials as f64 / trials as f64, format!("{}/{trials} trials", found.trials))
            }
            SearchBudget::EnvSteps(steps) => (made as f64 / steps as f64, format!("{} trials", found.trials)),
            SearchBudget::Minutes(minutes) => {
                (elapsed.as_secs_f64() / (60.0 * minutes), format!("{} trials", found.trials))
            }
        };
        let best = leader(found.standing.values()).and_then(|trial| Some((trial.number, trial.last()?.score)));
        let best = best.map(|(trial, score)| {
            format!("   best score {}", paint(GOOD, format_args!("{} (trial {trial})", tidy(score))))
        });
        bar.set_position((1000.0 * share.min(1.0)) as u64);
        let made = format!("{} env steps, {}", label(made as f64), duration(elapsed));
        bar.set_message(format!("{trials}{}   {}", best.unwrap_or_default(), paint(MUTED, made)));
    }
}

impl TuneAudience for Board {
    fn begins(&self, _: usize, session: &Session) -> Box<dyn Observer + '_> {
        let counted = session.trainer().env_steps();
        Box::new(Seat { board: self, counted, next: Instant::now() })
    }

    fn reached(&self, trial: &Trial, news: News) {
        let mut found = self.found();
        if trial.rungs.len() + usize::from(trial.failure.is_some()) == 1 {
            found.trials += 1;
        }
        found.known += usize::from(news == News::Known);
        found.standing.insert(trial.number, trial.clone());
        let leads = leader(found.standing.values()).is_some_and(|leader| leader.number == trial.number);
        if self.reporting.json && news == News::New {
            // The reader has closed the output.
            let _ = found.json.print(&RungReached::of(trial));
        }
        self.draw(&found);
        drop(found);
        let is_told = !self.reporting.quiet && news == News::New && (self.bar.is_none() || leads);
        if is_told {
            self.say(line(trial, leads));
        }
    }
}

/// `trial 9    16,656 env steps × 2 seeds   score 487.10   best so far`
fn line(trial: &Trial, leads: bool) -> String {
    let name = format!("  trial {:<5}", trial.number);
    if let Some(failure) = &trial.failure {
        // On its own line, since the reason is a whole sentence.
        return format!("{name} {}\n    {failure}", paint(style::BAD, "failed:"));
    }
    let Some(scored) = trial.last() else { return name };
    let seeds = counted(scored.seeds.len(), "seed");
    let made = format!("{:>9} env steps × {seeds:<7}", grouped(scored.env_steps));
    let best = if leads { paint(GOOD, "   best so far") } else { String::new() };
    format!("{name} {}   score {:>8}{best}", paint(MUTED, made), tidy(scored.score))
}

#[derive(Serialize)]
struct RungReached<'a> {
    event: &'static str,
    trial: usize,
    rung: usize,
    settings: &'a Settings,
    env_steps: Option<u64>,
    seeds: &'a [u64],
    mean_return: Option<f64>,
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

impl<'a> RungReached<'a> {
    fn of(trial: &'a Trial) -> Self {
        let scored = trial.last().filter(|_| trial.failure.is_none());
        RungReached {
            event: if trial.failure.is_some() { "trial_failed" } else { "rung_reached" },
            trial: trial.number,
            rung: (trial.rungs.len() + usize::from(trial.failure.is_some())).saturating_sub(1),
            settings: &trial.settings,
            env_steps: scored.map(|scored| scored.env_steps),
            seeds: scored.map_or(&[], |scored| &scored.seeds),
            mean_return: scored.map(|scored| scored.mean_return),
            score: scored.map(|scored| scored.score),
            failure: trial.failure.as_deref(),
        }
    }
}

/// Counts the env steps of one run.
struct Seat<'a> {
    board: &'a Board,
    counted: u64,
    next: Instant,
}

impl Observer for Seat<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        let (TrainEvent::EpisodeEnded { env_steps, .. } | TrainEvent::Evaluated { env_steps, .. }) = event else {
            return Ok(());
        };
        self.board.env_steps.fetch_add(env_steps.saturating_sub(self.counted), Ordering::Relaxed);
        self.counted = self.counted.max(*env_steps);
        let now = Instant::now();
        if self.board.bar.is_some() && now >= self.next {
            self.next = now + Duration::from_millis(100);
            self.board.draw(&self.board.found());
        }
        Ok(())
    }
}
