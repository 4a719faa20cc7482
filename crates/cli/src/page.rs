//! [`Page`], a page for the browser: one file that needs no network.

use serde::Serialize;

const TEMPLATE: &str = include_str!("../assets/page/page.html");
const STYLE: &str = include_str!("../assets/page/page.css");
const SCRIPT: &str = include_str!("../assets/page/page.js");
const UPLOT_STYLE: &str = include_str!("../assets/uplot/uPlot.min.css");
const UPLOT_SCRIPT: &str = include_str!("../assets/uplot/uPlot.iife.min.js");

/// The parts that are specific to a page. The rest is the same for all: the head, the style, the charts library, and shared scripts.
pub struct Page {
    /// Style sheet.
    pub style: &'static str,
    /// The contents of the body.
    pub body: &'static str,
    /// Script. Its data is the JSON in the element `data`.
    pub script: &'static str,
}

impl Page {
    /// The page with its data. `parts` are placeholders in its body, such as `{{scores}}`, with the HTML that replaces them: what can be
    /// read even if scripts are blocked.
    ///
    /// # Errors
    /// If the data cannot be written as JSON.
    pub fn html(&self, title: &str, data: &impl Serialize, parts: &[(&str, &str)]) -> serde_json::Result<String> {
        Ok(fill(
            TEMPLATE,
            &[
                ("{{title}}", &escape(title)),
                ("{{uplot-style}}", UPLOT_STYLE),
                ("{{page-style}}", STYLE),
                ("{{style}}", self.style),
                ("{{body}}", &fill(self.body, parts)),
                ("{{data}}", &script_data(data)?),
                ("{{uplot-script}}", UPLOT_SCRIPT),
                ("{{page-script}}", SCRIPT),
                ("{{script}}", self.script),
            ],
        ))
    }
}

/// The template with each `{{mark}}` replaced by its text, in one pass: inserted text is not searched again.
fn fill(template: &str, parts: &[(&str, &str)]) -> String {
    let mut html = String::with_capacity(template.len() + parts.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut rest = template;
    while let Some((at, (mark, text))) =
        parts.iter().filter_map(|part| Some((rest.find(part.0)?, part))).min_by_key(|(at, _)| *at)
    {
        html.push_str(&rest[..at]);
        html.push_str(text);
        rest = &rest[at + mark.len()..];
    }
    html.push_str(rest);
    html
}

/// The text with the special characters of HTML and XML escaped.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The inside of a table. A heading that starts with `#` is for a column of numbers, one that starts with `.` for text that is wrapped;
/// each row has the attributes of its element, and its cells as HTML.
pub fn table<'a>(heading: &[&str], rows: impl Iterator<Item = (&'a str, Vec<String>)>) -> String {
    let class = |heading: &str| match heading.chars().next() {
        Some('#') => " class=\"number\"",
        Some('.') => " class=\"text\"",
        _ => "",
    };
    let mut html = String::from("<tr>");
    for heading in heading {
        let name = escape(heading.trim_start_matches(['#', '.']));
        html.push_str(&format!("<th scope=\"col\"{}>{name}</th>", class(heading)));
    }
    for (attributes, cells) in rows {
        html.push_str(&format!("</tr>\n<tr{attributes}>"));
        for (cell, heading) in cells.iter().zip(heading) {
            html.push_str(&format!("<td{}>{cell}</td>", class(heading)));
        }
    }
    html + "</tr>\n"
}

/// Data in a form that can be put into a script element.
fn script_data(value: &impl Serialize) -> serde_json::Result<String> {
    // `</script>` inside a string would end the element, and `<!--` with `<script` would hide its end. In JSON, `<` only occurs in strings.
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        assert_eq!(fill("a {{x}} b {{y}} {{x}}", &[("{{x}}", "{{y}}"), ("{{y}}", "2")]), "a {{y}} b 2 {{y}}");
        assert_eq!(escape("a<b & c>d"), "a&lt;b &amp; c&gt;d");
    }

    #[test]
    fn no_name_reaches_beyond_the_data() {
        for name in ["</script>", "<!--<script>", "]]><svg", "\u{2028}"] {
            let data = script_data(&name).unwrap();
            assert!(!data.contains('<'), "{data}");
            assert_eq!(serde_json::from_str::<String>(&data).unwrap(), name);
        }
    }

    /// A script that declares a name twice in one scope does not run at all, and no other test runs them.
    #[test]
    fn no_script_declares_a_name_twice() {
        // With how far what is in the scope of the whole file is indented.
        for (file, indent, script) in [
            ("page.js", "", SCRIPT),
            ("serve.js", "  ", include_str!("../assets/serve/serve.js")),
            ("report.js", "  ", include_str!("../assets/report/report.js")),
            ("compare.js", "  ", include_str!("../assets/compare/compare.js")),
        ] {
            let mut names = std::collections::HashSet::new();
            let top = script.lines().filter_map(|line| line.strip_prefix(indent));
            for line in top {
                let words = ["const ", "let ", "function ", "async function ", "class "];
                let Some(rest) = words.iter().find_map(|word| line.strip_prefix(word)) else { continue };
                let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let declared: &str = rest.split(|c| !is_of_name(c)).next().unwrap_or_default();
                assert!(declared.is_empty() || names.insert(declared), "{file} declares `{declared}` twice");
            }
            assert!(names.len() > 3, "{file}: {names:?}");
        }
    }

    #[test]
    fn a_table_has_its_cells_under_their_headings() {
        let rows = [(" class=\"best\"", vec!["a".to_owned(), "1".to_owned()])];
        let expected = "<tr><th scope=\"col\">name</th><th scope=\"col\" class=\"number\">n</th></tr>\n\
                        <tr class=\"best\"><td>a</td><td class=\"number\">1</td></tr>\n";
        assert_eq!(table(&["name", "#n"], rows.into_iter()), expected);
    }
}
