//! Prints `docs/environments.md`: `cargo run -p requel-envs --example envs_page > docs/environments.md`.
//!
//! What an environment is, is said once, in the documentation of its type; numbers come from the registry. A test refuses a
//! page that is out of date.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use requel_envs::{EnvSpec, OptionDefault, OptionSpec, Space, make, option_specs, specs};

const HEAD: &str = "\
# Environments

The environments of `requel-envs`, by family. `requel envs` lists them too, and `requel envs ID` shows one. An option is set
in a config file under `[env.options]`, or with `--set env.options.NAME=VALUE`.

<!-- Made from the code's documentation; change that and run
     `cargo run -p requel-envs --example envs_page > docs/environments.md` -->

![Every environment after some random steps](images/environments.png)
";

const FAMILIES: [(&str, &str); 4] =
    [("classic", "Classic control"), ("tabular", "Tabular"), ("minatar", "MinAtar"), ("toy", "Toys")];

fn main() -> io::Result<()> {
    print!("{}", page()?);
    Ok(())
}

/// The page.
pub fn page() -> io::Result<String> {
    let mut page = HEAD.to_string();
    for (folder, title) in FAMILIES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
        write!(page, "\n## {title}\n\n{}", prose(&fs::read_to_string(folder.join("mod.rs"))?, "//!")).unwrap();
        for file in env_files(&folder)? {
            let source = fs::read_to_string(file)?;
            page.push_str(&section(&source, &specs_of(&source)));
        }
    }
    for EnvSpec { id, .. } in specs() {
        assert!(page.contains(&format!("`{id}`")), "{id} is not on the page: is its family listed here?");
    }
    Ok(page)
}

/// The files of a family that declare environments, in alphabetical order.
fn env_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    let declares = |file: &PathBuf| Ok(fs::read_to_string(file)?.contains("ENVS: &[Entry]"));
    files.into_iter().filter_map(|file| declares(&file).map(|yes| yes.then_some(file)).transpose()).collect()
}

/// The environments of the registry that a source file declares.
fn specs_of(source: &str) -> Vec<EnvSpec> {
    specs().into_iter().filter(|spec| source.contains(&format!("id: \"{}\"", spec.id))).collect()
}

/// One type of environment: its ids, what its documentation says, its spaces and its options.
fn section(source: &str, envs: &[EnvSpec]) -> String {
    let ids: Vec<String> = envs.iter().map(|env| format!("`{}`", env.id)).collect();
    let mut text = format!("\n### {}\n\n{}\n", ids.join(", "), prose(&documentation(source), "///"));
    text.push_str("| id | observation | action | time limit, env steps | solved at, mean return |\n|-|-|-|-|-|\n");
    for spec in envs {
        let env = make(&spec.id).expect("an environment of the registry");
        let (seen, done) = (space(env.observation_space()), space(env.action_space()));
        let limit = spec.max_episode_steps.map_or("–".into(), |limit| limit.to_string());
        let solved = spec.reward_threshold.map_or("–".into(), |threshold| threshold.to_string());
        writeln!(text, "| `{}` | {seen} | {done} | {limit} | {solved} |", spec.id).unwrap();
    }
    text.push_str("\n| option | standard value | what it does |\n|-|-|-|\n");
    let by_env: Vec<Vec<OptionSpec>> =
        envs.iter().map(|env| option_specs(&env.id).expect("an environment of the registry")).collect();
    for option in &by_env[0] {
        let mut defaults: Vec<String> =
            by_env.iter().flatten().filter(|o| o.name == option.name).map(|o| value(&o.default)).collect();
        defaults.dedup();
        writeln!(text, "| `{}` | {} | {} |", option.name, defaults.join(" or "), option.summary.replace('|', "\\|"))
            .unwrap();
    }
    text
}

/// The documentation of the type that a file's first line names.
fn documentation(source: &str) -> String {
    let name = source.split('`').nth(1).expect("an environment's file begins with its type");
    let before = source.split(&format!("pub struct {name}")).next().unwrap_or_default();
    let lines: Vec<&str> = before.lines().rev().skip_while(|line| !line.starts_with("///")).collect();
    let doc: Vec<&str> = lines.into_iter().take_while(|line| line.starts_with("///")).collect();
    assert!(!doc.is_empty(), "{name} is not documented");
    doc.into_iter().rev().map(|line| format!("{line}\n")).collect()
}

/// The leading lines of `source` that begin with `mark`, without it; what a page of Markdown cannot link to is quoted.
fn prose(source: &str, mark: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix(mark));
    let text: String = lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    let text = text.replace("see [`crate::minatar`]", "see [above](#minatar)");
    text.replace("[`", "`").replace("`]", "`")
}

/// A space in Gymnasium's manner.
fn space(space: &Space) -> String {
    let list = |n: &[usize]| n.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    match space {
        Space::Discrete { n } => format!("`Discrete({n})`"),
        Space::MultiDiscrete { n } => format!("`MultiDiscrete({})`", list(n)),
        Space::Box { shape, .. } => format!("`Box({})`", list(shape)),
    }
}

fn value(default: &OptionDefault) -> String {
    match default {
        OptionDefault::Bool(value) => format!("`{value}`"),
        OptionDefault::Int(value) => format!("`{value}`"),
        OptionDefault::Float(value) => format!("`{value}`"),
        OptionDefault::Text(value) => format!("`{value:?}`"),
        left_out => format!("none; else {}", left_out.type_name()),
    }
}
