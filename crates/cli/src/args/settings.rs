//! Commands about configurations: `presets`, `config`.

use std::path::PathBuf;

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
    /// Print the JSON schema of config files, for completion and checks in an editor
    #[command(after_help = "\
Examples:
  requel config schema > schema.json  write it; then, as a config's first line:
  #:schema schema.json                for editors that read TOML schemas")]
    Schema,
    /// Turn hyperparameters of RL Baselines3 Zoo, Stable-Baselines3 or CleanRL into a config
    #[command(after_help = "\
Examples:
  requel config import dqn.yml --env CartPole-v1     one entry of the Zoo's
  requel config import args.json --output mine.toml  names of SB3 or CleanRL
  requel train --config mine.toml                    and then

What a file leaves unsaid is as in the library that it is of; what has no
counterpart here is told on stderr.")]
    Import(ConfigImportArgs),
}

/// `requel config import`
#[derive(Args, Debug)]
pub struct ConfigImportArgs {
    /// YAML or JSON with hyperparameters by name, `-` for stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Environment to pick from a file with several, or to train in if the file names none
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,
    /// File to write the config to; it must not exist [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
