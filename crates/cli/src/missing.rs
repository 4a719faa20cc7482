//! Errors for a path or a name that does not exist, with a similar name or the accepted kinds of path as the hint.

use std::path::{Path, PathBuf};

use requel::nearest;
use requel_envs::EnvError;

use crate::exit::Failure;
use crate::runs::{ROOT, STUDIES};
use crate::shell;

/// The hint for a command that takes a policy.
pub const POLICY: &str = "name a run's directory, a packed run, or a policy's file";
/// The hint for a command that takes a run.
pub const RUN: &str = "name a directory that `requel train` wrote, such as those under runs/";

/// How many names in a directory are compared with the missing one, at most.
const MOST_NAMES: usize = 10_000;

/// Whether a path does not exist, as far as the file system tells.
pub fn is_missing(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

/// The error for a path that does not exist. `takes` says what the command accepts.
pub fn no_such_path(path: &Path, takes: &str) -> Failure {
    let hint = similar(path).map_or_else(|| takes.to_owned(), |similar| did_you_mean(&similar));
    Failure::bad_input(format_args!("there is no file or directory {}", path.display())).hint(hint)
}

/// The error for an argument that is neither the path of a policy nor the id of an environment; `error` is the error for the id.
pub fn neither_path_nor_env(asked: &str, error: EnvError) -> Failure {
    let path = Path::new(asked);
    match (error, similar(path)) {
        (EnvError::UnknownId { .. }, Some(similar)) => {
            Failure::bad_input(format_args!("there is no file, directory or environment `{asked}`"))
                .hint(did_you_mean(&similar))
        }
        (EnvError::UnknownId { suggestion: None, .. }, None) => {
            Failure::bad_input(format_args!("there is no file, directory or environment `{asked}`"))
                .hint(format!("{POLICY}, or an environment: `requel envs` lists those"))
        }
        (error, _) => error.into(),
    }
}

/// The error for an unknown environment id. If the id is a path, it was meant for another argument.
pub fn no_such_env(id: &str, error: EnvError) -> Failure {
    let path = Path::new(id);
    let hint = match error {
        EnvError::UnknownId { .. } if path.is_file() => {
            format!("it is a file: `--config {}` reads settings from it", shell::quoted(path))
        }
        EnvError::UnknownId { .. } if path.is_dir() => format!(
            "it is a directory: `requel resume {0}` continues a run, `requel train --from {0}` starts from its policy",
            shell::quoted(path)
        ),
        error => return error.into(),
    };
    Failure::bad_input(format_args!("unknown environment `{id}`")).hint(hint)
}

fn did_you_mean(path: &Path) -> String {
    format!("did you mean `{}`?", shell::quoted(path))
}

/// A path with a similar name in the same directory, or a run of this name below `runs/` or `studies/`.
fn similar(path: &Path) -> Option<PathBuf> {
    let run = [ROOT, STUDIES].into_iter().map(|root| Path::new(root).join(path)).find(|run| run.is_dir());
    run.filter(|_| path.is_relative()).or_else(|| {
        let name = path.file_name()?.to_str()?;
        let parent = path.parent()?;
        let entries = std::fs::read_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }).ok()?;
        let names = entries.take(MOST_NAMES).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        // A directory lists its names in no particular order.
        names.sort_unstable();
        Some(parent.join(nearest(name, names.iter().map(String::as_str))?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_hidden_file_is_not_named() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["policy.safetensors", "mine", ".polcy.safetensors"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let hint = |name: &str| no_such_path(&dir.path().join(name), POLICY).hint.unwrap();
        let near = dir.path().join("policy.safetensors");
        assert_eq!(hint("polcy.safetensors"), format!("did you mean `{}`?", near.display()));
        assert_eq!(hint("nothing-like-it"), POLICY);
        assert_eq!(hint("no-such-directory/mine"), POLICY);
    }
}
