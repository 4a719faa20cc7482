//! [`FaultyStorage`], a storage with one call that fails.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Storage, StoredFile};

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails once with this error; a write has by then written half of its bytes.
    Once(io::ErrorKind),
    /// The call fails, and so does every later one that needs space: the disk is full, or no longer writable. Reading and removing still
    /// work.
    FromThenOn(io::ErrorKind),
    /// The machine crashes: this call and all later ones fail, and a write has written half of its bytes.
    Crash,
}

/// Wraps another storage, counts its calls, and makes one of them fail.
pub struct FaultyStorage<S> {
    inner: Arc<S>,
    plan: Arc<Plan>,
}

struct Plan {
    at: u64,
    fault: Fault,
    calls: AtomicU64,
    struck: AtomicBool,
}

/// Whether a call creates something, or only reads or removes.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    Room,
    Nothing,
}

impl<S: Storage> FaultyStorage<S> {
    /// The storage `inner`, with `fault` at call number `at`, counted from 0; `u64::MAX` for none.
    pub fn new(inner: Arc<S>, at: u64, fault: Fault) -> Self {
        let plan = Plan { at, fault, calls: AtomicU64::new(0), struck: AtomicBool::new(false) };
        FaultyStorage { inner, plan: Arc::new(plan) }
    }

    /// How many calls have been made.
    pub fn calls(&self) -> u64 {
        self.plan.calls.load(Ordering::SeqCst)
    }

    /// Whether the fault has occurred.
    pub fn struck(&self) -> bool {
        self.plan.struck.load(Ordering::SeqCst)
    }
}

impl Plan {
    /// Counts a call, and makes it fail if it should.
    fn call(&self, needs: Needs) -> io::Result<()> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        if number == self.at {
            self.struck.store(true, Ordering::SeqCst);
        }
        let after = number >= self.at;
        match self.fault {
            Fault::Once(kind) if number == self.at => Err(kind.into()),
            Fault::FromThenOn(kind) if after && (needs == Needs::Room || number == self.at) => Err(kind.into()),
            Fault::Crash if after => Err(io::Error::other("the machine has crashed")),
            _ => Ok(()),
        }
    }
}

struct FaultyFile {
    inner: Box<dyn StoredFile>,
    plan: Arc<Plan>,
}

impl StoredFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let crashed = self.plan.fault == Fault::Crash && self.plan.struck.load(Ordering::SeqCst);
        match self.plan.call(Needs::Room) {
            Ok(()) => self.inner.write(bytes),
            Err(error) => {
                if !crashed {
                    self.inner.write(&bytes[..bytes.len() / 2])?;
                }
                Err(error)
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.plan.call(Needs::Room)?;
        self.inner.sync()
    }
}

impl<S: Storage> Storage for FaultyStorage<S> {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.plan.call(Needs::Room)?;
        self.inner.create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        self.plan.call(Needs::Room)?;
        Ok(Box::new(FaultyFile { inner: self.inner.create(path)?, plan: Arc::clone(&self.plan) }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.plan.call(Needs::Room)?;
        self.inner.rename(from, to)
    }

    fn link(&self, file: &Path, second: &Path) -> io::Result<()> {
        self.plan.call(Needs::Room)?;
        self.inner.link(file, second)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.plan.call(Needs::Room)?;
        self.inner.sync_dir(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.plan.call(Needs::Nothing)?;
        self.inner.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.plan.call(Needs::Nothing)?;
        self.inner.len(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.plan.call(Needs::Nothing)?;
        self.inner.list(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.plan.call(Needs::Nothing)?;
        self.inner.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.plan.call(Needs::Nothing)?;
        self.inner.remove_dir(path)
    }
}
