//! A run that goes from the CPU to the device and back.

use super::twin::{advance, config, trainer};

#[test]
fn from_the_cpu_to_the_device_and_back() {
    for (preset, env) in [("minatar-rainbow", 150), ("dqn", 300), ("iqn", 170)] {
        let config = config(preset, &["replay.start=130", "replay.capacity=1000", "train.env_steps=100000"]);
        let mut whole = trainer(&config, "");
        advance(&mut whole, env + 40);

        let mut first = trainer(&config, "");
        advance(&mut first, env);
        let mut second = trainer(&config, "twin");
        second.restore(&first.save().unwrap()).unwrap();
        // What was taken over is saved as it was.
        assert_eq!(second.save().unwrap(), first.save().unwrap(), "{preset}");
        advance(&mut second, env + 20);
        let mut third = trainer(&config, "");
        third.restore(&second.save().unwrap()).unwrap();
        assert_eq!(third.save().unwrap(), second.save().unwrap(), "{preset}");
        advance(&mut third, env + 40);
        assert_eq!(third.save().unwrap(), whole.save().unwrap(), "{preset}");
    }
}

#[test]
fn a_state_of_another_optimizer_is_refused() {
    let adam = config("dqn", &[]);
    let rms_prop = config("dqn", &["optimizer.kind=\"rmsprop\"", "optimizer.momentum=0.9"]);
    let saved = trainer(&adam, "twin");
    assert!(trainer(&rms_prop, "twin").restore(&saved.save().unwrap()).is_err());
}

#[test]
fn a_policy_and_its_file_are_there() {
    let mut trainer = trainer(&config("dqn", &["replay.start=130", "replay.capacity=1000"]), "twin");
    advance(&mut trainer, 200);
    let network = trainer.value_network().expect("a network");
    assert!(trainer.policy_file(network.parameters).is_some());
    assert_eq!(trainer.policy().unwrap().parameters(), network.parameters);
}
