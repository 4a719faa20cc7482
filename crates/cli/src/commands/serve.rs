//! `requel serve`: the runs as a local page.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::args::ServeArgs;
use crate::exit::{Exit, Failure};
use crate::serve::{Server, ServerSettings};
use crate::signals::Signals;
use crate::style::{self, COMMAND, paint};
use crate::{missing, runs};

/// Serves until Ctrl-C.
pub fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    let root = args.dir.clone().unwrap_or_else(|| Path::new(runs::ROOT).to_path_buf());
    let takes = "`requel train` makes runs/; or name the directory that holds your runs";
    if missing::is_missing(&root) {
        return Err(missing::no_such_path(&root, takes));
    }
    if !root.is_dir() {
        return Err(Failure::bad_input(format_args!("{} is no directory", root.display())).hint(takes));
    }
    let address: IpAddr = args.address;
    if !address.is_loopback() && !args.allow_remote {
        return Err(Failure::bad_input(format_args!("{address} can be reached from other machines"))
            .hint("add --allow-remote if everybody who can reach it may see your runs"));
    }
    let settings = ServerSettings { root, address: SocketAddr::new(address, args.port), remote: args.allow_remote };
    let signals = Signals::listen()?;
    let server = Server::bind(settings)?;
    style::say(format_args!(
        "serving on {}; Ctrl-C ends it",
        paint(COMMAND, format_args!("http://{}/", server.address()))
    ));
    server.run(&signals);
    // Ctrl-C is how it is meant to end.
    Ok(Exit::Success)
}
