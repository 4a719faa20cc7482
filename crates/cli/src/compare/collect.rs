//! From paths to groups of runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use requel::run::{Run, RunError};
use requel::study::{Grouping, RunRecord, Study, find_runs, fingerprint, group};

use crate::exit::Failure;
use crate::{missing, runs, style};

/// What the command accepts.
const TAKES: &str = "name runs, or directories that contain runs";

/// The finished runs in and below these paths, in groups of one config; those of a study are named after its variants.
///
/// # Errors
/// If a path is neither a run nor contains one, a run cannot be read, or none is finished.
pub fn collect(paths: &[PathBuf]) -> Result<Grouping, Failure> {
    let mut records = Vec::new();
    let mut named = BTreeMap::new();
    for path in paths {
        if missing::is_missing(path) {
            return Err(missing::no_such_path(path, TAKES));
        }
        if !path.is_dir() {
            runs::refuse_packed(path)?;
            return Err(Failure::bad_input(format_args!("{} is not a directory", path.display())).hint(TAKES));
        }
        let found = find_runs(path)?;
        if found.is_empty() {
            return Err(Failure::bad_input(format_args!("there is no run in {}", path.display()))
                .hint("`requel train` makes one; `requel train --seeds 0..10` makes ten that can be compared"));
        }
        named.extend(names(path));
        for run in found {
            // A run that is reached by two paths is counted once.
            if !records.iter().any(|record: &RunRecord| same_place(&record.dir, run.dir())) {
                records.push(read(&run)?);
            }
        }
    }
    let mut grouping = group(records);
    if grouping.groups.is_empty() {
        let hint = match paths {
            [one] => format!("`requel resume {}` continues them", crate::shell::quoted(one)),
            _ => "`requel resume DIR` continues the runs in a directory".into(),
        };
        return Err(Failure::bad_input("none of the runs is finished").hint(hint));
    }
    for group in &mut grouping.groups {
        if let Some((_, name)) = named.get(&fingerprint(&group.runs[0].config)) {
            group.name = String::clone(name);
        }
    }
    // The variants of a study keep its order; other groups come after them.
    grouping.groups.sort_by_key(|group| named.get(&fingerprint(&group.runs[0].config)).map_or(usize::MAX, |n| n.0));
    Ok(grouping)
}

/// Warns of runs that are not counted.
pub fn warn_of(grouping: &Grouping) {
    let list = |paths: &[PathBuf]| {
        let shown: Vec<String> = paths.iter().take(3).map(|path| path.display().to_string()).collect();
        if paths.len() > 3 { format!("{}, …", shown.join(", ")) } else { shown.join(", ") }
    };
    let runs = |count: usize| if count == 1 { "1 run is".to_owned() } else { format!("{count} runs are") };
    let (unfinished, duplicates) = (&grouping.unfinished, &grouping.duplicates);
    if !unfinished.is_empty() {
        style::warn(format_args!("{} not finished, so left out: {}", runs(unfinished.len()), list(unfinished)));
    }
    if !duplicates.is_empty() {
        let count = runs(duplicates.len());
        style::warn(format_args!(
            "{count} the same as another in config and seed, so left out: \
                                 {}",
            list(duplicates)
        ));
    }
}

fn read(run: &Run) -> Result<RunRecord, Failure> {
    RunRecord::read(run).map_err(|error| match error {
        RunError::Config(error) => {
            let hint = "another version of requel may have written it; name the runs to compare";
            Failure::bad_input(format_args!("{}: {error}", run.dir().display())).hint(hint)
        }
        error => Failure::from(error).hint("`requel verify RUN` says more; name the runs to compare"),
    })
}

/// Position and name of each variant, if the directory belongs to a study.
fn names(path: &Path) -> BTreeMap<String, (usize, String)> {
    let Ok(study) = Study::read(&path.join("study.toml")) else { return BTreeMap::new() };
    let Ok(cells) = study.resolve() else { return BTreeMap::new() };
    let named = |at: usize| (at, study.variants[at].name.clone());
    cells.iter().map(|cell| (fingerprint(&cell.config), named(cell.variant))).collect()
}

fn same_place(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
