//! The logs of a run beside each other: what one says of a step, the others say too.

use std::collections::BTreeMap;
use std::path::Path;

use requel::config::Config;
use requel::run::{Control, Ending, Run, Session};
use serde_json::Value;

use crate::support::short_training;

fn trained(config: &Config) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::begin(Run::create(dir.path(), config).unwrap()).unwrap();
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
    dir
}

/// Values by env step, of one kind of line of `metrics.jsonl`.
fn metrics(dir: &Path, event: &str, key: &str) -> BTreeMap<u64, f64> {
    let text = std::fs::read_to_string(dir.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines = lines.filter(|line| line["event"] == event);
    lines.filter_map(|line| Some((line["env_steps"].as_u64()?, line[key].as_f64()?))).collect()
}

/// Values by env step, of a column of `progress.csv`; empty cells are left out.
fn table(dir: &Path, column: &str) -> BTreeMap<u64, f64> {
    let text = std::fs::read_to_string(dir.join("progress.csv")).unwrap();
    let mut rows = text.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let at = rows.next().unwrap().iter().position(|name| *name == column).unwrap();
    rows.filter_map(|row| Some((row[0].parse().unwrap(), row[at].parse().ok()?))).collect()
}

/// Values by env step, of a tag of TensorBoard's events.
fn points(dir: &Path, tag: &str) -> BTreeMap<u64, f64> {
    let bytes = std::fs::read(dir.join("tensorboard/events.out.tfevents.requel")).unwrap();
    let (mut rest, mut points) = (&bytes[..], BTreeMap::new());
    while !rest.is_empty() {
        let len = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let event = fields(&rest[12..12 + len]);
        rest = &rest[16 + len..];
        for summary in event.iter().filter(|field| field.0 == 5) {
            for value in fields(summary.2) {
                let value = fields(value.2);
                if value[0].2 == tag.as_bytes() {
                    let step = event.iter().find(|field| field.0 == 2).unwrap().1;
                    let value = f32::from_le_bytes(value[1].2.try_into().unwrap());
                    assert!(points.insert(step, f64::from(value)).is_none(), "{tag} has two points at {step}");
                }
            }
        }
    }
    points
}

/// The fields of a protocol buffer: number, value of a varint, bytes of all others.
fn fields(mut bytes: &[u8]) -> Vec<(u64, u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let (value, len) = match key & 7 {
            0 => (varint(&mut bytes), 0),
            1 => (0, 8),
            2 => (0, varint(&mut bytes) as usize),
            _ => (0, 4),
        };
        found.push((key >> 3, value, &bytes[..len]));
        bytes = &bytes[len..];
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// Scores at steps that have aggregates and at steps that have none, and an end that is no multiple of either interval.
#[test]
fn what_is_measured_at_a_step_stands_at_that_step_in_every_log() {
    let mut config = short_training("notebook, 3 environments");
    (config.train.env_steps, config.evaluation.every_episodes) = (760, 0);
    (config.log.every_steps, config.evaluation.every_steps) = (100, 150);
    let dir = trained(&config);
    let dir = dir.path();

    let scores = metrics(dir, "evaluation", "mean_return");
    assert_eq!(scores.keys().copied().collect::<Vec<_>>(), [150, 300, 450, 600, 750]);
    assert_eq!(table(dir, "eval/mean_reward"), scores);
    assert_eq!(table(dir, "eval/mean_ep_length"), metrics(dir, "evaluation", "mean_length"));
    let single = |values: BTreeMap<u64, f64>| values.into_iter().map(|(at, v)| (at, f64::from(v as f32))).collect();
    let single: &dyn Fn(BTreeMap<u64, f64>) -> BTreeMap<u64, f64> = &single;
    assert_eq!(points(dir, "eval/mean_reward"), single(scores));

    let told = metrics(dir, "train", "epsilon");
    // Three steps at a time: those at or beyond each hundred, and the last of all.
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), [102, 201, 300, 402, 501, 600, 702, 762]);
    let pairs = [
        ("epsilon", "rollout/exploration_rate"),
        ("loss", "train/loss"),
        ("mean_q", "train/mean_q"),
        ("return_mean_100", "rollout/ep_rew_mean"),
        ("length_mean_100", "rollout/ep_len_mean"),
        ("updates", "train/n_updates"),
        ("episodes", "time/episodes"),
    ];
    for (key, tag) in pairs {
        let values = metrics(dir, "train", key);
        let mut rows = table(dir, tag);
        rows.retain(|at, _| told.contains_key(at));
        assert_eq!(rows, values, "{tag}");
        assert_eq!(points(dir, tag), single(values), "{tag}");
    }
}

#[test]
fn an_end_that_was_told_is_told_once() {
    let mut config = short_training("notebook, 1 environments");
    (config.train.env_steps, config.evaluation.every_episodes) = (300, 0);
    (config.log.every_steps, config.evaluation.every_steps) = (100, 150);
    let dir = trained(&config);
    let text = std::fs::read_to_string(dir.path().join("progress.csv")).unwrap();
    let steps: Vec<&str> = text.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(steps, ["100", "150", "200", "300"]);
}

/// What Stable-Baselines3's `load_results` reads of the file: return, length and seconds of each episode.
fn monitor(dir: &Path) -> Vec<(f64, u64, f64)> {
    let text = std::fs::read_to_string(dir.join("monitor.csv")).unwrap();
    let mut lines = text.lines();
    let head: Value = serde_json::from_str(lines.next().unwrap().strip_prefix('#').unwrap()).unwrap();
    assert!(head["t_start"].as_f64().unwrap() > 1.7e9 && head["env_id"] == "CartPole-v1", "{head}");
    assert_eq!(lines.next(), Some("r,l,t"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), 3, "{line}");
        (cells[0].parse().unwrap(), cells[1].parse().unwrap(), cells[2].parse().unwrap())
    };
    lines.map(row).collect()
}

#[test]
fn the_monitor_has_each_episode_once_though_the_run_was_interrupted() {
    let mut config = short_training("notebook, 3 environments");
    config.log.monitor = true;
    let dir = tempfile::tempdir().unwrap();
    let control = Control::new();
    let mut stop = |event: &requel::TrainEvent<'_>| {
        if let requel::TrainEvent::EpisodeEnded { episode, .. } = event
            && episode.index == 9
        {
            control.request_stop();
        }
        Ok(())
    };
    let session = Session::begin(Run::create(dir.path(), &config).unwrap()).unwrap();
    assert!(matches!(session.train(&mut stop, &control).unwrap(), Ending::Interrupted { .. }));
    // What came after the checkpoint is written again, and what was torn is gone.
    let path = dir.path().join("monitor.csv");
    let torn = std::fs::read_to_string(&path).unwrap() + "9,9,1e9\n9,";
    std::fs::write(&path, torn).unwrap();
    let run = Run::open(dir.path()).unwrap();
    let (session, _) = Session::resume(run.clone()).unwrap();
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));

    let rows = monitor(dir.path());
    let text = std::fs::read_to_string(dir.path().join("metrics.jsonl")).unwrap();
    let episodes: Vec<(f64, u64)> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] == "episode")
        .map(|line| (line["return"].as_f64().unwrap(), line["length"].as_u64().unwrap()))
        .collect();
    assert!(episodes.len() > 15);
    assert_eq!(rows.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(), episodes);
    assert!(rows.is_sorted_by(|a, b| a.2 <= b.2), "times go on over both sessions");
    let verified = requel::run::verify(&run).unwrap();
    assert!(verified.damage.is_empty(), "{:?}", verified.damage);
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap().replacen("r,l,t", "r,l,u", 1)).unwrap();
    assert!(!requel::run::verify(&run).unwrap().damage.is_empty(), "the seal of a finished run has it");
    // Nothing of it is there unless it is asked for.
    assert!(!trained(&short_training("notebook, 1 environments")).path().join("monitor.csv").exists());
}
