//! Every input that fuzzing starts from or once found, on every ordinary test.

use std::path::Path;

#[path = "../../../../fuzz/inputs.rs"]
mod inputs;

use crate::support::Draws;

#[test]
fn every_file_of_the_corpora_is_answered() {
    for (name, target) in inputs::TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        let mut files: Vec<_> = std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no corpus");
        let mut draws = Draws(9);
        for file in files {
            let input = std::fs::read(&file).unwrap();
            target(&input);
            // And a little beside each.
            for _ in 0..50 {
                let mut changed = input.clone();
                for _ in 0..1 + draws.below(4) {
                    let at = draws.below(changed.len().max(1));
                    if let Some(byte) = changed.get_mut(at) {
                        *byte = draws.below(256) as u8;
                    }
                }
                changed.truncate(changed.len() - draws.below(2) * draws.below(changed.len().max(1)));
                target(&changed);
            }
        }
    }
}
