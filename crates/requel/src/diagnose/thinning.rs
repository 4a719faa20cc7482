//! [`Thinning`], which keeps enough of an endless series to show its shape.

/// Maximum number of values kept.
const MOST: usize = 256;

/// First keeps every value that is pushed, and once there are too many only every other one, and so on: a check costs the same however long
/// training lasts.
///
/// ```
/// use requel::diagnose::Thinning;
///
/// let (mut thinning, mut kept) = (Thinning::default(), Vec::new());
/// (0..10_000).for_each(|step| thinning.push(&mut kept, step));
/// assert!(kept.len() > 100 && kept.len() <= 256 && kept.is_sorted());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thinning {
    every: u64,
    seen: u64,
}

impl Default for Thinning {
    fn default() -> Self {
        Thinning { every: 1, seen: 0 }
    }
}

impl Thinning {
    /// Adds a value, or skips it.
    pub fn push<T>(&mut self, kept: &mut Vec<T>, value: T) {
        self.seen += 1;
        if !self.seen.is_multiple_of(self.every) {
            return;
        }
        kept.push(value);
        if kept.len() > MOST {
            let mut index = 0;
            kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.every *= 2;
        }
    }
}
