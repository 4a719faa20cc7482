//! What a product that ships a policy has to build.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates in all, this one among them.
const MOST: usize = 12;

#[test]
fn a_dozen_crates_are_all_that_it_takes() {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["tree", "--package", "requel-policy", "--edges", "normal,build", "--no-default-features"]);
    cargo.args(["--prefix", "none", "--format", "{p}", "--offline", "--locked"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for needed in ["requel-policy", "requel-nn", "serde_json"] {
        assert!(crates.contains(needed), "{needed} is not in {crates:?}");
    }
    assert!(crates.len() <= MOST, "{} crates: {crates:?}", crates.len());
}
