//! `serve`, asked by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::tool::Desk;

/// A server over `runs/`, ended by Ctrl-C.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(desk: &Desk) -> Self {
        let mut child = desk.command(&["serve", "--port", "0"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
        Served { address: address.to_owned(), child }
    }

    /// Status line, headers and body.
    fn ask(&self, method: &str, path: &str, host: &str) -> String {
        self.try_to_ask(method, path, host).unwrap()
    }

    /// As [`Served::ask`], where the server may close the connection for want of room.
    fn try_to_ask(&self, method: &str, path: &str, host: &str) -> std::io::Result<String> {
        let mut stream = self.open(method, path, host);
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn open(&self, method: &str, path: &str, host: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        stream
    }

    fn end(mut self) {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn pages_lists_and_curves_but_nothing_else() {
    let desk = Desk::new();
    desk.train("runs/mine", &[]);
    std::fs::write(desk.path("report.html"), "outside").unwrap();
    let served = Served::start(&desk);
    let get = |path: &str| served.ask("GET", path, "localhost");
    let page = get("/");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("uPlot") && page.contains("Content-Security-Policy"));
    assert!(!page.contains("{{"), "a mark was not filled in");
    let list = get("/api/runs");
    assert!(list.contains("\"name\":\"mine\"") && list.contains("\"state\":\"finished\""), "{list}");
    assert!(get("/api/course?run=mine").contains("\"return_mean\":["));
    assert!(get("/report?run=mine").contains("<canvas") || get("/report?run=mine").contains("id=\"replays\""));
    for path in ["/report?run=..", "/report?run=mine/..", "/report?run=%2e%2e", "/../report.html", "/api/course?run=x"]
    {
        assert!(get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(served.ask("POST", "/", "localhost").starts_with("HTTP/1.1 405"));
    for host in ["example.org", "[::1]evil.com", "[127.0.0.1]evil.com"] {
        assert!(served.ask("GET", "/", host).starts_with("HTTP/1.1 403"), "{host}");
    }
    served.end();
}

/// A page asks again and again, over connections that end: what it knows it is not told again.
#[test]
fn a_page_is_told_what_has_changed_since_it_asked() {
    let desk = Desk::new();
    desk.train("runs/mine", &[]);
    desk.ok(&["note", "runs/mine", "a first try", "--tag", "baseline"]);
    let served = Served::start(&desk);
    let ask = |path: &str| -> Value {
        let answer = served.ask("GET", path, "localhost");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let first = ask("/api/changes?run=mine");
    assert_eq!(first["runs"][0]["notes"], serde_json::json!({ "note": "a first try", "tags": ["baseline"] }));
    let course = &first["courses"]["mine"];
    assert!(course["train"]["x"].is_array() && !course["clock"]["seconds"].as_array().unwrap().is_empty(), "{course}");
    let summary: Value = serde_json::from_slice(&std::fs::read(desk.path("runs/mine/summary.json")).unwrap()).unwrap();
    assert_eq!(first["runs"][0]["best"], summary["best_evaluation"]["mean_return"]);
    assert_eq!(first["runs"][0]["last"], summary["final_evaluation"]["mean_return"]);
    let revision = &first["revision"];
    let again = ask(&format!("/api/changes?list={revision}&since={revision}&run=mine"));
    assert_eq!(again, serde_json::json!({ "revision": revision, "runs": null, "courses": {} }));
    served.end();
}

/// Nobody is left without an answer: who is one too many hears it, and is answered once there is room.
#[test]
fn one_connection_too_many_is_told_so() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("runs")).unwrap();
    let served = Served::start(&desk);
    let idle: Vec<TcpStream> = (0..48).map(|_| TcpStream::connect(&served.address).unwrap()).collect();
    let answer = served.ask("GET", "/", "localhost");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("too many pages are open\n"), "{answer}");
    drop(idle);
    let is_answered = |_| served.ask("GET", "/", "localhost").starts_with("HTTP/1.1 200");
    assert!((0..100).any(is_answered), "there is room again, and no answer");
    served.end();
}

#[test]
fn a_note_is_kept_beside_a_run_and_changes_nothing_else_of_it() {
    let desk = Desk::new();
    desk.train("runs/mine", &[]);
    let before = tree(&desk.path("runs/mine"));
    assert_eq!(desk.ok(&["note", "runs/mine", "tried twice", "--tag", "b", "--tag", "a"]).out, "tried twice\n#a\n#b\n");
    assert_eq!(desk.ok(&["note", "runs/mine", "--untag", "b"]).out, "tried twice\n#a\n");
    assert_eq!(desk.run(&["note", "runs/mine", "--tag", "two words"]).code, 2);
    assert_eq!(desk.ok(&["note", "runs/mine"]).out, "tried twice\n#a\n");
    desk.ok(&["verify", "runs/mine"]);
    let mut after = tree(&desk.path("runs/mine"));
    assert!(after.remove(&desk.path("runs/mine/notes.toml")).is_some());
    assert!(after == before);
    std::fs::write(desk.path("runs/mine/notes.toml"), "note = 1").unwrap();
    let answer = desk.run(&["note", "runs/mine", "--tag", "c"]);
    assert!(answer.code == 1 && answer.err.contains("notes.toml"), "{}", answer.err);
}

/// No request changes anything, however it is put.
#[test]
fn nothing_on_the_disk_changes_whatever_is_asked() {
    let desk = Desk::new();
    desk.train("runs/mine", &[]);
    let before = tree(&desk.path("."));
    let served = Served::start(&desk);
    let paths =
        ["/", "/api/runs", "/api/course?run=mine", "/report?run=mine", "/report?run=../x", "/delete", "/api/runs/mine"];
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in paths {
            let answer = served.ask(method, path, "localhost");
            let allowed = ["GET", "HEAD"].contains(&method);
            assert!(answer.starts_with("HTTP/1.1 405") != allowed, "{method} {path}: {answer}");
        }
    }
    assert!(tree(&desk.path(".")) == before);
    served.end();
}

/// All files below a directory with their contents.
fn tree(dir: &std::path::Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(tree(&entry.path()));
        } else {
            found.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Whatever is sent, and by however many, memory stays below a bound and others are answered.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded_whatever_is_sent() {
    let desk = Desk::new();
    desk.train("runs/mine", &[]);
    // Without its seal, which the log would not fit.
    std::fs::remove_file(desk.path("runs/mine/checksums.blake3")).unwrap();
    // A log that is far larger than what can be shown of it.
    let mut log = std::fs::File::create(desk.path("runs/mine/metrics.jsonl")).unwrap();
    let line = "{\"event\":\"episode\",\"env_steps\":9,\"return\":2.0}\n".repeat(20_000);
    (0..40).for_each(|_| log.write_all(line.as_bytes()).unwrap());
    log.write_all(&vec![b'['; 16 << 20]).unwrap();
    let served = Served::start(&desk);
    let resident = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", served.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    };
    // A header without end, and a body that nobody asked for.
    for head in ["GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 67108864\r\n\r\n"] {
        let mut stream = TcpStream::connect(&served.address).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let flood = vec![b'a'; 1 << 20];
        assert!((0..64).any(|_| stream.write_all(&flood).is_err()), "64 MiB were taken after {head:?}");
    }
    // More connections than there are places, all of which send nothing.
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&served.address).unwrap()).collect();
    drop(idle);
    // Their places are free again as soon as the server has seen them go.
    let answered = (0..100).any(|_| {
        let answer = served.try_to_ask("GET", "/api/course?run=mine", "localhost");
        answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) || {
            std::thread::sleep(Duration::from_millis(50));
            false
        }
    });
    assert!(answered);
    assert!(resident() < 64 << 20, "{} bytes", resident());
    served.end();
}

#[test]
fn a_stream_tells_the_list_and_curves_and_ends_with_the_server() {
    let desk = Desk::new();
    desk.train("runs/mine", &[]);
    let served = Served::start(&desk);
    let mut lines = BufReader::new(served.open("GET", "/api/live?run=mine", "127.0.0.1")).lines();
    for event in ["event: runs", "event: course"] {
        assert!(lines.any(|line| line.unwrap() == event), "{event}");
    }
    served.end();
    assert!(lines.last().is_none_or(|line| line.is_ok()));
}

#[test]
fn other_machines_are_refused_unless_they_are_allowed() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("runs")).unwrap();
    let answer = desk.run(&["serve", "--address", "0.0.0.0"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("--allow-remote"), "{}", answer.err);
    let answer = desk.run(&["serve", "nowhere"]);
    assert_eq!(answer.code, 2);
}
