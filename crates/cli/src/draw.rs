//! Environments in pixels and in characters, for programs that show them themselves.

use requel_envs::{Pixels, Scene};

use crate::show::{Ability, ColorDepth, Grid, raster, terminal};

/// The scene in pixels: `width` of them per row; the height follows from the scene's proportions.
///
/// ```
/// use requel_envs::{Env, make};
///
/// let mut env = make("CartPole-v1")?;
/// env.reset(Some(0), &mut [0.0; 4])?;
/// let pixels = requel_cli::draw::pixels(&env.scene().unwrap(), 600);
/// assert_eq!(pixels.width, 600);
/// assert_eq!(pixels.rgb.len(), 3 * 600 * pixels.height as usize);
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
pub fn pixels(scene: &Scene, width: u32) -> Pixels {
    let width = width.clamp(1, WIDEST);
    let height = raster::height_of(&scene.view, width).min(WIDEST);
    let painted = raster::scene_in(scene, width, height);
    // Scenes are painted on an opaque background: alpha need not be multiplied out.
    let rgb = painted.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    Pixels { width: painted.width(), height: painted.height(), rgb }
}

/// The maximum length of a picture's side, in pixels.
const WIDEST: u32 = 8192;

/// The scene in at most `columns` × `rows` character cells with 24-bit colours, as text with ANSI escape sequences; each line ends with a
/// newline.
pub fn text(scene: &Scene, size: (usize, usize)) -> String {
    text_for(scene, size, Ability { color: ColorDepth::True, unicode: true })
}

/// The same for the terminal of this process, whose abilities come from `NO_COLOR`, `COLORTERM`, `TERM` and the locale.
pub fn terminal_text(scene: &Scene, size: (usize, usize)) -> String {
    text_for(scene, size, Ability::detect())
}

fn text_for(scene: &Scene, size: (usize, usize), ability: Ability) -> String {
    terminal::text(&Grid::of_scene(scene, size, ability), ability.color)
}

#[cfg(test)]
mod tests {
    use requel_envs::Color;

    use super::*;

    fn scene() -> Scene {
        let rgb = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 8, 7]].concat();
        Scene::of_pixels(Pixels { width: 2, height: 2, rgb })
    }

    #[test]
    fn pixels_are_those_of_the_scene_row_by_row_from_the_top() {
        let pixels = pixels(&scene(), 4);
        assert_eq!((pixels.width, pixels.height), (4, 4));
        let corners = [(0, 0), (3, 0), (0, 3), (3, 3)].map(|(column, row)| pixels.color(column, row));
        assert_eq!(corners, [Color(255, 0, 0), Color(0, 255, 0), Color(0, 0, 255), Color(9, 8, 7)]);
    }

    #[test]
    fn text_has_the_colours_of_the_scene_and_ends_each_line_without_them() {
        let text = text(&scene(), (2, 1));
        assert_eq!(text.lines().count(), 1);
        for part in ["38;2;255;0;0", "48;2;0;0;255", "38;2;0;255;0", "48;2;9;8;7", "▀"] {
            assert!(text.contains(part), "{text:?}");
        }
        assert!(text.ends_with("\u{1b}[0m\n"), "{text:?}");
        let plain = text_for(&scene(), (8, 4), Ability { color: ColorDepth::Mono, unicode: false });
        assert!(plain.lines().count() > 1 && plain.is_ascii() && !plain.contains('\u{1b}'), "{plain:?}");
    }
}
