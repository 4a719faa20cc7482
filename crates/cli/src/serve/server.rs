//! [`Server`], requests and answers.

use std::io::{self, Cursor, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use requel::storage::open_regular;
use requel::study::{Comparison, Scoring};

use super::changes::Changes;
use super::http::{self, Request};
use super::listing::Listing;
use super::live;
use super::request::{Chosen, Wanted, is_loopback_host, parse};
use crate::compare;
use crate::exit::Failure;
use crate::page::Page;
use crate::shell::in_own_name;
use crate::signals::Signals;

const PAGE: Page = Page {
    style: include_str!("../../assets/serve/serve.css"),
    body: include_str!("../../assets/serve/serve.html"),
    script: include_str!("../../assets/serve/serve.js"),
};

/// Maximum number of open connections; each has a thread.
const MOST_CONNECTIONS: usize = 48;
/// Connections beyond the maximum that still get an answer that there is no room; others are closed at once.
const MOST_TURNED_AWAY: usize = 64;
/// That answer, also for the page.
const NO_ROOM: &str = "too many pages are open";
/// Maximum number of streams among the connections: the others stay free for pages.
const MOST_STREAMS: usize = 16;
/// How often the server checks for a new connection and for Ctrl-C.
const PERIOD: Duration = Duration::from_millis(20);
/// The maximum size of a report, bytes.
const MOST_REPORT: u64 = 64 << 20;

/// What is served, and to whom.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The directory with the runs.
    pub root: PathBuf,
    /// Where to listen.
    pub address: SocketAddr,
    /// Whether other machines may connect; otherwise only requests that name this machine are answered.
    pub remote: bool,
}

/// A page about runs.
pub struct Server {
    listener: TcpListener,
    settings: ServerSettings,
    changes: Changes,
    connections: AtomicUsize,
    turned_away: AtomicUsize,
    streams: AtomicUsize,
}

/// One of a limited number of places, returned when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    /// A place, if fewer than `most` are taken.
    fn take(taken: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = taken.fetch_add(1, Ordering::Relaxed) < most;
        // Dropped at once, which returns the place that was only tested.
        Some(Place(taken)).filter(|_| place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    /// Starts listening.
    ///
    /// # Errors
    /// If the address cannot be used.
    pub fn bind(settings: ServerSettings) -> Result<Self, Failure> {
        let listen = || -> io::Result<TcpListener> {
            let listener = TcpListener::bind(settings.address)?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let listener = listen().map_err(|e| {
            Failure::failed(format_args!("cannot listen on {}: {e}", settings.address))
                .hint("another program may be using this port; `--port 0` picks a free one")
        })?;
        let listing = Listing::new(settings.root.clone());
        let [connections, turned_away, streams] = [0; 3].map(AtomicUsize::new);
        Ok(Server { listener, settings, changes: Changes::new(listing), connections, turned_away, streams })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.settings.address)
    }

    /// Answers until a signal comes.
    pub fn run(&self, signals: &Signals) {
        std::thread::scope(|scope| {
            while signals.received().is_none() {
                // Nothing can be done about a failed connection except waiting for the next.
                let Ok((stream, _)) = self.listener.accept() else {
                    std::thread::sleep(PERIOD);
                    continue;
                };
                let place = Place::take(&self.connections, MOST_CONNECTIONS);
                let is_answered = place.is_some();
                let Some(place) = place.or_else(|| Place::take(&self.turned_away, MOST_TURNED_AWAY)) else { continue };
                let answer = move || {
                    let _place = place;
                    // A reader that left is not an error.
                    drop(if is_answered { self.answer(stream, signals) } else { turn_away(stream) });
                };
                // If no thread can be started, the connection is closed.
                drop(std::thread::Builder::new().name("page".into()).spawn_scoped(scope, answer));
            }
        });
    }

    fn answer(&self, mut stream: TcpStream, signals: &Signals) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        let result = match http::read(&mut stream)? {
            Ok(request) => self.respond(&mut stream, &request, signals),
            Err((status, what)) => text(&mut stream, &Request::default(), status, what),
        };
        http::close(stream);
        result
    }

    fn respond(&self, stream: &mut TcpStream, request: &Request, signals: &Signals) -> io::Result<()> {
        if !self.settings.remote && !is_loopback_host(&request.host) {
            return text(
                stream,
                request,
                403,
                "this page can only be opened from this machine; see `requel serve \
                                              --help`",
            );
        }
        let listing = self.changes.listing();
        match parse(&request.target) {
            None => text(stream, request, 404, "there is no such page"),
            Some(Wanted::Page) => html(stream, request, PAGE.html("requel: runs", &(), &[])?),
            Some(Wanted::Runs) => json(stream, request, &listing.runs()),
            Some(Wanted::Course(name)) => match self.changes.course(&name) {
                Some(course) => told(stream, request, &course),
                None => text(stream, request, 404, "there is no such run, or it has no log yet"),
            },
            Some(Wanted::Changes(known, chosen)) => told(stream, request, &self.changes.since(known, &chosen).json()),
            Some(Wanted::Report(name)) => {
                let file = listing.find(&name).and_then(|dir| open_regular(&dir.join("report.html")).ok());
                let sized = file.and_then(|file| file.metadata().ok().map(|meta| (file, meta)));
                match sized.filter(|(_, meta)| meta.is_file() && meta.len() <= MOST_REPORT) {
                    Some((mut file, meta)) => {
                        send_under(REPORT_POLICY, stream, request, ((200, HTML), (meta.len(), &mut file)))
                    }
                    None => text(stream, request, 404, "this run has no report yet: `requel report RUN` writes one"),
                }
            }
            Some(Wanted::Comparison(chosen)) => match comparison(listing, &chosen) {
                Ok(page) => html(stream, request, page),
                Err(failure) => text(stream, request, 404, &failure.what),
            },
            Some(Wanted::Live(_)) if request.head_only => text(stream, request, 200, ""),
            Some(Wanted::Live(chosen)) => match Place::take(&self.streams, MOST_STREAMS) {
                Some(_place) => self.stream(stream, &chosen, signals),
                None => text(stream, request, 503, NO_ROOM),
            },
        }
    }

    fn stream(&self, out: &mut TcpStream, chosen: &Chosen, signals: &Signals) -> io::Result<()> {
        out.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        )?;
        live::stream(out, &self.changes, chosen, &|| signals.received().is_some())
    }
}

/// The page that `requel compare --html` writes, for the finished runs among those chosen.
fn comparison(listing: &Listing, chosen: &Chosen) -> Result<String, Failure> {
    let names = Listing::names(chosen, &listing.runs());
    let paths: Vec<PathBuf> = names.iter().filter_map(|name| listing.find(name)).collect();
    if paths.is_empty() {
        return Err(Failure::failed("no run was chosen: tick some on the previous page"));
    }
    let comparison = Comparison::new(&compare::collect(&paths)?.groups, &Scoring::default());
    compare::html(&comparison, &comparison.envs.join(", "))
}

const HTML: &str = "text/html; charset=utf-8";

fn html(stream: &mut TcpStream, request: &Request, page: String) -> io::Result<()> {
    send(stream, request, (200, HTML), (page.len() as u64, &mut Cursor::new(page)))
}

fn json(stream: &mut TcpStream, request: &Request, value: &impl serde::Serialize) -> io::Result<()> {
    told(stream, request, &serde_json::to_string(value)?)
}

/// Answers with existing JSON.
fn told(stream: &mut TcpStream, request: &Request, body: &str) -> io::Result<()> {
    send(stream, request, (200, "application/json"), (body.len() as u64, &mut body.as_bytes()))
}

fn turn_away(stream: TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    http::turn_away(stream, NO_ROOM);
    Ok(())
}

fn text(stream: &mut TcpStream, request: &Request, status: u16, what: &str) -> io::Result<()> {
    let body = format!("{}\n", in_own_name(what));
    send(stream, request, (status, "text/plain; charset=utf-8"), (body.len() as u64, &mut Cursor::new(body)))
}

/// The page needs nothing from other sites, and no other site needs it.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// A report may be in somebody else's run: it can show its own contents, but not request anything from the server.
const REPORT_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
                             frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox allow-scripts allow-downloads";

fn send(stream: &mut TcpStream, request: &Request, kind: (u16, &str), body: (u64, &mut dyn Read)) -> io::Result<()> {
    send_under(POLICY, stream, request, (kind, body))
}

fn send_under(
    policy: &str,
    stream: &mut TcpStream,
    request: &Request,
    ((status, kind), body): ((u16, &str), (u64, &mut dyn Read)),
) -> io::Result<()> {
    let headers = [
        ("Content-Type", kind),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ];
    http::respond(stream, (status, request.head_only), &headers, body)
}
