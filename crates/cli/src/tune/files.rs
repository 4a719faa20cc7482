//! The files that a search writes in addition to its trials.

use std::path::{Path, PathBuf};

use requel::study::Comparison;
use requel::tune::{Search, Tuned};

use super::figure::figure;
use super::{page, text};
use crate::compare;
use crate::exit::Failure;
use crate::output;
use crate::show;

/// The winner's whole config.
pub const BEST: &str = "best.toml";

/// The complete results, written last.
pub const ALL: &str = "tune.json";

/// Pixels per point of the picture: sharp on a screen with twice the usual density.
const PIXELS: f32 = 2.0;

/// Writes the results before the winner is trained again: its config, and every trial.
///
/// # Errors
/// If the disk refuses.
pub fn write_found(search: &Search, tuned: &Tuned, dir: &Path) -> Result<(), Failure> {
    output::write(&dir.join(BEST), text::best(search, tuned)?.as_bytes())?;
    output::write(&dir.join("trials.csv"), text::csv(search, tuned).as_bytes())
}

/// Writes all files, and lists them.
///
/// # Errors
/// If the disk refuses.
pub fn write(
    search: &Search,
    tuned: &Tuned,
    fresh: Option<&Comparison>,
    dir: &Path,
) -> Result<Vec<(PathBuf, &'static str)>, Failure> {
    let at = |name: &str| dir.join(name);
    let everything = serde_json::json!({ "tuned": tuned, "fresh": fresh });
    output::write(&at(ALL), &serde_json::to_vec_pretty(&everything).map_err(Failure::failed)?)?;
    output::write(&at("tune.html"), page::html(search, tuned, fresh)?.as_bytes())?;
    let picture = compare::png(&figure(search, tuned, &text::headline(search)), PIXELS);
    let mut png = Vec::new();
    show::png::write(&picture, &mut png)?;
    output::write(&at("tune.png"), &png)?;
    Ok(vec![
        (at("tune.html"), "the search on a page"),
        (at("tune.png"), "a picture of it"),
        (at(BEST), "the winner's config"),
        (at("trials.csv"), "every trial, for a spreadsheet"),
        (at(ALL), "everything"),
    ])
}
