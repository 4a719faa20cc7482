//! What a run writes while it goes on: metrics, a table, TensorBoard events, and times in a file of their own.

mod appended;
mod crc32c;
mod monitor;
mod prefix;
mod progress;
mod run_logs;
mod tensorboard;
mod thinning;
mod timing;

pub(crate) use monitor::MONITOR;
pub(crate) use prefix::check_logs;
pub use run_logs::RunLogs;
pub(crate) use run_logs::{METRICS, NAMES};
