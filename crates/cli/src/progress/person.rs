//! [`Person`]: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use requel::train::{Observer, ObserverError, TrainEvent};

use super::sparkline::sparkline;
use super::tally::Tally;
use super::warnings::warning;
use crate::numbers::{duration, grouped, rate};
use crate::show::{Ability, tidy};
use crate::style::{self, BOLD, GOOD, MUTED, WARNING, paint};

/// Reports the progress of training to a user on stderr.
pub struct Person {
    tally: Tally,
    view: View,
    next: Instant,
    /// Episodes of the final evaluation: played, and total.
    last_scores: Option<(usize, usize)>,
}

enum View {
    /// A bar that is redrawn continually.
    Bar(ProgressBar),
    /// A line every few seconds.
    Lines,
}

/// How often the bar is redrawn.
const BAR_PERIOD: Duration = Duration::from_millis(66);
/// How often a plain line is printed.
const LINE_PERIOD: Duration = Duration::from_secs(5);
const SPARK_COLUMNS: usize = 16;

impl Person {
    /// Starts reporting. There is no bar if stderr is not a terminal, or if stdout is one and shows other lines.
    pub fn new(tally: Tally, headline: &str, stdout_in_use: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !(stdout_in_use && std::io::stdout().is_terminal());
        style::say(paint(BOLD, headline));
        let view = if terminal { View::Bar(bar(tally.headway.budget.total())) } else { View::Lines };
        let next = Instant::now() + if terminal { Duration::ZERO } else { LINE_PERIOD };
        Person { tally, view, next, last_scores: None }
    }

    /// Ends reporting, and removes the bar.
    pub fn close(self) {
        if let View::Bar(bar) = self.view {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        match &self.view {
            View::Bar(bar) => {
                bar.set_prefix(self.counts());
                bar.set_message(self.last_scores().unwrap_or_else(|| self.figures()));
                bar.set_position(self.tally.headway.used());
                self.next = now + BAR_PERIOD;
            }
            View::Lines => {
                style::say(self.last_scores().unwrap_or_else(|| self.line()));
                self.next = now + LINE_PERIOD;
            }
        }
    }

    /// A line that stays on the screen, above the bar.
    fn say(&self, line: String) {
        match &self.view {
            View::Bar(bar) => bar.suspend(|| style::say(line)),
            View::Lines => style::say(line),
        }
    }

    /// `24,576 of 50,000 env steps   2 s left`
    fn counts(&self) -> String {
        let budget = self.tally.headway.budget;
        let counts = format!("{} of {} {}", grouped(self.tally.headway.used()), grouped(budget.total()), budget.unit());
        match self.tally.headway.time_left() {
            Some(left) => format!("{counts}   {} left", coarse(left)),
            None => counts,
        }
    }

    /// `final evaluation: 34 of 100 episodes`
    fn last_scores(&self) -> Option<String> {
        let (played, episodes) = self.last_scores?;
        Some(format!("final evaluation: {} of {} episodes", grouped(played as u64), grouped(episodes as u64)))
    }

    /// `return 143.20   best 500.00   ε 0.05   31,200 steps/s`
    fn figures(&self) -> String {
        let tally = &self.tally;
        let or_dash = |value: Option<f64>| value.map_or("-".into(), tidy);
        let unicode = Ability::detect().unicode;
        let epsilon = tally.epsilon.map_or("-".into(), |e| format!("{e:.3}"));
        let mut text = format!(
            "return {}   best {}   {} {epsilon}   {} steps/s",
            paint(BOLD, format_args!("{:<7}", or_dash(tally.return_mean))),
            paint(GOOD, format_args!("{:<6}", or_dash(tally.best.map(|b| b.mean)))),
            if unicode { "ε" } else { "epsilon" },
            rate(tally.headway.env_steps_per_second()),
        );
        if unicode {
            text.push_str(&format!("   {}", paint(MUTED, sparkline(&tally.history, SPARK_COLUMNS))));
        }
        text
    }

    fn line(&self) -> String {
        let tally = &self.tally;
        let mut line = format!(
            "{} of {} {}",
            grouped(tally.headway.used()),
            grouped(tally.headway.budget.total()),
            tally.headway.budget.unit()
        );
        if let Some(mean) = tally.return_mean {
            line.push_str(&format!(", return {} (mean of the last 100 episodes)", tidy(mean)));
        }
        if let Some(epsilon) = tally.epsilon {
            line.push_str(&format!(", epsilon {epsilon:.3}"));
        }
        line.push_str(&format!(", {} env steps/s", rate(tally.headway.env_steps_per_second())));
        if let Some(left) = tally.headway.time_left() {
            line.push_str(&format!(", {} left", coarse(left)));
        }
        line
    }
}

impl Observer for Person {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if let Some(warning) = warning(event) {
            self.say(format!("{} {warning}", paint(WARNING, "warning:")));
        }
        let best_before = self.tally.best;
        self.tally.note(event);
        if let TrainEvent::Evaluated { env_steps, evaluation, best: Some(_), .. } = event {
            let mean = evaluation.mean_return();
            // A policy with an equal score also becomes the best one, but that is not news.
            if best_before.is_none_or(|before| mean > before.mean) {
                let score = format!("{} ± {}", tidy(mean), tidy(evaluation.std_return()));
                let where_ = format!("env step {}", grouped(*env_steps));
                let over = paint(MUTED, format_args!("over {} greedy episodes", evaluation.episodes()));
                self.say(format!("  {where_:>18}   new best {} {over}", paint(GOOD, format_args!("{score:<16}"))));
            }
        }
        if let TrainEvent::FinalEpisode { played, episodes, .. } = *event {
            self.last_scores = Some((played, episodes));
        }
        self.show();
        Ok(())
    }
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(15));
    let (template, blocks) = match Ability::detect().unicode {
        true => ("  {bar:28.green/dim}  {prefix}\n  {msg}", "━━─"),
        false => ("  [{bar:26}]  {prefix}\n  {msg}", "=>-"),
    };
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    bar.set_style(style.progress_chars(blocks));
    bar
}

/// A duration as an estimate: no fractions of a second.
fn coarse(time: Duration) -> String {
    if time < Duration::from_secs(60) { format!("{} s", time.as_secs_f64().ceil()) } else { duration(time) }
}
