//! [`FrozenLake`], `FrozenLake-v1` and `FrozenLake8x8-v1`.

use super::board::{Board, Direction};
use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionDefault, OptionSpec, Options};
use crate::spec::range_of;
use crate::{
    Action, Color, Dynamics, EnvError, EnvSpec, GymRng, Scene, Simulation, Space, StateError, StateReader, StateWriter,
    Step,
};

pub(crate) const ENVS: &[Entry] = &[
    Entry {
        id: "FrozenLake-v1",
        max_episode_steps: Some(100),
        reward_threshold: Some(0.70),
        reward_range: Some((0.0, 1.0)),
        frames_per_second: 4.0,
        action_names: &["left", "down", "right", "up"],
        observation_names: &[],
        metrics: &[],
        options: &options("4x4"),
        build,
    },
    Entry {
        id: "FrozenLake8x8-v1",
        max_episode_steps: Some(200),
        reward_threshold: Some(0.85),
        reward_range: Some((0.0, 1.0)),
        frames_per_second: 4.0,
        action_names: &["left", "down", "right", "up"],
        observation_names: &[],
        metrics: &[],
        options: &options("8x8"),
        build,
    },
];

const fn options(map_name: &'static str) -> [OptionSpec; 8] {
    [
        OptionSpec::new(
            "desc",
            OptionDefault::OptionalList,
            "rows of a map made of S, F, H and G, instead of a named map",
        ),
        OptionSpec::new("map_name", OptionDefault::Text(map_name), "`4x4`, `8x8`, or `random`"),
        OptionSpec::int("map_size", 8, "rows and columns of a random map, 2 to 64"),
        OptionSpec::float("map_frozen", 0.8, "probability that a tile of a random map is frozen, 0.1 to 1"),
        OptionSpec::int("map_seed", 0, "seed of a random map"),
        OptionSpec::bool("is_slippery", true, "whether the agent may slide to either side"),
        OptionSpec::float("success_rate", 1.0 / 3.0, "probability of moving in the chosen direction on slippery ice"),
        OptionSpec::new(
            "reward_schedule",
            OptionDefault::OptionalList,
            "rewards for reaching the goal, a hole and ice, as three strings; 1, 0 and 0 if not given",
        ),
    ]
}

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let map_name = options.choice("map_name", &["4x4", "8x8", "random"])?;
    let size = options.int("map_size", 2..=64)? as usize;
    let frozen = options.float("map_frozen", 0.1..=1.0)?;
    let seed = options.int("map_seed", 0..=i64::MAX)? as u64;
    let tiles = match (options.optional_list("desc")?, map_name) {
        (Some(rows), _) => parsed(&rows).map_err(|reason| options.invalid("desc", reason))?,
        (None, "random") => random_map(size, frozen, seed),
        (None, "8x8") => Map::of(&MAP_8X8),
        (None, _) => Map::of(&MAP_4X4),
    };
    let rewards = rewards(options)?;
    // The value of the goal is known only for the registered maps and rewards.
    let is_registered =
        rewards == [1.0, 0.0, 0.0] && !["desc", "map_name"].into_iter().any(|name| options.is_given(name));
    let spec = EnvSpec {
        reward_threshold: spec.reward_threshold.filter(|_| is_registered),
        reward_range: Some(range_of(&rewards)),
        ..spec
    };
    let lake = FrozenLake {
        cell: 0,
        success_rate: if options.bool("is_slippery")? { Some(options.float("success_rate", 0.0..=1.0)?) } else { None },
        rewards,
        map: tiles,
    };
    let states = Space::Discrete { n: lake.map.board.cells() };
    Ok(Box::new(Simulation::new(spec, states, Space::Discrete { n: 4 }, lake)))
}

fn rewards(options: &Options<'_>) -> Result<[f64; 3], EnvError> {
    let Some(texts) = options.optional_list("reward_schedule")? else {
        return Ok([1.0, 0.0, 0.0]);
    };
    let numbers: Option<Vec<f64>> =
        texts.iter().map(|text| text.parse().ok().filter(|n: &f64| n.is_finite())).collect();
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| {
        options.invalid("reward_schedule", format!("{texts:?} given, expected three numbers: goal, hole, ice"))
    })
}

const MAP_4X4: [&str; 4] = ["SFFF", "FHFH", "FFFH", "HFFG"];
const MAP_8X8: [&str; 8] =
    ["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"];

#[derive(Clone, Debug)]
struct Map {
    board: Board,
    /// The letters S, F, H and G, row by row.
    tiles: Vec<u8>,
}

impl Map {
    /// The map from rows that are known to have the same length.
    fn of(rows: &[&str]) -> Self {
        let board = Board { rows: rows.len(), columns: rows.first().map_or(0, |row| row.len()) };
        Self { board, tiles: rows.concat().into_bytes() }
    }
}

fn parsed(rows: &[String]) -> Result<Map, String> {
    const MOST: usize = 64;
    let columns = rows.first().map_or(0, String::len);
    if rows.len() > MOST || columns == 0 || columns > MOST {
        return Err(format!("a map has 1 to {MOST} rows and columns"));
    }
    if let Some(row) = rows.iter().find(|row| row.len() != columns) {
        return Err(format!("row {row:?} is not as long as the first, {columns}"));
    }
    if let Some(other) = rows.iter().flat_map(|row| row.chars()).find(|tile| !"SFHG".contains(*tile)) {
        return Err(format!("{other:?} is not a tile: use S (start), F (frozen), H (hole) and G (goal)"));
    }
    if !rows.iter().any(|row| row.contains('S')) {
        return Err("it has no start, S".into());
    }
    Ok(Map::of(&rows.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The first of a sequence of random maps on which the goal can be reached: Gymnasium's `generate_random_map`.
fn random_map(size: usize, frozen: f64, seed: u64) -> Map {
    let board = Board { rows: size, columns: size };
    let mut rng = GymRng::from_seed(seed);
    loop {
        let tile = |_| if rng.choice(&[frozen, 1.0 - frozen]) == 0 { b'F' } else { b'H' };
        let mut tiles: Vec<u8> = (0..board.cells()).map(tile).collect();
        tiles[0] = b'S';
        tiles[board.cells() - 1] = b'G';
        let map = Map { board, tiles };
        if goal_is_reachable(&map) {
            return map;
        }
    }
}

fn goal_is_reachable(map: &Map) -> bool {
    let mut seen = vec![false; map.tiles.len()];
    let mut frontier = vec![0];
    while let Some(cell) = frontier.pop() {
        if std::mem::replace(&mut seen[cell], true) {
            continue;
        }
        for direction in DIRECTIONS {
            let next = map.board.neighbour(cell, direction);
            match map.tiles[next] {
                b'G' => return true,
                b'H' => {}
                _ => frontier.push(next),
            }
        }
    }
    false
}

/// By the number of the action. The neighbours of an action in this cyclic order are at right angles to it.
const DIRECTIONS: [Direction; 4] = [Direction::Left, Direction::Down, Direction::Right, Direction::Up];

/// Cross a frozen lake without falling into a hole, although the ice is slippery.
///
/// **Actions**: `Discrete(4)`: 0 left, 1 down, 2 right, 3 up. On slippery ice, the move goes in the chosen direction with probability
/// `success_rate` (1/3), else to one of the two sides, each equally likely.
///
/// **Observation**: `Discrete(rows · columns)`: the cell, row by row from the upper left.
///
/// **Reward**: 1 for reaching the goal, else 0; the option `reward_schedule` changes it.
///
/// **Start**: on S; if the map has several, on a random one.
///
/// **End**: terminated in a hole or at the goal; truncated after 100 steps (200 on the 8 × 8 map). Solved at a mean return
/// of 0.70 (0.85); the best possible on the 4 × 4 map is 0.74 within the time limit.
///
/// **Source**: Gymnasium 1.4, toy text.
#[derive(Clone, Debug)]
pub struct FrozenLake {
    map: Map,
    cell: usize,
    /// `None` if the ice is not slippery.
    success_rate: Option<f64>,
    /// For reaching the goal, a hole, ice.
    rewards: [f64; 3],
}

impl Dynamics for FrozenLake {
    fn reset(&mut self, rng: &mut GymRng) {
        let starts = self.map.tiles.iter().filter(|tile| **tile == b'S').count();
        let share = 1.0 / starts as f64;
        let draw = rng.random();
        let mut sum = 0.0;
        let passes = |tile: &u8| {
            sum += if *tile == b'S' { share } else { 0.0 };
            sum > draw
        };
        self.cell = self.map.tiles.iter().position(passes).unwrap_or(0);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        let Action::Discrete(action) = action else { return Step::default() };
        let turn = match self.success_rate {
            None => rng.categorical(&[1.0]),
            Some(rate) => {
                let aside = (1.0 - rate) / 2.0;
                // Turned by a quarter turn back, not at all, or by a quarter turn forward.
                rng.categorical(&[aside, rate, aside]) + 3
            }
        };
        self.cell = self.map.board.neighbour(self.cell, DIRECTIONS[(action + turn) % 4]);
        let (reward, terminated) = match self.map.tiles[self.cell] {
            b'G' => (self.rewards[0], true),
            b'H' => (self.rewards[1], true),
            _ => (self.rewards[2], false),
        };
        Step { reward, terminated, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation[0] = self.cell as f32;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.cell);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.cell = reader.index(self.map.board.cells())?;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        !matches!(self.map.tiles[self.cell], b'H' | b'G')
    }

    fn scene(&self) -> Option<Scene> {
        let board = self.map.board;
        let color = |tile| match tile {
            b'H' => Color(58, 92, 140),
            _ => Color(214, 232, 245),
        };
        let mut shapes = Vec::new();
        for (cell, tile) in self.map.tiles.iter().enumerate() {
            shapes.push(board.tile(cell, color(*tile)));
            match tile {
                b'S' => shapes.push(board.letter(cell, "S")),
                b'G' => shapes.extend(board.flag(cell)),
                _ => {}
            }
        }
        // A colour that is visible on ice and in a hole.
        shapes.extend(board.figure(self.cell, Color(204, 62, 128)));
        Some(board.scene(shapes))
    }
}

#[cfg(test)]
mod tests {
    use crate::{EnvOptions, OptionValue, make_with};

    fn refusal(name: &str, value: OptionValue) -> String {
        make_with("FrozenLake-v1", &EnvOptions::from([(name.to_string(), value)])).err().unwrap().to_string()
    }

    #[test]
    fn bad_maps_are_refused() {
        let map = |rows: &[&str]| refusal("desc", OptionValue::List(rows.iter().map(|row| row.to_string()).collect()));
        assert!(map(&[]).contains("1 to 64 rows"));
        assert!(map(&["SF", "G"]).contains("row \"G\" is not as long as the first"));
        assert!(map(&["SX", "FG"]).contains("'X' is not a tile"));
        assert!(map(&["FF", "FG"]).contains("it has no start"));
        assert!(map(&["Sé", "FG"]).contains("not as long"));
    }

    #[test]
    fn bad_rewards_are_refused() {
        let rewards = |numbers: &[&str]| {
            refusal("reward_schedule", OptionValue::List(numbers.iter().map(|number| number.to_string()).collect()))
        };
        assert!(rewards(&["1", "0"]).contains("expected three numbers"));
        assert!(rewards(&["1", "0", "inf"]).contains("expected three numbers"));
        assert!(refusal("map_name", OptionValue::Text("8X8".into())).contains("did you mean `8x8`?"));
    }
}
