//! The `requel` program: [`requel_cli`] with the environments of requel.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    requel_cli::main()
}
