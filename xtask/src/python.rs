//! Python virtual environments, made on demand under the target folder and made again when their requirements change.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::CommandLine;
use crate::{machine, workspace};

/// A virtual environment with everything its requirements file names.
#[derive(Debug)]
pub struct VirtualEnvironment {
    folder: PathBuf,
}

impl VirtualEnvironment {
    /// The one for the live comparisons: Gymnasium, numpy and TensorBoard's reader.
    ///
    /// # Errors
    /// When Python or its `venv` module is missing, or the requirements cannot be installed.
    pub fn for_tests() -> Result<Self> {
        Self::prepare("python", &["xtask/golden/requirements.txt"])
    }

    /// The one that the Python package is built and tested in: maturin, Gymnasium and pytest.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_package() -> Result<Self> {
        Self::prepare("python-package", &["python/tests/requirements.txt"])
    }

    /// The same with Ray.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_ray() -> Result<Self> {
        Self::prepare("python-ray", &["python/tests/requirements.txt", "python/tests_ray/requirements.txt"])
    }

    /// The one that writes golden data: the above and PyTorch, several gigabytes.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_golden() -> Result<Self> {
        Self::prepare("python-golden", &["xtask/golden/requirements.txt", "xtask/golden/requirements-golden.txt"])
    }

    /// The one that checks the statistics: rliable.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_stats() -> Result<Self> {
        Self::prepare("python-stats", &["xtask/golden/requirements-stats.txt"])
    }

    /// The one with the programs that ours is measured against: PyTorch, Stable-Baselines3 and rejax.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_peers() -> Result<Self> {
        Self::prepare("python-peers", &["lab/peers/requirements.txt"])
    }

    /// The one with the original environments: Gymnasium and MinAtar.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_envs() -> Result<Self> {
        Self::prepare("python-environments", &["lab/peers/requirements-envs.txt"])
    }

    /// The one with the compiler of kernels: NVRTC.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_ptx() -> Result<Self> {
        Self::prepare("python-ptx", &["xtask/ptx/requirements.txt"])
    }

    /// The one that looks at the program as a person does: a client for Chromium's DevTools, onnxruntime, Pillow.
    ///
    /// # Errors
    /// As [`VirtualEnvironment::for_tests`].
    pub fn for_ui() -> Result<Self> {
        Self::prepare("python-ui", &["xtask/ui/requirements.txt"])
    }

    /// A command that starts this environment's interpreter.
    pub fn python(&self) -> CommandLine {
        self.started_by(CommandLine::new(interpreter(&self.folder)))
    }

    /// The same, kept to one core where `taskset` is there.
    pub fn python_on(&self, core: usize) -> CommandLine {
        match machine::pinned_to(core) {
            Some(taskset) => self.started_by(taskset.arg(interpreter(&self.folder))),
            None => self.python(),
        }
    }

    fn started_by(&self, command: CommandLine) -> CommandLine {
        command
            // A script's bytecode would otherwise be left next to it, in the source tree.
            .env("PYTHONDONTWRITEBYTECODE", "1")
    }

    fn prepare(name: &str, requirements: &[&str]) -> Result<Self> {
        let folder = workspace::target_dir().join(name);
        let wanted = stamp(requirements)?;
        // The stamp holds the requirements themselves and is written last, so an install cut short is done again.
        let stamp_file = folder.join("requirements.stamp");
        if std::fs::read_to_string(&stamp_file).is_ok_and(|have| have == wanted) && interpreter(&folder).exists() {
            return Ok(Self { folder });
        }
        eprintln!("preparing the Python environment in {}", folder.display());
        workspace::empty_folder(&folder)?;
        let base = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        CommandLine::new(base)
            .args(["-m", "venv"])
            .arg(&folder)
            .run()
            .context("cannot make a Python environment: Python 3.11 or newer with its `venv` module is needed (on Debian, the package python3-venv); PYTHON names another interpreter")?;
        let environment = Self { folder };
        let mut install = environment.python().args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        for file in requirements {
            install = install.args(["--requirement", file]);
        }
        install.run()?;
        std::fs::write(&stamp_file, wanted).with_context(|| format!("cannot write {}", stamp_file.display()))?;
        Ok(environment)
    }
}

fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) { folder.join("Scripts").join("python.exe") } else { folder.join("bin").join("python") }
}

/// What an environment was made from: the text of its requirements files.
fn stamp(requirements: &[&str]) -> Result<String> {
    let mut text = String::new();
    for file in requirements {
        let path = workspace::root().join(file);
        text.push_str(&std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(text)
}
