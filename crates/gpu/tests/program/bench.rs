//! `requel bench`: the CPU beside a device.

use serde_json::Value;

use super::desk::Desk;

#[test]
fn a_network_of_ones_own_on_the_cpu_and_on_a_device() {
    let desk = Desk::with_twin();
    let own = ["--preset", "dqn", "--set", "network.hidden=[8]", "--batch", "4,7"];
    let lines = desk.run(&[&["bench", "--device", "cuda", "--json"], &own[..]].concat());
    lines.says(0, &[]);
    let found: Vec<Value> = lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.iter().map(|line| line["batch"].as_u64()).collect::<Vec<_>>(), [Some(4), Some(7)]);
    for line in &found {
        assert_eq!(line["device"], Value::from("cuda:0 (host twin)"));
        assert!(line["cpu_ms"].as_f64() > Some(0.0) && line["device_ms"].as_f64() > Some(0.0), "{line}");
    }
    let table = desk.run(&[&["bench"], &own[..]].concat());
    table.says(0, &[]);
    assert!(table.out.contains("cuda:0 (host twin), ms") && table.out.contains("faster"), "{}", table.out);
}

#[test]
fn a_device_that_there_is_not() {
    let desk = Desk::with_twin();
    desk.run(&["bench", "--device", "cuda:3", "--preset", "dqn"]).says(2, &["there is no device cuda:3"]);
    desk.run(&["bench", "--device", "gpu"]).says(2, &["gpu"]);
    desk.run(&["bench", "--batch", "0"]).says(2, &["1 to 65536"]);
    let desk = Desk::without_driver();
    desk.run(&["bench", "--device", "cuda", "--preset", "dqn"]).says(2, &["no CUDA driver"]);
    let alone = desk.run(&["bench", "--preset", "dqn", "--batch", "4"]);
    alone.says(0, &["only the CPU: no CUDA driver"]);
    assert!(!alone.out.contains("faster"), "{}", alone.out);
}
