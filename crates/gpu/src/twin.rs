//! The driver library of machines without a card, for tests: the kernels' source compiled for the host, behind the driver's calls.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The compiler's name on every system that has one.
const COMPILER: &str = "c++";

/// No rounding is left to the compiler; multiply-adds by the processor's instruction where it has one.
const FLAGS: [&str; 9] = [
    "-std=c++17",
    "-O3",
    "-march=native",
    "-ffp-contract=off",
    "-fno-fast-math",
    "-Wall",
    "-Wextra",
    "-shared",
    "-fPIC",
];

/// Builds the library in a folder under `folder`, where it is not there yet, and returns its path, which ends in `libcuda.so.1`: a
/// program finds it in the place of NVIDIA's with the folder in `LD_LIBRARY_PATH`. What goes wrong with cards goes wrong with it on
/// demand: see `kernels/host/driver.cpp`.
///
/// # Errors
/// If there is no C++ compiler (`c++`), or it fails.
pub fn build(folder: impl AsRef<Path>) -> io::Result<PathBuf> {
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let mut hasher = DefaultHasher::new();
    (FLAGS, COMPILER).hash(&mut hasher);
    for source in sources(&kernels)? {
        fs::read(source)?.hash(&mut hasher);
    }
    let folder = folder.as_ref().join(format!("twin-{:016x}", hasher.finish()));
    let library = folder.join("libcuda.so.1");
    if library.exists() {
        return Ok(library);
    }
    fs::create_dir_all(&folder)?;
    // Another process may build it at the same time: whoever is done last replaces the same bytes.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    if library.exists() {
        return Ok(library);
    }
    let unfinished = folder.join(format!("unfinished-{}", std::process::id()));
    let output = Command::new(COMPILER)
        .args(FLAGS)
        .arg("-o")
        .arg(&unfinished)
        .arg(kernels.join("host").join("driver.cpp"))
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("no C++ compiler `{COMPILER}`: {error}")))?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    fs::rename(unfinished, &library)?;
    Ok(library)
}

fn sources(kernels: &Path) -> io::Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for folder in [kernels.to_owned(), kernels.join("host")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| ["cu", "cuh", "cpp", "h"].iter().any(|e| *e == extension)) {
                sources.push(path);
            }
        }
    }
    sources.sort();
    Ok(sources)
}
