//! [`Notes`], what a user writes about a run: `notes.toml` in its directory. Nothing else in a run depends on it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use requel::storage::open_regular;
use serde::{Deserialize, Serialize};

const FILE: &str = "notes.toml";
/// Locked while notes are changed: a file that every run has and that is never written again.
const LOCK: &str = "config.toml";
/// The maximum size of a file of notes, bytes.
const MOST_BYTES: u64 = 64 << 10;
/// The maximum length of a note, characters.
pub const MOST_TEXT: usize = 2_000;
/// The maximum number of tags on a run, and the maximum length of a tag, in characters.
pub const MOST_TAGS: usize = 20;
/// See [`MOST_TAGS`].
pub const MOST_TAG: usize = 40;

/// A note and tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notes {
    /// Free text.
    pub note: String,
    /// Words by which runs can be found, each once, in alphabetical order.
    pub tags: BTreeSet<String>,
}

impl Notes {
    /// The notes of the run in a directory; empty if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read or is not valid; the text says why.
    pub fn read(dir: &Path) -> Result<Self, String> {
        let file = match open_regular(&dir.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Notes::default()),
            file => file.map_err(|error| error.to_string())?,
        };
        let data = file.metadata().map_err(|error| error.to_string())?;
        if !data.is_file() || data.len() > MOST_BYTES {
            return Err(format!("it is not a file of at most {MOST_BYTES} bytes"));
        }
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let notes: Notes = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
        notes.check()?;
        Ok(notes)
    }

    /// Changes the notes of the run in a directory under a lock, and returns the new ones.
    ///
    /// # Errors
    /// If they cannot be read or written, or exceed a limit; the error says which.
    pub fn change(dir: &Path, change: impl FnOnce(&mut Self)) -> Result<Self, NotesError> {
        let cannot = |error: io::Error| NotesError::Write(error.to_string());
        let lock = File::open(dir.join(LOCK)).map_err(cannot)?;
        // On a disk without locks, the last of several simultaneous writers wins.
        drop(lock.lock());
        let before = Notes::read(dir).map_err(NotesError::Read)?;
        let mut notes = before.clone();
        change(&mut notes);
        notes.check().map_err(NotesError::Bounds)?;
        if notes != before {
            notes.write(dir).map_err(cannot)?;
        }
        Ok(notes)
    }

    /// Writes the notes, replacing the old ones.
    ///
    /// # Errors
    /// If the disk refuses.
    fn write(&self, dir: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        // Readers see either the old notes or the new ones.
        let staged = dir.join(format!(".{FILE}.{}.new", std::process::id()));
        fs::write(&staged, text)?;
        fs::rename(&staged, dir.join(FILE))
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// The limit that is exceeded.
    pub fn check(&self) -> Result<(), String> {
        if self.note.chars().count() > MOST_TEXT {
            return Err(format!("a note has at most {MOST_TEXT} characters"));
        }
        if self.tags.len() > MOST_TAGS {
            return Err(format!("a run has at most {MOST_TAGS} tags"));
        }
        let is_plain = |tag: &String| {
            !tag.is_empty()
                && tag.chars().count() <= MOST_TAG
                && !tag.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        match self.tags.iter().find(|tag| !is_plain(tag)) {
            Some(tag) => Err(format!("the tag {tag:?} is not a single word of at most {MOST_TAG} characters")),
            None => Ok(()),
        }
    }
}

/// Why notes cannot be changed, with the reason.
#[derive(Debug)]
pub enum NotesError {
    /// The existing notes cannot be read.
    Read(String),
    /// The new notes would exceed a limit.
    Bounds(String),
    /// They cannot be written.
    Write(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_not_notes_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Notes::read(dir.path()), Ok(Notes::default()));
        let tags = ["b", "a"].map(str::to_owned).into_iter().collect();
        let notes = Notes { note: "first \"try\"\nof two".into(), tags };
        notes.write(dir.path()).unwrap();
        assert_eq!(Notes::read(dir.path()), Ok(notes));
        for text in ["note = 1", "what = 2", "tags = [\"two words\"]", "tags = [\"\"]", &"x".repeat(70_000)] {
            fs::write(dir.path().join(FILE), text).unwrap();
            assert!(Notes::read(dir.path()).is_err());
        }
    }

    #[test]
    fn of_many_who_tag_at_once_no_tag_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LOCK), "").unwrap();
        std::thread::scope(|scope| {
            for tag in 0..MOST_TAGS {
                scope.spawn({
                    let dir = dir.path();
                    move || Notes::change(dir, |notes| notes.tags.extend([tag.to_string()])).unwrap()
                });
            }
        });
        assert_eq!(Notes::read(dir.path()).unwrap().tags.len(), MOST_TAGS);
    }
}
