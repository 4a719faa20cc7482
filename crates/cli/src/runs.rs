//! Runs on disk: where a new one goes, and which one is meant.

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

/// Where runs are when nobody says otherwise.
pub const ROOT: &str = "runs";
/// What to do where a program lacks something that another one registers.
const WITH_EVERY_VERB: &str = "run this in the program that registers it: `requel_cli::main_with` gives a program every verb, and so does \
                               `requel.Run(DIR, env=ENV).program(VERB)` in Python";
/// Where studies are when nobody says otherwise.
pub const STUDIES: &str = "studies";

/// The run in this directory, or the newest, be it one by itself, one of many seeds or one of a study.
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

/// Refuses a packed run, and says what makes a run of it.
///
/// # Errors
/// If it is one, or cannot be read.
pub fn refuse_packed(path: &Path) -> Result<(), Failure> {
    match path.is_file() && pack::is_packed(path)? {
        true => Err(Failure::bad_input(format_args!("{} is a packed run", path.display()))
            .hint(format!("`requel unpack {}` makes a run of it", shell::quoted(path)))),
        false => Ok(()),
    }
}

/// The run in this directory, or the newest that has a policy: for what cannot be done without.
///
/// # Errors
/// If there is none.
pub fn open_with_policy(dir: Option<&Path>) -> Result<Run, Failure> {
    match dir {
        // Where no run has a policy yet, the newest says so.
        None => newest_with_policy().map_or_else(|| open(None), Ok),
        dir => open(dir),
    }
}

/// The newest run that has a policy, whole or not: a damaged one is no reason to take another without a word.
pub fn newest_with_policy() -> Option<Run> {
    newest(|run| run.best_policy_path().exists())
}

/// Whether a run can be gone on with as it is: it is not finished, and not in use.
pub fn is_unfinished(run: &Run) -> bool {
    !run.is_finished() && !run.is_in_use()
}

/// Of the runs below [`ROOT`] and [`STUDIES`] that are as wanted, the one begun last.
pub fn newest(wanted: impl Fn(&Run) -> bool) -> Option<Run> {
    let begun = |run: &Run| std::fs::metadata(run.dir().join("config.toml")).and_then(|m| m.modified()).ok();
    let mut found: Vec<_> = all().into_iter().map(|run| (begun(&run), run)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.dir().cmp(b.1.dir())));
    // From the newest on: whether a run is wanted may take reading it.
    found.into_iter().rev().map(|(_, run)| run).find(wanted)
}

/// All runs below [`ROOT`] and [`STUDIES`].
pub fn all() -> Vec<Run> {
    let roots = [ROOT, STUDIES].into_iter().map(Path::new).filter(|root| root.is_dir());
    roots.filter_map(|root| find_runs(root).ok()).flatten().collect()
}

/// What the newest run that is as wanted belongs to: itself, or the directory of seeds or of a study that it is in. Where there
/// is none, that of the newest run at all.
///
/// # Errors
/// If there is no run.
pub fn newest_whole(wanted: impl Fn(&Run) -> bool) -> Result<PathBuf, Failure> {
    let run = newest(wanted).map_or_else(|| open(None), Ok)?;
    // Its first two components are the root and what lies there.
    Ok(run.dir().components().take(2).collect())
}

/// The environment of a config as its network sees it: with repeated actions and stacked observations, discrete ones one-hot,
/// as in training. That of a run is [`Run::env`].
///
/// # Errors
/// If it cannot be made with these options.
pub fn env(config: &EnvConfig, registry: &Registry) -> Result<Box<dyn Env>, Failure> {
    Ok(known_env(config, registry)?.1)
}

/// As [`env`], with what the environment is known by.
///
/// # Errors
/// As [`env`].
pub fn known_env(config: &EnvConfig, registry: &Registry) -> Result<(EnvIdentity, Box<dyn Env>), EnvError> {
    let env = registry.env_factory(config)()?;
    Ok((EnvIdentity::of(&*env, registry.env_origin(&config.id)), for_network(env)?))
}

/// The environment of a policy's file as its network sees it, and what it is known by here.
///
/// # Errors
/// If it is not known here, or cannot be made with the options of the policy.
pub fn policy_env(
    policy: &PolicyFile,
    file: &Path,
    registry: &Registry,
) -> Result<(EnvIdentity, Box<dyn Env>), Failure> {
    let config = EnvConfig { id: policy.env_id.clone(), ..policy.env.clone() };
    known_env(&config, registry).map_err(|error| match (error, policy.origin) {
        (EnvError::UnknownId { id, .. }, EnvOrigin::Registered | EnvOrigin::Given) => Failure::bad_input(format_args!(
            "{} is a policy of `{id}`, an environment that this program does not have",
            file.display()
        ))
        .hint(WITH_EVERY_VERB),
        (error, _) => error.into(),
    })
}

/// The best policy of a run, able to look at `rows` observations at once.
///
/// # Errors
/// If there is none, it cannot be read, it is not the one that the run was sealed with, or it or the run is of another
/// environment than the registry has.
pub fn policy(run: &Run, registry: &Registry, rows: usize) -> Result<Box<dyn Policy>, Failure> {
    Ok(run.policy(registry, rows)?)
}

/// The best policy of a run, which goes with the environment of the run.
///
/// # Errors
/// As [`policy`].
pub fn policy_file(run: &Run, registry: &Registry) -> Result<PolicyFile, Failure> {
    let policy = run.best_policy()?;
    policy.check_env(&*run.env(registry)?).map_err(|error| error.in_file(&run.best_policy_path()))?;
    Ok(policy)
}

/// What the environment of a run is known by. Runs that did not write it down were of requel's own.
pub fn environment(run: &Run) -> Option<EnvIdentity> {
    match run.environment() {
        Ok(Some(known)) => Some(known),
        Ok(None) => Registry::built_in().env_identity(&run.config().ok()?.env).ok(),
        Err(_) => None,
    }
}

/// What the settings of a run are called: `preset cartpole`, or `dqn over preset cartpole`.
pub fn settings_named(config: &Config) -> String {
    match config.algo.as_str() {
        "" => format!("preset {}", config.preset),
        algo => format!("{algo} over preset {}", config.preset),
    }
}

/// The mean return at which a run's environment counts as solved: its own, with the options that it was made with, or what the
/// config names where it has none.
pub fn goal(config: &Config, environment: Option<&EnvIdentity>) -> Option<f64> {
    environment.and_then(|env| env.goal).or(config.evaluation.stop_return)
}

/// Between which numbers every value of a run can rightly lie, where that is known.
pub fn value_bounds(config: &Config, environment: Option<&EnvIdentity>) -> Option<ValueBounds> {
    let env = environment?;
    config.value_bounds(&env.spec(), env.action_count()?)
}

/// The seed of a run's last evaluation.
pub fn evaluation_seed(config: &Config) -> u64 {
    u64::from(StreamRng::new(config.train.seed, Stream::FinalEvaluation).next_u32())
}

/// Where a new run of `config` goes: below [`ROOT`], by environment, preset, seed and the present time (UTC), and by a number
/// where another run has the same.
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
                let hint = format!("name another --run-dir, or continue that run with `requel resume {}`", shell::quoted(path));
                Failure::bad_input(error).hint(hint)
            }
            RunError::NotARun { ref path } if missing::is_missing(path) => missing::no_such_path(path, missing::RUN),
            RunError::NotARun { ref path } => {
                let hint = match find_runs(path).unwrap_or_default().as_slice() {
                    [] => "name a directory that `requel train` wrote, such as those under runs/; a training that was stopped in its \
                           first moments left no run yet: give its command again"
                        .into(),
                    [first, rest @ ..] => {
                        let (count, one) = (rest.len() + 1, shell::quoted(first.dir()));
                        format!("there are {count} runs below it: name one, such as {one}")
                    }
                };
                Failure::bad_input(error).hint(hint)
            }
            RunError::NoRuns { .. } => {
                Failure::bad_input(error).hint("`requel train` makes one; or name its directory")
            }
            RunError::NoPolicy { ref path } => {
                let hint = format!("`requel resume {}` continues its training", shell::quoted(path));
                Failure::failed(error).hint(hint)
            }
            RunError::InUse { .. } => {
                Failure::failed(error).hint("wait for it, or stop it with Ctrl-C: it saves its state")
            }
            RunError::NothingWhole { .. } => Failure::failed(error)
                .hint("train again with `requel train --config RUN/config.toml`: the same config gives the same bits"),
            RunError::OtherEnvironment { origin: EnvOrigin::BuiltIn, .. } => Failure::failed(error)
                .hint("its config or its environment.json belongs to another run; `requel verify RUN` says more"),
            RunError::OtherEnvironment { origin, ref difference, .. } => {
                let hint = match origin {
                    _ if difference.is_some() => {
                        "a run continues only in its own environment: register a changed environment under another id"
                    }
                    EnvOrigin::Registered => WITH_EVERY_VERB,
                    _ => {
                        "register it in a program of your own: `requel_cli::main_with` gives that every verb; in Python \
                         `requel.Run(DIR, env=ENV).program(VERB)` does"
                    }
                };
                Failure::bad_input(error).hint(hint)
            }
            RunError::UnknownPart { .. } => Failure::bad_input(error).hint(WITH_EVERY_VERB),
            RunError::StaysOver { .. } | RunError::BeforeSegment { .. } => Failure::bad_input(error),
            RunError::Checkpoint(CheckpointError::Damaged { .. }) => Failure::failed(error).hint(
                "`requel verify RUN` lists all damage; if you remove the run, the same command makes it again with the same bits",
            ),
            RunError::NoRoom { .. } => Failure::failed(error).hint("make room, or name a directory on another disk"),
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
                "register it in a program of your own, under an id of its own: `requel_cli::main_with` has every verb"
            }
            PolicyFileError::ChangedEnvironment { .. } => {
                "a policy acts only in its own environment: register a changed environment under another id"
            }
            PolicyFileError::OtherEnvironment { .. } | PolicyFileError::OtherShape { .. } => {
                let hint =
                    "a run holds the policy of its own environment; `requel verify RUN` says what else was changed";
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
                Failure::bad_input(error).hint("without ENV, --preset and --config, a run's own settings are taken")
            }
            TrainError::Agent(AgentError::Device(DeviceFault::Lost { .. })) => Failure::failed(error)
                .hint("the last checkpoint is whole; `--set train.device=cpu` goes on without the device"),
            TrainError::Agent(AgentError::UnknownPart { key, .. }) => Failure::bad_input(error).hint(format!(
                "leave `{key}` empty for requel's own; a program of yours registers others: docs/extend.md"
            )),
            // Whatever keeps an agent from being made was asked for.
            TrainError::Agent(_) => Failure::bad_input(error),
            TrainError::NotFinite { site, env, .. } => {
                let hint = match env {
                    _ if site == SCALED_REWARD => {
                        "lower `agent.reward_scale`: the environment's rewards are as they should be"
                    }
                    Some(_) => {
                        "the environment gives it: mend it, and `requel resume` goes on from the last checkpoint; \
                         or train with `--on-nan skip`, which drops such steps and counts them"
                    }
                    None => "training diverged; try a lower optimizer.learning_rate or an optimizer.max_gradient_norm",
                };
                Failure { exit: Exit::NotFinite, ..Failure::failed(error) }.hint(hint)
            }
            error => Failure::failed(error),
        }
    }
}
