//! The `requel` program as a library: arguments in, results on stdout, messages on stderr.
//!
//! [`main_with`] gives your own program every verb, for the environments that it registers:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use requel::Registry;
//! use requel_envs::{Step, TimeLimit, closure::from_closures};
//!
//! fn main() -> ExitCode {
//!     let mut registry = Registry::built_in();
//!     let registered = registry.register_env(|| {
//!         let corridor = from_closures("Corridor-v0", 2, |_| [0.0], |[x], action, _| {
//!             *x += if action == 1 { 0.1 } else { -0.1 };
//!             Step { reward: -0.01, terminated: *x >= 1.0, truncated: false }
//!         });
//!         Ok(Box::new(TimeLimit::new(corridor, 200)?))
//!     });
//!     registered.expect("no environment has its id");
//!     requel_cli::main_with(registry)
//! }
//! ```
//!
//! [`draw`] shows environments as the program does; [`with_devices`] returns a registry with the devices that the program was built for.
//! `args` defines the command line, `commands` has one file per command, `show` draws. Learning is done by the library `requel`; nothing in
//! this crate changes a result.
#![forbid(unsafe_code)]

mod advice;
mod aggregates;
mod args;
mod ascii;
mod build;
mod columns;
mod commands;
mod compare;
mod dashboard;
mod device;
pub mod draw;
mod environment;
mod every;
mod execution;
mod exit;
mod import;
mod invocation;
mod keyboard;
mod missing;
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
mod tune;
mod watch;

pub use device::with_devices;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use requel::{Machine, Registry};

use args::{Cli, Command};
use exit::{Exit, Failure};

/// The program with requel's own environments and agents: [`main_with`] of [`Registry::built_in`].
pub fn main() -> ExitCode {
    main_with(Registry::built_in())
}

/// The program with the contents of a registry. It reads the arguments of the process and runs the command.
pub fn main_with(registry: Registry) -> ExitCode {
    run_with(registry, std::env::args_os().collect()).into()
}

/// The same for given arguments instead of those of the process, for example when another language starts it. The first is the program's
/// name. Returns the exit code.
pub fn run_with(registry: Registry, arguments: Vec<OsString>) -> u8 {
    invocation::remember(&arguments);
    let cli = match Cli::try_parse_from(help_of_help(arguments)) {
        Ok(cli) => cli,
        // Help, version and misuse; the exit codes are 0 and 2 as ours.
        Err(error) => return style::usage(&error),
    };
    requel::run::introduce(build::program());
    let exit = on_this_machine(registry, &cli.command).and_then(|registry| run(&cli.command, &registry));
    let exit = exit.unwrap_or_else(|failure| {
        style::report(&failure);
        failure.exit
    });
    exit as u8
}

/// The registry with the resources of this machine.
fn on_this_machine(registry: Registry, command: &Command) -> Result<Registry, Failure> {
    let registry = device::with_devices(registry);
    match Machine::detect() {
        Ok(machine) => Ok(registry.with_machine(machine)),
        // It says what is wrong.
        Err(_) if matches!(command, Command::Doctor(_)) => Ok(registry),
        Err(error) => Err(Failure::bad_input(error).hint(
            "`requel doctor` lists the kernels that this machine \
                                                         supports",
        )),
    }
}

/// The arguments, with `help … --help` read as `help …`, which clap would otherwise refuse.
fn help_of_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.retain(|argument| argument != "--help" && argument != "-h");
    }
    arguments
}

fn run(command: &Command, registry: &Registry) -> Result<Exit, Failure> {
    match command {
        Command::Train(args) => commands::train::run(args, registry),
        Command::Resume(args) => commands::resume::run(args, registry),
        Command::Verify(args) => commands::verify::run(args),
        Command::Diagnose(args) => commands::diagnose::run(args, registry),
        Command::Study(args) => commands::study::run(args, registry),
        Command::Tune(args) => commands::tune::run(args, registry),
        Command::Compare(args) => commands::compare::run(args),
        Command::Eval(args) => commands::eval::run(args, registry),
        Command::Watch(args) => commands::watch::run(args, registry),
        Command::Report(args) => commands::report::run(args, registry),
        Command::Serve(args) => commands::serve::run(args),
        Command::Note(args) => commands::note::run(args),
        Command::Export(args) => commands::export::run(args, registry),
        Command::Import(args) => commands::import::run(args, registry),
        Command::Pack(args) => commands::pack::pack(args),
        Command::Unpack(args) => commands::pack::unpack(args),
        Command::Rollout(args) => commands::rollout::run(args, registry),
        Command::Envs(args) => commands::envs::run(args, registry),
        Command::Presets(args) => commands::presets::run(args),
        Command::Config(args) => commands::config::run(args, registry),
        Command::Doctor(args) => commands::doctor::run(args, registry),
        Command::Bench(args) => commands::bench::run(args, registry),
        Command::Completions(args) => commands::completions::run(args, registry),
        Command::Man(args) => commands::completions::man(args),
    }
}
