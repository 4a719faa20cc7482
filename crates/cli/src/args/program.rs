//! The program, and its commands.

use clap::{Parser, Subcommand};

use super::{
    BenchArgs, CompareArgs, CompletionsArgs, ConfigArgs, DiagnoseArgs, DoctorArgs, EnvsArgs, EvalArgs, ExportArgs,
    ImportArgs, ManArgs, NoteArgs, PackArgs, PresetsArgs, ReportArgs, ResumeArgs, RolloutArgs, ServeArgs, StudyArgs,
    TrainArgs, TuneArgs, UnpackArgs, VerifyArgs, WatchArgs,
};
use crate::style;

const EXIT_CODES: &str = "\
Exit codes:
    0  all went well
    1  something went wrong on the way: a full disk, a damaged run
    2  the input was wrong: an unknown name, a value out of range;
       nothing was written
    3  a number was NaN or infinite, in an environment or in learning; what
       was saved before stays
  129  stopped because the terminal went away (SIGHUP), as by SIGTERM
  130  stopped by Ctrl-C (SIGINT); a checkpoint was written, and
       `requel resume` goes on from it
  143  stopped by SIGTERM; a checkpoint was written as well

Colours are left out when the output is no terminal or NO_COLOR is set.";

const FIRST_STEPS: &str = "\
Examples:
  requel train CartPole-v1       train an agent; seconds, not minutes
  requel watch                   watch the newest one in the terminal
  requel eval                    score it over 100 fresh episodes
  requel watch --gif agent.gif   make an animation of it";

/// Deep Q-learning with experience replay: train an agent in seconds, watch it, never lose a run.
#[derive(Debug, Parser)]
#[command(name = "requel", version, styles = style::help(), arg_required_else_help = true)]
#[command(after_help = FIRST_STEPS, after_long_help = format!("{FIRST_STEPS}\n\n{EXIT_CODES}"))]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train an agent
    Train(TrainArgs),
    /// Resume a run that was interrupted, or continue a finished one
    Resume(ResumeArgs),
    /// Look for damage in a run, byte by byte
    Verify(VerifyArgs),
    /// Say what is wrong with a training run, with the evidence and what to try
    Diagnose(DiagnoseArgs),
    /// Train variants of a configuration with many seeds each, and compare them
    Study(StudyArgs),
    /// Search for better hyperparameters, and test the best on fresh seeds
    Tune(TuneArgs),
    /// Compare runs: learning curves, scores and how certain they are
    Compare(CompareArgs),
    /// Score a run's best policy over greedy episodes
    Eval(EvalArgs),
    /// Watch a policy in the terminal, or write an animation of it
    Watch(WatchArgs),
    /// Write a run's report: charts and replays on one page for the browser
    Report(ReportArgs),
    /// Show all runs on a local page, live
    Serve(ServeArgs),
    /// Put a note and tags on a run, which the page of `serve` shows
    Note(NoteArgs),
    /// Write a run's best policy for other programs: ONNX, safetensors
    Export(ExportArgs),
    /// Turn the weights of a PyTorch network into a policy
    Import(ImportArgs),
    /// Pack a run into one file to share, with a model card
    Pack(PackArgs),
    /// Unpack a packed run into a directory
    Unpack(UnpackArgs),
    /// Step an environment with given or random actions and print every step
    Rollout(RolloutArgs),
    /// List the environments
    Envs(EnvsArgs),
    /// List the presets, or print one
    Presets(PresetsArgs),
    /// Show or import configurations
    Config(ConfigArgs),
    /// Check this machine: what requel finds, and what is wrong with it
    Doctor(DoctorArgs),
    /// Measure how long an update takes on the CPU and on a device
    Bench(BenchArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page in roff, or write those of all commands
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// "-5" is a number: clap's advice to write `-- -5` leads nowhere, and hides the range.
    #[test]
    fn a_negative_number_is_taken_as_one_by_every_numeric_option() {
        const NUMERIC: [&str; 8] = ["N", "STEP", "STEPS", "PIXELS", "FACTOR", "RETURN", "SEEDS", "STEPS|MINUTES"];
        let mut tried = 0;
        for command in Cli::command().get_subcommands() {
            for option in command.get_opts() {
                let names = option.get_value_names().unwrap_or_default();
                let Some(long) = option.get_long().filter(|_| names.iter().any(|n| NUMERIC.contains(&n.as_str())))
                else {
                    continue;
                };
                tried += 1;
                let arguments = ["requel", command.get_name(), &format!("--{long}"), "-5"];
                let error = Cli::try_parse_from(arguments).err().map(|error| error.to_string()).unwrap_or_default();
                assert!(!error.contains("-- -5"), "{} --{long}: {error}", command.get_name());
            }
        }
        assert!(tried >= 15, "{tried}");
    }

    #[test]
    fn no_option_takes_a_number_that_is_none() {
        for arguments in
            [["compare", "--threshold", "nan"], ["compare", "--threshold", "inf"], ["watch", "--speed", "nan"]]
        {
            assert!(Cli::try_parse_from(["requel"].iter().chain(&arguments)).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn every_command_has_examples_that_fit_a_terminal() {
        fn check(command: &clap::Command) {
            if !command.has_subcommands() && !command.is_hide_set() {
                let help = command.get_after_help().map(|h| h.to_string()).unwrap_or_default();
                assert!(help.contains("Examples:"), "{}", command.get_name());
                help.lines().for_each(|line| assert!(line.chars().count() <= 80, "{line}"));
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
