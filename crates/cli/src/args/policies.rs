//! Commands that use a trained policy: `eval`, `watch`, `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::numbers::{count, seed, speed, whole};

/// `requel eval`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel eval                            the newest run below runs/
  requel eval runs/mine --episodes 1000  a run of your choice, more episodes
  requel eval policy.safetensors         a policy's file alone
  requel eval --json                     mean_return, std_return, returns

A return is the undiscounted sum of an episode's rewards.")]
pub struct EvalArgs {
    /// Directory of the run, a packed run or a policy's file [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN|FILE")]
    pub run: Option<PathBuf>,
    /// Number of episodes
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true, value_parser = whole(1, 1_000_000u32))]
    pub episodes: u32,
    /// Seed of the first episode; each next episode uses the next seed [default: that of the run's last evaluation]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
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
  requel watch CartPole-v1 --random       an environment under random actions
  requel watch --gif agent.gif            an animation, 600 pixels wide
  requel watch --png agent.png --at 100   a picture of step 100

Keys: space pauses, → or . takes a single step, + and - change the speed,
n starts the next episode, q quits.")]
pub struct WatchArgs {
    /// Directory of a run, a packed run or a policy's file, or an environment: its newest run below runs/, or random actions
    /// [default: the newest run]
    #[arg(value_name = "RUN|FILE|ENV")]
    pub target: Option<String>,
    /// Act at random, even if there is a trained policy
    #[arg(long)]
    pub random: bool,
    /// Write an animation of one episode instead of showing it
    #[arg(long, value_name = "FILE")]
    pub gif: Option<PathBuf>,
    /// Write an animated PNG of one episode: larger, with all colours
    #[arg(long, value_name = "FILE")]
    pub apng: Option<PathBuf>,
    /// Write a picture of one moment instead of showing the episode
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Moment of the picture, in env steps from the start [default: the middle of the episode]
    #[arg(long, value_name = "STEP", requires = "png", allow_negative_numbers = true, value_parser = count(0))]
    pub at: Option<usize>,
    /// Width of pictures, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 600, allow_negative_numbers = true, value_parser = whole(64u32, 4096))]
    pub width: u32,
    /// Number of episodes to show live [default: until you quit]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole(1, u32::MAX))]
    pub episodes: Option<u32>,
    /// Stop each episode after this many env steps
    #[arg(long, value_name = "N", default_value_t = 1000, allow_negative_numbers = true, value_parser = whole(1, u32::MAX))]
    pub steps: u32,
    /// Speed, as a multiple of the environment's own
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_negative_numbers = true, value_parser = speed)]
    pub speed: f32,
    /// Seed of the episodes
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = seed)]
    pub seed: u64,
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
channels) and of an environment with masks `action_mask`. It gives `q_values`
and the greedy `action`. Its metadata names the environment, the spaces and the
actions' meanings. It needs operator set 13, or 17 with layer normalisation.")]
pub struct ExportArgs {
    /// Directory of the run, a packed run or a policy's file [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN|FILE")]
    pub run: Option<PathBuf>,
    /// Format of the file
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ExportFormat::Onnx)]
    pub format: ExportFormat,
    /// File to write, `-` for stdout [default: policy.onnx or policy.safetensors in the run]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write observations with their Q-values and actions as JSON lines, for checking another program
    #[arg(long, value_name = "FILE")]
    pub samples: Option<PathBuf>,
}
