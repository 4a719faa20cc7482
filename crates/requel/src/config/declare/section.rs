//! A section of the config, declared key by key.

/// Declares a section: `name: Type = default, in range, unit "…", may change, tune values;`, of which the last four are optional. The first
/// line of a key's documentation is its meaning, the text after an empty line is its detail.
///
/// From the declaration come the struct, its default, the range checks, and the [`Section`](super::Section) from which help, errors,
/// `docs/config.md` and the JSON schema are generated. Fields that are not keys come after `also`.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $Section:ident = $path:literal {
            $(
                #[doc = $meaning:literal]
                $(#[doc = $detail:literal])*
                $(#[serde($($serde:tt)*)])*
                $name:ident: $Type:ty = $default:expr
                $(, in $range:expr)? $(, unit $unit:literal)? $(, may $change:ident)? $(, tune $tune:expr)?;
            )*
        }
        $(also { $( $(#[$attribute:meta])* $other:ident: $Other:ty = $other_default:expr; )* })?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $Section {
            $( #[doc = $meaning] $(#[doc = $detail])* $(#[serde($($serde)*)])* pub $name: $Type, )*
            $($( $(#[$attribute])* pub $other: $Other, )*)?
        }

        impl Default for $Section {
            fn default() -> Self {
                $Section { $( $name: $default, )* $($( $other: $other_default, )*)? }
            }
        }

        impl $Section {
            /// The declared keys.
            pub(in crate::config) const SECTION: $crate::config::declare::Section = $crate::config::declare::Section {
                name: $path,
                about: concat!($($about),+).trim_ascii(),
                keys: &[$(
                    $crate::config::declare::Key {
                        path: concat!($path, ".", stringify!($name)),
                        meaning: $crate::config::declare::meaning($meaning),
                        detail: concat!($($detail),*).trim_ascii(),
                        value_type: <$Type as $crate::config::declare::KeyValue>::TYPE,
                        range: $crate::config::declare::given!($crate::config::declare::Range::OfType; $($range)?),
                        unit: $crate::config::declare::given!(None; $(Some($unit))?),
                        may_change: $crate::config::declare::given!(false; $({ let _ = stringify!($change); true })?),
                        tuning: $crate::config::declare::given!(None; $(Some($tune))?),
                    },
                )*],
            };

            /// Finds the first key that is out of range.
            pub(in crate::config) fn check_ranges(&self) -> Result<(), $crate::config::Fault> {
                $(
                    let range = $crate::config::declare::given!($crate::config::declare::Range::OfType; $($range)?);
                    $crate::config::declare::KeyValue::check(&self.$name, range)
                        .map_err(|reason| $crate::config::Fault { keys: &[concat!($path, ".", stringify!($name))], reason })?;
                )*
                Ok(())
            }
        }
    };
}

/// Declares the whole config: the keys before all sections, and the sections.
macro_rules! config {
    (
        $(#[doc = $about:literal])+
        pub struct $Config:ident {
            $( $(#[doc = $meaning:literal])+ $(#[serde($($serde:tt)*)])* $name:ident: $Type:ty = $default:expr; )*
        }
        sections {
            $( $section:ident: $Section:ident, )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $Config {
            $( $(#[doc = $meaning])+ $(#[serde($($serde)*)])* pub $name: $Type, )*
            $(
                #[doc = concat!("Section `", stringify!($section), "`.")]
                pub $section: $Section,
            )*
        }

        impl Default for $Config {
            fn default() -> Self {
                $Config { $( $name: $default, )* $( $section: $Section::default(), )* }
            }
        }

        /// Every section, in the order of the file; the first one has the keys before all sections.
        pub const SECTIONS: &[$crate::config::declare::Section] = &[
            $crate::config::declare::Section {
                name: "",
                about: "",
                keys: &[$(
                    $crate::config::declare::Key {
                        path: stringify!($name),
                        meaning: $crate::config::declare::meaning(concat!($($meaning),+)),
                        detail: "",
                        value_type: <$Type as $crate::config::declare::KeyValue>::TYPE,
                        range: $crate::config::declare::Range::OfType,
                        unit: None,
                        may_change: false,
                        tuning: None,
                    },
                )*],
            },
            $( $Section::SECTION, )*
        ];

        impl $Config {
            /// Finds the first key that is out of range.
            pub(in crate::config) fn check_ranges(&self) -> Result<(), $crate::config::Fault> {
                $( self.$section.check_ranges()?; )*
                Ok(())
            }
        }
    };
}

/// The given expression, or else the default.
macro_rules! given {
    ($default:expr;) => {
        $default
    };
    ($default:expr; $given:expr) => {
        $given
    };
}

pub(in crate::config) use {config, given, section};
