//! No driver, no device, a wrong number, too little memory, a device that is lost.

use super::desk::Desk;
use super::trainings::weights;

#[test]
fn without_a_driver() {
    let desk = Desk::without_driver();
    desk.train("run", "cuda", &[]).says(2, &["no CUDA driver", "libcuda.so.1", "train.device=\"cpu\""]);
    assert!(!desk.path("run").exists(), "nothing was written");
    // Nobody asked for a card: there is nothing to say.
    let answer = desk.train("run", "auto", &[]);
    answer.says(0, &[]);
    assert!(!answer.err.contains("CUDA"), "{}", answer.err);
    let doctor = desk.run(&["doctor"]);
    assert!(doctor.code == Some(0) && doctor.out.contains("no CUDA driver"), "{}", doctor.out);
}

#[test]
fn without_a_device() {
    let desk = Desk::with_twin().where_it_says("REQUEL_TWIN_DEVICES", 0);
    desk.train("run", "cuda", &[]).says(2, &["the CUDA driver finds no device"]);
    desk.train("run", "auto", &[]).says(0, &["networks on cpu: the CUDA driver finds no device"]);
}

#[test]
fn a_device_of_another_number() {
    let desk = Desk::with_twin().where_it_says("REQUEL_TWIN_DEVICES", 2);
    desk.train("run", "cuda:2", &[]).says(2, &["there is no device cuda:2: this machine has 2, counted from 0"]);
    desk.train("run", "cuda:1", &[]).says(0, &["networks on cuda:1 (host twin)"]);
    desk.train("other", "gpu", &[]).says(2, &["`train.device` must be auto, cpu, cuda"]);
}

#[test]
fn too_little_memory() {
    let desk = Desk::with_twin().where_it_says("REQUEL_TWIN_MEMORY", 100_000);
    desk.train("run", "cuda", &[]).says(2, &["and the device has", "replay.batch_size"]);
    assert!(!desk.path("run").exists(), "nothing was written");
    // Large enough to be worth a card, which has no room for it.
    let large = ["network.hidden=[512,512]", "replay.start=100", "replay.batch_size=100", "train.env_steps=110"];
    desk.train("run", "auto", &large).says(0, &["networks on cpu: ", "and the device has"]);
}

#[test]
fn a_device_that_is_lost_leaves_a_run_that_goes_on() {
    let desk = Desk::with_twin();
    desk.train("whole", "cpu", &[]).says(0, &[]);
    // Each env step acts, and from the 200th on learns: the device was lost behind the first checkpoint.
    let desk = desk.where_it_says("REQUEL_TWIN_LOST_AFTER", 700);
    desk.train("run", "cuda", &[])
        .says(1, &["the device was lost", "CUDA_ERROR_LAUNCH_FAILED", "continue with `program resume`"]);
    let desk = desk.mended();
    desk.run(&["verify", "run"]).says(0, &[]);
    let resumed = desk.run(&["resume", "run"]);
    resumed.says(0, &["continuing run from env step 300"]);
    assert_eq!(weights(&desk, "run"), weights(&desk, "whole"));
}
