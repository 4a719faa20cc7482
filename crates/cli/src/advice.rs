//! Warnings about a config's settings, given before the first step of training.

use requel::config::{self, Advice, Layers, Severity};
use requel::{Config, Registry};

use crate::exit::Failure;
use crate::style;

/// The advice on a config in an environment of the registry; none if that environment cannot be created.
pub fn of(config: &Config, registry: &Registry) -> Vec<Advice> {
    let env = registry.env_factory(&config.env)();
    env.map_or_else(|_| Vec::new(), |env| config::advice(config, env.spec()))
}

/// Warns of settings of a file and of the command line that have no effect in the config that they come to.
pub fn warn_of_unused(layers: &Layers, config: &Config) {
    layers.unused(config).iter().for_each(|(why, place)| style::warn(format_args!("{why}, in {place}")));
}

/// Refuses a study in which a variant cannot learn.
///
/// # Errors
/// Names the variant, the key and what to change.
pub fn refuse<'a>(
    variants: impl IntoIterator<Item = (&'a str, &'a Config)>,
    registry: &Registry,
) -> Result<(), Failure> {
    for (name, config) in variants {
        if let Some(advice) = of(config, registry).into_iter().find(|advice| advice.severity == Severity::Impossible) {
            return Err(Failure::bad_input(format_args!("variant `{name}`: {advice}")));
        }
    }
    Ok(())
}

/// Prints each warning once, however many configs it applies to. Configs with a name are named if it does not apply to all.
pub fn warn_of<'a>(configs: impl IntoIterator<Item = (Option<&'a str>, &'a Config)>, registry: &Registry) {
    lines(configs, registry).iter().for_each(style::warn);
}

fn lines<'a>(configs: impl IntoIterator<Item = (Option<&'a str>, &'a Config)>, registry: &Registry) -> Vec<String> {
    let mut said: Vec<(String, Vec<&str>, usize)> = Vec::new();
    let mut count = 0;
    for (name, config) in configs {
        count += 1;
        for advice in of(config, registry) {
            let text = advice.to_string();
            match said.iter_mut().find(|(known, ..)| *known == text) {
                Some((_, names, times)) => {
                    names.extend(name);
                    *times += 1;
                }
                None => said.push((text, name.into_iter().collect(), 1)),
            }
        }
    }
    let line = |(text, names, times): (String, Vec<&str>, usize)| match names.is_empty() || times == count {
        true => text,
        false => format!("{}: {text}", names.join(", ")),
    };
    said.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[&str]) -> Config {
        settings.iter().fold(Layers::new(), |layers, s| layers.set(s).unwrap()).resolve().unwrap()
    }

    #[test]
    fn what_holds_for_all_is_said_once_and_the_rest_with_names() {
        let built_in = Registry::built_in();
        let short = config(&["train.env_steps=5000"]);
        let shorter = config(&["train.env_steps=5000", "optimizer.learning_rate=1e-10"]);
        let said = lines([(Some("a"), &short), (Some("b"), &shorter), (Some("c"), &shorter)], &built_in);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("`exploration.env_steps` is 10000"), "{said:?}");
        assert!(said[1].starts_with("b, c: `optimizer.learning_rate` is 1e-10"), "{said:?}");
        assert_eq!(lines([(None, &short), (None, &shorter)], &built_in).len(), 2);
    }

    #[test]
    fn a_variant_that_cannot_learn_is_refused_by_its_name() {
        let built_in = Registry::built_in();
        let (sound, dead) = (config(&[]), config(&["train.env_steps=900"]));
        assert!(refuse([("a", &sound)], &built_in).is_ok());
        let failure = refuse([("a", &sound), ("b", &dead)], &built_in).unwrap_err();
        assert!(failure.what.starts_with("variant `b`: `replay.start` is 1000"), "{}", failure.what);
    }
}
