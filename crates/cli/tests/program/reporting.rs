//! `report.html`.

use serde_json::Value;

use crate::tool::Desk;

/// What the page holds for its script.
fn data(html: &str) -> Value {
    let (_, rest) = html.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn training_leaves_a_page_that_needs_no_network() {
    let desk = Desk::new();
    let last = desk.train("run", &["--set", "agent.gamma=0.95"]).last();
    let html = std::fs::read_to_string(desk.path("run/report.html")).unwrap();
    assert!(!html.contains("{{"), "a mark was not filled in");
    for foreign in ["src=\"http", "href=\"http", "src=\"//", "@import", "url(http"] {
        assert!(!html.contains(foreign), "{foreign}");
    }

    let data = data(&html);
    assert_eq!(data["score"], last["best_evaluation"]);
    assert_eq!(data["summary"]["weights_blake3"], last["weights_blake3"]);
    let replays = data["replays"].as_array().unwrap();
    let returns: Vec<f64> = replays.iter().map(|replay| replay["return"].as_f64().unwrap()).collect();
    let mut evaluated: Vec<f64> = data["returns"].as_array().unwrap().iter().map(|r| r.as_f64().unwrap()).collect();
    evaluated.sort_by(f64::total_cmp);
    let mut shown = vec![evaluated[0], evaluated[2], evaluated[4]];
    shown.dedup();
    assert_eq!(returns, shown);
    for replay in replays {
        let moments = replay["moments"].as_array().unwrap();
        assert_eq!(moments.len() as u64, replay["steps"].as_u64().unwrap() + 1);
        assert_eq!(moments[0]["q"].as_array().unwrap().len(), 2);
    }
    let changed: Vec<&str> = data["settings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| !s["preset"].is_null())
        .map(|s| s["key"].as_str().unwrap())
        .collect();
    assert!(changed.contains(&"agent.gamma") && !changed.contains(&"replay.capacity"), "{changed:?}");
}

#[test]
fn the_page_can_be_made_again() {
    let desk = Desk::new();
    desk.train("run", &[]);
    let path = desk.path("run/report.html");
    let first = data(&std::fs::read_to_string(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    let answer = desk.ok(&["report", "run"]);
    assert!(answer.err.contains("run/report.html"), "{}", answer.err);
    assert_eq!(data(&std::fs::read_to_string(&path).unwrap()), first);
}

/// The page as it is where scripts are blocked: without them, and without what only they read.
fn without_scripts(html: &str) -> String {
    let mut rest = html;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("<script") {
        text.push_str(before);
        rest = after.split_once("</script>").unwrap().1;
    }
    text + rest
}

#[test]
fn where_scripts_are_blocked_there_are_scores_settings_and_a_picture() {
    let desk = Desk::new();
    let last = desk.train("run", &["--set", "agent.gamma=0.95"]).last();
    let html = std::fs::read_to_string(desk.path("run/report.html")).unwrap();
    let read = without_scripts(&html);
    let weights = last["weights_blake3"].as_str().unwrap();
    for part in [
        "CartPole-v1</h1>",
        "best policy, 5 greedy episodes",
        "final policy",
        "agent.gamma",
        "<noscript>",
        "<svg",
        weights,
    ] {
        assert!(read.contains(part), "no {part} in\n{read}");
    }
    assert_eq!(read.matches("<tr class=\"best\"").count(), 1);
    desk.ok(&["compare", "run", "--html", "c.html"]);
    let read = without_scripts(&std::fs::read_to_string(desk.path("c.html")).unwrap());
    for part in ["CartPole-v1</h1>", "return of the final policy", "fewer than 5 runs", "<noscript>", "<svg"] {
        assert!(read.contains(part), "no {part} in\n{read}");
    }
}

#[test]
fn no_name_blanks_the_page() {
    let desk = Desk::new();
    desk.train("<!--<script>", &[]);
    let html = std::fs::read_to_string(desk.path("<!--<script>/report.html")).unwrap();
    assert!(data(&html)["directory"].as_str().unwrap().ends_with("<!--<script>"));
    assert!(!html.contains("<!--<script"), "a name stands in the page as markup");
}

#[test]
fn half_a_page_that_a_dead_process_left_is_cleared_up() {
    let desk = Desk::new();
    desk.train("run", &[]);
    let (page, half) = (desk.path("run/report.html"), desk.path("run/report.html.1-0.new"));
    std::fs::remove_file(&page).unwrap();
    std::fs::write(&half, "<!doctype").unwrap();
    desk.ok(&["report", "run"]);
    assert!(page.exists() && !half.exists());
}

#[test]
fn a_page_names_what_is_wrong_with_its_run() {
    let desk = Desk::new();
    desk.train("well", &[]);
    desk.train("sick", &["--set", "agent.reward_scale=10000"]);
    let page = |run: &str| std::fs::read_to_string(desk.path(run).join("report.html")).unwrap();
    assert!(!page("well").contains("reward-scale"));
    let sick = page("sick");
    assert!(sick.contains("<li class=\"fault\"><b>fault: reward-scale</b>"), "{:?}", data(&sick)["findings"]);
    assert!(sick.contains("<code>agent.reward_scale</code>"), "{:?}", data(&sick)["findings"]);
    assert_eq!(data(&sick)["findings"][0]["check"], "reward-scale");
}
