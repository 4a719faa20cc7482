//! The pages that are a study and prose: `results/studies/NAME.toml` says what is trained and which tables there are,
//! `results/studies/NAME.md` is the page, with marks where figures go. `requel study results/studies/NAME.toml` trains the same.
//!
//! | mark | in its place |
//! |---|---|
//! | `{{made}}` | what made the page, where, from which version |
//! | `{{commands}}` | the command of each variant in each environment |
//! | `{{progress}}` | how many runs there are of how many |
//! | `{{table NAME}}` | a table of the study |
//! | `{{references}}` | our runs compared with published ones |

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use requel::Registry;
use requel::study::{CellRows, Seeds, Study, Tables};

use super::check::Claim;
use super::page::{Page, made, pinning};
use super::record::Record;
use super::seeds::Configuration;
use xtask::workspace;

/// A study of `results/studies` with its configurations, cell by cell.
pub struct Studied {
    /// The study.
    pub study: Study,
    /// What is trained, and with which seeds.
    pub wanted: Vec<(Configuration, Seeds)>,
    text: String,
}

/// The names of those that are pages by themselves, in order.
///
/// # Errors
/// If the folder cannot be read.
pub fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).context("cannot read results/studies")? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "toml") && path.with_extension("md").exists() {
            names.push(stem);
        }
    }
    names.sort();
    Ok(names)
}

fn folder() -> PathBuf {
    workspace::root().join("results").join("studies")
}

impl Studied {
    /// The study called `name`, with its first `seeds` seeds where they are limited.
    ///
    /// # Errors
    /// If a file cannot be read, or the study is none.
    pub fn read(name: &str, seeds: Option<u64>) -> Result<Self> {
        let study = Study::read(&folder().join(format!("{name}.toml")))?;
        let text = std::fs::read_to_string(folder().join(format!("{name}.md"))).unwrap_or_default();
        let mut wanted = Vec::new();
        for cell in study.resolve()? {
            let most = seeds.map_or(usize::MAX, |seeds| usize::try_from(seeds).unwrap_or(usize::MAX));
            let seeds = cell.seeds.as_slice().iter().copied().take(most).collect();
            wanted.push((Configuration::of(&study, &cell), Seeds::new(seeds)?));
        }
        Ok(Self { study, wanted, text })
    }

    /// Every run that is to be, cell by cell.
    pub fn runs(&self) -> Vec<(&Configuration, u64)> {
        let mut runs = Vec::new();
        for (configuration, seeds) in &self.wanted {
            runs.extend(seeds.as_slice().iter().map(|&seed| (configuration, seed)));
        }
        runs
    }

    /// Makes the runs that are missing and writes the page, after each cell that is full.
    ///
    /// # Errors
    /// When the build or a run fails, or a file cannot be read or written.
    pub fn write(&self, jobs: usize) -> Result<()> {
        let mut record = Record::open(&self.study.name)?;
        let page = self.page(&record, jobs)?;
        if record.missing(self.runs()).is_empty() {
            return page.write();
        }
        page.write_quietly()?;
        let binary = workspace::release_binary()?;
        record.train(&binary, self.runs(), jobs, &mut |record, configuration| {
            let own = |(seed_of, _): &&(Configuration, Seeds)| seed_of.name == configuration.name;
            if let Some((_, seeds)) = self.wanted.iter().find(own)
                && record.of(configuration, seeds).len() == seeds.as_slice().len()
            {
                self.page(record, jobs)?.write_quietly()?;
            }
            Ok(())
        })?;
        self.page(&record, jobs)?.write()
    }

    fn page(&self, record: &Record, jobs: usize) -> Result<Page> {
        let cells: Vec<CellRows> = (self.study.resolve()?.into_iter().zip(&self.wanted))
            .map(|(cell, (configuration, seeds))| CellRows { cell, rows: record.of(configuration, seeds) })
            .collect();
        let registry = Registry::built_in();
        let tables = Tables { study: &self.study, cells: &cells, registry: &registry };
        let name = &self.study.name;
        let csv = record.lines(cells.iter().flat_map(|one| &one.rows));
        let markdown = fill(&self.text, |mark| {
            Ok(match mark.split_once(' ') {
                None if mark == "made" => made(name, &self.seeds(), &pinning(jobs), &csv)?,
                None if mark == "commands" => self.commands(),
                None if mark == "progress" => {
                    let made: usize = cells.iter().map(|one| one.rows.len()).sum();
                    format!("{made} of {} runs so far.", self.runs().len())
                }
                None if mark == "references" => tables.references(),
                Some(("table", table)) => tables.render(table)?,
                _ => bail!("results/studies/{name}.md: no mark is called `{mark}`"),
            })
        })?;
        let mut page = Page::of(name, markdown, csv);
        for (one, (configuration, _)) in cells.iter().zip(&self.wanted) {
            one.rows.iter().take(1).for_each(|run| page.claim(Claim::of(configuration, run)));
        }
        Ok(page)
    }

    fn commands(&self) -> String {
        let line = |(configuration, _): &(Configuration, Seeds)| format!("- `{}`", configuration.shown());
        self.wanted.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The seeds, once where all have the same.
    fn seeds(&self) -> String {
        let seeds = |seeds: &Seeds| format!("{seeds} ({} runs each)", seeds.as_slice().len());
        grouped(self.wanted.iter().map(|(configuration, of)| (configuration.name.as_str(), seeds(of))).collect())
    }
}

/// What is said of each name, once for all of which the same is said. An environment stands for all of its cells where they agree.
fn grouped(said: Vec<(&str, String)>) -> String {
    let env = |name: &'_ str| name.rsplit_once('/').map_or(name, |(env, _)| env).to_owned();
    let mut groups: Vec<(&String, Vec<String>)> = Vec::new();
    for (name, what) in &said {
        let agree = said.iter().filter(|(other, _)| env(other) == env(name)).all(|(_, other)| other == what);
        let shown = if agree { env(name) } else { (*name).to_owned() };
        match groups.iter_mut().find(|(known, _)| *known == what) {
            Some((_, names)) if names.contains(&shown) => {}
            Some((_, names)) => names.push(shown),
            None => groups.push((what, vec![shown])),
        }
    }
    match &groups[..] {
        [(what, _)] => (*what).clone(),
        groups => {
            groups.iter().map(|(what, names)| format!("{} {what}", names.join(", "))).collect::<Vec<_>>().join("; ")
        }
    }
}

/// The text with what `of` says in the place of each `{{mark}}`.
fn fill(text: &str, mut of: impl FnMut(&str) -> Result<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (mark, behind) = after.split_once("}}").context("a mark without its `}}`")?;
        filled.push_str(before);
        filled.push_str(of(mark.trim())?.trim_end());
        rest = behind;
    }
    Ok(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_filled_in_one_pass() {
        let text = fill("a {{x}}, {{ table y }}.", |mark| Ok(format!("<{mark}{{{{>\n"))).unwrap();
        assert_eq!(text, "a <x{{>, <table y{{>.");
        assert!(fill("a {{x", |_| Ok(String::new())).is_err());
    }

    #[test]
    fn seeds_are_named_once_and_environments_for_their_cells() {
        let said = |pairs: &[(&'static str, &str)]| {
            grouped(pairs.iter().map(|(name, what)| (*name, (*what).to_owned())).collect())
        };
        assert_eq!(said(&[("A-v0/x", "1"), ("M/B-v0/x", "1")]), "1");
        assert_eq!(said(&[("A-v0/x", "1"), ("A-v0/y", "1"), ("M/B-v0/x", "2"), ("M/B-v0/y", "2")]), "A-v0 1; M/B-v0 2");
        assert_eq!(said(&[("A-v0/x", "1"), ("A-v0/y", "2"), ("B-v0/x", "1")]), "A-v0/x, B-v0 1; A-v0/y 2");
        assert_eq!(said(&[("short", "1"), ("long", "2")]), "short 1; long 2");
    }

    #[test]
    fn every_study_is_called_as_its_file_and_can_be_trained() {
        let names = names().unwrap();
        assert!(names.len() >= 6, "{names:?}");
        for name in names.iter().map(String::as_str).chain(["minatar"]) {
            let studied = Studied::read(name, None).unwrap();
            assert_eq!(studied.study.name, name);
            studied.study.cells(&Registry::built_in()).unwrap();
            studied.study.scales(&Registry::built_in()).unwrap();
            for (configuration, seeds) in &studied.wanted {
                assert!(configuration.arguments.iter().all(|argument| !argument.contains(' ')), "{configuration:?}");
                // Tuning used 1000 to 1999 alone.
                assert!(seeds.as_slice().iter().all(|seed| *seed >= 20_000), "{configuration:?}");
            }
        }
    }

    #[test]
    fn every_environment_with_a_preset_has_a_cell_for_every_algorithm_that_goes_over_it() {
        use requel::config::{Layers, algorithms, presets};
        let study = Studied::read("algorithms", None).unwrap().study;
        let with_preset = requel_envs::specs().into_iter().filter(|spec| presets::default_for(&spec.id).is_some());
        let mut envs: Vec<String> = with_preset.map(|spec| spec.id).collect();
        let mut ours: Vec<&str> = study.envs();
        envs.sort();
        ours.sort_unstable();
        assert_eq!(ours, envs);
        for task in &study.tasks {
            for algorithm in algorithms::all() {
                let layers = Layers::new().set(&format!("env.id={:?}", task.env)).unwrap();
                let layers = layers.preset(presets::default_for(&task.env).unwrap().name).unwrap();
                let layers = layers.algorithm(algorithm.name).unwrap().set("train.env_steps=200000").unwrap();
                let goes = layers.resolve().is_ok_and(|config| Registry::built_in().trainer(config).is_ok());
                let is_trained = study.variants.iter().any(|variant| variant.name == algorithm.name)
                    && !task.skip.iter().any(|name| name == algorithm.name);
                assert_eq!(is_trained, goes, "{} in {}", algorithm.name, task.env);
            }
        }
    }

    #[test]
    fn what_is_committed_is_of_the_studies_that_are_there() {
        for name in names().unwrap() {
            let studied = Studied::read(&name, None).unwrap();
            let record = Record::open(&name).unwrap();
            let wanted: usize = studied.wanted.iter().map(|(which, seeds)| record.of(which, seeds).len()).sum();
            assert_eq!(wanted, record.len(), "{name}: runs of no variant");
        }
    }
}
