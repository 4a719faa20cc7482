//! Stacked images, kept frame by frame, from the environment to the batch.

use requel::Trainer;

use crate::support::short_training;

#[test]
fn convolutions_see_the_frames_as_channels() {
    let trainer = Trainer::new(short_training("frames")).unwrap();
    assert_eq!(trainer.value_network().unwrap().network.spec().input_shape, [10, 10, 8]);
    let state = trainer.save().unwrap();
    // Each frame is 100 words of 4 bytes; a whole observation would be twice that.
    assert_eq!(state.tensors["replay/frames"].shape[1], 100);
}

/// Frame by frame or whole: what is learned is the same, and takes less room.
#[test]
fn how_frames_are_kept_changes_nothing_that_is_learned() {
    for name in ["frames", "frames, prioritized"] {
        let config = short_training(name);
        let outcome = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap();
        // The same environment from a factory, with a config that does not say that it stacks.
        let (mut whole, n) = (config.clone(), config.env.frame_stack);
        whole.env.frame_stack = 1;
        let factory = move || {
            let env = requel_envs::wrappers::ChannelStack::new(requel_envs::make("MinAtar/Breakout-v1")?, n)?;
            Ok(Box::new(env) as Box<dyn requel_envs::Env>)
        };
        let mut trainer = Trainer::with_envs(whole, Box::new(factory)).unwrap();
        assert_eq!(trainer.run(&mut ()).unwrap(), outcome, "{name}");
        assert!(!trainer.save().unwrap().tensors.contains_key("replay/frames"));
    }
}
