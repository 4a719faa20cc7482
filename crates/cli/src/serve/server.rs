//! [`Server`], requests and answers.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tiny_http::{Header, Method, Request, Response, StatusCode};

use super::request::{Wanted, is_loopback_host, parse};
use super::{listing, live};
use crate::exit::Failure;
use crate::page::Page;
use crate::report::Course;
use crate::signals::Signals;

const PAGE: Page = Page {
    style: include_str!("../../assets/serve/serve.css"),
    body: include_str!("../../assets/serve/serve.html"),
    script: include_str!("../../assets/serve/serve.js"),
};

/// Threads that answer.
const THREADS: usize = 4;
/// Streams that may be open at once; each has a thread.
const MOST_STREAMS: usize = 16;
/// How often a waiting thread looks for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(200);
/// No report is larger, bytes.
const MOST_REPORT: u64 = 64 << 20;

/// What is served, and to whom.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The directory with the runs.
    pub root: PathBuf,
    /// Where to listen.
    pub address: SocketAddr,
    /// Whether other machines may ask; else only what names this machine is answered.
    pub remote: bool,
}

/// A page about runs, for whoever asks.
pub struct Server {
    http: tiny_http::Server,
    settings: ServerSettings,
    streams: AtomicUsize,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the address cannot be had.
    pub fn bind(settings: ServerSettings) -> Result<Self, Failure> {
        let http = tiny_http::Server::http(settings.address).map_err(|e| {
            Failure::failed(format_args!("cannot listen on {}: {e}", settings.address))
                .hint("another program may have this port; `--port 0` takes a free one")
        })?;
        Ok(Server { http, settings, streams: AtomicUsize::new(0) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.http.server_addr().to_ip().unwrap_or(self.settings.address)
    }

    /// Answers until a signal comes.
    pub fn run(&self, signals: &Signals) {
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while signals.received().is_none() {
                        if let Ok(Some(request)) = self.http.recv_timeout(PATIENCE) {
                            // A reader that left is nobody's fault.
                            let _ = self.answer(request, signals, scope);
                        }
                    }
                });
            }
        });
    }

    fn answer<'s, 'e>(
        &'s self,
        request: Request,
        signals: &'s Signals,
        scope: &'s std::thread::Scope<'s, 'e>,
    ) -> io::Result<()> {
        if !matches!(request.method(), Method::Get | Method::Head) {
            return text(request, 405, "only GET is answered here");
        }
        let host = request.headers().iter().find(|h| h.field.equiv("Host")).map_or("", |h| h.value.as_str());
        if !self.settings.remote && !is_loopback_host(host) {
            return text(request, 403, "this page is for this machine alone; see `requel serve --help`");
        }
        let root = &self.settings.root;
        match parse(request.url()) {
            None => text(request, 404, "there is no such page"),
            Some(Wanted::Page) => page(request),
            Some(Wanted::Runs) => json(request, &listing::runs(root)),
            Some(Wanted::Course(name)) => {
                match listing::find(root, &name).and_then(|dir| Course::read(&dir.join("metrics.jsonl")).ok()) {
                    Some(course) => json(request, &course),
                    None => text(request, 404, "there is no such run, or it has no log yet"),
                }
            }
            Some(Wanted::Report(name)) => {
                let file = listing::find(root, &name).and_then(|dir| std::fs::File::open(dir.join("report.html")).ok());
                match file.filter(|file| file.metadata().is_ok_and(|m| m.is_file() && m.len() <= MOST_REPORT)) {
                    Some(file) => request.respond(with_headers(Response::from_file(file), "text/html; charset=utf-8")),
                    None => text(request, 404, "this run has no report yet: `requel report RUN` writes one"),
                }
            }
            Some(Wanted::Live(names)) => {
                if self.streams.fetch_add(1, Ordering::Relaxed) >= MOST_STREAMS {
                    self.streams.fetch_sub(1, Ordering::Relaxed);
                    return text(request, 503, "too many pages are open");
                }
                scope.spawn(move || {
                    let _ = self.stream(request, &names, signals);
                    self.streams.fetch_sub(1, Ordering::Relaxed);
                });
                Ok(())
            }
        }
    }

    fn stream(&self, request: Request, names: &[String], signals: &Signals) -> io::Result<()> {
        let mut out = request.into_writer();
        out.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        )?;
        out.flush()?;
        live::stream(&mut *out, &self.settings.root, names, &|| signals.received().is_some())
    }
}

fn page(request: Request) -> io::Result<()> {
    // What it shows, it asks for.
    let html = PAGE.html("requel: runs", &())?;
    request.respond(with_headers(Response::from_string(html), "text/html; charset=utf-8"))
}

fn json(request: Request, value: &impl serde::Serialize) -> io::Result<()> {
    request.respond(with_headers(Response::from_data(serde_json::to_vec(value)?), "application/json"))
}

fn text(request: Request, status: u16, what: &str) -> io::Result<()> {
    let response = Response::from_string(format!("{what}\n")).with_status_code(StatusCode(status));
    request.respond(with_headers(response, "text/plain; charset=utf-8"))
}

/// The page needs nothing from elsewhere, and nothing elsewhere needs it.
fn with_headers<R: io::Read>(mut response: Response<R>, kind: &str) -> Response<R> {
    const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
                          connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    for (name, value) in [
        ("Content-Type", kind),
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    response
}
