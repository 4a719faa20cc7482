//! `cargo xtask ptx`: the kernels of requel-gpu as PTX, by the pinned compiler of `xtask/ptx/requirements.txt`. No card is needed.

use anyhow::{Context, Result, bail, ensure};

use xtask::python::VirtualEnvironment;
use xtask::{UsageError, workspace};

const SOURCE: &str = "crates/gpu/kernels";
const COMMITTED: &str = "crates/gpu/kernels/requel.ptx";

/// Writes the PTX, or with `--check` compares what is made with what is committed, byte by byte.
///
/// # Errors
/// For other arguments, if the compiler is not to be had here or fails, and if bytes differ.
pub fn run(arguments: &[String]) -> Result<()> {
    let committed = workspace::root().join(COMMITTED);
    match arguments {
        [] => compile(&committed),
        [check] if check == "--check" => {
            let made = workspace::target_dir().join("requel.ptx");
            compile(&made)?;
            let read =
                |path: &std::path::Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
            let (made, committed) = (read(&made)?, read(&committed)?);
            ensure!(made == committed, "{COMMITTED} is not what {SOURCE} gives: `cargo xtask ptx` makes it anew");
            println!("{COMMITTED}: {} bytes, as the pinned compiler makes them", committed.len());
            Ok(())
        }
        _ => bail!(UsageError("usage: cargo xtask ptx [--check]".into())),
    }
}

/// Whether the compiler is made for this machine.
pub fn is_possible() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
}

fn compile(to: &std::path::Path) -> Result<()> {
    ensure!(is_possible(), "the pinned compiler is for Linux on x86-64");
    let script = VirtualEnvironment::for_ptx()?.python().arg("xtask/ptx/compile.py");
    script.arg(workspace::root().join(SOURCE)).arg(to).run()
}
