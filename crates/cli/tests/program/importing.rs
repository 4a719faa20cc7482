//! `import`: weights of PyTorch.

use safetensors::tensor::{Dtype, TensorView};

use crate::tool::Desk;

/// `torch.nn.Sequential(Linear(4, 3), ReLU(), Linear(3, 2))` under Stable-Baselines3's names, its target network beside it.
fn weights(desk: &Desk, name: &str) {
    let bytes = |len: usize| -> Vec<u8> { (0..len).flat_map(|i| (i as f32 * 0.1 - 0.5).to_le_bytes()).collect() };
    let shapes = [("0.weight", vec![3, 4]), ("0.bias", vec![3]), ("2.weight", vec![2, 3]), ("2.bias", vec![2])];
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = ["q_net.q_net", "q_net_target.q_net"]
        .into_iter()
        .flat_map(|net| shapes.iter().map(move |(name, shape)| (format!("{net}.{name}"), shape.clone())))
        .map(|(name, shape)| (name, shape.clone(), bytes(shape.iter().product())))
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, data)| (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    std::fs::write(desk.path(name), safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn weights_of_pytorch_become_a_policy() {
    let desk = Desk::new();
    weights(&desk, "sb3.safetensors");
    let answer = desk.ok(&["import", "sb3.safetensors", "CartPole-v1", "--prefix", "q_net."]);
    assert!(
        answer.err.contains("wrote policy.safetensors (4 numbers of CartPole-v1 to the values of 2 actions"),
        "{}",
        answer.err
    );
    let policy = requel::policy_file::PolicyFile::read(&desk.path("policy.safetensors")).unwrap();
    assert_eq!((policy.env_id.as_str(), policy.parameters.len()), ("CartPole-v1", 4 * 3 + 3 + 3 * 2 + 2));
    // What is there is not overwritten.
    let again = desk.run(&["import", "sb3.safetensors", "CartPole-v1", "--prefix", "q_net."]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("--output FILE"), "{}", again.err);
}

#[test]
fn what_cannot_be_imported_is_refused_and_writes_nothing() {
    let desk = Desk::new();
    weights(&desk, "sb3.safetensors");
    std::fs::write(desk.path("text"), "not weights").unwrap();
    for (args, expected) in [
        (
            &["sb3.safetensors", "CartPole-v1"][..],
            "`q_net_target.q_net.0` reads 4 numbers, but the layer before it outputs 2",
        ),
        (
            &["sb3.safetensors", "MountainCar-v0", "--prefix", "q_net."],
            "reads 4 numbers, but an observation of MountainCar-v0 has 2",
        ),
        (&["sb3.safetensors", "CartPole-v1", "--prefix", "policy."], "no tensor `policy.….weight`"),
        (&["sb3.safetensors", "CartPole-v1", "--set", "agent.gamma=0.5"], "not a setting of the environment"),
        (&["text", "CartPole-v1"], "not a safetensors file"),
        (&["missing", "CartPole-v1"], "cannot read missing"),
        (&[".", "CartPole-v1"], "is not a file of weights"),
        (&["sb3.safetensors", "CartPoel-v1"], "did you mean `CartPole-v1`?"),
    ] {
        let refused = desk.run(&[&["import"], args].concat());
        assert_eq!(refused.code, 2, "{args:?}: {}", refused.err);
        assert!(refused.err.contains(expected), "{args:?}: {}", refused.err);
    }
    assert!(!desk.path("policy.safetensors").exists());
}
