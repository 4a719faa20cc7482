//! `docs/environments.md` says what the code says.

#[path = "../examples/envs_page.rs"]
#[allow(dead_code, reason = "the program's main function")]
mod program;

#[test]
fn the_page_of_environments_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/environments.md");
    let page = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        page == program::page().unwrap(),
        "docs/environments.md is out of date: cargo run -p requel-envs --example envs_page > docs/environments.md"
    );
}
