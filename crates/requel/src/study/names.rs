//! Names that directories can have.

/// The maximum length of a name, characters: the name of a directory is somewhat longer, and some file systems allow only 255 bytes.
const MOST: usize = 60;

/// Whether a name can be the name of a directory on any file system.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.+".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain) && name.chars().count() <= MOST
}

/// The message about an invalid name.
pub(crate) fn not_plain(name: &str) -> String {
    if name.chars().count() > MOST {
        let beginning: String = name.chars().take(MOST / 3).collect();
        return format!("the name `{beginning}…` is longer than {MOST} characters");
    }
    format!("`{name}` is not a valid name: use letters, digits and any of `-_.+`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_a_directory_can_have() {
        for name in ["dqn", "per-0.6_b+", "größe", &"x".repeat(60)] {
            assert!(is_plain_name(name), "{name}");
        }
        for name in ["", ".hidden", "a/b", "a b", "..", &"x".repeat(61)] {
            assert!(!is_plain_name(name), "{name}");
        }
        assert_eq!(not_plain(&"x".repeat(300)), format!("the name `{}…` is longer than 60 characters", "x".repeat(20)));
        assert!(not_plain("a/b").contains("use letters"));
    }
}
