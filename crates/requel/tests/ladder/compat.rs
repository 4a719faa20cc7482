//! Checkpoints of every format that was ever written are read for ever.

use std::path::{Path, PathBuf};

use requel::checkpoint;
use requel::run::{Control, Ending, Run, Session};
use requel::storage::RealStorage;

use crate::support::files;

fn sample(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/compat/format-{format}"))
}

/// A copy that can be written to.
fn copy(from: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files(from) {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    dir
}

#[test]
fn samples_of_every_format_are_whole() {
    for format in [1] {
        let all = checkpoint::list(&RealStorage, &sample(format).join("checkpoints")).unwrap();
        assert_eq!(all.iter().map(|(steps, _)| *steps).collect::<Vec<_>>(), [200, 400], "format {format}");
        for (steps, path) in all {
            let checkpoint = checkpoint::read(&RealStorage, &path).unwrap();
            assert_eq!((checkpoint.manifest.format, checkpoint.manifest.env_steps), (format, steps));
            assert_eq!(checkpoint.state.read::<u64>("trainer/env_steps").unwrap(), steps);
        }
    }
}

/// From its first checkpoint on, a run of that time ends with the weights that it had then.
#[test]
fn a_run_of_format_1_goes_on_to_its_end() {
    let dir = copy(&sample(1));
    let expected = Run::open(&sample(1)).unwrap().summary().unwrap();
    std::fs::remove_dir_all(dir.path().join("checkpoints/ckpt-000000000400")).unwrap();
    let (session, resumed) = Session::resume(Run::open(dir.path()).unwrap()).unwrap();
    assert_eq!((resumed.env_steps, resumed.damaged.len()), (200, 0));
    let ending = session.train(&mut (), &Control::new()).unwrap();
    let Ending::Finished { summary, .. } = ending else { panic!("{ending:?}") };
    assert_eq!(summary.weights_blake3, expected.weights_blake3);
    let (ours, theirs) = (dir.path().join("metrics.jsonl"), sample(1).join("metrics.jsonl"));
    assert!(std::fs::read(ours).unwrap() == std::fs::read(theirs).unwrap());
}
