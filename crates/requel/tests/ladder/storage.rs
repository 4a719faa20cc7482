//! A save with a fault at every single call: the old checkpoint or the new one is whole, and no failure is silent.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use requel::checkpoint::{self, CheckpointError, Contents, Destination, Segmenting};
use requel::run::{Control, Ending, Run, RunError, Session};
use requel::state::State;
use requel::storage::{Fault, FaultyStorage, MemoryStorage, RealStorage, Storage};

use crate::support::{files, short_training};

/// Small blocks, so that a small state has several segments of several blocks.
const SMALL: Segmenting = Segmenting { block_bytes: 64, blocks_per_segment: 3 };

fn root() -> PathBuf {
    PathBuf::from("/run/checkpoints")
}

/// A disk with the directory of a run, which survives a crash.
fn disk() -> Arc<MemoryStorage> {
    let storage = MemoryStorage::new();
    storage.create_dir(Path::new("/run")).unwrap();
    storage.sync_dir(Path::new("/")).unwrap();
    Arc::new(storage)
}

/// Arrays of a state that differs with its steps: weights all over, the buffer only where a ring was written to.
struct Arrays {
    weights: Vec<f32>,
    records: Vec<u32>,
}

impl Arrays {
    fn at(env_steps: u64) -> Self {
        let last_written = |place: u64| if place < env_steps { place + (env_steps - 1 - place) / 300 * 300 } else { 0 };
        Arrays {
            weights: (0..20).map(|i| (env_steps * 31 + i) as f32).collect(),
            records: (0..300).map(|place| last_written(place) as u32).collect(),
        }
    }

    fn state(&self, env_steps: u64) -> State<'_> {
        let mut state = State::default();
        state.put_f32("network/weights", vec![4, 5], &self.weights);
        state.put_u32("replay/records", vec![100, 3], &self.records);
        state.put("trainer/env_steps", env_steps);
        state
    }
}

fn save(storage: &dyn Storage, root: &Path, env_steps: u64) -> Result<PathBuf, CheckpointError> {
    let arrays = Arrays::at(env_steps);
    let destination = Destination { storage, root, keep: 2, segmenting: SMALL };
    checkpoint::write(destination, &Contents { env_steps, state: &arrays.state(env_steps), logs: BTreeMap::new() })
}

/// The steps of the newest whole checkpoint, whose state must be the one of those steps.
fn newest(storage: &dyn Storage) -> Option<u64> {
    let newest = checkpoint::newest(storage, &root()).unwrap().checkpoint?;
    let env_steps = newest.manifest.env_steps;
    assert_eq!(newest.state, Arrays::at(env_steps).state(env_steps));
    Some(env_steps)
}

/// Saves at these steps one after the other, the last one with a fault at every call: hands each to `check` with the number of
/// the call, the disk as it was before, the disk after, and what the save said.
fn with_faults(
    steps: &[u64],
    fault: Fault,
    mut check: impl FnMut(u64, &MemoryStorage, Result<PathBuf, CheckpointError>),
) -> u64 {
    let before = disk();
    let (last, earlier) = steps.split_last().unwrap();
    earlier.iter().for_each(|steps| assert!(save(&*before, &root(), *steps).is_ok()));
    for call in 0.. {
        let storage = Arc::new(before.fork());
        let faulty = FaultyStorage::new(Arc::clone(&storage), call, fault);
        let result = save(&faulty, &root(), *last);
        if !faulty.struck() {
            assert!(result.is_ok());
            return call;
        }
        check(call, &storage, result);
    }
    unreachable!()
}

/// The first save of all, one with segments to use again, and one in the place of nothing.
const HISTORIES: [&[u64]; 3] = [&[100], &[100, 150, 170], &[100, 250, 400, 410, 430]];

#[test]
fn a_crash_at_any_call_leaves_the_old_or_the_new_checkpoint() {
    let mut crashes = 0;
    for steps in HISTORIES {
        let (new, old) = (*steps.last().unwrap(), steps.iter().rev().nth(1).copied());
        let calls = with_faults(steps, Fault::Crash, |call, storage, result| {
            for seed in 0..40 {
                let left = storage.crash(seed * 1000 + call);
                let found = newest(&left);
                assert!(found == old || found == Some(new), "crash at call {call}, {seed}: {found:?}");
                assert!(result.is_err() || found == Some(new), "call {call}: said to be saved, and lost");
                // Training goes on from what is left, and saves again.
                save(&left, &root(), new + 50).unwrap();
                assert_eq!(newest(&left), Some(new + 50));
                let names = left.list(&root()).unwrap();
                assert!(names.iter().all(|name| name.starts_with("ckpt-")), "{names:?}");
                crashes += 1;
            }
        });
        assert!(calls > 30, "{calls}");
    }
    assert!(crashes > 4000, "{crashes}");
    println!("faults put in: {crashes}");
}

/// After the save has said that all is well, no crash takes it back.
#[test]
fn what_was_saved_survives_every_crash() {
    let storage = disk();
    for env_steps in [100, 150, 170, 400, 401, 402, 700] {
        save(&*storage, &root(), env_steps).unwrap();
        (0..200).for_each(|seed| assert_eq!(newest(&storage.crash(seed)), Some(env_steps)));
    }
    println!("faults put in: {}", 7 * 200);
}

#[test]
fn an_error_at_any_call_is_heard_and_costs_no_earlier_checkpoint() {
    use ErrorKind::{Other, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let (mut faults, mut silent) = (0, 0);
    for steps in HISTORIES {
        let (new, old) = (*steps.last().unwrap(), steps.iter().rev().nth(1).copied());
        for kind in [StorageFull, Other, PermissionDenied, ReadOnlyFilesystem] {
            for fault in [Fault::Once(kind), Fault::FromThenOn(kind)] {
                with_faults(steps, fault, |call, storage, result| {
                    let found = newest(storage);
                    faults += 1;
                    match &result {
                        // Only where it does without: a second name of a file that can be written instead.
                        Ok(_) => {
                            assert_eq!(found, Some(new), "{fault:?} at call {call}");
                            silent += 1;
                        }
                        Err(_) => assert!(found == old || found == Some(new), "{fault:?} at call {call}: {found:?}"),
                    }
                    if let Some(old) = old.filter(|_| found != Some(new)) {
                        // Not only is there one: nothing of it was touched.
                        let path = root().join(format!("ckpt-{old:012}"));
                        assert!(checkpoint::verify(storage, &path).is_empty());
                    }
                    save(storage, &root(), new + 50).unwrap();
                    assert_eq!(newest(storage), Some(new + 50));
                });
            }
        }
    }
    assert!(silent > 0);
    println!("faults put in: {faults}");
}

#[test]
fn unchanged_segments_are_used_again_and_never_by_the_next_checkpoint() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let segments = |path: &Path| -> BTreeMap<String, u64> {
        let entries = std::fs::read_dir(path).unwrap().map(Result::unwrap);
        let segments = entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "segment"));
        segments.map(|e| (e.file_name().into_string().unwrap(), e.metadata().unwrap().ino())).collect()
    };
    let mut written: Vec<BTreeMap<String, u64>> = Vec::new();
    for env_steps in [250, 251, 252, 253, 254, 255] {
        let path = save(&RealStorage, dir.path(), env_steps).unwrap();
        let new = segments(&path);
        // 300 words of 4 bytes in files of 3 blocks of 64 bytes.
        assert_eq!(new.len(), 7);
        if let Some(before) = written.last() {
            assert!(new.iter().all(|(name, file)| before[name] != *file), "shared with the one before");
        }
        if let Some(twice_before) = written.iter().rev().nth(1) {
            let shared = new.iter().filter(|(name, file)| twice_before[*name] == **file).count();
            assert_eq!(shared, 6, "all but the one that was written to");
        }
        written.push(new);
    }
    // Damage to a shared file is found by the next save, which writes it anew, and the neighbour is whole.
    let newest = checkpoint::list(&RealStorage, dir.path()).unwrap();
    let (older, newer) = (&newest[0].1, &newest[1].1);
    let file = older.join("replay.records.00002.segment");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 8;
    std::fs::write(&file, bytes).unwrap();
    assert!(checkpoint::read(&RealStorage, newer).is_ok());
    let findings = checkpoint::verify(&RealStorage, older);
    assert_eq!(findings.len(), 1);
    let text = findings[0].to_string();
    assert!(text.contains("replay.records.00002.segment") && text.contains("block 7 (its bytes 64 to 128)"), "{text}");
    let path = save(&RealStorage, dir.path(), 256).unwrap();
    assert!(checkpoint::verify(&RealStorage, &path).is_empty());
}

#[test]
fn segments_with_one_flipped_bit_cut_short_or_swapped_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let other = save(&RealStorage, dir.path(), 100).unwrap();
    let path = save(&RealStorage, dir.path(), 400).unwrap();
    let others = files(&other);
    let all = files(&path);
    for (name, bytes) in all.iter().filter(|(name, _)| name.ends_with(".segment")) {
        let file = path.join(name);
        let flips = (0..bytes.len()).map(|at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            flipped
        });
        let cuts = (0..bytes.len()).step_by(64).map(|len| bytes[..len].to_vec());
        for damaged in flips.chain(cuts).chain([others[name].clone()]).filter(|damaged| damaged != bytes) {
            std::fs::write(&file, damaged).unwrap();
            let error = checkpoint::read(&RealStorage, &path).unwrap_err();
            assert!(matches!(error, CheckpointError::Damaged { .. }) && error.to_string().contains(name), "{error}");
        }
        std::fs::write(&file, bytes).unwrap();
    }
    assert!(checkpoint::verify(&RealStorage, &path).is_empty());
}

/// A checkpoint as a run writes it, with 4 MiB and a little more of transitions, cut at some of its 64-byte boundaries.
#[test]
fn a_checkpoint_cut_at_64_byte_boundaries_is_found() {
    assert!(cut_at_boundaries(97) > 600);
}

/// At all of them. Run by `cargo xtask faults R4`.
#[test]
#[ignore = "takes a minute"]
fn a_checkpoint_cut_at_any_64_byte_boundary_is_found() {
    let cuts = cut_at_boundaries(1);
    assert!(cuts > 65_536, "{cuts}");
    println!("faults put in: {cuts}");
}

/// Cuts each file at every so many-th boundary of 64 bytes; how often.
fn cut_at_boundaries(stride: usize) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let weights: Vec<f32> = (0..4_610).map(|i| i as f32).collect();
    let records: Vec<u32> = (0..96_000 * 11).collect();
    let mut state = State::default();
    state.put_f32("network/weights", vec![weights.len()], &weights);
    state.put_f32("optimizer/m", vec![weights.len()], &weights);
    state.put_u32("replay/records", vec![96_000, 11], &records);
    state.put("trainer/env_steps", 96_000);
    let destination =
        Destination { storage: &RealStorage, root: dir.path(), keep: 2, segmenting: Segmenting::default() };
    let contents = Contents { env_steps: 96_000, state: &state, logs: BTreeMap::new() };
    let path = checkpoint::write(destination, &contents).unwrap();
    let mut cuts = 0;
    for (name, bytes) in files(&path) {
        let file = std::fs::OpenOptions::new().write(true).open(path.join(&name)).unwrap();
        // From the end on, so that nothing need be written again in between.
        for len in (0..bytes.len()).step_by(64 * stride).rev() {
            file.set_len(len as u64).unwrap();
            let findings = checkpoint::verify(&RealStorage, &path);
            let said = findings.first().map(ToString::to_string).unwrap_or_default();
            assert!(said.contains(&name.replace("manifest.blake3", "manifest")), "{name} cut to {len}: {said:?}");
            cuts += 1;
        }
        std::fs::write(path.join(&name), bytes).unwrap();
    }
    assert!(checkpoint::verify(&RealStorage, &path).is_empty());
    cuts
}

/// Manifests with a right seal that declare what cannot be.
#[test]
fn segments_that_are_not_what_they_declare_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = save(&RealStorage, dir.path(), 400).unwrap();
    let good: serde_json::Value = serde_json::from_slice(&std::fs::read(path.join("manifest.json")).unwrap()).unwrap();
    let forge = |text: &str| {
        let seal = format!("{}  manifest.json\n", blake3::hash(text.as_bytes()).to_hex());
        std::fs::write(path.join("manifest.blake3"), seal).unwrap();
        std::fs::write(path.join("manifest.json"), text).unwrap();
    };
    let most = u64::MAX;
    let wrong = [
        ("shape", serde_json::json!([100, 4])),
        ("shape", serde_json::json!([most, most])),
        ("shape", serde_json::json!([0])),
        ("dtype", "F64".into()),
        ("dtype", "F4".into()),
        ("bytes", most.into()),
        ("bytes", 0.into()),
        ("block_bytes", 0.into()),
        ("block_bytes", most.into()),
        ("blocks_per_segment", 0.into()),
        ("blocks_per_segment", most.into()),
        ("blocks_per_segment", 2.into()),
        ("blocks", serde_json::json!([])),
        ("what", 1.into()),
    ];
    for (key, value) in wrong {
        let mut forged = good.clone();
        forged["segmented"]["replay/records"][key] = value.clone();
        forge(&forged.to_string());
        let error = checkpoint::read(&RealStorage, &path).err().unwrap_or_else(|| panic!("{key} = {value}"));
        assert!(
            matches!(
                error,
                CheckpointError::Damaged { .. } | CheckpointError::TooLarge { .. } | CheckpointError::Io { .. }
            ),
            "{key}: {error}"
        );
    }
    for name in ["../x", "/etc/x", ".x", "", "replay\\x", "x\u{0}y"] {
        let mut forged = good.clone();
        forged["segmented"][name] = good["segmented"]["replay/records"].clone();
        forge(&forged.to_string());
        assert!(checkpoint::read(&RealStorage, &path).is_err(), "{name:?}");
    }
    // Of two entries of one name, one would go unread.
    let text = good.to_string();
    forge(&text.replacen("\"state.json\":", "\"state.json\":{\"bytes\":1,\"blake3\":\"\"},\"state.json\":", 1));
    let error = checkpoint::read(&RealStorage, &path).unwrap_err().to_string();
    assert!(error.contains("`state.json` appears twice"), "{error}");
    forge(&text);
    checkpoint::read(&RealStorage, &path).unwrap();
}

/// Checkpoints are written while training goes on; what goes wrong there is heard all the same.
#[test]
fn a_save_that_fails_in_the_background_stops_the_run_loudly() {
    let config = short_training("a full ring, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let finish = |session: Session| session.train(&mut (), &Control::new());
    let metrics = |dir: &Path| std::fs::read(dir.join("metrics.jsonl")).unwrap();
    finish(Session::begin(Run::create(&whole, &config).unwrap()).unwrap()).unwrap();
    let mut stopped = 0;
    for call in (0..200).step_by(7) {
        let dir = root.path().join(format!("{call}"));
        let faulty = FaultyStorage::new(Arc::new(RealStorage), call, Fault::FromThenOn(ErrorKind::StorageFull));
        let faulty = Arc::new(faulty);
        let session = Session::begin(Run::create(&dir, &config).unwrap()).unwrap();
        let result = finish(session.with_storage(Arc::clone(&faulty) as Arc<dyn Storage>));
        match result {
            Err(RunError::Checkpoint(error)) => assert!(error.to_string().contains("cannot"), "{error}"),
            Err(error) => panic!("call {call}: {error}"),
            Ok(_) => {
                assert!(!faulty.struck(), "call {call}: nothing was said");
                continue;
            }
        }
        stopped += 1;
        let (session, resumed) = Session::resume(Run::open(&dir).unwrap()).unwrap();
        assert!(resumed.damaged.is_empty(), "call {call}: {:?}", resumed.damaged);
        assert!(matches!(finish(session).unwrap(), Ending::Finished { .. }));
        assert!(metrics(&dir) == metrics(&whole), "call {call}");
    }
    assert!(stopped > 15, "{stopped}");
    println!("faults put in: {stopped}");
}

#[test]
fn a_run_whose_directory_is_removed_stops_at_the_next_save() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    let session = Session::begin(Run::create(&dir, &config).unwrap()).unwrap();
    let mut remove = |event: &requel::TrainEvent<'_>| {
        if matches!(event, requel::TrainEvent::Progress(_)) && dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        Ok(())
    };
    let error = session.train(&mut remove, &Control::new()).unwrap_err();
    assert!(matches!(error, RunError::Checkpoint(CheckpointError::Io { .. })), "{error}");
    assert!(!dir.exists(), "a directory that a person removed is not made again");
}
