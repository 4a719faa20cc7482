//! A network through which too little fits.

use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "network-size";
/// Fewer units than this in a layer are a bottleneck for whatever comes before it.
const NARROW: usize = 8;
/// As few hardly tell one state from another, whatever is learned.
const HARDLY_ANY: usize = 3;

/// A hidden layer of a few units.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let network = &evidence.config.network;
    let narrowest = network.hidden.iter().copied().min().filter(|units| *units < NARROW)?;
    let evidence =
        format!("`network.hidden` = {:?}: all that is known of a state goes through {narrowest} units", network.hidden);
    let finding = if narrowest < HARDLY_ANY { Finding::fault } else { Finding::warning };
    Some(finding(
        NAME,
        evidence,
        "64 units a layer are few, 256 usual for vectors; a table needs no hidden layer: `[]`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn a_bottleneck() {
        let mut evidence = sick::healthy();
        let (warning, fault) = (Some(Severity::Warning), Some(Severity::Fault));
        for (hidden, severity) in [(vec![64, 64], None), (vec![], None), (vec![64, 4], warning), (vec![1], fault)] {
            evidence.config.network.hidden = hidden;
            assert_eq!(check(&evidence).map(|finding| finding.severity), severity);
        }
    }
}
