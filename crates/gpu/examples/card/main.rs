//! The checks that need a card, in less than twenty minutes: `cargo run --release -p requel-gpu --example card` writes `results/gpu.md`.
//! `-- --twin` makes the same on the host twin, with few updates and nothing written, to see that the checks themselves work.

mod checks;

use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use checks::Given;
use requel_gpu::{Cuda, DeviceError};

type Check = fn(&Given) -> Result<String, Box<dyn std::error::Error>>;

const CHECKS: [(&str, Check); 6] = [
    ("The weights of the CPU after 2,000 updates", checks::weights),
    ("From the CPU to the card and back", checks::resumed),
    ("Killed and resumed on the card", checks::killed),
    ("Time of an update", checks::times),
    ("The same bits in every repetition", checks::repeated),
    ("A device that is lost", checks::lost),
];

fn main() -> ExitCode {
    let is_twin = std::env::args().any(|argument| argument == "--twin");
    let given = match Given::new(is_twin) {
        Ok(given) => given,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let (mut page, mut failed) = (head(&given.cuda).unwrap_or_else(|error| error.to_string()), 0);
    for (number, (name, check)) in (1..).zip(CHECKS) {
        eprintln!("{number}. {name}");
        let found = check(&given);
        failed += usize::from(found.is_err());
        let (verdict, text) = match found {
            Ok(text) => ("passed", text),
            Err(error) => ("FAILED", error.to_string()),
        };
        eprintln!("   {verdict}\n{text}");
        let _ = write!(page, "\n## {number}. {name}: {verdict}\n\n{}\n", text.trim_end());
    }
    if !is_twin && let Err(error) = std::fs::write("results/gpu.md", page) {
        eprintln!("results/gpu.md: {error}");
        return ExitCode::FAILURE;
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Which card, which driver, which machine.
fn head(cuda: &Cuda) -> Result<String, DeviceError> {
    let (driver, card) = (cuda.driver()?, cuda.card(0)?);
    let ((major, minor), (version, sub)) = (card.capability(), driver.version());
    let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    Ok(format!(
        "# On a card\n\n`cargo run --release -p requel-gpu --example card`, commit {commit}, on {card}: compute capability {major}.{minor}, \
         {} multiprocessors, a driver of CUDA {version}.{sub}; {}.\n",
        card.multiprocessors(),
        requel::run::MachineRecord::here(None),
    ))
}
