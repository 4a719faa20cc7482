//! [`GpuNetworks`]: `requel`'s networks on a device.

use std::sync::OnceLock;

use requel::StreamRng;
use requel::agent::{
    AgentError, DeviceFault, Inputs, LearningFault, Lists, Look, LookRooms, LookSize, Networks, NetworksPlan,
    OptimizerLists, Reader, Step, StepHow, dormant_share,
};
use requel::state::StateError;
use requel::{ElementType, agent};
use requel_nn::{Chosen, Network, distance, global_norm};

use crate::{Card, DeviceError, DeviceNetworks, Launching, NetworksSpec, Numbers};

/// Networks on a device, in the form that `requel`'s executor uses.
#[derive(Debug)]
pub struct GpuNetworks {
    device: DeviceNetworks,
    /// The index of each kind of pass among those of the device.
    places: [Option<usize>; 3],
    observations: ElementType,
    has_target: bool,
    is_clipped: bool,
    learning_rate: f64,
    buffers: &'static [&'static str],
    reader: Box<dyn Reader>,
    /// The noise for acting, and the values of the actions.
    noise: Vec<f32>,
    q: Vec<f32>,
    actions: usize,
    /// One number per unit of the widest layer.
    room: Vec<f64>,
    /// Data of the device, copied to the host on request and kept until it changes.
    mirror: OnceLock<Mirror>,
}

/// Copies on the host of lists on the device.
#[derive(Debug)]
struct Mirror {
    online: Vec<f32>,
    target: Option<Vec<f32>>,
    buffers: Vec<Vec<f32>>,
}

impl GpuNetworks {
    /// Creates what a plan needs, on a card.
    ///
    /// # Errors
    /// [`AgentError::Device`] if the card cannot be used, or if outputs cannot be read as the plan says.
    pub fn new(card: &Card, plan: NetworksPlan, launching: Launching) -> Result<Self, AgentError> {
        let NetworksPlan { values, network, parameters, .. } = plan;
        let atoms = values.head.atoms();
        let actions = network.output_len() / atoms.max(1);
        let (mut looks, mut places) = (Vec::new(), [None; 3]);
        let by_target = |is_by| if is_by { Numbers::Target } else { Numbers::Online };
        let look = |size: LookSize, by| crate::Look { by, rows: size.rows, fractions: size.fractions };
        let selector_by = by_target(plan.target_selects);
        let wanted = [(plan.online, Numbers::Online), (plan.target, Numbers::Target), (plan.selector, selector_by)];
        for (place, (size, by)) in places.iter_mut().zip(wanted) {
            if size.rows > 0 {
                *place = Some(looks.len());
                looks.push(look(size, by));
            }
        }
        let has_target = plan.target.rows > 0;
        let spec = NetworksSpec {
            optimizer: plan.optimizer,
            max_gradient_norm: plan.max_gradient_norm,
            looks,
            rows_back: plan.rows_back,
            acting: (plan.envs, values.head.acting_fractions()),
            is_bytes: plan.observations == ElementType::U8,
            has_target,
            launching,
        };
        let kernel = network.kernel();
        let units = network.activated_layers().map(|(_, units)| units).max().unwrap_or(0);
        let noise = vec![0.0; network.noise_len()];
        let device = DeviceNetworks::new(card, network, &spec).map_err(fault)?;
        let mut networks = GpuNetworks {
            device,
            places,
            observations: plan.observations,
            has_target,
            is_clipped: plan.max_gradient_norm > 0.0,
            learning_rate: plan.optimizer.learning_rate(),
            buffers: plan.optimizer.buffer_names(),
            reader: values.head.reader(plan.envs, actions, kernel).map_err(agent::PolicyError::from)?,
            noise,
            q: vec![0.0; plan.envs * actions],
            actions,
            room: vec![0.0; units],
            mirror: OnceLock::new(),
        };
        networks.write(Numbers::Online, &parameters)?;
        if has_target {
            networks.write(Numbers::Target, &parameters)?;
        }
        Ok(networks)
    }

    /// The networks on the device.
    pub fn device(&self) -> &DeviceNetworks {
        &self.device
    }

    fn place(&self, look: Look) -> Option<usize> {
        self.places[match look {
            Look::Online => 0,
            Look::Target => 1,
            Look::Selector => 2,
        }]
    }

    fn write(&mut self, what: Numbers, from: &[f32]) -> Result<(), AgentError> {
        self.mirror.take();
        self.device.write(what, from).map_err(fault)
    }

    fn read(&self, what: Numbers) -> Result<Vec<f32>, AgentError> {
        let mut list = vec![0.0; self.device.network().parameter_count()];
        self.device.read(what, &mut list).map_err(fault)?;
        Ok(list)
    }

    fn mirror(&self) -> Result<&Mirror, AgentError> {
        if let Some(mirror) = self.mirror.get() {
            return Ok(mirror);
        }
        let online = self.read(Numbers::Online)?;
        let target = self.has_target.then(|| self.read(Numbers::Target)).transpose()?;
        let buffers = (0..self.buffers.len()).map(|place| self.read(Numbers::Buffer(place)));
        let mirror = Mirror { online, target, buffers: buffers.collect::<Result<_, _>>()? };
        Ok(self.mirror.get_or_init(|| mirror))
    }

    /// The relative change of the weights in the step, and the fraction of dormant units measured before it.
    fn measure(&mut self, before: &[f32]) -> Result<(Option<f64>, Option<f64>), AgentError> {
        let after = self.read(Numbers::Online)?;
        let weights = global_norm(before);
        let moved = (weights > 0.0).then(|| distance(&after, before) / weights);
        let mut layers = Vec::new();
        for (layer, units) in self.device.network().activated_layers() {
            layers.push((self.device.activations(layer).map_err(fault)?, units));
        }
        let layers = layers.iter().map(|(activations, units)| (&activations[..], *units));
        Ok((moved, dormant_share(layers, &mut self.room)))
    }

    /// The first gradient that is not finite, or the first parameter.
    fn learning_fault(&self) -> Result<LearningFault, AgentError> {
        for (site, what) in [("gradient", Numbers::Gradients), ("weight", Numbers::Online)] {
            if let Some(value) = self.read(what)?.into_iter().find(|value| !value.is_finite()) {
                return Ok(LearningFault { site, value });
            }
        }
        unreachable!("the device found a parameter that is not finite")
    }
}

impl Networks for GpuNetworks {
    fn network(&self) -> &Network {
        self.device.network()
    }

    fn inputs_mut(&mut self) -> Inputs<'_> {
        let places = self.places;
        match self.observations {
            ElementType::F32 => Inputs::F32(rooms(places, self.device.inputs_mut())),
            ElementType::U8 => Inputs::U8(rooms(places, self.device.inputs_of_bytes_mut())),
        }
    }

    fn noise_mut(&mut self, look: Look) -> &mut [f32] {
        self.place(look).map_or(&mut [], |place| self.device.noise_mut(place))
    }

    fn fractions_mut(&mut self, look: Look) -> &mut [f32] {
        self.place(look).map_or(&mut [], |place| self.device.fractions_mut(place))
    }

    fn look(&mut self, _: Option<Chosen<'_>>) -> Result<(), AgentError> {
        self.device.look().map_err(fault)
    }

    fn outputs(&self, look: Look) -> &[f32] {
        self.place(look).map_or(&[], |place| self.device.outputs(place))
    }

    fn step(&mut self, d_outputs: &[f32], _: Option<Chosen<'_>>, how: &StepHow) -> Result<Step, AgentError> {
        self.mirror.take();
        let before = if how.measures { self.read(Numbers::Online)? } else { Vec::new() };
        self.learning_rate = how.learning_rate.unwrap_or(self.learning_rate);
        self.device.d_outputs_mut().copy_from_slice(d_outputs);
        let made = self.device.step(self.learning_rate).map_err(fault)?;
        let mut step = Step::default();
        if self.is_clipped {
            // Rounded, like the CPU's.
            step.gradient_norm = Some(f64::from(made.gradient_norm as f32));
        } else if how.measures {
            step.gradient_norm = Some(made.gradient_norm);
        }
        if how.measures {
            (step.update_to_weight, step.dormant_share) = self.measure(&before)?;
        }
        if made.is_broken { Err(self.learning_fault()?.into()) } else { Ok(step) }
    }

    fn follow(&mut self, tau: Option<f32>) -> Result<(), AgentError> {
        self.mirror.take();
        self.device.follow(tau).map_err(fault)
    }

    fn values(&mut self, observations: &[f32], noise: &mut StreamRng) -> Result<&[f32], AgentError> {
        noise.fill_normal(&mut self.noise);
        let rows = observations.len() / self.device.network().input_len();
        let outputs = self.device.act(observations, &self.noise).map_err(fault)?;
        let q = &mut self.q[..rows * self.actions];
        if rows > 0 {
            self.reader.q_values(outputs, q);
        }
        Ok(q)
    }

    fn lists(&self) -> Result<Lists<'_>, AgentError> {
        let mirror = self.mirror()?;
        let averages = self.buffers.iter().zip(&mirror.buffers).map(|(name, list)| (*name, &list[..])).collect();
        Ok(Lists {
            online: Some(&mirror.online),
            target: mirror.target.as_deref(),
            optimizer: Some(OptimizerLists { steps: self.device.steps(), averages }),
        })
    }

    fn set_lists(&mut self, lists: &Lists<'_>) -> Result<(), StateError> {
        let refused = |error: AgentError| StateError::new("network", error.to_string());
        if let Some(online) = lists.online {
            self.write(Numbers::Online, online).map_err(refused)?;
        }
        if let Some(target) = lists.target.filter(|_| self.has_target) {
            self.write(Numbers::Target, target).map_err(refused)?;
        }
        if let Some(OptimizerLists { steps, averages }) = &lists.optimizer {
            for (place, own) in self.buffers.iter().enumerate() {
                let (_, list) = averages.iter().find(|(name, _)| name == own).ok_or_else(|| {
                    StateError::new("optimizer/steps", format!("has no average `{own}`: another optimizer saved it"))
                })?;
                self.write(Numbers::Buffer(place), list).map_err(refused)?;
            }
            self.device.set_steps(*steps);
        }
        Ok(())
    }
}

/// The sizes of the existing passes, in the order of their kinds.
fn rooms<T>(places: [Option<usize>; 3], rooms: [Option<&mut [T]>; 3]) -> LookRooms<'_, T> {
    let mut rooms = rooms.into_iter().flatten();
    let mut of = |place: Option<usize>| place.and_then(|_| rooms.next());
    let [online, target, selector] = places.map(&mut of);
    LookRooms { online: online.unwrap_or_default(), target, selector }
}

/// The error that `requel` reports if a device fails.
pub(crate) fn fault(error: DeviceError) -> AgentError {
    let reason = error.to_string();
    AgentError::Device(if matches!(error, DeviceError::Lost { .. }) {
        DeviceFault::Lost { reason }
    } else {
        DeviceFault::Unusable { reason }
    })
}
