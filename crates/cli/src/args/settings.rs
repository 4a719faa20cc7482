//! Commands about configurations: `presets`, `config`.

use clap::{Args, Subcommand};

use super::Layers;

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
