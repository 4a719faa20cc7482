//! `watch` without a terminal: files and lines.

use crate::tool::{Desk, SHORT};

#[test]
fn pictures_of_a_trained_policy() {
    let desk = Desk::new();
    desk.train("run", &[]);
    let answer = desk.ok(&[
        "watch", "run", "--gif", "a.gif", "--apng", "b.png", "--png", "a.png", "--steps", "20", "--width", "200",
    ]);
    assert!(answer.err.contains("wrote a.gif") && answer.err.contains("wrote a.png"), "{}", answer.err);

    let options = gif::DecodeOptions::new();
    let mut decoder = options.read_info(std::fs::File::open(desk.path("a.gif")).unwrap()).unwrap();
    assert_eq!(decoder.width(), 200);
    let mut hundredths = 0;
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        hundredths += u32::from(frame.delay);
    }
    // Up to 20 steps at 50 per second, and the hold at the end.
    assert!((130..=20 * 2 + 120).contains(&hundredths), "{hundredths}");

    for (name, animated) in [("a.png", false), ("b.png", true)] {
        let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(desk.path(name)).unwrap()));
        let reader = decoder.read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().animation_control().is_some()), (200, animated), "{name}");
    }
}

#[test]
fn a_moment_that_never_was() {
    let desk = Desk::new();
    let answer = desk.run(&["watch", "CartPole-v1", "--random", "--png", "a.png", "--at", "900"]);
    assert_eq!((answer.code, desk.files().len()), (2, 0));
    assert!(answer.err.contains("the episode has no step 900"), "{}", answer.err);
}

#[test]
fn lines_where_there_is_no_terminal() {
    let desk = Desk::new();
    let answer = desk.ok(&["watch", "CartPole-v1", "--episodes", "2"]);
    assert_eq!(answer.out.lines().count(), 2);
    assert!(answer.out.starts_with("episode 1: return "), "{}", answer.out);
    assert!(answer.err.contains("try `requel train CartPole-v1`"), "{}", answer.err);
}

#[test]
fn the_newest_run_of_an_environment_is_watched() {
    let desk = Desk::new();
    desk.train("runs/mine", &[]);
    for target in [&["watch"][..], &["watch", "CartPole-v1"], &["watch", "runs/mine"]] {
        let answer = desk.ok(&[target, &["--episodes", "1", "--seed", "8"]].concat());
        assert_eq!(answer.out, desk.ok(&["watch", "runs/mine", "--episodes", "1", "--seed", "8"]).out);
    }
}

#[test]
fn the_newest_run_may_be_one_of_many() {
    let desk = Desk::new();
    desk.train("runs/alone", &[]);
    desk.ok(&[&["train", "--seeds", "0..2", "--quiet", "--run-dir", "studies/mine"], SHORT].concat());
    for command in ["watch", "eval"] {
        let answer = desk.ok(&[command, "--episodes", "1"]);
        assert!((answer.out + &answer.err).contains("studies/mine/seed-"), "{command}: {}", answer.err);
    }
    // All of them go on, not the newest alone.
    let answer = desk.ok(&["resume"]);
    assert!(answer.err.contains("2 of 2 runs are finished already"), "{}", answer.err);
}
