//! What `requel train --json` says of a run on its last line.

use anyhow::{Context, Result};
use xtask::finished_line;

/// What pages take of it; the rest is in the run's folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Training time as the program measures it, seconds.
    pub wall_seconds: f64,
    /// Hash of the final weights, hexadecimal.
    pub weights_blake3: String,
}

impl Finished {
    /// Reads the last line of `stdout`.
    ///
    /// # Errors
    /// As [`finished_line`](fn@finished_line), and when a figure is missing or of another type.
    pub fn from_stdout(stdout: &str) -> Result<Self> {
        let line = finished_line(stdout)?;
        Ok(Self {
            wall_seconds: line["wall_seconds"].as_f64().context("no `wall_seconds`")?,
            weights_blake3: line["weights_blake3"].as_str().context("no `weights_blake3`")?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        r#"{"event":"run_finished","env_steps":50000,"wall_seconds":2.5,"weights_blake3":"00ff","run_dir":"runs/x"}"#;

    #[test]
    fn the_last_line_is_read_whatever_stands_before_it() {
        let finished = Finished::from_stdout(&format!("{{\"event\":\"episode\"}}\n{LINE}\n")).unwrap();
        assert_eq!(finished, Finished { wall_seconds: 2.5, weights_blake3: "00ff".into() });
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(finished_line("").is_err());
        assert!(finished_line("{\"event\":\"episode\"}").is_err());
        let error = Finished::from_stdout(&LINE.replace("\"wall_seconds\":", "\"wall\":")).unwrap_err().to_string();
        assert!(error.contains("`wall_seconds`"), "{error}");
    }
}
