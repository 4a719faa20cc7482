//! `requel completions` and `requel man`.

use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory, ValueHint};
use clap_complete::Shell;
use requel::Registry;
use requel::config::presets;
use requel::study::built_ins;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::exit::{Exit, Failure};
use crate::invocation::own_name;
use crate::style;

/// Prints the completion script of a shell.
pub fn run(args: &CompletionsArgs, registry: &Registry) -> Result<Exit, Failure> {
    let ids: Vec<&'static str> = registry.envs().specs().map(|spec| &*spec.id.clone().leak()).collect();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut told(Cli::command(), &ids), own_name(), &mut script);
    if args.shell == Shell::Fish {
        script.extend(fish_positionals(&told(Cli::command(), &ids)).into_bytes());
    }
    std::io::stdout().lock().write_all(&script)?;
    Ok(Exit::Success)
}

/// The command with the possible values of each argument, where they can be listed. Only completion uses them: the program itself still
/// accepts any value and refuses wrong ones with its own hints.
fn told(command: Command, ids: &[&'static str]) -> Command {
    let command = command.mut_args(|argument| {
        let kind = argument.get_value_names().unwrap_or_default().first().map(ToString::to_string).unwrap_or_default();
        if !argument.get_action().takes_values() || !argument.get_possible_values().is_empty() {
            return argument;
        }
        let known = |names: Vec<&'static str>| PossibleValuesParser::new(names);
        match kind.as_str() {
            "ENV" => argument.value_parser(known(ids.to_vec())),
            "NAME" => argument.value_parser(known(presets::all().iter().map(|preset| preset.name).collect())),
            "FILE|NAME" => argument.value_parser(known(built_ins().iter().map(|study| study.name).collect())),
            "RUN" | "DIR" | "RUN|DIR" | "RUN|ENV" => argument.value_hint(ValueHint::DirPath),
            "FILE" => argument.value_hint(ValueHint::FilePath),
            _ => argument.value_hint(ValueHint::Other),
        }
    });
    let names: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |inner| told(inner, ids)))
}

/// The possible values of a command's first argument, for fish: `clap_complete` only passes it those of options.
fn fish_positionals(command: &Command) -> String {
    let (mut lines, program) = (String::new(), own_name());
    for inner in command.get_subcommands() {
        let Some(argument) = inner.get_positionals().next() else { continue };
        let known = argument.get_possible_values();
        let known: Vec<&str> = known.iter().map(|value| value.get_name()).collect();
        let words = match argument.get_value_hint() {
            _ if !known.is_empty() => known.join(" "),
            ValueHint::DirPath => "(__fish_complete_directories)".into(),
            _ => continue,
        };
        let name = inner.get_name();
        lines.push_str(&format!("complete -c {program} -n \"__fish_seen_subcommand_from {name}\" -f -a \"{words}\"\n"));
    }
    lines
}

/// The command line under the name of this program.
fn command() -> Command {
    // The name must live for the whole program, and there is only one.
    Cli::command().name(&*own_name().leak())
}

/// Prints the manual page, or writes it and those of all commands into a directory.
pub fn man(args: &ManArgs) -> Result<Exit, Failure> {
    if let Some(dir) = &args.dir {
        let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command(), dir));
        written.map_err(|e| Failure::failed(format_args!("cannot write to {}: {e}", dir.display())))?;
        style::say(format_args!("wrote the manual pages to {}", dir.display()));
        return Ok(Exit::Success);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command()).render(&mut page)?;
    std::io::stdout().lock().write_all(&page)?;
    Ok(Exit::Success)
}
