//! Runs that are killed on the card, and runs that lose it, and go on.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use requel::run::Run;
use requel_gpu::{DeviceError, DeviceNetworks, Look, NetworksSpec, Numbers};
use requel_nn::{Activation, Network, NetworkSpec};

use crate::given::{Found, Given};

/// How long a run may take to save what is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that is gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> std::io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("requel-card-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The arguments of a training into `run`.
fn train(given: &Given, run: &str, device: &str) -> Vec<String> {
    let mut arguments: Vec<String> = ["train", "--preset", "minatar-dqn", "--run-dir", run].map(String::from).to_vec();
    let (updates, every) = if given.is_twin { (24, 8) } else { (2_000, 200) };
    let mut settings = given.settings("minatar-dqn", updates);
    settings.extend([format!("train.device={device}"), format!("checkpoint.every_steps={every}")]);
    settings.into_iter().for_each(|setting| arguments.extend(["--set".into(), setting]));
    arguments
}

fn spawn(given: &Given, folder: &Folder, arguments: &[String]) -> Result<Child, Box<dyn Error>> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Ok(given.program(&folder.0, &arguments)?.spawn()?)
}

/// Runs to the end, and gives the exit code and what was said.
fn finished(child: Child) -> Result<(Option<i32>, String), Box<dyn Error>> {
    let output = child.wait_with_output()?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The newest whole checkpoint of a run, by name.
fn newest(run: &Path) -> Option<String> {
    let names = std::fs::read_dir(run.join("checkpoints")).ok()?;
    names
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("ckpt-"))
        .max()
}

fn hash(run: &Path) -> Result<String, Box<dyn Error>> {
    Ok(Run::open(run)?.summary()?.ok_or("the run did not come to its end")?.weights_blake3)
}

/// 3: the program is killed on the card, and resumed there.
pub fn killed(given: &Given) -> Found {
    let folder = Folder::new("killed")?;
    let (whole, run) = (folder.0.join("whole"), folder.0.join("run"));
    let (code, said) = finished(spawn(given, &folder, &train(given, "whole", "cpu"))?)?;
    if code != Some(0) {
        return Err(format!("on the CPU: {said}").into());
    }
    let mut kills = 0;
    let mut running = spawn(given, &folder, &train(given, "run", "cuda"))?;
    let mut seen = None;
    let begun = Instant::now();
    // Whenever it has saved again, up to four times.
    while kills < 4 && running.try_wait()?.is_none() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(3));
        let now = newest(&run);
        if now == seen {
            continue;
        }
        seen = now;
        running.kill()?;
        running.wait()?;
        kills += 1;
        running = spawn(given, &folder, &["resume".into(), "run".into()])?;
    }
    let (code, said) = finished(running)?;
    if code != Some(0) || kills == 0 {
        return Err(format!("{kills} kills, exit code {code:?}: {said}").into());
    }
    match (hash(&whole)?, hash(&run)?) {
        (whole, run) if whole == run => Ok(format!(
            "{kills} times `kill -9` and `requel resume`, all on the card: the weights of a run on the CPU that was never interrupted, `{run}`."
        )),
        (whole, run) => Err(format!("{kills} kills; {whole} whole, {run} resumed").into()),
    }
}

/// 6: a device that is lost during a run, one without free memory, and one that does not exist.
pub fn lost(given: &Given) -> Found {
    let folder = Folder::new("lost")?;
    let (whole, run) = (folder.0.join("whole"), folder.0.join("run"));
    let (code, said) = finished(spawn(given, &folder, &train(given, "whole", "cpu"))?)?;
    if code != Some(0) {
        return Err(format!("on the CPU: {said}").into());
    }
    let arguments = train(given, "run", "cuda");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = given.program(&folder.0, &arguments)?;
    let (code, said) = finished(command.env("REQUEL_LOSE_DEVICE_OF", &run).spawn()?)?;
    if code != Some(1) || !said.contains("the device was lost") || said.contains("panicked") {
        return Err(format!("exit code {code:?}: {said}").into());
    }
    let message = said.lines().find(|line| line.contains("the device was lost")).unwrap_or_default().to_owned();
    let left = newest(&run).ok_or("no checkpoint is left")?;
    for arguments in [["verify", "run"], ["resume", "run"]] {
        let (code, said) = finished(spawn(given, &folder, &arguments.map(String::from))?)?;
        if code != Some(0) {
            return Err(format!("{} after the loss: exit code {code:?}: {said}", arguments[0]).into());
        }
    }
    let (whole, resumed) = (hash(&whole)?, hash(&run)?);
    if whole != resumed {
        return Err(format!("{whole} whole, {resumed} after the loss").into());
    }
    Ok(format!(
        "A kernel that traps ended the device for a run in the midst: exit code 1, \"{}\". Its last checkpoint, `{left}`, is whole, and \
         `requel resume` came to the weights of the run on the CPU, `{resumed}`.\n\n{}",
        message.trim_start_matches("error: ").trim(),
        refused(given)?
    ))
}

/// What is refused before anything is written.
fn refused(given: &Given) -> Found {
    let card = given.cuda.card(0)?;
    let (free, _) = card.memory()?;
    // As many layers of two billion numbers as do not fit.
    const WIDTH: usize = 4_096;
    let rows = (1 << 31) / WIDTH - 1;
    let layers = free / (4 * rows * WIDTH) + 1;
    let spec = NetworkSpec::mlp(WIDTH, &vec![WIDTH; layers], 4, Activation::Relu);
    let look = Look { by: Numbers::Online, rows, fractions: 1 };
    let sizes = NetworksSpec { looks: vec![look], rows_back: rows, ..NetworksSpec::default() };
    let refused = match DeviceNetworks::new(&card, Network::new(&spec)?, &sizes) {
        Err(error @ DeviceError::OutOfMemory { .. }) => error.to_string(),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("more memory than there is was given".into()),
    };
    let absent = given.cuda.card(99).err().ok_or("there is no device 99")?;
    Ok(format!("Too much memory: \"{refused}\". Another number: \"{absent}\"."))
}
