//! `requel export`: a run's best policy as a file for other programs.

use std::io::Write;
use std::path::Path;

use requel::export::{OnnxError, PolicyParts, onnx};
use requel::{GreedyPolicy, Registry};
use requel_envs::{Action, Env};
use serde_json::json;

use crate::args::{ExportArgs, ExportFormat};
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::output;
use crate::style::{self, COMMAND, paint};
use crate::subject::{Needs, Subject};

/// Writes the policy and, if requested, samples to check it with.
pub fn run(args: &ExportArgs, registry: &Registry) -> Result<Exit, Failure> {
    // Samples need an environment that can be stepped.
    let needs = if args.samples.is_some() { Needs::Steps } else { Needs::Spaces };
    let subject = Subject::open(args.run.as_deref(), needs, registry)?;
    if subject.is_stand_in && matches!(args.format, ExportFormat::Onnx) {
        let id = &subject.config.env.id;
        style::say(format_args!(
            "this program does not have {id}: the exported file cannot say whether the environment masks actions"
        ));
    }
    let config = &subject.config;
    let file = subject.policy_file()?;
    let mut policy = file.clone().into_policy(1)?;
    let mut env = subject.env()?;
    env.reset(Some(0), &mut vec![0.0; env.observation_len()])?;
    let (bytes, name) = match args.format {
        ExportFormat::Onnx => {
            let parts = PolicyParts {
                env_id: &config.env.id,
                observations: env.observation_space(),
                actions: env.action_space(),
                action_names: &env.spec().action_names,
                observation_names: &env.spec().observation_names,
                network: policy.network(),
                parameters: policy.parameters(),
                head: &file.head,
                is_masked: env.action_mask().is_some(),
            };
            (onnx(&parts)?, "policy.onnx")
        }
        // Written from what was checked: the same bytes as the file they were read from.
        ExportFormat::Safetensors => (file.to_bytes()?, "policy.safetensors"),
    };
    let path = args.output.clone().unwrap_or_else(|| match subject.name.is_dir() {
        true => subject.name.join(name),
        // Next to the file it was read from.
        false => subject.name.with_file_name(name),
    });
    if path == subject.name {
        return Err(
            Failure::bad_input(format_args!("{} is the policy itself", path.display())).hint("choose an --output")
        );
    }
    // Both or neither.
    args.samples.as_deref().map_or(Ok(()), output::check)?;
    write(&path, &bytes)?;
    style::say(format_args!(
        "wrote {} ({} bytes, the best policy of {})",
        paint(COMMAND, path.display()),
        grouped(bytes.len() as u64),
        subject.name.display()
    ));
    if let Some(path) = &args.samples {
        let lines = samples(&mut *env, &mut policy)?;
        write(path, &lines)?;
        style::say(format_args!("wrote {}: observations, and the Q-values expected for them", path.display()));
    }
    Ok(Exit::Success)
}

/// The number of samples written.
const SAMPLES: usize = 64;

/// A line of JSON for each state of the first greedy episodes: `observation`, `q_values`, `action`, and where there are masks
/// `action_mask`.
fn samples(env: &mut dyn Env, policy: &mut GreedyPolicy) -> Result<Vec<u8>, Failure> {
    let mut observation = vec![0.0; env.observation_len()];
    let (mut lines, mut ended, mut seed) = (Vec::new(), true, 0);
    for _ in 0..SAMPLES {
        if ended {
            env.reset(Some(seed), &mut observation)?;
            seed += 1;
        }
        let q_values = policy.q_values(&observation)?.to_vec();
        let action = policy.act(&observation, env.action_mask())?;
        let mut line = json!({ "observation": observation, "q_values": q_values, "action": action });
        if let Some(mask) = env.action_mask() {
            line["action_mask"] = json!(mask);
        }
        serde_json::to_writer(&mut lines, &line).map_err(Failure::failed)?;
        lines.push(b'\n');
        ended = env.step(Action::Discrete(action), &mut observation)?.ended();
    }
    Ok(lines)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Ok(std::io::stdout().lock().write_all(bytes)?);
    }
    output::write(path, bytes)
}

impl From<OnnxError> for Failure {
    fn from(error: OnnxError) -> Self {
        Failure::bad_input(error).hint("`--format safetensors` holds every network, with its description as metadata")
    }
}
