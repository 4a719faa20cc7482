//! Frames for testing pictures: a cart with a pole, drawn by hand.

use requel_envs::{Color, Scene, Shape, View};

use super::frame::{Caption, Decision, Frame};

/// The cart moves further to the right with every step, and the pole leans more.
pub fn frame(step: u32) -> Frame {
    let (x, angle) = (-0.3 + step as f32 * 0.01, -0.1 + step as f32 * 0.004);
    let tip = (x + angle.sin(), 0.4 + angle.cos());
    let shapes = vec![
        Shape::Line { from: (-2.4, 0.0), to: (2.4, 0.0), width: 0.03, color: Color(0x33, 0x3a, 0x50) },
        Shape::Rectangle { min: (x - 0.35, 0.1), max: (x + 0.35, 0.4), color: Color(0x2b, 0x4c, 0x7e) },
        Shape::Line { from: (x, 0.4), to: tip, width: 0.1, color: Color(0xd9, 0x8e, 0x4a) },
        Shape::Circle { center: (x, 0.4), radius: 0.05, color: Color(0x81, 0x84, 0xcb) },
        Shape::Text { center: (0.0, 1.8), height: 0.15, text: "sample".into(), color: Color(0x33, 0x3a, 0x50) },
    ];
    let view = View { left: -2.4, right: 2.4, bottom: -0.6, top: 2.2 };
    let decision =
        Decision { q_values: vec![45.0 + angle, 45.5 - angle], action: usize::from(angle > 0.0), names: None };
    Frame {
        scene: Scene { view, background: Color(0xf7, 0xf5, 0xf0), shapes },
        caption: Caption {
            env: "CartPole-v1".into(),
            episode: 1,
            step,
            episode_return: f64::from(step),
            note: None,
            decision: Some(decision),
        },
    }
}
