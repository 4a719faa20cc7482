//! Server-sent events: the list when it changes, and the curves of runs while their logs grow.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::listing::Listing;
use super::request::Chosen;
use crate::report::Course;

/// How often is looked.
const PERIOD: Duration = Duration::from_secs(1);
/// A comment is sent at least so often, so that a reader that left is noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The curves of no more runs than this are sent.
const MOST_FOLLOWED: usize = 100;

/// Writes events until the reader leaves or `over` says so.
///
/// # Errors
/// What the writer returns: the reader has left.
pub fn stream(out: &mut dyn Write, listing: &Listing, chosen: &Chosen, over: &dyn Fn() -> bool) -> io::Result<()> {
    let mut listed = Vec::new();
    let mut lengths: BTreeMap<String, u64> = BTreeMap::new();
    let mut spoken = Instant::now();
    while !over() {
        let now = listing.runs();
        if now != listed {
            send(out, "runs", &now)?;
            (listed, spoken) = (now, Instant::now());
        }
        for name in Listing::names(chosen, &listed).into_iter().take(MOST_FOLLOWED) {
            let Some(dir) = listing.find(&name) else { continue };
            let log = dir.join("metrics.jsonl");
            let len = std::fs::metadata(&log).map_or(0, |m| m.len());
            if lengths.insert(name.clone(), len) == Some(len) {
                continue;
            }
            if let Ok(course) = Course::read(&log) {
                send(out, "course", &json!({ "name": name, "course": course }))?;
                spoken = Instant::now();
            }
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

fn send(out: &mut dyn Write, event: &str, data: &impl Serialize) -> io::Result<()> {
    write!(out, "event: {event}\ndata: {}\n\n", serde_json::to_string(data)?)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use requel::Config;
    use requel::run::Run;

    use super::*;

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
        stream(&mut out, &listing, &chosen, &over).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!((text.matches("event: runs").count(), text.matches("event: course").count()), (1, 1), "{text}");
        assert!(text.contains("\"returns\":[2.0]"), "{text}");
    }
}
