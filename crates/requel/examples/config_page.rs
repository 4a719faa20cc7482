//! Prints `docs/config.md`: `cargo run -p requel --example config_page > docs/config.md`.
//!
//! What a key is, is said once, where it is declared in `crates/requel/src/config/sections/`. A test refuses a page that is out of
//! date.

use std::fmt::Write as _;

use requel::config::{Key, RULES, Range, SECTIONS, Section, ValueType};
use toml::Value;

const HEAD: &str = "\
# Configuration keys

Every key of a config: what it means, what it takes, and its value where neither a preset nor a file nor `--set` says another.
`requel config show` prints a complete config with the same texts. A config is put together from layers, the later ones winning:
a preset, an algorithm over it (`--algo`), a TOML file (`--config FILE`), and single keys (`--set agent.gamma=0.95`).

Numbers are checked as they are used. Networks, losses and optimisers count in single precision, so a number that rounds to 0, to
infinity or to the edge of its range there is refused. Keys marked *changes* can have another value when a run is resumed.

<!-- Made from the declarations in crates/requel/src/config/sections/; change those and run
     `cargo run -p requel --example config_page > docs/config.md` -->
";

fn main() {
    print!("{}", page());
}

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_string();
    SECTIONS.iter().for_each(|section| write_section(&mut page, section));
    page.push_str(
        "\n## Rules between keys\n\nAn error names the first key and the values of all that it hangs on.\n\n",
    );
    for rule in RULES {
        writeln!(page, "- `{}` {}.", rule.keys[0], rule.reason).unwrap();
    }
    page
}

fn write_section(page: &mut String, section: &Section) {
    match section.name {
        "" => page.push_str("\n## Before all sections\n"),
        name => write!(page, "\n## `[{name}]`\n\n{}\n", section.about).unwrap(),
    }
    page.push_str("\n| key | meaning | takes | default | |\n|---|---|---|---|---|\n");
    for key in section.keys {
        let unit =
            key.unit.filter(|unit| !key.meaning.contains(unit)).map(|unit| format!(" [{unit}]")).unwrap_or_default();
        let default = match key.default() {
            Some(Value::Float(number)) => format!("`{number:?}`"),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        let changes = if key.may_change { "*changes*" } else { "" };
        let meaning = format!("{}{unit}", key.meaning).replace('|', "\\|");
        writeln!(page, "| `{}` | {meaning} | {} | {default} | {changes} |", key.name(), takes(key)).unwrap();
    }
    let more: String = section.keys.iter().map(more).collect();
    if !more.is_empty() {
        write!(page, "\n{more}").unwrap();
    }
    if section.name == "env" {
        page.push_str(
            "\nOptions of an environment stand in `[env.options]`; [environments.md](environments.md) lists them.\n",
        );
    }
}

/// What a key takes, in a few words.
fn takes(key: &Key) -> String {
    let (kind, least) = match key.value_type {
        ValueType::Switch => return "true or false".into(),
        ValueType::Text => return "text".into(),
        ValueType::Word(_) => return words(&key.value_type),
        ValueType::Either(types) => {
            let number = if types.contains(&ValueType::Number) { "number or " } else { "" };
            let interval = if number.is_empty() { " or `[low, high]`" } else { "" };
            return format!("{number}{}{interval}, {}", words(&key.value_type), key.range);
        }
        ValueType::List(ValueType::Tuple { names, .. }) => (format!("list of `[{}]`", names.join(", ")), ""),
        ValueType::List(_) => ("list of whole numbers".into(), ""),
        ValueType::Whole { .. } => ("whole number".into(), "at least 0"),
        _ => ("number".into(), ""),
    };
    let range = if key.range == Range::OfType { least.into() } else { key.range.to_string() };
    format!("{kind}, {range}")
}

fn words(value_type: &ValueType) -> String {
    let words: Vec<String> = value_type.choices().iter().map(|word| format!("`{}`", word.word)).collect();
    words.join(", ")
}

/// What the words of a key stand for, and its detail.
fn more(key: &Key) -> String {
    let mut text = String::new();
    if !key.detail.is_empty() {
        writeln!(text, "- `{}`: {}", key.name(), key.detail).unwrap();
    }
    if let ValueType::Word(words) = key.value_type {
        writeln!(text, "- `{}`:", key.name()).unwrap();
        for word in words {
            writeln!(text, "  - `{}`: {}", word.word, word.meaning).unwrap();
        }
    }
    text
}
