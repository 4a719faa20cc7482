//! Options that several commands take.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::numbers::seed;

/// Layers of configuration.
#[derive(Args, Clone, Debug)]
pub struct Layers {
    /// Environment to train in, see `requel envs` [default: CartPole-v1, or what the config says]
    #[arg(value_name = "ENV")]
    pub env: Option<String>,
    /// Preset to start from, see `requel presets` [default: the environment's own]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Algorithm applied over the preset, see `requel presets`
    #[arg(long, value_name = "NAME")]
    pub algo: Option<String>,
    /// TOML file applied over the preset
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Setting applied over the file, such as `agent.gamma=0.95`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    /// Seed from which all randomness is derived [default: 0, or what the config says]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    pub seed: Option<u64>,
}

/// How much to say, and in which form.
#[derive(Args, Clone, Copy, Debug)]
pub struct Reporting {
    /// Print events as JSON lines on stdout, the last one `run_finished`
    #[arg(long)]
    pub json: bool,
    /// Print only warnings and errors on stderr
    #[arg(long, short)]
    pub quiet: bool,
    /// Show a progress line instead of the dashboard
    #[arg(long, visible_alias = "no-dashboard")]
    pub plain: bool,
}
