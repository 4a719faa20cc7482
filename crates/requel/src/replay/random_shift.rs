//! [`RandomShift`], which shifts images and changes their brightness at random (Yarats, Kostrikov & Fergus 2021).

use requel_envs::{DType, Space};

use super::{Augmentation, ReplayError};
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::transition::ObservationsMut;

/// How far images are shifted and how much their brightness changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShiftSpec {
    /// The image is shifted by up to this many pixels in each direction; its edge is repeated to fill the gap. Yarats et al. use 4.
    pub pixels: u32,
    /// All values of an image are multiplied by 1 + s·n, where n is drawn from a standard normal distribution and clipped to ±2; 0:
    /// unchanged. Dopamine's DrQ (Agarwal et al. 2021) uses 0.05 for Atari.
    pub intensity: f32,
}

/// Shifts each image of a batch by a random number of rows and columns, and changes its brightness if requested: an observation and the
/// next one each with their own draw, all channels of an image alike. It is the data augmentation of DrQ (Yarats, Kostrikov & Fergus 2021)
/// with one image for each (their K and M are 1).
///
/// Bytes stay bytes: values are rounded, and none exceeds 255.
pub struct RandomShift {
    spec: ShiftSpec,
    image: Image,
    rng: StreamRng,
    /// An image as it was stored.
    stored: Picture,
}

/// The counter of the draws.
const POSITION: &str = "replay/augmentation_position";

/// The sizes of an image, whose numbers are in the order height, width, channel.
#[derive(Clone, Copy)]
struct Image {
    height: usize,
    width: usize,
    channels: usize,
}

/// Room for one image: all images of a batch have the same shape.
#[derive(Default)]
struct Picture {
    bytes: Vec<u8>,
    numbers: Vec<f32>,
}

/// How one image is changed.
struct Change {
    /// The row and the column of the first pixel, counted in the image with its repeated edges.
    first: [u32; 2],
    /// The new value of each byte; `None`: unchanged.
    values: Option<[u8; 256]>,
}

impl RandomShift {
    /// For observations in a space. With the same seed, a run's images are changed in the same way, whatever else it draws.
    ///
    /// # Errors
    /// [`ReplayError::NoPictures`] if the observations are not bytes with a height and a width.
    pub fn new(observations: &Space, spec: ShiftSpec, seed: u64) -> Result<Self, ReplayError> {
        let image = Image::of(observations)?;
        let rng = StreamRng::new(seed, Stream::Augmentation);
        Ok(RandomShift { spec, image, rng, stored: Picture::default() })
    }

    /// Changes all images of a batch, row by row: the observation, then the next one.
    fn change<T: Copy>(
        &mut self,
        (observations, next_observations): (&mut [T], &mut [T]),
        stored: &mut Vec<T>,
        value: impl Fn(&[u8; 256], T) -> T,
    ) {
        let (image, pixels) = (self.image, self.spec.pixels);
        let next = next_observations.chunks_exact_mut(image.len());
        for (observation, next) in observations.chunks_exact_mut(image.len()).zip(next) {
            for (picture, change) in [observation, next].into_iter().zip(self.draw()) {
                image.shift(picture, change.first, pixels, stored);
                if let Some(values) = change.values {
                    picture.iter_mut().for_each(|number| *number = value(&values, *number));
                }
            }
        }
    }

    /// How an observation and the next one are changed.
    fn draw(&mut self) -> [Change; 2] {
        let ShiftSpec { pixels, intensity } = self.spec;
        let mut first = || [0; 2].map(|_: u32| self.rng.below(2 * pixels + 1));
        let firsts = [first(), first()];
        let mut normals = [0.0; 2];
        if intensity > 0.0 {
            self.rng.fill_normal(&mut normals);
        }
        [0, 1].map(|which| {
            let factor = 1.0 + intensity * normals[which].clamp(-2.0, 2.0);
            let value = |byte: usize| (byte as f32 * factor).round() as u8;
            Change { first: firsts[which], values: (intensity > 0.0).then(|| std::array::from_fn(value)) }
        })
    }
}

impl Augmentation for RandomShift {
    fn augment(&mut self, observations: &mut ObservationsMut<'_>) {
        match observations {
            ObservationsMut::U8 { observations, next_observations } => {
                let mut stored = std::mem::take(&mut self.stored.bytes);
                self.change((observations, next_observations), &mut stored, |values, byte| values[usize::from(byte)]);
                self.stored.bytes = stored;
            }
            ObservationsMut::F32 { observations, next_observations } => {
                let mut stored = std::mem::take(&mut self.stored.numbers);
                let value = |values: &[u8; 256], number: f32| f32::from(values[usize::from(number as u8)]);
                self.change((observations, next_observations), &mut stored, value);
                self.stored.numbers = stored;
            }
        }
    }

    fn save(&self, state: &mut State<'_>) {
        state.put(POSITION, self.rng.position());
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        self.rng.set_position(state.read(POSITION)?);
        Ok(())
    }
}

impl Image {
    fn of(observations: &Space) -> Result<Self, ReplayError> {
        let sizes = match observations {
            Space::Box { shape, dtype: DType::U8 | DType::Bool, .. } if !observations.is_empty() => match shape[..] {
                [height, width] => Some((height, width, 1)),
                [height, width, channels] => Some((height, width, channels)),
                _ => None,
            },
            _ => None,
        };
        let (height, width, channels) =
            sizes.ok_or_else(|| ReplayError::NoPictures { found: described(observations) })?;
        Ok(Image { height, width, channels })
    }

    fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Shifts an image, so that it starts at row and column `first` of the image extended by `pixels` pixels of repeated edge.
    fn shift<T: Copy>(&self, picture: &mut [T], first: [u32; 2], pixels: u32, stored: &mut Vec<T>) {
        stored.clear();
        stored.extend_from_slice(picture);
        let [down, right] = first.map(|first| i64::from(first) - i64::from(pixels));
        let (line, pixel) = (self.width * self.channels, self.channels);
        let last = self.width - 1;
        // Columns that repeat the first one, and the columns before the last one.
        let left = usize::try_from(-right).unwrap_or(0).min(self.width);
        let skipped = usize::try_from(right).unwrap_or(0).min(last);
        let middle = self.width - left.max(skipped);
        for (row, shown) in picture.chunks_exact_mut(line).enumerate() {
            let from = (row as i64 + down).clamp(0, self.height as i64 - 1) as usize;
            let from = &stored[from * line..][..line];
            let (edge, rest) = shown.split_at_mut(left * pixel);
            edge.chunks_exact_mut(pixel).for_each(|shown| shown.copy_from_slice(&from[..pixel]));
            let (seen, edge) = rest.split_at_mut(middle * pixel);
            seen.copy_from_slice(&from[skipped * pixel..][..seen.len()]);
            edge.chunks_exact_mut(pixel).for_each(|shown| shown.copy_from_slice(&from[last * pixel..]));
        }
    }
}

/// What observations are instead of images.
fn described(observations: &Space) -> String {
    match observations {
        Space::Discrete { .. } | Space::MultiDiscrete { .. } => "whole numbers without a shape".into(),
        Space::Box { shape, dtype, .. } => format!("{dtype:?} of the shape {shape:?}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pictures(shape: &[usize]) -> Space {
        let len = shape.iter().product();
        Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape: shape.to_vec(), dtype: DType::U8 }
    }

    /// The obvious way: a larger picture with its edges repeated, of which a part is cut out, pixel by pixel.
    fn padded_and_cropped(
        picture: &[u8],
        [height, width, channels]: [usize; 3],
        pad: usize,
        [y, x]: [u32; 2],
    ) -> Vec<u8> {
        let at = |row: usize, column: usize, channel: usize| picture[(row * width + column) * channels + channel];
        let mut padded = Vec::new();
        for row in 0..height + 2 * pad {
            for column in 0..width + 2 * pad {
                let (row, column) =
                    (row.saturating_sub(pad).min(height - 1), column.saturating_sub(pad).min(width - 1));
                padded.extend((0..channels).map(|channel| at(row, column, channel)));
            }
        }
        let mut cropped = Vec::new();
        for row in y as usize..y as usize + height {
            for column in x as usize..x as usize + width {
                let from = (row * (width + 2 * pad) + column) * channels;
                cropped.extend_from_slice(&padded[from..from + channels]);
            }
        }
        cropped
    }

    /// The draws in the order in which they are documented to come, and what they do to a picture.
    fn expected(rng: &mut StreamRng, pair: [&[u8]; 2], sizes: [usize; 3], spec: ShiftSpec) -> [Vec<u8>; 2] {
        let mut first = || [rng.below(2 * spec.pixels + 1), rng.below(2 * spec.pixels + 1)];
        let firsts = [first(), first()];
        let mut normals = [0.0f32; 2];
        if spec.intensity > 0.0 {
            rng.fill_normal(&mut normals);
        }
        [0, 1].map(|which| {
            let factor = 1.0 + spec.intensity * normals[which].clamp(-2.0, 2.0);
            let cropped = padded_and_cropped(pair[which], sizes, spec.pixels as usize, firsts[which]);
            let brighter = |byte: u8| (f32::from(byte) * factor).round().min(255.0) as u8;
            cropped.into_iter().map(|byte| if spec.intensity > 0.0 { brighter(byte) } else { byte }).collect()
        })
    }

    fn spec() -> impl Strategy<Value = ShiftSpec> {
        (0u32..6, prop_oneof![Just(0.0f32), Just(0.05), Just(0.5)])
            .prop_map(|(pixels, intensity)| ShiftSpec { pixels, intensity })
    }

    proptest! {
        #[test]
        fn pictures_are_those_of_padding_and_cropping(
            sizes in [1usize..9, 1usize..9, 1usize..4],
            spec in spec(),
            rows in 1usize..5,
            bytes in proptest::collection::vec(any::<u8>(), 2 * 4 * 8 * 8 * 3),
            seed in any::<u64>(),
        ) {
            let len = sizes.iter().product::<usize>();
            let (mut observations, mut next_observations) = (bytes[..rows * len].to_vec(), bytes[rows * len..][..rows * len].to_vec());
            let mut rng = StreamRng::new(seed, Stream::Augmentation);
            let (mut wanted, mut wanted_next) = (vec![], vec![]);
            for (observation, next) in observations.chunks(len).zip(next_observations.chunks(len)) {
                let [observation, next] = expected(&mut rng, [observation, next], sizes, spec);
                wanted.extend(observation);
                wanted_next.extend(next);
            }
            let numbers = |bytes: &[u8]| bytes.iter().copied().map(f32::from).collect::<Vec<f32>>();
            let (mut in_numbers, mut next_in_numbers) = (numbers(&observations), numbers(&next_observations));

            let mut shift = RandomShift::new(&pictures(&sizes), spec, seed).unwrap();
            shift.augment(&mut ObservationsMut::U8 { observations: &mut observations, next_observations: &mut next_observations });
            prop_assert_eq!((&observations, &next_observations), (&wanted, &wanted_next));
            prop_assert_eq!(shift.rng.position(), rng.position());

            let mut shift = RandomShift::new(&pictures(&sizes), spec, seed).unwrap();
            shift.augment(&mut ObservationsMut::F32 { observations: &mut in_numbers, next_observations: &mut next_in_numbers });
            prop_assert_eq!((in_numbers, next_in_numbers), (numbers(&wanted), numbers(&wanted_next)));
        }
    }

    #[test]
    fn a_picture_is_moved_by_hand() {
        let image = Image { height: 2, width: 3, channels: 1 };
        let moved = |first, pixels| {
            let mut picture = [1, 2, 3, 4, 5, 6];
            image.shift(&mut picture, first, pixels, &mut Vec::new());
            picture
        };
        assert_eq!(moved([2, 2], 2), [1, 2, 3, 4, 5, 6]);
        assert_eq!(moved([1, 1], 2), [1, 1, 2, 1, 1, 2]);
        assert_eq!(moved([3, 3], 2), [5, 6, 6, 5, 6, 6]);
        assert_eq!(moved([9, 0], 9), [1, 1, 1, 4, 4, 4]);
        assert_eq!(moved([0, 18], 9), [3, 3, 3, 3, 3, 3]);
    }

    #[test]
    fn draws_go_on_where_they_were_saved() {
        let make = || RandomShift::new(&pictures(&[5, 4, 2]), ShiftSpec { pixels: 4, intensity: 0.05 }, 3).unwrap();
        let changed = |shift: &mut RandomShift| {
            let mut observations: Vec<u8> = (0..80).collect();
            let mut next_observations = observations.clone();
            shift.augment(&mut ObservationsMut::U8 {
                observations: &mut observations,
                next_observations: &mut next_observations,
            });
            (observations, next_observations)
        };
        let (mut first, mut second) = (make(), make());
        let begun = changed(&mut first);
        let mut state = State::default();
        first.save(&mut state);
        second.restore(&state).unwrap();
        let next = changed(&mut first);
        assert_eq!(changed(&mut second), next);
        assert_ne!(begun, next);
        assert_ne!(next.0, next.1, "an observation and the next one have draws of their own");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let numbers = |shape: &[usize], dtype| {
            let len = shape.iter().product();
            Space::Box { low: vec![0.0; len], high: vec![1.0; len], shape: shape.to_vec(), dtype }
        };
        let refused = [
            (numbers(&[4], DType::F32), "F32 of the shape [4]"),
            (numbers(&[8, 8], DType::F32), "F32 of the shape [8, 8]"),
            (numbers(&[64], DType::U8), "U8 of the shape [64]"),
            (Space::Discrete { n: 3 }, "whole numbers without a shape"),
        ];
        let spec = ShiftSpec { pixels: 4, intensity: 0.0 };
        for (space, found) in refused {
            let error = RandomShift::new(&space, spec, 0).err().unwrap().to_string();
            assert!(error.contains(found), "{error}");
        }
        assert!(RandomShift::new(&numbers(&[10, 10, 4], DType::Bool), spec, 0).is_ok());
    }
}
