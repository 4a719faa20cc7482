//! What `requel study` takes where several machines train one study.

use clap::Args;
use requel::study::Share;

use super::numbers::whole;

/// How a process takes part in a study.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Several machines")]
pub struct Workers {
    /// Train the I-th of N shares of the runs, and write no tables
    #[arg(long, value_name = "I/N")]
    pub only: Option<Share>,
    /// Train whatever no other worker in the same --out trains, and write no tables
    #[arg(long, conflicts_with = "only")]
    pub join: bool,
    /// After so many seconds without a sign of a worker its runs are taken over
    #[arg(long, value_name = "N", default_value_t = 60, allow_negative_numbers = true, value_parser = whole(1, 86_400u64))]
    pub lease: u64,
    /// Write the tables of runs that workers have trained, and train nothing
    #[arg(long, conflicts_with_all = ["only", "join", "jobs"])]
    pub merge: bool,
}

impl Default for Workers {
    fn default() -> Self {
        Workers { only: None, join: false, lease: 60, merge: false }
    }
}
