//! [`EnvIdentity`], by which a run recognises the environment it was trained in.

use requel_envs::{DType, Env, EnvSpec, Space};
use serde::{Deserialize, Serialize};

/// Where an environment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvOrigin {
    /// One of requel's own.
    BuiltIn,
    /// Registered by a program under its id: [`Registry::register_env`](crate::Registry::register_env).
    Registered,
    /// Passed to the trainer by a program: [`Trainer::with_envs`](crate::Trainer::with_envs).
    Given,
}

/// What distinguishes environments: the id, the spaces, the range of rewards, and the origin. A run keeps it in `environment.json`; a run
/// cannot be continued, nor its policy shown, in another environment.
///
/// It describes the environment as created, with its options and the wrappers of [`EnvConfig`](crate::config::EnvConfig), before discrete
/// observations are one-hot encoded for a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvIdentity {
    /// Its id.
    pub id: String,
    /// Where it comes from.
    pub origin: EnvOrigin,
    /// Its observation space.
    pub observations: SpaceIdentity,
    /// Its action space.
    pub actions: SpaceIdentity,
    /// What each discrete action does; may be empty.
    pub action_names: Vec<String>,
    /// The lowest and the highest reward of one step; `None` if unknown.
    pub reward_range: Option<(f64, f64)>,
    /// The mean return at which it counts as solved; `None` if it has no goal.
    pub goal: Option<f64>,
    /// The number of steps after which an episode is truncated; `None`: never.
    pub max_episode_steps: Option<u32>,
}

/// A [`Space`] as plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SpaceIdentity {
    /// The whole numbers from 0 to `n - 1`.
    Discrete {
        /// How many there are.
        n: usize,
    },
    /// One whole number per entry, each from 0 to its `n - 1`.
    MultiDiscrete {
        /// How many values each entry has.
        n: Vec<usize>,
    },
    /// An array of numbers between bounds.
    Box {
        /// Length of each axis.
        shape: Vec<usize>,
        /// The type of the elements.
        dtype: String,
        /// The lower bounds of the elements.
        low: Bounds,
        /// The upper bounds of the elements.
        high: Bounds,
    },
}

/// The lower or upper bounds of the elements of an array; `None` for an unbounded element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bounds {
    /// The same for all elements.
    All(Option<f64>),
    /// One for each element, row-major.
    Each(Vec<Option<f64>>),
}

impl EnvIdentity {
    /// The identity of an environment with this origin.
    pub fn of(env: &dyn Env, origin: EnvOrigin) -> Self {
        let spec = env.spec();
        EnvIdentity {
            id: spec.id.clone(),
            origin,
            observations: SpaceIdentity::of(env.observation_space()),
            actions: SpaceIdentity::of(env.action_space()),
            action_names: spec.action_names.clone(),
            reward_range: spec.reward_range,
            goal: spec.reward_threshold,
            max_episode_steps: spec.max_episode_steps,
        }
    }

    /// The identifying part of its specification.
    pub fn spec(&self) -> EnvSpec {
        EnvSpec {
            max_episode_steps: self.max_episode_steps,
            reward_threshold: self.goal,
            reward_range: self.reward_range,
            action_names: self.action_names.clone(),
            ..EnvSpec::new(self.id.clone())
        }
    }

    /// Checks that such an environment can exist, because a file may contain anything.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that starts with the place it was read from.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.spec().check().map_err(|error| format!("does not describe an environment: {error}"))?;
        for (what, space) in [("observation", &self.observations), ("action", &self.actions)] {
            space.check().map_err(|reason| format!("does not describe an environment: its {what} space {reason}"))?;
        }
        let (names, count) = (self.action_names.len(), self.action_count().unwrap_or(0));
        match names == 0 || names == count {
            true => Ok(()),
            false => Err(format!("does not describe an environment: it names {names} actions of {count}")),
        }
    }

    /// The number of its actions; `None` if they are not discrete.
    pub fn action_count(&self) -> Option<usize> {
        match self.actions {
            SpaceIdentity::Discrete { n } => Some(n),
            _ => None,
        }
    }

    /// Whether it is one of requel's own environments. No other environment is ever mistaken for one of those, whatever its id.
    pub fn is_built_in(&self) -> bool {
        self.origin == EnvOrigin::BuiltIn
    }

    /// How another environment differs from this one, as the rest of a sentence about the other; `None` if they are the same. An
    /// environment passed to a trainer and the same one registered are equal. Names and numbers that one of them does not have are not a
    /// difference.
    pub fn difference(&self, other: &EnvIdentity) -> Option<String> {
        if self.id != other.id {
            return Some(format!("is `{}`", other.id));
        }
        if self.is_built_in() != other.is_built_in() {
            return Some(match other.is_built_in() {
                true => "is requel's own environment with this id".into(),
                false => "is another environment with this id, not requel's own".into(),
            });
        }
        if self.observations != other.observations {
            return Some(format!(
                "has observations of {}, not {}",
                other.observations.text(),
                self.observations.text()
            ));
        }
        if self.actions != other.actions {
            return Some(format!("has actions of {}, not {}", other.actions.text(), self.actions.text()));
        }
        let names = (&self.action_names, &other.action_names);
        if names.0 != names.1 && !names.0.is_empty() && !names.1.is_empty() {
            return Some(format!("names its actions {}, not {}", names.1.join(", "), names.0.join(", ")));
        }
        let range = |(low, high): (f64, f64)| format!("{low} to {high}");
        let rewards = differ(self.reward_range, other.reward_range, range);
        let goals = differ(self.goal, other.goal, |goal| goal.to_string());
        let limits = differ(self.max_episode_steps, other.max_episode_steps, |steps| format!("{steps} steps"));
        let said = |what: &str, differ: Option<(String, String)>| {
            differ.map(|(ours, theirs)| format!("has {what} of {theirs}, not {ours}"))
        };
        said("rewards", rewards).or_else(|| said("a goal", goals)).or_else(|| said("episodes", limits))
    }
}

/// Both, as text, if both are known and differ.
fn differ<T: PartialEq>(ours: Option<T>, theirs: Option<T>, text: impl Fn(T) -> String) -> Option<(String, String)> {
    let (ours, theirs) = ours.zip(theirs)?;
    (ours != theirs).then(|| (text(ours), text(theirs)))
}

impl SpaceIdentity {
    pub(crate) fn of(space: &Space) -> Self {
        match space {
            Space::Discrete { n } => SpaceIdentity::Discrete { n: *n },
            Space::MultiDiscrete { n } => SpaceIdentity::MultiDiscrete { n: n.clone() },
            Space::Box { low, high, shape, dtype } => SpaceIdentity::Box {
                shape: shape.clone(),
                dtype: dtype.name().into(),
                low: Bounds::of(low),
                high: Bounds::of(high),
            },
        }
    }

    /// The space; `None` if its type is unknown, or its bounds would not fit in memory.
    pub(crate) fn space(&self) -> Option<Space> {
        /// The largest number of values in an observation: an image with 67 million.
        const MOST_NUMBERS: usize = 1 << 26;
        Some(match self {
            SpaceIdentity::Discrete { n } => Space::Discrete { n: *n },
            SpaceIdentity::MultiDiscrete { n } => Space::MultiDiscrete { n: n.clone() },
            SpaceIdentity::Box { shape, dtype, low, high } => {
                let len = length(shape).filter(|len| *len <= MOST_NUMBERS)?;
                let (low, high) = (low.each(len, f32::NEG_INFINITY), high.each(len, f32::INFINITY));
                Space::Box { low, high, shape: shape.clone(), dtype: DType::of_name(dtype)? }
            }
        })
    }

    /// Like [`Space::check`], but without allocating bounds that are the same for all elements.
    fn check(&self) -> Result<(), String> {
        let same_for_all = match self {
            SpaceIdentity::Box { shape, dtype, low: low @ Bounds::All(_), high: high @ Bounds::All(_) } => {
                if length(shape).is_none_or(|len| len == 0) {
                    return Err(format!("has the shape {shape:?}"));
                }
                let (low, high) = (low.clone(), high.clone());
                Some(SpaceIdentity::Box { shape: vec![1], dtype: dtype.clone(), low, high })
            }
            _ => None,
        };
        let checked = same_for_all.as_ref().unwrap_or(self);
        checked.space().ok_or_else(|| "has an unknown type, or too many values".to_owned())?.check()
    }

    /// How many numbers of an observation a network reads: for a discrete one, one per possible value.
    pub fn network_len(&self) -> usize {
        match self {
            SpaceIdentity::Discrete { n } => *n,
            SpaceIdentity::MultiDiscrete { n } => n.iter().sum(),
            SpaceIdentity::Box { shape, .. } => shape.iter().product(),
        }
    }

    /// In words, for an error.
    fn text(&self) -> String {
        match self {
            SpaceIdentity::Discrete { n } => format!("one of {n} values"),
            SpaceIdentity::MultiDiscrete { n } => format!("{} discrete values ({n:?})", n.len()),
            SpaceIdentity::Box { shape, dtype, low, high } => {
                let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
                format!("{} numbers ({dtype}) from {} to {}", shape.join(" × "), low.text("−∞"), high.text("∞"))
            }
        }
    }
}

/// How many elements an array of this shape has.
fn length(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |len, axis| len.checked_mul(*axis))
}

impl Bounds {
    fn of(bounds: &[f32]) -> Self {
        let bound = |bound: f32| bound.is_finite().then(|| f64::from(bound));
        match bounds {
            [first, rest @ ..] if rest.iter().all(|other| other == first) => Bounds::All(bound(*first)),
            each => Bounds::Each(each.iter().map(|one| bound(*one)).collect()),
        }
    }

    /// One for each of `len` elements.
    pub(crate) fn each(&self, len: usize, unbounded: f32) -> Vec<f32> {
        let bound = |bound: &Option<f64>| bound.map_or(unbounded, |bound| bound as f32);
        match self {
            Bounds::All(all) => vec![bound(all); len],
            Bounds::Each(each) => each.iter().map(bound).collect(),
        }
    }

    fn text(&self, unbounded: &str) -> String {
        let text = |bound: &Option<f64>| bound.map_or(unbounded.to_owned(), |bound| (bound as f32).to_string());
        match self {
            Bounds::All(bound) => text(bound),
            Bounds::Each(bounds) => {
                let few: Vec<String> = bounds.iter().take(MOST_NAMED).map(text).collect();
                format!("({}{})", few.join(", "), if bounds.len() > MOST_NAMED { ", …" } else { "" })
            }
        }
    }
}

/// Maximum number of bounds listed in an error: an image has thousands.
const MOST_NAMED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: &str) -> EnvIdentity {
        EnvIdentity::of(&*requel_envs::make(id).unwrap(), EnvOrigin::BuiltIn)
    }

    #[test]
    fn every_environment_is_itself_when_read_back_and_no_other() {
        let all: Vec<EnvIdentity> = requel_envs::specs().iter().map(|spec| identity(&spec.id)).collect();
        for one in &all {
            let text = serde_json::to_string(one).unwrap();
            let read: EnvIdentity = serde_json::from_str(&text).unwrap();
            assert_eq!(read, *one);
            let same = all.iter().filter(|other| one.difference(other).is_none());
            assert_eq!(same.collect::<Vec<_>>(), [one]);
        }
    }

    #[test]
    fn each_part_of_an_identity_tells() {
        let ours = EnvIdentity { action_names: vec!["left".into(), "right".into()], ..identity("CartPole-v1") };
        assert_eq!(ours.difference(&ours), None);
        let with = |change: &dyn Fn(&mut EnvIdentity)| {
            let mut other = ours.clone();
            change(&mut other);
            ours.difference(&other).unwrap()
        };
        assert_eq!(with(&|other| other.id = "Maze-v0".into()), "is `Maze-v0`");
        let another = "is another environment with this id, not requel's own";
        assert_eq!(with(&|other| other.origin = EnvOrigin::Registered), another);
        assert_eq!(with(&|other| other.origin = EnvOrigin::Given), another);
        let wide = "has observations of one of 3 values, not 4 numbers (float32) from (-4.8, −∞, -0.41887903, −∞) to \
                    (4.8, ∞, 0.41887903, ∞)";
        assert_eq!(with(&|other| other.observations = SpaceIdentity::Discrete { n: 3 }), wide);
        let bounds = |other: &mut EnvIdentity| {
            let SpaceIdentity::Box { high, .. } = &mut other.observations else { panic!("CartPole has numbers") };
            *high = Bounds::All(Some(1.0));
        };
        assert!(with(&bounds).contains("to 1, not 4 numbers"), "{}", with(&bounds));
        let actions = |other: &mut EnvIdentity| other.actions = SpaceIdentity::MultiDiscrete { n: vec![2, 3] };
        assert_eq!(with(&actions), "has actions of 2 discrete values ([2, 3]), not one of 2 values");
        let swapped = |other: &mut EnvIdentity| other.action_names.reverse();
        assert_eq!(with(&swapped), "names its actions right, left, not left, right");
        assert_eq!(with(&|other| other.reward_range = Some((0.0, 2.0))), "has rewards of 0 to 2, not 1 to 1");
        assert_eq!(with(&|other| other.goal = Some(1.0)), "has a goal of 1, not 475");
        assert_eq!(with(&|other| other.max_episode_steps = Some(7)), "has episodes of 7 steps, not 500 steps");
        // Nothing that is left out counts as a difference, nor does the way in which your own environment was given.
        let unsaid = EnvIdentity { action_names: Vec::new(), reward_range: None, goal: None, ..ours.clone() };
        assert_eq!((ours.difference(&unsaid), unsaid.difference(&ours)), (None, None));
        let given = EnvIdentity { origin: EnvOrigin::Given, ..ours.clone() };
        assert_eq!(given.difference(&EnvIdentity { origin: EnvOrigin::Registered, ..ours }), None);
    }

    #[test]
    fn what_can_be_no_environment_is_refused_by_what_is_wrong() {
        for spec in requel_envs::specs() {
            identity(&spec.id).check().unwrap_or_else(|reason| panic!("{}: {reason}", spec.id));
        }
        let refused = |change: &dyn Fn(&mut EnvIdentity)| {
            let mut other = identity("CartPole-v1");
            change(&mut other);
            other.check().unwrap_err()
        };
        let observations = |shape: &[usize], dtype: &str, low: Bounds| SpaceIdentity::Box {
            shape: shape.to_vec(),
            dtype: dtype.into(),
            low,
            high: Bounds::All(Some(1.0)),
        };
        let all = || Bounds::All(None);
        let cases = [
            (observations(&[0], "float32", all()), "shape [0]"),
            (observations(&[usize::MAX, 3], "float32", all()), "shape [18446744073709551615, 3]"),
            (observations(&[4], "float64", all()), "unknown type"),
            (observations(&[4], "float32", Bounds::All(Some(2.0))), "the bounds 2 and 1"),
            (observations(&[4], "float32", Bounds::Each(vec![None; 3])), "3 lower and 4 upper bounds"),
            (observations(&[usize::MAX], "float32", Bounds::Each(vec![None; 3])), "unknown type, or too many values"),
            (SpaceIdentity::Discrete { n: 0 }, "has no values"),
            (SpaceIdentity::MultiDiscrete { n: vec![3, 0] }, "has no values"),
        ];
        for (space, expected) in cases {
            let reason = refused(&|other| other.observations = space.clone());
            assert!(reason.contains("its observation space") && reason.contains(expected), "{reason}");
        }
        let actions = refused(&|other| other.actions = SpaceIdentity::Discrete { n: 0 });
        assert!(actions.contains("its action space has no values"), "{actions}");
        assert!(refused(&|other| other.max_episode_steps = Some(0)).contains("its episodes have 0 steps"));
        assert!(refused(&|other| other.reward_range = Some((1.0, 0.0))).contains("`reward_range` is from 1 to 0"));
        assert!(refused(&|other| other.action_names.push("jump".into())).contains("actions of 2"));
    }
}
