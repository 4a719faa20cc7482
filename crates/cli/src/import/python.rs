//! Python literals, as in `policy_kwargs: "dict(net_arch=[256, 256])"`.

use super::given::Given;

/// The value of an expression made of literals, names, lists, tuples and calls of `dict`; `None` for anything else.
pub fn literal(text: &str) -> Option<Given> {
    let mut reader = Reader { rest: text.trim(), depth: 0 };
    let value = reader.value()?;
    reader.rest.trim().is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

/// The maximum depth of nesting in hyperparameters.
const DEEPEST: usize = 16;

impl Reader<'_> {
    fn value(&mut self) -> Option<Given> {
        self.depth += 1;
        let value = if self.depth > DEEPEST { None } else { self.one() };
        self.depth -= 1;
        value
    }

    fn one(&mut self) -> Option<Given> {
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            '[' => self.items(']').map(Given::List),
            '(' => self.items(')').map(Given::List),
            '{' => self.entries("{", ':', '}'),
            quote @ ('\'' | '"') => self.quoted(quote).map(Given::Text),
            _ if self.rest.starts_with("dict(") => self.entries("dict(", '=', ')'),
            _ => {
                let end =
                    self.rest.find(|c: char| !(c.is_alphanumeric() || "_.+-".contains(c))).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                (!word.is_empty()).then(|| Given::of_word(word))
            }
        }
    }

    fn items(&mut self, close: char) -> Option<Vec<Given>> {
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        while !self.takes(close) {
            items.push(self.value()?);
            if !self.takes(',') {
                return self.takes(close).then_some(items);
            }
        }
        Some(items)
    }

    fn entries(&mut self, open: &str, between: char, close: char) -> Option<Given> {
        self.rest = self.rest.strip_prefix(open)?;
        let mut entries = Vec::new();
        while !self.takes(close) {
            let Given::Text(name) = self.value()? else { return None };
            let value = self.takes(between).then(|| self.value())??;
            entries.push((name, value));
            if !self.takes(',') {
                return self.takes(close).then_some(Given::Map(entries));
            }
        }
        Some(Given::Map(entries))
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let (text, rest) = self.rest[1..].split_once(quote)?;
        self.rest = rest;
        Some(text.into())
    }

    fn takes(&mut self, wanted: char) -> bool {
        let trimmed = self.rest.trim_start();
        match trimmed.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_zoo_writes_is_read() {
        let shown = |text: &str| literal(text).map(|given| given.shown());
        let table = [
            ("dict(net_arch=[256, 256])", "dict(net_arch=[256, 256])"),
            ("dict(net_arch=[64,], n_quantiles=10)", "dict(net_arch=[64], n_quantiles=10)"),
            (
                "dict(activation_fn=nn.Tanh, optimizer_kwargs=dict(eps=1e-5))",
                "dict(activation_fn=nn.Tanh, optimizer_kwargs=dict(eps=0.00001))",
            ),
            ("{'net_arch': (400, 300)}", "dict(net_arch=[400, 300])"),
            ("(4, 'step')", "[4, step]"),
            ("None", "None"),
            ("dict()", "dict()"),
        ];
        table.into_iter().for_each(|(text, expected)| assert_eq!(shown(text).as_deref(), Some(expected), "{text}"));
        for wrong in ["", "dict(", "dict(a)", "[1, 2", "lambda x: x", "dict(a=1) b", &"[".repeat(1000), "'a"] {
            assert_eq!(literal(wrong), None, "{wrong}");
        }
    }
}
