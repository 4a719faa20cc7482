//! What the committed PTX holds: arithmetic that rounds once and to the nearest, and nothing else.

use std::collections::BTreeSet;

const PTX: &str = include_str!("../kernels/requel.ptx");

/// The instructions of the text, without what they work on.
fn instructions() -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for line in PTX.lines().map(str::trim) {
        // A predicate may stand before an instruction.
        let instruction = line
            .strip_prefix('@')
            .and_then(|rest| rest.split_once(char::is_whitespace))
            .map_or(line, |(_, rest)| rest.trim());
        if let Some(name) = instruction.split([' ', '\t', ';']).next()
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && line.ends_with(';')
        {
            found.insert(name);
        }
    }
    found
}

fn has_part(instruction: &str, part: &str) -> bool {
    instruction.split('.').any(|own| own == part)
}

#[test]
fn floating_point_arithmetic_rounds_to_nearest_once() {
    let instructions = instructions();
    assert!(instructions.len() > 30, "{instructions:?}");
    let arithmetic = ["add", "sub", "mul", "div", "fma", "mad", "sqrt", "rcp"];
    let mut seen = BTreeSet::new();
    for instruction in instructions.iter().filter(|i| has_part(i, "f32") || has_part(i, "f64")) {
        let operation = instruction.split('.').next().unwrap();
        if arithmetic.contains(&operation) {
            assert!(has_part(instruction, "rn"), "{instruction} does not say that it rounds to nearest");
            seen.insert(operation);
        } else {
            // What moves, compares, negates and converts numbers rounds nothing, but conversions to fewer bits.
            let known = ["ld", "st", "mov", "selp", "setp", "neg", "cvt"];
            assert!(known.contains(&operation), "{instruction} is not among what was looked at");
            let rounds = operation == "cvt" && !instruction.starts_with("cvt.f64.f32");
            assert!(!rounds || has_part(instruction, "rn") || instruction.starts_with("cvt.rzi.s32"), "{instruction}");
        }
    }
    assert_eq!(seen, BTreeSet::from(["add", "div", "fma", "mul", "sqrt", "sub"]));
}

#[test]
fn nothing_is_approximated_flushed_or_left_to_the_order_of_threads() {
    for instruction in instructions() {
        for part in ["approx", "ftz", "full", "ex2", "lg2", "sin", "cos", "tanh", "rsqrt", "atom", "red", "wmma", "mma"]
        {
            assert!(!has_part(instruction, part), "{instruction}");
        }
    }
}

#[test]
fn it_is_for_every_card_since_turing() {
    assert!(PTX.lines().any(|line| line == ".target sm_75") && PTX.lines().any(|line| line == ".version 8.0"));
}
