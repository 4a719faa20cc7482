//! [`Saving`]: checkpoints that are written while training goes on.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::checkpoint::{self, CheckpointError, Contents, Destination, LogEntry, Segmenting, Snapshots};
use crate::memory::available_bytes;
use crate::state::State;
use crate::storage::Storage;

/// A copy that may take more memory than this beyond its reusable buffer must leave as much again free; otherwise the state is written at
/// once, while training waits.
const SMALL_COPY_BYTES: u64 = 256 << 20;

/// Smaller states are written quickly.
const LARGE_BYTES: u64 = 32 << 20;

/// How long training waits for a large checkpoint that is still being written when the next is due.
const WAIT_FOR_A_LARGE_ONE: Duration = Duration::from_millis(10);

/// A checkpoint that is on disk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saved {
    pub env_steps: u64,
    pub path: PathBuf,
}

/// What a checkpoint records of the logs: their state, and handles for syncing them to disk.
pub(super) type Logs = (BTreeMap<String, LogEntry>, Vec<File>);

/// Writes checkpoints, one at a time, on its own thread. Training only waits for a snapshot of the state.
pub(super) struct Saving {
    storage: Arc<dyn Storage>,
    root: PathBuf,
    keep: usize,
    snapshots: Snapshots,
    running: Option<JoinHandle<(Result<Saved, CheckpointError>, State<'static>)>>,
    finished: Option<Saved>,
    /// Size of the last saved state, bytes.
    bytes: u64,
}

impl Saving {
    pub fn new(storage: Arc<dyn Storage>, root: PathBuf, keep: usize) -> Self {
        Saving { storage, root, keep, snapshots: Snapshots::default(), running: None, finished: None, bytes: 0 }
    }

    /// Changes the number of checkpoints that are kept.
    pub fn set_keep(&mut self, keep: usize) {
        self.keep = keep;
    }

    /// The storage it writes through.
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// The same through another storage.
    pub fn set_storage(&mut self, storage: Arc<dyn Storage>) {
        self.storage = storage;
    }

    /// How long training waits for a checkpoint that is still being written when the next is due; after that, the next is postponed until
    /// the previous one is complete: a slow disk delays large checkpoints, not training. Small ones are written quickly, so that each
    /// checkpoint is from the step at which it is due.
    pub fn patience(&self) -> Duration {
        if self.bytes < LARGE_BYTES { Duration::MAX } else { WAIT_FOR_A_LARGE_ONE }
    }

    /// Starts writing a checkpoint; call [`Saving::wait`] first.
    pub fn begin(&mut self, env_steps: u64, state: &State<'_>, logs: Logs) -> Result<(), CheckpointError> {
        debug_assert!(self.running.is_none(), "one checkpoint at a time");
        let (storage, root, keep) = (Arc::clone(&self.storage), self.root.clone(), self.keep);
        self.bytes = state.tensors.values().map(|tensor| tensor.bytes.len() as u64).sum();
        if !self.copy_fits() {
            self.finished = Some(write(&*storage, root, keep, env_steps, state, logs)?);
            return Ok(());
        }
        let mut copy = self.snapshots.copy(state);
        let work = move || {
            let written = write(&*storage, root, keep, env_steps, &copy, logs);
            // Training need not wait until the memory of overwritten rows is freed.
            copy.tensors.retain(|_, tensor| tensor.bytes.piece().is_some());
            (written, copy)
        };
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(work);
        self.running = Some(thread.map_err(CheckpointError::io("start a thread for", &self.root))?);
        Ok(())
    }

    /// Whether there is memory for a copy of the state even if everything shared is overwritten while the copy exists.
    fn copy_fits(&self) -> bool {
        let more = self.bytes.saturating_sub(self.snapshots.bytes());
        more <= SMALL_COPY_BYTES || available_bytes().is_none_or(|available| more <= available / 2)
    }

    /// A checkpoint completed since the last call.
    pub fn poll(&mut self) -> Result<Option<Saved>, CheckpointError> {
        if self.running.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(None);
        }
        self.wait()
    }

    /// Whether nothing is being written, now or within this time.
    pub fn is_idle_within(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        while self.running.as_ref().is_some_and(|thread| !thread.is_finished()) {
            if begun.elapsed() >= patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// As [`Saving::poll`], after the current one is complete.
    pub fn wait(&mut self) -> Result<Option<Saved>, CheckpointError> {
        let Some(thread) = self.running.take() else { return Ok(self.finished.take()) };
        let Ok((result, copy)) = thread.join() else {
            let panicked = std::io::Error::other("the thread that writes it panicked");
            return Err(CheckpointError::io("write", &self.root)(panicked));
        };
        self.snapshots.recycle(copy);
        result.map(Some)
    }
}

impl Drop for Saving {
    /// Finishes the current checkpoint before the run is released.
    fn drop(&mut self) {
        if let Some(thread) = self.running.take() {
            // The caller that drops it has its own error to report.
            drop(thread.join());
        }
    }
}

fn write(
    storage: &dyn Storage,
    root: PathBuf,
    keep: usize,
    env_steps: u64,
    state: &State<'_>,
    logs: Logs,
) -> Result<Saved, CheckpointError> {
    let (logs, files) = logs;
    // A checkpoint must not record more of a log than is on disk.
    for file in &files {
        file.sync_data().map_err(CheckpointError::io("sync the logs next to", &root))?;
    }
    let destination = Destination { storage, root: &root, keep, segmenting: Segmenting::default() };
    let path = checkpoint::write(destination, &Contents { env_steps, state, logs })?;
    Ok(Saved { env_steps, path })
}
