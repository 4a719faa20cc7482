//! [`MISTAKES`], those that have been made in this field, each as a change of one place in the source.

/// A mistake, and the test that has to fail with it.
pub struct Mistake {
    /// What it is called.
    pub name: &'static str,
    /// What goes wrong.
    pub what: &'static str,
    /// The file that it is made in, below `crates/requel/src/`.
    pub file: &'static str,
    /// What is there once, and is right.
    pub right: &'static str,
    /// What takes its place.
    pub wrong: &'static str,
    /// `lib`, or the name of an integration test of `requel`.
    pub target: &'static str,
    /// The test.
    pub test: &'static str,
}

const AGAINST_NUMPY: &str = "golden::the_agents_equal_numpy_but_for_their_rounding";

/// All of them.
pub const MISTAKES: [Mistake; 10] = [
    Mistake {
        name: "target-never-updated",
        what: "the target network stays what it was at first",
        file: "agent/cpu/networks.rs",
        right: "None => target.copy_from_slice(&self.parameters),",
        wrong: "None => {}",
        target: "ladder",
        test: AGAINST_NUMPY,
    },
    Mistake {
        name: "td-error-sign",
        what: "the gradient of the TD error goes up",
        file: "agent/head/scalar.rs",
        right: "*action as usize] = self.d_errors[row];",
        wrong: "*action as usize] = -self.d_errors[row];",
        target: "lib",
        test: "agent::head::scalar::tests::hand_worked_table",
    },
    Mistake {
        name: "truncation-terminates",
        what: "a truncated episode is taken for a terminated one",
        file: "replay/n_step.rs",
        right: "if last.step.terminated { 0.0 }",
        wrong: "if last.step.ended() { 0.0 }",
        target: "lib",
        test: "replay::n_step::tests::hand_worked",
    },
    Mistake {
        name: "terminal-bootstraps",
        what: "a terminated episode is taken for one that goes on",
        file: "replay/n_step.rs",
        right: "if last.step.terminated { 0.0 }",
        wrong: "if last.step.terminated && last.step.truncated { 0.0 }",
        target: "ladder",
        test: AGAINST_NUMPY,
    },
    Mistake {
        name: "weights-ignored",
        what: "importance weights are worked out and not used",
        file: "agent/value_executor/update.rs",
        right: "weights: how.beta.map(|_| &self.weights[..]),",
        wrong: "weights: how.beta.and(None),",
        target: "ladder",
        test: AGAINST_NUMPY,
    },
    Mistake {
        name: "priorities-frozen",
        what: "priorities stay what they were when the transition came",
        file: "agent/dqn/agent.rs",
        right: "if beta.is_some() {",
        wrong: "if beta.is_some_and(f64::is_nan) {",
        target: "ladder",
        test: AGAINST_NUMPY,
    },
    Mistake {
        name: "n-step-discount",
        what: "after n steps the value is discounted as after one",
        file: "replay/n_step.rs",
        right: "self.powers[steps] as f32 }",
        wrong: "self.powers[steps.min(1)] as f32 }",
        target: "lib",
        test: "replay::n_step::tests::hand_worked",
    },
    Mistake {
        name: "action-shifted",
        what: "another action than the one taken is stored",
        file: "agent/dqn/agent.rs",
        right: "&mut |transition| replay.push(transition));",
        wrong: "&mut |transition| replay.push(&crate::Transition { action: 1 - transition.action.min(1), ..*transition }));",
        target: "ladder",
        test: AGAINST_NUMPY,
    },
    Mistake {
        name: "projection-shifted",
        what: "probability goes to the atoms above the right ones",
        file: "td/categorical.rs",
        right: "(reward + discount * support.v_min - support.v_min) / support.step();",
        wrong: "(reward + discount * support.v_min - support.v_min) / support.step() + 1.0;",
        target: "lib",
        test: "td::categorical::tests::hand_worked_table",
    },
    Mistake {
        name: "epsilon-constant",
        what: "epsilon stays what it was at first",
        file: "exploration/epsilon_greedy.rs",
        right: "self.epsilon.at(env_steps)",
        wrong: "self.epsilon.at(env_steps.min(0))",
        target: "lib",
        test: "exploration::epsilon_greedy::tests::epsilon_follows_its_schedule",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use xtask::workspace;

    #[test]
    fn each_mistake_has_one_place_to_be_made_in_and_a_test() {
        for mistake in MISTAKES {
            let path = workspace::root().join("crates/requel/src").join(mistake.file);
            let source = std::fs::read_to_string(&path).unwrap();
            assert_eq!(source.matches(mistake.right).count(), 1, "{}: {}", mistake.name, path.display());
            let test = mistake.test.rsplit("::").next().unwrap();
            let tests = match mistake.target {
                "lib" => source,
                target => {
                    let file = mistake.test.split("::").next().unwrap();
                    let path = format!("crates/requel/tests/{target}/{file}.rs");
                    std::fs::read_to_string(workspace::root().join(path)).unwrap()
                }
            };
            assert!(tests.contains(&format!("fn {test}(")), "{}: {test}", mistake.name);
        }
    }
}
