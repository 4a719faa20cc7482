//! [`Lease`], by which a worker holds a run while it keeps renewing it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::storage::{Storage, write_synced};

/// Written to the renewal file when a lease is given back: another worker may take the run at once.
pub(super) const RELEASED: &[u8] = b"released\n";
/// Written there once the run is finished.
pub(super) const FINISHED: &[u8] = b"finished\n";

/// A run that this worker holds. It counts as lost once half of its length has passed without a renewal, by this machine's own clock, and
/// then stays lost. Clones share the same lease.
#[derive(Clone)]
pub struct Lease(Arc<Inner>);

struct Inner {
    storage: Arc<dyn Storage>,
    /// What is written to renew it.
    beat: PathBuf,
    /// The claim of the next worker.
    next: PathBuf,
    length: Duration,
    follows_lapsed: bool,
    taken: Instant,
    /// When the last successful renewal began, nanoseconds since the lease was taken.
    renewed: AtomicU64,
    beats: AtomicU64,
    lost: AtomicBool,
}

/// The run that a lease is for.
pub(super) struct Terms {
    pub storage: Arc<dyn Storage>,
    pub beat: PathBuf,
    pub next: PathBuf,
    pub length: Duration,
    /// Whether the previous lease was not given back.
    pub follows_lapsed: bool,
}

impl Lease {
    /// A lease that was requested at `taken`.
    pub(super) fn new(terms: Terms, taken: Instant) -> Self {
        let Terms { storage, beat, next, length, follows_lapsed } = terms;
        let (renewed, beats, lost) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        Lease(Arc::new(Inner { storage, beat, next, length, follows_lapsed, taken, renewed, beats, lost }))
    }

    /// Whether the run still belongs to this worker.
    pub fn is_held(&self) -> bool {
        let inner = &*self.0;
        let since = inner.taken.elapsed().saturating_sub(Duration::from_nanos(inner.renewed.load(Ordering::SeqCst)));
        if since >= inner.length / 2 {
            inner.lost.store(true, Ordering::SeqCst);
        }
        !inner.lost.load(Ordering::SeqCst)
    }

    /// Whether the previous worker did not give the run back: it may have died, or may still be running without knowing.
    pub fn follows_lapsed(&self) -> bool {
        self.0.follows_lapsed
    }

    /// Renews it, unless it is lost.
    ///
    /// # Errors
    /// The error of the file system; the lease then lasts for the rest of its time.
    pub fn renew(&self) -> io::Result<()> {
        let inner = &*self.0;
        let began = inner.taken.elapsed();
        if !self.is_held() {
            return Ok(());
        }
        if inner.storage.len(&inner.next).is_ok() {
            inner.lost.store(true, Ordering::SeqCst);
            return Ok(());
        }
        let number = inner.beats.fetch_add(1, Ordering::SeqCst) + 1;
        write_synced(&*inner.storage, &inner.beat, format!("{number}\n").as_bytes())?;
        inner.renewed.fetch_max(began.as_nanos() as u64, Ordering::SeqCst);
        Ok(())
    }

    /// Gives the run back: another worker may take it at once. If that cannot be written, the lease expires.
    pub fn release(self) {
        self.end(RELEASED);
    }

    /// Records that the run is finished. If that cannot be written, others see it from its summary.
    pub fn finish(self) {
        self.end(FINISHED);
    }

    /// Leaves the run to whichever worker takes it once the lease has expired.
    pub(super) fn abandon(&self) {
        self.0.lost.store(true, Ordering::SeqCst);
    }

    fn end(self, word: &[u8]) {
        let is_held = self.is_held();
        // No renewal begins after the final word. One that is already being written may come later, and others then wait for a lease.
        self.0.lost.store(true, Ordering::SeqCst);
        for _ in 0..ATTEMPTS {
            if !is_held || write_synced(&*self.0.storage, &self.0.beat, word).is_ok() {
                return;
            }
        }
    }
}

/// How often a final word is tried again if it cannot be written.
const ATTEMPTS: u32 = 5;
