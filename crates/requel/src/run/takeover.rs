//! Taking over a run from a process that may still be running without knowing it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::lock::LOCK;
use super::{Run, RunError};
use crate::log;

impl Run {
    /// Gives the run in `dir`, if there is one, new copies of all files that another process may have open: the logs, so that late writes
    /// of that process go into files without a name, and the lock, which some file systems keep for a machine that died. Only for the
    /// holder of the newest claim on it.
    ///
    /// # Errors
    /// If the disk refuses; trying again is of use.
    pub(crate) fn take_over(dir: &Path) -> Result<(), RunError> {
        for name in log::NAMES.into_iter().chain([log::MONITOR]) {
            let path = dir.join(name);
            unless_missing(put_copy(&path)).map_err(RunError::io("copy", &path))?;
        }
        let lock = dir.join(LOCK);
        unless_missing(fs::remove_file(&lock)).map_err(RunError::io("remove", &lock))
    }
}

/// Replaces a file by a copy, without reading it into memory: a log may be large.
fn put_copy(path: &Path) -> io::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(format!(".{}-0.new", std::process::id()));
    let copied = fs::copy(path, &staged).and_then(|_| File::open(&staged)?.sync_all());
    let put = copied.and_then(|()| fs::rename(&staged, path));
    put.inspect_err(|_| drop(fs::remove_file(&staged)))
}

fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::config::Config;
    use crate::run::lock::Lock;

    #[test]
    fn what_the_one_before_writes_late_is_nowhere_and_its_lock_keeps_nobody_out() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("run");
        Run::take_over(&dir).unwrap();
        Run::create(&dir, &Config::default()).unwrap();
        let path = dir.join(log::METRICS);
        let mut before = File::create(&path).unwrap();
        before.write_all(b"first\n").unwrap();
        let held = Lock::try_take(&dir).unwrap();
        assert!(held.is_some() && Lock::try_take(&dir).unwrap().is_none());
        Run::take_over(&dir).unwrap();
        before.write_all(b"late\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first\n");
        assert!(Lock::try_take(&dir).unwrap().is_some());
    }
}
