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
    let takes = "`requel train` creates runs/; or name the directory that contains your runs";
    if missing::is_missing(&root) {
        return Err(missing::no_such_path(&root, takes));
    }
    if !root.is_dir() {
        return Err(Failure::bad_input(format_args!("{} is not a directory", root.display())).hint(takes));
    }
    let address: IpAddr = args.address;
    if !address.is_loopback() && !args.allow_remote {
        return Err(Failure::bad_input(format_args!("{address} can be reached from other machines"))
            .hint("add --allow-remote if everyone who can reach this address may see your runs"));
    }
    let settings = ServerSettings { root, address: SocketAddr::new(address, args.port), remote: args.allow_remote };
    let signals = Signals::listen()?;
    let server = Server::bind(settings)?;
    style::say(format_args!(
        "serving on {}; stop with Ctrl-C",
        paint(COMMAND, format_args!("http://{}/", server.address()))
    ));
    server.run(&signals);
    // Ctrl-C is the intended way to stop it.
    Ok(Exit::Success)
}
