//! `requel doctor`: what the program finds on this machine.

use std::io::IsTerminal;
use std::path::Path;

use requel::Registry;
use requel::memory::{available_bytes, display_bytes};
use requel::run::MachineRecord;
use requel_nn::kernel::{Kernel, select};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::build;
use crate::exit::{Exit, Failure};
use crate::runs;
use crate::shell::in_own_name;
use crate::show::{Ability, ColorDepth};
use crate::style::{self, BAD, BOLD, GOOD, MUTED, WARNING, paint};

/// With less than this, little is certain to work, bytes.
const LITTLE_MEMORY: u64 = 256 << 20;
/// A run of the default preset takes a few megabytes; those with replay buffers of images much more.
const LITTLE_DISK: u64 = 1 << 30;
/// The smallest size at which the dashboard is shown.
const LEAST: (u16, u16) = crate::dashboard::LEAST;

/// What was found about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    Doubtful,
    Broken,
}

#[derive(Serialize)]
struct Report<'a> {
    event: &'static str,
    healthy: bool,
    findings: &'a [Finding],
}

/// Prints what was found; fails only where something is broken.
pub fn run(args: &DoctorArgs, registry: &Registry) -> Result<Exit, Failure> {
    let here = [version(), machine(), instructions(), threads()].into_iter().chain(devices(registry));
    let findings: Vec<Finding> = here.chain([terminal(), memory(), disk(), runs_folder()]).collect();
    let healthy = findings.iter().all(|finding| finding.state != State::Broken);
    let mut out = style::stdout();
    use std::io::Write;
    if args.json {
        let report = Report { event: "doctor", healthy, findings: &findings };
        writeln!(out, "{}", serde_json::to_string(&report).map_err(Failure::failed)?)?;
    } else {
        for Finding { name, state, found, advice } in &findings {
            let mark = match state {
                State::Good => paint(GOOD, "ok "),
                State::Doubtful => paint(WARNING, "hm "),
                State::Broken => paint(BAD, "bad"),
            };
            writeln!(out, "{mark}  {}  {}", paint(BOLD, format_args!("{name:<13}")), in_own_name(found))?;
            if let Some(advice) = advice {
                writeln!(out, "     {:<13}  {}", "", paint(MUTED, in_own_name(advice)))?;
            }
        }
    }
    Ok(if healthy { Exit::Success } else { Exit::Failure })
}

fn good(name: &'static str, found: impl Into<String>) -> Finding {
    Finding { name, state: State::Good, found: found.into(), advice: None }
}

impl Finding {
    /// The finding with another state, and what to do about it.
    fn but(self, state: State, advice: &'static str) -> Self {
        Finding { state, advice: Some(advice), ..self }
    }
}

fn version() -> Finding {
    let commit = match (build::COMMIT, build::is_dirty()) {
        (None, _) => "commit not recorded in this build".into(),
        (Some(commit), Some(true)) => format!("commit {commit} with changes"),
        (Some(commit), _) => format!("commit {commit}"),
    };
    let finding = good("version", format!("requel {}, {commit}, {} build", env!("CARGO_PKG_VERSION"), build::PROFILE));
    match cfg!(debug_assertions) {
        true => finding.but(State::Doubtful, "many times slower than `cargo build --release`"),
        false => finding,
    }
}

fn machine() -> Finding {
    good("machine", MachineRecord::here(None).to_string())
}

fn instructions() -> Finding {
    let names: Vec<&str> = Kernel::available().into_iter().map(Kernel::name).collect();
    match select() {
        Ok(kernel) => {
            let found = format!("{} (this machine has {})", kernel.name(), names.join(", "));
            let finding = good("instructions", found);
            match kernel == Kernel::fastest() {
                true => finding,
                false => finding.but(State::Doubtful, "REQUEL_KERNEL selects a slower kernel; results are the same"),
            }
        }
        Err(error) => good("instructions", error.to_string())
            .but(State::Broken, "unset REQUEL_KERNEL, or set it to one that this machine has"),
    }
}

fn threads() -> Finding {
    match std::thread::available_parallelism() {
        Ok(n) => good("threads", n.to_string()),
        Err(error) => good("threads", error.to_string()).but(State::Doubtful, "one is used"),
    }
}

/// Devices other than the CPU, if the program was built with support for any.
fn devices(registry: &Registry) -> Option<Finding> {
    Some(match registry.accelerator()?.devices() {
        Ok(found) => good("devices", found),
        Err(error) => good("devices", error.to_string()).but(State::Doubtful, "networks are computed on the CPU"),
    })
}

fn terminal() -> Finding {
    if !std::io::stdout().is_terminal() {
        return good("terminal", "stdout is not a terminal: plain lines, no dashboard");
    }
    let Ability { color, unicode } = Ability::detect();
    let colors = match color {
        ColorDepth::Mono => "no colours",
        ColorDepth::Ansi256 => "256 colours",
        ColorDepth::True => "all colours",
    };
    let (columns, rows) = crossterm::terminal::size().unwrap_or((0, 0));
    let letters = if unicode { "Unicode" } else { "ASCII only" };
    let finding = good("terminal", format!("{columns} × {rows}, {colors}, {letters}"));
    if !unicode {
        return finding.but(State::Doubtful, "a UTF-8 locale (LANG=C.UTF-8) gives curves and the dashboard");
    }
    if columns < LEAST.0 || rows < LEAST.1 {
        return finding.but(State::Doubtful, "the dashboard needs 72 × 20; `train` shows a progress line");
    }
    finding
}

fn memory() -> Finding {
    match available_bytes() {
        Some(bytes) => {
            let finding = good("memory", format!("{} to take", display_bytes(bytes)));
            match bytes < LITTLE_MEMORY {
                true => finding.but(State::Doubtful, "use a smaller `replay.capacity`"),
                false => finding,
            }
        }
        None => good("memory", "the system does not say"),
    }
}

fn disk() -> Finding {
    #[cfg(unix)]
    let free = rustix::fs::statvfs(".").ok().map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    #[cfg(not(unix))]
    let free: Option<u64> = None;
    match free {
        Some(bytes) => {
            let finding = good("disk", format!("{} free here", display_bytes(bytes)));
            match bytes < LITTLE_DISK {
                true => finding
                    .but(State::Doubtful, "a run keeps its last two checkpoints; `checkpoint.keep` sets how many"),
                false => finding,
            }
        }
        None => good("disk", "the system does not say"),
    }
}

fn runs_folder() -> Finding {
    let root = Path::new(runs::ROOT);
    if !root.exists() {
        return good("runs", "none yet; `requel train` makes the first");
    }
    let finding = good("runs", format!("{} under {}/ and {}/", runs::all().len(), runs::ROOT, runs::STUDIES));
    let probe = root.join(".doctor");
    match std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => finding,
        Err(_) => finding.but(State::Broken, "not writable; use --run-dir, or change its permissions"),
    }
}
