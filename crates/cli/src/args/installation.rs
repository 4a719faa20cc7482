//! Commands about the program itself: `doctor`, `completions`, `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

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

/// `requel man`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel man | man -l -                         read the manual page
  requel man ~/.local/share/man/man1            write those of all commands,
                                                so that `man requel-train` works")]
pub struct ManArgs {
    /// Directory to write the pages of all commands to, in place of printing the first
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
