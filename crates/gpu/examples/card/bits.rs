//! The same bits as on the CPU, from one to the other and back, and in every repetition.

use std::process::{Command, Stdio};
use std::time::Instant;

use requel_gpu::twin::{Waiting, races};

use crate::given::{Found, Given, advance};

/// 1: the CPU's weights after 2,000 updates, for each preset with images.
pub fn weights(given: &Given) -> Found {
    let mut lines = String::from(
        "84 × 84 × 4 bytes, the network of Mnih et al. 2015.\n\n| preset | updates | `weights_blake3`, CPU = card | CPU, s | card, s |\n|---|---|---|---|---|\n",
    );
    for preset in ["minatar-dqn", "minatar-c51", "minatar-rainbow", "minatar-pqn"] {
        let config = given.config(preset, given.updates())?;
        let (mut hashes, mut seconds, mut updates) = (Vec::new(), Vec::new(), 0);
        for device in ["cpu", "cuda"] {
            let begun = Instant::now();
            let mut trainer = given.trainer(&config, device)?;
            advance(&mut trainer, config.train.env_steps)?;
            hashes.push(trainer.weights_blake3()?);
            seconds.push(begun.elapsed().as_secs_f64());
            updates = trainer.updates();
        }
        if hashes[0] != hashes[1] || updates < given.updates() {
            let [cpu, card] = [&hashes[0], &hashes[1]];
            return Err(format!("{preset}, {updates} updates: {cpu} on the CPU, {card} on the card").into());
        }
        let [cpu, card] = [seconds[0], seconds[1]];
        lines += &format!("| `{preset}` | {updates} | `{}` | {cpu:.1} | {card:.1} |\n", hashes[0]);
    }
    Ok(lines)
}

/// 2: a training that moves from one to the other and back, compared with one that stays.
pub fn resumed(given: &Given) -> Found {
    let config = given.config("minatar-rainbow", given.updates() / 2)?;
    let thirds = [1, 2, 3].map(|third| 200 + (config.train.env_steps - 200) * third / 3);
    let mut whole = given.trainer(&config, "cpu")?;
    advance(&mut whole, thirds[2])?;
    let mut last = given.trainer(&config, "cpu")?;
    for (device, until) in ["cpu", "cuda", "cpu"].into_iter().zip(thirds) {
        let mut next = given.trainer(&config, device)?;
        if last.env_steps() > 0 {
            next.restore(&last.save()?)?;
        }
        advance(&mut next, until)?;
        last = next;
    }
    let same = last.save()? == whole.save()?;
    let (updates, hash) = (whole.updates(), whole.weights_blake3()?);
    match same {
        true => Ok(format!(
            "Rainbow, {updates} updates, a third on the CPU, one on the card, one on the CPU: the complete state is that of the CPU alone, \
             weights `{hash}`."
        )),
        false => Err("the states differ".into()),
    }
}

/// 5: whatever threads do, each repetition gives the same bits; and a look for races: NVIDIA's on the card where it is installed, and
/// in any case ThreadSanitizer's on the host.
pub fn repeated(given: &Given) -> Found {
    let config = given.config("minatar-rainbow", given.updates() / 20 + 1)?;
    let times = if given.is_twin { 2 } else { 20 };
    let mut first = None;
    for time in 0..times {
        let mut trainer = given.trainer(&config, "cuda")?;
        advance(&mut trainer, config.train.env_steps)?;
        let hash = trainer.weights_blake3()?;
        if *first.get_or_insert_with(|| hash.clone()) != hash {
            return Err(format!("repetition {time} has other weights").into());
        }
    }
    let on_the_card = sanitized(given)?;
    let on_the_host = match races(std::env::temp_dir(), Waiting::AsWritten) {
        Ok(Ok(found)) => found,
        Ok(Err(race)) => return Err(race.into()),
        Err(error) => format!("not made ({error})"),
    };
    Ok(format!(
        "{times} repetitions, one hash. `compute-sanitizer --tool racecheck` on the card: {on_the_card}. The kernels with a thread of the \
         host for each of the card's, under ThreadSanitizer: {on_the_host}."
    ))
}

fn sanitized(given: &Given) -> Found {
    if given.is_twin {
        return Ok("not asked for, there is no card".into());
    }
    let mut command = Command::new("compute-sanitizer");
    command.args(["--tool", "racecheck", "--error-exitcode", "9"]);
    command.arg(std::env::current_exe()?.with_file_name("program"));
    command.args(["train", "--preset", "minatar-rainbow", "--set", "train.device=cuda"]);
    let mut settings = given.settings("minatar-rainbow", 3);
    settings.extend(["replay.batch_size=4", "evaluation.final_episodes=1"].map(String::from));
    settings.iter().for_each(|setting| {
        command.args(["--set", setting]);
    });
    let folder = std::env::temp_dir();
    match command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Err(error) => Ok(format!("not made ({error})")),
        Ok(status) if status.success() => Ok("no race".into()),
        Ok(status) => Err(format!("compute-sanitizer --tool racecheck: {status}").into()),
    }
}
