//! `requel tune`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::numbers::{count, finite, whole};
use super::{Layers, Reporting};

/// `requel tune`
#[derive(Args, Debug)]
#[command(mut_arg("json", |json| json.help("Print events as JSON lines on stdout, the last one `tune_finished`")))]
#[command(mut_arg("env", |env| env.value_name("ENV|FILE").help("Environment, or a search file [default: CartPole-v1]")))]
#[command(mut_arg("preset", |preset| preset.help("Preset to begin from, see `requel presets` [default: the environment's own]")))]
#[command(mut_arg("set", |set| set.help("A setting of all trials, such as `agent.double=true`; may be repeated")))]
#[command(mut_arg("seed", |seed| seed.help("Seed that the search derives from [default: 0]")))]
#[command(mut_arg("plain", |plain| plain.help("Print lines in place of a bar")))]
#[command(after_help = "\
Examples:
  requel tune CartPole-v1 --algo dqn             what is worth trying for DQN
  requel tune CartPole-v1 --preset notebook --trials 100
  requel tune CartPole-v1 --algo dqn --minutes 10
  requel tune CartPole-v1 --algo dqn --print     the search as a file, to change
  requel tune mine.toml --run-dir searches/mine  then this

A search file names the training and the values to try:
  env = \"CartPole-v1\"
  algo = \"dqn\"
  set = [\"train.env_steps=50000\"]
  [budget]
  trials = 50
  [keys]
  agent.gamma = { low = 0.9, high = 0.999, scale = \"horizon\" }
  optimizer.learning_rate = { low = 1e-4, high = 1e-2, scale = \"log\" }
  replay.batch_size = [32, 64, 128]
  target.tau = {}

Trials that do badly are left early; the others go on from their checkpoints
(ASHA). The best is then trained on fresh seeds beside what the search began
from. The same command again goes on after Ctrl-C or a crash and comes to the
same end. best.toml in the directory is for `requel train --config`.
docs/tune.md explains the rest.")]
pub struct TuneArgs {
    #[command(flatten)]
    pub layers: Layers,
    /// Number of trials [default: 50]
    #[arg(long, value_name = "N", group = "budget", allow_negative_numbers = true, value_parser = whole(1u64, 10_000))]
    pub trials: Option<u64>,
    /// Budget of the whole search, in env steps
    #[arg(long, value_name = "STEPS", group = "budget", allow_negative_numbers = true, value_parser = whole(1u64, u64::MAX))]
    pub env_steps: Option<u64>,
    /// Budget of the whole search, in minutes
    #[arg(long, value_name = "N", group = "budget", allow_negative_numbers = true, value_parser = finite)]
    pub minutes: Option<f64>,
    /// How settings are sampled [default: tpe]
    #[arg(long, value_name = "HOW", value_enum)]
    pub sampler: Option<Sampling>,
    /// Number of trials at a time, on however many cores there are; the result depends on it [default: 4]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count(1))]
    pub jobs: Option<usize>,
    /// Env steps of a complete trial [default: the preset's training budget]
    #[arg(long, value_name = "STEPS", allow_negative_numbers = true, value_parser = whole(1u64, i64::MAX as u64))]
    pub trial_steps: Option<u64>,
    /// Seeds of a complete trial; the leaders get up to 16 times as many [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(1u64, 100))]
    pub trial_seeds: Option<u64>,
    /// Number of rungs at which trials are compared and dropped; 1: train every trial completely [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(1u32, 20))]
    pub rungs: Option<u32>,
    /// Number of fresh seeds to train the best settings on; 0: none [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(0u64, 1000))]
    pub fresh: Option<u64>,
    /// Directory of the search [default: searches/<name>]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// Print the search as a file and exit
    #[arg(long)]
    pub print: bool,
    #[command(flatten)]
    pub reporting: Reporting,
}

/// How settings are sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sampling {
    /// Tree-structured Parzen estimators
    Tpe,
    /// Random search
    Random,
}
