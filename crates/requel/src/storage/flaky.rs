//! [`FlakyStorage`], which behaves like an unreliable shared file system.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Storage, StoredFile};

/// Wraps another storage; its calls may be slow and fail now and then. Calls that change names (`rename`, `link`, removals) may also fail
/// after they were carried out, as when a server's answer is lost.
pub struct FlakyStorage<S> {
    inner: Arc<S>,
    mood: Arc<Mood>,
}

/// How often calls fail, and how slow they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// One call in this many fails; 0: none does.
    pub one_fails_in: u64,
    /// One call in this many is late; 0: none is.
    pub one_is_late_in: u64,
    /// How late.
    pub delay: Duration,
}

struct Mood {
    weather: Weather,
    chance: AtomicU64,
}

/// What happens to a call.
enum Fate {
    Works,
    Fails,
    /// It is carried out, but reported as failed.
    IsLost,
}

impl<S: Storage> FlakyStorage<S> {
    /// The storage `inner` under these conditions; `seed` decides which calls are affected.
    pub fn new(inner: Arc<S>, weather: Weather, seed: u64) -> Self {
        FlakyStorage { inner, mood: Arc::new(Mood { weather, chance: AtomicU64::new(seed) }) }
    }
}

impl Mood {
    /// SplitMix64.
    fn below(&self, n: u64) -> u64 {
        let mut z = self.chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn happens(&self, one_in: u64) -> bool {
        one_in > 0 && self.below(one_in) == 0
    }

    fn wait(&self) {
        if self.happens(self.weather.one_is_late_in) {
            std::thread::sleep(self.weather.delay);
        }
    }

    fn fate(&self) -> Fate {
        self.wait();
        match self.happens(self.weather.one_fails_in) {
            false => Fate::Works,
            true if self.below(2) == 0 => Fate::Fails,
            true => Fate::IsLost,
        }
    }

    /// Carries out a call that either works or fails.
    fn call<T>(&self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.wait();
        if self.happens(self.weather.one_fails_in) { Err(failure()) } else { call() }
    }

    /// Carries out a call that changes names.
    fn change(&self, call: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let fate = self.fate();
        if matches!(fate, Fate::Fails) {
            return Err(failure());
        }
        let result = call();
        self.wait();
        if matches!(fate, Fate::IsLost) { Err(failure()) } else { result }
    }
}

fn failure() -> io::Error {
    io::Error::other("the server does not answer")
}

struct FlakyFile {
    inner: Box<dyn StoredFile>,
    mood: Arc<Mood>,
}

impl StoredFile for FlakyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.mood.call(|| self.inner.write(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.mood.call(|| self.inner.sync())
    }
}

impl<S: Storage> Storage for FlakyStorage<S> {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.mood.change(|| self.inner.create_dir(path))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>> {
        let inner = self.mood.call(|| self.inner.create(path))?;
        Ok(Box::new(FlakyFile { inner, mood: Arc::clone(&self.mood) }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.mood.change(|| self.inner.rename(from, to))
    }

    fn link(&self, file: &Path, second: &Path) -> io::Result<()> {
        self.mood.change(|| self.inner.link(file, second))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.mood.call(|| self.inner.sync_dir(path))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.mood.call(|| self.inner.read(path))
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.mood.call(|| self.inner.len(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.mood.call(|| self.inner.list(path))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.mood.change(|| self.inner.remove_file(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.mood.change(|| self.inner.remove_dir(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{MemoryStorage, write_synced};

    #[test]
    fn a_name_is_made_or_not_whatever_is_said() {
        let weather = Weather { one_fails_in: 3, one_is_late_in: 0, delay: Duration::ZERO };
        let inner = Arc::new(MemoryStorage::new());
        write_synced(&*inner, Path::new("file"), b"x").unwrap();
        let flaky = FlakyStorage::new(Arc::clone(&inner), weather, 1);
        let mut outcomes = [0; 4];
        for number in 0..100 {
            let name = format!("{number}");
            let said = flaky.link(Path::new("file"), Path::new(&name)).is_ok();
            let is_there = inner.len(Path::new(&name)).is_ok();
            outcomes[2 * usize::from(said) + usize::from(is_there)] += 1;
        }
        // Said to be made and not there: never.
        assert!(outcomes[2] == 0 && outcomes[0] > 5 && outcomes[1] > 5 && outcomes[3] > 40, "{outcomes:?}");
    }
}
