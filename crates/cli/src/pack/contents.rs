//! Which files go into the archive of a run.

use std::io::Write;
use std::path::Path;

use requel::checkpoint;
use requel::run::{Run, verify};
use requel::storage::RealStorage;

use super::archive::{self, Source, is_of_run};
use super::card;
use crate::exit::Failure;

/// Which checkpoints to include, from which training can continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoints {
    /// The newest.
    Newest,
    /// None: the policy contains what was learned.
    None,
}

/// Writes a finished and intact run, with its model card.
///
/// # Errors
/// If the run is not finished or damaged, or a disk refuses.
pub fn write(run: &Run, name: &str, checkpoints: Checkpoints, out: impl Write) -> Result<(), Failure> {
    let dir = run.dir();
    refuse_damaged(run)?;
    let mut names = Vec::new();
    list(dir, "", &mut names).map_err(|e| Failure::failed(format_args!("cannot list {}: {e}", dir.display())))?;
    let newest = match checkpoints {
        Checkpoints::Newest => checkpoint::list(&RealStorage, &run.checkpoints()).map_err(Failure::failed)?.pop(),
        Checkpoints::None => None,
    };
    let newest = newest.and_then(|(_, path)| Some(format!("checkpoints/{}/", path.file_name()?.to_str()?)));
    names.retain(|name| is_of_run(name) && name != "README.md");
    names.retain(|name| {
        !name.starts_with("checkpoints/") || newest.as_ref().is_some_and(|newest| name.starts_with(newest))
    });
    // First the files that a reader looks for, then the others by name.
    names.sort_by_key(|name| (name != "config.toml", name.clone()));
    let card = Source::Bytes(card::text(run, name)?.into_bytes());
    let files = names.into_iter().map(|name| (name.clone(), Source::File(dir.join(name))));
    let files = std::iter::once(("README.md".to_owned(), card)).chain(files).collect();
    archive::write(out, name, files)
        .map_err(|e| Failure::failed(format_args!("cannot pack {}: {e}", dir.display())))?;
    // The seals must still match what was read.
    refuse_damaged(run)
}

fn refuse_damaged(run: &Run) -> Result<(), Failure> {
    match verify(run)?.damage.first() {
        Some(damage) => Err(Failure::failed(damage).hint("`requel verify RUN` lists everything that is wrong with it")),
        None => Ok(()),
    }
}

/// The plain files below a directory, by their paths relative to it. Links are not followed.
fn list(dir: &Path, prefix: &str, names: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else { continue };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(&entry.path(), &format!("{name}/"), names)?;
        } else if kind.is_file() {
            names.push(name);
        }
    }
    Ok(())
}
