//! The `requel` program: arguments in, results on stdout, talk on stderr.
//!
//! [`args`] says what can be asked for, [`commands`] holds one file per command, [`show`] draws. What the program
//! learns with is the library `requel`; nothing in here changes a result.
#![forbid(unsafe_code)]

mod advice;
mod args;
mod ascii;
mod build;
mod columns;
mod commands;
mod compare;
mod dashboard;
mod environment;
mod every;
mod execution;
mod exit;
mod export;
mod import;
mod keyboard;
mod notes;
mod numbers;
mod output;
mod pack;
mod page;
mod panel;
mod progress;
mod report;
mod runs;
mod seeds;
mod serve;
mod session;
mod settings;
mod shell;
mod show;
mod signals;
mod style;
mod subject;
mod table;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use exit::{Exit, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(help_of_help(std::env::args_os())) {
        Ok(cli) => cli,
        // Help, version and misuse; the exit codes are 0 and 2 as ours.
        Err(error) => return ExitCode::from(style::usage(&error)),
    };
    requel::run::introduce(build::program());
    run(&cli.command)
        .unwrap_or_else(|failure| {
            style::report(&failure);
            failure.exit
        })
        .into()
}

/// The arguments with `help … --help` read as `help …`, which clap would refuse.
fn help_of_help(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.retain(|argument| argument != "--help" && argument != "-h");
    }
    arguments
}

fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Train(args) => commands::train::run(args),
        Command::Resume(args) => commands::resume::run(args),
        Command::Verify(args) => commands::verify::run(args),
        Command::Diagnose(args) => commands::diagnose::run(args),
        Command::Study(args) => commands::study::run(args),
        Command::Compare(args) => commands::compare::run(args),
        Command::Eval(args) => commands::eval::run(args),
        Command::Watch(args) => commands::watch::run(args),
        Command::Report(args) => commands::report::run(args),
        Command::Serve(args) => commands::serve::run(args),
        Command::Note(args) => commands::note::run(args),
        Command::Export(args) => commands::export::run(args),
        Command::Import(args) => commands::import::run(args),
        Command::Pack(args) => commands::pack::pack(args),
        Command::Unpack(args) => commands::pack::unpack(args),
        Command::Rollout(args) => commands::rollout::run(args),
        Command::Envs(args) => commands::envs::run(args),
        Command::Presets(args) => commands::presets::run(args),
        Command::Config(args) => commands::config::run(args),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::Completions(args) => commands::completions::run(args),
        Command::Man(args) => commands::completions::man(args),
    }
}
