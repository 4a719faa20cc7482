//! Episodes live in the terminal.

use std::io;
use std::time::{Duration, Instant};

use super::keys::{self, HINT, Wish};
use super::player::Player;
use crate::exit::{Exit, Failure};
use crate::keyboard::Keyboard;
use crate::show::terminal::Screen;
use crate::show::{Ability, BarScale, Grid};
use crate::signals::Signals;

/// How fast, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A multiple of the environment's own speed.
    pub speed: f32,
    /// Number of episodes; `None`: until the user quits.
    pub episodes: Option<u32>,
}

/// Between episodes the last moment stays this long.
const PAUSE_AT_END: Duration = Duration::from_millis(900);
/// Drawing more often than this would not be visible; faster environments take several steps per picture.
const LEAST_FRAME: Duration = Duration::from_millis(16);
/// How often signals are checked while nothing moves.
const PATIENCE: Duration = Duration::from_millis(200);

/// Shows episodes until they are over or the user quits; returns the returns of those that ended.
///
/// # Errors
/// If the terminal or the environment fails.
pub fn play(player: &mut Player, pace: Pace, signals: &Signals) -> Result<(Exit, Vec<f64>), Failure> {
    let mut screen = Screen::open(io::stdout().lock(), Ability::detect().color)?;
    let mut keyboard = Keyboard::open();
    let mut show = Show { player, pace, paused: false, scale: BarScale::new(), returns: Vec::new() };
    loop {
        show.draw(&mut screen)?;
        let ended = show.player.ended();
        let moving = !show.paused || ended;
        let deadline = Instant::now() + if ended { PAUSE_AT_END } else { show.frame_time() };
        loop {
            if let Some(exit) = signals.received() {
                return Ok((exit, show.returns));
            }
            let time = if moving { deadline.saturating_duration_since(Instant::now()).min(PATIENCE) } else { PATIENCE };
            match keys::wait(&mut keyboard, time)? {
                Some(Wish::Quit) => return Ok((Exit::Success, show.returns)),
                Some(Wish::HungUp) => return Ok((Exit::HungUp, show.returns)),
                Some(Wish::Interrupt) => return Ok((Exit::Interrupted, show.returns)),
                Some(wish) => {
                    show.grant(wish)?;
                    break;
                }
                None if moving && Instant::now() >= deadline => {
                    if show.move_on()? {
                        break;
                    }
                    return Ok((Exit::Success, show.returns));
                }
                None => {}
            }
        }
    }
}

struct Show<'a> {
    player: &'a mut Player,
    pace: Pace,
    paused: bool,
    scale: BarScale,
    returns: Vec<f64>,
}

impl Show<'_> {
    fn draw(&mut self, screen: &mut Screen<impl io::Write>) -> Result<(), Failure> {
        let frame = self.player.frame()?;
        if let Some(decision) = &frame.caption.decision {
            self.scale.include(decision);
        }
        let state = match (self.paused, self.pace.speed) {
            (true, _) => "   [paused]".into(),
            (false, 1.0) => String::new(),
            (false, speed) => format!("   [{speed}x]"),
        };
        let hint = format!("{HINT}{state}");
        screen.show(Grid::of(&frame, &self.scale, screen.size(), (Ability::detect(), &hint)))?;
        Ok(())
    }

    /// How long a frame stays.
    fn frame_time(&self) -> Duration {
        Duration::from_secs_f32(1.0 / (self.player.frames_per_second() * self.pace.speed)).max(LEAST_FRAME)
    }

    /// Takes as many steps as fit into the time of a frame, or starts the next episode; returns whether there is more to show.
    fn move_on(&mut self) -> Result<bool, Failure> {
        if self.player.ended() {
            return self.next_episode();
        }
        let steps = self.frame_time().as_secs_f32() * self.player.frames_per_second() * self.pace.speed;
        for _ in 0..steps.round().max(1.0) as u32 {
            if !self.player.ended() {
                self.player.step()?;
            }
        }
        if self.player.ended() {
            self.returns.push(self.player.episode_return());
        }
        Ok(true)
    }

    fn next_episode(&mut self) -> Result<bool, Failure> {
        if self.pace.episodes.is_some_and(|most| self.returns.len() >= most as usize) {
            return Ok(false);
        }
        self.scale = BarScale::new();
        self.player.next_episode()?;
        Ok(true)
    }

    fn grant(&mut self, wish: Wish) -> Result<(), Failure> {
        match wish {
            Wish::Pause => self.paused = !self.paused,
            Wish::SingleStep => {
                self.paused = true;
                if !self.player.ended() {
                    self.move_on()?;
                }
            }
            Wish::Faster => self.pace.speed = (self.pace.speed * 2.0).min(64.0),
            Wish::Slower => self.pace.speed = (self.pace.speed / 2.0).max(1.0 / 16.0),
            Wish::NextEpisode => {
                self.next_episode()?;
            }
            Wish::Redraw | Wish::Quit | Wish::Interrupt | Wish::HungUp => {}
        }
        Ok(())
    }
}
