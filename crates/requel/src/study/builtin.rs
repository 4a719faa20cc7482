//! The studies that come with requel.

/// A study that comes with requel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its name for `requel study`.
    pub name: &'static str,
    /// The file.
    pub toml: &'static str,
}

macro_rules! study {
    ($name:literal) => {
        BuiltIn { name: $name, toml: include_str!(concat!("../../studies/", $name, ".toml")) }
    };
}

const BUILT_INS: &[BuiltIn] = &[study!("notebook-ladder"), study!("rainbow-ablation")];

/// All studies that come with requel, by name.
pub fn built_ins() -> &'static [BuiltIn] {
    BUILT_INS
}

/// The one called `name`.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_INS.iter().find(|study| study.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Study;

    #[test]
    fn each_is_what_its_name_says_and_every_variant_can_be_trained() {
        assert!(BUILT_INS.is_sorted_by(|a, b| a.name < b.name));
        for built_in in BUILT_INS {
            let study = Study::parse(built_in.name, built_in.toml).unwrap();
            assert_eq!(study.name, built_in.name);
            assert!(!study.description.is_empty());
            study.cells(&crate::Registry::built_in()).unwrap();
        }
    }
}
