//! What can be requested: addresses and hosts.

/// Something that a page can request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The page itself.
    Page,
    /// The list of runs.
    Runs,
    /// The curves of one run.
    Course(String),
    /// What has changed since the last request: the list, and the curves of the chosen runs.
    Changes(Known, Chosen),
    /// The same as a stream without an end.
    Live(Chosen),
    /// The comparison of the chosen runs, with intervals.
    Comparison(Chosen),
    /// The report of one run.
    Report(String),
}

/// Runs chosen on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Names of runs.
    pub runs: Vec<String>,
    /// Groups, standing for all their runs.
    pub groups: Vec<String>,
}

/// What a page knows: the revisions of the list and of the curves that it received; 0 for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Of the list.
    pub list: u64,
    /// Of curves.
    pub courses: u64,
}

/// The maximum number of runs, and of groups, in one request.
const MOST_CHOSEN: usize = 24;

/// What an address requests; `None` if there is no such page.
pub fn parse(url: &str) -> Option<Wanted> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let asked = |key: &str| -> Option<Vec<String>> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|pair| pair.0 == key).take(MOST_CHOSEN).map(|pair| decode(pair.1)).collect()
    };
    let chosen = || Some(Chosen { runs: asked("run")?, groups: asked("group")? });
    let revision = |key: &str| asked(key)?.first().map_or(Some(0), |text| text.parse().ok());
    Some(match path {
        "/" => Wanted::Page,
        "/api/runs" => Wanted::Runs,
        "/api/course" => Wanted::Course(asked("run")?.into_iter().next()?),
        "/api/changes" => Wanted::Changes(Known { list: revision("list")?, courses: revision("since")? }, chosen()?),
        "/api/live" => Wanted::Live(chosen()?),
        "/report" => Wanted::Report(asked("run")?.into_iter().next()?),
        "/compare" => Wanted::Comparison(chosen()?),
        _ => return None,
    })
}

/// Text with percent encoding removed; `None` if the result is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |c: u8| char::from(c).to_digit(16);
                bytes.push((16 * digit(*high)? + digit(*low)?) as u8);
                rest = tail;
            }
            (b'%', _) => return None,
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether a `Host` header names this machine. A page elsewhere whose name was made to resolve to this machine sends its own name.
pub fn is_loopback_host(host: &str) -> bool {
    let (name, rest) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    // Only a port may follow the name.
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_loopback = match host.starts_with('[') {
        true => name.parse::<std::net::Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()),
        false => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        }
    };
    is_loopback && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(parse("/"), Some(Wanted::Page));
        assert_eq!(parse("/api/course?run=a%2Fb+c%C3%A9"), Some(Wanted::Course("a/b cé".into())));
        let chosen = Chosen { runs: vec!["a".into(), "b".into()], groups: vec!["f00".into()] };
        assert_eq!(parse("/api/live?run=a&x=1&run=b&group=f00"), Some(Wanted::Live(chosen.clone())));
        assert_eq!(parse("/compare?group=f00&run=a&run=b"), Some(Wanted::Comparison(chosen.clone())));
        let known = |list, courses| Known { list, courses };
        assert_eq!(
            parse("/api/changes?list=7&since=9&run=a&run=b&group=f00"),
            Some(Wanted::Changes(known(7, 9), chosen.clone()))
        );
        assert_eq!(parse("/api/changes"), Some(Wanted::Changes(known(0, 0), Chosen::default())));
        assert_eq!(parse("/?run=a&filter=x&sort=-best"), Some(Wanted::Page));
        assert_eq!(parse("/api/live?"), Some(Wanted::Live(Chosen::default())));
        for nothing in [
            "",
            "/../etc/passwd",
            "/report",
            "/report?run=%",
            "/report?run=%zz",
            "/report?run=%ff",
            "/x",
            "/api/changes?list=-1",
        ] {
            assert_eq!(parse(nothing), None, "{nothing}");
        }
        let many = "run=a&".repeat(1000);
        assert!(
            matches!(parse(&format!("/api/live?{many}")), Some(Wanted::Live(chosen)) if chosen.runs.len() == MOST_CHOSEN)
        );
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["localhost:8000", "127.0.0.1", "127.0.0.1:80", "[::1]:8000", "LOCALHOST"] {
            assert!(is_loopback_host(host), "{host}");
        }
        let others = ["example.org", "localhost.example.org:80", "127.0.0.1.example.org", "192.168.0.1", "", ":80"];
        // What stands behind an address belongs to the name, and only digits make a port.
        let behind = [
            "[::1]evil.com",
            "[127.0.0.1]evil.com",
            "[127.0.0.1]",
            "[::1]:80.evil.com",
            "[::1]:",
            "localhost:80@evil.com",
        ];
        let ports =
            ["localhost:evil.com", "127.0.0.1:99999", "localhost:+80", "localhost:80:80", "::1", "[::1", "localhost "];
        for host in [&others[..], &behind, &ports].concat() {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
