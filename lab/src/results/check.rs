//! `cargo xtask results --check`: do the runs that the pages rest on still come out the same?
//!
//! Every page that claims something of trainings ends with a table of runs, the first of each configuration, with the command
//! that makes it and the hash of its weights. Same version, settings and seed give the same bits, so a hash that no longer fits
//! says that the page is of another program than the one checked out. A page that says so itself (`- To be made anew: REASON`) is
//! named and passed over.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use requel::study::RunRow;

use super::finished::Finished;
use super::page::table;
use super::seeds::Configuration;
use xtask::command::CommandLine;
use xtask::workspace;

/// Pages whose figures are of something else than trainings of the program: those in LunarLander need Python and Box2D.
const WITHOUT_RUNS: [&str; 8] =
    ["README", "benchmarks", "dashboard", "faults", "fuzz", "kernels", "lunarlander", "minatar-random"];

/// A run that took longer than this when its page was made is left to `--all`, seconds.
const QUICK_SECONDS: f64 = 10.0;

/// How long the quick ones may take together, by the times when their pages were made, seconds. The first of each page is always
/// among them.
const QUICK_SECONDS_IN_ALL: f64 = 30.0;

/// What a page of many runs says before its first one: it claims nothing yet.
const NO_RUN_YET: &str = "**0 of ";

/// What a page says of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The whole command, as it would be typed.
    command: String,
    /// How long it took then.
    seconds: f64,
    /// The hash of its final weights, hexadecimal.
    weights_blake3: String,
}

impl Claim {
    /// Of the run that `command` makes.
    pub fn new(command: String, seconds: f64, weights_blake3: String) -> Self {
        Self { command, seconds, weights_blake3 }
    }

    /// Of a run that has just been made.
    pub fn of(configuration: &Configuration, run: &RunRow) -> Self {
        let seconds = run.process_seconds.unwrap_or_default();
        Self::new(configuration.command(run.seed), seconds, run.weights_blake3.clone())
    }
}

/// A claim that is to be checked.
struct Wanted {
    /// The page's name.
    page: String,
    /// What to do where it does not hold.
    remedy: String,
    /// Its place on the page, from 0.
    index: usize,
    claim: Claim,
}

/// The section of a page that [`of_page`] reads.
pub fn section(claims: &[Claim]) -> String {
    let row = |claim: &Claim| {
        vec![format!("`{}`", claim.command), format!("{:.1}", claim.seconds), format!("`{}`", claim.weights_blake3)]
    };
    format!(
        "## Check\n\n`cargo xtask results --check` makes these runs again, those that take long with `--all` alone, and compares \
         their weights.\n\n{}",
        table(&["run", "seconds", "weights (BLAKE3)"], &claims.iter().map(row).collect::<Vec<_>>())
    )
}

/// The claims of a page, which begin with a command in a table's first column.
fn of_page(text: &str) -> Result<Vec<Claim>> {
    let rows = text.lines().filter(|line| line.starts_with("| `requel ") && line.ends_with("` |"));
    let read = |line: &str| {
        let fields: Vec<&str> = line.trim_matches('|').split('|').map(|field| field.trim().trim_matches('`')).collect();
        let [command, seconds, hash] = fields[..] else { return None };
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seconds = seconds.parse().ok()?;
        is_hash.then(|| Claim { command: command.into(), seconds, weights_blake3: hash.into() })
    };
    rows.map(|line| read(line).with_context(|| format!("no command, seconds and hash: {line}"))).collect()
}

/// Checks the pages named, all where none is: quick runs, or all of them.
///
/// # Errors
/// For a page that is not there or names no run, and when a run fails or gives other weights than its page says.
pub fn run(pages: &[String], all: bool) -> Result<()> {
    let folder = workspace::root().join("results");
    let mut wanted = Vec::new();
    let mut faults = Vec::new();
    for name in pages_of(&folder, pages)? {
        let path = folder.join(format!("{name}.md"));
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let claims = of_page(&text).with_context(|| format!("results/{name}.md"))?;
        let values = std::fs::read_to_string(folder.join(format!("{name}.csv"))).ok();
        let remedy = format!("`{}` makes it anew", made_by(&text).unwrap_or("its command"));
        if let Some(reason) = to_be_made_anew(&text) {
            println!("{name:<16} is to be made anew: {reason}");
        } else if claims.is_empty() && !text.contains(NO_RUN_YET) {
            faults.push(format!("results/{name}.md names no run to check; {remedy}"));
        }
        for (index, claim) in claims.into_iter().enumerate() {
            if values.as_ref().is_some_and(|values| !values.contains(&claim.weights_blake3)) {
                faults.push(format!("results/{name}.csv has no run with the weights of `{}`; {remedy}", claim.command));
            }
            wanted.push(Wanted { page: name.clone(), remedy: remedy.clone(), index, claim });
        }
    }
    let chosen = if all { vec![true; wanted.len()] } else { quick(&wanted) };
    let binary = workspace::release_binary()?;
    let mut checked = 0;
    for (Wanted { page, remedy, claim, .. }, _) in wanted.iter().zip(&chosen).filter(|(_, chosen)| **chosen) {
        let start = Instant::now();
        match weights_of(&binary, &claim.command) {
            Ok(weights) if weights == claim.weights_blake3 => {
                println!("{page:<16} {:>6.1} s  {}", start.elapsed().as_secs_f64(), claim.command);
            }
            Ok(weights) => faults.push(format!(
                "results/{page}.md: `{}` gives weights {weights}, not {}; {remedy}",
                claim.command, claim.weights_blake3
            )),
            Err(error) => faults.push(format!("results/{page}.md: {error:#}; {remedy}")),
        }
        checked += 1;
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    ensure!(faults.is_empty(), "{} of the pages in results/ do not hold, listed above", faults.len());
    println!("{checked} of {} runs made again, all with the weights that their pages say", wanted.len());
    Ok(())
}

/// The names of the pages to check, in order.
fn pages_of(folder: &Path, named: &[String]) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "md") && !WITHOUT_RUNS.contains(&stem.as_str()) {
            known.push(stem);
        }
    }
    known.sort();
    if let Some(other) = named.iter().find(|name| !known.contains(name)) {
        bail!(xtask::UsageError(format!("no page of trainings is called `{other}`; there are {}", known.join(", "))));
    }
    Ok(known.into_iter().filter(|name| named.is_empty() || named.contains(name)).collect())
}

/// Which of them are made again where not all are: the first of each page, then the second and so on while there is time.
fn quick(wanted: &[Wanted]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..wanted.len()).filter(|&at| wanted[at].claim.seconds <= QUICK_SECONDS).collect();
    order.sort_by_key(|&at| wanted[at].index);
    let mut left = QUICK_SECONDS_IN_ALL;
    let mut chosen = vec![false; wanted.len()];
    for at in order {
        let Wanted { index, claim, .. } = &wanted[at];
        if *index == 0 || claim.seconds <= left {
            chosen[at] = true;
            left -= claim.seconds;
        }
    }
    chosen
}

/// What a page says in its first lines where it is known to be of another version: its runs are not made again.
fn to_be_made_anew(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("- To be made anew: "))
}

/// The command in the first lines of a page that made it.
fn made_by(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.starts_with("- Made by: `"))?;
    line.split('`').nth(1)
}

fn weights_of(binary: &Path, command: &str) -> Result<String> {
    let run_dir: PathBuf = workspace::target_dir().join("xtask").join("results-check");
    workspace::empty_folder(&run_dir)?;
    std::fs::remove_dir(&run_dir)?;
    let arguments = command.split(' ').skip(1);
    let command = CommandLine::new(binary).args(arguments).args(["--quiet", "--run-dir"]).arg(&run_dir);
    let finished = Finished::from_stdout(&command.output()?).with_context(|| format!("`{command}`"))?;
    Ok(finished.weights_blake3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(command: &str, seconds: f64) -> Claim {
        Claim { command: command.into(), seconds, weights_blake3: "0123456789abcdef".repeat(4) }
    }

    #[test]
    fn a_section_is_read_back_and_other_tables_are_not() {
        let claims =
            [claim("requel train A-v1 --seed 7 --json", 0.3), claim("requel train B-v1 --seed 7 --json", 20.0)];
        let page = format!("# x\n\n| a | b |\n| --- | --- |\n| `requel-like` | 1 |\n\n{}", section(&claims));
        assert_eq!(of_page(&page).unwrap(), claims);
        assert_eq!(of_page("# x\n").unwrap(), []);
    }

    #[test]
    fn a_row_with_half_a_hash_is_refused() {
        let page = section(&[claim("requel train A-v1 --seed 7 --json", 0.3)]).replace("0123456789abcdef", "0123");
        assert!(of_page(&page).unwrap_err().to_string().contains("A-v1"));
    }

    #[test]
    fn the_first_of_each_page_is_quick_and_others_while_there_is_time() {
        let wanted = |page: &str, index: usize, seconds| Wanted {
            page: page.to_owned(),
            remedy: String::new(),
            index,
            claim: claim("requel train", seconds),
        };
        let all = [
            wanted("a", 0, 9.0),
            wanted("a", 1, 9.0),
            wanted("a", 2, 9.0),
            wanted("a", 3, 1.0),
            wanted("b", 0, 9.0),
            wanted("b", 1, 3.0),
            wanted("c", 0, 11.0),
        ];
        // 18 s for the first two, then 9 and 3 of the second ones, which leaves nothing for the rest.
        assert_eq!(quick(&all), [true, true, false, false, true, true, false]);
    }

    #[test]
    fn a_page_names_the_command_that_makes_it() {
        assert_eq!(
            made_by("# x\n\n- Made by: `cargo xtask results x --seeds 2`, twice\n"),
            Some("cargo xtask results x --seeds 2")
        );
        assert_eq!(made_by("# x\n"), None);
    }

    #[test]
    fn a_page_that_is_known_to_be_old_says_why() {
        assert_eq!(to_be_made_anew("# x\n\n- To be made anew: other bits\n"), Some("other bits"));
        assert_eq!(to_be_made_anew("# x\n\n- Made by: `x`\n"), None);
    }

    #[test]
    fn a_page_that_is_not_there_is_refused_by_name() {
        let folder = workspace::root().join("results");
        let error = pages_of(&folder, &["cartpoles".into()]).unwrap_err();
        assert!(error.is::<xtask::UsageError>() && error.to_string().contains("cartpole,"), "{error}");
        assert!(pages_of(&folder, &[]).unwrap().contains(&"family".to_owned()));
    }
}
