//! A sheet with a picture of every environment, `docs/images/environments.png`, which is compared with what is drawn now.

use std::collections::BTreeMap;
use std::path::PathBuf;

use requel_envs::{Action, Env, Space, SpaceSampler, make, specs};
use tiny_skia::{Pixmap, PixmapPaint, Transform};

use super::font::Align;
use super::palette::Theme;
use super::{png, raster};

/// Environments side by side on the sheet.
const COLUMNS: usize = 5;

/// The size of an environment's place on the sheet in pixels, including the line with its name.
const CELL: (u32, u32) = (240, 190);

/// The maximum size of an environment's picture there, pixels.
const PICTURE: (u32, u32) = (224, 150);

/// Number of steps before the picture is taken, unless the episode ends earlier: enough for things to come into view.
const STEPS: usize = 40;

/// The fraction of pixels that may differ by more than [`LEAST_DIFFERENCE`] with other register widths or libraries.
const MOST_DIFFERENT: f64 = 0.001;
const LEAST_DIFFERENCE: u8 = 8;

#[test]
fn every_environment_looks_as_on_the_sheet() {
    let sheet = sheet();
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images/environments.png"));
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        png::write(&sheet, std::fs::File::create(&path).unwrap()).unwrap();
    }
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let mut reader = ::png::Decoder::new(file).read_info().unwrap();
    let mut kept = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut kept).unwrap();
    assert_eq!(
        (info.width, info.height),
        (sheet.width(), sheet.height()),
        "run with UPDATE_PICTURES=1, and look at it"
    );
    let drawn = sheet.data().chunks_exact(4);
    let differ = drawn
        .zip(kept.chunks_exact(3))
        .filter(|(drawn, kept)| drawn.iter().zip(*kept).any(|(drawn, kept)| drawn.abs_diff(*kept) > LEAST_DIFFERENCE));
    let part = differ.count() as f64 / f64::from(sheet.width() * sheet.height());
    assert!(part <= MOST_DIFFERENT, "{part} of the sheet differs: run with UPDATE_PICTURES=1, and look at it");
}

#[test]
fn every_environment_shows_something() {
    for spec in specs() {
        let pixels = scene_of(&spec.id);
        let mut colors: BTreeMap<[u8; 3], usize> = BTreeMap::new();
        for pixel in pixels.data().chunks_exact(4) {
            *colors.entry([pixel[0], pixel[1], pixel[2]]).or_default() += 1;
        }
        // An object that a person can see, such as a car or a pole, has dozens of pixels of one colour.
        let seen = colors.values().filter(|&&count| count >= 40).count();
        assert!(seen >= 3, "{}: only {seen} colours cover more than a speck", spec.id);
    }
}

fn sheet() -> Pixmap {
    let specs = specs();
    let rows = specs.len().div_ceil(COLUMNS) as u32;
    let theme = Theme::beside(requel_envs::Color(255, 255, 255));
    let mut sheet = raster::blank(COLUMNS as u32 * CELL.0, rows * CELL.1, theme.strip);
    for (index, spec) in specs.iter().enumerate() {
        let scene = scene_of(&spec.id);
        let (column, row) = ((index % COLUMNS) as u32, (index / COLUMNS) as u32);
        let left = column * CELL.0 + (CELL.0 - scene.width()) / 2;
        let top = row * CELL.1 + 8 + (PICTURE.1 - scene.height()) / 2;
        let (left, top) = (left as i32, top as i32);
        sheet.draw_pixmap(left, top, scene.as_ref(), &PixmapPaint::default(), Transform::identity(), None);
        let middle = (column as f32 + 0.5) * CELL.0 as f32;
        let baseline = ((row + 1) * CELL.1) as f32 - 14.0;
        raster::write(&mut sheet, &spec.id, 9.0, (middle, baseline), (Align::Center, theme.ink));
    }
    sheet
}

/// An environment after some random steps, as large as fits on the sheet.
fn scene_of(id: &str) -> Pixmap {
    let mut env = make(id).unwrap();
    let mut actions = SpaceSampler::new(env.action_space(), 1).unwrap();
    let mut observation = vec![0.0; env.observation_len()];
    env.reset(Some(1), &mut observation).unwrap();
    for _ in 0..STEPS {
        let torque;
        let action = match env.action_space() {
            Space::Discrete { .. } => actions.discrete().into(),
            _ => {
                torque = [1.5];
                Action::Continuous(&torque)
            }
        };
        if env.step(action, &mut observation).unwrap().ended() {
            break;
        }
    }
    let scene = env.scene().expect("every environment of requel has a scene");
    let height = raster::height_of(&scene.view, PICTURE.0);
    let (width, height) = match height > PICTURE.1 {
        true => ((PICTURE.0 * PICTURE.1).div_ceil(height), PICTURE.1),
        false => (PICTURE.0, height),
    };
    raster::scene_in(&scene, width, height)
}
