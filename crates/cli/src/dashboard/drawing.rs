//! [`Dashboard`], the drawing thread and its loop.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyEventKind};
use requel::run::{Control, Pace, Run};
use requel::train::{Budget, Observer, ObserverError, TrainEvent};
use requel::{Config, Registry};
use requel_envs::Scene;

use super::charts::{Charts, OTHERS};
use super::chronicle::Chronicle;
use super::farewell;
use super::keys::{self, Wish};
use super::link::{Link, Listener};
use super::screen::{self, Screen};
use super::stage::Stage;
use super::view::{LEAST, View};
use crate::exit::{Exit, Failure};
use crate::keyboard::Keyboard;
use crate::numbers::grouped;
use crate::runs;
use crate::show::{Ability, BarScale, Caption, Frame};

/// How often the screen is drawn if drawing is quick.
const PERIOD: Duration = Duration::from_millis(80);
/// How often the screen is drawn at least.
const SLOWEST: Duration = Duration::from_secs(1);
/// The interval between two pictures is at least this many times what drawing one takes: on a machine with one core, on a busy one, or over
/// a slow connection, the rest of the time is left for training.
const RESPITE: u32 = 100;
/// How often the dashboard checks for keys and for the end of training.
const GLANCE: Duration = Duration::from_millis(20);
/// How long to wait for drawing to end: a terminal that was closed may block it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a message stays.
const MESSAGE: Duration = Duration::from_secs(3);
/// The available speeds, as multiples of the environment's own; the fastest has no limit.
const SPEEDS: [f32; 8] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0];

/// What the dashboard shows.
pub struct Subject {
    /// The run whose best policy is shown playing.
    pub run: Run,
    /// Its config.
    pub config: Config,
    /// The registry with its environment.
    pub registry: Registry,
    /// Environment, preset and seed in one line.
    pub headline: String,
    /// Env steps and episodes that earlier sessions made.
    pub made: (u64, u64),
}

/// Whether this terminal is large and capable enough for a dashboard.
pub fn fits() -> bool {
    let dumb = matches!(std::env::var("TERM").as_deref(), Err(_) | Ok("" | "dumb"));
    let size = || crossterm::terminal::size().is_ok_and(|(columns, rows)| columns >= LEAST.0 && rows >= LEAST.1);
    io::stdout().is_terminal() && !dumb && Ability::detect().unicode && size()
}

/// A dashboard on the terminal that listens to training.
pub struct Dashboard {
    listener: Listener,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Chronicle>>,
}

impl Dashboard {
    /// Takes over the terminal and starts drawing.
    ///
    /// # Errors
    /// The error of the terminal or the system; the terminal is restored first.
    pub fn open(subject: Subject, control: &Control) -> io::Result<Self> {
        let screen = Screen::open()?;
        let link = Arc::<Link>::default();
        let done = Arc::new(AtomicBool::new(false));
        let mut drawing = Drawing::new(subject, (link.clone(), done.clone(), control.clone()));
        let thread = std::thread::Builder::new().name("dashboard".into()).spawn(move || {
            // However drawing ends, training must not wait for it.
            let _release = Release(drawing.control.clone());
            let mut screen = screen;
            if drawing.run(&mut screen).is_err() {
                // The terminal was closed or the environment failed: training needs neither.
            }
            drawing.note(Instant::now());
            drawing.chronicle
        })?;
        Ok(Dashboard { listener: Listener::new(link), done, thread: Some(thread) })
    }

    /// Stops drawing and restores the terminal. Returns the curves as lines of text to leave on it.
    pub fn close(mut self) -> Vec<String> {
        let Some(chronicle) = self.end() else { return Vec::new() };
        let columns = crossterm::terminal::size().map_or(LEAST.0, |size| size.0);
        farewell::lines(Charts { chronicle: &chronicle, ability: Ability::detect() }, columns)
    }

    fn end(&mut self) -> Option<Chronicle> {
        self.done.store(true, Ordering::Relaxed);
        let thread = self.thread.take()?;
        let given_up = Instant::now() + PATIENCE;
        while !thread.is_finished() && Instant::now() < given_up {
            std::thread::sleep(Duration::from_millis(1));
        }
        let chronicle = if thread.is_finished() { thread.join().ok() } else { None };
        screen::give_back();
        chronicle
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.end();
    }
}

impl Observer for Dashboard {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        self.listener.on_event(event)
    }

    fn wants_steps(&self) -> bool {
        true
    }
}

struct Release(Control);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.set_pace(Pace::Full);
    }
}

struct Drawing {
    link: Arc<Link>,
    done: Arc<AtomicBool>,
    control: Control,
    headline: String,
    env: String,
    chronicle: Chronicle,
    stage: Stage,
    ability: Ability,
    own_speed: f32,
    /// Index into [`SPEEDS`]; the length of that list means no limit.
    speed: usize,
    paused: bool,
    training_shown: bool,
    scene: Option<Scene>,
    chart: usize,
    help: bool,
    message: Option<(String, Instant)>,
    interrupted: bool,
}

impl Drawing {
    fn new(subject: Subject, (link, done, control): (Arc<Link>, Arc<AtomicBool>, Control)) -> Self {
        let Subject { run, config, registry, headline, made } = subject;
        let mut chronicle = Chronicle::new(Budget::of(&config), made);
        let environment = runs::environment(&run);
        chronicle.value_bounds =
            runs::value_bounds(&config, environment.as_ref()).map(|bounds| [bounds.low, bounds.high]);
        let own_speed = runs::env(&config.env, &registry).map_or(50.0, |env| env.spec().frames_per_second);
        Drawing {
            link,
            done,
            control,
            headline,
            env: config.env.id.clone(),
            chronicle,
            stage: Stage::new(run, config, registry),
            ability: Ability::detect(),
            own_speed,
            speed: SPEEDS.len(),
            paused: false,
            training_shown: false,
            scene: None,
            chart: 0,
            help: false,
            message: None,
            interrupted: false,
        }
    }

    /// Draws until training has ended or was asked to stop.
    fn run(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let mut next = Instant::now();
        let mut keyboard = Keyboard::open();
        while !self.done.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= next {
                self.look(now)?;
                self.draw(screen, now)?;
                next = now + if self.holds_back() { PERIOD } else { (RESPITE * now.elapsed()).clamp(PERIOD, SLOWEST) };
            }
            match keyboard.wait(GLANCE)? {
                Some(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                    keys::wish(key).into_iter().for_each(|wish| self.grant(wish));
                    next = Instant::now();
                }
                Some(Event::Resize(..)) => next = Instant::now(),
                _ => {}
            }
            // The terminal is restored before the last checkpoint is written, so that a second Ctrl-C is a signal again.
            if self.control.stop_requested() {
                break;
            }
        }
        Ok(())
    }

    /// Records what happened.
    fn note(&mut self, now: Instant) {
        let inbox = self.link.collect();
        if inbox.scores.iter().any(|score| score.best) {
            self.stage.told_of_policy(now);
        }
        if let Some(env_steps) = inbox.saved {
            self.say_saved(env_steps);
        }
        self.chronicle.note(&inbox, self.link.env_steps(), now);
        if let Some(scene) = inbox.scene {
            self.scene = Some(scene);
        }
    }

    /// Updates everything that changes with time.
    fn look(&mut self, now: Instant) -> Result<(), Failure> {
        self.note(now);
        if self.shows_training() {
            self.link.want_picture();
        }
        if let Some(audit) = self.stage.play(now)? {
            self.chronicle.note_audit(audit);
        }
        Ok(())
    }

    fn draw(&mut self, screen: &mut Screen, now: Instant) -> Result<(), Failure> {
        let limit = SPEEDS.get(self.speed);
        let state = match (self.paused, limit) {
            (true, _) => "paused".to_owned(),
            (false, None) => "full speed".to_owned(),
            (false, Some(speed)) => format!("{speed}× the environment's own speed"),
        };
        let (picture, title) = match self.shows_training() {
            true => (self.training_picture(), "training environment"),
            false => (self.stage.frame(), "best policy at play"),
        };
        if self.message.as_ref().is_some_and(|(_, since)| now.duration_since(*since) > MESSAGE) {
            self.message = None;
        }
        let view = View {
            headline: &self.headline,
            chronicle: &self.chronicle,
            picture,
            picture_title: title,
            chart: self.chart,
            state: &state,
            message: self.message.as_ref().map_or("", |(text, _)| text),
            help: self.help,
            ability: self.ability,
        };
        Ok(screen.draw(|frame| view.draw(frame))?)
    }

    /// When training is slowed down, its environment is what is shown.
    fn shows_training(&self) -> bool {
        self.training_shown || self.holds_back()
    }

    /// Whether training waits for the user, so that drawing cannot slow it down.
    fn holds_back(&self) -> bool {
        self.paused || self.speed < SPEEDS.len()
    }

    fn training_picture(&self) -> Option<(Frame, BarScale)> {
        let scene = self.scene.clone()?;
        let caption = Caption {
            env: self.env.clone(),
            episode: 0,
            step: 0,
            episode_return: 0.0,
            note: Some(format!("env step {}", grouped(self.chronicle.headway.env_steps))),
            decision: None,
        };
        Some((Frame { scene, caption }, BarScale::new()))
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Pause => {
                self.paused = !self.paused;
                self.apply_pace();
            }
            Wish::SingleStep if self.paused => {
                self.link.want_picture();
                self.control.allow_step();
            }
            Wish::SingleStep => {
                self.paused = true;
                self.apply_pace();
            }
            Wish::Faster => self.change_speed((self.speed + 1).min(SPEEDS.len())),
            Wish::Slower => self.change_speed(self.speed.saturating_sub(1)),
            Wish::NextChart => self.chart = (self.chart + 1) % OTHERS,
            Wish::NextView => self.training_shown = !self.training_shown,
            Wish::Help => self.help = !self.help,
            Wish::CloseHelp => self.help = false,
            Wish::Save => {
                self.control.request_checkpoint();
                self.say("saving after the current step".into());
            }
            Wish::Stop => self.control.request_stop(),
            Wish::Interrupt if self.interrupted => {
                screen::give_back();
                std::process::exit(Exit::Interrupted as i32);
            }
            Wish::Interrupt => {
                self.interrupted = true;
                self.control.request_stop();
            }
        }
    }

    fn change_speed(&mut self, speed: usize) {
        self.speed = speed;
        self.paused = false;
        self.apply_pace();
    }

    fn apply_pace(&mut self) {
        let now = Instant::now();
        if self.paused {
            self.chronicle.hold(now)
        } else {
            self.chronicle.go_on(now)
        }
        self.control.set_pace(match (self.paused, SPEEDS.get(self.speed)) {
            (true, _) => Pace::Paused,
            (false, Some(speed)) => Pace::Limited(speed * self.own_speed),
            (false, None) => Pace::Full,
        });
        if self.paused {
            // One more step, so that the last state is shown.
            self.link.want_picture();
            self.control.allow_step();
        }
    }

    fn say_saved(&mut self, env_steps: u64) {
        self.say(format!("saved a checkpoint at env step {}", grouped(env_steps)));
    }

    fn say(&mut self, text: String) {
        self.message = Some((text, Instant::now()));
    }
}
