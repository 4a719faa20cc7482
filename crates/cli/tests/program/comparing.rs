//! `study` and `compare`.

use std::path::Path;

use crate::tool::{Desk, SHORT};

const STUDY: &str = r#"
name = "gammas"
description = "How far to look ahead."
env = "CartPole-v1"
seeds = "0..3"
metric = "best"
threshold = 20
set = [
    "train.episodes=0", "train.env_steps=3000", "evaluation.every_steps=500", "evaluation.every_episodes=0",
    "evaluation.episodes=3", "evaluation.final_episodes=5", "log.every_steps=250",
]
[[variant]]
name = "near"
preset = "notebook"
set = ["agent.gamma=0.5"]
[[variant]]
name = "far"
preset = "notebook"
"#;

fn desk_with_study() -> Desk {
    let desk = Desk::new();
    std::fs::write(desk.path("gammas.toml"), STUDY).unwrap();
    desk
}

fn png_size(path: &Path) -> (u32, u32) {
    let info = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap())).read_info().unwrap();
    (info.info().width, info.info().height)
}

#[test]
fn a_study_is_trained_once_and_told_in_every_form() {
    let desk = desk_with_study();
    let first = desk.ok(&["study", "gammas.toml"]);
    let lines: Vec<&str> = first.out.lines().collect();
    assert!(
        lines[0].contains("best return") && lines[1].starts_with("near") && lines[2].starts_with("far"),
        "{}",
        first.out
    );
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", first.out);

    let out = desk.path("studies/gammas");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let page = read("study.md");
    for expected in
        ["# gammas on CartPole-v1", "How far to look ahead.", "| **near** | 3 |", "Seeds 0..=2", "env steps to 20"]
    {
        assert!(page.contains(expected), "no {expected} in\n{page}");
    }
    let csv = read("study.csv");
    let cells: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert!(cells.len() == 3 && cells.iter().all(|count| *count == cells[0]), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&read("study.json")).unwrap();
    assert_eq!((json["groups"].as_array().unwrap().len(), &json["threshold"]), (2, &20.0.into()));
    assert_eq!(
        json["groups"][1]["curve"]["env_steps"],
        serde_json::json!([500.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0])
    );
    assert!(read("study.html").contains("<script type=\"application/json\" id=\"data\">{\"comparison\":"));
    assert_eq!(png_size(&out.join("study.png")).0, 2400);

    // Again: nothing is trained, all comes out the same.
    let again = desk.ok(&["study", "gammas.toml"]);
    assert!(again.err.contains("6 of 6 runs are finished already"), "{}", again.err);
    assert_eq!(again.out, first.out);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&read("study.json")).unwrap(), json);

    // A variant that is changed is trained anew, the other is not.
    std::fs::write(desk.path("gammas.toml"), STUDY.replace("gamma=0.5", "gamma=0.6")).unwrap();
    let changed = desk.ok(&["study", "gammas.toml"]);
    assert!(changed.err.contains("3 of 6 runs are finished already"), "{}", changed.err);

    // From its directory, a study's groups have the names of its variants.
    let compared = desk.ok(&["compare", "studies/gammas", "--metric", "best", "--threshold", "20"]);
    let names: Vec<&str> = compared.out.lines().skip(1).take(3).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["near", "far", "agent.gamma=0.5"]);
}

/// Two variants in two environments, a few hundred steps each.
const TASKS: &str = r#"
name = "tasks"
description = "Two variants in two environments."
seeds = 3
set = ["train.env_steps=600", "train.episodes=0", "replay.start=100", "evaluation.every_steps=200", "evaluation.every_episodes=0",
       "evaluation.episodes=2", "evaluation.final_episodes=3", "evaluation.stop_after=0"]
[[task]]
env = "CartPole-v1"
zero = 9.0
one = 500.0
[[task]]
env = "Toy/Catch-v0"
zero = -1.0
one = 1.0
[[variant]]
name = "near"
preset = "notebook"
[[variant]]
name = "far"
preset = "notebook"
set = ["agent.gamma=0.99"]
"#;

#[test]
fn a_study_of_several_environments_is_told_for_each_and_over_all() {
    let desk = Desk::new();
    std::fs::write(desk.path("tasks.toml"), TASKS).unwrap();
    let told = desk.ok(&["study", "tasks.toml"]);
    assert!(told.err.contains("12 of 12 done") && told.err.contains("far on Toy/Catch-v0, seed 2"), "{}", told.err);
    let lines: Vec<&str> = told.out.lines().collect();
    assert!(lines[0].contains("IQM") && lines[1].starts_with("near") && lines[2].starts_with("far"), "{}", told.out);
    let read = |name: &str| std::fs::read_to_string(desk.path("studies/tasks").join(name)).unwrap();
    assert!(
        read("CartPole-v1/study.md").contains("| **near** | 3 |")
            && read("Toy-Catch-v0/study.csv").contains("\"far\",3")
    );
    let found: serde_json::Value = serde_json::from_str(&read("study.json")).unwrap();
    let scores = &found["variants"][1]["scores"];
    assert_eq!((scores[0].as_array().unwrap().len(), scores[1].as_array().unwrap().len()), (3, 3));
    // The mean over environments of the means of their runs.
    let mean =
        |task: usize| scores[task].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).sum::<f64>() / 3.0;
    let expected = (mean(0) + mean(1)) / 2.0;
    assert!((found["variants"][1]["mean"]["value"].as_f64().unwrap() - expected).abs() < 1e-12);
    assert!(found["variants"][1]["interquartile_mean"]["low"].is_number(), "six runs have an interval");
    assert!(
        read("study.tex").contains("\\toprule") && read("study.md").contains("[Toy/Catch-v0](Toy-Catch-v0/study.md)")
    );
    assert_eq!(read("profile.csv").lines().count(), 1 + 2 * 31);
    assert!(read("efficiency.csv").starts_with("variant,share_of_budget,iqm,low,high\nnear,"));
    let page = read("study.html");
    assert!(
        page.contains("<a href=\"Toy-Catch-v0/study.html\">Toy/Catch-v0</a>") && !page.contains("{{environments}}"),
        "{page}"
    );
    let last = desk.ok(&["study", "tasks.toml", "--json", "--quiet"]).last();
    assert_eq!((&last["event"], &last["variants"]), (&"study_finished".into(), &found["variants"]));

    for (from, to, said) in [
        ("one = 1.0", "one = -1.0", "the scale of `Toy/Catch-v0` is from -1 to -1"),
        ("Toy/Catch-v0", "CartPole-v1", "two tasks have the environment `CartPole-v1`"),
        ("name = \"tasks\"", "name = \"tasks\"\nenv = \"CartPole-v1\"", "`env`, or `[[task]]`"),
        ("zero = 9.0", "zeor = 9.0", "unknown key `zeor`"),
        ("Toy/Catch-v0", "Toy/Cacth-v0", "Toy/Cacth-v0"),
    ] {
        std::fs::write(desk.path("wrong.toml"), TASKS.replace(from, to)).unwrap();
        let answer = desk.run(&["study", "wrong.toml"]);
        assert!(answer.code == 2 && answer.err.contains(said), "{to}: {}", answer.err);
    }
}

#[test]
fn a_study_that_was_killed_goes_on() {
    let desk = desk_with_study();
    desk.ok(&["study", "gammas.toml", "--out", "whole", "--seeds", "2", "--quiet"]);
    let out = |root: &str| desk.path(root);
    // What a kill leaves: a run without its summary, one without anything, and no tables.
    desk.ok(&["study", "gammas.toml", "--out", "killed", "--seeds", "2", "--quiet"]);
    let dirs: Vec<_> =
        std::fs::read_dir(out("killed")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    std::fs::remove_file(dirs[0].join("seed-1/summary.json")).unwrap();
    std::fs::remove_file(dirs[1].join("seed-0/summary.json")).unwrap();
    std::fs::remove_dir_all(dirs[1].join("seed-0/checkpoints")).unwrap();
    std::fs::remove_file(out("killed/study.json")).unwrap();
    let resumed = desk.ok(&["resume", "killed"]);
    assert!(
        resumed.err.contains("2 of 4 runs are finished already") && resumed.err.contains("2 have started"),
        "{}",
        resumed.err
    );
    let csv = |root: &str| {
        let text = std::fs::read_to_string(out(root).join("study.csv")).unwrap();
        // All but the seconds, which are the last cell.
        text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(csv("whole"), csv("killed"));
}

#[test]
fn runs_are_grouped_by_what_differs_and_drawn() {
    let desk = Desk::new();
    for (dir, more) in [("a", &["--seeds", "0..3"][..]), ("b", &["--seeds", "0..2", "--set", "agent.gamma=0.5"])] {
        desk.ok(&[&["train", "--quiet", "--run-dir", dir], SHORT, more].concat());
    }
    desk.ok(&[&["train", "--quiet", "--run-dir", "again"], SHORT, &["--seed", "1"]].concat());
    let files = ["--png", "c.png", "--svg", "c.svg", "--html", "c.html", "--csv", "c.csv"];
    let answer = desk.ok(&[&["compare", "a", "b", "again"][..], &files].concat());
    let lines: Vec<&str> = answer.out.lines().collect();
    assert!(lines[1].starts_with("notebook ") && lines[2].starts_with("agent.gamma=0.5 "), "{}", answer.out);
    assert!(answer.err.contains("1 run is the same as another") && answer.err.contains("again"), "{}", answer.err);
    // A line more than the charts need: it says why there are no intervals.
    assert_eq!(png_size(&desk.path("c.png")), (2400, 1268));
    let svg = std::fs::read_to_string(desk.path("c.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>") && svg.contains(">env steps</text>"));
    assert!(svg.contains("fewer than 5 runs"), "no caveat");
    assert_eq!((svg.matches("<polygon").count(), svg.matches("agent.gamma=0.5").count()), (0, 1));
    let csv = std::fs::read_to_string(desk.path("c.csv")).unwrap();
    assert!(csv.lines().nth(1).unwrap().starts_with("\"notebook\",3,"), "{csv}");
    let page = std::fs::read_to_string(desk.path("c.html")).unwrap();
    assert!(!page.contains("{{") && !page.contains("http://") && page.contains("uPlot"), "not by itself");

    let wide = desk.command(&["compare", "a", "b"]).env("COLUMNS", "200").output().unwrap();
    let wide = String::from_utf8(wide.stdout).unwrap();
    for expected in ["training, last 100", "P> previous", "note: 2 groups have fewer than 5 runs", "steps to 475"] {
        assert!(wide.contains(expected), "no {expected} in\n{wide}");
    }
    assert!(
        wide.lines().all(|line| line.chars().count() <= 200) && answer.out.lines().all(|l| l.chars().count() <= 80)
    );
    let json = desk.ok(&["compare", "a", "b", "--json"]).last();
    // Three runs against two: a value, and no claim of certainty in any form.
    let group = &json["groups"][1];
    assert!(group["score"]["value"].is_number() && group["score"]["low"].is_null(), "{group}");
    assert!(group["improvement_over_first"].is_null() && group["improvement_over_previous"].is_null(), "{group}");
    assert_eq!(json["caveats"][0]["kind"], "few_runs");
    assert!(answer.out.contains("fewer than 5 runs") && !answer.out.contains("95 %"), "{}", answer.out);
    assert!(csv.lines().nth(1).unwrap().contains(",,,"), "{csv}");
}

#[test]
fn unequal_budgets_are_said_in_every_form() {
    let desk = Desk::new();
    desk.ok(&[&["train", "--quiet", "--run-dir", "a"], SHORT].concat());
    desk.ok(&[&["train", "--quiet", "--run-dir", "b"], SHORT, &["--set", "train.env_steps=800"]].concat());
    let files = ["--svg", "c.svg", "--html", "c.html", "--csv", "c.csv"];
    let answer = desk.ok(&[&["compare", "a", "b"][..], &files].concat());
    let read = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    let folded = answer.out.replace('\n', " ");
    for text in [&folded, &read("c.svg"), &read("c.html")] {
        assert!(text.contains("unequal budgets") && text.contains("800 env steps"), "{text}");
    }
    let csv = read("c.csv");
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "budget_env_steps").unwrap();
    assert_eq!(csv.lines().nth(2).unwrap().split(',').nth(column), Some("800"), "{csv}");
    let json = desk.ok(&["compare", "a", "b", "--json"]).last();
    assert_eq!(json["caveats"][0]["kind"], "unequal_budgets");
    assert_eq!(json["groups"][1]["budget"]["env_steps"], 800);
}

#[test]
fn what_cannot_be_compared_or_studied_is_said() {
    let desk = desk_with_study();
    std::fs::create_dir(desk.path("empty")).unwrap();
    std::fs::write(desk.path("twice.toml"), STUDY.replace("\"far\"", "\"near\"")).unwrap();
    std::fs::write(desk.path("long.toml"), STUDY.replace("near", &"x".repeat(300))).unwrap();
    std::fs::write(desk.path("key.toml"), STUDY.replace("metric", "metrics")).unwrap();
    std::fs::write(desk.path("setting.toml"), STUDY.replace("agent.gamma=0.5", "agent.gama=0.5")).unwrap();
    std::fs::write(desk.path("environment.toml"), STUDY.replace("CartPole-v1", "CartPoel-v1")).unwrap();
    let files = desk.files().len();
    let cases: &[&[&str]] = &[
        &["compare"],
        &["compare", "missing"],
        &["compare", "empty"],
        &["study", "notebook-lader"],
        &["study", "missing.toml"],
        &["study", "twice.toml"],
        &["study", "long.toml"],
        &["study", "key.toml"],
        &["study", "setting.toml"],
        &["study", "environment.toml"],
        &["study", "gammas.toml", "--seeds", "5..2"],
    ];
    let mut said = String::new();
    for args in cases {
        let answer = desk.run(args);
        said.push_str(&format!("$ requel {}\n{}\n", args.join(" "), answer.err));
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{args:?}\n{}", answer.err);
    }
    assert_eq!(desk.files().len(), files);
    insta::assert_snapshot!(said);
}

#[test]
fn the_studies_that_come_along_are_listed_and_printed() {
    let desk = Desk::new();
    let list = desk.ok(&["study"]).out;
    assert!(list.contains("notebook-ladder") && list.contains("naive, +replay"), "{list}");
    let text = desk.ok(&["study", "notebook-ladder", "--print"]).out;
    assert!(text.contains("name = \"notebook-ladder\"") && desk.files().is_empty());
}
