//! `requel pack` and `requel unpack`: a run as one file, and back.

use std::path::{Path, PathBuf};

use requel::run::{Run, verify};

use crate::args::{PackArgs, UnpackArgs};
use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::output;
use crate::pack::{self, Checkpoints, Wanted};
use crate::runs;
use crate::shell;
use crate::style::{self, COMMAND, paint};

/// How packed runs end.
const ENDING: &str = ".requel.tar";

/// Writes a run as one file, completely or not at all.
pub fn pack(args: &PackArgs) -> Result<Exit, Failure> {
    let run = runs::open_with_policy(args.run.as_deref())?;
    let name = name(&run)?;
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}{ENDING}")));
    output::check(&path)?;
    let checkpoints = if args.checkpoint { Checkpoints::Newest } else { Checkpoints::None };
    let cannot = |e: std::io::Error| Failure::failed(format_args!("cannot write {}: {e}", path.display()));
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut staged = tempfile::Builder::new().prefix(".requel-pack-").tempfile_in(parent).map_err(cannot)?;
    pack::write(&run, &name, checkpoints, staged.as_file_mut())?;
    let bytes = staged.as_file().metadata().map_err(cannot)?.len();
    set_readable(staged.path()).map_err(cannot)?;
    staged.persist(&path).map_err(|e| cannot(e.error))?;
    style::say(format_args!(
        "wrote {} ({} kB, {} with its model card)",
        paint(COMMAND, path.display()),
        grouped(bytes.div_ceil(1000)),
        run.dir().display()
    ));
    Ok(Exit::Success)
}

/// The name of a run: that of its directory.
fn name(run: &Run) -> Result<String, Failure> {
    let full = run.dir().canonicalize().map_err(|e| Failure::failed(format_args!("{}: {e}", run.dir().display())))?;
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "run".into());
    Ok(name.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "-").trim_start_matches('.').to_owned())
}

/// Gives a file that is meant to be shared the usual permissions; temporary files are readable only by their owner.
#[cfg(unix)]
fn set_readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Unpacks a run from a file, checked against its seals, completely or not at all.
pub fn unpack(args: &UnpackArgs) -> Result<Exit, Failure> {
    let occupied = |dir: &Path| {
        Failure::bad_input(format_args!("{} already exists", dir.display()))
            .hint("name another directory after the file")
    };
    if let Some(dir) = args.dir.as_deref().filter(|dir| dir.exists()) {
        return Err(occupied(dir));
    }
    let above = match &args.dir {
        Some(dir) => {
            dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf()
        }
        None => PathBuf::from(runs::ROOT),
    };
    let cannot = |e: std::io::Error| Failure::failed(format_args!("cannot unpack to {}: {e}", above.display()));
    // Problems with the file are reported before a directory is created.
    let beside = above.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    let staged = tempfile::Builder::new().prefix(".requel-unpack-").tempdir_in(beside).map_err(cannot)?;
    let inside = staged.path().join("run");
    std::fs::create_dir(&inside).map_err(cannot)?;
    let name = pack::unpack(&args.file, &inside, Wanted::All)?;
    if let Some(damage) = verify(&Run::open(&inside)?)?.damage.first() {
        let inner = damage.to_string().replace(&format!("{}/", inside.display()), "");
        return Err(Failure::failed(format_args!("{}: {inner}", args.file.display())));
    }
    let dir = args.dir.clone().unwrap_or_else(|| above.join(name));
    if dir.exists() {
        return Err(occupied(&dir));
    }
    std::fs::create_dir_all(&above).map_err(cannot)?;
    std::fs::rename(&inside, &dir).map_err(cannot)?;
    let shown = shell::quoted(&dir);
    style::say(format_args!("unpacked {}; `requel report {shown}` shows it", paint(COMMAND, dir.display())));
    Ok(Exit::Success)
}
