//! `requel note`: a note and tags for a run.

use std::io::Write;

use crate::args::NoteArgs;
use crate::exit::{Exit, Failure};
use crate::notes::Notes;
use crate::runs;
use crate::style::{self, COMMAND, paint};

/// Writes what is asked for, or prints what there is.
pub fn run(args: &NoteArgs) -> Result<Exit, Failure> {
    let run = runs::open(Some(&args.run))?;
    let path = run.dir().join("notes.toml");
    let before = Notes::read(run.dir()).map_err(|what| {
        Failure::failed(format_args!("cannot read {}: {what}", path.display()))
            .hint("mend the file, or delete it: nothing else of the run depends on it")
    })?;
    let mut notes = before.clone();
    notes.note = args.text.clone().unwrap_or(notes.note);
    notes.tags.extend(args.tag.iter().cloned());
    notes.tags.retain(|tag| !args.untag.contains(tag));
    notes.check().map_err(Failure::bad_input)?;
    if notes != before {
        notes.write(run.dir()).map_err(|e| Failure::failed(format_args!("cannot write {}: {e}", path.display())))?;
    }
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
