//! [`Replay`], an episode as shapes that a page can draw.

use requel_envs::{Color, Pixels, Point, Shape};
use serde::Serialize;
use serde_json::{Value, json};

use crate::show::Frame;

/// An episode as shapes that a page can draw.
#[derive(Debug, Serialize)]
pub struct Replay {
    /// What it is an example of.
    pub label: String,
    /// The seed that it starts from.
    pub seed: u64,
    /// The undiscounted sum of its rewards.
    #[serde(rename = "return")]
    pub episode_return: f64,
    /// Its length, env steps.
    pub steps: u32,
    /// Env steps per second at which it looks natural.
    fps: f32,
    /// Left, right, bottom, top, in environment units.
    view: [f32; 4],
    background: String,
    /// Per moment: the shapes that differ from the previous moment, with their indices.
    moments: Vec<Moment>,
}

#[derive(Debug, Serialize)]
struct Moment {
    /// The env step.
    t: u32,
    /// How many shapes there are.
    n: usize,
    /// Index and shape.
    s: Vec<(usize, Value)>,
    /// Value of each action.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    q: Vec<f32>,
    /// The action that is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<usize>,
}

/// The maximum number of moments in a replay; of longer episodes, every n-th step is kept.
pub const MOST_MOMENTS: usize = 1500;

impl Replay {
    /// The episode with these frames, which started from `seed`; `fps` is the environment's own speed.
    pub fn new(label: impl Into<String>, seed: u64, frames: &[Frame], fps: f32) -> Self {
        let step = frames.len().div_ceil(MOST_MOMENTS).max(1);
        let last = frames.len().saturating_sub(1);
        let kept = frames.iter().enumerate().filter(|(i, _)| i % step == 0 || *i == last).map(|(_, frame)| frame);
        let mut before: Vec<Shape> = Vec::new();
        let mut moments = Vec::new();
        for frame in kept {
            let shapes = without_images(&frame.scene.shapes);
            let changed = |(i, shape): &(usize, &Shape)| before.get(*i) != Some(*shape);
            let decision = frame.caption.decision.as_ref();
            moments.push(Moment {
                t: frame.caption.step,
                n: shapes.len(),
                s: shapes.iter().enumerate().filter(changed).map(|(i, shape)| (i, encode(shape))).collect(),
                q: decision.map_or_else(Vec::new, |d| d.q_values.iter().map(|q| short(*q)).collect()),
                a: decision.map(|d| d.action),
            });
            before = shapes;
        }
        let (scene, caption) = match (frames.first(), frames.last()) {
            (Some(first), Some(last)) => (&first.scene, &last.caption),
            _ => panic!("an episode has at least its start"),
        };
        let view = scene.view;
        Replay {
            label: label.into(),
            seed,
            episode_return: caption.episode_return,
            steps: caption.step,
            fps,
            view: [view.left, view.right, view.bottom, view.top],
            background: hex(scene.background),
            moments,
        }
    }
}

/// Tiles along each side of the mosaic that represents an image in a report: as pixels, thousands of moments would make a page of many
/// megabytes. Tiles have fixed positions, so that only those that changed are kept.
const TILES: u32 = 40;

/// The shapes, with each image as a mosaic.
fn without_images(shapes: &[Shape]) -> Vec<Shape> {
    let tiles = |shape: &Shape| match shape {
        Shape::Image { min, max, pixels } => mosaic(*min, *max, pixels),
        shape => vec![shape.clone()],
    };
    shapes.iter().flat_map(tiles).collect()
}

/// Rectangles that cover an image, each in the colour of the pixel at its centre.
fn mosaic((left, bottom): Point, (right, top): Point, pixels: &Pixels) -> Vec<Shape> {
    let (columns, rows) = (pixels.width.min(TILES), pixels.height.min(TILES));
    let tile = |row: u32, column: u32| {
        let across = |edge: u32| left + (right - left) * edge as f32 / columns as f32;
        let down = |edge: u32| top - (top - bottom) * edge as f32 / rows as f32;
        let middle = |tile: u32, tiles: u32, pixels: u32| (2 * tile + 1) * pixels / (2 * tiles);
        let color = pixels.color(middle(column, columns, pixels.width), middle(row, rows, pixels.height));
        Shape::Rectangle { min: (across(column), down(row + 1)), max: (across(column + 1), down(row)), color }
    };
    (0..rows).flat_map(|row| (0..columns).map(move |column| tile(row, column))).collect()
}

/// Kind, numbers, colour: `["c", x, y, radius, "#rrggbb"]`.
fn encode(shape: &Shape) -> Value {
    let at = |(x, y): Point| [short(x), short(y)];
    match shape {
        Shape::Rectangle { min, max, color } => {
            let ([left, bottom], [right, top]) = (at(*min), at(*max));
            json!(["r", left, bottom, right, top, hex(*color)])
        }
        Shape::Line { from, to, width, color } => {
            let ([x, y], [end_x, end_y]) = (at(*from), at(*to));
            json!(["l", x, y, end_x, end_y, short(*width), hex(*color)])
        }
        Shape::Circle { center, radius, color } => {
            let [x, y] = at(*center);
            json!(["c", x, y, short(*radius), hex(*color)])
        }
        Shape::Polygon { points, color } => {
            let points: Vec<f32> = points.iter().flat_map(|p| at(*p)).collect();
            json!(["p", points, hex(*color)])
        }
        Shape::Text { center, height, text, color } => {
            let [x, y] = at(*center);
            json!(["t", x, y, short(*height), text, hex(*color)])
        }
        Shape::Image { .. } => unreachable!("images have become mosaics"),
    }
}

/// Four decimals are more precise than any screen.
fn short(value: f32) -> f32 {
    (value * 1e4).round() / 1e4
}

fn hex(Color(r, g, b): Color) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use requel_envs::Scene;

    use super::*;
    use crate::show::sample;

    #[test]
    fn moments_hold_what_changed() {
        let frames: Vec<Frame> = (0..5).map(sample::frame).collect();
        let replay = Replay::new("best", 7, &frames, 50.0);
        assert_eq!((replay.moments.len(), replay.steps, replay.episode_return), (5, 4, 4.0));
        assert_eq!(replay.moments[0].s.len(), 5);
        // The track and the text stay; cart, pole and axle move.
        let moved: Vec<usize> = replay.moments[1].s.iter().map(|(i, _)| *i).collect();
        assert_eq!(moved, [1, 2, 3]);
        assert_eq!(replay.moments[1].s[2].1, json!(["c", -0.29f32, 0.4f32, 0.05f32, "#8184cb"]));
    }

    #[test]
    fn an_image_is_a_mosaic_of_which_the_tiles_are_kept_that_change() {
        let frame = |t: u32| {
            let mut rgb = vec![9; 3 * 80 * 20];
            // The pixel at the middle of the tile in the second row and the fourth column.
            rgb[3 * (80 + 7)] = t as u8;
            Frame { scene: Scene::of_pixels(Pixels { width: 80, height: 20, rgb }), ..sample::frame(t) }
        };
        let replay = Replay::new("best", 7, &[frame(0), frame(1)], 50.0);
        assert_eq!((replay.moments[0].n, replay.moments[0].s.len()), (40 * 20, 40 * 20));
        assert_eq!(replay.moments[1].s, [(43, json!(["r", 6.0f32, 18.0f32, 8.0f32, 19.0f32, "#010909"]))]);
    }

    #[test]
    fn long_episodes_keep_their_end() {
        let frames: Vec<Frame> = (0..3100).map(sample::frame).collect();
        let replay = Replay::new("best", 7, &frames, 50.0);
        assert!(replay.moments.len() <= MOST_MOMENTS + 1);
        assert_eq!(replay.moments.last().unwrap().t, 3099);
    }
}
