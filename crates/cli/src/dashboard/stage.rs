//! [`Stage`], where the newest best policy plays.

use std::time::{Duration, Instant};

use requel::run::Run;
use requel::{Config, Registry};
use requel_envs::Env;

use super::audit::{Audit, audit};
use crate::exit::Failure;
use crate::runs;
use crate::show::{BarScale, Frame};
use crate::watch::{Acting, Player};

/// The best policy is on disk this long after its event; a file that is older is read again with the next one.
const WRITING: Duration = Duration::from_millis(80);
/// Audits take at most this fraction of the time.
const AUDIT_SHARE: f64 = 0.005;
/// The maximum number of steps between two pictures, however slow drawing is.
const MOST_STEPS: u32 = 30;

/// Where the newest best policy plays, and is audited.
pub struct Stage {
    run: Run,
    config: Config,
    registry: Registry,
    player: Option<Player>,
    audited: Option<Box<dyn Env>>,
    told: Option<Instant>,
    next_audit: Instant,
    audits: u64,
    moved: Instant,
    scale: BarScale,
}

impl Stage {
    /// An empty stage for this run.
    pub fn new(run: Run, config: Config, registry: Registry) -> Self {
        let now = Instant::now();
        let (player, audited, told, scale) = (None, None, None, BarScale::new());
        Stage { run, config, registry, player, audited, told, next_audit: now, audits: 0, moved: now, scale }
    }

    /// Records that there is a new best policy.
    pub fn told_of_policy(&mut self, now: Instant) {
        self.told.get_or_insert(now);
    }

    /// Plays up to `now` at the environment's own speed. Returns an audit when one is due.
    ///
    /// # Errors
    /// If the environment fails or the policy cannot be read.
    pub fn play(&mut self, now: Instant) -> Result<Option<Audit>, Failure> {
        let mut audit = None;
        if self.told.is_some_and(|told| now.duration_since(told) >= WRITING) {
            audit = self.change_policy(now)?;
        }
        if let Some(player) = &mut self.player {
            let elapsed = now.duration_since(self.moved).as_secs_f32();
            let steps = (elapsed * player.frames_per_second()) as u32;
            if steps > 0 {
                self.moved = now;
            }
            for _ in 0..steps.min(MOST_STEPS) {
                if player.ended() {
                    player.next_episode()?;
                }
                player.step()?;
            }
        }
        Ok(audit)
    }

    /// The current frame, once there is a policy.
    pub fn frame(&mut self) -> Option<(Frame, BarScale)> {
        let frame = self.player.as_mut()?.frame().ok()?;
        if let Some(decision) = &frame.caption.decision {
            self.scale.include(decision);
        }
        Some((frame, self.scale))
    }

    fn change_policy(&mut self, now: Instant) -> Result<Option<Audit>, Failure> {
        if self.run.best_policy().is_err() {
            return Ok(None);
        }
        self.told = None;
        self.scale = BarScale::new();
        let acting = Acting::Policy(runs::policy(&self.run, &self.registry, 1)?);
        match &mut self.player {
            Some(player) => player.act_by(acting),
            None => {
                let most_steps = u32::try_from(self.config.evaluation.max_episode_steps).unwrap_or(u32::MAX);
                let player = Player::new(self.run.env(&self.registry)?, acting, (0, most_steps))?;
                (self.player, self.moved) = (Some(player), now);
            }
        }
        if now < self.next_audit {
            return Ok(None);
        }
        let env = match &mut self.audited {
            Some(env) => env,
            none => none.insert(self.run.env(&self.registry)?),
        };
        let started = Instant::now();
        self.audits += 1;
        let mut policy = runs::policy_file(&self.run, &self.registry)?.into_policy(1)?;
        let audit =
            audit(&mut **env, &mut |seen| Ok(policy.q_values(seen)?.to_vec()), (self.audits, self.config.agent.gamma))?;
        self.next_audit = now + started.elapsed().div_f64(AUDIT_SHARE);
        Ok(Some(audit))
    }
}
