//! The requel program with CUDA devices, as its feature `cuda` makes it.

use std::process::ExitCode;

use requel::Registry;
use requel_gpu::Cuda;

fn main() -> ExitCode {
    requel_cli::main_with(Registry::built_in().with_accelerator(Cuda::default()))
}
