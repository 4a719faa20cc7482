//! [`action_list`], which reads actions written by a person or in a file.

/// Parses indices of actions from `text`, separated by commas or white space, each below `n`.
///
/// It takes no more memory than eight times the text.
///
/// ```
/// assert_eq!(requel_envs::action_list("0, 1\n1", 2), Ok(vec![0, 1, 1]));
/// assert_eq!(requel_envs::action_list("0,2", 2), Err("2"));
/// ```
///
/// # Errors
/// The first word that is not such an index.
pub fn action_list(text: &str, n: usize) -> Result<Vec<usize>, &str> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    words.map(|word| word.parse::<usize>().ok().filter(|action| *action < n).ok_or(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::action_list;

    #[test]
    fn words_that_are_no_action_are_named() {
        assert_eq!(action_list("", 2), Ok(vec![]));
        assert_eq!(action_list(",, \n\t,3 ,", 4), Ok(vec![3]));
        for wrong in ["-1", "4", "1.0", "x", "99999999999999999999999", "１"] {
            assert_eq!(action_list(&format!("0,{wrong},1"), 4), Err(wrong));
        }
    }
}
