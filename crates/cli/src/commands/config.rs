//! `requel config`: the complete config, explained, and configs from elsewhere.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use requel::Registry;
use requel::config::{Config, KEYS, Layers};
use requel::storage::read_input;
use toml::Value;

use crate::args::{self, ConfigArgs, ConfigCommand, ConfigImportArgs};
use crate::exit::{Exit, Failure};
use crate::settings;
use crate::style::{self, BOLD, MUTED, WARNING, paint};

/// Prints the config, or writes the imported one.
pub fn run(args: &ConfigArgs, registry: &Registry) -> Result<Exit, Failure> {
    match &args.command {
        ConfigCommand::Show(layers) => show_resolved(layers, registry),
        ConfigCommand::Schema => {
            let schema = serde_json::to_string_pretty(&Config::json_schema()).map_err(Failure::failed)?;
            writeln!(std::io::stdout().lock(), "{schema}")?;
            Ok(Exit::Success)
        }
        ConfigCommand::Import(args) => import(args, registry),
    }
}

/// The largest file of hyperparameters that is read, bytes.
const LARGEST: u64 = 1 << 20;

fn import(args: &ConfigImportArgs, registry: &Registry) -> Result<Exit, Failure> {
    let from_stdin = args.file == Path::new("-");
    let name = if from_stdin { "stdin".into() } else { args.file.display().to_string() };
    let path = if from_stdin { Path::new("/dev/stdin") } else { &args.file };
    let text =
        read_input(path, LARGEST).map_err(|error| Failure::bad_input(format_args!("cannot read {name}: {error}")))?;
    let imported = crate::import::import(&text, &name, (args.env.as_deref(), registry))?;
    match &args.output {
        None => anstream::stdout().lock().write_all(imported.toml.as_bytes())?,
        Some(path) => {
            let unwritten = |error| Failure::failed(format_args!("cannot write {}: {error}", path.display()));
            let mut file = File::create_new(path).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Failure::bad_input(format_args!("{} already exists", path.display()))
                        .hint("choose another --output")
                }
                _ => unwritten(error),
            })?;
            file.write_all(imported.toml.as_bytes()).map_err(unwritten)?;
        }
    }
    imported.notes.iter().for_each(style::say);
    Ok(Exit::Success)
}

fn show_resolved(layers: &args::Layers, registry: &Registry) -> Result<Exit, Failure> {
    let (layers, config) = settings::resolve_to_show(layers, registry)?;
    let mut out = style::stdout();
    show(&mut out, &layers, &config)?;
    Ok(Exit::Success)
}

/// Where comments start, characters from the left.
const COMMENT_COLUMN: usize = 34;

/// Writes the config as TOML that `--config` accepts: each key with its meaning and, if it comes from neither the preset nor the defaults,
/// where it comes from.
fn show(out: &mut impl Write, layers: &Layers, config: &Config) -> Result<(), Failure> {
    let table = toml::Table::try_from(config).map_err(Failure::failed)?;
    let mut section = "";
    for key in KEYS {
        let (this_section, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        if this_section != section {
            if section == "env" {
                show_options(out, &table)?;
            }
            writeln!(out, "\n{}", paint(BOLD, format_args!("[{this_section}]")))?;
            section = this_section;
        }
        let parent = if section.is_empty() { Some(&table) } else { table.get(section).and_then(Value::as_table) };
        let setting = match parent.and_then(|t| t.get(name)) {
            Some(value) => format!("{name} = {value}"),
            None => format!("# {name} ="),
        };
        let from = match layers.place(key.path).map(|place| place.source.as_str()) {
            Some(source) if !source.starts_with("preset ") => paint(WARNING, format_args!(" ({source})")),
            _ => String::new(),
        };
        let comment = paint(MUTED, format_args!("# {}", key.help()));
        writeln!(
            out,
            "{setting:<COMMENT_COLUMN$}{}{comment}{from}",
            if setting.len() < COMMENT_COLUMN { "" } else { "  " }
        )?;
    }
    Ok(())
}

fn show_options(out: &mut impl Write, table: &toml::Table) -> Result<(), Failure> {
    let options = table.get("env").and_then(|env| env.get("options")).and_then(Value::as_table);
    let Some(options) = options.filter(|options| !options.is_empty()) else { return Ok(()) };
    writeln!(out, "\n{}", paint(BOLD, "[env.options]"))?;
    options.iter().try_for_each(|(name, value)| writeln!(out, "{name} = {value}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_back() {
        let layers = Layers::new().preset("notebook").unwrap().set("env.options.sutton_barto_reward=true").unwrap();
        let layers = layers.set("evaluation.stop_return=300").unwrap();
        let config = layers.resolve().unwrap();
        let mut text = anstream::StripStream::new(Vec::new());
        show(&mut text, &layers, &config).unwrap();
        let text = String::from_utf8(text.into_inner()).unwrap();
        assert_eq!(Layers::new().text("shown", &text).unwrap().resolve().unwrap(), config);
        assert!(text.contains("# discount factor, 0 to 1 [per environment step]"));
        assert!(text.contains("(--set)"));
    }
}
