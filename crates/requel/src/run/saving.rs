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

/// A copy that may take more memory than this beyond what is kept for it must leave as much again free; else the state is written
/// at once, while training waits.
const SMALL_COPY_BYTES: u64 = 256 << 20;

/// What is smaller is soon written.
const LARGE_BYTES: u64 = 32 << 20;

/// How long training waits for a large checkpoint that is being written when the next is due.
const WAIT_FOR_A_LARGE_ONE: Duration = Duration::from_millis(10);

/// A checkpoint that is on the disk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saved {
    pub env_steps: u64,
    pub path: PathBuf,
}

/// What a checkpoint holds of the logs: how they are, and handles to have them on the disk by.
pub(super) type Logs = (BTreeMap<String, LogEntry>, Vec<File>);

/// Writes checkpoints, one at a time, on a thread of its own. Training only waits for a snapshot of the state.
pub(super) struct Saving {
    storage: Arc<dyn Storage>,
    root: PathBuf,
    keep: usize,
    snapshots: Snapshots,
    running: Option<JoinHandle<(Result<Saved, CheckpointError>, State<'static>)>>,
    finished: Option<Saved>,
    /// Bytes of the state that was saved last.
    bytes: u64,
}

impl Saving {
    pub fn new(storage: Arc<dyn Storage>, root: PathBuf, keep: usize) -> Self {
        Saving { storage, root, keep, snapshots: Snapshots::default(), running: None, finished: None, bytes: 0 }
    }

    /// Keeps another number of checkpoints from now on.
    pub fn set_keep(&mut self, keep: usize) {
        self.keep = keep;
    }

    /// What it writes through.
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// The same through another storage.
    pub fn set_storage(&mut self, storage: Arc<dyn Storage>) {
        self.storage = storage;
    }

    /// How long training waits for a checkpoint that is being written when the next is due, before that is put off until the one before
    /// is whole: a slow disk makes large checkpoints late, and not training slow. What is small is soon written, and each checkpoint is
    /// then of the step that it is due at.
    pub fn patience(&self) -> Duration {
        if self.bytes < LARGE_BYTES { Duration::MAX } else { WAIT_FOR_A_LARGE_ONE }
    }

    /// Begins to write a checkpoint; [`Saving::wait`] first.
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
            // Training need not wait for the memory of rows that were written meanwhile to be given back.
            copy.tensors.retain(|_, tensor| tensor.bytes.piece().is_some());
            (written, copy)
        };
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(work);
        self.running = Some(thread.map_err(CheckpointError::io("start a thread for", &self.root))?);
        Ok(())
    }

    /// Whether there is memory for a copy of the state, were all that is shared written again while the copy lives.
    fn copy_fits(&self) -> bool {
        let more = self.bytes.saturating_sub(self.snapshots.bytes());
        more <= SMALL_COPY_BYTES || available_bytes().is_none_or(|available| more <= available / 2)
    }

    /// A checkpoint that has become whole since this was last asked.
    pub fn poll(&mut self) -> Result<Option<Saved>, CheckpointError> {
        if self.running.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(None);
        }
        self.wait()
    }

    /// Whether nothing is being written, now or so much later.
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

    /// As [`Saving::poll`], after the one that is being written.
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
    /// What is being written becomes whole before the run is given to others.
    fn drop(&mut self) {
        if let Some(thread) = self.running.take() {
            // Whoever drops it has an error of its own to tell.
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
    // A checkpoint must not know more of a log than the disk has.
    for file in &files {
        file.sync_data().map_err(CheckpointError::io("sync the logs beside", &root))?;
    }
    let destination = Destination { storage, root: &root, keep, segmenting: Segmenting::default() };
    let path = checkpoint::write(destination, &Contents { env_steps, state, logs })?;
    Ok(Saved { env_steps, path })
}
