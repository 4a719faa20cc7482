//! R13: two trainings that start together.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, ensure};

use super::rule::{Extent, Finding};
use super::runs;
use xtask::workspace;

/// What tells the two apart.
const GAMMAS: [&str; 2] = ["0.5", "0.9"];

/// Starts pairs of trainings that want the same name, the same directory, or the same group.
///
/// # Errors
/// When one of a pair dies that should not, a run holds the config of the other, or is not whole.
pub fn check(extent: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let desk = runs::desk("together")?;
    let (names, directories, groups) = extent.pick((200, 50, 50), (4, 2, 2));
    (0..names).try_for_each(|round| fresh(&desk, round, |folder| same_name(&binary, folder)))?;
    (0..directories).try_for_each(|round| fresh(&desk, round, |folder| same_directory(&binary, folder)))?;
    (0..groups).try_for_each(|round| fresh(&desk, round, |folder| same_group(&binary, folder)))?;
    let note = format!(
        "{names} pairs under one name, {directories} into one directory, of which one of each pair was refused, and {groups} of \
         one group; every run whole and of its own config"
    );
    Ok(Finding { faults: names + directories + groups, note })
}

/// Does one round in an empty folder.
fn fresh(desk: &Path, round: usize, work: impl Fn(&Path) -> Result<()>) -> Result<()> {
    let folder = desk.join("round");
    workspace::empty_folder(&folder)?;
    work(&folder).with_context(|| format!("round {round}"))
}

/// Without `--run-dir` each takes a directory of its own.
fn same_name(binary: &Path, folder: &Path) -> Result<()> {
    let ended = pair(GAMMAS.map(|gamma| training(binary, folder, &["--set", &format!("agent.gamma={gamma}")])))?;
    ensure!(ended.iter().all(ExitStatus::success), "one died: {ended:?}");
    let runs = below(&folder.join("runs"))?;
    let mut gammas = runs.iter().map(|run| gamma(run)).collect::<Result<Vec<_>>>()?;
    gammas.sort_unstable();
    ensure!(gammas == GAMMAS, "the configs have {gammas:?}");
    runs.iter().try_for_each(|run| whole(binary, run))
}

/// With one `--run-dir` one of them is refused as bad input.
fn same_directory(binary: &Path, folder: &Path) -> Result<()> {
    let set = GAMMAS.map(|gamma| format!("agent.gamma={gamma}"));
    let ended = pair([0, 1].map(|i| training(binary, folder, &["--run-dir", "run", "--set", &set[i]])))?;
    let codes = [0, 1].map(|i| ended[i].code());
    let winner = codes.iter().position(|code| *code == Some(0)).with_context(|| format!("both died: {codes:?}"))?;
    ensure!(codes[1 - winner] == Some(2), "they ended with {codes:?}");
    let run = folder.join("run");
    let found = gamma(&run)?;
    ensure!(found == GAMMAS[winner], "the run of gamma {} has the config of {found}", GAMMAS[winner]);
    whole(binary, &run)
}

/// Two that train one group share its runs.
fn same_group(binary: &Path, folder: &Path) -> Result<()> {
    let ended = pair([0, 1].map(|_| training(binary, folder, &["--run-dir", "all", "--seeds", "3"])))?;
    ensure!(ended.iter().all(ExitStatus::success), "one died: {ended:?}");
    for seed in 0..3 {
        let run = folder.join(format!("all/seed-{seed}"));
        ensure!(run.join("report.html").exists(), "seed {seed} has no page");
        whole(binary, &run)?;
    }
    Ok(())
}

fn training(binary: &Path, folder: &Path, more: &[&str]) -> Command {
    let mut command = runs::quiet(binary);
    command.current_dir(folder).args(["train", "--quiet", "--preset", "notebook"]);
    for setting in
        ["train.episodes=0", "train.env_steps=300", "evaluation.every_episodes=0", "evaluation.final_episodes=2"]
    {
        command.args(["--set", setting]);
    }
    command.args(more);
    command
}

fn pair(commands: [Command; 2]) -> Result<[ExitStatus; 2]> {
    let [one, other] = commands;
    let (mut one, mut other) = (runs::start(one)?, runs::start(other)?);
    Ok([one.wait()?, other.wait()?])
}

fn gamma(run: &Path) -> Result<String> {
    let path = run.join("config.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("gamma = "));
    Ok(line.with_context(|| format!("{} has no gamma", path.display()))?.to_owned())
}

fn whole(binary: &Path, run: &Path) -> Result<()> {
    let mut command = Command::new(binary);
    command.arg("verify").arg(run);
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

fn below(dir: &Path) -> Result<Vec<PathBuf>> {
    std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
}
