//! `results/minatar-random.md`: random play in our MinAtar games compared with random play in the originals.

use anyhow::{Context, Result, bail};

use super::page::table;
use super::statistics::{SampleDifference, kolmogorov_smirnov};
use xtask::command::CommandLine;
use xtask::python::VirtualEnvironment;
use xtask::{machine, workspace};

/// A game by our name and by the original's, with the number of games played of the original and of ours.
struct Game {
    id: &'static str,
    original: &'static str,
    theirs: usize,
    ours: usize,
}

/// Freeway lasts 2500 frames, whatever happens.
const GAMES: [Game; 5] = [
    Game { id: "MinAtar/Asterix-v1", original: "asterix", theirs: 6000, ours: 30_000 },
    Game { id: "MinAtar/Breakout-v1", original: "breakout", theirs: 6000, ours: 30_000 },
    Game { id: "MinAtar/Freeway-v1", original: "freeway", theirs: 2000, ours: 6000 },
    Game { id: "MinAtar/Seaquest-v1", original: "seaquest", theirs: 6000, ours: 30_000 },
    Game { id: "MinAtar/SpaceInvaders-v1", original: "space_invaders", theirs: 6000, ours: 30_000 },
];

/// The page's command.
const COMMAND: &str = "cargo xtask results minatar-random";

/// Returns and lengths, game by game.
type Played = (Vec<f64>, Vec<f64>);

/// Plays and writes the page.
///
/// # Errors
/// When the environment or a build fails, a game cannot be played, or the page cannot be written.
pub fn write() -> Result<()> {
    let environment = VirtualEnvironment::for_envs()?;
    let ours = |game: &Game| {
        let arguments = ["run", "--release", "--locked", "--quiet", "--package", "requel-envs", "--example"];
        let command: CommandLine = workspace::cargo().args(arguments).args(["random_games", game.id]);
        played(&command.arg(game.ours.to_string()).output()?)
    };
    let theirs = |game: &Game| {
        let command = environment.python().arg("lab/peers/minatar_random.py").arg(game.original);
        played(&command.arg(game.theirs.to_string()).output()?)
    };
    let mut rows = Vec::new();
    for game in &GAMES {
        let (our_returns, our_lengths) = ours(game).with_context(|| game.id)?;
        let (their_returns, their_lengths) = theirs(game).with_context(|| game.original)?;
        rows.push(row(&format!("{} return", game.id), &their_returns, &our_returns));
        rows.push(row("length, frames", &their_lengths, &our_lengths));
    }
    let page = format!(
        "# Random play in MinAtar, ours beside the original's\n\n\
         - Made by: `{COMMAND}`\n- Version: commit {}\n- Machine: {}\n- Original: the package `minatar` of \
         `lab/peers/requirements-envs.txt`, run as a black box\n\n\
         Actions drawn evenly from the minimal set, sticky actions of 0.1 and difficulty ramping on both sides. Means with their \
         standard errors; *z* is the difference of the means in standard errors of that difference; *D* the greatest difference \
         of the two distribution functions (Kolmogorov and Smirnov) and *p* the chance of so great a one or a greater between \
         samples of one law. Values repeat in all of them, which makes that *p* too large rather than too small. Of ten \
         rows one or two with |z| above 1.5 are to be expected where the laws are the same.\n\n{}",
        machine::git_commit()?,
        machine::description(),
        table(&["game", "games", "original", "games", "requel", "z", "D", "p"], &rows)
    );
    let path = workspace::root().join("results").join("minatar-random.md");
    std::fs::write(&path, &page).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{page}");
    Ok(())
}

fn row(name: &str, theirs: &[f64], ours: &[f64]) -> Vec<String> {
    let difference = SampleDifference::of(theirs, ours);
    let (distance, chance) = kolmogorov_smirnov(theirs, ours);
    let shown = |(mean, error): (f64, f64)| format!("{mean:.3} ± {error:.3}");
    vec![
        name.to_owned(),
        theirs.len().to_string(),
        shown(difference.first),
        ours.len().to_string(),
        shown(difference.second),
        difference.z.map_or_else(|| "–".into(), |z| format!("{z:+.2}")),
        format!("{distance:.4}"),
        format!("{chance:.2}"),
    ]
}

/// Reads lines of a return and a length.
fn played(output: &str) -> Result<Played> {
    let mut played = (Vec::new(), Vec::new());
    for line in output.lines() {
        let numbers =
            line.split_once(' ').and_then(|(total, length)| Some((total.parse().ok()?, length.parse().ok()?)));
        let Some((total, length)) = numbers else { bail!("no return and length: {line}") };
        played.0.push(total);
        played.1.push(length);
    }
    Ok(played)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn games_are_read_line_by_line() {
        assert_eq!(played("1 20\n-0.5 7\n").unwrap(), (vec![1.0, -0.5], vec![20.0, 7.0]));
        assert!(played("1\n").is_err() && played("a 2\n").is_err());
    }

    #[test]
    fn a_length_that_never_varies_has_no_z() {
        let row = row("x", &[2501.0; 4], &[2501.0; 9]);
        assert_eq!(row[1..], ["4", "2501.000 ± 0.000", "9", "2501.000 ± 0.000", "–", "0.0000", "1.00"]);
    }
}
