//! The command line: every command and option with its help.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use requel::study::Seeds;

use crate::every::{Every, every};
use crate::execution::Execution;
use crate::style;

const EXIT_CODES: &str = "\
Exit codes:
    0  all went well
    1  something went wrong on the way: a full disk, a damaged run
    2  the input was wrong: an unknown name, a value out of range;
       nothing was written
    3  a number was NaN or infinite, in a world or in learning; what
       was saved before stays
  129  stopped because the terminal went away (SIGHUP), as by SIGTERM
  130  stopped by Ctrl-C (SIGINT); a checkpoint was written, and
       `requel resume` goes on from it
  143  stopped by SIGTERM; a checkpoint was written as well

Colours are left out when the output is no terminal or NO_COLOR is set.";

const FIRST_STEPS: &str = "\
Examples:
  requel train CartPole-v1       train an agent; seconds, not minutes
  requel watch                   watch the newest one in the terminal
  requel eval                    score it over 100 fresh episodes
  requel watch --gif agent.gif   make an animation of it";

/// Deep Q-learning with experience replay: train an agent in seconds, watch it, never lose a run.
#[derive(Debug, Parser)]
#[command(name = "requel", version, styles = style::help(), arg_required_else_help = true)]
#[command(after_help = FIRST_STEPS, after_long_help = format!("{FIRST_STEPS}\n\n{EXIT_CODES}"))]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent
    Train(TrainArgs),
    /// Go on with a run that was interrupted
    Resume(ResumeArgs),
    /// Look for damage in a run, byte by byte
    Verify(VerifyArgs),
    /// Train variants of a training, each with many seeds, and compare them
    Study(StudyArgs),
    /// Compare runs: learning curves, scores and what is behind them
    Compare(CompareArgs),
    /// Score a run's best policy, acting greedily
    Eval(EvalArgs),
    /// Watch a policy in the terminal, or write an animation of it
    Watch(WatchArgs),
    /// Write a run's report: charts and replays on one page for the browser
    Report(ReportArgs),
    /// Show all runs on a local page, live
    Serve(ServeArgs),
    /// Write a run's best policy for other programs: ONNX, safetensors
    Export(ExportArgs),
    /// Step a world with given or random actions and print what it answers
    Rollout(RolloutArgs),
    /// List the worlds
    Envs(EnvsArgs),
    /// List the presets, or print one
    Presets(PresetsArgs),
    /// Look at configurations
    Config(ConfigArgs),
    /// Say what requel finds on this machine, and what is wrong with it
    Doctor(DoctorArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page in roff, or write those of all commands
    #[command(hide = true)]
    Man(ManArgs),
}

/// Layers of configuration.
#[derive(Args, Clone, Debug)]
pub struct Layers {
    /// World to train on, see `requel envs` [default: CartPole-v1, or what the config says]
    #[arg(value_name = "ENV")]
    pub env: Option<String>,
    /// Preset to start from, see `requel presets` [default: the world's own]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// TOML file laid over the preset
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting laid over the file, such as `agent.gamma=0.95`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    /// Seed that all randomness derives from [default: 0, or what the config says]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

/// How much to say, and in which form.
#[derive(Args, Clone, Copy, Debug)]
pub struct Reporting {
    /// Print events as JSON lines on stdout, the last one `run_finished`
    #[arg(long)]
    pub json: bool,
    /// Say nothing on stderr but warnings and errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Show a progress line in place of the dashboard
    #[arg(long, visible_alias = "no-dashboard")]
    pub plain: bool,
}

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
    /// Seeds to train side by side: a range 0..20 or 5..=9, a list 0,3,7, or how many
    #[arg(long, value_name = "SEEDS", conflicts_with = "seed")]
    pub seeds: Option<Seeds>,
    /// At most so many runs at a time; 0: one per core
    #[arg(long, value_name = "N", default_value_t = 0, requires = "seeds")]
    pub jobs: usize,
    /// Directory to write this run to, new or empty; with --seeds, the one that holds a directory per seed
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// Save every so many env steps, or with an `m` behind it minutes, such as `10m`
    #[arg(long, value_name = "STEPS|MINUTES", value_parser = every)]
    pub every: Option<Every>,
    /// How many checkpoints to keep, at least 2
    #[arg(long, value_name = "N")]
    pub keep: Option<usize>,
    /// What a NaN or infinity from the world comes to: it stops training, or costs the step [default: stop]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub on_nan: Option<OnNan>,
    #[command(flatten)]
    pub execution: Execution,
    #[command(flatten)]
    pub reporting: Reporting,
}

/// What a NaN or infinity from the world comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnNan {
    /// Training stops and names it
    Stop,
    /// The step is dropped and counted, and the world reset
    Skip,
}

/// `requel resume`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel resume             the newest run below runs/
  requel resume runs/mine   a run of your choice, or a directory of many

The result is, byte for byte, that of a run that was never interrupted.")]
pub struct ResumeArgs {
    /// Directory of the run [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    #[command(flatten)]
    pub execution: Execution,
    #[command(flatten)]
    pub reporting: Reporting,
}

/// `requel verify`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel verify                    the newest run below runs/
  requel verify runs/mine --json   one JSON line

All checkpoints are read, each block against its checksum, and the logs as far
as the checkpoints know them. Damage is named with its file and block, and the
exit code is 1 then. Nothing is changed.")]
pub struct VerifyArgs {
    /// Directory of the run [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// Print one JSON line on stdout
    #[arg(long)]
    pub json: bool,
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

A study names its world, its seeds and its variants:
  name = \"gamma\"
  env = \"CartPole-v1\"
  seeds = \"0..10\"
  set = [\"train.env_steps=20000\"]
  [[variant]]
  name = \"short-sighted\"
  set = [\"agent.gamma=0.9\"]
  [[variant]]
  name = \"far-sighted\"

It is written to studies/<name>/: a directory per variant and seed, study.md,
study.csv, study.json, study.html and study.png. The same command again skips
what is done and goes on with the rest; a variant that was changed is trained
anew.")]
pub struct StudyArgs {
    /// A study file, or the name of a study that comes with requel [default: list those]
    #[arg(value_name = "FILE|NAME")]
    pub study: Option<String>,
    /// Seeds in place of the study's: a range 0..20 or 5..=9, a list 0,3,7, or how many
    #[arg(long, value_name = "SEEDS")]
    pub seeds: Option<Seeds>,
    /// At most so many runs at a time; 0: one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// Directory of the study [default: studies/<name>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the study's file and do nothing
    #[arg(long, requires = "study")]
    pub print: bool,
    #[command(flatten)]
    pub reporting: Reporting,
}

/// `requel compare`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel compare                                 all runs below runs/
  requel compare runs/a runs/b                   two runs, or directories
  requel compare studies/gamma --png gamma.png   a picture of the curves
  requel compare runs --html all.html            a page to hover over and zoom

Runs that differ in their seeds alone are a group; a group is called by the
settings in which it differs from the others. Scores are interquartile means
with 95 % bootstrap intervals over seeds (Agarwal et al. 2021); P> is the
probability that a run of the group scores higher than one of the first.")]
pub struct CompareArgs {
    /// Runs, or directories with runs below them [default: runs]
    #[arg(value_name = "RUN|DIR")]
    pub paths: Vec<PathBuf>,
    /// What counts as a run's score: its final policy, or the best that it kept
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Scored::Final)]
    pub metric: Scored,
    /// Time the first evaluation at this return [default: the world's reward threshold]
    #[arg(long, value_name = "RETURN", allow_negative_numbers = true)]
    pub threshold: Option<f64>,
    /// Write a picture
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Write a picture that stays sharp at every size
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write a page for the browser; it needs no network
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write the table for a spreadsheet
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Print everything as one JSON object in place of the table
    #[arg(long)]
    pub json: bool,
}

/// What counts as a run's score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scored {
    /// The policy at the end of training
    Final,
    /// The best policy by the evaluations of training
    Best,
}

/// `requel eval`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel eval                            the newest run below runs/
  requel eval runs/mine --episodes 1000  a run of your choice, more episodes
  requel eval --json                     mean_return, std_return, returns

A return is the undiscounted sum of an episode's rewards.")]
pub struct EvalArgs {
    /// Directory of the run [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// How many episodes
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub episodes: u32,
    /// Seed of the first episode, the others follow it [default: that of the run's last evaluation]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Print one JSON line on stdout
    #[arg(long)]
    pub json: bool,
}

/// `requel watch`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel watch                            the newest run below runs/, live
  requel watch CartPole-v1 --random       a world under random actions
  requel watch --gif agent.gif            an animation, 600 pixels wide
  requel watch --png agent.png --at 100   a picture of step 100

Keys: space pauses, → or . takes a single step, + and - change the speed,
n starts the next episode, q quits.")]
pub struct WatchArgs {
    /// Directory of a run, or a world: its newest run below runs/, or random actions [default: the newest run]
    #[arg(value_name = "RUN|ENV")]
    pub target: Option<String>,
    /// Act at random, whatever was trained
    #[arg(long)]
    pub random: bool,
    /// Write an animation of one episode, in place of showing it
    #[arg(long, value_name = "FILE")]
    pub gif: Option<PathBuf>,
    /// Write an animated PNG of one episode: larger, with all colours
    #[arg(long, value_name = "FILE")]
    pub apng: Option<PathBuf>,
    /// Write a picture of one moment, in place of showing the episode
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// The moment of the picture, env steps from the start [default: the middle of the episode]
    #[arg(long, value_name = "STEP", requires = "png")]
    pub at: Option<usize>,
    /// Width of pictures, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(64..=4096))]
    pub width: u32,
    /// How many episodes to show live [default: until you quit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub episodes: Option<u32>,
    /// Stop an episode after so many env steps
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,
    /// How fast, as a multiple of the world's own speed
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    pub speed: f32,
    /// Seed of the episodes
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
}

/// `requel report`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel report             the newest run below runs/
  requel report runs/mine   a run of your choice

The page is report.html in the run's directory: one file, no network needed.
`requel train` writes it at the end; this writes it anew.")]
pub struct ReportArgs {
    /// Directory of the run [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
}

/// `requel serve`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel serve               the runs under runs/, on http://127.0.0.1:8642/
  requel serve results/mine  those of another directory
  requel serve --port 0      on any free port

The page lists all runs, follows those that train, and compares those you tick.
It reads only, and answers this machine only; Ctrl-C ends it.")]
pub struct ServeArgs {
    /// Directory with runs, or with directories of runs [default: runs]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8642)]
    pub port: u16,
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub address: IpAddr,
    /// Answer other machines too: everybody who can reach the address sees the runs
    #[arg(long)]
    pub allow_remote: bool,
}

/// A file format of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// For onnxruntime and other engines.
    Onnx,
    /// The weights under PyTorch's names and in its layout.
    Safetensors,
}

/// `requel export`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel export                         policy.onnx of the newest run
  requel export runs/mine --format safetensors --output mine.safetensors
  requel export --samples check.jsonl   and what to check it with

The ONNX model reads `observation` (batch of any size; images as height, width,
channels) and gives `q_values`. World, spaces and the actions' meanings are in
its metadata.")]
pub struct ExportArgs {
    /// Directory of the run [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// Format of the file
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ExportFormat::Onnx)]
    pub format: ExportFormat,
    /// File to write, `-` for stdout [default: policy.onnx or policy.safetensors in the run]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write observations with their Q-values as JSON lines, to check another program against
    #[arg(long, value_name = "FILE")]
    pub samples: Option<PathBuf>,
}

/// `requel doctor`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel doctor          version, machine, terminal, memory, disk
  requel doctor --json   the same as one JSON line

Exits with 0 unless something is broken.")]
pub struct DoctorArgs {
    /// Print one JSON line
    #[arg(long)]
    pub json: bool,
}

/// `requel man`
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Directory to write the pages of all commands to, in place of printing the first
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `requel rollout`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel rollout CartPole-v1                         an episode at random
  requel rollout CartPole-v1 --actions 0,1,1 --json  three steps as JSON lines
  requel rollout CartPole-v1 --actions @FILE         actions from a file

Actions are separated by commas or white space. Seeds and random actions are
Gymnasium's: `env.reset(seed=N)` and `env.action_space.seed(N)`.")]
pub struct RolloutArgs {
    /// The world, see `requel envs`
    #[arg(value_name = "ENV")]
    pub env: String,
    /// Seed of the world and of random actions
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Which actions: numbers separated by commas, `@FILE`, or `random`
    #[arg(long, value_name = "ACTIONS", default_value = "random", allow_hyphen_values = true)]
    pub actions: String,
    /// At most so many steps [default: until the episode ends, or 1000 where it never does]
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
    /// Print JSON lines: first the reset, then each step
    #[arg(long)]
    pub json: bool,
}

/// `requel envs`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel envs               all worlds
  requel envs CartPole-v1   one world with its options
  requel envs --json        one JSON object per line

Time limits are in env steps. A world counts as solved when the mean return over
100 episodes reaches its threshold.")]
pub struct EnvsArgs {
    /// A world to look at more closely
    #[arg(value_name = "ENV")]
    pub env: Option<String>,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

/// `requel presets`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel presets                       all presets
  requel presets notebook              one, with source and unit of every number
  requel presets notebook > mine.toml  a file to change, then train with:
  requel train --config mine.toml")]
pub struct PresetsArgs {
    /// Print the TOML of this preset
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// `requel config`
#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// The commands under `requel config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the complete config that `train` would use, with the meaning and unit of every key
    #[command(after_help = "\
Examples:
  requel config show                                 what `requel train` uses
  requel config show --preset notebook               what a preset comes to
  requel config show --set agent.gamma=0.95          with a change, marked
  requel config show --config runs/mine/config.toml  what a run used")]
    Show(Layers),
}

/// `requel completions`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel completions bash > ~/.local/share/bash-completion/completions/requel
  requel completions zsh > \"${fpath[1]}/_requel\"
  requel completions fish > ~/.config/fish/completions/requel.fish")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

fn speed(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(factor) if (0.01..=100.0).contains(&factor) => Ok(factor),
        _ => Err("give a number from 0.01 to 100".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_fit_a_terminal() {
        fn check(command: &clap::Command) {
            if !command.has_subcommands() && !command.is_hide_set() {
                let help = command.get_after_help().map(|h| h.to_string()).unwrap_or_default();
                assert!(help.contains("Examples:"), "{}", command.get_name());
                help.lines().for_each(|line| assert!(line.chars().count() <= 80, "{line}"));
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
