//! Every environment of the registry keeps the contract, and an environment that breaks it is found out.

use requel_envs::conformance::{Rule, check};
use requel_envs::wrappers::OneHot;
use requel_envs::{
    Action, Color, DType, Env, EnvError, EnvSpec, GymRng, Pixels, Scene, Shape, Space, StateReader, StateWriter, Step,
    View, make, specs,
};
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn every_environment_of_the_registry() {
    for spec in specs() {
        let report = check(|| make(&spec.id).unwrap()).unwrap_or_else(|violation| panic!("{violation}"));
        assert!(report.steps >= 12, "{}: {report:?}", spec.id);
        let one_hot = check(|| Box::new(OneHot::new(make(&spec.id).unwrap()).unwrap()));
        assert_eq!(one_hot, Ok(report), "{} one-hot", spec.id);
    }
}

/// What a [`Counter`] does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    BadSpace,
    LeavesSpace,
    RewardNan,
    LeavesRewardRange,
    ForgetsSeed,
    SharedState,
    SeedsOneByDefault,
    StepsAfterEnd,
    StepsBeforeReset,
    TakesAnyAction,
    ChangesBeforeActionCheck,
    TakesAnySlice,
    NeverEnds,
    ForgetsState,
    ForgetsGenerator,
    SaveCounts,
    TakesShortState,
    HalfRestores,
    PanicsOnDamage,
    EmptyMask,
    ShortMask,
    LateMask,
    LostMask,
    ThresholdNan,
    OddId,
    ActionsGrow,
    RewardBeyondSingle,
    NothingDrawn,
    ShortImage,
    NamesTooFew,
    DrawsNan,
    DrawsOutside,
    ViewMoves,
    SceneVanishes,
    SavesAtTimes,
    FailsToSave,
    RestoresAlone,
    Panics,
}

/// Counts to 7 in random strides of 1 or 2, in at most 4 steps; correct but for its flaw.
struct Counter {
    flaw: Flaw,
    spec: EnvSpec,
    observation_space: Space,
    action_space: Space,
    rng: GymRng,
    count: f32,
    steps: u32,
    running: bool,
    mask: Vec<bool>,
    /// Another one in each instance.
    offset: f32,
}

static SHARED: AtomicU64 = AtomicU64::new(0);

impl Counter {
    fn new(flaw: Flaw) -> Self {
        let spec = EnvSpec {
            id: if flaw == Flaw::OddId { "Counter\n<b>".into() } else { format!("Counter-{flaw:?}") },
            max_episode_steps: Some(4),
            reward_threshold: (flaw == Flaw::ThresholdNan).then_some(f64::NAN),
            reward_range: (flaw == Flaw::LeavesRewardRange).then_some((-1.0, 0.5)),
            observation_names: if flaw == Flaw::NamesTooFew { vec!["count".into(); 2] } else { vec!["count".into()] },
            ..EnvSpec::new("Counter")
        };
        let low = if flaw == Flaw::BadSpace { 9.0 } else { 0.0 };
        let high = if flaw == Flaw::LeavesSpace { 7.0 } else { 8.0 };
        let observation_space = Space::Box { low: vec![low], high: vec![high], shape: vec![1], dtype: DType::F32 };
        let mask = match flaw {
            Flaw::EmptyMask => vec![false; 2],
            Flaw::ShortMask => vec![true],
            _ => vec![true; 2],
        };
        let rng = GymRng::from_seed(u64::from(flaw == Flaw::SeedsOneByDefault));
        let action_space = Space::Discrete { n: 2 };
        let offset = SHARED.fetch_add(1, Ordering::Relaxed) as f32 / 1024.0;
        Self { flaw, spec, observation_space, action_space, rng, count: 0.0, steps: 0, running: false, mask, offset }
    }

    fn invalid(&self, reason: String) -> EnvError {
        EnvError::InvalidState { id: self.spec.id.clone(), reason }
    }
}

impl Env for Counter {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.observation_space
    }

    fn action_space(&self) -> &Space {
        &self.action_space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if observation.len() != 1 && self.flaw != Flaw::TakesAnySlice {
            return Err(EnvError::ObservationLength { expected: 1, found: observation.len() });
        }
        if let Some(seed) = seed.filter(|_| self.flaw != Flaw::ForgetsSeed) {
            self.rng = GymRng::from_seed(seed);
        }
        self.count = self.rng.below(2) as f32;
        self.steps = 0;
        self.running = true;
        observation.fill(self.count);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let refused = match self.flaw {
            Flaw::StepsAfterEnd => !self.running && self.steps == 0,
            Flaw::StepsBeforeReset => !self.running && self.steps > 0,
            _ => !self.running,
        };
        if refused {
            return Err(EnvError::ResetNeeded { id: self.spec.id.clone() });
        }
        if observation.len() != 1 && self.flaw != Flaw::TakesAnySlice {
            return Err(EnvError::ObservationLength { expected: 1, found: observation.len() });
        }
        if self.flaw == Flaw::ChangesBeforeActionCheck {
            self.rng.random();
        }
        if self.flaw != Flaw::TakesAnyAction {
            action.discrete(2)?;
        }
        assert!(self.flaw != Flaw::Panics || self.steps < 3, "three is too much");
        self.steps += 1;
        self.count += 1.0 + self.rng.below(2) as f32;
        let offset = if self.flaw == Flaw::SharedState { self.offset } else { 0.0 };
        observation.fill(self.count.min(8.0) - offset);
        let terminated = self.count >= 7.0 && self.flaw != Flaw::NeverEnds;
        let truncated = self.steps == 4 && self.flaw != Flaw::NeverEnds;
        self.running = !terminated && !truncated;
        if self.flaw == Flaw::ActionsGrow && !self.running {
            self.action_space = Space::Discrete { n: 700 };
        }
        let reward = match self.flaw {
            Flaw::RewardNan => f64::NAN,
            Flaw::RewardBeyondSingle => 1e39,
            _ => 1.0,
        };
        Ok(Step { reward, terminated, truncated })
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        match self.flaw {
            Flaw::RestoresAlone => return Err(EnvError::CannotSave { id: self.spec.id.clone() }),
            Flaw::SavesAtTimes if self.running => return Err(EnvError::CannotSave { id: self.spec.id.clone() }),
            Flaw::FailsToSave => return Err(EnvError::Other("the disk is full".into())),
            _ => {}
        }
        let mut writer = StateWriter::new();
        if self.flaw != Flaw::ForgetsGenerator {
            self.rng.save(&mut writer);
        }
        if self.flaw != Flaw::ForgetsState {
            writer.f32(self.count);
        }
        if self.flaw == Flaw::SaveCounts {
            writer.u64(SHARED.fetch_add(1, Ordering::Relaxed));
        }
        writer.u32(self.steps);
        writer.bool(self.running);
        Ok(writer.into_bytes())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        if self.flaw == Flaw::RestoresAlone || self.flaw == Flaw::TakesShortState && state.len() < 8 {
            return Ok(());
        }
        let mut reader = StateReader::new(state);
        let mut read = || {
            let rng = match self.flaw {
                Flaw::ForgetsGenerator => self.rng.clone(),
                _ => GymRng::restore(&mut reader)?,
            };
            if self.flaw == Flaw::HalfRestores {
                self.rng = rng.clone();
                self.count = -1.0;
            }
            let count = if self.flaw == Flaw::ForgetsState { self.count } else { reader.f32()? };
            if self.flaw == Flaw::SaveCounts {
                reader.u64()?;
            }
            let steps = reader.u32()?;
            assert!(self.flaw != Flaw::PanicsOnDamage || steps < 5, "unheard of");
            let running = reader.bool()?;
            reader.clone().finish()?;
            Ok((rng, count, steps, running))
        };
        let (rng, count, steps, running) = read().map_err(|e: requel_envs::StateError| self.invalid(e.0))?;
        if !(0.0..=8.0).contains(&count) || steps > 4 {
            return Err(self.invalid(format!("{count} after {steps} steps")));
        }
        (self.rng, self.count, self.steps, self.running) = (rng, count, steps, running);
        Ok(())
    }

    fn scene(&self) -> Option<Scene> {
        let x = match self.flaw {
            Flaw::DrawsNan => f32::NAN,
            Flaw::DrawsOutside => 20.0,
            _ => self.count,
        };
        let left = if self.flaw == Flaw::ViewMoves { -1.0 - self.count } else { -1.0 };
        let dot = Shape::Circle { center: (x, 0.0), radius: 0.5, color: Color(0, 0, 0) };
        let image = |bytes| {
            let pixels = Pixels { width: 2, height: 1, rgb: vec![0; bytes] };
            Shape::Image { min: (0.0, 0.0), max: (1.0, 1.0), pixels }
        };
        let shapes = match self.flaw {
            Flaw::NothingDrawn => vec![],
            Flaw::ShortImage => vec![image(5)],
            _ => vec![image(6), dot],
        };
        let view = View { left, right: 9.0, bottom: -1.0, top: 1.0 };
        let shown = self.flaw != Flaw::SceneVanishes || self.steps < 2;
        shown.then_some(Scene { view, background: Color(255, 255, 255), shapes })
    }

    fn action_mask(&self) -> Option<&[bool]> {
        let is_there = match self.flaw {
            Flaw::LateMask => self.steps > 1,
            Flaw::LostMask => self.steps < 2,
            _ => true,
        };
        is_there.then_some(&self.mask)
    }
}

#[test]
fn a_flawless_environment_passes() {
    let report = check(|| Box::new(Counter::new(Flaw::None))).unwrap();
    assert!(report.terminated > 0 && report.truncated > 0 && report.saves, "{report:?}");
}

/// The least that an environment is: nothing to see, no mask, no state to save.
struct Bare(Counter);

impl Env for Bare {
    fn spec(&self) -> &EnvSpec {
        self.0.spec()
    }
    fn observation_space(&self) -> &Space {
        self.0.observation_space()
    }
    fn action_space(&self) -> &Space {
        self.0.action_space()
    }
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0.reset(seed, observation)
    }
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.0.step(action, observation)
    }
}

#[test]
fn an_environment_without_scene_and_state_passes() {
    let report = check(|| Box::new(Bare(Counter::new(Flaw::None)))).unwrap();
    assert!(report.terminated > 0 && !report.saves, "{report:?}");
    let env = Bare(Counter::new(Flaw::None));
    assert_eq!(env.save().unwrap_err().to_string(), "Counter-None cannot save its state");
    assert_eq!(env.scene(), None);
}

#[test]
fn every_flaw_is_found() {
    let cases = [
        (Flaw::BadSpace, Rule::Described),
        (Flaw::LeavesSpace, Rule::InSpace),
        (Flaw::RewardNan, Rule::InSpace),
        (Flaw::LeavesRewardRange, Rule::InSpace),
        (Flaw::ForgetsSeed, Rule::Deterministic),
        (Flaw::SharedState, Rule::Deterministic),
        (Flaw::SeedsOneByDefault, Rule::SeededWithZero),
        (Flaw::StepsAfterEnd, Rule::ResetFirst),
        (Flaw::StepsBeforeReset, Rule::ResetFirst),
        (Flaw::TakesAnyAction, Rule::ActionsChecked),
        (Flaw::ChangesBeforeActionCheck, Rule::ActionsChecked),
        (Flaw::TakesAnySlice, Rule::LengthsChecked),
        (Flaw::NeverEnds, Rule::TimeLimit),
        (Flaw::ForgetsState, Rule::Restorable),
        (Flaw::ForgetsGenerator, Rule::Restorable),
        (Flaw::SaveCounts, Rule::ResetFirst),
        (Flaw::TakesShortState, Rule::StatesChecked),
        (Flaw::HalfRestores, Rule::StatesChecked),
        (Flaw::PanicsOnDamage, Rule::NeverPanics),
        (Flaw::EmptyMask, Rule::Mask),
        (Flaw::ShortMask, Rule::Mask),
        (Flaw::LateMask, Rule::Mask),
        (Flaw::LostMask, Rule::Mask),
        (Flaw::ThresholdNan, Rule::Described),
        (Flaw::OddId, Rule::Described),
        (Flaw::ActionsGrow, Rule::Described),
        (Flaw::RewardBeyondSingle, Rule::InSpace),
        (Flaw::NothingDrawn, Rule::Drawable),
        (Flaw::ShortImage, Rule::Drawable),
        (Flaw::NamesTooFew, Rule::Described),
        (Flaw::DrawsNan, Rule::Drawable),
        (Flaw::DrawsOutside, Rule::Drawable),
        (Flaw::ViewMoves, Rule::Drawable),
        (Flaw::SceneVanishes, Rule::Drawable),
        (Flaw::SavesAtTimes, Rule::Restorable),
        (Flaw::FailsToSave, Rule::Restorable),
        (Flaw::RestoresAlone, Rule::Restorable),
        (Flaw::Panics, Rule::NeverPanics),
    ];
    for (flaw, rule) in cases {
        match check(|| Box::new(Counter::new(flaw))) {
            Ok(report) => panic!("{flaw:?} was not found: {report:?}"),
            Err(violation) => assert_eq!(violation.rule, rule, "{flaw:?}: {violation}"),
        }
    }
}

/// Bytes that say that an episode goes on in a hole, at the goal, behind the wall that ends it.
#[test]
fn episodes_do_not_go_on_where_they_end() {
    let mut tried = 0;
    for spec in specs() {
        let mut env = make(&spec.id).unwrap();
        let mut observation = vec![0.0; env.observation_len()];
        env.reset(Some(3), &mut observation).unwrap();
        let running = env.save().unwrap();
        let Some(actions) = env.action_space().discrete_n() else { continue };
        let mut rng = GymRng::from_seed(7);
        let terminated = (0..20_000).any(|_| {
            let step = env.step(Action::Discrete(rng.below(actions)), &mut observation).unwrap();
            if step.ended() && !step.terminated {
                env.reset(None, &mut observation).unwrap();
            }
            step.terminated
        });
        if !terminated {
            continue;
        }
        // Behind what a time limit counts and the generator, of 45 bytes, it says whether an episode goes on.
        let over = env.save().unwrap();
        let flag = 45 + if spec.max_episode_steps.is_some() { 12 } else { 0 };
        assert_eq!((running[flag], over[flag]), (1, 0), "{}", spec.id);
        let mut lie = over.clone();
        lie[flag] = 1;
        let refused = env.restore(&lie);
        // What ends this game is seen in the step alone.
        if spec.id.starts_with("MinAtar/Seaquest") {
            continue;
        }
        tried += 1;
        assert!(
            matches!(refused, Err(EnvError::InvalidState { .. })),
            "{} goes on where it ended: {refused:?}",
            spec.id
        );
        assert_eq!(env.save().unwrap(), over, "{}", spec.id);
        env.restore(&running).unwrap();
    }
    assert!(tried > 12, "{tried}");
}
