//! Times a piece of work by many short samples, and prints one line per figure.

use std::time::Instant;

/// How long one figure is measured, seconds.
const SECONDS: f64 = 0.6;
/// A sample is long enough that reading the clock does not show in it, and short enough to go uninterrupted often.
const SAMPLE_SECONDS: f64 = 50e-6;
/// From here on a sample is interrupted more often than not on a shared machine, and processor time is the finer measure.
const LONG_SECONDS: f64 = 1e-3;

/// The time of one unit of work, seconds.
pub struct Timing {
    /// Half of all samples took longer.
    pub median: f64,
    /// No sample took less.
    pub best: f64,
}

impl Timing {
    /// Measures `work`, of which one call does `units` units.
    pub fn of(units: usize, mut work: impl FnMut()) -> Self {
        // The first calls find cold caches and predictors.
        work();
        let start = Instant::now();
        work();
        let once = start.elapsed().as_secs_f64().max(1e-9);
        let now = if once < LONG_SECONDS { wall_seconds } else { processor_seconds };
        let calls = (SAMPLE_SECONDS / once).ceil().max(1.0) as usize;
        let mut samples = Vec::new();
        let begin = Instant::now();
        while begin.elapsed().as_secs_f64() < SECONDS || samples.len() < 5 {
            let start = now();
            (0..calls).for_each(|_| work());
            samples.push((now() - start) / (calls * units) as f64);
        }
        samples.sort_by(f64::total_cmp);
        Self { median: samples[samples.len() / 2], best: samples[0] }
    }
}

/// Writes a figure per line: its name, the median, the best, the unit.
pub fn print(name: &str, timing: &Timing) {
    let (scale, unit) = if timing.median < 1e-6 { (1e9, "ns") } else { (1e6, "µs") };
    print_line(name, &format!("{:.2}", timing.median * scale), &format!("{:.2}", timing.best * scale), unit);
}

/// As [`print`], as a rate per second.
#[allow(dead_code, reason = "shared by two benchmarks, of which one has no rates")]
pub fn print_rate(name: &str, timing: &Timing, unit: &str) {
    print_line(name, &format!("{:.0}", 1.0 / timing.median), &format!("{:.0}", 1.0 / timing.best), unit);
}

fn print_line(name: &str, median: &str, best: &str, unit: &str) {
    println!("{name:<56} {median:>12} {best:>12} {unit}");
}

/// The processor time of this thread.
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
