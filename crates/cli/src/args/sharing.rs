//! Commands that share runs: `pack`, `unpack`.

use std::path::PathBuf;

use clap::Args;

/// `requel pack`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel pack                            the newest run, as NAME.requel.tar
  requel pack runs/mine -o mine.requel.tar
  requel pack runs/mine --checkpoint     with the state to go on from

The file holds the policy, config, logs, seals and a model card, README.md, in
the form that Hugging Face's hub reads. `requel eval`, `watch` and `export` take
it as it is; `requel unpack` makes a run of it again. The command line that the
run was started with goes along, in provenance.json.")]
pub struct PackArgs {
    /// Directory of the finished run [default: the newest below runs/, seeds and studies included]
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// File to write [default: NAME.requel.tar here]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also pack the newest checkpoint, with the replay buffer, so that training can continue
    #[arg(long)]
    pub checkpoint: bool,
}

/// `requel unpack`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel unpack mine.requel.tar           to runs/<name in the file>
  requel unpack mine.requel.tar runs/new  to a directory of your choice

What is in the file is held against its seals before the run appears. A file
with links in it, or with paths that lead out of it, is refused.")]
pub struct UnpackArgs {
    /// File that `requel pack` wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Directory to create; it must not exist [default: runs/<name in the file>]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
