//! Rust source with its comments and literals blanked out.

/// `text` with every comment, string and character literal replaced by spaces. Lines keep their numbers and columns.
///
/// A lexer of six states, not a parser: it knows nested block comments, escapes, raw and byte strings, and tells a
/// character literal from a lifetime. That is all a search for words in code needs.
pub fn code_only(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut position = 0;
    while position < characters.len() {
        let end = match literal_end(&characters, position) {
            Some(end) => {
                code.extend(characters[position..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
                end
            }
            None => {
                code.push(characters[position]);
                position + 1
            }
        };
        position = end;
    }
    code
}

/// Whether `code` holds `word` with nothing of an identifier on either side.
pub fn has_word(code: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = code[start + word.len()..].chars().next();
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    })
}

/// Where the comment or literal that begins at `start` ends; `None` where none begins.
fn literal_end(text: &[char], start: usize) -> Option<usize> {
    let at = |offset: usize| text.get(start + offset).copied();
    match (text[start], at(1)) {
        ('/', Some('/')) => Some(find(text, start, '\n')),
        ('/', Some('*')) => Some(block_comment_end(text, start)),
        ('"', _) => Some(quoted_end(text, start, '"')),
        // 'x' and '\n' are literals; 'a in <'a> is a lifetime.
        ('\'', Some('\\')) => Some(quoted_end(text, start, '\'')),
        ('\'', Some(_)) if at(2) == Some('\'') => Some(start + 3),
        ('r', Some('"' | '#')) if !inside_name(text, start) => raw_string_end(text, start + 1),
        ('b' | 'c', Some('r')) if !inside_name(text, start) => raw_string_end(text, start + 2),
        _ => None,
    }
}

fn inside_name(text: &[char], position: usize) -> bool {
    position > 0 && (text[position - 1].is_alphanumeric() || text[position - 1] == '_')
}

fn find(text: &[char], start: usize, wanted: char) -> usize {
    text[start..].iter().position(|&c| c == wanted).map_or(text.len(), |offset| start + offset)
}

fn block_comment_end(text: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut position = start;
    while position + 1 < text.len() {
        match (text[position], text[position + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                position += 1;
                continue;
            }
        }
        position += 2;
        if depth == 0 {
            return position;
        }
    }
    text.len()
}

fn quoted_end(text: &[char], start: usize, quote: char) -> usize {
    let mut position = start + 1;
    while position < text.len() {
        match text[position] {
            '\\' => position += 2,
            c if c == quote => return position + 1,
            _ => position += 1,
        }
    }
    text.len()
}

/// The end of a raw string whose `#`s or quote are at `start`; `None` for a raw identifier such as `r#type`.
fn raw_string_end(text: &[char], start: usize) -> Option<usize> {
    let hashes = text[start..].iter().take_while(|&&c| c == '#').count();
    let mut position = start + hashes;
    if text.get(position) != Some(&'"') {
        return None;
    }
    loop {
        position = find(text, position + 1, '"');
        if position >= text.len() {
            return Some(text.len());
        }
        let closing = text[position + 1..].iter().take_while(|&&c| c == '#').count();
        if closing >= hashes {
            return Some(position + 1 + hashes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_code_is_kept() {
        let cases = [
            ("a // dbg!\nb", "a        \nb"),
            ("a /* x /* y */ z */ b", "a                   b"),
            (r#"f("un\"safe") + 1"#, "f(          ) + 1"),
            (r##"r#"unsafe "quoted" "# ; x"##, "                      ; x"),
            ("b'\"' ; x", "b    ; x"),
            (r"'\'' ; x", "     ; x"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("r#type = 1", "r#type = 1"),
            ("for r in x", "for r in x"),
        ];
        for (text, expected) in cases {
            assert_eq!(code_only(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        let text = "a\n/* one\ntwo */ b\n\"three\nfour\" c\n";
        assert_eq!(code_only(text).lines().count(), text.lines().count());
        assert!(code_only(text).lines().nth(4).unwrap().ends_with('c'));
    }

    #[test]
    fn a_word_is_found_only_whole() {
        assert!(has_word("unsafe { x }", "unsafe"));
        assert!(has_word("(unsafe)", "unsafe"));
        assert!(!has_word("#![forbid(unsafe_code)]", "unsafe"));
        assert!(!has_word("not_unsafe", "unsafe"));
    }
}
