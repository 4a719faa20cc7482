//! `results/notebook-ladder.md` and `results/rainbow-ablation.md`: the studies that come with requel, on seeds that nothing was chosen
//! by.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use requel::study::{Study, Variant, built_in};
use serde_json::Value;

use super::check::Claim;
use super::page::{Page, made};
use xtask::command::CommandLine;
use xtask::workspace;

/// The studies by name, with the first of their seeds. Tuning used 1000 to 1999 alone.
pub const STUDIES: [(&str, u64); 2] = [("notebook-ladder", 24_000), ("rainbow-ablation", 25_000)];

/// Runs the study called `name`, which must be one of [`STUDIES`], and writes its page, its picture and its runs.
///
/// # Errors
/// When the build or the study fails, or a file cannot be read or written.
pub fn write(name: &str, seeds: u64, jobs: usize) -> Result<()> {
    let &(name, first) =
        STUDIES.iter().find(|(known, _)| *known == name).with_context(|| format!("no study is called {name}"))?;
    let builtin = built_in(name).with_context(|| format!("requel has no study {name}"))?;
    let study = Study::parse(name, builtin.toml)?;
    let range = first..first + seeds;
    let out = workspace::target_dir().join("results").join(name);
    workspace::empty_folder(&out)?;
    let seeds = format!("{}..{}", range.start, range.end);
    let command =
        CommandLine::new(workspace::release_binary()?).args(["study", name, "--seeds", &seeds, "--json", "--quiet"]);
    let stdout = command.args(["--jobs", &jobs.to_string(), "--out"]).arg(&out).output()?;
    let line = stdout.lines().next_back().context("the study wrote nothing to standard output")?;
    let finished: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;

    let text = std::fs::read_to_string(out.join("study.md")).context("cannot read the study's page")?;
    let csv = values(&finished)?;
    let said = format!("{} to {} ({} runs per variant)", range.start, range.end - 1, range.end - range.start);
    let made = made(name, &said, &format!("{jobs} runs at a time"), &csv)?;
    let mut page = Page::of(name, format!("# The study {name}\n\n{made}"), csv);
    page.add(&format!("The whole study: `requel study {name} --seeds {seeds}`"));
    page.add(&body(&text, name)?);
    for claim in claims(&study, &finished)? {
        page.claim(claim);
    }
    let picture = workspace::root().join("results").join(format!("{name}.png"));
    std::fs::copy(out.join("study.png"), &picture).with_context(|| format!("cannot write {}", picture.display()))?;
    page.write()
}

/// A study's page without its title and the line on how it was made, which the frame has, and with the picture of this folder.
fn body(text: &str, name: &str) -> Result<String> {
    let kept = text.lines().skip(1).filter(|line| !line.ends_with("makes it again."));
    let body = kept.collect::<Vec<_>>().join("\n").replace("(study.png)", &format!("({name}.png)"));
    ensure!(body.contains("](") && body.contains("|---"), "the study's page has no picture or no table");
    Ok(body.trim().replace("\n\n\n", "\n\n"))
}

/// The groups of a finished study.
fn groups(finished: &Value) -> Result<&Vec<Value>> {
    finished["groups"].as_array().context("the study says nothing of groups")
}

/// The runs of all groups as comma-separated values.
fn values(finished: &Value) -> Result<String> {
    let mut csv = "variant,seed,score,train_return_last_100,env_steps,wall_seconds,weights_blake3\n".to_owned();
    for group in groups(finished)? {
        for run in group["runs"].as_array().context("a group without runs")? {
            let number = |key: &str| run[key].as_f64().map_or_else(String::new, |value| value.to_string());
            let hash = run["weights_blake3"].as_str().context("a run without weights")?;
            let name = group["name"].as_str().context("a group without a name")?;
            let figures = ["seed", "score", "train_return_last_100", "env_steps", "wall_seconds"].map(number).join(",");
            // Writing to a string cannot fail.
            let _ = writeln!(csv, "{name},{figures},{hash}");
        }
    }
    Ok(csv)
}

/// The first run of each variant, as a training of its own.
fn claims(study: &Study, finished: &Value) -> Result<Vec<Claim>> {
    let of = |(variant, group): (&Variant, &Value)| {
        let run = &group["runs"][0];
        let hash = run["weights_blake3"].as_str().with_context(|| format!("{} has no run", variant.name))?;
        let seed = run["seed"].as_u64().context("a run without a seed")?;
        Ok(Claim::new(command(study, variant, seed), run["wall_seconds"].as_f64().unwrap_or(0.0), hash.to_owned()))
    };
    let groups = groups(finished)?;
    ensure!(groups.len() == study.variants.len(), "{} groups of {} variants", groups.len(), study.variants.len());
    study.variants.iter().zip(groups).map(of).collect()
}

/// The command that makes one run of a variant without the study.
fn command(study: &Study, variant: &Variant, seed: u64) -> String {
    let mut command = format!("requel train {}", study.env);
    if let Some(preset) = &variant.preset {
        let _ = write!(command, " --preset {preset}");
    }
    for setting in study.set.iter().chain(&variant.set) {
        let _ = write!(command, " --set {setting}");
    }
    format!("{command} --seed {seed} --json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_is_framed_without_its_title_and_with_its_own_picture() {
        let text = "# x on CartPole-v1\n\nWhat for.\n\nSeeds 0..=9. `requel study study.toml` makes it again.\n\n\
                    ![curves](study.png)\n\n| | runs |\n|---|---:|\n";
        assert_eq!(body(text, "x").unwrap(), "What for.\n\n![curves](x.png)\n\n| | runs |\n|---|---:|");
        assert!(body("# x\n", "x").is_err());
    }

    #[test]
    fn a_variant_is_a_training_with_the_studys_settings_under_its_own() {
        let text = "name = \"s\"\nenv = \"A-v0\"\nseeds = \"0..2\"\nset = [\"agent.gamma=0.9\"]\n\
                    [[variant]]\nname = \"v\"\npreset = \"dqn\"\nset = [\"agent.gamma=0.8\"]\n";
        let study = Study::parse("s", text).unwrap();
        assert_eq!(
            command(&study, &study.variants[0], 7),
            "requel train A-v0 --preset dqn --set agent.gamma=0.9 --set agent.gamma=0.8 --seed 7 --json"
        );
    }

    #[test]
    fn the_first_run_of_each_variant_can_be_checked() {
        let study =
            Study::parse("s", "name = \"s\"\nenv = \"A-v0\"\nseeds = \"0..2\"\n[[variant]]\nname = \"v\"\n").unwrap();
        let finished: Value = serde_json::from_str(
            r#"{"groups":[{"name":"v","runs":[{"seed":0,"score":1.5,"env_steps":9,"wall_seconds":0.5,"weights_blake3":"ab"}]}]}"#,
        )
        .unwrap();
        let claims = claims(&study, &finished).unwrap();
        assert_eq!(claims, [Claim::new("requel train A-v0 --seed 0 --json".into(), 0.5, "ab".into())]);
        assert!(values(&finished).unwrap().ends_with("\nv,0,1.5,,9,0.5,ab\n"));
    }
}
