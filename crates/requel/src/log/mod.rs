//! What a run writes during training: metrics, a table, TensorBoard events, and times in a separate file.

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
