//! A checkpoint is whole or an error, and the previous one is there when the newest is damaged.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use requel::Trainer;
use requel::checkpoint::{self, CheckpointError, Contents, Destination, LogEntry, Segmenting};
use requel::run::{Control, Ending, Run, Session};
use requel::storage::RealStorage;

use crate::support::{Draws, files, short_training};

fn log(bytes: u64) -> BTreeMap<String, LogEntry> {
    BTreeMap::from([("metrics.jsonl".to_owned(), LogEntry { bytes, blake3: None })])
}

/// Writes the state of a trainer as the checkpoint of `env_steps`.
fn write(root: &Path, keep: usize, env_steps: u64, trainer: &Trainer) -> Result<PathBuf, CheckpointError> {
    let destination = Destination { storage: &RealStorage, root, keep, segmenting: Segmenting::default() };
    checkpoint::write(destination, &Contents { env_steps, state: &trainer.save().unwrap(), logs: log(10 * env_steps) })
}

fn read(path: &Path) -> Result<checkpoint::Checkpoint, CheckpointError> {
    checkpoint::read(&RealStorage, path)
}

/// Checkpoints of a short training at these env steps.
fn checkpoints(root: &Path, at: &[u64], keep: usize) -> Vec<PathBuf> {
    let mut trainer = Trainer::new(short_training("hard by updates, 1 environments")).unwrap();
    at.iter()
        .map(|steps| {
            while trainer.env_steps() < *steps {
                trainer.advance(&mut ()).unwrap();
            }
            write(root, keep, *steps, &trainer).unwrap()
        })
        .collect()
}

fn steps(root: &Path) -> Vec<u64> {
    checkpoint::list(&RealStorage, root).unwrap().into_iter().map(|(steps, _)| steps).collect()
}

/// Puts a manifest in place whose seal is right: only what it says is wrong.
fn forge(path: &Path, manifest: &serde_json::Value) {
    let text = serde_json::to_vec_pretty(manifest).unwrap();
    fs::write(path.join("manifest.blake3"), format!("{}  manifest.json\n", blake3::hash(&text).to_hex())).unwrap();
    fs::write(path.join("manifest.json"), text).unwrap();
}

fn manifest(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn what_was_written_is_read() {
    let root = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(short_training("a full ring, 3 environments")).unwrap();
    while trainer.env_steps() < 400 {
        trainer.advance(&mut ()).unwrap();
    }
    let path = write(root.path(), 2, 400, &trainer).unwrap();
    let found = read(&path).unwrap();
    assert_eq!(found.state, trainer.save().unwrap());
    assert_eq!((found.manifest.env_steps, found.manifest.logs), (400, log(4000)));
    assert!(checkpoint::verify(&RealStorage, &path).is_empty());
    // Written again it has the same bytes: nothing in it depends on a clock or on the order of a hash.
    let before = files(&path);
    assert_eq!(files(&write(root.path(), 2, 400, &trainer).unwrap()), before);
}

#[test]
fn one_flipped_bit_anywhere_is_found() {
    let root = tempfile::tempdir().unwrap();
    let path = &checkpoints(root.path(), &[200], 2)[0];
    let mut draws = Draws(3);
    for (name, bytes) in files(path) {
        // The manifests whole: a digit of theirs turns into another digit.
        let positions: Vec<usize> = if name.starts_with("manifest") {
            (0..bytes.len()).collect()
        } else {
            (0..40).map(|_| draws.below(bytes.len())).chain([0, 8, bytes.len() - 1]).collect()
        };
        for position in positions {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1 << draws.below(8);
            fs::write(path.join(&name), &damaged).unwrap();
            let error = read(path).err().unwrap_or_else(|| panic!("{name}, byte {position}"));
            assert!(matches!(error, CheckpointError::Damaged { .. }), "{name}, byte {position}: {error}");
        }
        fs::write(path.join(&name), &bytes).unwrap();
    }
    read(path).unwrap();
}

#[test]
fn a_file_cut_short_grown_missing_or_of_another_checkpoint_is_found() {
    let root = tempfile::tempdir().unwrap();
    let paths = checkpoints(root.path(), &[200, 300], 2);
    let others = files(&paths[0]);
    let mut swapped = 0;
    for (name, bytes) in files(&paths[1]) {
        let file = paths[1].join(&name);
        let grown = [&bytes[..], b"\n"].concat();
        let mut all_damaged = vec![&bytes[..0], &bytes[..bytes.len() / 2], &bytes[..bytes.len() - 1], &grown];
        // The best policy may be the same in both.
        if others[&name] != bytes {
            all_damaged.push(&others[&name]);
            swapped += 1;
        }
        for damaged in all_damaged {
            fs::write(&file, damaged).unwrap();
            let error = read(&paths[1]).err().unwrap_or_else(|| panic!("{name}"));
            assert!(matches!(error, CheckpointError::Damaged { .. }), "{name}: {error}");
        }
        fs::remove_file(&file).unwrap();
        let error = read(&paths[1]).unwrap_err();
        assert!(matches!(error, CheckpointError::Io { .. }) && error.to_string().contains(&name), "{error}");
        fs::write(&file, &bytes).unwrap();
    }
    assert!(swapped >= 6, "{swapped}");
    read(&paths[1]).unwrap();
}

#[test]
fn manifests_that_lead_elsewhere_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = &checkpoints(root.path(), &[100], 2)[0];
    let secret = b"what lies beside a checkpoint";
    fs::write(root.path().join("secret.safetensors"), secret).unwrap();
    let good = manifest(path);
    let outside = root.path().join("secret.safetensors");
    for name in
        ["../secret.safetensors", "..", ".", "", "/etc/hostname", "a/../../secret.safetensors", "..\\x", ".hidden"]
    {
        let mut forged = good.clone();
        forged["files"][name] = serde_json::json!({
            "bytes": secret.len(), "blake3": blake3::hash(secret).to_hex().to_string(),
        });
        forge(path, &forged);
        let error = read(path).unwrap_err();
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{name:?}: {error}");
    }
    let mut forged = good.clone();
    forged["files"][outside.to_str().unwrap()] = serde_json::json!({ "bytes": secret.len(), "blake3": "" });
    forge(path, &forged);
    assert!(matches!(read(path), Err(CheckpointError::Damaged { .. })));

    // A length that no memory holds takes none.
    let mut forged = good.clone();
    forged["files"]["state.json"]["bytes"] = u64::MAX.into();
    forge(path, &forged);
    assert!(matches!(read(path), Err(CheckpointError::TooLarge { .. })));
    forged["files"]["state.json"]["bytes"] = (1 << 20).into();
    forge(path, &forged);
    assert!(matches!(read(path), Err(CheckpointError::Damaged { .. })));
    for text in
        ["", "null", "[]", "{}", "{\"format\": 1}", "{\"format\": \"1\"}", "{\"format\": -1}", "{\"format\": 2}"]
    {
        fs::write(path.join("manifest.blake3"), format!("{}  manifest.json\n", blake3::hash(text.as_bytes()).to_hex()))
            .unwrap();
        fs::write(path.join("manifest.json"), text).unwrap();
        assert!(matches!(read(path), Err(CheckpointError::Damaged { .. })), "{text}");
    }
    forge(path, &good);
    read(path).unwrap();
}

#[test]
fn another_format_is_no_damage() {
    let root = tempfile::tempdir().unwrap();
    let paths = checkpoints(root.path(), &[100, 200], 2);
    let mut forged = manifest(&paths[1]);
    forged["format"] = 3.into();
    forged["what_comes_later"] = true.into();
    forge(&paths[1], &forged);
    let is_format = |error| matches!(error, CheckpointError::Format { found: 3, newest: 2, .. });
    assert!(is_format(read(&paths[1]).unwrap_err()));
    // Going on from the older one would undo what the newer version did.
    assert!(is_format(checkpoint::newest(&RealStorage, root.path()).unwrap_err()));
}

#[test]
fn the_newest_whole_one_is_found_and_the_damaged_are_named() {
    let root = tempfile::tempdir().unwrap();
    assert!(checkpoint::newest(&RealStorage, root.path()).unwrap().checkpoint.is_none());
    assert!(checkpoint::newest(&RealStorage, &root.path().join("nothing")).unwrap().checkpoint.is_none());
    let paths = checkpoints(root.path(), &[100, 200, 300], 3);
    fs::write(paths[2].join("state.json"), "{}").unwrap();
    fs::remove_file(paths[1].join("manifest.json")).unwrap();
    let newest = checkpoint::newest(&RealStorage, root.path()).unwrap();
    assert_eq!(newest.checkpoint.unwrap().manifest.env_steps, 100);
    assert_eq!(newest.damaged.len(), 2);
    assert!(newest.damaged[0].to_string().contains("ckpt-000000000300/state.json"), "{}", newest.damaged[0]);
    assert!(newest.damaged[1].to_string().contains("ckpt-000000000200/manifest.json"), "{}", newest.damaged[1]);
}

#[test]
fn as_many_are_kept_as_wanted() {
    for keep in [2, 3] {
        let root = tempfile::tempdir().unwrap();
        checkpoints(root.path(), &[10, 20, 30, 40], keep);
        assert_eq!(steps(root.path()), [10, 20, 30, 40][4 - keep..]);
    }
}

/// A damaged checkpoint of later steps must not count as one that is kept, or the new one would be thrown away for it.
#[test]
fn damaged_later_ones_push_out_nothing_whole() {
    let root = tempfile::tempdir().unwrap();
    for path in checkpoints(root.path(), &[100, 200], 2) {
        fs::write(path.join("manifest.json"), "").unwrap();
    }
    let new = checkpoints(root.path(), &[50, 60], 2);
    assert_eq!(steps(root.path()), [50, 60, 100, 200]);
    assert!(new.iter().all(|path| read(path).is_ok()));
    // At its own steps a damaged one is replaced.
    checkpoints(root.path(), &[100], 2);
    assert_eq!(steps(root.path()), [60, 100, 200]);
    assert_eq!(checkpoint::newest(&RealStorage, root.path()).unwrap().checkpoint.unwrap().manifest.env_steps, 100);
}

#[test]
fn what_a_cut_off_save_leaves_does_no_harm() {
    let root = tempfile::tempdir().unwrap();
    checkpoints(root.path(), &[100], 2);
    for name in [".staged-ckpt-000000000200", ".staged-ckpt-000000000150", ".replaced-ckpt-000000000100"] {
        fs::create_dir(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join("network.safetensors"), "half of").unwrap();
    }
    assert_eq!(checkpoint::newest(&RealStorage, root.path()).unwrap().checkpoint.unwrap().manifest.env_steps, 100);
    assert!(checkpoint::newest(&RealStorage, root.path()).unwrap().damaged.is_empty());
    let path = &checkpoints(root.path(), &[200], 2)[0];
    read(path).unwrap();
    let names = fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with('.')).count(), 0);
}

#[test]
fn a_disk_that_refuses_is_an_error_and_what_was_there_stays() {
    let root = tempfile::tempdir().unwrap();
    let paths = checkpoints(root.path(), &[100, 200], 2);
    // A run that was removed meanwhile is not made again.
    let trainer = Trainer::new(short_training("notebook, 1 environments")).unwrap();
    let error = write(&root.path().join("nowhere/checkpoints"), 2, 300, &trainer).unwrap_err();
    assert!(matches!(error, CheckpointError::Io { .. }), "{error}");
    assert!(paths.iter().all(|path| read(path).is_ok()));
    let file = root.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(write(&file, 2, 1, &trainer), Err(CheckpointError::Io { .. })));
    assert!(matches!(checkpoint::list(&RealStorage, &file), Err(CheckpointError::Io { .. })));
}

/// From a damaged newest checkpoint, back over the previous one, to the bytes of the undisturbed run.
#[test]
fn a_run_whose_newest_checkpoint_is_damaged_goes_on_from_the_previous_one() {
    let config = short_training("soft by env steps, 3 environments");
    let root = tempfile::tempdir().unwrap();
    let train = |name: &str| {
        let dir = root.path().join(name);
        Session::begin(Run::create(&dir, &config).unwrap()).unwrap().train(&mut (), &Control::new()).unwrap();
        dir
    };
    let (whole, damaged) = (train("whole"), train("damaged"));
    let (_, newest) = checkpoint::list(&RealStorage, &damaged.join("checkpoints")).unwrap().pop().unwrap();
    let replay = newest.join("replay.safetensors");
    let mut bytes = fs::read(&replay).unwrap();
    bytes[1000] ^= 4;
    fs::write(&replay, bytes).unwrap();
    let (session, resumed) = Session::resume(Run::open(&damaged).unwrap()).unwrap();
    assert!(resumed.env_steps > 0 && resumed.env_steps < 700, "{}", resumed.env_steps);
    assert_eq!(resumed.damaged.len(), 1);
    assert!(resumed.damaged[0].to_string().contains("replay.safetensors is damaged"), "{}", resumed.damaged[0]);
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
    let comparable = |dir: &Path| {
        let mut files = files(dir);
        // A manifest says how often was saved, and what TensorBoard's events with their times are.
        files.retain(|name, _| {
            !name.starts_with("tensorboard")
                && name != "timing.csv"
                && name != "provenance.json"
                && name != "checksums.blake3"
                && !name.contains("/manifest.")
        });
        files
    };
    let (ours, theirs) = (comparable(&damaged), comparable(&whole));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    assert!(ours.iter().all(|(name, bytes)| *bytes == theirs[name]));
}
