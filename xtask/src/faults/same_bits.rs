//! R7: the same bits whatever trains.

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs::{self, TRAININGS};
use crate::workspace;

/// Trains with every kernel of this machine, one to four threads, watched and not, in both builds.
///
/// # Errors
/// When any of them ends with other bytes.
pub fn check(extent: Extent) -> Result<Finding> {
    let desk = runs::desk("bits")?;
    let builds = [("release", workspace::release_binary()?), ("development", workspace::development_binary()?)];
    let builds = &builds[..extent.pick(2, 1)];
    let training = &TRAININGS[0];
    let mut expected = None;
    let mut trained = 0;
    for (build, binary) in builds {
        for kernel in [None, Some("scalar"), Some("avx2"), Some("avx512"), Some("neon")] {
            for threads in extent.pick(&["1", "2", "4"][..], &["1"][..]) {
                for watched in [false, true] {
                    let dir = desk.join(format!("{build}-{}-{threads}-{watched}", kernel.unwrap_or("own")));
                    let mut command = training.command(binary, &dir);
                    command.env("RAYON_NUM_THREADS", threads);
                    if let Some(kernel) = kernel {
                        command.env("REQUEL_KERNEL", kernel);
                    }
                    if watched {
                        command.arg("--json");
                    }
                    let output = command.stderr(std::process::Stdio::piped()).output()?;
                    let said = String::from_utf8_lossy(&output.stderr);
                    if kernel.is_some() && !output.status.success() && said.contains("REQUEL_KERNEL") {
                        // This machine does not have it.
                        continue;
                    }
                    ensure!(output.status.success(), "{}: {said}", dir.display());
                    match &expected {
                        None => expected = Some(runs::bytes(&dir)?),
                        Some(expected) => runs::same(expected, &dir)?,
                    }
                    std::fs::remove_dir_all(&dir)?;
                    trained += 1;
                }
            }
        }
    }
    Ok(Finding { faults: trained, note: "runs, all byte-equal".into() })
}
