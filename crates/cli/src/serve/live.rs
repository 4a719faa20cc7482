//! Server-sent events, for programs: the list when it changes, and the curves of runs while their logs grow. Pages poll instead: a browser
//! opens few connections to one host, and one kept open in each of many tabs would block the others.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::changes::Changes;
use super::request::{Chosen, Known};

/// How often changes are checked.
const PERIOD: Duration = Duration::from_secs(1);
/// A comment is sent at least this often, so that a reader that left is noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Writes events until the reader leaves or `over` returns true.
///
/// # Errors
/// The error of the writer: the reader has left.
pub fn stream(out: &mut dyn Write, changes: &Changes, chosen: &Chosen, over: &dyn Fn() -> bool) -> io::Result<()> {
    let mut known = Known::default();
    let mut spoken = Instant::now();
    while !over() {
        let delta = changes.since(known, chosen);
        known = Known { list: delta.revision, courses: delta.revision };
        if let Some(runs) = &delta.runs {
            write!(out, "event: runs\ndata: {runs}\n\n")?;
        }
        for (name, course) in &delta.courses {
            write!(out, "event: course\ndata: {{\"name\":{},\"course\":{course}}}\n\n", serde_json::to_string(name)?)?;
        }
        if delta.runs.is_some() || !delta.courses.is_empty() {
            spoken = Instant::now();
        }
        if spoken.elapsed() > HEARTBEAT {
            out.write_all(b": still here\n\n")?;
            spoken = Instant::now();
        }
        out.flush()?;
        let next = Instant::now() + PERIOD;
        while Instant::now() < next && !over() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use requel::Config;
    use requel::run::Run;

    use super::*;
    use crate::serve::listing::Listing;

    #[test]
    fn what_changed_is_sent_once() {
        let root = tempfile::tempdir().unwrap();
        Run::create(&root.path().join("a"), &Config::default()).unwrap();
        std::fs::write(root.path().join("a/metrics.jsonl"), "{\"event\":\"episode\",\"env_steps\":9,\"return\":2.0}\n")
            .unwrap();
        let (turns, mut out) = (Cell::new(0), Vec::new());
        let over = || {
            turns.set(turns.get() + 1);
            turns.get() > 16
        };
        let listing = Listing::new(root.path().to_path_buf());
        let groups = vec![listing.runs()[0].group.clone()];
        let chosen = Chosen { runs: vec!["a".into(), "../a".into()], groups };
        stream(&mut out, &Changes::new(listing), &chosen, &over).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!((text.matches("event: runs").count(), text.matches("event: course").count()), (1, 1), "{text}");
        assert!(text.contains("\"returns\":[2.0]"), "{text}");
    }
}
