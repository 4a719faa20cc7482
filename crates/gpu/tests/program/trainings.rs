//! Trainings on the host twin: the weights of the CPU, from one device to another, and what is said of it.

use serde_json::Value;

use super::desk::Desk;

/// The hash of a finished run's weights.
pub fn weights(desk: &Desk, run: &str) -> String {
    let summary = std::fs::read(desk.path(run).join("summary.json")).expect("a finished run");
    serde_json::from_slice::<Value>(&summary).unwrap()["weights_blake3"].as_str().unwrap().to_owned()
}

#[test]
fn from_the_cpu_to_a_device_and_back() {
    let desk = Desk::with_twin();
    desk.train("whole", "cpu", &[]).says(0, &[]);
    desk.train("run", "cpu", &["train.env_steps=300"]).says(0, &[]);
    let go_on = |device: &str, env_steps: u32| {
        let (device, env_steps) = (format!("train.device={device}"), format!("train.env_steps={env_steps}"));
        desk.run(&["resume", "run", "--set", &device, "--set", &env_steps])
    };
    go_on("cuda", 450).says(0, &["networks on cuda:0 (host twin)"]);
    go_on("cpu", 600).says(0, &[]);
    assert_eq!(weights(&desk, "run"), weights(&desk, "whole"));
    // Which session was where.
    let provenance = std::fs::read(desk.path("run").join("provenance.json")).unwrap();
    let provenance: Value = serde_json::from_slice(&provenance).unwrap();
    let devices: Vec<&Value> =
        provenance["sessions"].as_array().unwrap().iter().map(|session| &session["machine"]["device"]).collect();
    assert_eq!(devices, [&Value::Null, &Value::from("cuda:0 (host twin)"), &Value::Null]);
}

#[test]
fn the_device_is_in_the_summary_and_in_what_is_shown() {
    let desk = Desk::with_twin();
    let answer = desk.train("run", "cuda", &[]);
    answer.says(0, &["· seed 0 · cuda:0 (host twin)"]);
    let summary: Value =
        serde_json::from_slice(&std::fs::read(desk.path("run").join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["device"], Value::from("cuda:0 (host twin)"));
    desk.run(&["verify", "run"]).says(0, &[]);
}

#[test]
fn a_small_network_is_warned_of_on_a_card_and_left_to_the_cpu_by_itself() {
    let desk = Desk::with_twin();
    let small = ["network.hidden=[4]", "replay.batch_size=4"];
    desk.train("cuda", "cuda", &small).says(0, &["warning", "an update takes 0.", "a card is slower"]);
    desk.train("auto", "auto", &small).says(0, &["networks on cpu: an update takes 0."]);
    assert_eq!(weights(&desk, "cuda"), weights(&desk, "auto"));
    let doctor = desk.run(&["doctor"]).out;
    assert!(doctor.contains("cuda:0 (host twin)") && doctor.contains("experimental"), "{doctor}");
}

#[test]
fn a_large_network_goes_to_the_card_by_itself() {
    let desk = Desk::with_twin();
    let large = ["network.hidden=[512,512]", "replay.start=100", "replay.batch_size=100", "train.env_steps=110"];
    desk.train("auto", "auto", &large).says(0, &["networks on cuda:0 (host twin): an update takes "]);
    desk.train("cpu", "cpu", &large).says(0, &[]);
    assert_eq!(weights(&desk, "auto"), weights(&desk, "cpu"));
}
