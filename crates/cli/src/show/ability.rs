//! [`Ability`], what the terminal can show.

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorDepth {
    /// None, or the user wants none (`NO_COLOR`).
    Mono,
    /// The 256-colour palette.
    Ansi256,
    /// 24 bits.
    True,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ability {
    /// Colours.
    pub color: ColorDepth,
    /// Whether characters outside ASCII are shown correctly.
    pub unicode: bool,
}

impl Ability {
    /// The abilities according to `NO_COLOR`, `COLORTERM`, `TERM` and the locale.
    pub fn detect() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name| variable(name).filter(|v| !v.is_empty());
        let term = value("TERM").unwrap_or_default();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(value).unwrap_or_default().to_lowercase();
        let unicode = cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8");
        let color = if value("NO_COLOR").is_some() {
            ColorDepth::Mono
        } else if matches!(value("COLORTERM").as_deref(), Some("truecolor" | "24bit"))
            || term.ends_with("-direct")
            || value("WT_SESSION").is_some()
        {
            ColorDepth::True
        } else if matches!(term.as_str(), "" | "dumb" | "linux") || term.starts_with("vt") {
            ColorDepth::Mono
        } else {
            ColorDepth::Ansi256
        };
        Ability { color, unicode }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ability(variables: &[(&str, &str)]) -> Ability {
        Ability::from_variables(|name| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_string()))
    }

    #[test]
    fn variables_decide() {
        let (mono, palette, full) = (ColorDepth::Mono, ColorDepth::Ansi256, ColorDepth::True);
        assert_eq!(ability(&[]), Ability { color: mono, unicode: false });
        assert_eq!(
            ability(&[("TERM", "xterm-256color"), ("LANG", "en_GB.UTF-8")]),
            Ability { color: palette, unicode: true }
        );
        assert_eq!(ability(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]).color, full);
        assert_eq!(ability(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]).color, mono);
        assert_eq!(ability(&[("TERM", "xterm"), ("NO_COLOR", "")]).color, palette);
        assert!(!ability(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]).unicode);
    }
}
