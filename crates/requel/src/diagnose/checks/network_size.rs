//! A network that is too narrow or too deep.

use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "network-size";
/// A layer with fewer units than this is a bottleneck for everything before it.
const NARROW: usize = 8;
/// This few can hardly tell states apart, whatever is learned.
const HARDLY_ANY: usize = 3;

/// Through more layers than this without normalisation or shortcuts, gradients vanish.
const DEEP: usize = 6;
/// CartPole trained with ten layers of 32 and with twelve of 64 made no progress.
const VERY_DEEP: usize = 9;

/// A hidden layer of a few units, or very many layers.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let network = &evidence.config.network;
    if network.hidden.len() > DEEP && !network.layer_norm {
        let evidence = format!("`network.hidden` has {} layers, without layer normalisation", network.hidden.len());
        let finding = if network.hidden.len() > VERY_DEEP { Finding::fault } else { Finding::warning };
        return Some(finding(
            NAME,
            evidence,
            "2 or 3 hidden layers are usual; with more, set `network.layer_norm = \
                                             true`",
        ));
    }
    let narrowest = network.hidden.iter().copied().min().filter(|units| *units < NARROW)?;
    let evidence = format!(
        "`network.hidden` = {:?}: everything about a state has to pass through {narrowest} \
                 units",
        network.hidden
    );
    let finding = if narrowest < HARDLY_ANY { Finding::fault } else { Finding::warning };
    Some(finding(
        NAME,
        evidence,
        "64 units per layer are few, 256 are usual for vectors; a table needs no hidden layer: `[]`",
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
        for (hidden, severity) in [
            (vec![64, 64], None),
            (vec![], None),
            (vec![64, 4], warning),
            (vec![1], fault),
            (vec![64; 7], warning),
            (vec![64; 12], fault),
        ] {
            evidence.config.network.hidden = hidden;
            assert_eq!(check(&evidence).map(|finding| finding.severity), severity);
        }
    }
}
