//! As much HTTP as a page for one machine needs: GET and HEAD, one request per connection, and bounded memory per request, whatever is sent
//! and however slowly. `httparse` parses the head; the small HTTP servers that could do the rest read headers without a limit.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The maximum length of the request line and headers, bytes.
const MOST_HEAD: usize = 16 << 10;
/// The maximum number of headers.
const MOST_HEADERS: usize = 64;
/// The answer to a longer request.
const TOO_LONG: &str = "this request is longer than this server accepts";
/// The time within which they must arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The time within which a reader must accept what is written.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// The time that a refused client has to receive the answer.
const TURNING_AWAY: Duration = Duration::from_millis(250);
/// How much of a refused request is read and discarded, so that its sender receives the reason, bytes.
const MOST_REST: u64 = 256 << 10;

/// A request that can be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Path and query, as requested.
    pub target: String,
    /// The `Host` header; empty if there is none.
    pub host: String,
    /// Whether only the head of the answer is wanted.
    pub head_only: bool,
}

/// Why a request is not answered: a status and a message.
pub type Refusal = (u16, &'static str);

/// Reads a request.
///
/// # Errors
/// The error of the connection, including a sender that is too slow. A request that is not answered is a [`Refusal`].
pub fn read(stream: &mut TcpStream) -> io::Result<Result<Request, Refusal>> {
    let until = Instant::now() + HEAD_TIME;
    stream.set_write_timeout(Some(WRITE_TIME))?;
    let mut head = Vec::new();
    let mut part = [0; 1024];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = stream.read(&mut part)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The end may be split over two parts.
        let seen = head.len().saturating_sub(3);
        head.extend_from_slice(&part[..count]);
        if let Some(end) = head[seen..].windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(parse(&head[..seen + end + 4]));
        }
        if head.len() > MOST_HEAD {
            return Ok(Err((431, TOO_LONG)));
        }
    }
}

/// Parses the head of a request, including the empty line at its end.
///
/// # Errors
/// The message for a request that is not answered.
pub fn parse(head: &[u8]) -> Result<Request, Refusal> {
    const NONE: Refusal = (400, "this is not an HTTP request");
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err((431, TOO_LONG)),
        _ => return Err(NONE),
    }
    let head_only = match request.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Err((405, "this server only answers GET")),
    };
    let mut hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
    let host = hosts.next().map_or(Ok(""), |host| std::str::from_utf8(host.value)).map_err(|_| NONE)?;
    // With two hosts, one would go unchecked.
    if hosts.next().is_some() {
        return Err(NONE);
    }
    Ok(Request { target: request.path.unwrap_or_default().into(), host: host.trim().into(), head_only })
}

/// Sends a body of a known length; `headers` are sent in addition to those with its length.
///
/// # Errors
/// The error of the connection: the reader has left.
pub fn respond(
    stream: &mut TcpStream,
    (status, head_only): (u16, bool),
    headers: &[(&str, &str)],
    (length, body): (u64, &mut dyn Read),
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} {}\r\nConnection: close\r\nContent-Length: {length}\r\n", reason(status));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all((head + "\r\n").as_bytes())?;
    if !head_only {
        io::copy(&mut body.take(length), stream)?;
    }
    stream.flush()
}

/// Tells a client that there are too many, waiting only for a moment.
pub fn turn_away(mut stream: TcpStream, what: &str) {
    let answer = || -> io::Result<()> {
        stream.set_write_timeout(Some(TURNING_AWAY))?;
        let headers =
            [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), ("Retry-After", "1")];
        let body = format!("{what}\n");
        respond(&mut stream, (503, false), &headers, (body.len() as u64, &mut body.as_bytes()))
    };
    let mut answer = answer;
    if answer().is_ok() {
        close_within(stream, TURNING_AWAY);
    }
}

/// Closes a connection. Unread input is discarded first: otherwise the system would discard the answer.
pub fn close(stream: TcpStream) {
    close_within(stream, Duration::from_millis(500));
}

fn close_within(mut stream: TcpStream, time: Duration) {
    let quietly = || -> io::Result<()> {
        stream.shutdown(std::net::Shutdown::Write)?;
        stream.set_read_timeout(Some(time))?;
        io::copy(&mut Read::by_ref(&mut stream).take(MOST_REST), &mut io::sink())?;
        Ok(())
    };
    let mut quietly = quietly;
    // A client that has left receives nothing.
    drop(quietly());
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn parsed(head: &str) -> Result<Request, Refusal> {
        parse(format!("{head}\r\n\r\n").as_bytes())
    }

    fn refused(head: &str) -> u16 {
        parsed(head).unwrap_err().0
    }

    #[test]
    fn requests_by_hand() {
        let request = parsed("GET /a?run=b HTTP/1.1\r\nAccept: */*\r\nhOsT:  localhost:8 ").unwrap();
        assert_eq!(request, Request { target: "/a?run=b".into(), host: "localhost:8".into(), head_only: false });
        assert_eq!(
            parsed("HEAD / HTTP/1.0").unwrap(),
            Request { target: "/".into(), head_only: true, ..Request::default() }
        );
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "get"] {
            assert_eq!(refused(&format!("{method} / HTTP/1.1\r\nHost: localhost")), 405, "{method}");
        }
        for nothing in ["", "GET", "GET /", "GET / HTTP/2", "GET  / HTTP/1.1", "GET / x HTTP/1.1"] {
            assert_eq!(refused(nothing), 400, "{nothing:?}");
        }
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.org"), 400);
        assert_eq!(parse(b"G\xff\r\n\r\n").unwrap_err().0, 400);
        assert_eq!(parse(b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n").unwrap_err().0, 400);
        assert_eq!(refused(&format!("GET / HTTP/1.1{}", "\r\nA: b".repeat(MOST_HEADERS + 1))), 431);
    }

    #[test]
    fn a_request_in_pieces_is_one_and_one_without_end_is_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ask = |pieces: Vec<Vec<u8>>| {
            let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut receiver, _) = listener.accept().unwrap();
            let sending = std::thread::spawn(move || {
                for piece in pieces {
                    if sender.write_all(&piece).is_err() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            let read = read(&mut receiver);
            drop(receiver);
            sending.join().unwrap();
            read
        };
        let pieces = ["GET / HT", "TP/1.1\r\nHost: localhost\r\n\r", "\n"].map(|piece| piece.as_bytes().to_vec());
        assert_eq!(ask(pieces.to_vec()).unwrap().unwrap().host, "localhost");
        assert_eq!(ask(vec![vec![b'a'; MOST_HEAD + 2000]]).unwrap().unwrap_err().0, 431);
        assert_eq!(ask(vec![b"GET / HTTP/1.1\r\n".to_vec()]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
