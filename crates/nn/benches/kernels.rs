//! Updates and actions against the machine's limit: `cargo bench -p requel-nn`.
//!
//! One update is a forward pass of the target network, a forward and a backward pass of the online network, and a step of
//! Adam. The floor is its floating-point operations at the peak measured in the same run, plus the memory traffic of
//! Adam. Times are the best of many runs, in microseconds: what is above the best is the rest of the machine. Runs of over a
//! millisecond are measured in processor time, because a busy machine interrupts every one of them; with
//! `--threads=N`, which computes on several threads, everything is measured by the clock.
//!
//! With the environment variable `PARTS`, the parts of an update are printed too.

use std::hint::black_box;
use std::time::Instant;

use requel_nn::kernel::{self, limit};
use requel_nn::{Activation, Kernel, LayerSpec, Network, NetworkSpec, Optimizer, OptimizerSpec, Workspace};

struct Work {
    name: &'static str,
    spec: NetworkSpec,
    rows: usize,
}

fn main() {
    let threads = threads();
    let kernel = kernel::select().expect("REQUEL_KERNEL names a kernel of this machine");
    let peak = limit::flops_per_second(kernel, 50);
    println!("kernel {kernel}, peak {:.1} GFLOP/s", peak / 1e9);
    println!("{:<34} {:>10} {:>10} {:>7} {:>10}", "work", "floor µs", "ours µs", "ratio", "action µs");
    let mlp = |inputs, hidden: &[usize], outputs| NetworkSpec::mlp(inputs, hidden, outputs, Activation::Relu);
    for work in [
        Work { name: "S1 4-64-64-2, batch 32", spec: mlp(4, &[64, 64], 2), rows: 32 },
        Work { name: "S2 4-120-84-2, batch 128", spec: mlp(4, &[120, 84], 2), rows: 128 },
        Work { name: "S3a 8-256-256-4, batch 64", spec: mlp(8, &[256, 256], 4), rows: 64 },
        Work { name: "S3b 8-256-256-4, batch 256", spec: mlp(8, &[256, 256], 4), rows: 256 },
        Work { name: "S4 MinAtar CNN, batch 32", spec: cnn([10, 10, 4], &[(16, 3, 1)], 128, 3), rows: 32 },
        Work {
            name: "S5 Nature CNN, batch 32",
            spec: cnn([84, 84, 4], &[(32, 8, 4), (64, 4, 2), (64, 3, 1)], 512, 6),
            rows: 32,
        },
    ] {
        // `cargo bench -p requel-nn -- S5` measures one work alone; cargo adds `--bench`.
        let asked = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
        if asked.is_none_or(|name| work.name.starts_with(&name)) {
            measure(&work, kernel, peak, threads);
        }
    }
}

/// The N of `--threads=N`; the measuring thread is then one of N.
fn threads() -> usize {
    let asked = std::env::args().find_map(|argument| argument.strip_prefix("--threads=").map(str::to_owned));
    let threads = asked.map_or(1, |text| text.parse().expect("a number of threads"));
    if threads > 1 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
        pool.build_global().expect("no other pool has been made");
    }
    threads
}

/// Convolutions as (channels, kernel, stride), a hidden layer, and the outputs; a large image is one of bytes.
fn cnn(input: [usize; 3], convolutions: &[(usize, usize, usize)], hidden: usize, outputs: usize) -> NetworkSpec {
    let activation = Activation::Relu;
    let mut layers: Vec<LayerSpec> = (convolutions.iter())
        .map(|&(channels, kernel, stride)| LayerSpec::Conv2d { channels, kernel, stride, activation })
        .collect();
    layers.push(LayerSpec::Dense { outputs: hidden, activation });
    layers.push(LayerSpec::Dense { outputs, activation: Activation::Identity });
    NetworkSpec { input_shape: input.to_vec(), input_scale: if input[0] < 84 { 1.0 } else { 1.0 / 255.0 }, layers }
}

fn measure(work: &Work, kernel: Kernel, peak: f64, threads: usize) {
    let network = Network::with_kernel(&work.spec, kernel).expect("a valid network").with_threads(threads);
    let count = network.parameter_count();
    let noise = |i: usize| ((i * 7919 + 13) % 1009) as f32 / 1009.0 - 0.5;
    let mut parameters: Vec<f32> = (0..count).map(|i| noise(i) * 0.2).collect();
    let target = parameters.clone();
    let mut gradients = vec![0.0; count];
    let mut optimizer = Optimizer::with_kernel(&OptimizerSpec::adam(0.0), count, kernel).with_threads(threads);
    let mut workspace = Workspace::new(&network, work.rows);
    let d_outputs: Vec<f32> = (0..work.rows * network.output_len()).map(|i| noise(i) * 0.01).collect();
    if work.spec.input_scale == 1.0 {
        workspace.input_mut(work.rows).iter_mut().enumerate().for_each(|(i, x)| *x = noise(i));
    } else {
        workspace.input_bytes_mut(work.rows).iter_mut().enumerate().for_each(|(i, x)| *x = (i * 7919) as u8);
    }

    let clock = if threads == 1 { Clock::Fitting } else { Clock::Wall };
    let flops = update_flops(&work.spec, work.rows);
    let (mut p, mut m, mut v) = (parameters.clone(), parameters.clone(), parameters.clone());
    let traffic = best(clock, || limit::optimizer_traffic(kernel, &mut p, &target, &mut m, &mut v));
    let floor = flops / peak * 1e6 + traffic;
    let parts = std::env::var_os("PARTS").is_some();
    if parts {
        let f = best(clock, || {
            black_box(network.forward(&target, work.rows, &mut workspace));
        });
        let b = best(clock, || network.backward(&parameters, &d_outputs, &mut workspace, &mut gradients));
        let a = best(clock, || optimizer.step(&mut parameters, &gradients));
        println!(
            "  forward {f:.2}, backward {b:.2}, adam {a:.2}, traffic {traffic:.2}, flops {:.2}",
            flops / peak * 1e6
        );
    }
    let ours = best(clock, || {
        black_box(network.forward(&target, work.rows, &mut workspace));
        black_box(network.forward(&parameters, work.rows, &mut workspace));
        network.backward(&parameters, &d_outputs, &mut workspace, &mut gradients);
        optimizer.step(&mut parameters, &gradients);
    });
    let action = best(clock, || {
        black_box(network.forward(&parameters, 1, &mut workspace));
    });
    println!("{:<34} {floor:>10.2} {ours:>10.2} {:>7.2} {action:>10.3}", work.name, ours / floor);
}

/// Floating-point operations of the matrix products of one update: two forward passes, the weights' gradients, and the
/// inputs' gradients of all but the first layer.
fn update_flops(spec: &NetworkSpec, rows: usize) -> f64 {
    let mut shape = spec.input_shape.clone();
    let (mut all, mut first) = (0, 0);
    for layer in &spec.layers {
        let multiply_adds = match *layer {
            LayerSpec::Dense { outputs, .. } => {
                let inputs: usize = shape.iter().product();
                shape = vec![outputs];
                inputs * outputs
            }
            LayerSpec::Conv2d { channels, kernel, stride, .. } => {
                let patch = kernel * kernel * shape[2];
                shape = vec![(shape[0] - kernel) / stride + 1, (shape[1] - kernel) / stride + 1, channels];
                patch * shape.iter().product::<usize>()
            }
            _ => unreachable!("no other kind of layer is measured here"),
        };
        all += multiply_adds;
        first = if first == 0 { multiply_adds } else { first };
    }
    (2 * rows * (4 * all - first)) as f64
}

/// What time is read from.
#[derive(Clone, Copy)]
enum Clock {
    /// Processor time for what takes long.
    Fitting,
    /// The clock on the wall.
    Wall,
}

/// Best time of `f` in microseconds, over samples of at least 20 µs each for about half a second.
fn best(clock: Clock, mut f: impl FnMut()) -> f64 {
    f();
    let start = Instant::now();
    f();
    let once = start.elapsed().as_secs_f64().max(1e-8);
    let seconds = match clock {
        // A short run often goes uninterrupted, and the clock is the finer measure.
        Clock::Fitting if once >= 1e-3 => processor_seconds,
        Clock::Fitting | Clock::Wall => wall_seconds,
    };
    let inner = (20e-6 / once).ceil().max(1.0) as usize;
    let mut best = f64::INFINITY;
    let all = Instant::now();
    while all.elapsed().as_secs_f64() < 0.5 {
        let start = seconds();
        (0..inner).for_each(|_| f());
        best = best.min((seconds() - start) / inner as f64);
    }
    best * 1e6
}

/// The processor time of this thread: on a busy machine a run of some milliseconds is always interrupted.
#[cfg(unix)]
fn processor_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The time of the clock, where no other is at hand.
#[cfg(not(unix))]
fn processor_seconds() -> f64 {
    wall_seconds()
}

fn wall_seconds() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}
