//! The rules, each over one file's text or over the list of files. A fault is one line: where, what, what to do.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::modules::upward;
use super::source::{code_only, has_word};
use xtask::workspace;

/// A file of code is split before it grows past this many lines.
const LONGEST_FILE: usize = 600;

/// Where `unsafe` may be: in the kernels, and where the CUDA driver is called.
const UNSAFE_HOMES: [&str; 2] = ["crates/nn/src/kernel/", "crates/gpu/src/driver/"];

/// Which files of the libraries ask the system for variables and threads: everything else is given a `Machine`.
const ASK_THE_SYSTEM: [&str; 3] =
    ["crates/nn/src/kernel/select.rs", "crates/requel/src/machine.rs", "crates/requel/src/run/provenance.rs"];

/// The libraries that are given it.
const GIVEN_A_MACHINE: [&str; 4] = ["crates/envs/src/", "crates/nn/src/", "crates/policy/src/", "crates/requel/src/"];

/// Names that say nothing about what a thing does.
const EMPTY_NAMES: [&str; 6] = ["Manager", "Handler", "Helper", "Utils", "Common", "Base"];

/// The presets that must exist.
const PRESETS: [&str; 4] = ["cartpole.toml", "cartpole-zoo.toml", "notebook.toml", "notebook-naive.toml"];

/// Every fault in the repository, in the order of its files.
///
/// # Errors
/// When the repository's files cannot be listed or read.
pub fn faults() -> Result<Vec<String>> {
    let files = workspace::files()?;
    let mut faults = missing_presets(&files);
    for file in &files {
        let path = workspace::root().join(file);
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // What is not text (pictures, golden data) is under no rule.
        if let Ok(text) = String::from_utf8(bytes) {
            faults.extend(faults_in(file, &text));
        }
    }
    Ok(faults)
}

/// The faults of one file, by what kind of file it is.
fn faults_in(file: &Path, text: &str) -> Vec<String> {
    let name = file.to_string_lossy().replace('\\', "/");
    let mut faults = machine_paths(text);
    if name.ends_with(".rs") {
        faults.extend(rust_faults(&name, text));
    } else if name.ends_with("Cargo.toml") && name != "Cargo.toml" {
        faults.extend(manifest_faults(text));
    } else if name.contains("/presets/") && name.ends_with(".toml") {
        faults.extend(preset_faults(text));
    } else if name == "Cargo.lock" {
        let bans = std::fs::read_to_string(workspace::root().join("deny.toml")).unwrap_or_default();
        faults.extend(lock_faults(text, &banned_crates(&bans)));
    }
    faults.into_iter().map(|(line, fault)| format!("{name}:{line}: {fault}")).collect()
}

/// A line number, counted from 1, and what is wrong there.
type Fault = (usize, String);

fn rust_faults(name: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        faults
            .push((lines, format!("{lines} lines, {LONGEST_FILE} at most: split the file by what its parts are for")));
    }
    let code = code_only(text);
    for (number, line) in (1..).zip(code.lines()) {
        faults.extend(line_faults(name, line).into_iter().map(|fault| (number, fault)));
    }
    faults.extend(upward(name, &code));
    faults.extend(crate_root_faults(name, text));
    faults
}

fn line_faults(name: &str, code: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if has_word(code, "unsafe") && !UNSAFE_HOMES.iter().any(|home| name.starts_with(home)) {
        faults.push(format!("`unsafe` outside {}", UNSAFE_HOMES.join(" and ")));
    }
    let is_given = GIVEN_A_MACHINE.iter().any(|library| name.starts_with(library));
    if is_given && !ASK_THE_SYSTEM.contains(&name) && !name.contains("test") {
        for asked in ["env::var", "env::var_os", "available_parallelism"] {
            if code.contains(&format!("{asked}(")) {
                faults.push(format!("`{asked}`: libraries ask no system, take it from a `Machine`"));
            }
        }
    }
    for unfinished in ["dbg", "todo", "unimplemented"] {
        if code.contains(&format!("{unfinished}!")) && has_word(code, unfinished) {
            faults.push(format!("`{unfinished}!` is left over"));
        }
    }
    if let Some(defined) = defined_name(code) {
        if let Some(empty) =
            EMPTY_NAMES.iter().find(|empty| defined.ends_with(*empty) || defined == empty.to_lowercase())
        {
            faults.push(format!("`{defined}`: a name with `{empty}` does not say what the thing does"));
        }
        if name.ends_with("/mod.rs") && !code.trim_end().ends_with(';') {
            faults.push(format!("`{defined}` is defined in a mod.rs, which only re-exports: give it a file"));
        }
    }
    faults
}

/// The name that a line of code defines, when it defines a type, function or module.
fn defined_name(code: &str) -> Option<&str> {
    let words: Vec<&str> = code.split_whitespace().collect();
    let keyword = words.iter().position(|word| ["struct", "enum", "trait", "mod", "fn", "type"].contains(word))?;
    // Only visibility and qualifiers may stand before the keyword; else it is a use of the word, not a definition.
    let qualifier = |word: &&str| word.starts_with("pub") || ["const", "async", "unsafe", "extern"].contains(word);
    if !words[..keyword].iter().all(qualifier) {
        return None;
    }
    let name = words.get(keyword + 1)?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn crate_root_faults(name: &str, text: &str) -> Option<Fault> {
    if !(name.ends_with("src/lib.rs") || name.ends_with("src/main.rs")) {
        return None;
    }
    // `forbid` cannot be lifted for one module, so the crates with those may deny instead and allow it there alone.
    let has_home = UNSAFE_HOMES.iter().any(|home| name.strip_suffix("lib.rs").is_some_and(|src| home.starts_with(src)));
    let accepted: &[&str] =
        if has_home { &["#![deny(unsafe_code)]", "#![forbid(unsafe_code)]"] } else { &["#![forbid(unsafe_code)]"] };
    let present = text.lines().any(|line| accepted.contains(&line.trim()));
    (!present).then(|| (1, format!("the crate root lacks `{}`", accepted[0])))
}

/// Paths of somebody's machine, which mean nothing on another.
fn machine_paths(text: &str) -> Vec<Fault> {
    // Put together here, so that this file does not break its own rule.
    let prefixes = ["work", "root", "home", "tmp", "Users"].map(|folder| format!("/{folder}/"));
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for prefix in &prefixes {
            // Only where a path begins: `target/tmp/x` is inside the repository, and `https://host/home/` is a page.
            let begins = |start: usize| !line[..start].ends_with(|c: char| c.is_alphanumeric() || "_-./}".contains(c));
            if line.match_indices(prefix.as_str()).any(|(start, _)| begins(start)) {
                faults.push((number, format!("`{prefix}`: a path of one machine")));
            }
        }
    }
    faults
}

fn manifest_faults(text: &str) -> Vec<Fault> {
    ["license.workspace = true", "rust-version.workspace = true", "[lints]\nworkspace = true"]
        .into_iter()
        .filter(|wanted| !text.contains(wanted))
        .map(|wanted| (1, format!("the manifest lacks `{}`", wanted.replace('\n', " "))))
        .collect()
}

/// A preset says where each of its numbers is from: in a comment behind it, or on the line above it.
fn preset_faults(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut above = "";
    for (number, line) in (1..).zip(text.lines()) {
        let is_number = line.split_once('=').is_some_and(|(key, value)| {
            !key.contains('#') && value.trim_start().starts_with(|c: char| c.is_ascii_digit())
        });
        if is_number && !line.contains('#') && !above.trim_start().starts_with('#') {
            faults.push((number, "a number without its source and unit in a comment".to_owned()));
        }
        above = line;
    }
    faults
}

fn missing_presets(files: &[PathBuf]) -> Vec<String> {
    let there = |preset: &str| files.iter().any(|file| file.ends_with(Path::new("presets").join(preset)));
    let missing = PRESETS.into_iter().filter(|preset| !there(preset));
    missing.map(|preset| format!("presets/{preset}: the preset is missing")).collect()
}

/// The crates that deny.toml bans.
fn banned_crates(deny: &str) -> Vec<String> {
    deny.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once("crate = \"")?.1.split_once('"'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// What cargo-deny says about sources and bans, for a machine that does not have it.
fn lock_faults(lock: &str, banned: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(lock.lines()) {
        if let Some(name) = line.strip_prefix("name = ") {
            let name = name.trim_matches('"');
            if banned.iter().any(|banned| banned == name) {
                faults.push((number, format!("`{name}` is banned in deny.toml")));
            }
        }
        if line.starts_with("source = ") && !line.contains("\"registry+https://github.com/rust-lang/crates.io-index\"")
        {
            faults.push((number, "a dependency from elsewhere than crates.io".to_owned()));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Vec<String> {
        faults_in(Path::new(name), text)
    }

    #[test]
    fn unsafe_is_for_kernels_alone_and_a_comment_about_it_is_free() {
        assert_eq!(of("crates/nn/src/kernel/avx.rs", "unsafe { load(p) }\n"), Vec::<String>::new());
        assert_eq!(of("crates/gpu/src/driver/api.rs", "unsafe { init(0) }\n"), Vec::<String>::new());
        assert_eq!(of("crates/gpu/src/networks/device.rs", "unsafe { init(0) }\n").len(), 1);
        assert_eq!(of("crates/nn/src/layer/relu.rs", "// no unsafe here\n"), Vec::<String>::new());
        let faults = of("crates/nn/src/layer/relu.rs", "fn f() {\n    unsafe { load(p) }\n}\n");
        assert_eq!(
            faults,
            ["crates/nn/src/layer/relu.rs:2: `unsafe` outside crates/nn/src/kernel/ and crates/gpu/src/driver/"]
        );
    }

    #[test]
    fn leftovers_are_found_in_code_and_not_in_strings() {
        assert_eq!(of("xtask/src/x.rs", "let a = \"dbg!\";\n").len(), 0);
        for left in ["dbg!(x);", "todo!()", "unimplemented!(\"later\")"] {
            assert_eq!(of("xtask/src/x.rs", &format!("{left}\n")).len(), 1, "{left}");
        }
    }

    #[test]
    fn libraries_are_given_a_machine() {
        for asks in ["std::env::var(\"X\");", "env::var_os(name)", "std::thread::available_parallelism()"] {
            assert_eq!(of("crates/requel/src/agent/x.rs", &format!("{asks}\n")).len(), 1, "{asks}");
            assert_eq!(of("crates/requel/src/machine.rs", &format!("{asks}\n")).len(), 0, "{asks}");
            assert_eq!(of("crates/cli/src/x.rs", &format!("{asks}\n")).len(), 0, "{asks}");
        }
        assert_eq!(of("crates/requel/src/agent/x.rs", "env!(\"CARGO_PKG_VERSION\")\n").len(), 0);
    }

    #[test]
    fn the_longest_file_may_have_600_lines() {
        assert_eq!(of("xtask/src/x.rs", &"x;\n".repeat(600)).len(), 0);
        assert_eq!(of("xtask/src/x.rs", &"x;\n".repeat(601)).len(), 1);
    }

    #[test]
    fn crate_roots_forbid_unsafe_code_except_where_the_kernels_are() {
        assert_eq!(of("crates/envs/src/lib.rs", "#![forbid(unsafe_code)]\n").len(), 0);
        assert_eq!(of("crates/envs/src/lib.rs", "//! Environments.\n").len(), 1);
        assert_eq!(of("crates/nn/src/lib.rs", "#![deny(unsafe_code)]\n").len(), 0);
        assert_eq!(of("crates/nn/src/lib.rs", "#![warn(unsafe_code)]\n").len(), 1);
        assert_eq!(of("crates/envs/src/lib.rs", "#![deny(unsafe_code)]\n").len(), 1);
    }

    #[test]
    fn empty_names_are_refused_where_they_are_defined() {
        for line in ["pub struct RunManager {", "mod utils;", "pub(crate) trait AgentBase {"] {
            assert_eq!(of("crates/envs/src/x.rs", &format!("{line}\n")).len(), 1, "{line}");
        }
        for line in ["use std::ops::Helper;", "pub struct Database {", "let base = 2;"] {
            assert_eq!(of("crates/envs/src/x.rs", &format!("{line}\n")).len(), 0, "{line}");
        }
    }

    #[test]
    fn a_mod_file_declares_and_re_exports_only() {
        assert_eq!(of("crates/nn/src/layer/mod.rs", "mod linear;\npub use linear::Linear;\n").len(), 0);
        assert_eq!(of("crates/nn/src/layer/mod.rs", "pub struct Linear {\n}\n").len(), 1);
        assert_eq!(of("crates/nn/src/layer/mod.rs", "pub fn forward(x: f32) -> f32 {\n    x\n}\n").len(), 1);
    }

    #[test]
    fn a_path_of_one_machine_is_found_where_a_path_begins() {
        let path = ["/ro", "ot/x"].concat();
        assert_eq!(of("README.md", &format!("see {path}\n")).len(), 1);
        assert_eq!(of("README.md", &format!("see target{path} and https://host{path}\n")).len(), 0);
    }

    #[test]
    fn every_number_of_a_preset_has_its_source() {
        let good = "# Adam's step, per update (notebook, cell 5)\nlearning_rate = 1e-3\ngamma = 0.9 # per env step\nkind = \"dqn\"\n";
        assert_eq!(of("crates/requel/src/agent/presets/x.toml", good).len(), 0);
        let faults = of("crates/requel/src/agent/presets/x.toml", "# a preset\n\ngamma = 0.9\n");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains(":3:"), "{faults:?}");
    }

    #[test]
    fn a_missing_preset_is_named() {
        let files: Vec<PathBuf> = PRESETS[1..].iter().map(|name| Path::new("a/presets").join(name)).collect();
        assert_eq!(missing_presets(&files), ["presets/cartpole.toml: the preset is missing"]);
    }

    #[test]
    fn the_lock_file_is_held_against_the_bans_and_the_one_registry() {
        let banned = banned_crates(
            "[bans]\ndeny = [\n    # { crate = \"fine\" },\n    { crate = \"tch\", reason = \"x\" },\n]\n",
        );
        assert_eq!(banned, ["tch"]);
        let lock = "name = \"tch\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                    name = \"fine\"\nsource = \"git+https://example.org/fine\"\n";
        assert_eq!(lock_faults(lock, &banned).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn a_manifest_takes_licence_version_and_lints_from_the_workspace() {
        let good = "license.workspace = true\nrust-version.workspace = true\n[lints]\nworkspace = true\n";
        assert_eq!(manifest_faults(good).len(), 0);
        assert_eq!(manifest_faults("[package]\n").len(), 3);
    }
}
