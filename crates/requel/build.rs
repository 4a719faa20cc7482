//! Lists the presets and the algorithms: each is a TOML file in a directory, and the file is all there is to adding one. Its first
//! line is `# summary: …`; a preset that `train ENV` starts from by default has `# default for: ID, …` on the second, and one whose
//! environments are not this crate's `# environments: …`, which says whose they are.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR")?;
    for (directory, kind) in [("presets", "Preset"), ("algorithms", "Algorithm")] {
        println!("cargo::rerun-if-changed={directory}");
        fs::write(Path::new(&out).join(directory).with_extension("rs"), list(directory, kind)?)?;
    }
    Ok(())
}

/// The files of a directory in the order of their names, in Rust: a slice of values of the type called `kind`.
fn list(directory: &str, kind: &str) -> Result<String, Box<dyn Error>> {
    let mut paths =
        fs::read_dir(directory)?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    let mut list = String::from("&[\n");
    for path in paths {
        let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a name that is not UTF-8")?;
        let text = fs::read_to_string(&path)?;
        let mut lines = text.lines();
        let summary = lines.next().and_then(|line| line.strip_prefix("# summary: "));
        let summary =
            summary.ok_or_else(|| format!("{directory}/{name}.toml: the first line has to be `# summary: …`"))?;
        write!(list, "    {kind} {{ name: {name:?}, summary: {summary:?}, ")?;
        if kind == "Preset" {
            let second = lines.next().unwrap_or_default();
            let ids: Vec<&str> =
                second.strip_prefix("# default for: ").into_iter().flat_map(|ids| ids.split(", ")).collect();
            let envs_from = second.strip_prefix("# environments: ");
            write!(list, "default_for: &{ids:?}, envs_from: {envs_from:?}, ")?;
        }
        let place = format!("/{directory}/{name}.toml");
        writeln!(list, "toml: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {place:?})) }},")?;
    }
    list.push_str("]\n");
    Ok(list)
}
