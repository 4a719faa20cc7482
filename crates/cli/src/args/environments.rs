//! Commands about environments: `envs`, `rollout`.

use clap::{ArgAction, Args};

use super::numbers::{count, seed};

/// `requel envs`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel envs               all environments
  requel envs CartPole-v1   one environment with its options
  requel envs --json        one JSON object per line

Time limits are in env steps. An environment counts as solved when the mean
return over 100 episodes reaches its threshold.")]
pub struct EnvsArgs {
    /// Show details of this environment
    #[arg(value_name = "ENV")]
    pub env: Option<String>,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
}

/// `requel rollout`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel rollout CartPole-v1                         an episode at random
  requel rollout CartPole-v1 --actions 0,1,1 --json  three steps as JSON lines
  requel rollout CartPole-v1 --actions @FILE         actions from a file
  requel rollout FrozenLake-v1 --set env.options.map_name=8x8 --episodes 3

Actions are separated by commas or white space. Seeds and random actions are
Gymnasium's: `env.reset(seed=N)` and `env.action_space.seed(N)`; where there are
masks, `sample(mask)`. Further episodes begin as with `env.reset()`.")]
pub struct RolloutArgs {
    /// The environment, see `requel envs`
    #[arg(value_name = "ENV")]
    pub env: String,
    /// Environment setting, such as `env.frame_stack=4`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    /// Number of episodes; the seed is that of the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub episodes: u64,
    /// Seed of the environment and of random actions
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = seed)]
    pub seed: u64,
    /// Which actions: numbers separated by commas, `@FILE`, or `random`
    #[arg(long, value_name = "ACTIONS", default_value = "random", allow_hyphen_values = true)]
    pub actions: String,
    /// Maximum number of steps per episode [default: until the episode ends, or 1000 if it never does]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count(0))]
    pub steps: Option<usize>,
    /// Print JSON lines: first the reset, then each step; with several episodes, each line has the episode's number
    #[arg(long)]
    pub json: bool,
}
