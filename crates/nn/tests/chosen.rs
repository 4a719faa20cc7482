//! A pass of which only some outputs are read gives the same numbers as one of which all are.

use requel_nn::{Activation, Chosen, Kernel, LayerSpec, Network, NetworkSpec, Workspace};

/// A generator that does not matter.
fn numbers(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

#[derive(Clone)]
struct Case {
    spec: NetworkSpec,
    rows: usize,
    blocks: Vec<u32>,
    block_len: usize,
}

/// Networks whose last layer can use what it is told, and such that cannot; with blocks that no row reads, and rows of which
/// everything is read.
fn cases() -> Vec<Case> {
    let mlp = |activation, outputs| NetworkSpec::mlp(5, &[24, 20], outputs, activation);
    let dueling = LayerSpec::Dueling { hidden: 8, actions: 3, atoms: 17, activation: Activation::Relu, sigma: None };
    let deep = |last: LayerSpec| NetworkSpec {
        layers: vec![LayerSpec::Dense { outputs: 9, activation: Activation::Relu }, last],
        ..mlp(Activation::Relu, 1)
    };
    let squashed = LayerSpec::Dense { outputs: 51, activation: Activation::Tanh };
    vec![
        Case {
            spec: mlp(Activation::Relu, 102),
            rows: 32,
            blocks: (0..32).map(|i| i * i % 3 % 2).collect(),
            block_len: 51,
        },
        Case { spec: mlp(Activation::Tanh, 5 * 17), rows: 9, blocks: vec![3, 1, 1, 3, 0, 3], block_len: 17 },
        Case { spec: mlp(Activation::Relu, 32), rows: 3, blocks: vec![1, 1, 1], block_len: 16 },
        Case { spec: mlp(Activation::Relu, 32), rows: 3, blocks: vec![], block_len: 16 },
        Case { spec: mlp(Activation::Relu, 24), rows: 4, blocks: vec![2, 0, 1, 0], block_len: 8 },
        Case { spec: mlp(Activation::Relu, 20), rows: 2, blocks: vec![0, 0], block_len: 20 },
        Case { spec: deep(squashed), rows: 4, blocks: vec![2, 0, 2, 2], block_len: 17 },
        Case { spec: deep(dueling), rows: 4, blocks: vec![2, 0, 2, 2], block_len: 17 },
    ]
}

#[test]
fn what_is_read_and_what_is_learned_is_the_same() {
    for (Case { spec, rows, blocks, block_len }, kernel) in
        cases().into_iter().flat_map(|case| Kernel::available().into_iter().map(move |kernel| (case.clone(), kernel)))
    {
        let network = Network::with_kernel(&spec, kernel).unwrap();
        let parameters = numbers(3, network.parameter_count());
        let width = network.output_len();
        let mut whole = Workspace::new(&network, rows);
        let mut part = Workspace::new(&network, rows);
        let input = numbers(1, rows * network.input_len());
        whole.input_mut(rows).copy_from_slice(&input);
        part.input_mut(rows).copy_from_slice(&input);

        let chosen = Chosen { blocks: &blocks, block_len };
        let all = network.forward(&parameters, rows, &mut whole).to_vec();
        let read = network.forward_chosen(&parameters, rows, chosen, &mut part);
        let mut d_outputs = vec![0.0; blocks.len() * width];
        for (row, &block) in blocks.iter().enumerate() {
            let at = row * width + block as usize * block_len..row * width + (block as usize + 1) * block_len;
            assert_eq!(read[at.clone()], all[at.clone()], "{kernel}, row {row}");
            d_outputs[at].copy_from_slice(&numbers(row as u32 + 7, block_len));
        }
        assert_eq!(read[blocks.len() * width..], all[blocks.len() * width..], "{kernel}");

        let (mut expected, mut gradients) = (vec![9.0; parameters.len()], vec![8.0; parameters.len()]);
        network.backward(&parameters, &d_outputs, &mut whole, &mut expected);
        network.backward_chosen(&parameters, (&d_outputs, chosen), &mut part, &mut gradients);
        assert_eq!(gradients, expected, "{kernel}");
    }
}

#[test]
#[should_panic(expected = "the blocks are those of the forward pass")]
fn other_blocks_on_the_way_back_are_refused() {
    let network = Network::new(&NetworkSpec::mlp(3, &[8], 32, Activation::Relu)).unwrap();
    let parameters = numbers(1, network.parameter_count());
    let mut workspace = Workspace::new(&network, 1);
    network.forward_chosen(&parameters, 1, Chosen { blocks: &[1], block_len: 16 }, &mut workspace);
    let other = Chosen { blocks: &[0], block_len: 16 };
    network.backward_chosen(&parameters, (&[0.0; 32], other), &mut workspace, &mut vec![0.0; parameters.len()]);
}

#[test]
#[should_panic(expected = "there are 2 blocks in a row")]
fn blocks_that_do_not_exist_are_refused() {
    let network = Network::new(&NetworkSpec::mlp(3, &[8], 32, Activation::Relu)).unwrap();
    let parameters = numbers(1, network.parameter_count());
    let mut workspace = Workspace::new(&network, 1);
    network.forward_chosen(&parameters, 1, Chosen { blocks: &[2], block_len: 16 }, &mut workspace);
}
