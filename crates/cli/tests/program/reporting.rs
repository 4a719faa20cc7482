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
    assert_eq!(returns, [evaluated[0], evaluated[2], evaluated[4]]);
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
