//! Fifty updates of every rule, head and network, three times over: by the agents in `f32`, by a twin of them in `f64` that is
//! made of [`requel_nn::reference`], and by `xtask/golden/updates.py`, which is NumPy in `f64` and knows nothing of either.
//!
//! What goes into a case is written down by [`write_inputs`], for the script to read: `cargo xtask golden updates`.

mod agent_run;
mod cases;
mod data;
mod network;
mod rules;
mod twin;

use agent_run::{AgentRun, shared_experience};
use cases::cases;
use data::{Arrays, folder};
use requel::{Agent as _, Machine};
use serde_json::json;

/// An `f32` is rounded by up to 2⁻²⁴ = 6e-8 in every operation, and the roundings of fifty updates add up like a random walk on
/// top of that of the parameters themselves: a few 1e-7 of the parameters' norm are to be expected. A wrong term, factor or target
/// shows above 1e-3.
const F32_BOUND: f64 = 1e-6;

/// The same computation in `f64` twice, in another order of its sums.
const F64_BOUND: f64 = 1e-9;

/// The L2 distance in parts of the L2 norm.
fn distance(ours: &[f64], exact: &[f64]) -> f64 {
    assert_eq!(ours.len(), exact.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut ours.iter().zip(exact).map(|(a, b)| a - b)) / norm(&mut exact.iter().copied())
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

#[test]
fn the_twin_equals_numpy() {
    let (inputs, results) = (Arrays::read("inputs.safetensors"), Arrays::read("results.safetensors"));
    for case in cases() {
        let (inputs, results) = (inputs.of(case.name), results.of(case.name));
        let spec = if case.is_pqn() {
            let agent = case.config.pqn_agent(&cases::space(), cases::ACTIONS, &Machine::default()).unwrap();
            agent.value_network().unwrap().network.spec().clone()
        } else {
            case.replay_agent().value_network().unwrap().network.spec().clone()
        };
        let twin = case.run_twin(&spec, &inputs);
        let (start, end) = (inputs.all("initial"), results.all("parameters"));
        let moved = distance(&start, &end);
        assert!(moved > 0.01, "{}: the updates moved the parameters by {moved}", case.name);
        for (what, ours) in
            [("parameters", &twin.parameters), ("losses", &twin.losses), ("priorities", &twin.priorities)]
        {
            if !ours.is_empty() {
                let distance = distance(ours, &results.all(what));
                println!("{}: {what} {distance:.1e}, moved {moved:.2}", case.name);
                assert!(distance < F64_BOUND, "{}: {what} are off by {distance:e}", case.name);
            }
        }
    }
}

#[test]
fn the_agents_equal_numpy_but_for_their_rounding() {
    let (inputs, results) = (Arrays::read("inputs.safetensors"), Arrays::read("results.safetensors"));
    assert_eq!(shared_experience(), inputs.of("steps"));
    for case in cases() {
        let AgentRun { inputs: drawn, parameters, losses, priorities, .. } = case.run_agent();
        assert_eq!(drawn, inputs.of(case.name), "{}: what is drawn", case.name);
        let results = results.of(case.name);
        // Of a rollout an agent tells the sum alone.
        let exact = results.all("losses");
        let exact: Vec<f64> = exact.chunks(exact.len() / losses.len()).map(|part| part.iter().sum()).collect();
        let parameters = distance(&wide(&parameters), &results.all("parameters"));
        println!("{}: parameters {parameters:.1e}, losses {:.1e}", case.name, distance(&losses, &exact));
        assert!(parameters < F32_BOUND, "{}: parameters are off by {parameters:e}", case.name);
        let losses = distance(&losses, &exact);
        assert!(losses < 10.0 * F32_BOUND, "{}: losses are off by {losses:e}", case.name);
        if !priorities.is_empty() {
            let priorities = distance(&priorities, &results.all("priorities"));
            assert!(priorities < 10.0 * F32_BOUND, "{}: priorities are off by {priorities:e}", case.name);
        }
    }
}

#[test]
#[ignore = "writes the golden data's inputs; `cargo xtask golden updates` runs it"]
fn write_inputs() {
    let out = std::env::var_os("REQUEL_GOLDEN_OUT").map_or_else(folder, Into::into);
    let mut arrays = Arrays::default();
    arrays.add("steps", shared_experience());
    let mut descriptions = Vec::new();
    for case in cases() {
        let run = case.run_agent();
        arrays.add(case.name, run.inputs);
        descriptions.push(run.description);
    }
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("inputs.safetensors"), arrays.to_bytes()).unwrap();
    let text = serde_json::to_string(&json!({ "cases": descriptions })).unwrap();
    std::fs::write(out.join("inputs.json"), text + "\n").unwrap();
}
