//! [`FencedStorage`], through which only the holder of a run can write to it.

use std::io;
use std::path::Path;

use super::Lease;
use crate::storage::{Storage, StoredFile};

/// Wraps another storage, and refuses every change once a lease is lost. Reading still works.
pub struct FencedStorage<S> {
    inner: S,
    lease: Lease,
}

impl<S: Storage> FencedStorage<S> {
    /// The storage `inner` while the lease is held.
    pub fn new(inner: S, lease: Lease) -> Self {
        FencedStorage { inner, lease }
    }
}

fn check(lease: &Lease) -> io::Result<()> {
    if lease.is_held() { Ok(()) } else { Err(io::Error::other("another worker has taken over this run")) }
}

struct FencedFile {
    inner: Box<dyn StoredFile>,
    lease: Lease,
}

impl StoredFile for FencedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.sync()
    }
}

impl<S: Storage> Storage for FencedStorage<S> {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        check(&self.lease)?;
        Ok(Box::new(FencedFile { inner: self.inner.create(path)?, lease: self.lease.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.rename(from, to)
    }

    fn link(&self, file: &Path, second: &Path) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.link(file, second)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.sync_dir(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.inner.len(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.inner.list(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        check(&self.lease)?;
        self.inner.remove_dir(path)
    }
}
