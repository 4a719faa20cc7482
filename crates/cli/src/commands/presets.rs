//! `requel presets`: named combinations.

use std::io::Write;

use requel::config::presets::Preset;
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
            let mut table = Table::new(&["algorithm", "settings applied on top of the environment's own preset"]);
            for algorithm in algorithms::all() {
                table.row([algorithm.name, algorithm.summary]);
            }
            table.write(&mut out)?;
        }
        Some(name) => {
            let config = Layers::new().preset(name)?.resolve()?;
            match presets::get(name) {
                Some(preset) => write!(out, "{}", naming_itself(preset))?,
                None => write!(out, "{}", toml::to_string(&config).map_err(Failure::failed)?)?,
            }
        }
    }
    Ok(Exit::Success)
}

/// The preset's text with its own name in it, so that a file copied from it starts from this preset even if keys are removed.
fn naming_itself(preset: &Preset) -> String {
    let sections = preset.toml.find("\n[").map_or(0, |at| at + 1);
    let (head, sections) = preset.toml.split_at(sections);
    format!("{head}preset = \"{}\"\n\n{sections}", preset.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_starts_from_the_preset() {
        for preset in presets::all() {
            let printed = Layers::new().text("printed", &naming_itself(preset)).unwrap();
            assert_eq!(printed.named_preset(), Some(preset.name));
            assert_eq!(printed.resolve().unwrap(), Layers::new().preset(preset.name).unwrap().resolve().unwrap());
        }
    }
}
