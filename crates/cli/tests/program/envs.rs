//! `envs` and `rollout`.

use std::io::Read;
use std::process::Stdio;

use crate::tool::Desk;

#[test]
fn environments_are_listed() {
    let desk = Desk::new();
    let list = desk.ok(&["envs"]).out;
    let line = list.lines().find(|line| line.starts_with("CartPole-v1 ")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["CartPole-v1", "Box(4)", "Discrete(2)", "500", "475"]);
    let json = desk.ok(&["envs", "--json"]).json();
    assert_eq!(json.len(), list.lines().count() - 1);
    let cartpole = json.iter().find(|env| env["id"] == "CartPole-v1").unwrap();
    assert_eq!((&cartpole["max_episode_steps"], &cartpole["reward_threshold"]), (&500.into(), &475.0.into()));
}

#[test]
fn one_env() {
    insta::assert_snapshot!(Desk::new().ok(&["envs", "CartPole-v1"]).out);
}

#[test]
fn given_actions() {
    let answer = Desk::new().ok(&["rollout", "CartPole-v1", "--seed", "42", "--actions", "0,1,1", "--json"]);
    insta::assert_snapshot!(answer.out);
}

#[test]
fn actions_from_a_file_are_the_same_actions() {
    let desk = Desk::new();
    std::fs::write(desk.path("actions.txt"), "0 1\n1,\n").unwrap();
    let args = |actions| ["rollout", "CartPole-v1", "--seed", "3", "--json", "--actions", actions];
    assert_eq!(desk.ok(&args("@actions.txt")).out, desk.ok(&args("0,1,1")).out);
}

#[test]
fn random_actions_follow_the_seed_to_the_end_of_the_episode() {
    let desk = Desk::new();
    let rollout = |seed| desk.ok(&["rollout", "CartPole-v1", "--seed", seed, "--json"]);
    let lines = rollout("5").json();
    assert_eq!(lines, rollout("5").json());
    assert_ne!(lines, rollout("6").json());
    let (last, before) = lines.split_last().unwrap();
    assert_eq!(last["terminated"], true);
    assert!(before[1..].iter().all(|line| line["terminated"] == false && line["truncated"] == false));
    assert_eq!(last["step"], lines.len() - 1);
}

#[test]
fn steps_are_a_limit() {
    assert_eq!(Desk::new().ok(&["rollout", "CartPole-v1", "--steps", "4", "--json"]).json().len(), 5);
}

#[test]
fn several_episodes_go_on_from_each_other() {
    let desk = Desk::new();
    let lines = desk.ok(&["rollout", "CartPole-v1", "--seed", "5", "--episodes", "3", "--json"]).json();
    let alone = desk.ok(&["rollout", "CartPole-v1", "--seed", "5", "--json"]).json();
    let of = |episode: u64| lines.iter().filter(move |line| line["episode"] == episode).collect::<Vec<_>>();
    let bare = |line: &serde_json::Value| {
        let mut line = line.clone();
        line.as_object_mut().unwrap().remove("episode");
        line
    };
    assert_eq!(of(0).into_iter().map(bare).collect::<Vec<_>>(), alone);
    for episode in 0..3 {
        let lines = of(episode);
        assert_eq!((&lines[0]["step"], &lines[lines.len() - 1]["terminated"]), (&0.into(), &true.into()));
    }
    assert_ne!(of(0)[0]["observation"], of(1)[0]["observation"]);
    // Given actions are used up over the episodes, and none begins without.
    let given = ["rollout", "Toy/Catch-v0", "--actions", "1,1,1,1,1,1,1,1,1,1,1", "--episodes", "9", "--json"];
    let lines = desk.ok(&given).json();
    let episodes: Vec<u64> = lines.iter().map(|line| line["episode"].as_u64().unwrap()).collect();
    assert_eq!(episodes, [&[0; 10][..], &[1; 3]].concat());
    assert_eq!(desk.run(&["rollout", "CartPole-v1", "--episodes", "0"]).code, 2);
}

#[test]
fn options_of_the_environment_can_be_set() {
    let desk = Desk::new();
    let len = |settings: &[&str], id: &str| {
        let set = settings.iter().flat_map(|setting| ["--set", setting]);
        let args: Vec<&str> = ["rollout", id, "--steps", "1", "--json"].into_iter().chain(set).collect();
        desk.ok(&args).json()[0]["observation"].as_array().unwrap().len()
    };
    assert_eq!(len(&["env.frame_stack=3"], "CartPole-v1"), 12);
    assert_eq!(len(&["env.options.rows=4", "env.options.columns=3"], "Toy/Catch-v0"), 12);
    let walk = desk.ok(&[
        "rollout",
        "FrozenLake-v1",
        "--set",
        "env.options.is_slippery=false",
        "--actions",
        "1,1,2,1",
        "--json",
    ]);
    assert_eq!(walk.json()[4]["observation"][0], 13.0);
    for (setting, expected) in [
        ("agent.gamma=0.5", "`agent.gamma` is not a setting of the environment"),
        ("env.id=Taxi-v3", "`env.id` is not a setting"),
        ("env.options.nothing=1", "option `nothing`"),
    ] {
        let refused = desk.run(&["rollout", "CartPole-v1", "--set", setting]);
        assert_eq!(refused.code, 2, "{setting}: {}", refused.err);
        assert!(refused.err.contains(expected), "{}", refused.err);
    }
}

#[test]
fn as_text() {
    let answer = Desk::new().ok(&["rollout", "CartPole-v1", "--actions", "0,1"]);
    insta::assert_snapshot!(answer.out);
    assert_eq!(answer.err, "stopped after 2 steps, return 2\n");
}

#[test]
fn a_reader_that_leaves_is_no_panic() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["rollout", "CartPole-v1", "--actions", &"0,1,".repeat(100), "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
