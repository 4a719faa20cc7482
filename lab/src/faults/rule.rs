//! [`Rule`], one line of the table of faults.

use anyhow::Result;

use super::{damage, finish, kill, memory, same_bits, signals, suites, together};

/// One kind of fault, and what must come of it.
pub struct Rule {
    /// What it is called on the command line and in the table.
    pub id: &'static str,
    /// Which fault.
    pub fault: &'static str,
    /// What must come of it.
    pub promise: &'static str,
    /// Puts the faults in and says what came of them; an error is a rule that was broken.
    pub check: fn(Extent) -> Result<Finding>,
}

/// How many faults are put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// As many as the table says.
    Full,
    /// Few, for a first look.
    Quick,
}

impl Extent {
    /// `full` or `quick`, whichever is meant.
    pub fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Extent::Full => full,
            Extent::Quick => quick,
        }
    }
}

/// What came of the faults of a rule that held.
pub struct Finding {
    /// How many there were.
    pub faults: usize,
    /// What is worth saying of them.
    pub note: String,
}

/// All rules in the order of their numbers.
pub const RULES: &[Rule] = &[
    Rule {
        id: "R1",
        fault: "SIGKILL at random moments, half of them during a save",
        promise: "resumes to the bytes of the undisturbed run",
        check: kill::check,
    },
    Rule {
        id: "R2",
        fault: "crash at every storage call of a save, unsynced data torn, lost or reordered",
        promise: "the old or the new checkpoint",
        check: suites::crashes,
    },
    Rule {
        id: "R3",
        fault: "an error at every storage call, and a real full tmpfs",
        promise: "heard; the earlier checkpoint intact",
        check: suites::errors,
    },
    Rule {
        id: "R4",
        fault: "single flipped bits, truncation at 64-byte boundaries, files swapped between checkpoints",
        promise: "none silent, no panic",
        check: damage::check,
    },
    Rule {
        id: "R5",
        fault: "generated hostile files",
        promise: "a typed error within the memory cap",
        check: suites::hostile_files,
    },
    Rule {
        id: "R7",
        fault: "threads × kernels × debug and release × watched or not",
        promise: "equal bits",
        check: same_bits::check,
    },
    Rule {
        id: "R8",
        fault: "NaN and ±infinity in observations, rewards and learning",
        promise: "stopped and named",
        check: suites::bad_numbers,
    },
    Rule { id: "R9", fault: "malformed environments", promise: "each its documented error", check: suites::bad_envs },
    Rule {
        id: "R11",
        fault: "SIGINT, SIGTERM and SIGHUP at random moments",
        promise: "saved within 5 s, right exit code, resumes as R1",
        check: signals::check,
    },
    Rule {
        id: "R12",
        fault: "a replay buffer larger than the memory or its control group",
        promise: "refused before training, with figures",
        check: memory::check,
    },
    Rule {
        id: "R13",
        fault: "two trainings started together: under one name, into one directory, of one group",
        promise: "none dies or holds another's config; one directory goes to one, the other is refused",
        check: together::check,
    },
    Rule {
        id: "R14",
        fault: "SIGKILL of a group of seeds, half of them right after a summary",
        promise: "an end that was cut off is named, and made again whole",
        check: finish::check,
    },
    Rule {
        id: "R15",
        fault: "damaged, foreign, cut and impossible files under every verb that reads a run",
        promise: "the file named, exit code 1, nothing written, no panic",
        check: suites::readers,
    },
    Rule {
        id: "R16",
        fault: "pipes, devices, directories and endless files in the place of files; counts beyond all reason",
        promise: "refused at once, with the file or the range",
        check: suites::bounds,
    },
];
