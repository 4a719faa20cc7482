//! [`Pass`]: what a pass through a network reads and writes, on the device and on the host.

use super::plan::{Affine, Kind, Plan, Stream};
use crate::DeviceError;
use crate::driver::{Layout, Numbers, OnDevice, OnHost, Program, Staged, Staging};

/// The maximum size of one array: the kernels count in 32 bits.
const MOST: usize = 1 << 31;

/// The sizes of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassSize {
    pub rows: usize,
    /// Fractions per row; 1 if the network reads none.
    pub fractions: usize,
    /// Whether observations are passed as bytes.
    pub is_bytes: bool,
    /// Whether there is a backward pass.
    pub learns: bool,
}

/// Where a pass reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub size: PassSize,
    pub input: Input,
    /// The input and each layer's outputs.
    pub values: Vec<Numbers>,
    /// Gradients of each layer's outputs before its activation; empty without a backward pass.
    pub d_values: Vec<Numbers>,
    /// What each layer keeps.
    pub kept: Vec<Kept>,
    pub noise: Option<Noise>,
    pub fractions: Option<Fractions>,
    /// Where the outputs are written on the host.
    pub outputs: Staged,
    /// Gradients of the outputs, on the host and on the device; empty without a backward pass.
    pub d_outputs: (Staged, Numbers),
}

/// Observations as provided.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    Bytes(Staged<u8>, Numbers<u8>),
    Numbers(Staged, Numbers),
}

/// Noise as provided and as used, and which noisy parts have any that is not 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    pub normals: Staged,
    pub scaled: (Staged, Numbers),
    pub is_drawn: (Staged<u32>, Numbers<u32>),
}

/// Fractions as provided, and their first cosines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fractions {
    pub fractions: Staged,
    pub cosines: (Staged<f64>, Numbers<f64>),
}

/// What a layer keeps from the forward pass for the backward pass.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Nothing,
    Affine(Drawn),
    LayerNorm { normal: Numbers, scales: Numbers },
    Dueling(Box<KeptDueling>),
    Embedding { cosines: Numbers, phi: Numbers, d_phi: Option<Numbers> },
}

/// The weight and bias that were drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    pub w: Numbers,
    pub b: Numbers,
}

/// Of a dueling head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptDueling {
    pub values: Numbers,
    pub streams: [KeptStream; 2],
    pub back: Option<DuelingBack>,
}

/// Of one stream of a dueling head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptStream {
    pub hidden: Option<Drawn>,
    pub output: Option<Drawn>,
    pub units: Option<Numbers>,
    pub d_units: Option<Numbers>,
}

/// What the backward pass through a dueling head writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DuelingBack {
    pub d_values: Numbers,
    pub d_advantages: Numbers,
    /// The second stream's contribution to the gradient of the input.
    pub more: Numbers,
}

/// Memory on the device and on the host that is being laid out.
pub(crate) struct Rooms<'a> {
    pub device: &'a mut Layout<OnDevice>,
    pub host: &'a mut Layout<OnHost>,
}

impl Pass {
    /// Lays out a pass.
    pub fn new(plan: &Plan, size: PassSize, rooms: &mut Rooms<'_>) -> Result<Pass, DeviceError> {
        let PassSize { rows, learns, .. } = size;
        let regions = plan.layers.len() + 1;
        let mut values = Vec::new();
        for region in 0..regions {
            values.push(rooms.numbers(plan.rows(region, size), plan.width(region), "a layer's outputs")?);
        }
        let mut d_values = Vec::new();
        for region in (1..regions).filter(|_| learns) {
            d_values.push(rooms.numbers(plan.rows(region, size), plan.width(region), "a layer's gradients")?);
        }
        let mut kept = Vec::new();
        for (index, layer) in plan.layers.iter().enumerate() {
            let (before, after) = (plan.rows(index, size), plan.rows(index + 1, size));
            kept.push(match &layer.kind {
                Kind::Affine(affine) => drawn(affine, rooms)?.map_or(Kept::Nothing, Kept::Affine),
                Kind::Conv2d { .. } => Kept::Nothing,
                Kind::LayerNorm { features, groups, .. } => Kept::LayerNorm {
                    normal: rooms.numbers(after, groups * features, "what is normalised")?,
                    scales: rooms.numbers(after, *groups, "groups")?,
                },
                Kind::Dueling { atoms, streams, .. } => Kept::Dueling(Box::new(KeptDueling {
                    values: rooms.numbers(after, *atoms, "values")?,
                    streams: [stream(&streams[0], size, after, rooms)?, stream(&streams[1], size, after, rooms)?],
                    back: if learns {
                        Some(DuelingBack {
                            d_values: rooms.numbers(after, *atoms, "values")?,
                            d_advantages: rooms.numbers(after, layer.outputs, "advantages")?,
                            more: rooms.numbers(before, plan.width(index), "a layer's gradients")?,
                        })
                    } else {
                        None
                    },
                })),
                Kind::Embedding { cosines, .. } => Kept::Embedding {
                    cosines: rooms.numbers(after, *cosines, "cosines")?,
                    phi: rooms.numbers(after, layer.outputs, "embeddings")?,
                    d_phi: if learns { Some(rooms.numbers(after, layer.outputs, "embeddings")?) } else { None },
                },
            });
        }
        let len = rows * plan.input_len;
        let input = if size.is_bytes {
            Input::Bytes(rooms.host.take(len), rooms.device.take(len))
        } else if plan.input_scale == 1.0 {
            Input::Numbers(rooms.host.take(len), values[0])
        } else {
            Input::Numbers(rooms.host.take(len), rooms.device.take(len))
        };
        let noise = (plan.noise > 0).then(|| Noise {
            normals: rooms.host.take(plan.noise),
            scaled: (rooms.host.take(plan.noise), rooms.device.take(plan.noise)),
            is_drawn: (rooms.host.take(plan.noisy_parts), rooms.device.take(plan.noisy_parts)),
        });
        let expanded = rows * size.fractions;
        let fractions = plan.embedding.map(|_| Fractions {
            fractions: rooms.host.take(expanded),
            cosines: (rooms.host.take(expanded), rooms.device.take(expanded)),
        });
        let outputs = rooms.host.take(values[regions - 1].len);
        let back = if learns { outputs.len } else { 0 };
        let d_outputs = (rooms.host.take(back), rooms.device.take(back));
        Ok(Pass { size, input, values, d_values, kept, noise, fractions, outputs, d_outputs })
    }

    /// Computes on the host what a pass needs from noise and fractions.
    pub fn prepare(&self, plan: &Plan, staging: &mut Staging) {
        if let Some(noise) = &self.noise {
            let [normals, scaled] = staging.get_disjoint([noise.normals, noise.scaled.0]);
            requel_nn::reference::scaled_noise(normals, scaled);
            for (index, part) in plan.noise_parts().into_iter().enumerate() {
                let is_drawn = staging.get(noise.scaled.0)[part.range()].iter().any(|e| *e != 0.0);
                staging.get_mut(noise.is_drawn.0)[index] = u32::from(is_drawn);
            }
        }
        if let Some(fractions) = &self.fractions {
            for i in 0..fractions.fractions.len {
                let fraction = f64::from(staging.get(fractions.fractions)[i]);
                staging.get_mut(fractions.cosines.0)[i] = libm::cos(std::f64::consts::PI * fraction);
            }
        }
    }

    /// Copies what [`Pass::prepare`] computed, and the input, to the device.
    pub fn upload(&self, plan: &Plan, program: &mut Program) {
        match self.input {
            Input::Bytes(from, to) => {
                program.upload(from, to);
                program.scale_bytes(to, plan.input_scale, self.values[0]);
            }
            Input::Numbers(from, to) => {
                program.upload(from, to);
                if plan.input_scale != 1.0 {
                    program.scale_numbers(to, plan.input_scale, self.values[0]);
                }
            }
        }
        if let Some(noise) = &self.noise {
            program.upload(noise.scaled.0, noise.scaled.1);
            program.upload(noise.is_drawn.0, noise.is_drawn.1);
        }
        if let Some(fractions) = &self.fractions {
            program.upload(fractions.cosines.0, fractions.cosines.1);
        }
    }
}

impl Plan {
    /// Rows of the input (0) or of a layer's outputs: beyond the embedding there is one per fraction.
    pub fn rows(&self, region: usize, size: PassSize) -> usize {
        if self.embedding.is_some_and(|index| region > index) { size.rows * size.fractions } else { size.rows }
    }
}

impl Rooms<'_> {
    /// Rows of this many numbers on the device.
    fn numbers(&mut self, rows: usize, width: usize, what: &'static str) -> Result<Numbers, DeviceError> {
        Ok(self.device.take(checked(rows, width, what)?))
    }
}

/// The total numbers in this many rows, if the kernels can count them.
pub(crate) fn checked(rows: usize, width: usize, what: &'static str) -> Result<usize, DeviceError> {
    let count = rows.saturating_mul(width);
    if count < MOST { Ok(count) } else { Err(DeviceError::TooLarge { what, count, most: MOST }) }
}

fn drawn(affine: &Affine, rooms: &mut Rooms<'_>) -> Result<Option<Drawn>, DeviceError> {
    if affine.noisy.is_none() {
        return Ok(None);
    }
    let w = rooms.numbers(affine.inputs, affine.outputs, "a layer's weight")?;
    Ok(Some(Drawn { w, b: rooms.numbers(1, affine.outputs, "a layer's bias")? }))
}

fn stream(of: &Stream, size: PassSize, rows: usize, rooms: &mut Rooms<'_>) -> Result<KeptStream, DeviceError> {
    let hidden = match &of.hidden {
        Some((hidden, _)) => drawn(hidden, rooms)?,
        None => None,
    };
    let output = drawn(&of.output, rooms)?;
    let (mut units, mut d_units) = (None, None);
    if let Some((hidden, _)) = &of.hidden {
        units = Some(rooms.numbers(rows, hidden.outputs, "hidden units")?);
        if size.learns {
            d_units = Some(rooms.numbers(rows, hidden.outputs, "hidden units")?);
        }
    }
    Ok(KeptStream { hidden, output, units, d_units })
}
