//! [`Claims`]: which worker has which run.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Lease;
use super::lease::{RELEASED, Terms};
use crate::storage::{Storage, ensure_dir, write_synced};

/// The claims on the runs of a study, in a directory that all its workers can access. The module [`shared`](super) describes the
/// requirements on it.
///
/// The `n`-th claim on a run is the file `<run>.<n>`, which contains the worker and the milliseconds of its lease, and is written once; a
/// claim is renewed by writing a count into `<run>.<n>.beat`.
pub struct Claims {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    pub(super) lease: Duration,
    worker: String,
    /// What was observed of other workers' claims.
    seen: BTreeMap<String, Seen>,
}

/// The result of requesting a run.
pub enum Attempt {
    /// It now belongs to this worker.
    Taken(Lease),
    /// It belongs to another worker, or that is not known yet.
    Elsewhere,
}

/// Another worker's claim, as of the last check.
struct Seen {
    number: u64,
    beat: Option<Vec<u8>>,
    at: Instant,
    /// How long it has been watched without a change.
    unchanged: Duration,
    /// How long it must be watched: workers may have leases of different lengths.
    lease: Duration,
}

/// Checks that are further apart than this fraction of a lease do not count as watching: a worker that was suspended has watched nothing.
const GAP: u32 = 4;
const BEAT: &str = ".beat";

impl Claims {
    /// The claims in `dir`, which is created if necessary, with leases of this length: how long a run waits after a worker died.
    ///
    /// # Errors
    /// If the directory cannot be created.
    pub fn open(storage: Arc<dyn Storage>, dir: &Path, lease: Duration) -> io::Result<Self> {
        ensure_dir(&*storage, dir)?;
        let random = RandomState::new().build_hasher().finish();
        let worker = format!("{}-{}-{random:016x}", host(), std::process::id());
        Ok(Claims { storage, dir: dir.to_path_buf(), lease, worker, seen: BTreeMap::new() })
    }

    /// The length of a lease.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Their directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The number of the newest claim on each run that was ever claimed.
    ///
    /// # Errors
    /// If the directory cannot be listed.
    pub fn newest(&self) -> io::Result<BTreeMap<String, u64>> {
        let mut newest = BTreeMap::new();
        for name in self.storage.list(&self.dir)? {
            let Some((run, number)) = name.rsplit_once('.') else { continue };
            if let Ok(number) = number.parse::<u64>() {
                let newest = newest.entry(run.to_owned()).or_default();
                *newest = number.max(*newest);
            }
        }
        Ok(newest)
    }

    /// Requests a run whose newest claim has the number `newest`, 0 if there is none. This worker gets it if nobody has it, it was given
    /// back, or its holder was watched for a whole lease without renewing it; `now` is the time on this machine.
    ///
    /// # Errors
    /// If the file system fails before anything is decided.
    pub fn try_take(&mut self, run: &str, newest: u64, now: Instant) -> io::Result<Attempt> {
        let mut follows_lapsed = false;
        if newest > 0 {
            let beat = self.beat(run, newest)?;
            if beat.as_deref() != Some(RELEASED) {
                if !self.has_lapsed(run, (newest, beat), now)? {
                    return Ok(Attempt::Elsewhere);
                }
                follows_lapsed = true;
            }
        }
        let number = newest + 1;
        if !self.claim(run, number)? {
            return Ok(Attempt::Elsewhere);
        }
        self.seen.remove(run);
        let terms = Terms {
            storage: Arc::clone(&self.storage),
            beat: self.dir.join(format!("{run}.{number}{BEAT}")),
            next: self.dir.join(format!("{run}.{}", number + 1)),
            length: self.lease,
            follows_lapsed,
        };
        Ok(Attempt::Taken(Lease::new(terms, now)))
    }

    /// What the holder of a claim last wrote; `None` before its first renewal.
    fn beat(&self, run: &str, number: u64) -> io::Result<Option<Vec<u8>>> {
        match self.storage.read(&self.dir.join(format!("{run}.{number}{BEAT}"))) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            beat => beat.map(Some),
        }
    }

    fn has_lapsed(&mut self, run: &str, (number, beat): (u64, Option<Vec<u8>>), now: Instant) -> io::Result<bool> {
        match self.seen.get_mut(run).filter(|seen| seen.number == number) {
            Some(seen) if seen.beat == beat => {
                seen.unchanged += now.saturating_duration_since(seen.at).min(self.lease / GAP);
                seen.at = now;
                Ok(seen.unchanged >= seen.lease)
            }
            Some(seen) => {
                (seen.beat, seen.at, seen.unchanged) = (beat, now, Duration::ZERO);
                Ok(false)
            }
            None => {
                let lease = self.lease.max(self.lease_of(run, number)?);
                let seen = Seen { number, beat, at: now, unchanged: Duration::ZERO, lease };
                self.seen.insert(run.to_owned(), seen);
                Ok(false)
            }
        }
    }

    /// The length of the lease of a claim.
    fn lease_of(&self, run: &str, number: u64) -> io::Result<Duration> {
        let text = self.storage.read(&self.dir.join(format!("{run}.{number}")))?;
        let said = String::from_utf8_lossy(&text);
        let milliseconds = said.lines().nth(1).and_then(|line| line.parse().ok());
        milliseconds
            .map(Duration::from_millis)
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "a claim says no lease"))
    }

    /// Creates the claim with this number, unless it exists. Returns whether the existing one belongs to this worker.
    fn claim(&self, run: &str, number: u64) -> io::Result<bool> {
        let path = self.dir.join(format!("{run}.{number}"));
        let staged = self.dir.join(format!("{run}.{number}.{}.new", self.worker));
        let text = format!("{}\n{}\n", self.worker, self.lease.as_millis());
        write_synced(&*self.storage, &staged, text.as_bytes())?;
        // Whatever this call returns, the file that is there afterwards decides.
        let _ = self.storage.link(&staged, &path);
        let found = self.storage.read(&path);
        // A leftover file has no meaning.
        let _ = self.storage.remove_file(&staged);
        match found {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            found => Ok(found? == text.as_bytes()),
        }
    }
}

/// The name of this machine, for people who look at claims.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain: String =
        name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(64).collect();
    if plain.is_empty() { "machine".into() } else { plain }
}
