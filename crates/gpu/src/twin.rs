//! The driver library for machines without a card, for tests: the kernels' source compiled for the host, behind the driver's calls.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The compiler's usual name.
const COMPILER: &str = "c++";

/// The compiler must not change any rounding; multiply-adds use the processor's instruction if it has one.
const LIBRARY: [&str; 9] = [
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

/// ThreadSanitizer checks every read and write.
const CONCURRENT: [&str; 5] = ["-std=c++17", "-O1", "-ffp-contract=off", "-fsanitize=thread", "-pthread"];

/// Whether threads of a block wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Where the kernels say so.
    AsWritten,
    /// Nowhere: then there are races.
    Nowhere,
}

/// Builds the library in a directory under `folder`, unless it exists, and returns its path, which ends in `libcuda.so.1`: with that
/// directory in `LD_LIBRARY_PATH`, a program finds it instead of NVIDIA's. It can simulate the failures of cards on demand: see
/// `kernels/host/driver.cpp`.
///
/// # Errors
/// If there is no C++ compiler (`c++`), or it fails.
pub fn build(folder: impl AsRef<Path>) -> io::Result<PathBuf> {
    compile(folder.as_ref(), "driver.cpp", &LIBRARY, "libcuda.so.1")
}

/// Runs every kernel whose threads share memory with one host thread per device thread, under ThreadSanitizer (`kernels/host/races.cpp`).
/// Returns the report if two threads access the same numbers without waiting for each other.
///
/// # Errors
/// If there is no C++ compiler with ThreadSanitizer, or the program does not start.
pub fn races(folder: impl AsRef<Path>, waiting: Waiting) -> io::Result<Result<String, String>> {
    let mut flags = CONCURRENT.to_vec();
    if waiting == Waiting::Nowhere {
        flags.push("-DREQUEL_WITHOUT_SYNC");
    }
    let program = compile(folder.as_ref(), "races.cpp", &flags, "races")?;
    // ThreadSanitizer needs addresses in certain ranges, which systems with strong address randomisation do not provide.
    let mut command = Command::new("setarch");
    command.args([std::env::consts::ARCH, "-R"]).arg(&program).env("TSAN_OPTIONS", "halt_on_error=1");
    let output = match command.output() {
        Err(_) => Command::new(&program).env("TSAN_OPTIONS", "halt_on_error=1").output()?,
        Ok(output) => output,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let errors = text(&output.stderr);
    match output.status.success() {
        true => Ok(Ok(text(&output.stdout))),
        false if errors.contains("WARNING: ThreadSanitizer: data race") => Ok(Err(errors)),
        false => Err(io::Error::other(format!("{}: {errors}", output.status))),
    }
}

/// The compiled form of a file in `kernels/host`, in its own directory under `folder`, built unless it exists.
fn compile(folder: &Path, source: &str, flags: &[&str], name: &str) -> io::Result<PathBuf> {
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let mut hasher = DefaultHasher::new();
    (flags, COMPILER, source).hash(&mut hasher);
    for source in sources(&kernels)? {
        fs::read(source)?.hash(&mut hasher);
    }
    let folder = folder.join(format!("twin-{:016x}", hasher.finish()));
    let made = folder.join(name);
    if made.exists() {
        return Ok(made);
    }
    fs::create_dir_all(&folder)?;
    // Another process may build it at the same time: the last one replaces it with the same bytes.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    if made.exists() {
        return Ok(made);
    }
    let unfinished = folder.join(format!("unfinished-{}", std::process::id()));
    let output = Command::new(COMPILER)
        .args(flags)
        .arg("-o")
        .arg(&unfinished)
        .arg(kernels.join("host").join(source))
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("no C++ compiler `{COMPILER}`: {error}")))?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    fs::rename(unfinished, &made)?;
    Ok(made)
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
