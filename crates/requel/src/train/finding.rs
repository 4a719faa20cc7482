//! [`Finding`], one thing that is wrong with a training run.

use serde::Serialize;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing when reading the result.
    Note,
    /// It probably costs part of the score.
    Warning,
    /// Learning cannot work like this, or its result cannot be trusted.
    Fault,
}

impl Severity {
    /// `note`, `warning` or `fault`.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Fault => "fault",
        }
    }
}

/// One thing that is wrong with a training run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check found it, such as `value-bound`; `docs/diagnose.md` has a section of that name.
    pub check: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// The numbers that show it, in a sentence.
    pub evidence: String,
    /// What to try, with the keys of the config.
    pub advice: String,
}

impl Finding {
    /// A finding that prevents learning.
    pub(crate) fn fault(check: &'static str, evidence: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { check, severity: Severity::Fault, evidence: evidence.into(), advice: advice.into() }
    }

    /// A finding that costs something.
    pub(crate) fn warning(check: &'static str, evidence: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { severity: Severity::Warning, ..Finding::fault(check, evidence, advice) }
    }

    /// A finding worth knowing.
    pub(crate) fn note(check: &'static str, evidence: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { severity: Severity::Note, ..Finding::fault(check, evidence, advice) }
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;

    #[test]
    fn faults_are_worst() {
        assert!(Severity::Fault > Severity::Warning && Severity::Warning > Severity::Note);
    }
}
