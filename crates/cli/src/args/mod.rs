//! The command line: every command and option with its help, a file per group of commands.

mod environments;
mod import;
mod installation;
mod note;
mod numbers;
mod policies;
mod program;
mod results;
mod settings;
mod shared;
mod sharing;
mod training;
mod tuning;
mod workers;

pub use environments::{EnvsArgs, RolloutArgs};
pub use import::{ImportActivation, ImportArgs};
pub use installation::{BenchArgs, CompletionsArgs, DoctorArgs, ManArgs};
pub use note::NoteArgs;
pub use policies::{EvalArgs, ExportArgs, ExportFormat, WatchArgs};
pub use program::{Cli, Command};
pub use results::{CompareArgs, DiagnoseArgs, ReportArgs, Scored, ServeArgs, VerifyArgs};
pub use settings::{ConfigArgs, ConfigCommand, ConfigImportArgs, PresetsArgs};
pub use shared::{Layers, Reporting};
pub use sharing::{PackArgs, UnpackArgs};
pub use training::{OnNan, ResumeArgs, StudyArgs, TrainArgs, Which};
pub use tuning::{Sampling, TuneArgs};
pub use workers::Workers;
