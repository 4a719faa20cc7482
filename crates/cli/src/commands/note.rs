//! `requel note`: a note and tags for a run.

use std::io::Write;

use crate::args::NoteArgs;
use crate::exit::{Exit, Failure};
use crate::notes::{Notes, NotesError};
use crate::runs;
use crate::style::{self, COMMAND, paint};

/// Writes what is asked for, or prints what there is.
pub fn run(args: &NoteArgs) -> Result<Exit, Failure> {
    let run = runs::open(Some(&args.run))?;
    let path = run.dir().join("notes.toml");
    let is_asked = args.text.is_none() && args.tag.is_empty() && args.untag.is_empty();
    let notes = match is_asked {
        true => Notes::read(run.dir()).map_err(NotesError::Read),
        false => Notes::change(run.dir(), |notes| {
            notes.note = args.text.clone().unwrap_or_else(|| notes.note.clone());
            notes.tags.extend(args.tag.iter().cloned());
            notes.tags.retain(|tag| !args.untag.contains(tag));
        }),
    };
    let notes = notes.map_err(|error| match error {
        NotesError::Read(what) => Failure::failed(format_args!("cannot read {}: {what}", path.display()))
            .hint("fix the file, or delete it: nothing else in the run depends on it"),
        NotesError::Bounds(what) => Failure::bad_input(what),
        NotesError::Write(what) => Failure::failed(format_args!("cannot write {}: {what}", path.display())),
    })?;
    let mut out = style::stdout();
    if !notes.note.is_empty() {
        writeln!(out, "{}", notes.note)?;
    }
    for tag in &notes.tags {
        writeln!(out, "{}", paint(COMMAND, format_args!("#{tag}")))?;
    }
    if notes == Notes::default() {
        style::say(format_args!("{} has no note and no tags", run.dir().display()));
    }
    Ok(Exit::Success)
}
