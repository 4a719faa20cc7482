//! Instruction counts of the hot path, which do not depend on how busy the machine is: counted under valgrind and held
//! against `results/instructions.json`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::programs;
use xtask::command::CommandLine;
use xtask::workspace;

/// What is counted, and how often it is done: twice, once with this count and once with double, so that the start of the
/// program drops out of the difference.
const WORKS: &[(&str, u64)] = &[
    ("update", 20),
    ("update-minatar", 10),
    ("update-nature", 1),
    ("act", 500),
    ("sample-32", 200),
    ("add", 10_000),
    ("env-step", 5_000),
    ("train-step", 200),
    ("pqn-rollout", 4),
];

/// Counted where counts are written, and not by the test: valgrind takes minutes for it.
const LONG: &str = "update-nature";

/// Valgrind knows no AVX-512, so the counts are of the kernels one step below, on every machine.
const KERNEL: &str = "avx2";

/// By how much a count may exceed the committed one. The C library's copies differ between its versions; of our own code
/// the count is exact.
const TOLERANCE: f64 = 0.02;

/// Counts, and compares with the committed counts. The last line on standard output says that they held, or begins with
/// `skipped: ` where they cannot be compared here.
///
/// # Errors
/// When a count has grown, or cannot be taken.
pub fn check_counts() -> Result<()> {
    let path = workspace::root().join("results").join("instructions.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let committed: Value = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    let counted_with = committed["rustc"].as_str().context("results/instructions.json names no `rustc`")?;
    if let Some(reason) = obstacle(counted_with, &rustc_version()?) {
        println!("skipped: {reason}");
        return Ok(());
    }
    let grown = compare(&count(|work| work != LONG)?, &committed["instructions"])?;
    let limit = TOLERANCE * 100.0;
    ensure!(
        grown.is_empty(),
        "more instructions than committed (tolerance {limit} %): {}; if that is meant, `cargo xtask bench --instructions` \
         and say why in the commit",
        grown.join(", ")
    );
    println!("held");
    Ok(())
}

/// Counts, and writes the counts to be committed.
///
/// # Errors
/// When they cannot be taken or written.
pub fn write_counts() -> Result<()> {
    let rustc = rustc_version()?;
    if let Some(reason) = obstacle(&rustc, &rustc) {
        anyhow::bail!("instructions cannot be counted here: {reason}");
    }
    let counts = json!({
        "made_by": "cargo xtask bench --instructions",
        "kernel": KERNEL,
        "rustc": rustc,
        "instructions": count(|_| true)?,
    });
    let path = workspace::root().join("results").join("instructions.json");
    let text = format!("{counts:#}\n");
    std::fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    print!("{text}");
    Ok(())
}

/// Prints each count next to the committed one and names those that have grown past the tolerance.
fn compare(counts: &BTreeMap<String, u64>, committed: &Value) -> Result<Vec<String>> {
    let mut grown = Vec::new();
    for (work, &now) in counts {
        let before = committed[work].as_u64();
        let before = before.with_context(|| format!("no count of `{work}`: `cargo xtask bench --instructions`"))?;
        let change = now as f64 / before as f64 - 1.0;
        println!("{work:<12} {now:>9} instructions, {before:>9} committed ({:+.1} %)", change * 100.0);
        if change > TOLERANCE {
            grown.push(format!("{work} by {:.1} %", change * 100.0));
        } else if change < -TOLERANCE {
            println!("{work:<12} has become cheaper: `cargo xtask bench --instructions` keeps it so");
        }
    }
    Ok(grown)
}

/// Why counts taken with one compiler cannot be compared on this machine, if they cannot.
fn obstacle(counted_with: &str, here: &str) -> Option<String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("the counts are of x86-64 Linux".into());
    }
    if !has_avx2() {
        return Some(format!("this processor has no {KERNEL}"));
    }
    if !CommandLine::new("valgrind").arg("--version").succeeds() {
        return Some("valgrind is not installed (on Debian, the package valgrind)".into());
    }
    (counted_with != here).then(|| format!("counted with {counted_with}; this is {here}"))
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

fn rustc_version() -> Result<String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    Ok(CommandLine::new(rustc).arg("--version").output()?.trim().to_owned())
}

/// The counts of those works that are `wanted`.
fn count(wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, u64>> {
    let program = programs::build("requel", "instructions")?;
    let mut counts = BTreeMap::new();
    for &(work, times) in WORKS.iter().filter(|(work, _)| wanted(work)) {
        // Side by side: a count does not depend on what else runs.
        let (once, twice) = std::thread::scope(|scope| {
            let once = scope.spawn(|| count_of(&program, work, times));
            let twice = count_of(&program, work, 2 * times);
            (once.join().expect("counting does not panic"), twice)
        });
        let (once, twice) = (once?, twice?);
        let each = twice.checked_sub(once).context("twice the work took fewer instructions")? / times;
        ensure!(each > 0, "`{work}` takes no instructions: it has been optimised away");
        counts.insert(work.to_owned(), each);
    }
    Ok(counts)
}

/// The instructions of the whole program.
fn count_of(program: &Path, work: &str, times: u64) -> Result<u64> {
    let folder = workspace::target_dir().join("xtask");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let log = folder.join(format!("instructions-{}-{work}-{times}.log", std::process::id()));
    let valgrind = CommandLine::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(format!("--log-file={}", log.display()))
        .arg(program)
        .args([work, &times.to_string()])
        .env("REQUEL_KERNEL", KERNEL);
    let run = valgrind.output();
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    run.with_context(|| format!("valgrind says:\n{text}"))?;
    std::fs::remove_file(&log).with_context(|| format!("cannot remove {}", log.display()))?;
    instructions_in(&text).with_context(|| format!("no count in what valgrind says:\n{text}"))
}

/// The number behind `I refs:`, whose digits are grouped with commas.
fn instructions_in(log: &str) -> Option<u64> {
    let line = log.lines().find(|line| line.contains("refs:") && line.contains("I "))?;
    let digits: String = line.rsplit(':').next()?.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_with_its_commas() {
        let log = "==12== Cachegrind, a cache profiler\n==12== \n==12== I   refs:      1,234,567\n";
        assert_eq!(instructions_in(log), Some(1_234_567));
        assert_eq!(instructions_in("==12== killed\n"), None);
    }

    #[test]
    fn a_count_may_grow_by_the_tolerance_and_no_further() {
        let counts = |update, act| BTreeMap::from([("update".to_owned(), update), ("act".to_owned(), act)]);
        let committed = json!({ "update": 1000, "act": 100 });
        assert_eq!(compare(&counts(1019, 50), &committed).unwrap(), Vec::<String>::new());
        assert_eq!(compare(&counts(1021, 103), &committed).unwrap(), ["act by 3.0 %", "update by 2.1 %"]);
        assert!(compare(&counts(1000, 100), &json!({ "update": 1000 })).is_err(), "a work without a committed count");
    }

    #[test]
    fn another_compiler_is_an_obstacle() {
        // On a machine that cannot count at all, that is the reason given first; either way there is one.
        assert!(obstacle("rustc 1.0.0", "rustc 2.0.0").is_some());
    }
}
