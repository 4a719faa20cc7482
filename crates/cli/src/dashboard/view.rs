//! The dashboard's layout: what goes where, for each screen size.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};
use requel_envs::Color as Rgb;

use super::charts::{Charts, GOOD, OTHERS, WRONG};
use super::chronicle::Chronicle;
use super::keys::KEYS;
use super::plot::short;
use crate::numbers::{duration, grouped, rate};
use crate::shell::in_own_name;
use crate::show::palette::Theme;
use crate::show::{Ability, BarScale, Frame as Picture, Grid, tidy};

/// The smallest screen on which the dashboard is useful, columns and rows.
pub const LEAST: (u16, u16) = (72, 20);

/// What is drawn.
pub struct View<'a> {
    /// Environment, preset and seed.
    pub headline: &'a str,
    /// The curves of training.
    pub chronicle: &'a Chronicle,
    /// The frame of the agent playing, if there is one.
    pub picture: Option<(Picture, BarScale)>,
    /// The caption of the picture.
    pub picture_title: &'a str,
    /// Which chart comes first after the returns.
    pub chart: usize,
    /// Pace and similar, for the first line.
    pub state: &'a str,
    /// The latest message, for the last line; if empty, the keys are shown.
    pub message: &'a str,
    /// Whether to show the help.
    pub help: bool,
    /// What the terminal can show.
    pub ability: Ability,
}

impl View<'_> {
    /// Draws everything.
    pub fn draw(&self, frame: &mut Frame) {
        let area = frame.area();
        if area.width < LEAST.0 || area.height < LEAST.1 {
            let text = format!("training continues; the dashboard needs {} × {} characters", LEAST.0, LEAST.1);
            frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
            return;
        }
        let [top, bar, body, bottom] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)])
                .areas(area);
        self.headline(frame, top);
        self.progress(frame, bar);
        self.body(frame, body);
        self.keys(frame, bottom);
        if self.help {
            self.help(frame, body);
        }
    }

    fn headline(&self, frame: &mut Frame, area: Rect) {
        let headline = Span::styled(format!(" {}", self.headline), Style::new().add_modifier(Modifier::BOLD));
        frame.render_widget(Line::from(headline), area);
        let state = Line::from(Span::styled(format!("{} ", self.state), self.ink(Theme::terminal().accent)));
        frame.render_widget(state.right_aligned(), area);
    }

    fn progress(&self, frame: &mut Frame, area: Rect) {
        let headway = self.chronicle.headway;
        let budget = headway.budget;
        let mut text = format!("{} of {} {}", grouped(headway.used()), grouped(budget.total()), budget.unit());
        text.push_str(&match headway.time_left() {
            Some(left) if left.as_secs() < 60 => format!("   {:.0} s left", left.as_secs_f64().ceil()),
            Some(left) => format!("   {} left", duration(left)),
            None => String::new(),
        });
        let cells = usize::from(area.width).saturating_sub(text.chars().count() + 4);
        let full = (headway.fraction() * cells as f64).round() as usize;
        let line = Line::from(vec![
            Span::raw(" "),
            Span::styled("━".repeat(full), self.ink(GOOD)),
            Span::styled("─".repeat(cells - full.min(cells)), self.muted()),
            Span::raw(format!("  {text}")),
        ]);
        frame.render_widget(line, area);
    }

    fn body(&self, frame: &mut Frame, area: Rect) {
        let side = (area.width * 2 / 5).clamp(36, 90);
        let [charts, right] = Layout::horizontal([Constraint::Min(1), Constraint::Length(side)]).areas(area);
        let figures = self.figures();
        let figure_rows = (figures.len() as u16).min(right.height / 2);
        let rows = self.picture.as_ref().map_or(u16::MAX, |(picture, _)| picture_rows(picture, side));
        let rows = rows.min(right.height - figure_rows);
        let [picture, table] =
            Layout::vertical([Constraint::Length(rows), Constraint::Length(figure_rows)]).areas(right);
        self.picture(frame, picture);
        frame.render_widget(Paragraph::new(figures), table);

        let (plots, inks) = (self.charts().plots(), self.charts().inks());
        let [returns, others] = Layout::vertical([
            Constraint::Fill(if area.height >= 36 { 4 } else { 1 }),
            Constraint::Fill(if area.height >= 36 { 5 } else { 1 }),
        ])
        .areas(charts);
        plots[0].draw(frame, returns, inks);
        let other = |n: usize| &plots[1 + (self.chart + n) % OTHERS];
        if others.height >= 20 && others.width >= 70 {
            let rows: [Rect; 2] = Layout::vertical([Constraint::Fill(1); 2]).areas(others);
            for (row, area) in rows.into_iter().enumerate() {
                let cells: [Rect; 2] = Layout::horizontal([Constraint::Fill(1); 2]).areas(area);
                cells.into_iter().enumerate().for_each(|(i, cell)| other(2 * row + i).draw(frame, cell, inks));
            }
        } else {
            other(0).draw(frame, others, inks);
        }
    }

    fn figures(&self) -> Vec<Line<'static>> {
        let c = self.chronicle;
        let or_dash = |value: Option<f64>| value.map_or("-".into(), tidy);
        let value = match (c.mean_q.last(), c.audit) {
            (Some(q), Some(audit)) => format!("{} · obtained {}", short(q), short(audit.obtained)),
            (Some(q), None) => short(q),
            _ => "-".into(),
        };
        let row = |label: &str, text: String| {
            Line::from(vec![Span::styled(format!(" {label:<11}"), self.muted()), Span::raw(text)])
        };
        // The warning is printed once the screen is the shell's again.
        let found = (!c.findings.is_empty()).then(|| {
            let label = Span::styled(format!(" {:<11}", "warning"), self.ink(WRONG));
            Line::from(vec![label, Span::raw(c.findings.join(", "))])
        });
        let rows = vec![
            row("return", format!("{} · best {}", or_dash(c.return_mean.last()), or_dash(c.best))),
            row("mean Q", value),
            row("loss", c.loss.last().map_or("-".into(), short)),
            row("ε", c.epsilon.last().map_or("-".into(), |e| format!("{e:.3}"))),
            row("episodes", grouped(c.headway.episodes)),
            row("env steps", format!("{}/s", rate(c.speed.last().unwrap_or(0.0)))),
            row("updates", format!("{}/s", rate(c.updates_per_second))),
            row("elapsed", duration(c.headway.elapsed())),
        ];
        found.into_iter().chain(rows).collect()
    }

    fn picture(&self, frame: &mut Frame, area: Rect) {
        let title = Span::raw(format!(" {} ", self.picture_title));
        let block =
            Block::bordered().border_type(BorderType::Rounded).border_style(self.muted()).title(Line::from(title));
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let Some((picture, scale)) = &self.picture else {
            let text = Span::styled("no policy has been scored yet", self.muted());
            frame.render_widget(Paragraph::new(Line::from(text)).centered(), inner);
            return;
        };
        let size = (usize::from(inner.width), usize::from(inner.height));
        let grid = Grid::of(picture, scale, size, (self.ability, ""));
        let buffer = frame.buffer_mut();
        for (y, row) in (inner.y..inner.bottom()).zip(grid.rows()) {
            for (x, cell) in (inner.x..inner.right()).zip(row) {
                let color = |color: Option<Rgb>| color.map_or(Color::Reset, |color| self.color(color));
                buffer[(x, y)].set_char(cell.character).set_fg(color(cell.ink)).set_bg(color(cell.paper));
            }
        }
    }

    fn keys(&self, frame: &mut Frame, area: Rect) {
        let line = match self.message {
            "" => {
                Span::styled(" space pause  . step  + - speed  c charts  v view  s save  q stop  ? help", self.muted())
            }
            message => Span::styled(format!(" {message}"), self.ink(GOOD)),
        };
        frame.render_widget(Line::from(line), area);
    }

    fn help(&self, frame: &mut Frame, area: Rect) {
        let (width, height) = (62.min(area.width), (KEYS.len() as u16 + 6).min(area.height));
        let place = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
        let mut lines: Vec<Line> = (KEYS.iter())
            .map(|(key, meaning)| {
                Line::from(vec![
                    Span::styled(format!(" {key:<8}"), Style::new().add_modifier(Modifier::BOLD)),
                    Span::raw(in_own_name(meaning)),
                ])
            })
            .collect();
        lines.push(Line::raw(""));
        for text in [
            " mean Q: what the network believes. obtained: what its best",
            " policy got over an episode, discounted. Far above: trouble.",
            " Nothing here changes the result of the training.",
        ] {
            lines.push(Line::styled(text, self.muted()));
        }
        let block = Block::bordered().border_type(BorderType::Rounded).title(" keys ");
        frame.render_widget(Clear, place);
        frame.render_widget(Paragraph::new(lines).block(block), place);
    }

    fn charts(&self) -> Charts<'_> {
        Charts { chronicle: self.chronicle, ability: self.ability }
    }

    fn color(&self, color: Rgb) -> Color {
        self.charts().color(color)
    }

    fn ink(&self, color: Rgb) -> Style {
        Style::new().fg(self.color(color))
    }

    fn muted(&self) -> Style {
        self.ink(Theme::terminal().muted)
    }
}

/// The number of rows that a picture of this many columns can use, with its caption and border.
fn picture_rows(picture: &Picture, columns: u16) -> u16 {
    const BORDER: u16 = 2;
    let bars = picture.caption.decision.as_ref().map_or(0, |decision| decision.q_values.len() as u16);
    let view = picture.scene.view;
    // A cell is twice as high as it is wide.
    let scene = f32::from(columns - BORDER) * (view.top - view.bottom) / (view.right - view.left) / 2.0;
    scene.ceil() as u16 + bars + 3 + BORDER
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use requel::train::Aggregates;

    use super::*;
    use crate::dashboard::link::{Inbox, Score};
    use crate::show::{ColorDepth, sample};
    use requel::train::Budget;

    fn screen(size: (u16, u16), help: bool) -> String {
        let mut chronicle = Chronicle::new(Budget::EnvSteps(50_000), (0, 0));
        let now = Instant::now();
        chronicle.note(&Inbox::default(), 0, now);
        let progress = |i: u64| Aggregates {
            env_steps: 500 * i,
            updates: 250 * i,
            loss: Some(1.0 / i as f64),
            mean_q: Some(2.0 * i as f64),
            epsilon: Some(1.0 / i as f64),
            ..Aggregates::default()
        };
        let inbox = Inbox {
            episodes: (1..200).map(|i| (100 * i, i as f64)).collect(),
            episode_count: 199,
            progress: (1..40).map(progress).collect(),
            scores: vec![Score { env_steps: 10_000, mean: 321.0, best: true }],
            ..Inbox::default()
        };
        chronicle.note(&inbox, 20_000, now + Duration::from_secs(1));
        let view = View {
            headline: "CartPole-v1 · preset cartpole · seed 0",
            chronicle: &chronicle,
            picture: Some((sample::frame(40), BarScale::new())),
            picture_title: "best policy",
            chart: 0,
            state: "full speed",
            message: "",
            help,
            ability: Ability { color: ColorDepth::True, unicode: true },
        };
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_small_screen_has_returns_one_more_chart_the_agent_and_figures() {
        let text = screen((80, 24), false);
        for part in ["CartPole-v1 · preset", "20,000 of 50,000 env steps", "mean", "value", "mean Q", "q stop"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("loss ━"), "{text}");
        assert!(text.contains("20,000/s") && text.contains("best 321"), "{text}");
    }

    #[test]
    fn no_digit_of_a_score_is_cut_on_any_screen() {
        for columns in 72..=140 {
            let text = screen((columns, 24), false);
            assert!(text.contains("321.0 ") && text.contains("149.5 "), "{columns} columns\n{text}");
        }
    }

    #[test]
    fn a_screen_that_is_too_small_says_so_in_full() {
        for columns in [12, 30, 71] {
            let text = screen((columns, 10), false);
            let words = text.replace(['"', '\n'], " ");
            let words: Vec<&str> = words.split_whitespace().collect();
            assert_eq!(words.join(" "), "training continues; the dashboard needs 72 × 20 characters", "{text}");
        }
    }

    #[test]
    fn a_large_screen_has_all_charts() {
        let text = screen((200, 50), false);
        for part in ["return", "value", "loss", "exploration", "speed"] {
            assert!(text.contains(&format!(" {part} ")), "{part}\n{text}");
        }
    }

    #[test]
    fn help_says_what_each_key_means_and_every_size_can_be_drawn() {
        let text = screen((80, 24), true);
        // The program of these tests has a long name, which a line is cut behind.
        let shown = |meaning| in_own_name(meaning).chars().take(40).collect::<String>();
        assert!(KEYS.iter().all(|(_, meaning)| text.contains(&shown(meaning))), "{text}");
        for size in [(1, 1), (20, 3), (71, 20), (72, 20), (300, 12), (72, 90)] {
            screen(size, true);
        }
    }
}
