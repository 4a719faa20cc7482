//! A network through which too little fits.

use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "network-size";
/// Fewer units than this in a layer are a bottleneck for whatever comes before it.
const NARROW: usize = 8;

/// A hidden layer of a few units.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let network = &evidence.config.network;
    let narrowest = network.hidden.iter().copied().min().filter(|units| *units < NARROW)?;
    let evidence =
        format!("`network.hidden` = {:?}: all that is known of a state goes through {narrowest} units", network.hidden);
    Some(Finding::warning(
        NAME,
        evidence,
        "64 units a layer are few, 256 usual for vectors; a table needs no hidden layer: `[]`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn a_bottleneck() {
        let mut evidence = sick::healthy();
        for (hidden, narrow) in [(vec![64, 64], false), (vec![], false), (vec![64, 2], true), (vec![1], true)] {
            evidence.config.network.hidden = hidden;
            assert_eq!(check(&evidence).is_some(), narrow);
        }
    }
}
