//! What holds for every head: gradients, weights, masks, ends of episodes; and that known distributions are found.

use requel_nn::{Kernel, Loss};

use super::{
    CategoricalSpec, FractionCounts, HeadShape, HeadSpec, HeadUpdate, ImplicitQuantileSpec, QuantileSpec, ScalarSpec,
    ValueLoss,
};
use crate::td::{Munchausen, QLearning, RuleSpec, Support};

const ROWS: usize = 3;
const ACTIONS: usize = 2;
const SHAPE: HeadShape = HeadShape { rows: ROWS, actions: ACTIONS };
const COUNTS: FractionCounts = FractionCounts { current: 5, next: 4 };
const NO: f32 = f32::NEG_INFINITY;

type RuleRef = &'static dyn RuleSpec;

/// Every head with every rule that it has, and the numbers of outputs and next outputs.
fn heads() -> Vec<(Box<dyn ValueLoss>, RuleRef, usize, usize)> {
    heads_by(Kernel::fastest())
}

fn heads_by(kernel: Kernel) -> Vec<(Box<dyn ValueLoss>, RuleRef, usize, usize)> {
    const SOFT: Munchausen = Munchausen { alpha: 0.9, tau: 0.5, clip: -1.0 };
    let both: [RuleRef; 2] = [&QLearning, &SOFT];
    let support = Support { v_min: -3.0, v_max: 3.0, atoms: 35 };
    let per_action = |n: usize| ROWS * ACTIONS * n;
    let specs: [(&dyn HeadSpec, &[RuleRef], usize, usize); 6] = [
        (&ScalarSpec { loss: Loss::Mse }, &both, 1, 1),
        (&ScalarSpec { loss: Loss::Huber { delta: 0.5 } }, &both, 1, 1),
        (&CategoricalSpec { support }, &both[..1], 35, 35),
        (&QuantileSpec { count: 19, kappa: 1.0 }, &both, 19, 19),
        (&QuantileSpec { count: 19, kappa: 0.0 }, &both, 19, 19),
        (&ImplicitQuantileSpec { counts: COUNTS, kappa: 1.0 }, &both, COUNTS.current, COUNTS.next),
    ];
    specs
        .into_iter()
        .flat_map(|(spec, rules, n, next)| rules.iter().map(move |rule| (spec, *rule, n, next)))
        .map(|(spec, rule, n, next)| (spec.build(rule, SHAPE, kernel).unwrap(), rule, per_action(n), per_action(next)))
        .collect()
}

/// Numbers between −2 and 2 that follow no pattern.
fn numbers(seed: usize, len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| (4.0 * ((i * 7919 + seed * 104_729 + 13) as f64 * 0.618_033_988_749_895).fract() - 2.0) as f32)
        .collect()
}

struct Inputs {
    outputs: Vec<f32>,
    next_outputs: Vec<f32>,
    next_q: Vec<f32>,
    current_q: Vec<f32>,
    fractions: Vec<f32>,
    weights: Vec<f32>,
    discounts: Vec<f32>,
}

impl Inputs {
    fn new(len: usize, next_len: usize) -> Self {
        Inputs {
            outputs: numbers(1, len),
            next_outputs: numbers(2, next_len),
            next_q: numbers(3, ROWS * ACTIONS),
            current_q: numbers(4, ROWS * ACTIONS),
            fractions: numbers(5, ROWS * COUNTS.current).iter().map(|x| (x + 2.0) / 4.0).collect(),
            weights: vec![1.0, 0.25, 0.5],
            discounts: vec![0.9, 0.5, 0.0],
        }
    }

    fn update(&self) -> HeadUpdate<'_> {
        HeadUpdate {
            actions: &[1, 0, 1],
            rewards: &[0.5, -0.75, 1.25],
            discounts: &self.discounts,
            weights: Some(&self.weights),
            outputs: &self.outputs,
            next_outputs: &self.next_outputs,
            next_q: &self.next_q,
            next_q_is_fresh: false,
            bounds: None,
            current_q: Some(&self.current_q),
            fractions: &self.fractions,
        }
    }
}

#[test]
fn the_gradient_is_the_derivative_of_the_loss() {
    let (mut close, mut all) = (0usize, 0usize);
    for (mut head, rule, len, next_len) in heads() {
        let mut inputs = Inputs::new(len, next_len);
        let mut d_outputs = vec![9.0; len];
        head.loss(&inputs.update(), &mut d_outputs);
        assert!(d_outputs.iter().any(|d| *d != 0.0));
        let mut scratch = vec![0.0; len];
        for (i, d) in d_outputs.iter().enumerate() {
            let (at, step) = (inputs.outputs[i], 4e-3);
            let mut loss_at = |x: f32| {
                inputs.outputs[i] = x;
                f64::from(head.loss(&inputs.update(), &mut scratch).loss)
            };
            let (left, right) = (at - step, at + step);
            let (below, here, above) = (loss_at(left), loss_at(at), loss_at(right));
            inputs.outputs[i] = at;
            let backward = (here - below) / f64::from(at - left);
            let forward = (above - here) / f64::from(right - at);
            let d = f64::from(*d);
            // Every loss here is convex in every output: its slope lies between the differences to either side. The loss is an
            // f32 below 8, rounded by up to 2.4e-7, twice, and divided by 4e-3.
            let rounding = 1.2e-4;
            let is_between = backward - rounding <= d && d <= forward + rounding;
            assert!(is_between, "{head:?} by {rule:?}, output {i}: {backward} ≤ {d} ≤ {forward}");
            // And they are close together but for a kink of plain quantile regression.
            close += usize::from(forward - backward < 4e-3);
            all += 1;
        }
    }
    assert!(close * 20 > all * 19, "{close} of {all}");
}

#[test]
fn a_weight_scales_a_rows_loss_and_gradient_and_not_its_surprise() {
    for (mut head, _, len, next_len) in heads() {
        let mut inputs = Inputs::new(len, next_len);
        let run = |inputs: &Inputs, head: &mut Box<dyn ValueLoss>| {
            let mut d = vec![0.0; len];
            let loss = head.loss(&inputs.update(), &mut d).loss;
            (loss, d, head.td_errors().to_vec())
        };
        let (_, full, surprise) = run(&inputs, &mut head);
        assert!(surprise.len() == ROWS && surprise.iter().all(|s| *s >= 0.0));
        inputs.weights[0] = 0.5;
        let (_, half, same) = run(&inputs, &mut head);
        assert_eq!(surprise, same);
        for (i, (full, half)) in full.iter().zip(&half).enumerate() {
            let expected = if i < len / ROWS { 0.5 * full } else { *full };
            assert_eq!(*half, expected, "{head:?}: output {i}");
        }
        inputs.weights.fill(0.0);
        assert_eq!(run(&inputs, &mut head).0, 0.0);
    }
}

#[test]
fn what_is_not_allowed_or_does_not_follow_changes_nothing() {
    for (mut head, rule, len, next_len) in heads() {
        let mut inputs = Inputs::new(len, next_len);
        // Row 0 may take action 0 alone, row 1 either, row 2 has ended: nothing is allowed after it.
        inputs.next_q[1] = NO;
        (inputs.next_q[4], inputs.next_q[5]) = (NO, NO);
        let mut d = vec![0.0; len];
        let mut run = |inputs: &Inputs| {
            let loss = head.loss(&inputs.update(), &mut d);
            assert!(loss.loss.is_finite() && d.iter().all(|d| d.is_finite()), "{head:?} by {rule:?}");
            (loss, d.clone())
        };
        let before = run(&inputs);
        // The next outputs of row 2, and in row 0 those of action 1 where the layout shows them.
        let per_row = next_len / ROWS;
        inputs.next_outputs[2 * per_row..].fill(1e3);
        let is_implicit = next_len == ROWS * ACTIONS * COUNTS.next;
        for (i, value) in inputs.next_outputs[..per_row].iter_mut().enumerate() {
            let action = if is_implicit { i % ACTIONS } else { i * ACTIONS / per_row };
            *value = if action == 1 { -1e3 } else { *value };
        }
        assert_eq!(run(&inputs), before, "{rule:?}");
    }
}

#[test]
fn every_kernel_gives_the_same_bits() {
    let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let run = |kernel: Kernel| -> Vec<Vec<u32>> {
        let mut seen = Vec::new();
        for (mut head, len, next_len) in heads_by(kernel).into_iter().map(|(head, _, len, next)| (head, len, next)) {
            let inputs = Inputs::new(len, next_len);
            let (mut d, mut q) = (vec![0.0; len], vec![0.0; ROWS * ACTIONS]);
            let loss = head.loss(&inputs.update(), &mut d);
            head.q_values(&inputs.next_outputs, &mut q);
            seen.extend([bits(&d), bits(&q), bits(head.td_errors()), bits(&[loss.loss, loss.mean_q])]);
        }
        seen
    };
    for kernel in Kernel::available() {
        assert_eq!(run(kernel), run(Kernel::SCALAR), "{kernel}");
    }
}

#[test]
fn values_are_the_means_of_the_distributions() {
    let mut q = [9.0; 2];
    // Softmax of ln 1, ln 2, ln 1 and ln 3, ln 1, −∞-like on atoms −1, 0, 1.
    let spec = CategoricalSpec { support: Support { v_min: -1.0, v_max: 1.0, atoms: 3 } };
    let shape = HeadShape { rows: 1, actions: 2 };
    let mut head = spec.build(&QLearning, shape, Kernel::fastest()).unwrap();
    head.q_values(&[0.0, 2f32.ln(), 0.0, 3f32.ln(), 0.0, -200.0], &mut q);
    assert!(q[0].abs() < 1e-6 && (q[1] + 0.75).abs() < 1e-6, "{q:?}");
    // More rows than a batch has.
    let mut many = [9.0; 6];
    head.q_values(&[0.0, 2f32.ln(), 0.0, 3f32.ln(), 0.0, -200.0].repeat(3), &mut many);
    assert_eq!(many, [q[0], q[1], q[0], q[1], q[0], q[1]]);

    let spec = QuantileSpec { count: 3, kappa: 1.0 };
    spec.build(&QLearning, shape, Kernel::SCALAR).unwrap().q_values(&[1.0, 2.0, 6.0, -1.0, 0.0, -2.0], &mut q);
    assert_eq!(q, [3.0, -1.0]);
    let spec = ImplicitQuantileSpec { counts: COUNTS, kappa: 1.0 };
    let mut head = spec.build(&QLearning, shape, Kernel::SCALAR).unwrap();
    // Two fractions of two actions.
    head.q_values(&[1.0, -1.0, 2.0, -2.0], &mut q);
    assert_eq!(q, [1.5, -1.5]);
}

/// Rewards of an environment that ends at once: −1 with probability ¼, 1 with ½, 2 with ¼, in eight equal draws.
const RETURNS: [f32; 8] = [-1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0];

/// Gradient descent on the head's outputs alone; every row of the batch is one draw, and all have one output.
fn descend(spec: &dyn HeadSpec, per_row: usize, fractions: &[f32]) -> Vec<f32> {
    let shape = HeadShape { rows: RETURNS.len(), actions: 1 };
    let mut head = spec.build(&QLearning, shape, Kernel::fastest()).unwrap();
    let mut learned = vec![0.0; per_row];
    let zeros = vec![0.0; per_row * RETURNS.len()];
    let mut d = zeros.clone();
    for step in 0..6000u16 {
        let outputs = learned.repeat(RETURNS.len());
        let update = HeadUpdate {
            actions: &[0; 8],
            rewards: &RETURNS,
            discounts: &[0.0; 8],
            weights: None,
            outputs: &outputs,
            next_outputs: &zeros,
            next_q: &[0.0; 8],
            next_q_is_fresh: false,
            bounds: None,
            current_q: None,
            fractions: &fractions.repeat(RETURNS.len()),
        };
        head.loss(&update, &mut d);
        let rate = 4.0 / (1.0 + f32::from(step) * 0.02);
        for gradient in d.chunks_exact(per_row) {
            learned.iter_mut().zip(gradient).for_each(|(x, d)| *x -= rate * d);
        }
    }
    learned
}

#[test]
fn the_categorical_head_finds_the_probabilities_of_known_returns() {
    let support = Support { v_min: -2.0, v_max: 2.0, atoms: 5 };
    let logits = descend(&CategoricalSpec { support }, 5, &[]);
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    for (logit, expected) in logits.iter().zip([0.0, 0.25, 0.0, 0.5, 0.25]) {
        assert!((logit.exp() / sum - expected).abs() < 0.01, "{logits:?}");
    }
}

#[test]
fn the_quantile_heads_find_the_quantiles_of_known_returns() {
    // The inverse of the distribution function at the fractions: below ¼, between ¼ and ¾, above.
    let expected = |fraction: f32| {
        if fraction < 0.25 {
            -1.0
        } else if fraction < 0.75 {
            1.0
        } else {
            2.0
        }
    };
    let learned = descend(&QuantileSpec { count: 10, kappa: 0.0 }, 10, &[]);
    for (i, quantile) in learned.iter().enumerate() {
        // The fraction ¾·10 = 7.5 is a midpoint: there any number from 1 to 2 costs the same, as at ¼.
        let fraction = (2 * i + 1) as f32 / 20.0;
        if fraction != 0.25 && fraction != 0.75 {
            assert!((quantile - expected(fraction)).abs() < 0.05, "{fraction}: {learned:?}");
        }
    }
    let fractions = [0.1, 0.3, 0.5, 0.7, 0.9];
    let counts = FractionCounts { current: 5, next: 5 };
    let learned = descend(&ImplicitQuantileSpec { counts, kappa: 0.0 }, 5, &fractions);
    for (fraction, quantile) in fractions.iter().zip(&learned) {
        assert!((quantile - expected(*fraction)).abs() < 0.05, "{fraction}: {learned:?}");
    }
}

/// A target that was brought back is counted, by each head as what it is.
#[test]
fn targets_beyond_the_bounds_are_counted() {
    for (mut head, rule, len, next_len) in heads() {
        let inputs = Inputs::new(len, next_len);
        let rewards = [0.5, -0.75, 1.25];
        let mut d_outputs = vec![0.0; len];
        let mut share = |rewards: &[f32; ROWS], bounds| {
            head.loss(&HeadUpdate { rewards, bounds, ..inputs.update() }, &mut d_outputs);
            head.clipped_targets(rewards, &inputs.discounts)
        };
        let far = [100.0, 100.0, 0.0];
        if share(&rewards, None).is_none() {
            // Two rows of three bootstrap, and all of their targets are above.
            assert_eq!(share(&far, Some((-3.0, 3.0))), Some(2.0 / 3.0), "{rule:?}");
            assert_eq!(share(&rewards, Some((-100.0, 100.0))), Some(0.0), "{rule:?}");
        } else {
            // The categorical head's bounds are its support, at whose ends some mass always lands.
            let (near, far) = (share(&[0.0; ROWS], None).unwrap(), share(&far, None).unwrap());
            assert!(near < 1e-6 && (far - 2.0 / 3.0).abs() < 1e-6, "{near}, {far}");
        }
    }
}

/// A return that is not a number is no return, whatever the head makes of it: the loss tells, and so does the row's surprise.
#[test]
fn rewards_that_are_none_are_told_by_the_loss() {
    for reward in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for row in 0..ROWS {
            for (mut head, rule, len, next_len) in heads() {
                let inputs = Inputs::new(len, next_len);
                let mut rewards = [0.5, -0.75, 1.25];
                rewards[row] = reward;
                // Within bounds that targets are brought back to, too.
                let update = HeadUpdate { rewards: &rewards, bounds: Some((-50.0, 50.0)), ..inputs.update() };
                let loss = head.loss(&update, &mut vec![0.0; len]).loss;
                assert!(!loss.is_finite(), "{head:?} with {rule:?}: the loss is {loss} where reward {row} is {reward}");
                let surprises = head.td_errors();
                assert!(!surprises[row].is_finite(), "{head:?}: {surprises:?} where reward {row} is {reward}");
                assert!((0..ROWS).filter(|other| *other != row).all(|other| surprises[other].is_finite()));
            }
        }
    }
}

#[test]
fn actions_that_are_none_are_refused() {
    for (mut head, _, len, next_len) in heads() {
        let inputs = Inputs::new(len, next_len);
        let wrong = HeadUpdate { actions: &[1, 0, 2], ..inputs.update() };
        let mut d_outputs = vec![0.0; len];
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| head.loss(&wrong, &mut d_outputs)));
        assert!(refused.is_err(), "{head:?} took action 2 of {ACTIONS}");
    }
}
