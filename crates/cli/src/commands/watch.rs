//! `requel watch`: a policy at work, live or as a file.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use requel::Registry;
use requel::run::Run;
use requel_envs::{Env, SpaceSampler};

use crate::args::WatchArgs;
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::output;
use crate::show::{BarScale, apng, gif, picture, png, tidy};
use crate::signals::Signals;
use crate::style::{self, COMMAND, paint};
use crate::subject::{Needs, Subject};
use crate::watch::{Acting, Pace, Player, play};
use crate::{missing, runs};

/// How long the last frame of an animation stays, hundredths of a second.
const HOLD: u16 = 120;
/// Number of episodes to play if none is given and stdout is not a terminal.
const EPISODES_UNSEEN: u32 = 5;

/// Shows episodes in the terminal, or writes the requested file.
pub fn run(args: &WatchArgs, registry: &Registry) -> Result<Exit, Failure> {
    let mut player = player(args, registry)?;
    if args.gif.is_some() || args.png.is_some() || args.apng.is_some() {
        return write_files(args, &mut player, &Signals::listen()?);
    }
    let signals = Signals::listen()?;
    if !std::io::stdout().is_terminal() {
        return play_unseen(args, &mut player, &signals);
    }
    let pace = Pace { speed: args.speed, episodes: args.episodes };
    let (exit, returns) = play(&mut player, pace, &signals)?;
    if !returns.is_empty() {
        let list: Vec<String> = returns.iter().map(|r| tidy(*r)).collect();
        style::say(format_args!("returns: {}", list.join(", ")));
    }
    Ok(exit)
}

/// What is shown: the named run, the newest run in the named environment, or random actions.
fn player(args: &WatchArgs, registry: &Registry) -> Result<Player, Failure> {
    let episodes = (args.seed, args.steps);
    if let Some(file) = args.target.as_deref().map(Path::new).filter(|target| target.is_file()) {
        let subject = Subject::open(Some(file), Needs::Steps, registry)?;
        let env = subject.env()?;
        let acting = match args.random {
            true => at_random(&*env, args.seed)?,
            false => Acting::Policy(subject.policy(1)?),
        };
        return Player::new(env, acting, episodes);
    }
    let env = args.target.as_deref().filter(|target| !Path::new(target).is_dir());
    let run = match env {
        Some(id) => {
            registry.envs().make(id).map_err(|error| missing::neither_path_nor_env(id, error))?;
            let of_env = |run: &Run| run.config().is_ok_and(|config| config.env.id == id);
            runs::newest(|run| of_env(run) && run.best_policy_path().exists())
        }
        None => Some(runs::open_with_policy(args.target.as_deref().map(Path::new))?),
    };
    let (env, run) = match (run, env) {
        (Some(run), _) => (run.env(registry)?, Some(run)),
        (None, Some(id)) => (registry.envs().make(id)?, None),
        (None, None) => return Err(Failure::failed("there is nothing to watch")),
    };
    let Some(run) = run.filter(|_| !args.random) else {
        if !args.random {
            let id = &env.spec().id;
            style::say(format_args!(
                "no agent has been trained on {id} yet, so actions are random; try `requel train \
                                    {id}`"
            ));
        }
        let acting = at_random(&*env, args.seed)?;
        return Player::new(env, acting, episodes);
    };
    let policy = runs::policy(&run, registry, 1)?;
    if args.target.as_deref().map(Path::new) != Some(run.dir()) {
        style::say(format_args!("the best policy of {}", run.dir().display()));
    }
    Player::new(env, Acting::Policy(policy), episodes)
}

/// Actions at random.
fn at_random(env: &dyn Env, seed: u64) -> Result<Acting, Failure> {
    Ok(Acting::Random(Box::new(SpaceSampler::new(env.action_space(), seed)?)))
}

/// One line per episode, for pipes and logs.
fn play_unseen(args: &WatchArgs, player: &mut Player, signals: &Signals) -> Result<Exit, Failure> {
    let mut out = style::stdout();
    for episode in 1..=args.episodes.unwrap_or(EPISODES_UNSEEN) {
        if episode > 1 {
            player.next_episode()?;
        }
        while !player.ended() {
            if let Some(exit) = signals.received() {
                return Ok(exit);
            }
            player.step()?;
        }
        writeln!(out, "episode {episode}: return {}, {} steps", tidy(player.episode_return()), player.steps())?;
    }
    Ok(Exit::Success)
}

fn write_files(args: &WatchArgs, player: &mut Player, signals: &Signals) -> Result<Exit, Failure> {
    [&args.png, &args.gif, &args.apng].into_iter().flatten().try_for_each(|path| output::check(path))?;
    let frames = player.film(signals)?;
    let seen = format!("return {}, {} steps", tidy(player.episode_return()), player.steps());
    if let Some(path) = &args.png {
        let at = args.at.unwrap_or(frames.len() / 2);
        let Some(frame) = frames.get(at) else {
            return Err(Failure::bad_input(format!("the episode has no step {at}")).hint(format!(
                "it ended after {}; give --at 0 to {}",
                player.steps(),
                player.steps()
            )));
        };
        let mut bytes = Vec::new();
        png::write(&picture(frame, &BarScale::of(&frames), args.width), &mut bytes)?;
        write(path, &bytes, &format!("step {at} of an episode: {seen}"))?;
    }
    if let Some(path) = &args.gif {
        let frames_per_second = player.frames_per_second() * args.speed;
        let mut told = Told::new(path);
        gif::write(&frames, args.width, gif::Timing { frames_per_second, hold: HOLD }, &mut told)?;
        write(path, &told.end(), &format!("an episode: {seen}"))?;
    }
    if let Some(path) = &args.apng {
        let timing = apng::Timing { frames_per_second: player.frames_per_second() * args.speed, hold: 10 * HOLD };
        let mut told = Told::new(path);
        apng::write(&frames, args.width, timing, &mut told)?;
        write(path, &told.end(), &format!("an episode: {seen}"))?;
    }
    Ok(Exit::Success)
}

/// Renders an animation in memory and shows its progress on a terminal.
struct Told {
    bytes: Vec<u8>,
    line: ProgressBar,
    name: String,
}

impl Told {
    /// How often the progress line is redrawn.
    const PERIOD: Duration = Duration::from_millis(250);

    fn new(path: &Path) -> Self {
        // On stderr, and only if that is a terminal.
        let line = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{msg}").expect("well formed"));
        line.enable_steady_tick(Self::PERIOD);
        Told { bytes: Vec::new(), line, name: path.display().to_string() }
    }

    fn end(self) -> Vec<u8> {
        self.line.finish_and_clear();
        self.bytes
    }
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        self.line.set_message(format!("drawing {}: {} kB", self.name, grouped(self.bytes.len() as u64 / 1000)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8], what: &str) -> Result<(), Failure> {
    output::write(path, bytes)?;
    style::say(format_args!(
        "wrote {} ({} kB, {what})",
        paint(COMMAND, path.display()),
        grouped(bytes.len() as u64 / 1000)
    ));
    Ok(())
}
