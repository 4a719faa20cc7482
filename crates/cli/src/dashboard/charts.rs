//! [`Charts`], the curves of a training run as plots.

use ratatui::style::Color;
use requel_envs::Color as Rgb;

use super::chronicle::Chronicle;
use super::plot::{Curve, Inks, Plot};
use crate::show::palette::{Theme, ansi256};
use crate::show::{Ability, ColorDepth};

/// The colour of good values.
pub const GOOD: Rgb = Rgb(0x6f, 0xd0, 0x8c);
/// The colour of bad values.
pub const WRONG: Rgb = Rgb(0xf0, 0xb0, 0x60);
/// The number of plots other than the returns.
pub const OTHERS: usize = 4;
const BLUE: Rgb = Rgb(0x78, 0xa9, 0xf0);

/// The curves of a training run as plots, in the colours that the terminal has.
#[derive(Clone, Copy)]
pub struct Charts<'a> {
    /// The course of training.
    pub chronicle: &'a Chronicle,
    /// What the terminal can show.
    pub ability: Ability,
}

impl<'a> Charts<'a> {
    /// The returns first, then the other plots.
    pub fn plots(&self) -> [Plot<'a>; 1 + OTHERS] {
        let theme = Theme::terminal();
        let curve = |name, series, color: Rgb, joined| Curve { name, series, color: self.color(color), joined };
        let plot = |title, curves, logarithmic| Plot { title, curves, limits: Vec::new(), logarithmic };
        let c: &Chronicle = self.chronicle;
        let one = |name, series| vec![curve(name, series, BLUE, true)];
        [
            plot(
                "return",
                vec![
                    curve("episode", &c.returns, theme.bar, false),
                    curve("mean", &c.return_mean, BLUE, true),
                    curve("greedy", &c.greedy, theme.accent, true),
                ],
                false,
            ),
            Plot {
                limits: c.value_bounds.into_iter().flatten().filter(|bound| *bound != 0.0).collect(),
                ..plot(
                    "value",
                    vec![curve("mean Q", &c.mean_q, BLUE, true), curve("obtained", &c.obtained, theme.accent, true)],
                    false,
                )
            },
            plot("loss", one("per update", &c.loss), true),
            plot("exploration", one("ε", &c.epsilon), false),
            plot("speed", one("env steps/s", &c.speed), false),
        ]
    }

    /// Colours of everything except curves.
    pub fn inks(&self) -> Inks {
        Inks { muted: self.color(Theme::terminal().muted) }
    }

    /// The colour as this terminal can show it.
    pub fn color(&self, color: Rgb) -> Color {
        match self.ability.color {
            ColorDepth::Mono => Color::Reset,
            ColorDepth::Ansi256 => Color::Indexed(ansi256(color)),
            ColorDepth::True => Color::Rgb(color.0, color.1, color.2),
        }
    }
}
