//! A search as a page for the browser.

use requel::study::Comparison;
use requel::tune::{Search, Tuned, importance};
use serde_json::json;

use super::figure::figure;
use super::text::{headline, shown};
use crate::compare::{cells, inline_svg};
use crate::exit::Failure;
use crate::numbers::counted;
use crate::page::{Page, escape, table};
use crate::show::tidy;

const PAGE: Page = Page {
    style: include_str!("../../assets/tune/tune.css"),
    body: include_str!("../../assets/tune/tune.html"),
    script: include_str!("../../assets/tune/tune.js"),
};

/// The page.
///
/// # Errors
/// If the figures cannot be written as JSON.
pub fn html(search: &Search, tuned: &Tuned, fresh: Option<&Comparison>) -> Result<String, Failure> {
    let title = headline(search);
    let (fresh_note, fresh_table) = match fresh {
        None => (
            "The winner was not trained again (--fresh 0): the best of many is lucky, and its score too high.",
            String::new(),
        ),
        Some(fresh) => (
            "The final policy on seeds that were not used to choose anything: the best of many is lucky, and its own \
            score too high.",
            of_comparison(fresh),
        ),
    };
    let parts = [
        ("{{name}}", escape(&title)),
        ("{{subtitle}}", escape(&subtitle(tuned))),
        ("{{picture}}", inline_svg(&figure(search, tuned, &title))),
        ("{{fresh-note}}", fresh_note.to_owned()),
        ("{{fresh}}", fresh_table),
        ("{{best}}", best(search, tuned)),
        ("{{trials}}", trials(search, tuned)),
        ("{{footer}}", format!("requel {}", env!("CARGO_PKG_VERSION"))),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(mark, html)| (*mark, html.as_str())).collect();
    PAGE.html(&title, &json!({ "tuned": tuned, "fresh": fresh }), &parts).map_err(Failure::failed)
}

fn subtitle(tuned: &Tuned) -> String {
    let score = tuned.score();
    let seeds = counted(score.seeds.len(), "seed");
    format!(
        "best of {} trials: number {}, with a mean return of {} over the {seeds} that chose it",
        tuned.trials.len(),
        tuned.best,
        tidy(score.mean_return)
    )
}

fn of_comparison(fresh: &Comparison) -> String {
    let (heading, rows) = cells(fresh);
    let heading: Vec<String> = heading.into_iter().map(|name| format!("#{name}")).collect();
    let heading: Vec<&str> = [""].into_iter().chain(heading[1..].iter().map(String::as_str)).collect();
    table(&heading, rows.into_iter().map(|row| ("", row.iter().map(|cell| escape(cell)).collect())))
}

fn best(search: &Search, tuned: &Tuned) -> String {
    let (settings, start) = (&tuned.winner().settings, search.space.of_start());
    let shares = importance(&search.space, &tuned.trials);
    let rows = search.space.dimensions().iter().enumerate().map(|(at, dimension)| {
        let key = dimension.key.path;
        let share = shares.as_ref().map_or("–".into(), |shares| format!("{:.0} %", 100.0 * shares[at]));
        let cells = [key.to_owned(), shown(settings, key), shown(&start, key), share, dimension.key.help()];
        ("", cells.iter().map(|cell| escape(cell)).collect())
    });
    table(&["setting", "#best", "#start", "#importance", ".what it is"], rows)
}

fn trials(search: &Search, tuned: &Tuned) -> String {
    let rungs = search.rungs.levels();
    let keys: Vec<&str> = search.space.dimensions().iter().map(|dimension| dimension.key.path).collect();
    let heading: Vec<String> = ["#trial".to_owned()]
        .into_iter()
        .chain(rungs.iter().map(|rung| format!("#at {} × {}", rung.env_steps, rung.seeds)))
        .chain(keys.iter().map(|key| format!("#{key}")))
        .collect();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    let rows = tuned.trials.iter().map(|trial| {
        let scores = trial.scores();
        let score = |rung: usize| match (scores.get(rung), &trial.failure) {
            (Some(score), _) => tidy(*score),
            (None, Some(_)) if rung == scores.len() => "failed".into(),
            (None, _) => String::new(),
        };
        let value = |key: &&str| trial.settings.get(*key).map(ToString::to_string).unwrap_or_default();
        let cells =
            [trial.number.to_string()].into_iter().chain((0..rungs.len()).map(score)).chain(keys.iter().map(value));
        (if trial.number == tuned.best { " class=\"best\"" } else { "" }, cells.map(|cell| escape(&cell)).collect())
    });
    table(&heading, rows)
}
