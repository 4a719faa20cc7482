//! `requel presets`: named combinations.

use std::io::Write;

use requel::config::{Layers, algorithms, presets};

use crate::args::PresetsArgs;
use crate::exit::{Exit, Failure};
use crate::style;
use crate::table::Table;

/// Lists the presets, or prints one.
pub fn run(args: &PresetsArgs) -> Result<Exit, Failure> {
    let mut out = style::stdout();
    match &args.name {
        None => {
            let mut table = Table::new(&["preset", "what it is"]);
            for preset in presets::all() {
                table.row([preset.name, preset.summary]);
            }
            table.write(&mut out)?;
            writeln!(out)?;
            let mut table = Table::new(&["algorithm", "what --algo lays over the environment's own preset"]);
            for algorithm in algorithms::all() {
                table.row([algorithm.name, algorithm.summary]);
            }
            table.write(&mut out)?;
        }
        Some(name) => {
            Layers::new().preset(name)?;
            let preset = presets::get(name).ok_or_else(|| Failure::bad_input(format!("unknown preset `{name}`")))?;
            // As a file it starts from itself, and not from what its environment starts from.
            write!(out, "preset = {:?}\n\n{}", preset.name, preset.toml)?;
        }
    }
    Ok(Exit::Success)
}
