//! The command line of `requel note`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// `requel note`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel note runs/mine                                print what there is
  requel note runs/mine \"first try without a target network\"
  requel note runs/mine --tag baseline --tag paper     put tags on it
  requel note runs/mine --untag paper                  take one off
  requel note runs/mine \"\"                             take the note off

They are kept in notes.toml in the run's directory; nothing else depends on it.
The page of `requel serve` shows them and filters by them.")]
pub struct NoteArgs {
    /// The run's directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The note; replaces the existing one
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    /// Tag to add, one word; may be repeated
    #[arg(long, value_name = "TAG", action = ArgAction::Append)]
    pub tag: Vec<String>,
    /// Tag to remove; may be repeated
    #[arg(long, value_name = "TAG", action = ArgAction::Append)]
    pub untag: Vec<String>,
}
