//! `docs/config.md` says what the code says.

#[path = "../../examples/config_page.rs"]
#[allow(dead_code, reason = "the program's main function")]
mod program;

#[test]
fn the_page_of_keys_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
    let page = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    let help = "docs/config.md is out of date: cargo run -p requel --example config_page > docs/config.md";
    assert!(page == program::page(), "{help}");
}
