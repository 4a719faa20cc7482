//! `requel rollout`: an environment's answers to given or random actions.

use std::fmt;
use std::io::Write;
use std::path::Path;

use requel::Registry;
use requel::storage::read_input;
use requel_envs::{Action, Env, Space, SpaceSampler, Step, action_list};
use serde::Serialize;

use crate::args::RolloutArgs;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::show::tidy;
use crate::style::{self, MUTED, paint};

/// The number of steps in an environment without a time limit if none is given.
const STEPS_WITHOUT_LIMIT: usize = 1000;
/// The largest list of actions that is read, bytes.
const MOST_LIST: u64 = 64 << 20;

/// Steps the environment until the actions run out or its episodes end.
pub fn run(args: &RolloutArgs, registry: &Registry) -> Result<Exit, Failure> {
    let mut env = registry.env_factory(&environment::described(&args.env, &args.set, registry)?)()?;
    let mut actions = Actions::parse(&args.actions, &*env, args.seed)?;
    let limit = args.steps.or_else(|| match (&actions, env.spec().max_episode_steps) {
        (Actions::Random(_), None) => Some(STEPS_WITHOUT_LIMIT),
        _ => None,
    });
    let mut page =
        Page { out: std::io::BufWriter::new(style::stdout()), json: args.json, episodes: args.episodes, episode: 0 };
    let (mut ends, mut seed) = (Vec::new(), Some(args.seed));
    while page.episode < args.episodes && (ends.is_empty() || actions.left() != Some(0)) {
        ends.push(episode(&mut *env, seed.take(), limit, &mut actions, &mut page)?);
        page.episode += 1;
    }
    page.out.flush()?;
    if !args.json {
        ends.iter().for_each(style::say);
    }
    if let (Some(left), Some(end)) = (actions.left().filter(|left| *left > 0), ends.last())
        && end.how != STOPPED
    {
        let End { how, steps, .. } = end;
        style::warn(format_args!("the episode {how} after step {steps}; the remaining {left} actions were not taken"));
    }
    Ok(Exit::Success)
}

/// One episode, from its reset to its end or to the last action.
fn episode<W: Write>(
    env: &mut dyn Env,
    seed: Option<u64>,
    limit: Option<usize>,
    actions: &mut Actions,
    page: &mut Page<W>,
) -> Result<End, Failure> {
    let mut observation = vec![0.0; env.observation_len()];
    env.reset(seed, &mut observation)?;
    page.write_reset(&observation)?;
    let (mut steps, mut return_, mut last) = (0, 0.0, Step::default());
    while !last.ended() && limit.is_none_or(|limit| steps < limit) {
        let Some(action) = actions.next(env) else { break };
        last = env.step(Action::Discrete(action), &mut observation)?;
        (steps, return_) = (steps + 1, return_ + last.reward);
        page.write_step(&StepLine::new(steps, action, &observation, last))?;
    }
    let how = match last {
        Step { terminated: true, .. } => "terminated",
        Step { truncated: true, .. } => "truncated",
        _ => STOPPED,
    };
    Ok(End { how, steps, return_ })
}

const STOPPED: &str = "stopped";

/// How an episode ended.
struct End {
    how: &'static str,
    steps: usize,
    return_: f64,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {} steps, return {}", self.how, self.steps, tidy(self.return_))
    }
}

enum Actions {
    Random(Box<SpaceSampler>),
    Given(std::vec::IntoIter<usize>),
}

impl Actions {
    fn parse(text: &str, env: &dyn Env, seed: u64) -> Result<Self, Failure> {
        let Space::Discrete { n } = *env.action_space() else {
            return Err(Failure::bad_input(format!("{} does not take discrete actions", env.spec().id)));
        };
        if text == "random" {
            return Ok(Actions::Random(Box::new(SpaceSampler::new(env.action_space(), seed)?)));
        }
        let read;
        let list = match text.strip_prefix('@') {
            Some(path) => {
                read = read_input(Path::new(path), MOST_LIST)
                    .map_err(|e| Failure::bad_input(format!("cannot read actions from {path}: {e}")))?;
                &read
            }
            None => text,
        };
        let list = action_list(list, n).map_err(|word| {
            let word: String = word.chars().take(40).collect();
            Failure::bad_input(format!("`{word}` is not an action in {}", env.spec().id))
                .hint(format!("actions are 0 to {}, separated by commas; or `random`, or `@FILE`", n - 1))
        })?;
        Ok(Actions::Given(list.into_iter()))
    }

    fn next(&mut self, env: &dyn Env) -> Option<usize> {
        match self {
            Actions::Random(sampler) => Some(match env.action_mask() {
                Some(mask) => sampler.masked(mask),
                None => sampler.discrete(),
            }),
            Actions::Given(actions) => actions.next(),
        }
    }

    /// How many given actions have not been used.
    fn left(&self) -> Option<usize> {
        match self {
            Actions::Random(_) => None,
            Actions::Given(actions) => Some(actions.len()),
        }
    }
}

#[derive(Serialize)]
struct ResetLine<'a> {
    step: usize,
    observation: &'a [f32],
}

#[derive(Serialize)]
struct StepLine<'a> {
    step: usize,
    action: usize,
    observation: &'a [f32],
    reward: f64,
    terminated: bool,
    truncated: bool,
}

impl<'a> StepLine<'a> {
    fn new(step: usize, action: usize, observation: &'a [f32], taken: Step) -> Self {
        let Step { reward, terminated, truncated } = taken;
        StepLine { step, action, observation, reward, terminated, truncated }
    }
}

/// A line of output when there are several episodes.
#[derive(Serialize)]
struct Numbered<T> {
    episode: u64,
    #[serde(flatten)]
    line: T,
}

/// The output.
struct Page<W> {
    out: W,
    json: bool,
    episodes: u64,
    /// The number of the current episode, from 0.
    episode: u64,
}

impl<W: Write> Page<W> {
    fn write_json<T: Serialize>(&mut self, line: T) -> Result<(), Failure> {
        let text = match self.episodes {
            1 => serde_json::to_string(&line),
            _ => serde_json::to_string(&Numbered { episode: self.episode, line }),
        };
        Ok(writeln!(self.out, "{}", text.map_err(Failure::failed)?)?)
    }

    fn write_reset(&mut self, observation: &[f32]) -> Result<(), Failure> {
        if self.json {
            return self.write_json(ResetLine { step: 0, observation });
        }
        if self.episode == 0 {
            writeln!(self.out, "{}", paint(style::BOLD, "step  action   reward  observation"))?;
        }
        Ok(writeln!(self.out, "{:>4}  {:>6}  {:>7}  {}", 0, "", "", columns(observation))?)
    }

    fn write_step(&mut self, line: &StepLine<'_>) -> Result<(), Failure> {
        if self.json {
            return self.write_json(line);
        }
        let end = match (line.terminated, line.truncated) {
            (true, _) => paint(MUTED, " terminated"),
            (_, true) => paint(MUTED, " truncated"),
            _ => String::new(),
        };
        let StepLine { step, action, reward, observation, .. } = line;
        Ok(writeln!(self.out, "{step:>4}  {action:>6}  {:>7}  {}{end}", tidy(*reward), columns(observation))?)
    }
}

fn columns(observation: &[f32]) -> String {
    const MOST: usize = 12;
    let mut text: String = observation.iter().take(MOST).map(|v| format!("{v:>9.4}")).collect();
    if observation.len() > MOST {
        text.push_str(&format!("  … {} more", observation.len() - MOST));
    }
    text
}
