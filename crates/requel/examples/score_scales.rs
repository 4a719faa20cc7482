//! Writes `scales.toml` again, with newly measured returns of random actions:
//! `cargo run --release -p requel --example score_scales > scales.toml`, then `mv scales.toml crates/requel/`.

use requel::Registry;
use requel::study::{known_scales, random_return};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = include_str!("../scales.toml");
    // What stands above the first scale stays.
    print!("{}", &text[..text.find("[[scale]]").unwrap_or(text.len())]);
    let registry = Registry::built_in();
    let mut gap = "";
    for scale in known_scales() {
        let zero = random_return(&scale.env, &registry)?.ok_or("random actions have no score")?;
        println!("{gap}[[scale]]\nenv = {:?}\nzero = {zero:?}\none = {:?}\nis = {:?}", scale.env, scale.one, scale.is);
        gap = "\n";
    }
    Ok(())
}
