//! Commands that look at what runs have written: `verify`, `diagnose`, `compare`, `report`, `serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::numbers::{finite, whole};

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

/// `requel diagnose`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel diagnose                    the newest run below runs/
  requel diagnose runs/mine          a run of your choice, finished or not
  requel diagnose runs               all runs below a directory
  requel diagnose runs/mine --json   one JSON line

Config, logs, network and replay buffer are looked at: values beyond what the
rewards allow, schedules that the budget never lets act, dead units and so on,
worst first. docs/diagnose.md explains each check. Nothing is changed, and the
exit code is 0 whatever is found.")]
pub struct DiagnoseArgs {
    /// Directory of a run, or of many runs [default: the newest run below runs/, seeds and studies included]
    #[arg(value_name = "RUN|DIR")]
    pub run: Option<PathBuf>,
    /// Print one JSON line for each run on stdout
    #[arg(long)]
    pub json: bool,
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
    /// Which policy a run is scored by: the final one, or the best one kept
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Scored::Final)]
    pub metric: Scored,
    /// Report when an evaluation first reached this return [default: the environment's reward threshold]
    #[arg(long, value_name = "RETURN", allow_negative_numbers = true, value_parser = finite)]
    pub threshold: Option<f64>,
    /// Write a picture
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Write a picture that is sharp at every size
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write a page for the browser that works offline
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write the table for a spreadsheet
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Print everything as one JSON object instead of the table
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
    /// Port to listen on; 0: any free port
    #[arg(long, value_name = "N", default_value_t = 8642, allow_negative_numbers = true, value_parser = whole(0, u16::MAX))]
    pub port: u16,
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub address: IpAddr,
    /// Answer other machines too: anyone who can reach the address can see the runs
    #[arg(long)]
    pub allow_remote: bool,
}
