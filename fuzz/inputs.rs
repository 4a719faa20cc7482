//! What each fuzz target does with its input. The ordinary tests do the same with each file of the corpora.

use std::path::Path;

use requel::checkpoint;
use requel::config::Layers;
use requel::policy_file::PolicyFile;
use requel::storage::{MemoryStorage, Storage};
use requel::study::Evaluated;
use requel_envs::action_list;
use serde_json::json;

use course::Course;

/// The program's reader of metrics, which is in no library.
#[allow(dead_code, unreachable_pub)]
#[path = "../crates/cli/src/report/course.rs"]
mod course;

/// The program's reader of requests.
#[allow(dead_code, unreachable_pub)]
#[path = "../crates/cli/src/serve/http.rs"]
mod http;

/// And of the addresses and hosts in them.
#[allow(dead_code, unreachable_pub)]
#[path = "../crates/cli/src/serve/request.rs"]
mod request;

/// No page with the curves of a run is larger, bytes.
const MOST_PAGE: usize = 4 << 20;

/// What is done with an input.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("config", config),
    ("manifest", manifest),
    ("tensors", tensors),
    ("policy", policy),
    ("segment", segment),
    ("metrics", metrics),
    ("actions", actions),
    ("requests", requests),
];

/// A config file.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(config) = Layers::new().text("input", text).and_then(|layers| layers.resolve()) {
        config.check().expect("what resolves is in its ranges");
    }
    // A single setting is parsed by itself.
    drop(Layers::new().set(text));
}

/// A run's log of metrics, by both of its readers: the one behind comparisons and the one behind pages and `serve`.
pub fn metrics(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let evaluations = Evaluated::all_in(&text);
    assert!(evaluations.windows(2).all(|pair| pair[0].env_steps < pair[1].env_steps));
    assert!(evaluations.iter().all(|evaluated| evaluated.mean_return.is_finite()));
    let course = Course::read_from(input).expect("bytes can be read");
    let page = serde_json::to_string(&course).expect("columns are plain data");
    assert!(page.len() < MOST_PAGE, "{} bytes for a page", page.len());
}

/// A file of actions.
pub fn actions(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for n in [0, 1, 6, usize::MAX] {
        match action_list(text, n) {
            Ok(actions) => assert!(actions.iter().all(|action| *action < n)),
            Err(word) => assert!(!word.is_empty() && text.contains(word)),
        }
    }
}

/// The head of a request to `serve`. One that is for this machine names nothing but it and a port.
pub fn requests(input: &[u8]) {
    match http::parse(input) {
        Ok(request) => {
            drop(request::parse(&request.target));
            if request::is_loopback_host(&request.host) {
                let name = request.host.to_ascii_lowercase();
                let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(':');
                let is_address = name.chars().all(|c| c.is_ascii_hexdigit() || "[]:.".contains(c));
                assert!(name == "localhost" || is_address, "{name:?} is taken for this machine");
            }
        }
        Err((status, what)) => assert!((400..500).contains(&status) && !what.is_empty()),
    }
    // What is no request may still be an address or a host.
    let text = String::from_utf8_lossy(input);
    drop((request::parse(&text), request::is_loopback_host(&text)));
}

/// A policy.
pub fn policy(input: &[u8]) {
    if let Ok(policy) = PolicyFile::from_bytes(input) {
        let again = policy.to_bytes().expect("what was read can be written");
        let same = PolicyFile::from_bytes(&again).expect("what was written can be read");
        assert_eq!(bits(&same.parameters), bits(&policy.parameters));
    }
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|n| n.to_bits()).collect()
}

/// A manifest under a right seal, with no file that it may name.
pub fn manifest(input: &[u8]) {
    read(input, &[]);
}

/// A part of the state in safetensors, which the manifest has the right hash of.
pub fn tensors(input: &[u8]) {
    let entry = json!({ "bytes": input.len(), "blake3": blake3::hash(input).to_hex().as_str() });
    let text = sealed(json!({ "network.safetensors": entry }), json!({}));
    read(text.as_bytes(), &[("network.safetensors", input)]);
}

/// A segment, of which the first bytes say how it is declared and the rest is the file.
pub fn segment(input: &[u8]) {
    let Some((declared, file)) = input.split_first_chunk::<4>() else { return };
    let [rows, words, block, per_segment] = *declared;
    let blocks = file.chunks(usize::from(block).max(1)).map(|b| blake3::hash(b).to_hex().to_string());
    let entry = json!({
        "dtype": "U32",
        "shape": [rows, words],
        "bytes": u64::from(rows) * u64::from(words) * 4,
        "block_bytes": block,
        "blocks_per_segment": per_segment,
        "blocks": blocks.collect::<Vec<_>>(),
    });
    let text = sealed(json!({}), json!({ "replay/records": entry }));
    read(text.as_bytes(), &[("replay.records.00000.segment", file)]);
}

fn sealed(files: serde_json::Value, segmented: serde_json::Value) -> String {
    let manifest = json!({
        "format": 2, "requel": "0", "env_steps": 1, "generation": 0, "files": files, "segmented": segmented, "logs": {},
    });
    manifest.to_string()
}

/// Reads a checkpoint of these files: `read` and `verify` must agree on whether it is whole.
fn read(manifest: &[u8], files: &[(&str, &[u8])]) {
    let storage = MemoryStorage::new();
    let dir = Path::new("/c");
    storage.create_dir(dir).expect("an empty storage has room");
    let seal = format!("{}  manifest.json\n", blake3::hash(manifest).to_hex());
    let own = [("manifest.json", manifest), ("manifest.blake3", seal.as_bytes())];
    for (name, bytes) in own.iter().chain(files) {
        storage.create(&dir.join(name)).and_then(|mut file| file.write(bytes)).expect("a storage in memory takes all");
    }
    let is_whole = checkpoint::read(&storage, dir).is_ok();
    assert_eq!(is_whole, checkpoint::verify(&storage, dir).is_empty());
}
