//! Commands that train: `train`, `resume`, `study`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use requel::study::Seeds;

use super::numbers::count;
use super::{Layers, Reporting, Workers};
use crate::every::{Every, every};
use crate::execution::{Execution, threads};

/// `requel train`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel train                                   CartPole-v1, its own preset
  requel train CartPole-v1 --seed 7              another seed, another run
  requel train --preset notebook                 the notebook behind requel
  requel train --set train.env_steps=20000       a budget of 20000 env steps
  requel train --config mine.toml --run-dir out  your settings, your place
  requel train --seeds 0..20                     20 seeds on all cores
  requel train --from runs/mine --seed 1         on from what a run has learned

The run is written to runs/<env>__<preset>__<seed>__<time>/.
On a terminal a dashboard shows how it goes; press ? in it for its keys.
Ctrl-C stops at the next step and saves a checkpoint; `requel resume` goes on as
if nothing had happened. Ctrl-C twice stops at once, without saving.
Same version, config and seed: same bits, whether alone or among --seeds.
Several seeds are written to runs/<env>__<preset>__seeds__<settings>/seed-<N>/;
the same command again goes on with what is not finished.")]
pub struct TrainArgs {
    #[command(flatten)]
    pub layers: Layers,
    /// Start from the weights of this run or policy file instead of random ones. The settings are those of the run,
    /// unless an environment, a preset or a file is named
    #[arg(long, value_name = "RUN|FILE", conflicts_with = "seeds")]
    pub from: Option<PathBuf>,
    /// Which weights of the run: those of its best policy, or of its newest checkpoint
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Which::Best, requires = "from")]
    pub weights: Which,
    /// Also start with the transitions in the run's replay buffer
    #[arg(long, requires = "from")]
    pub with_replay: bool,
    /// Seeds to train side by side: a range 0..20 or 5..=9, a list 0,3,7, or how many
    #[arg(long, value_name = "SEEDS", conflicts_with = "seed", allow_hyphen_values = true)]
    pub seeds: Option<Seeds>,
    /// Maximum number of runs at a time; 0: one per core
    #[arg(long, value_name = "N", default_value_t = 0, requires = "seeds", allow_negative_numbers = true, value_parser = threads)]
    pub jobs: usize,
    /// Directory for the run, new or empty; with --seeds, it holds one directory per seed
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// Save every N env steps, or every N minutes with an `m`, such as `10m`
    #[arg(long, value_name = "STEPS|MINUTES", allow_hyphen_values = true, value_parser = every)]
    pub every: Option<Every>,
    /// Number of checkpoints to keep, at least 2
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count(2))]
    pub keep: Option<usize>,
    /// What to do when the environment returns NaN or infinity: stop training, or drop the step and reset [default: stop]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub on_nan: Option<OnNan>,
    #[command(flatten)]
    pub execution: Execution,
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Which weights of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Those of the best policy by the evaluations of training
    Best,
    /// Those of the newest checkpoint
    Last,
}

/// What to do when the environment returns NaN or infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnNan {
    /// Stop training and name the value
    Stop,
    /// Drop the step, count it, and reset the environment
    Skip,
}

/// `requel resume`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel resume             the newest run below runs/
  requel resume runs/mine   a run of your choice, or a directory of many
  requel resume runs/mine --set train.env_steps=90000  with a larger budget

The result is, byte for byte, that of a run that was never interrupted.
With --set the run goes on with other settings from here, also where it was
finished. They are kept as a segment of the run, under segments/. What the
saved state depends on, such as the network and the environment, stays.")]
pub struct ResumeArgs {
    /// Directory of the run [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// Setting to change from here on, such as `train.env_steps=90000`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    #[command(flatten)]
    pub execution: Execution,
    #[command(flatten)]
    pub reporting: Reporting,
}

/// `requel study`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel study                                the studies that come with requel
  requel study notebook-ladder                what each step from there is worth
  requel study notebook-ladder --seeds 30     more seeds, narrower intervals
  requel study notebook-ladder --print        its file, to change, then:
  requel study mine.toml
  requel study mine.toml --out /nfs/mine --only 3/20   job 3 of 20 in a queue
  requel study mine.toml --out /nfs/mine --join        any machine, at any time
  requel study mine.toml --out /nfs/mine --merge       the tables, at the end

A study names its environment, its seeds and its variants:
  name = \"gamma\"
  env = \"CartPole-v1\"
  seeds = \"0..10\"
  set = [\"train.env_steps=20000\"]
  [[variant]]
  name = \"short-sighted\"
  set = [\"agent.gamma=0.9\"]
  [[variant]]
  name = \"far-sighted\"

In place of env, a [[task]] for each of several environments has its env, and
its own preset, set, seeds and scale of scores if need be: docs/studies.md.

It is written to studies/<name>/: a directory per variant and seed, study.md,
study.csv, study.json, study.html and study.png. The same command again skips
what is done and goes on with the rest; a variant that was changed is trained
anew.")]
#[command(mut_arg("json", |json| json.help("Print events as JSON lines on stdout, the last one `study_finished`")))]
pub struct StudyArgs {
    /// Study file, or the name of a study that comes with requel [default: list them]
    #[arg(value_name = "FILE|NAME")]
    pub study: Option<String>,
    /// Seeds instead of the study's: a range 0..20 or 5..=9, a list 0,3,7, or how many
    #[arg(long, value_name = "SEEDS", allow_hyphen_values = true)]
    pub seeds: Option<Seeds>,
    /// Maximum number of runs at a time; 0: one per core
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = threads)]
    pub jobs: usize,
    /// Directory of the study [default: studies/<name>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the study file and exit
    #[arg(long, requires = "study")]
    pub print: bool,
    #[command(flatten)]
    pub reporting: Reporting,
    // Last, since its heading is that of all that comes after it.
    #[command(flatten)]
    pub workers: Workers,
}
