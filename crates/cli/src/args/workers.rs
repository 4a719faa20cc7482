//! What `requel study` takes where several machines train one study.

use clap::Args;
use requel::study::Share;

use super::numbers::whole;

/// How a process takes part in a study.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Several machines")]
pub struct Workers {
    /// Train only the I-th of N shares of the runs, and write no tables
    #[arg(long, value_name = "I/N")]
    pub only: Option<Share>,
    /// Train the runs that no other worker in the same --out is training, and write no tables
    #[arg(long, conflicts_with = "only")]
    pub join: bool,
    /// Seconds without a sign of life after which a worker's runs are taken over
    #[arg(long, value_name = "N", default_value_t = 60, allow_negative_numbers = true, value_parser = whole(1, 86_400u64))]
    pub lease: u64,
    /// Write the tables of the runs that workers have trained; train nothing
    #[arg(long, conflicts_with_all = ["only", "join", "jobs"])]
    pub merge: bool,
}

impl Default for Workers {
    fn default() -> Self {
        Workers { only: None, join: false, lease: 60, merge: false }
    }
}
