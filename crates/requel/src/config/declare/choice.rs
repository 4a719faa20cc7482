//! A setting whose value is one of several words.

/// Declares an enum whose variants are the words that a key accepts, each with its meaning.
///
/// From `"word" => Variant` come the enum, its words, how it is parsed and written, and the list of words that messages, `docs/config.md`
/// and the JSON schema show.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        pub enum $Choice:ident {
            $( $(#[doc = $meaning:literal])+ $word:literal => $Variant:ident, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $Choice {
            $( $(#[doc = $meaning])+ #[serde(rename = $word)] $Variant, )+
        }

        impl $Choice {
            /// The words of all choices.
            pub const WORDS: &[&str] = &[$($word),+];

            /// Its word in configs.
            pub const fn word(self) -> &'static str {
                match self {
                    $( $Choice::$Variant => $word, )+
                }
            }
        }

        impl $crate::config::declare::KeyValue for $Choice {
            const TYPE: $crate::config::declare::ValueType = $crate::config::declare::ValueType::Word(&[
                $( $crate::config::declare::Word { word: $word, meaning: concat!($($meaning),+).trim_ascii() }, )+
            ]);

            fn check(&self, _: $crate::config::declare::Range) -> Result<(), String> {
                Ok(())
            }
        }
    };
}

pub(in crate::config) use choice;
