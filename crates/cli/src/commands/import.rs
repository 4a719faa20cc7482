//! `requel import`: the weights of a PyTorch network as a policy.

use std::io::{Read, Write};
use std::path::Path;

use requel::Registry;
use requel::policy_file::{PolicyFile, PytorchMlp};
use requel_nn::Activation;

use crate::args::{ImportActivation, ImportArgs};
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::runs;
use crate::style::{self, COMMAND, paint};

/// The largest file of weights that is read, bytes.
const MOST_BYTES: u64 = 4 << 30;

/// Reads the weights and writes the policy.
pub fn run(args: &ImportArgs, registry: &Registry) -> Result<Exit, Failure> {
    let config = environment::described(&args.env, &args.set, registry)?;
    let (identity, env) = runs::known_env(&config, registry)?;
    let Some(actions) = env.action_space().discrete_n() else {
        return Err(Failure::bad_input(format!("{} does not take discrete actions", args.env)));
    };
    let activation = match args.activation {
        ImportActivation::Relu => Activation::Relu,
        ImportActivation::Tanh => Activation::Tanh,
        ImportActivation::Identity => Activation::Identity,
    };
    let bytes = read(&args.file)?;
    let inputs = env.observation_len();
    let mlp = PytorchMlp { env_id: &args.env, inputs, actions, activation, prefix: &args.prefix };
    let mut policy = PolicyFile::from_pytorch(&bytes, &mlp)
        .map_err(|error| Failure::bad_input(format_args!("cannot import {}: {error}", args.file.display())))?;
    (policy.origin, policy.identity) = (identity.origin, Some(identity));
    write(&args.output, &policy.to_bytes().map_err(Failure::failed)?)?;
    style::say(format_args!(
        "wrote {} ({inputs} numbers of {} to the values of {actions} actions, {} parameters)",
        paint(COMMAND, args.output.display()),
        args.env,
        policy.parameters.len()
    ));
    Ok(Exit::Success)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error| Failure::bad_input(format_args!("cannot read {}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(cannot)?;
    let about = file.metadata().map_err(cannot)?;
    if !about.is_file() || about.len() > MOST_BYTES {
        return Err(Failure::bad_input(format_args!("{} is not a file of weights", path.display())));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

/// Writes a file that does not exist yet: a default name must not overwrite the user's weights.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        return Ok(std::io::stdout().lock().write_all(bytes)?);
    }
    let cannot = |error: std::io::Error| {
        let failure = Failure::failed(format_args!("cannot write {}: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => failure.hint("`--output FILE` writes to another file"),
            _ => failure,
        }
    };
    let mut file = std::fs::File::create_new(path).map_err(cannot)?;
    file.write_all(bytes).map_err(cannot)
}
