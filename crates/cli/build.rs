//! Tells the program which commit it is built from, and whether the sources had changes that no commit has: `REQUEL_COMMIT`
//! (and `REQUEL_DIRTY=true`), which packagers set, or what git says here. Without either it is built all the same.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REQUEL_COMMIT");
    println!("cargo::rerun-if-env-changed=REQUEL_DIRTY");
    if std::env::var_os("REQUEL_COMMIT").is_some() || !is_own_checkout() {
        return;
    }
    // The log of HEAD grows with each commit and checkout, and with nothing else.
    let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]) else { return };
    if !Path::new(&log).is_file() {
        return;
    }
    println!("cargo::rerun-if-changed={log}");
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=REQUEL_COMMIT={commit}");
    }
    let sources = sources();
    sources.iter().for_each(|source| println!("cargo::rerun-if-changed={source}"));
    let look = ["--no-optional-locks", "status", "--porcelain", "--untracked-files=no", "--"];
    let changed = git(&look.into_iter().chain(sources.iter().map(String::as_str)).collect::<Vec<_>>());
    println!("cargo::rustc-env=REQUEL_DIRTY={}", changed.is_some());
}

/// What the program is built from, as seen from here. Tests are not: a change in one makes no other program.
fn sources() -> Vec<String> {
    let crates =
        std::fs::read_dir("..").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut crates: Vec<String> = crates.collect();
    crates.sort();
    let parts = ["Cargo.toml", "build.rs", "src", "assets", "presets", "algorithms", "studies"];
    let inside = crates.iter().flat_map(|name| parts.map(|part| format!("../{name}/{part}")));
    let above = ["Cargo.toml", "Cargo.lock"].map(|name| format!("../../{name}"));
    inside.chain(above).filter(|path| Path::new(path).exists()).collect()
}

/// Sources that were unpacked inside a checkout of something else must not take its commit for theirs.
fn is_own_checkout() -> bool {
    let Some(top) = git(&["rev-parse", "--show-toplevel"]) else { return false };
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    matches!((Path::new(&top).canonicalize(), own.canonicalize()), (Ok(top), Ok(own)) if top == own)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
