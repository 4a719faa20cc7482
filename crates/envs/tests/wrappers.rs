//! What each wrapper changes, and that every one keeps the contract.

use requel_envs::wrappers::{
    ActionRepeat, ChannelStack, ClipReward, Discretize, FrameStack, NormalizeObservation, ObservationStatistics,
    OneHot, ScaleReward, StickyActions,
};
use requel_envs::{
    Action, Env, EnvError, EnvOptions, OptionValue, Space, Step, TimeLimit, VectorEnv, closure::from_closures,
    conformance::check, make, make_with,
};

/// Counts the actions 1, forgets at a reset; the reward is the count.
fn counter() -> impl Env {
    from_closures(
        "Counter",
        2,
        |_| [0.0],
        |[count], action, _| {
            *count += action as f64;
            Step { reward: *count, terminated: *count >= 100.0, truncated: false }
        },
    )
}

/// Resets `env` and takes `actions`; gives the observations and the rewards.
fn walk(env: &mut dyn Env, actions: &[usize]) -> Vec<(Vec<f32>, f64)> {
    let mut observation = vec![0.0; env.observation_len()];
    env.reset(Some(3), &mut observation).unwrap();
    let mut one = |action: &usize| {
        let step = env.step(Action::Discrete(*action), &mut observation).unwrap();
        (observation.clone(), step.reward)
    };
    actions.iter().map(&mut one).collect()
}

#[test]
fn all_keep_the_contract() {
    let id = ["CartPole-v0", "Taxi-v4", "Blackjack-v1"];
    for id in id {
        check(|| Box::new(StickyActions::new(make(id).unwrap(), 0.25).unwrap())).unwrap();
        check(|| Box::new(ActionRepeat::new(make(id).unwrap(), 3).unwrap())).unwrap();
        check(|| Box::new(FrameStack::new(make(id).unwrap(), 3).unwrap())).unwrap();
        check(|| Box::new(ClipReward::new(make(id).unwrap(), -1.0, 1.0).unwrap())).unwrap();
        check(|| Box::new(ScaleReward::new(make(id).unwrap(), -0.5).unwrap())).unwrap();
        check(|| Box::new(TimeLimit::new(make(id).unwrap(), 7).unwrap())).unwrap();
        check(|| Box::new(NormalizeObservation::new(OneHot::new(make(id).unwrap()).unwrap()).unwrap())).unwrap();
    }
    check(|| Box::new(Discretize::new(make("Pendulum-v1").unwrap(), 5).unwrap())).unwrap();
    check(|| {
        let env = Discretize::new(make("Pendulum-v1").unwrap(), 3).unwrap();
        let env = StickyActions::new(ActionRepeat::new(env, 2).unwrap(), 0.5).unwrap();
        Box::new(FrameStack::new(NormalizeObservation::new(env).unwrap(), 4).unwrap())
    })
    .unwrap();
}

#[test]
fn channels_are_the_stacked_frames_behind_each_other() {
    let env = || make("MinAtar/Breakout-v1").unwrap();
    check(move || Box::new(ChannelStack::new(env(), 3).unwrap())).unwrap();
    let (mut frames, mut channels) = (FrameStack::new(env(), 3).unwrap(), ChannelStack::new(env(), 3).unwrap());
    let Space::Box { shape, low, high, .. } = channels.observation_space().clone() else { panic!("images are boxes") };
    assert_eq!(shape, [10, 10, 12]);
    assert_eq!((low.len(), high.len()), (1200, 1200));
    let actions = [0, 1, 2, 0, 1, 1, 0, 2];
    for ((first, reward), (last, same)) in walk(&mut frames, &actions).iter().zip(walk(&mut channels, &actions)) {
        assert_eq!(*reward, same);
        for (index, value) in first.iter().enumerate() {
            let (frame, pixel, channel) = (index / 400, index % 400 / 4, index % 4);
            assert_eq!(last[pixel * 12 + frame * 4 + channel], *value);
        }
    }
    // No images, no frames.
    assert!(ChannelStack::new(make("CartPole-v1").unwrap(), 2).is_err());
    assert!(ChannelStack::new(env(), 0).is_err());
}

#[test]
fn sticky_actions_repeat_what_was_executed() {
    let always = walk(&mut StickyActions::new(counter(), 1.0).unwrap(), &[1, 0, 0, 0]);
    assert_eq!(always.last().unwrap().0, [4.0], "the first action sticks for ever");
    let never = walk(&mut StickyActions::new(counter(), 0.0).unwrap(), &[1, 0, 1, 0]);
    assert_eq!(never.last().unwrap().0, [2.0]);

    // Alternating actions: a step repeats the one before it, executed or not asked for, with the given probability.
    let mut env = StickyActions::new(
        from_closures(
            "Echo",
            2,
            |_| [0.0],
            |state, action, _| {
                state[0] = action as f64;
                Step::default()
            },
        ),
        0.25,
    )
    .unwrap();
    let asked: Vec<usize> = (0..10_000).map(|index| index % 2).collect();
    let executed: Vec<f32> = walk(&mut env, &asked).into_iter().map(|(observation, _)| observation[0]).collect();
    let repeats = executed.iter().zip(&asked).filter(|(executed, asked)| **executed != **asked as f32).count();
    // After a repeat what is asked for equals what would stick, so that the share of others is p/(1+p) = 0.2.
    assert!((1_850..2_150).contains(&repeats), "{repeats} of 10000");
    assert!(StickyActions::new(counter(), 1.5).is_err());
    assert!(StickyActions::new(make("Pendulum-v1").unwrap(), 0.25).is_err());
}

#[test]
fn repeated_actions_add_up_and_stop_at_the_end() {
    let steps = walk(&mut ActionRepeat::new(counter(), 3).unwrap(), &[1, 0]);
    assert_eq!(steps, [(vec![3.0], 1.0 + 2.0 + 3.0), (vec![3.0], 9.0)]);

    let mut env = ActionRepeat::new(TimeLimit::new(counter(), 4).unwrap(), 3).unwrap();
    env.reset(None, &mut [0.0]).unwrap();
    let flags = |step: Step| (step.reward, step.truncated);
    assert_eq!(flags(env.step(Action::Discrete(1), &mut [0.0]).unwrap()), (6.0, false));
    assert_eq!(flags(env.step(Action::Discrete(1), &mut [0.0]).unwrap()), (4.0, true));
    assert!(ActionRepeat::new(counter(), 0).is_err());
}

#[test]
fn stacked_frames_are_the_last_ones() {
    let mut env = FrameStack::new(counter(), 3).unwrap();
    assert_eq!(env.observation_space().len(), 3);
    let shown: Vec<Vec<f32>> = walk(&mut env, &[1, 1, 0, 1]).into_iter().map(|(observation, _)| observation).collect();
    assert_eq!(shown, [[0.0, 0.0, 1.0], [0.0, 1.0, 2.0], [1.0, 2.0, 2.0], [2.0, 2.0, 3.0]]);

    let image = FrameStack::new(make("Toy/Catch-v0").unwrap(), 2).unwrap();
    assert!(matches!(image.observation_space(), Space::Box { shape, .. } if shape == &[2, 10, 5]));
    let index = FrameStack::new(make("FrozenLake-v1").unwrap(), 2).unwrap();
    assert_eq!(index.observation_space(), &Space::MultiDiscrete { n: vec![16, 16] });
    assert!(FrameStack::new(counter(), 0).is_err());
}

#[test]
fn rewards_are_clipped_and_scaled() {
    let rewards = |steps: Vec<(Vec<f32>, f64)>| steps.into_iter().map(|(_, reward)| reward).collect::<Vec<f64>>();
    let clipped = walk(&mut ClipReward::new(counter(), 1.5, 2.5).unwrap(), &[1, 1, 1]);
    assert_eq!(rewards(clipped), [1.5, 2.0, 2.5]);
    let scaled = walk(&mut ScaleReward::new(counter(), -2.0).unwrap(), &[1, 1, 0]);
    assert_eq!(rewards(scaled), [-2.0, -4.0, -4.0]);
    assert!(ClipReward::new(counter(), 1.0, 0.0).is_err());
    assert!(ClipReward::new(counter(), f64::NAN, 0.0).is_err());
    assert!(ScaleReward::new(counter(), f64::INFINITY).is_err());
}

#[test]
fn normalised_observations_have_mean_0_and_variance_1() {
    let noise = || {
        from_closures(
            "Noise",
            2,
            |rng| [rng.uniform(4.0, 10.0)],
            |state, _, rng| {
                state[0] = rng.uniform(4.0, 10.0);
                Step::default()
            },
        )
    };
    let mut env = NormalizeObservation::new(noise()).unwrap();
    let seen = walk(&mut env, &[0; 20_000]);
    let statistics = env.statistics().clone();
    // A uniform law on an interval of length 6 has the variance 6²/12.
    assert!((statistics.mean[0] - 7.0).abs() < 0.05, "{statistics:?}");
    assert!((statistics.variance[0] - 3.0).abs() < 0.05, "{statistics:?}");
    let late: Vec<f64> = seen[10_000..].iter().map(|(observation, _)| f64::from(observation[0])).collect();
    let mean = late.iter().sum::<f64>() / late.len() as f64;
    let variance = late.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / late.len() as f64;
    assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03, "mean {mean}, variance {variance}");

    let mut frozen = NormalizeObservation::with_statistics(noise(), statistics.clone()).unwrap();
    walk(&mut frozen, &[0; 50]);
    assert_eq!(frozen.statistics(), &statistics, "frozen ones outlive a reset with a seed");
    walk(&mut env, &[]);
    assert!(env.statistics().count < 2.0, "others do not");
    assert!(NormalizeObservation::new(make("FrozenLake-v1").unwrap()).is_err());
    let short = NormalizeObservation::with_statistics(make("CartPole-v1").unwrap(), statistics);
    assert!(matches!(short, Err(EnvError::ObservationLength { expected: 4, found: 1 })));
}

#[test]
fn one_hot_observations_are_those_of_flatten() {
    let mut lake = OneHot::new(make("FrozenLake-v1").unwrap()).unwrap();
    let mut observation = vec![0.5; 16];
    lake.reset(Some(0), &mut observation).unwrap();
    assert_eq!((observation[0], observation.iter().sum::<f32>()), (1.0, 1.0));

    let mut table = OneHot::new(make("Blackjack-v1").unwrap()).unwrap();
    let mut plain = make("Blackjack-v1").unwrap();
    let (mut hot, mut hand) = (vec![0.5; 32 + 11 + 2], [0.0; 3]);
    table.reset(Some(0), &mut hot).unwrap();
    plain.reset(Some(0), &mut hand).unwrap();
    let lit: Vec<usize> = (0..hot.len()).filter(|index| hot[*index] == 1.0).collect();
    assert_eq!(lit, [hand[0] as usize, 32 + hand[1] as usize, 43 + hand[2] as usize]);
}

#[test]
fn the_option_discretize_is_the_wrapper() {
    let with = |values| make_with("Pendulum-v1", &EnvOptions::from([("discretize".into(), OptionValue::Int(values))]));
    check(|| with(3).unwrap()).unwrap();
    let mut by_hand = Discretize::new(make("Pendulum-v1").unwrap(), 5).unwrap();
    let actions: Vec<usize> = (0..40).map(|step| step * step % 5).collect();
    assert_eq!(walk(with(5).unwrap().as_mut(), &actions), walk(&mut by_hand, &actions));
    for values in [-1, 0, 1, 65_537] {
        let refusal = format!("option `discretize` of Pendulum-v1: {values} is out of range: give 2 to 65536");
        assert_eq!(with(values).err().unwrap().to_string(), refusal);
    }
}

#[test]
fn discrete_actions_are_evenly_spaced() {
    let env = Discretize::new(make("Pendulum-v1").unwrap(), 3).unwrap();
    let values: Vec<f32> = (0..3).map(|action| env.values(action).unwrap()[0]).collect();
    assert_eq!(values, [-2.0, 0.0, 2.0]);
    assert!(env.values(3).is_none());
    assert!(Discretize::new(make("Pendulum-v1").unwrap(), 1).is_err());
    assert!(Discretize::new(make("CartPole-v1").unwrap(), 3).is_err());
    assert!(Discretize::new(make("Pendulum-v1").unwrap(), 100_000).is_err());
}

#[test]
fn wrappers_refuse_what_they_cannot_be_made_of() {
    let empty = || from_closures("Empty", 2, |_| [], |_, _, _| Step::default());
    assert!(FrameStack::new(empty(), 2).is_err());
    assert!(FrameStack::new(make("CartPole-v1").unwrap(), 0).is_err());
    assert!(FrameStack::new(make("CartPole-v1").unwrap(), usize::MAX).is_err());
    assert!(FrameStack::new(make("CartPole-v1").unwrap(), 1 << 27).is_err());
    assert!(ChannelStack::new(make("MinAtar/Breakout-v1").unwrap(), usize::MAX).is_err());
    assert!(OneHot::new(empty()).is_err());
    assert!(VectorEnv::new(vec![Box::new(empty())]).is_err());
    let statistics = ObservationStatistics { count: 3.0, mean: vec![0.0; 4], variance: vec![1.0; 4] };
    let with = |change: fn(&mut ObservationStatistics)| {
        let mut changed = statistics.clone();
        change(&mut changed);
        NormalizeObservation::with_statistics(make("CartPole-v1").unwrap(), changed).map(|_| ())
    };
    with(|_| {}).unwrap();
    for (change, expected) in [
        ((|s| s.count = -1.0) as fn(&mut ObservationStatistics), "the statistics cover -1 observations"),
        (|s| s.count = f64::NAN, "cover NaN observations"),
        (|s| s.mean[2] = f64::INFINITY, "mean 2 of the statistics is inf"),
        (|s| s.variance[3] = -1.0, "variance 3 of the statistics is -1"),
        (|s| s.variance[0] = f64::NAN, "variance 0 of the statistics is NaN"),
    ] {
        let refused = with(change).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn metrics_go_through_wrappers_and_vectors() {
    let grid = || make("GridWorld-v0").unwrap();
    type Make = Box<dyn Fn() -> Box<dyn Env>>;
    let wrapped: [(f64, Make); 8] = [
        (1.0, Box::new(grid)),
        (1.0, Box::new(move || Box::new(OneHot::new(grid()).unwrap()))),
        (1.0, Box::new(move || Box::new(FrameStack::new(OneHot::new(grid()).unwrap(), 2).unwrap()))),
        (1.0, Box::new(move || Box::new(NormalizeObservation::new(OneHot::new(grid()).unwrap()).unwrap()))),
        (1.0, Box::new(move || Box::new(ClipReward::new(grid(), -0.5, 0.5).unwrap()))),
        (1.0, Box::new(move || Box::new(ScaleReward::new(grid(), 2.0).unwrap()))),
        (1.0, Box::new(move || Box::new(StickyActions::new(grid(), 0.0).unwrap()))),
        // Each action is taken three times in a row, and tries three times to leave.
        (3.0, Box::new(move || Box::new(ActionRepeat::new(grid(), 3).unwrap()))),
    ];
    for (number, (attempts, env)) in wrapped.into_iter().enumerate() {
        let count = 3;
        let mut vector = VectorEnv::new((0..count).map(|_| env()).collect()).unwrap();
        let mut observations = vec![0.0; count * vector.observation_len()];
        let (mut next, mut steps) = (observations.clone(), vec![Step::default(); count]);
        vector.reset(0, &mut observations).unwrap();
        // From the upper left corner up, to the right, and to the left.
        vector.step(&[0, 1, 3], &mut steps, &mut next, &mut observations).unwrap();
        for (slot, expected) in [attempts, 0.0, attempts].into_iter().enumerate() {
            assert_eq!(vector.metrics(slot), [expected, 0.0], "{number}, slot {slot}");
        }
    }
}

#[test]
fn names_of_observations_are_those_of_what_is_shown() {
    let names = |env: &dyn Env| env.spec().observation_names.clone();
    let stacked = FrameStack::new(make("MountainCar-v0").unwrap(), 3).unwrap();
    assert_eq!(
        names(&stacked),
        [
            "position, 2 steps ago",
            "velocity, 2 steps ago",
            "position, 1 step ago",
            "velocity, 1 step ago",
            "position",
            "velocity"
        ]
    );
    assert_eq!(names(&OneHot::new(make("MountainCar-v0").unwrap()).unwrap()), ["position", "velocity"]);
    assert!(names(&OneHot::new(make("Blackjack-v1").unwrap()).unwrap()).is_empty());
}
