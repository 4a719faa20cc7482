//! What the checks are made on.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use requel::config::{Config, Layers};
use requel::{Machine, Registry, Trainer};
use requel_gpu::Cuda;

use crate::screen::screen;

pub type Found = Result<String, Box<dyn Error>>;

/// A card, or the host twin in its place.
pub struct Given {
    pub cuda: Cuda,
    /// Whether it is the host twin: then little is computed.
    pub is_twin: bool,
    /// The folder of the twin's library, for the program.
    library: Option<PathBuf>,
}

/// What every training of pictures has: 84 × 84 × 4 bytes, the network of Mnih et al. 2015, learning from the 200th env step on.
const PICTURES: [&str; 8] = [
    "env.id=\"Screen-v0\"",
    "env.frame_stack=4",
    "network.conv=[[32, 8, 4], [64, 4, 2], [64, 3, 1]]",
    "network.hidden=[512]",
    "train.episodes=0",
    "evaluation.every_steps=0",
    "evaluation.final_episodes=2",
    "evaluation.max_episode_steps=50",
];
const REPLAYED: [&str; 4] =
    ["train.every_steps=1", "replay.start=200", "replay.capacity=5000", "target.every_env_steps=500"];
/// Four minibatches of 32 from 8 environments, four times.
const IN_ROLLOUTS: [&str; 4] = ["train.num_envs=8", "pqn.rollout_steps=16", "pqn.minibatches=4", "pqn.epochs=4"];

impl Given {
    /// # Errors
    /// If there is no card, or no compiler for the twin.
    pub fn new(is_twin: bool) -> Result<Given, Box<dyn Error>> {
        if !is_twin {
            let cuda = Cuda::default();
            cuda.card(0)?;
            return Ok(Given { cuda, is_twin, library: None });
        }
        let library = requel_gpu::twin::build(std::env::temp_dir())?;
        let folder = library.parent().map(PathBuf::from);
        Ok(Given { cuda: Cuda::at(library), is_twin, library: folder })
    }

    pub fn trainer(&self, config: &Config, device: &str) -> Result<Trainer, Box<dyn Error>> {
        let mut registry = Registry::built_in().with_machine(Machine::default()).with_accelerator(self.cuda.clone());
        registry.register_env(|| Ok(screen()))?;
        let mut config = config.clone();
        config.train.device = device.into();
        Ok(registry.trainer(config)?)
    }

    /// The settings of a preset for images, with enough env steps for this many updates, which n-step returns delay a little.
    pub fn settings(&self, preset: &str, updates: u64) -> Vec<String> {
        let (steps, more) = match preset {
            "minatar-pqn" => (128 * updates.div_ceil(16), &IN_ROLLOUTS[..]),
            _ => (220 + updates, &REPLAYED[..]),
        };
        let mut settings: Vec<String> = PICTURES.iter().chain(more).map(ToString::to_string).collect();
        if preset == "minatar-dqn" {
            settings.push("target.every_updates=0".into());
        }
        settings.push(format!("train.env_steps={steps}"));
        settings
    }

    /// A preset for images, with this many updates.
    pub fn config(&self, preset: &str, updates: u64) -> Result<Config, Box<dyn Error>> {
        let mut layers = Layers::new().preset(preset)?;
        for setting in self.settings(preset, updates) {
            layers = layers.set(&setting)?;
        }
        Ok(layers.resolve()?)
    }

    /// How many updates a check makes.
    pub fn updates(&self) -> u64 {
        if self.is_twin { 8 } else { 2_000 }
    }

    /// `examples/program.rs`, to be run in `folder`, silent.
    ///
    /// # Errors
    /// If it was not built.
    pub fn program(&self, folder: &std::path::Path, arguments: &[&str]) -> Result<Command, Box<dyn Error>> {
        let program = std::env::current_exe()?.with_file_name("program");
        if !program.exists() {
            return Err("`cargo build --release -p requel-gpu --examples` makes the program that is run".into());
        }
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(library) = &self.library {
            command.env("LD_LIBRARY_PATH", library);
        }
        Ok(command)
    }
}

/// Trains for this many env steps.
pub fn advance(trainer: &mut Trainer, env_steps: u64) -> Result<(), Box<dyn Error>> {
    while trainer.env_steps() < env_steps {
        trainer.advance(&mut ())?;
    }
    Ok(())
}
