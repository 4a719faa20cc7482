//! The order of the modules of `crates/requel`: what a module may know of the others.

use super::source::has_word;

/// Where the modules are.
const HOME: &str = "crates/requel/src/";

/// The modules, a level in each row, from the bottom. A module uses those below its own, not those beside it or above it; where two
/// of one row must know each other they are one module.
const LEVELS: &[&[&str]] = &[
    &[
        "finite",
        "identity",
        "masks",
        "memory",
        "protobuf",
        "rng",
        "schedule",
        "state",
        "suggest",
        "transition",
        "unique_keys",
    ],
    &["experience", "machine", "stats", "storage", "td"],
    &["checkpoint", "exploration", "replay"],
    &["agent"],
    &["config"],
    &["policy_file"],
    &["train"],
    &["registry", "export", "log"],
    &["run"],
    &["diagnose"],
    &["study"],
    &["tune"],
];

/// What the code of a file, comments and literals blanked out, names of modules that are not below its own: line and fault.
/// Tests may know everything.
pub fn upward(name: &str, code: &str) -> Vec<(usize, String)> {
    let Some(own) = module_of(name) else { return Vec::new() };
    let Some(level) = level_of(own) else {
        return vec![(1, format!("`{own}` has no place in the order of modules (xtask/src/house/modules.rs)"))];
    };
    let mut faults = Vec::new();
    let mut open_use = false;
    for (number, line) in (1..).zip(code.lines().take_while(|line| line.trim() != "#[cfg(test)]")) {
        // A `use crate::{…}` may go over several lines.
        let named = match line.find("crate::{") {
            Some(at) => &line[at + "crate::{".len()..],
            None if open_use => line,
            None => "",
        };
        open_use = (open_use || line.contains("crate::{")) && !line.contains("};");
        let above = LEVELS.iter().skip(level).copied().flatten().filter(|other| **other != own);
        let used = above.filter(|other| line.contains(&format!("crate::{other}::")) || names(named, other));
        faults.extend(used.map(|other| (number, format!("`{own}` knows `{other}`, which is not below it"))));
    }
    faults
}

/// Whether the inside of `crate::{…}` begins a path with this module.
fn names(inside: &str, module: &str) -> bool {
    inside.split(',').any(|path| path.trim().split("::").next().is_some_and(|first| has_word(first, module)))
}

fn module_of(name: &str) -> Option<&str> {
    let inside = name.strip_prefix(HOME)?;
    if inside == "lib.rs" || inside.contains("tests") {
        return None;
    }
    inside.split('/').next().map(|first| first.strip_suffix(".rs").unwrap_or(first))
}

fn level_of(module: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&module))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, code: &str) -> Vec<String> {
        upward(&format!("{HOME}{name}"), code).into_iter().map(|(line, fault)| format!("{line}: {fault}")).collect()
    }

    #[test]
    fn a_module_may_know_those_below_it() {
        assert!(
            of("agent/dqn/agent.rs", "use crate::replay::ReplayBuffer;\nuse crate::{Schedule, state::State};\n")
                .is_empty()
        );
        assert!(of("study/plan.rs", "use crate::{\n    agent,\n    run::Run,\n};\n").is_empty());
        assert!(upward("crates/cli/src/lib.rs", "use crate::study::Study;").is_empty());
    }

    #[test]
    fn what_is_above_is_found_however_it_is_named() {
        assert_eq!(
            of("replay/ring.rs", "use crate::agent::Agent;\n"),
            ["1: `replay` knows `agent`, which is not below it"]
        );
        let lines = "use crate::{\n    config::Config,\n    td,\n};\nfn f() -> crate::run::Run {}\n";
        assert_eq!(
            of("agent.rs", lines),
            ["2: `agent` knows `config`, which is not below it", "5: `agent` knows `run`, which is not below it"]
        );
        // Beside it is not below it.
        assert_eq!(of("log/metrics.rs", "use crate::registry::Registry;").len(), 1);
        assert_eq!(of("novel.rs", "").len(), 1);
    }

    #[test]
    fn tests_may_know_everything() {
        assert!(of("replay/frame_tests.rs", "use crate::study::Study;").is_empty());
        assert!(
            of("replay/ring.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::study::Study;\n}\n").is_empty()
        );
    }
}
