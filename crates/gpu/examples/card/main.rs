//! The checks that need a card, in less than twenty minutes: `cargo run --release -p requel-gpu --example card` writes `results/gpu.md`.
//! `-- 1 4` makes those alone, and adds them to the page where it is of the same commit and card. `-- --twin` makes the checks on the host
//! twin, with few updates and nothing written, to see that they work.

mod bits;
mod given;
mod runs;
#[path = "../parts/screen.rs"]
mod screen;
mod times;

use std::fmt::Write as _;
use std::process::{Command, ExitCode};
use std::time::Instant;

use given::Given;
use requel_gpu::{Cuda, DeviceError};

type Check = fn(&Given) -> Result<String, Box<dyn std::error::Error>>;

const CHECKS: [(&str, Check); 6] = [
    ("The weights of the CPU after 2,000 updates", bits::weights),
    ("From the CPU to the card and back", bits::resumed),
    ("Killed and resumed on the card", runs::killed),
    ("Time of an update", times::times),
    ("The same bits in every repetition", bits::repeated),
    ("A device that is lost", runs::lost),
];

const PAGE: &str = "results/gpu.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_twin = arguments.iter().any(|argument| argument == "--twin");
    let asked: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let given = match Given::new(is_twin) {
        Ok(given) => given,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let head = head(&given.cuda).unwrap_or_else(|error| error.to_string());
    let before = std::fs::read_to_string(PAGE).ok().filter(|page| !asked.is_empty() && page.starts_with(&head));
    let (mut page, mut failed) = (before.unwrap_or(head), 0);
    for (number, (name, check)) in (1..).zip(CHECKS).filter(|(number, _)| asked.is_empty() || asked.contains(number)) {
        eprintln!("{number}. {name}");
        let begun = Instant::now();
        let found = check(&given);
        let seconds = begun.elapsed().as_secs_f64();
        failed += usize::from(found.is_err());
        let (verdict, text) = match found {
            Ok(text) => ("passed", text),
            Err(error) => ("FAILED", error.to_string()),
        };
        eprintln!("   {verdict} after {seconds:.0} s\n{text}");
        let text = text.trim_end();
        let _ = write!(page, "\n## {number}. {name}: {verdict}\n\n{text}\n\nThis check took {seconds:.0} s.\n");
        // After each, so that what was found stays where time runs out.
        if !is_twin && let Err(error) = std::fs::write(PAGE, &page) {
            eprintln!("{PAGE}: {error}");
            return ExitCode::FAILURE;
        }
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
