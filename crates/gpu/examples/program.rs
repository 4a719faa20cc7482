//! The requel program with CUDA devices, as its feature `cuda` makes it, and with the environment `Screen-v0`. With the directory of a run in
//! `REQUEL_LOSE_DEVICE_OF` it loses its device once that run has a checkpoint, for a look at what that leaves.

#[path = "parts/screen.rs"]
mod screen;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use requel::Registry;
use requel_gpu::Cuda;

fn main() -> ExitCode {
    if let Some(run) = std::env::var_os("REQUEL_LOSE_DEVICE_OF") {
        let checkpoints = PathBuf::from(run).join("checkpoints");
        std::thread::spawn(move || lose_device(checkpoints));
    }
    let mut registry = Registry::built_in().with_accelerator(Cuda::default());
    registry.register_env(|| Ok(screen::screen())).expect("the name is free");
    requel_cli::main_with(registry)
}

/// Waits for the first checkpoint and lets the device be lost.
fn lose_device(checkpoints: PathBuf) {
    let is_whole = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("ckpt-");
    let has_one =
        || std::fs::read_dir(&checkpoints).is_ok_and(|names| names.flatten().any(|entry| is_whole(&entry.file_name())));
    while !has_one() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // That it fails is what it is for.
    let _ = Cuda::default().card(0).and_then(|card| card.lose());
}
