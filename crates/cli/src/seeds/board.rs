//! [`Board`], one display for many runs.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use requel::run::{Ending, RunError, Session, Summary, Timing};
use requel::study::Audience;
use requel::train::{Budget, Observer, ObserverError, TrainEvent};
use serde::Serialize;

use super::{Reports, Together};
use crate::numbers::{duration, grouped};
use crate::progress::{JsonLines, Tag, Tally, time_left, warning};
use crate::report;
use crate::runs;
use crate::show::{Ability, tidy};
use crate::signals::Signals;
use crate::style::{self, BAD, BOLD, GOOD, MUTED, paint};

/// Shows the progress of many runs: on a terminal, a line for each run in training and one for all; otherwise, a line for each run that has
/// ended.
pub struct Board<'a> {
    together: &'a Together<'a>,
    /// Reports are not waited for once one has arrived.
    signals: Signals,
    view: View,
    /// Thousandths of each run's budget used.
    used: Vec<AtomicU64>,
    /// The part that was already used at the start.
    used_before: u64,
    started: Instant,
    counts: Mutex<Counts>,
    json: Mutex<JsonLines>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    ended: usize,
    failed: usize,
}

enum View {
    Bars { all: MultiProgress, total: ProgressBar },
    Lines,
    Nothing,
}

/// How often a bar is redrawn.
const PERIOD: Duration = Duration::from_millis(100);
/// A run's whole budget, in the unit of [`Board::used`].
const WHOLE: u64 = 1000;

impl<'a> Board<'a> {
    pub fn new(together: &'a Together<'a>, signals: Signals) -> Self {
        let finished: Vec<bool> =
            together.runs.iter().map(|run| run.standing() == requel::study::Standing::Finished).collect();
        let used: Vec<AtomicU64> = finished.iter().map(|done| AtomicU64::new(if *done { WHOLE } else { 0 })).collect();
        let count = finished.iter().filter(|done| **done).count();
        let stdout_in_use = together.reporting.json && std::io::stdout().is_terminal();
        let view = if together.reporting.quiet {
            View::Nothing
        } else if !together.reporting.plain
            && std::io::stderr().is_terminal()
            && !stdout_in_use
            && count < finished.len()
        {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            let total = all.add(ProgressBar::new(WHOLE * finished.len() as u64));
            total.set_style(style_of(Row::Total));
            View::Bars { all, total }
        } else {
            View::Lines
        };
        if !together.reporting.quiet {
            style::say(paint(BOLD, &together.headline));
        }
        Board {
            together,
            signals,
            view,
            used,
            used_before: WHOLE * count as u64,
            started: Instant::now(),
            counts: Mutex::new(Counts { ended: count, failed: 0 }),
            json: Mutex::default(),
        }
    }

    /// Removes the display.
    pub fn close(&self) {
        if let View::Bars { all, total } = &self.view {
            total.finish_and_clear();
            // Bars that ended while others were drawn may have left their line. If stderr is closed there are none.
            let _ = all.clear();
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn tag(&self, index: usize) -> Tag {
        let variant = self.together.variant(index).map(str::to_owned);
        Tag { variant, seed: self.together.runs[index].config.train.seed }
    }

    fn print(&self, object: &impl Serialize) -> std::io::Result<()> {
        self.json.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).print(object)
    }

    /// `7 of 20 done, 1 failed   14 s left`
    fn totals(&self) -> String {
        let counts = *self.counts();
        let mut text = format!("{} of {} done", counts.ended, self.used.len());
        if counts.failed > 0 {
            text.push_str(&format!(", {} failed", counts.failed));
        }
        match self.time_left() {
            Some(left) if counts.ended < self.used.len() => format!("{text}   {} left", coarse(left)),
            _ => text,
        }
    }

    /// At the current pace, if every run uses its whole budget.
    fn time_left(&self) -> Option<Duration> {
        let used: u64 = self.used.iter().map(|used| used.load(Ordering::Relaxed)).sum();
        let made = used.saturating_sub(self.used_before);
        let left = (WHOLE * self.used.len() as u64).saturating_sub(used);
        time_left(self.started.elapsed(), made, left)
    }

    fn show_total(&self) {
        if let View::Bars { total, .. } = &self.view {
            total.set_prefix(self.totals());
            total.set_position(self.used.iter().map(|used| used.load(Ordering::Relaxed)).sum());
        }
    }

    /// Printed however quiet the program is.
    fn warn(&self, text: String) {
        match &self.view {
            View::Bars { all, .. } => all.suspend(|| style::warn(text)),
            View::Lines | View::Nothing => style::warn(text),
        }
    }

    fn say(&self, text: String) {
        match &self.view {
            View::Bars { all, .. } => all.suspend(|| style::say(text)),
            View::Lines => style::say(text),
            View::Nothing => {}
        }
    }
}

impl Audience for Board<'_> {
    fn begins(&self, index: usize, session: &Session) -> Box<dyn Observer + '_> {
        let made = session.trainer().aggregates();
        let budget = Budget::of(session.trainer().config());
        let bar = match &self.view {
            View::Bars { all, total } => {
                let bar = all.insert_before(total, ProgressBar::new(budget.total()));
                bar.set_style(style_of(Row::Run));
                bar.set_prefix(self.together.name(index));
                Some(bar)
            }
            _ => None,
        };
        let lines = self.together.reporting.json.then(|| JsonLines::tagged(self.tag(index)));
        let tally = Tally::new(budget, (made.env_steps, made.episodes));
        Box::new(Seat { board: self, index, tally, bar, lines, next: Instant::now() })
    }

    fn ends(&self, index: usize, ending: &Result<Ending, RunError>) {
        let name = self.together.name(index);
        match ending {
            Ok(Ending::Finished { summary, outcome, timing }) => {
                let run = &self.together.runs[index];
                if self.together.reports == Reports::Written {
                    let written = requel::run::Run::open(&run.dir).map_err(Into::into).and_then(|r| {
                        let scored = (&outcome.best_evaluation, runs::evaluation_seed(&run.config));
                        report::write(&r, self.together.registry, scored, &self.signals)
                    });
                    if let Err(failure) = written {
                        self.say(format!("no report of {name}: {}", failure.what));
                    }
                }
                self.used[index].store(WHOLE, Ordering::Relaxed);
                self.counts().ended += 1;
                if self.together.reporting.json {
                    // The reader has closed the output.
                    let _ = self.print(&Finished::new(self.tag(index), summary, *timing, &run.dir));
                }
                let best = &summary.best_evaluation;
                let score = paint(
                    GOOD,
                    format_args!("{:<15}", format!("{} ± {}", tidy(best.mean_return), tidy(best.std_return))),
                );
                let last = format!("final {:<7}", tidy(summary.final_evaluation.mean_return));
                let cost = format!(
                    "{} env steps, {}",
                    grouped(summary.env_steps),
                    duration(Duration::from_secs_f64(timing.wall_seconds))
                );
                let totals = match self.view {
                    View::Lines => format!("  ({})", self.totals()),
                    _ => String::new(),
                };
                self.say(format!("  {name:<10} best {score} {last} {}{totals}", paint(MUTED, cost)));
            }
            Ok(Ending::Interrupted { env_steps, checkpoint }) => {
                if self.together.reporting.json {
                    let run_dir = &self.together.runs[index].dir;
                    let _ = self.print(&Interrupted {
                        event: "run_interrupted",
                        env_steps: *env_steps,
                        checkpoint,
                        run_dir,
                        tag: self.tag(index),
                    });
                }
            }
            Err(error) => {
                self.used[index].store(WHOLE, Ordering::Relaxed);
                self.counts().failed += 1;
                self.say(format!("  {name:<10} {} {error}", paint(BAD, "failed:")));
            }
        }
        self.show_total();
    }

    fn waits(&self, index: usize) {
        self.say(format!("  {:<10} another process is training it; waiting", self.together.name(index)));
    }

    fn tries_again(&self, index: usize, error: &RunError) {
        self.say(format!("  {:<10} {error}; trying again", self.together.name(index)));
    }

    fn ended_elsewhere(&self, index: usize) {
        self.used[index].store(WHOLE, Ordering::Relaxed);
        self.counts().ended += 1;
        self.say(format!("  {:<10} finished by another process", self.together.name(index)));
        self.show_total();
    }
}

/// Observes one run.
struct Seat<'a> {
    board: &'a Board<'a>,
    index: usize,
    tally: Tally,
    bar: Option<ProgressBar>,
    lines: Option<JsonLines>,
    next: Instant,
}

impl Observer for Seat<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        self.tally.note(event);
        if let Some(warning) = warning(event) {
            self.board.warn(format!("{}: {warning}", self.board.together.name(self.index)));
        }
        if let Some(lines) = &mut self.lines {
            lines.on_event(event)?;
        }
        let now = Instant::now();
        if now >= self.next {
            self.next = now + PERIOD;
            let used = (WHOLE as f64 * self.tally.headway.fraction()) as u64;
            self.board.used[self.index].store(used, Ordering::Relaxed);
            if let Some(bar) = &self.bar {
                let or_dash = |value: Option<f64>| value.map_or("-".into(), tidy);
                bar.set_position(self.tally.headway.used());
                bar.set_message(format!(
                    "return {}   best {}",
                    paint(BOLD, format_args!("{:<7}", or_dash(self.tally.return_mean))),
                    paint(GOOD, or_dash(self.tally.best.map(|best| best.mean))),
                ));
                self.board.show_total();
            }
        }
        Ok(())
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
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
    run_dir: &'a std::path::Path,
    #[serde(flatten)]
    tag: Tag,
}

impl<'a> Finished<'a> {
    fn new(tag: Tag, summary: &'a Summary, timing: Timing, run_dir: &'a std::path::Path) -> Self {
        let Timing { wall_seconds, env_steps_per_second, updates_per_second } = timing;
        Finished {
            event: "run_finished",
            summary,
            wall_seconds,
            env_steps_per_second,
            updates_per_second,
            run_dir,
            tag,
        }
    }
}

#[derive(Serialize)]
struct Interrupted<'a> {
    event: &'static str,
    env_steps: u64,
    checkpoint: &'a std::path::Path,
    run_dir: &'a std::path::Path,
    #[serde(flatten)]
    tag: Tag,
}

/// What a bar stands for.
#[derive(Clone, Copy)]
enum Row {
    Run,
    Total,
}

fn style_of(row: Row) -> ProgressStyle {
    let (template, blocks) = match (Ability::detect().unicode, row) {
        (true, Row::Total) => ("  {bar:28.cyan/dim}  {prefix}", "━━─"),
        (true, Row::Run) => ("  {bar:28.green/dim}  {prefix:<10}  {msg}", "━━─"),
        (false, Row::Total) => ("  [{bar:26}]  {prefix}", "=>-"),
        (false, Row::Run) => ("  [{bar:26}]  {prefix:<10}  {msg}", "=>-"),
    };
    ProgressStyle::with_template(template).expect("the template is well formed").progress_chars(blocks)
}

/// A duration as an estimate: no fractions of a second.
fn coarse(time: Duration) -> String {
    if time < Duration::from_secs(60) { format!("{} s", time.as_secs_f64().ceil()) } else { duration(time) }
}
