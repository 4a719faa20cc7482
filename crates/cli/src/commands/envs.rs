//! `requel envs`: the environments.

use std::io::Write;

use requel::Registry;
use requel_envs::{Env, EnvSpec, OptionDefault, OptionSpec, Space};
use serde::Serialize;

use crate::args::EnvsArgs;
use crate::exit::{Exit, Failure};
use crate::show::tidy;
use crate::style::{self, BOLD, MUTED, paint};
use crate::table::Table;

/// Lists the environments, or describes one.
pub fn run(args: &EnvsArgs, registry: &Registry) -> Result<Exit, Failure> {
    let envs = match &args.env {
        Some(id) => vec![registry.envs().make(id)?],
        None => registry.envs().specs().map(|spec| registry.envs().make(&spec.id)).collect::<Result<_, _>>()?,
    };
    let mut out = style::stdout();
    match (&args.env, args.json) {
        (_, true) => {
            for env in &envs {
                writeln!(out, "{}", serde_json::to_string(&Line::of(&**env)).map_err(Failure::failed)?)?;
            }
        }
        (None, false) => {
            let mut table = Table::new(&["env", "observation", "action", ">time limit", ">solved at"]);
            for env in &envs {
                table.row(row(&**env));
            }
            table.write(&mut out)?;
        }
        (Some(id), false) => describe(&mut out, &*envs[0], &registry.envs().option_specs(id)?)?,
    }
    Ok(Exit::Success)
}

fn row(env: &dyn Env) -> [String; 5] {
    let EnvSpec { id, max_episode_steps, reward_threshold, .. } = env.spec();
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    [
        id.clone(),
        describe_space(env.observation_space()),
        describe_space(env.action_space()),
        or_dash(max_episode_steps.map(|n| n.to_string())),
        or_dash(reward_threshold.map(tidy)),
    ]
}

fn describe(out: &mut impl Write, env: &dyn Env, options: &[OptionSpec]) -> Result<(), Failure> {
    let [id, observation, action, limit, threshold] = row(env);
    let fps = env.spec().frames_per_second;
    writeln!(out, "{}", paint(BOLD, id))?;
    writeln!(out, "  observation   {observation}")?;
    if let Space::Box { low, high, .. } = env.observation_space()
        && low.len() <= 16
    {
        let bounds: Vec<String> = low.iter().zip(high).map(|(l, h)| format!("[{l}, {h}]")).collect();
        writeln!(out, "                {}", paint(MUTED, bounds.join(" ")))?;
    }
    writeln!(out, "  action        {action}")?;
    writeln!(out, "  time limit    {limit} env steps")?;
    writeln!(out, "  solved at     {threshold}, mean return over 100 episodes")?;
    writeln!(out, "  speed         {fps} env steps per second look natural")?;
    writeln!(out, "\n{}", paint(BOLD, "options"))?;
    for option in options {
        let default = default_value(&option.default);
        writeln!(out, "  --set env.options.{}={default}", option.name)?;
        writeln!(out, "      {}", paint(MUTED, option.summary))?;
    }
    Ok(())
}

/// A space in Gymnasium's manner: `Discrete(2)`, `Box(10, 5)`.
fn describe_space(space: &Space) -> String {
    let list = |n: &[usize]| n.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    match space {
        Space::Discrete { n } => format!("Discrete({n})"),
        Space::MultiDiscrete { n } => format!("MultiDiscrete({})", list(n)),
        Space::Box { shape, .. } => format!("Box({})", list(shape)),
    }
}

fn default_value(default: &OptionDefault) -> String {
    match default {
        OptionDefault::Bool(value) => value.to_string(),
        OptionDefault::Int(value) => value.to_string(),
        OptionDefault::Float(value) => value.to_string(),
        OptionDefault::Text(value) => format!("{value:?}"),
        OptionDefault::OptionalInt | OptionDefault::OptionalFloat => "N".into(),
        OptionDefault::OptionalText => "TEXT".into(),
        OptionDefault::OptionalList => "[TEXT, …]".into(),
    }
}

#[derive(Serialize)]
struct Line {
    id: String,
    observation_space: String,
    observation_len: usize,
    action_space: String,
    max_episode_steps: Option<u32>,
    reward_threshold: Option<f64>,
    frames_per_second: f32,
}

impl Line {
    fn of(env: &dyn Env) -> Self {
        let spec = env.spec();
        Line {
            id: spec.id.clone(),
            observation_space: describe_space(env.observation_space()),
            observation_len: env.observation_len(),
            action_space: describe_space(env.action_space()),
            max_episode_steps: spec.max_episode_steps,
            reward_threshold: spec.reward_threshold,
            frames_per_second: spec.frames_per_second,
        }
    }
}
