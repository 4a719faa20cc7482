//! `docs/worlds.md` says what the code says.

#[path = "../examples/worlds_page.rs"]
#[allow(dead_code, reason = "the program's main function")]
mod program;

#[test]
fn the_page_of_worlds_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/worlds.md");
    let page = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        page == program::page().unwrap(),
        "docs/worlds.md is out of date: cargo run -p requel-envs --example worlds_page > docs/worlds.md"
    );
}
