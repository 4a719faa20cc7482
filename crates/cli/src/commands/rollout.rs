//! `requel rollout`: a world's answers to given or random actions.

use std::io::{self, Read, Write};

use requel_envs::{Action, Env, Space, SpaceSampler, Step, action_list, make};
use serde::Serialize;

use crate::args::RolloutArgs;
use crate::exit::{Exit, Failure};
use crate::show::tidy;
use crate::style::{self, MUTED, paint};

/// How many steps a world without a time limit takes when nobody says.
const STEPS_WITHOUT_LIMIT: usize = 1000;
/// No list of actions is longer, bytes.
const MOST_LIST: u64 = 64 << 20;

/// Steps the world until the actions are used up or the episode ends.
pub fn run(args: &RolloutArgs) -> Result<Exit, Failure> {
    let mut env = make(&args.env)?;
    let mut actions = Actions::parse(&args.actions, &*env, args.seed)?;
    let limit = args.steps.or_else(|| match (&actions, env.spec().max_episode_steps) {
        (Actions::Random(_), None) => Some(STEPS_WITHOUT_LIMIT),
        _ => None,
    });

    let mut out = std::io::BufWriter::new(style::stdout());
    let mut observation = vec![0.0; env.observation_len()];
    env.reset(Some(args.seed), &mut observation)?;
    write_reset(&mut out, args.json, &observation)?;

    let (mut step, mut episode_return, mut last) = (0, 0.0, Step::default());
    while !last.ended() && limit.is_none_or(|limit| step < limit) {
        let Some(action) = actions.next(&*env) else { break };
        last = env.step(Action::Discrete(action), &mut observation)?;
        (step, episode_return) = (step + 1, episode_return + last.reward);
        write_step(&mut out, args.json, &StepLine::new(step, action, &observation, last))?;
    }
    out.flush()?;
    let end = if last.terminated {
        "terminated"
    } else if last.truncated {
        "truncated"
    } else {
        "stopped"
    };
    if !args.json {
        style::say(format_args!("{end} after {step} steps, return {}", tidy(episode_return)));
    }
    if let Some(left) = actions.left().filter(|&left| left > 0 && last.ended()) {
        style::warn(format_args!("the episode {end} after step {step}; {left} actions were not taken"));
    }
    Ok(Exit::Success)
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
                read =
                    read_list(path).map_err(|e| Failure::bad_input(format!("cannot read actions from {path}: {e}")))?;
                &read
            }
            None => text,
        };
        let list = action_list(list, n).map_err(|word| {
            let word: String = word.chars().take(40).collect();
            Failure::bad_input(format!("`{word}` is not an action of {}", env.spec().id))
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

    /// How many given actions are left.
    fn left(&self) -> Option<usize> {
        match self {
            Actions::Random(_) => None,
            Actions::Given(actions) => Some(actions.len()),
        }
    }
}

/// The text of a file, which must not be larger than any list of actions is.
fn read_list(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(MOST_LIST + 1).read_to_string(&mut text)?;
    match read as u64 > MOST_LIST {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {MOST_LIST} bytes"))),
        false => Ok(text),
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

fn write_reset(out: &mut impl Write, json: bool, observation: &[f32]) -> Result<(), Failure> {
    if json {
        let line = ResetLine { step: 0, observation };
        return Ok(writeln!(out, "{}", serde_json::to_string(&line).map_err(Failure::failed)?)?);
    }
    writeln!(out, "{}", paint(style::BOLD, "step  action   reward  observation"))?;
    Ok(writeln!(out, "{:>4}  {:>6}  {:>7}  {}", 0, "", "", columns(observation))?)
}

fn write_step(out: &mut impl Write, json: bool, line: &StepLine<'_>) -> Result<(), Failure> {
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(line).map_err(Failure::failed)?)?);
    }
    let end = match (line.terminated, line.truncated) {
        (true, _) => paint(MUTED, " terminated"),
        (_, true) => paint(MUTED, " truncated"),
        _ => String::new(),
    };
    let StepLine { step, action, reward, observation, .. } = line;
    Ok(writeln!(out, "{step:>4}  {action:>6}  {:>7}  {}{end}", tidy(*reward), columns(observation))?)
}

fn columns(observation: &[f32]) -> String {
    const MOST: usize = 12;
    let mut text: String = observation.iter().take(MOST).map(|v| format!("{v:>9.4}")).collect();
    if observation.len() > MOST {
        text.push_str(&format!("  … {} more", observation.len() - MOST));
    }
    text
}
