//! Tells the program which commit it is built from: `REQUEL_COMMIT`, which packagers set, or what git says here. Without
//! either it is built all the same.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REQUEL_COMMIT");
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
