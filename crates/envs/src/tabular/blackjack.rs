//! [`Blackjack`], `Blackjack-v1`.

use super::board::INK;
use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader, StateWriter,
    Step, View,
};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "Blackjack-v1",
    max_episode_steps: None,
    reward_threshold: None,
    reward_range: Some((-1.0, 1.0)),
    frames_per_second: 4.0,
    action_names: &["stop", "take a card"],
    observation_names: &["sum of the player", "card of the dealer", "usable ace"],
    metrics: &[],
    options: &[
        OptionSpec::bool("natural", false, "pay 1.5 for a natural that wins; without effect while `sab` is true"),
        OptionSpec::bool("sab", true, "the book's rules: a natural beats everything except another natural"),
    ],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let table = Blackjack {
        player: Hand::default(),
        dealer: Hand::default(),
        shown: 1,
        natural: options.bool("natural")?,
        sab: options.bool("sab")?,
    };
    let highest = if table.natural && !table.sab { 1.5 } else { 1.0 };
    let spec = EnvSpec { reward_range: Some((-1.0, highest)), ..spec };
    let states = Space::MultiDiscrete { n: vec![32, 11, 2] };
    Ok(Box::new(Simulation::new(spec, states, Space::Discrete { n: 2 }, table)))
}

/// A card game against a dealer: get closer to 21 than the dealer without going over it.
///
/// Cards count their number, faces 10, an ace 11 or, if that would go over 21, 1. All are drawn from an infinite deck. When the player
/// stops, the dealer draws until 17 or more.
///
/// **Actions**: `Discrete(2)`: 0 stops, 1 takes a card.
///
/// **Observation**: `MultiDiscrete(32, 11, 2)`: the player's sum, the dealer's open card (1 an ace), and whether the player
/// has an ace that counts 11.
///
/// **Reward**: at the end 1 for a win, −1 for a loss, 0 for a draw. With `sab`, a natural (an ace and a ten) beats everything except a
/// natural; with `natural` and without `sab`, a natural that wins pays 1.5.
///
/// **Start**: two cards each, one of the dealer's open.
///
/// **End**: terminated when the player stops or goes over 21.
///
/// **Source**: Sutton and Barto, *Reinforcement Learning: An Introduction* (2018), example 5.1; Gymnasium 1.4.
#[derive(Clone, Debug)]
pub struct Blackjack {
    player: Hand,
    dealer: Hand,
    /// The dealer's open card.
    shown: u32,
    natural: bool,
    sab: bool,
}

/// The value of some cards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Hand {
    cards: u32,
    /// With each ace as 1.
    sum: u32,
    has_ace: bool,
}

impl Hand {
    /// Takes a card from the deck and returns it.
    fn draw(&mut self, rng: &mut GymRng) -> u32 {
        const DECK: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10];
        let card = DECK[rng.below(DECK.len())];
        self.cards += 1;
        self.sum += card;
        self.has_ace |= card == 1;
        card
    }

    fn has_usable_ace(self) -> bool {
        self.has_ace && self.sum + 10 <= 21
    }

    fn total(self) -> u32 {
        self.sum + if self.has_usable_ace() { 10 } else { 0 }
    }

    /// The final value of the hand: nothing if it went over.
    fn score(self) -> u32 {
        if self.total() > 21 { 0 } else { self.total() }
    }

    fn is_natural(self) -> bool {
        self.cards == 2 && self.has_ace && self.sum == 11
    }

    fn save(self, writer: &mut StateWriter) {
        writer.u32(self.cards);
        writer.u32(self.sum);
        writer.bool(self.has_ace);
    }

    fn restore(reader: &mut StateReader<'_>) -> Result<Self, StateError> {
        let hand = Self { cards: reader.u32()?, sum: reader.u32()?, has_ace: reader.bool()? };
        // Nobody takes a card at 21 or more, and the highest card counts 10.
        if hand.sum <= 31 && hand.cards <= hand.sum {
            Ok(hand)
        } else {
            Err(StateError(format!("no such hand: {hand:?}")))
        }
    }
}

impl Dynamics for Blackjack {
    fn reset(&mut self, rng: &mut GymRng) {
        (self.dealer, self.player) = (Hand::default(), Hand::default());
        self.shown = self.dealer.draw(rng);
        self.dealer.draw(rng);
        self.player.draw(rng);
        self.player.draw(rng);
        // The original also draws the suit of the open card, and which face it shows, for its picture.
        rng.below(4);
        if self.shown == 10 {
            rng.below(3);
        }
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        if action == Action::Discrete(1) {
            if self.player.total() <= 21 {
                self.player.draw(rng);
            }
            let terminated = self.player.total() > 21;
            return Step { reward: if terminated { -1.0 } else { 0.0 }, terminated, truncated: false };
        }
        while self.dealer.total() < 17 {
            self.dealer.draw(rng);
        }
        let reward = match self.player.score().cmp(&self.dealer.score()) {
            _ if self.sab && self.player.is_natural() && !self.dealer.is_natural() => 1.0,
            std::cmp::Ordering::Greater if self.natural && !self.sab && self.player.is_natural() => 1.5,
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Less => -1.0,
        };
        Step { reward, terminated: true, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        let ace = if self.player.has_usable_ace() { 1.0 } else { 0.0 };
        observation.copy_from_slice(&[self.player.total() as f32, self.shown as f32, ace]);
    }

    fn save(&self, writer: &mut StateWriter) {
        self.player.save(writer);
        self.dealer.save(writer);
        writer.u64(self.shown.into());
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.player = Hand::restore(reader)?;
        self.dealer = Hand::restore(reader)?;
        self.shown = reader.index(11)? as u32;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        // A player who went over does not play on, and the dealer draws when the player is finished.
        self.player.cards >= 2 && self.player.total() <= 21 && self.dealer.cards == 2 && self.shown > 0
    }

    fn scene(&self) -> Option<Scene> {
        let text = |center, height, text: String, color| Shape::Text { center, height, text, color };
        let card = |x: f32, color| Shape::Rectangle { min: (x, 4.1), max: (x + 1.3, 5.9), color };
        let face = if self.shown == 1 { "A".to_string() } else { self.shown.to_string() };
        let ace = if self.player.has_usable_ace() { "with an ace as 11" } else { "" };
        let cards = format!("{} cards", self.player.cards);
        Some(Scene {
            view: View { left: 0.0, right: 6.0, bottom: 0.0, top: 7.0 },
            background: Color(196, 216, 158),
            shapes: vec![
                text((3.0, 6.45), 0.4, "dealer".into(), INK),
                card(1.5, Color(250, 250, 246)),
                text((2.15, 5.0), 0.9, face, Color(190, 50, 50)),
                card(3.2, Color(58, 92, 140)),
                text((3.0, 3.3), 0.4, "player".into(), INK),
                text((3.0, 2.2), 1.2, self.player.total().to_string(), INK),
                text((3.0, 1.1), 0.35, cards, INK),
                text((3.0, 0.5), 0.35, ace.into(), INK),
            ],
        })
    }
}
