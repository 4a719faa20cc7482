//! The program without the parts of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    requel_cli::main()
}
