//! "Did you mean": the nearest of some names.

/// The candidate most similar to `name`, if it is similar enough to be explained by a typing error.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    requel_envs::nearest(name, candidates).map(str::to_owned)
}

/// The hint for an environment id that this program does not have: the nearest id, or where to look for it.
pub fn unknown_env_hint(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`requel envs` lists all environments of this program; for one of your own, use the program that registers it: \
                 with `requel_cli::main_with` it has every verb"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_nothing_else() {
        let names = ["notebook", "notebook-naive", "cartpole", "cartpole-zoo"];
        assert_eq!(nearest("notebok", names).as_deref(), Some("notebook"));
        assert_eq!(nearest("CartPol", names).as_deref(), Some("cartpole"));
        assert_eq!(nearest("xyz", names), None);
    }
}
