//! Files that somebody made to do harm, with checksums that are right: each is a typed error, and takes no memory to speak of.

use std::collections::BTreeMap;
use std::path::Path;

use requel::Trainer;
use requel::checkpoint::{self, Contents, Destination, FileEntry, Segmenting};
use requel::config::Layers;
use requel::policy_file::PolicyFile;
use requel::storage::{MemoryStorage, Storage};

use crate::support::{Draws, short_training};

type Files = BTreeMap<String, Vec<u8>>;

/// A sound checkpoint, file by file.
fn sound() -> Files {
    let storage = MemoryStorage::new();
    storage.create_dir(Path::new("/c")).unwrap();
    let mut trainer = Trainer::new(short_training("notebook, 1 environments")).unwrap();
    (0..100).for_each(|_| assert!(trainer.advance(&mut ()).unwrap().is_none()));
    let segmenting = Segmenting { block_bytes: 512, blocks_per_segment: 2 };
    let destination = Destination { storage: &storage, root: Path::new("/c"), keep: 2, segmenting };
    let contents = Contents { env_steps: 100, state: &trainer.save().unwrap(), logs: BTreeMap::new() };
    let path = checkpoint::write(destination, &contents).unwrap();
    let names = storage.list(&path).unwrap();
    names.into_iter().map(|name| (name.clone(), storage.read(&path.join(&name)).unwrap())).collect()
}

/// Writes the files with a manifest that has their hashes, changed by `forge`, under a right seal.
fn forged(files: &Files, forge: impl FnOnce(&mut serde_json::Value)) -> MemoryStorage {
    let mut manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".safetensors") || *name == "state.json") {
        manifest["files"][name] = serde_json::to_value(FileEntry::of(bytes)).unwrap();
    }
    forge(&mut manifest);
    let text = serde_json::to_vec(&manifest).unwrap();
    let seal = format!("{}  manifest.json\n", blake3::hash(&text).to_hex());
    let storage = MemoryStorage::new();
    storage.create_dir(Path::new("/c")).unwrap();
    let put = |name: &str, bytes: &[u8]| storage.create(&Path::new("/c").join(name)).unwrap().write(bytes).unwrap();
    put("manifest.json", &text);
    put("manifest.blake3", seal.as_bytes());
    for (name, bytes) in files.iter().filter(|(name, _)| !name.starts_with("manifest")) {
        put(name, bytes);
    }
    storage
}

/// A safetensors file with this header before the data of `file`.
fn with_header(file: &[u8], header: &str) -> Vec<u8> {
    let len = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &file[8 + len..]].concat()
}

fn header(file: &[u8]) -> serde_json::Value {
    let len = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    serde_json::from_slice(&file[8..8 + len]).unwrap()
}

/// One hostile safetensors file out of a sound one.
fn hostile_tensors(sound: &[u8], kind: usize, draws: &mut Draws) -> Vec<u8> {
    let mut header = header(sound);
    let names: Vec<String> = header.as_object().unwrap().keys().filter(|k| *k != "__metadata__").cloned().collect();
    let name = &names[draws.below(names.len())];
    let huge = u64::MAX >> draws.below(30);
    match kind {
        0 => [&huge.to_le_bytes(), &sound[8..]].concat(),
        1 => [&(sound.len() as u64 - 7 + draws.below(1000) as u64).to_le_bytes(), &sound[8..]].concat(),
        2 => sound[..draws.below(sound.len())].to_vec(),
        3 => {
            header[name]["shape"] = serde_json::json!([huge, 1 + draws.below(9)]);
            with_header(sound, &header.to_string())
        }
        4 => {
            let end = header[name]["data_offsets"][1].as_u64().unwrap();
            header[name]["data_offsets"] = serde_json::json!([end + 1 + draws.below(99) as u64, end]);
            with_header(sound, &header.to_string())
        }
        5 => {
            header[name]["data_offsets"] = serde_json::json!([0, huge]);
            with_header(sound, &header.to_string())
        }
        6 => {
            header[name]["dtype"] = format!("F{}", 33 + draws.below(30)).into();
            with_header(sound, &header.to_string())
        }
        7 => {
            let depth = 200 + draws.below(20_000);
            with_header(sound, &("[".repeat(depth) + &"]".repeat(depth)))
        }
        8 => {
            // Of two entries of one name the first would go unread.
            let twice = format!("{{\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}},");
            with_header(sound, &header.to_string().replacen('{', &twice, 1))
        }
        _ => {
            let len = 8 + draws.below(4000);
            (0..len).map(|_| draws.below(256) as u8).collect()
        }
    }
}

/// What reading may take at most: what the files hold, some of it twice, and what a parser needs for a header.
const MOST_BYTES: u64 = 4 << 20;

#[test]
fn ten_thousand_hostile_checkpoints_are_refused_within_their_memory() {
    let sound = sound();
    checkpoint::read(&forged(&sound, |_| {}), Path::new("/c")).unwrap();
    let mut draws = Draws(5);
    let parts: Vec<&String> = sound.keys().filter(|name| name.ends_with(".safetensors")).collect();
    let mut most = 0;
    for number in 0..10_000 {
        let mut files = sound.clone();
        let huge = u64::MAX >> draws.below(30);
        let kind = number % 20;
        let part = parts[draws.below(parts.len())].clone();
        let storage = match kind {
            0..10 => {
                let hostile = hostile_tensors(&sound[&part], kind, &mut draws);
                files.insert(part, hostile);
                forged(&files, |_| {})
            }
            10 => {
                let depth = 200 + draws.below(20_000);
                files.insert("state.json".into(), "[".repeat(depth).into_bytes());
                forged(&files, |_| {})
            }
            11 => {
                files.insert("state.json".into(), sound["state.json"][..draws.below(50)].to_vec());
                forged(&files, |_| {})
            }
            12 => forged(&files, |m| m["files"][&part]["bytes"] = huge.into()),
            13 => forged(&files, |m| {
                let entry = m["files"][&part].clone();
                m["files"][format!("{}{part}", "../".repeat(1 + number % 7))] = entry;
            }),
            14 => forged(&files, |m| m["segmented"]["replay/records"]["bytes"] = huge.into()),
            15 => forged(&files, |m| m["segmented"]["replay/records"]["shape"] = serde_json::json!([huge, huge])),
            16 => forged(&files, |m| m["segmented"]["replay/records"]["block_bytes"] = (huge % 511).into()),
            17 => forged(&files, |m| {
                let entry = m["segmented"]["replay/records"].clone();
                m["segmented"][format!("{}x", "../".repeat(1 + number % 7))] = entry;
            }),
            18 => forged(&files, |m| m["format"] = (3 + huge % 1000).into()),
            _ => forged(&files, |m| *m = serde_json::json!(vec![huge; draws.below(100)])),
        };
        let mut result = None;
        let taken =
            allocation_counter::measure(|| result = Some(checkpoint::read(&storage, Path::new("/c")).map(|_| ())));
        assert!(result.unwrap().is_err(), "number {number}, kind {kind} was taken for a checkpoint");
        most = most.max(taken.bytes_max);
        assert!(taken.bytes_max < MOST_BYTES, "number {number}, kind {kind} took {} bytes", taken.bytes_max);
    }
    assert!(most > 0);
    println!("faults put in: 10000");
}

/// Nothing of a policy or a config is checked by a hash: whatever comes, it must be an answer.
#[test]
fn policies_and_configs_of_any_bytes_are_answered() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/format-1");
    let policy = std::fs::read(sample.join("best/policy.safetensors")).unwrap();
    let config = std::fs::read_to_string(sample.join("config.toml")).unwrap();
    PolicyFile::from_bytes(&policy).unwrap();
    let mut draws = Draws(6);
    for number in 0..2_000 {
        let hostile = if number % 2 == 0 {
            hostile_tensors(&policy, number / 2 % 10, &mut draws)
        } else {
            let mut changed = policy.clone();
            let at = draws.below(changed.len());
            changed[at] = draws.below(256) as u8;
            changed
        };
        let taken = allocation_counter::measure(|| drop(PolicyFile::from_bytes(&hostile)));
        assert!(taken.bytes_max < MOST_BYTES, "policy {number} took {} bytes", taken.bytes_max);
        let mut text = config.clone().into_bytes();
        for _ in 0..1 + number % 5 {
            let at = draws.below(text.len());
            text[at] = b" =[]{}\"'\n.#0123456789eE-_xoabnitf"[draws.below(33)];
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let taken = allocation_counter::measure(|| {
            drop(Layers::new().text("hostile", &text).and_then(|layers| layers.resolve()));
        });
        assert!(taken.bytes_max < MOST_BYTES, "config {number} took {} bytes", taken.bytes_max);
    }
    println!("faults put in: 4000");
}
