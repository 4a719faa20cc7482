//! Commands about the program itself and the machine it is on: `doctor`, `bench`, `completions`, `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use requel::agent::DeviceName;

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

/// `requel bench`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel bench                         networks from CartPole's to Atari's
  requel bench --device cuda:1         beside another device
  requel bench --preset minatar-dqn    the network of your own configuration
  requel bench --batch 32,256 --json   other batches, a JSON line for each

The time of an update, from a batch to new weights, the median of half a second:
on one core of the CPU, and on the device where there is one. No result depends
on the device; `train.device` says which one trains.")]
pub struct BenchArgs {
    /// Configuration whose network is measured [default: networks of several sizes]
    #[command(flatten)]
    pub layers: super::Layers,
    /// Device to compare with the CPU, named as in `train.device`
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = device)]
    pub device: DeviceName,
    /// Batch size of an update; several separated by commas [default: the configuration's, and eight times that]
    #[arg(long, value_name = "N", value_delimiter = ',', allow_negative_numbers = true, value_parser = batch)]
    pub batch: Vec<usize>,
    /// Print a JSON line for each network and batch
    #[arg(long)]
    pub json: bool,
}

/// More transitions than any update has.
const MOST_TRANSITIONS: usize = 65_536;

fn device(text: &str) -> Result<DeviceName, String> {
    text.parse().map_err(|_| "a device is auto, cpu, cuda, or cuda:N".to_owned())
}

fn batch(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|rows| (1..=MOST_TRANSITIONS).contains(rows));
    number.ok_or_else(|| format!("a batch has 1 to {MOST_TRANSITIONS} transitions"))
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
    /// Directory to write the pages of all commands to, instead of printing the first
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
