//! [`SumTree`], which finds the number at a given fraction of the sum.

/// A sum tree: non-negative `f64` leaves and their sums, so that setting a leaf and finding the leaf at a given mass from the left take
/// time logarithmic in their number (Schaul et al. 2016).
///
/// A node has eight children, one cache line, so that a million leaves have seven levels. Each sum is always that of the eight children
/// from left to right: all bits of the tree are a function of its leaves, independent of their history.
///
/// ```
/// use requel::replay::SumTree;
///
/// let mut tree = SumTree::new(10);
/// tree.set(2, 1.0);
/// tree.set(7, 3.0);
/// assert_eq!(tree.total(), 4.0);
/// assert_eq!([0.0, 0.5, 1.0, 3.5].map(|mass| tree.find(mass)), [Some(2), Some(2), Some(7), Some(7)]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SumTree {
    leaves: usize,
    /// The lowest level first: each number in a higher level is the sum of a node below. The highest level has one node.
    levels: Vec<Vec<Node>>,
    total: f64,
    /// The maximum value of a leaf: if all leaves have it, their sum is still finite.
    most: f64,
}

impl SumTree {
    /// This many leaves, all 0.
    ///
    /// # Panics
    /// If their number exceeds 32 bits.
    pub fn new(leaves: usize) -> Self {
        assert!(u32::try_from(leaves).is_ok(), "{leaves} leaves are more than 32 bits number");
        let mut levels = Vec::new();
        let mut nodes = leaves;
        while levels.is_empty() || nodes > 1 {
            nodes = nodes.div_ceil(FANOUT).max(1);
            levels.push(vec![Node::default(); nodes]);
        }
        SumTree { leaves, levels, total: 0.0, most: f64::MAX / 2.0 / leaves.max(1) as f64 }
    }

    /// Bytes of a tree with this many leaves.
    pub fn bytes_needed(leaves: usize) -> u64 {
        // Nodes of eight numbers; all higher levels together are a seventh of the lowest, and each is rounded up.
        (leaves as u64).saturating_mul(8).saturating_add(leaves as u64 / 7 * 8).saturating_add(22 * 64)
    }

    /// How many leaves there are.
    pub fn len(&self) -> usize {
        self.leaves
    }

    /// Whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// The sum of all leaves.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The leaf at `index`.
    ///
    /// # Panics
    /// If there is no such leaf.
    pub fn get(&self, index: usize) -> f64 {
        assert!(index < self.leaves, "leaf {index} of {}", self.leaves);
        self.levels[0][index / FANOUT].0[index % FANOUT]
    }

    /// Sets the leaf at `index`.
    ///
    /// # Panics
    /// If there is no such leaf, or the value is negative, not finite, or above the maximum.
    pub fn set(&mut self, index: usize, value: f64) {
        self.check_leaf(index, value);
        self.set_leaf(index, value);
        self.sum_above(&[index as u32]);
    }

    /// Sets several leaves; if one occurs twice, the last value counts. Works level by level, so that the memory accesses of all overlap.
    ///
    /// # Panics
    /// As [`SumTree::set`], and if there is not one value per leaf; none is set then.
    pub fn set_all(&mut self, indices: &[u32], values: &[f64]) {
        assert_eq!(indices.len(), values.len(), "one value per leaf");
        for (index, value) in indices.iter().zip(values) {
            self.check_leaf(*index as usize, *value);
        }
        for (index, value) in indices.iter().zip(values) {
            self.set_leaf(*index as usize, *value);
        }
        self.sum_above(indices);
    }

    /// The leaf that contains `mass` if the leaves lie side by side, each as wide as its value. Never a leaf of 0: if rounding leads past
    /// the last nonzero leaf, the result is that leaf. `None` if all are 0.
    ///
    /// # Panics
    /// If `mass` is not from 0 to [`SumTree::total`].
    pub fn find(&self, mass: f64) -> Option<usize> {
        let (mut masses, mut indices) = ([mass], [0]);
        self.find_all(&mut masses, &mut indices).then(|| indices[0] as usize)
    }

    /// [`find`](Self::find) for several masses, which are overwritten; works level by level, so that the memory accesses of all overlap.
    /// `false` if all leaves are 0.
    ///
    /// # Panics
    /// If there is not one index per mass, or a mass is not from 0 to [`SumTree::total`].
    pub fn find_all(&self, masses: &mut [f64], indices: &mut [u32]) -> bool {
        assert_eq!(masses.len(), indices.len(), "one leaf per mass");
        if self.total <= 0.0 {
            return false;
        }
        let outside = masses.iter().find(|mass| !(0.0..=self.total).contains(*mass));
        assert!(outside.is_none(), "{outside:?} is not from 0 to the total, {}", self.total);
        indices.fill(0);
        for level in self.levels.iter().rev() {
            for (mass, index) in masses.iter_mut().zip(indices.iter_mut()) {
                let (child, rest) = level[*index as usize].descend(*mass);
                *index = *index * FANOUT as u32 + child;
                *mass = rest;
            }
        }
        true
    }

    /// The leaves from left to right.
    pub fn leaves(&self) -> impl Iterator<Item = f64> {
        self.levels[0].iter().flat_map(|node| node.0).take(self.leaves)
    }

    /// Sets the first leaves to `values`, in this order, and all others to 0.
    ///
    /// # Panics
    /// If there are more values than leaves, or [`SumTree::set`] would panic for one; no leaf has changed then.
    pub fn fill(&mut self, values: impl ExactSizeIterator<Item = f64>) {
        assert!(values.len() <= self.leaves, "{} values for {} leaves", values.len(), self.leaves);
        let mut lowest = vec![Node::default(); self.levels[0].len()];
        for (index, value) in values.enumerate() {
            self.check_leaf(index, value);
            lowest[index / FANOUT].0[index % FANOUT] = value;
        }
        self.levels[0] = lowest;
        for level in 1..self.levels.len() {
            let (below, above) = self.levels.split_at_mut(level);
            let sums = below[level - 1].chunks(FANOUT);
            for (node, children) in above[0].iter_mut().zip(sums) {
                for (sum, child) in node.0.iter_mut().zip(children) {
                    *sum = child.sum();
                }
            }
        }
        self.total = self.root().sum();
    }

    fn root(&self) -> Node {
        self.levels[self.levels.len() - 1][0]
    }

    fn check_leaf(&self, index: usize, value: f64) {
        assert!(index < self.leaves, "leaf {index} of {}", self.leaves);
        assert!((0.0..=self.most).contains(&value), "leaf {index} is set to {value}");
    }

    fn set_leaf(&mut self, index: usize, value: f64) {
        self.levels[0][index / FANOUT].0[index % FANOUT] = value;
    }

    /// Recomputes the sums above these leaves.
    fn sum_above(&mut self, indices: &[u32]) {
        let mut shift = SHIFT;
        for level in 1..self.levels.len() {
            let (below, above) = self.levels.split_at_mut(level);
            let (below, above) = (&below[level - 1], &mut above[0]);
            let mut done = usize::MAX;
            for index in indices {
                let node = *index as usize >> shift;
                // Drawn leaves come in ascending order: those of one node are neighbours.
                if node != done {
                    above[node / FANOUT].0[node % FANOUT] = below[node].sum();
                    done = node;
                }
            }
            shift += SHIFT;
        }
        self.total = self.root().sum();
    }
}

/// Children of a node: as many `f64` as fit into a cache line.
const FANOUT: usize = 1 << SHIFT;
const SHIFT: u32 = 3;

/// Eight numbers in one cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
struct Node([f64; FANOUT]);

impl Node {
    /// From left to right, the order in which [`descend`](Self::descend) walks.
    fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// The child that contains `mass`, and the rest of the mass within it.
    fn descend(&self, mass: f64) -> (u32, f64) {
        let (mut sum, mut before, mut child) = (0.0, 0.0, 0);
        // Without a branch: the child cannot be predicted.
        for value in &self.0[..FANOUT - 1] {
            sum += value;
            let past = mass >= sum;
            before = if past { sum } else { before };
            child += u32::from(past);
        }
        if self.0[child as usize] > 0.0 {
            return (child, mass - before);
        }
        // By rounding, the mass is at or past the end (or is NaN): the last nonzero child, at its end.
        let last = self.0.iter().rposition(|value| *value > 0.0).unwrap_or(0);
        (last as u32, self.0[last])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Operation {
        Set(usize, f64),
        SetAll(Vec<(usize, f64)>),
        Find(f64),
    }

    fn operations() -> impl Strategy<Value = Vec<Operation>> {
        // Values of very different sizes, and zeros among them.
        let value = || prop_oneof![Just(0.0), 0.0f64..1.0, 1e-12f64..1e-9, 1e9f64..1e12];
        let operation = prop_oneof![
            (any::<usize>(), value()).prop_map(|(index, value)| Operation::Set(index, value)),
            proptest::collection::vec((any::<usize>(), value()), 0..20).prop_map(Operation::SetAll),
            (0.0f64..1.0).prop_map(Operation::Find),
        ];
        proptest::collection::vec(operation, 0..60)
    }

    /// The obvious twin: walks over all leaves. Where the mass is within rounding of a border, either side is right.
    fn is_at(leaves: &[f64], mass: f64, found: usize) -> bool {
        let before: f64 = leaves[..found].iter().sum();
        let slack = leaves.iter().sum::<f64>() * 1e-13;
        before - slack <= mass && mass <= before + leaves[found] + slack
    }

    proptest! {
        #[test]
        fn equals_a_list(leaves in 1usize..700, operations in operations()) {
            let mut tree = SumTree::new(leaves);
            let mut twin = vec![0.0; leaves];
            for operation in operations {
                match operation {
                    Operation::Set(index, value) => {
                        tree.set(index % leaves, value);
                        twin[index % leaves] = value;
                    }
                    Operation::SetAll(sets) => {
                        let indices: Vec<u32> = sets.iter().map(|(index, _)| (index % leaves) as u32).collect();
                        let values: Vec<f64> = sets.iter().map(|(_, value)| *value).collect();
                        tree.set_all(&indices, &values);
                        sets.iter().for_each(|(index, value)| twin[index % leaves] = *value);
                    }
                    Operation::Find(share) => {
                        let mass = share * tree.total();
                        match tree.find(mass) {
                            None => prop_assert!(twin.iter().all(|leaf| *leaf == 0.0)),
                            Some(found) => {
                                prop_assert!(twin[found] > 0.0, "leaf {} is empty", found);
                                prop_assert!(is_at(&twin, mass, found), "mass {mass} in leaf {found} of {twin:?}");
                            }
                        }
                    }
                }
                let sum: f64 = twin.iter().sum();
                prop_assert!((tree.total() - sum).abs() <= 1e-13 * sum, "{} for {}", tree.total(), sum);
                prop_assert_eq!(tree.leaves().collect::<Vec<_>>(), twin.clone());
            }
            // However it came to be, it is what its leaves make it.
            let mut filled = SumTree::new(leaves);
            filled.set(0, 5.0);
            filled.fill(twin.iter().copied());
            prop_assert_eq!(filled, tree);
        }

        /// Where sums round, no mass leads to a leaf that is empty or not there.
        #[test]
        fn never_finds_an_empty_leaf(
            values in proptest::collection::vec(prop_oneof![Just(0.0), 1e-300f64..1e300, 0.1f64..0.2], 1..200),
            mass in prop_oneof![any::<f64>(), 0.0f64..20.0],
        ) {
            let mut tree = SumTree::new(values.len());
            tree.fill(values.iter().copied());
            let edges = [mass, 0.0, -0.0, tree.total(), tree.total().next_down(), tree.total().next_up(), f64::INFINITY];
            let borders = values.iter().scan(0.0, |sum, value| { *sum += value; Some(*sum) });
            let masses = borders.flat_map(|border| [border, border.next_down(), border.next_up()]).chain(edges);
            for mass in masses.filter(|mass| (0.0..=tree.total()).contains(mass)) {
                match tree.find(mass) {
                    Some(found) => prop_assert!(values[found] > 0.0),
                    None => prop_assert!(values.iter().all(|value| *value == 0.0)),
                }
            }
        }
    }

    #[test]
    fn finds_many_as_it_finds_one() {
        let mut tree = SumTree::new(1000);
        tree.fill((0..1000).map(|leaf| f64::from(leaf % 7)));
        let mut masses: Vec<f64> = (0..50).map(|k| f64::from(k) / 50.0 * tree.total()).collect();
        let one_by_one: Vec<u32> = masses.iter().map(|mass| tree.find(*mass).unwrap() as u32).collect();
        let mut indices = vec![9; 50];
        assert!(tree.find_all(&mut masses, &mut indices));
        assert_eq!(indices, one_by_one);
    }

    #[test]
    fn the_last_of_a_pair_counts() {
        let mut tree = SumTree::new(3);
        tree.set_all(&[1, 0, 1], &[5.0, 1.0, 2.0]);
        assert_eq!((tree.get(1), tree.total()), (2.0, 3.0));
    }

    #[test]
    fn memory_is_as_counted() {
        for leaves in [1, 8, 9, 1000, 100_000] {
            let nodes: usize = SumTree::new(leaves).levels.iter().map(Vec::len).sum();
            let (taken, needed) = (nodes as u64 * 64, SumTree::bytes_needed(leaves));
            assert!(taken <= needed && needed <= taken + 3000, "{leaves} leaves: {taken} bytes, counted {needed}");
        }
    }

    #[test]
    fn an_empty_tree_finds_nothing() {
        assert_eq!(SumTree::new(0).find(0.0), None);
        assert_eq!(SumTree::new(9).find(0.0), None);
    }

    fn refuses(call: impl FnOnce()) -> String {
        let cause = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).expect_err("it was taken");
        cause.downcast_ref::<String>().cloned().expect("a message")
    }

    #[test]
    fn leaves_that_are_none_change_nothing() {
        let mut tree = SumTree::new(20);
        tree.set_all(&[1, 17], &[2.0, 3.0]);
        let before = tree.clone();
        for value in [f64::NAN, -1.0, f64::INFINITY, f64::MAX] {
            assert!(refuses(|| tree.set(3, value)).contains("leaf 3 is set to"));
            assert!(refuses(|| tree.set_all(&[1, 2], &[7.0, value])).contains("leaf 2 is set to"));
            assert!(refuses(|| tree.fill([7.0, value].into_iter())).contains("leaf 1 is set to"));
            assert_eq!(tree, before);
        }
        assert!(refuses(|| tree.set_all(&[1, 20], &[7.0, 7.0])).contains("leaf 20 of 20"));
        assert_eq!(tree, before);
        // Twenty of the largest are a number.
        let largest = f64::MAX / 2.0 / 20.0;
        tree.fill([largest; 20].into_iter());
        assert!(tree.total().is_finite());
    }

    #[test]
    fn masses_outside_of_the_tree_are_refused() {
        for leaves in [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]] {
            let mut tree = SumTree::new(3);
            tree.fill(leaves.into_iter());
            for mass in [-1.0, -1e-300, 2.0f64.next_up(), f64::NAN, f64::INFINITY] {
                assert!(refuses(|| _ = tree.find(mass)).contains("is not from 0 to the total, 2"), "{mass}");
            }
            // The end itself is the last leaf that is not empty.
            assert_eq!(tree.find(2.0), leaves.iter().rposition(|leaf| *leaf > 0.0));
        }
    }
}
