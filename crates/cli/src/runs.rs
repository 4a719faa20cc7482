//! Runs on disk: where a new one goes, and which one a command means.

use std::path::{Path, PathBuf};

use requel::agent::{AgentError, DeviceFault, Policy, PolicyError};
use requel::checkpoint::CheckpointError;
use requel::config::EnvConfig;
use requel::policy_file::{PolicyFile, PolicyFileError};
use requel::run::{Run, RunError, timestamp};
use requel::study::find_runs;
use requel::td::ValueBounds;
use requel::train::{EnvIdentity, EnvOrigin, SCALED_REWARD, TrainError, for_network};
use requel::{Config, Registry, Stream, StreamRng};
use requel_envs::{Env, EnvError};

use crate::exit::{Exit, Failure};
use crate::{missing, pack, shell};

/// The default directory of runs.
pub const ROOT: &str = "runs";
/// What to do if the program lacks something that another one registers.
const WITH_EVERY_VERB: &str = "run this with the program that registers it: `requel_cli::main_with` gives your own program \
                               every verb; in Python, call `requel.Run(DIR, env=ENV).program(VERB)`";
/// The default directory of studies.
pub const STUDIES: &str = "studies";

/// The run in this directory, or the newest one: a single run, one of several seeds, or one of a study.
///
/// # Errors
/// If there is none.
pub fn open(dir: Option<&Path>) -> Result<Run, Failure> {
    Ok(match dir {
        Some(path) => {
            refuse_packed(path)?;
            Run::open(path)?
        }
        None => newest(|_| true).ok_or_else(|| RunError::NoRuns { root: ROOT.into() })?,
    })
}

/// Refuses a packed run, with a hint how to unpack it.
///
/// # Errors
/// If the file is a packed run, or cannot be read.
pub fn refuse_packed(path: &Path) -> Result<(), Failure> {
    match path.is_file() && pack::is_packed(path)? {
        true => Err(Failure::bad_input(format_args!("{} is a packed run", path.display()))
            .hint(format!("unpack it first with `requel unpack {}`", shell::quoted(path)))),
        false => Ok(()),
    }
}

/// The run in this directory, or the newest one with a policy, for commands that need a policy.
///
/// # Errors
/// If there is none.
pub fn open_with_policy(dir: Option<&Path>) -> Result<Run, Failure> {
    match dir {
        // If no run has a policy yet, the error is about the newest.
        None => newest_with_policy().map_or_else(|| open(None), Ok),
        dir => open(dir),
    }
}

/// The newest run with a policy, intact or not: a damaged run must not silently be replaced by another.
pub fn newest_with_policy() -> Option<Run> {
    newest(|run| run.best_policy_path().exists())
}

/// Whether a run can be continued without changes: it is not finished and not in use.
pub fn is_unfinished(run: &Run) -> bool {
    !run.is_finished() && !run.is_in_use()
}

/// The most recently started run below [`ROOT`] and [`STUDIES`] for which the predicate holds.
pub fn newest(wanted: impl Fn(&Run) -> bool) -> Option<Run> {
    let begun = |run: &Run| std::fs::metadata(run.dir().join("config.toml")).and_then(|m| m.modified()).ok();
    let mut found: Vec<_> = all().into_iter().map(|run| (begun(&run), run)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.dir().cmp(b.1.dir())));
    // From the newest: the predicate may have to read the run.
    found.into_iter().rev().map(|(_, run)| run).find(wanted)
}

/// All runs below [`ROOT`] and [`STUDIES`].
pub fn all() -> Vec<Run> {
    let roots = [ROOT, STUDIES].into_iter().map(Path::new).filter(|root| root.is_dir());
    roots.filter_map(|root| find_runs(root).ok()).flatten().collect()
}

/// What the newest run for which the predicate holds belongs to: itself, or the directory of seeds or of a study that contains it. If there
/// is none, that of the newest run.
///
/// # Errors
/// If there is no run.
pub fn newest_whole(wanted: impl Fn(&Run) -> bool) -> Result<PathBuf, Failure> {
    let run = newest(wanted).map_or_else(|| open(None), Ok)?;
    // The first two components are the root and the entry in it.
    Ok(run.dir().components().take(2).collect())
}

/// The environment of a config as the network sees it: with repeated actions, stacked observations and one-hot encoding, as in training.
/// For the environment of a run, use [`Run::env`].
///
/// # Errors
/// If it cannot be created with these options.
pub fn env(config: &EnvConfig, registry: &Registry) -> Result<Box<dyn Env>, Failure> {
    Ok(known_env(config, registry)?.1)
}

/// Like [`env`], with the identity of the environment as well.
///
/// # Errors
/// As [`env`].
pub fn known_env(config: &EnvConfig, registry: &Registry) -> Result<(EnvIdentity, Box<dyn Env>), EnvError> {
    let env = registry.env_factory(config)()?;
    Ok((EnvIdentity::of(&*env, registry.env_origin(&config.id)), for_network(env)?))
}

/// The environment of a policy file as its network sees it, with the identity that it has in this program.
///
/// # Errors
/// If this program does not have it, or cannot create it with the options of the policy.
pub fn policy_env(
    policy: &PolicyFile,
    file: &Path,
    registry: &Registry,
) -> Result<(EnvIdentity, Box<dyn Env>), Failure> {
    let config = EnvConfig { id: policy.env_id.clone(), ..policy.env.clone() };
    known_env(&config, registry).map_err(|error| match (error, policy.origin) {
        (EnvError::UnknownId { id, .. }, EnvOrigin::Registered | EnvOrigin::Given) => Failure::bad_input(format_args!(
            "{} is a policy for `{id}`, an environment that this program does not have",
            file.display()
        ))
        .hint(WITH_EVERY_VERB),
        (error, _) => error.into(),
    })
}

/// The best policy of a run, for up to `rows` observations at once.
///
/// # Errors
/// If there is none, it cannot be read, it is not the one that the run was sealed with, or it or the run belongs to an environment other
/// than the registry's.
pub fn policy(run: &Run, registry: &Registry, rows: usize) -> Result<Box<dyn Policy>, Failure> {
    Ok(run.policy(registry, rows)?)
}

/// The best policy of a run, checked against the environment of the run.
///
/// # Errors
/// Like [`policy`].
pub fn policy_file(run: &Run, registry: &Registry) -> Result<PolicyFile, Failure> {
    let policy = run.best_policy()?;
    policy.check_env(&*run.env(registry)?).map_err(|error| error.in_file(&run.best_policy_path()))?;
    Ok(policy)
}

/// The identity of a run's environment. Runs that did not record it used requel's own.
pub fn environment(run: &Run) -> Option<EnvIdentity> {
    match run.environment() {
        Ok(Some(known)) => Some(known),
        Ok(None) => Registry::built_in().env_identity(&run.config().ok()?.env).ok(),
        Err(_) => None,
    }
}

/// The name of a run's settings: `preset cartpole`, or `dqn over preset cartpole`.
pub fn settings_named(config: &Config) -> String {
    match config.algo.as_str() {
        "" => format!("preset {}", config.preset),
        algo => format!("{algo} over preset {}", config.preset),
    }
}

/// The mean return at which a run's environment counts as solved: its own threshold with the options it was created with, or the config's
/// if it has none.
pub fn goal(config: &Config, environment: Option<&EnvIdentity>) -> Option<f64> {
    environment.and_then(|env| env.goal).or(config.evaluation.stop_return)
}

/// The bounds of all possible values of a run, if known.
pub fn value_bounds(config: &Config, environment: Option<&EnvIdentity>) -> Option<ValueBounds> {
    let env = environment?;
    config.value_bounds(&env.spec(), env.action_count()?)
}

/// The seed of a run's last evaluation.
pub fn evaluation_seed(config: &Config) -> u64 {
    u64::from(StreamRng::new(config.train.seed, Stream::FinalEvaluation).next_u32())
}

/// The directory of a new run of `config`: below [`ROOT`], named after environment, preset, seed and current time (UTC), with a number if
/// another run has the same name.
pub fn new_directories(config: &Config) -> impl Iterator<Item = PathBuf> {
    let name = Run::name(config, &timestamp());
    (1..).map(move |n: u64| Path::new(ROOT).join(if n == 1 { name.clone() } else { format!("{name}-{n}") }))
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Config(error) => error.into(),
            RunError::Train(error) => error.into(),
            RunError::Policy(error) => error.into(),
            RunError::Occupied { ref path } => {
                let hint = format!(
                    "choose another --run-dir, or continue that run with `requel resume \
                                   {}`",
                    shell::quoted(path)
                );
                Failure::bad_input(error).hint(hint)
            }
            RunError::NotARun { ref path } if missing::is_missing(path) => missing::no_such_path(path, missing::RUN),
            RunError::NotARun { ref path } => {
                let hint = match find_runs(path).unwrap_or_default().as_slice() {
                    [] => "name a directory that `requel train` wrote, such as one under runs/; if training was \
                           stopped in its first moments, there is no run yet: repeat the command"
                        .into(),
                    [first, rest @ ..] => {
                        let (count, one) = (rest.len() + 1, shell::quoted(first.dir()));
                        format!("there are {count} runs below it: name one, such as {one}")
                    }
                };
                Failure::bad_input(error).hint(hint)
            }
            RunError::NoRuns { .. } => {
                Failure::bad_input(error).hint("create one with `requel train`, or name the directory of one")
            }
            RunError::NoPolicy { ref path } => {
                let hint = format!("`requel resume {}` continues its training", shell::quoted(path));
                Failure::failed(error).hint(hint)
            }
            RunError::InUse { .. } => {
                Failure::failed(error).hint("wait for that process, or stop it with Ctrl-C: it saves its state")
            }
            RunError::NothingWhole { .. } => Failure::failed(error).hint(
                "train it again with `requel train --config RUN/config.toml`: the same config gives the same \
                      bits",
            ),
            RunError::OtherEnvironment { origin: EnvOrigin::BuiltIn, .. } => Failure::failed(error)
                .hint("its config or its environment.json belongs to another run; `requel verify RUN` says more"),
            RunError::OtherEnvironment { origin, ref difference, .. } => {
                let hint = match origin {
                    _ if difference.is_some() => {
                        "a run continues only in its own environment: register a changed environment under another id"
                    }
                    EnvOrigin::Registered => WITH_EVERY_VERB,
                    _ => {
                        "register the environment in your own program, which has every verb with \
                         `requel_cli::main_with`; in Python, call `requel.Run(DIR, env=ENV).program(VERB)`"
                    }
                };
                Failure::bad_input(error).hint(hint)
            }
            RunError::UnknownPart { .. } => Failure::bad_input(error).hint(WITH_EVERY_VERB),
            RunError::StaysOver { .. } | RunError::BeforeSegment { .. } => Failure::bad_input(error),
            RunError::Checkpoint(CheckpointError::Damaged { .. }) => Failure::failed(error).hint(
                "`requel verify RUN` lists all damage; if you remove the run, the same command trains it again with \
                the same bits",
            ),
            RunError::NoRoom { .. } => Failure::failed(error).hint(
                "free some disk space, or choose a directory on \
                another disk",
            ),
            error => Failure::failed(error),
        }
    }
}

impl From<PolicyFileError> for Failure {
    fn from(error: PolicyFileError) -> Self {
        let source = match &error {
            PolicyFileError::File { source, .. } => &**source,
            error => error,
        };
        let hint = match source {
            PolicyFileError::OwnEnvironment { .. } => {
                "register this environment in your own program under a new id: with `requel_cli::main_with`, that \
                program has every verb"
            }
            PolicyFileError::ChangedEnvironment { .. } => {
                "a policy acts only in its own environment: register a changed environment under another id"
            }
            PolicyFileError::OtherEnvironment { .. } | PolicyFileError::OtherShape { .. } => {
                let hint = "a run contains only policies for its own environment; `requel verify RUN` says what else was \
                    changed";
                return Failure::failed(error).hint(hint);
            }
            _ => return Failure::failed(error),
        };
        Failure::bad_input(error).hint(hint)
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        Failure::failed(error)
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Failure::failed(error)
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Env(error) => error.into(),
            TrainError::Config(error) => error.into(),
            TrainError::Beginning { .. } => {
                Failure::bad_input(error).hint("omit ENV, --preset and --config to use the run's own settings")
            }
            TrainError::Agent(AgentError::Device(DeviceFault::Lost { .. })) => Failure::failed(error)
                .hint("the last checkpoint is intact; `--set train.device=cpu` continues without the device"),
            // If creating the agent failed, the cause is something the user asked for.
            TrainError::Agent(_) | TrainError::Part { .. } => {
                Failure { hint: error.hint(), ..Failure::bad_input(error) }
            }
            TrainError::NotFinite { site, env, .. } => {
                let hint = match env {
                    _ if site == SCALED_REWARD => "lower `agent.reward_scale`: the environment's rewards are finite",
                    Some(_) => {
                        "the environment returns it: fix the environment and continue from the last checkpoint with \
                         `requel resume`; or train with `--on-nan skip`, which drops such steps and counts them"
                    }
                    None => "training diverged; try a lower optimizer.learning_rate or an optimizer.max_gradient_norm",
                };
                Failure { exit: Exit::NotFinite, ..Failure::failed(error) }.hint(hint)
            }
            error => Failure::failed(error),
        }
    }
}
