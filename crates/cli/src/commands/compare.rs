//! `requel compare`: groups of runs side by side.

use std::io::Write;
use std::path::{Path, PathBuf};

use requel::study::{Comparison, Metric, Scoring};

use crate::args::{CompareArgs, Scored};
use crate::compare;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::runs;
use crate::show;
use crate::style::{self, COMMAND, MUTED, paint};

/// Pixels per point of pictures: sharp on a screen with twice the usual density.
const PIXELS: f32 = 2.0;

/// Compares runs.
pub fn run(args: &CompareArgs) -> Result<Exit, Failure> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(runs::ROOT)] } else { args.paths.clone() };
    if args.paths.is_empty() && !paths[0].is_dir() {
        return Err(Failure::bad_input("there are no runs yet").hint("`requel train --seeds 0..10` makes ten"));
    }
    let grouping = compare::collect(&paths)?;
    compare::warn_of(&grouping);
    let metric = match args.metric {
        Scored::Final => Metric::Final,
        Scored::Best => Metric::Best,
    };
    let scoring = Scoring { metric, threshold: args.threshold, ..Scoring::default() };
    let comparison = Comparison::new(&grouping.groups, &scoring);
    let title = comparison.envs.join(", ");
    let files = Files {
        png: args.png.as_deref(),
        svg: args.svg.as_deref(),
        html: args.html.as_deref(),
        csv: args.csv.as_deref(),
    };
    if args.json {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&comparison).map_err(Failure::failed)?)?;
    } else {
        compare::print(&comparison)?;
    }
    for path in files.write(&comparison, &title)? {
        style::say(format_args!("wrote {}", paint(COMMAND, path.display())));
    }
    if !args.json && args.png.is_none() && args.svg.is_none() && args.html.is_none() {
        style::say(paint(MUTED, "\nlearning curves: --png, --svg or --html FILE"));
    }
    Ok(Exit::Success)
}

/// What is written where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    pub png: Option<&'a Path>,
    pub svg: Option<&'a Path>,
    pub html: Option<&'a Path>,
    pub csv: Option<&'a Path>,
}

impl<'a> Files<'a> {
    /// Writes the requested files and lists them.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, comparison: &Comparison, title: &str) -> Result<Vec<&'a Path>, Failure> {
        let picture = compare::figure(comparison, title);
        let mut written = Vec::new();
        let mut save = |path: Option<&'a Path>, bytes: &dyn Fn() -> Result<Vec<u8>, Failure>| {
            let Some(path) = path else { return Ok(()) };
            output::check(path)?;
            output::write(path, &bytes()?)?;
            written.push(path);
            Ok::<(), Failure>(())
        };
        save(self.png, &|| {
            let mut bytes = Vec::new();
            show::png::write(&compare::png(&picture, PIXELS), &mut bytes)?;
            Ok(bytes)
        })?;
        save(self.svg, &|| Ok(compare::svg(&picture).into_bytes()))?;
        save(self.html, &|| Ok(compare::html(comparison, title)?.into_bytes()))?;
        save(self.csv, &|| Ok(compare::csv(comparison).into_bytes()))?;
        Ok(written)
    }
}
