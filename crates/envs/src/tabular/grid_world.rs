//! [`GridWorld`], `GridWorld-v0`.

use super::board::{AGENT, Board, Direction, GOAL};
use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionDefault, OptionSpec, Options};
use crate::spec::range_of;
use crate::{
    Action, Color, Dynamics, EnvSpec, GymRng, OverEpisode, Scene, Simulation, Space, StateError, StateReader,
    StateWriter, Step,
};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "GridWorld-v0",
    max_episode_steps: Some(100),
    reward_threshold: None,
    reward_range: Some((-1.0, 1.0)),
    frames_per_second: 4.0,
    action_names: &["up", "right", "down", "left", "stay"],
    observation_names: &[],
    metrics: &[("attempts_to_leave", OverEpisode::Sum), ("steps_on_forbidden", OverEpisode::Sum)],
    options: &[
        OptionSpec::new(
            "map",
            OptionDefault::OptionalList,
            "rows of `.` free, `#` forbidden, `T` target and `S` start",
        ),
        OptionSpec::int(
            "rows",
            5,
            "height of an empty grid, used if `columns` or `rows` is given without a map, 1 to \
                                    64",
        ),
        OptionSpec::int("columns", 5, "width of an empty grid, likewise"),
        OptionSpec::float("reward_boundary", -1.0, "for an attempt to leave the grid, which fails"),
        OptionSpec::float("reward_forbidden", -1.0, "for entering a forbidden cell, or staying in it"),
        OptionSpec::float("reward_target", 1.0, "for entering the target, or staying in it"),
        OptionSpec::float("reward_step", 0.0, "for every other step"),
        OptionSpec::bool(
            "terminates",
            true,
            "whether the episode ends at the target; otherwise it continues from \
                                              there",
        ),
    ],
    build,
}];

/// The grid of Zhao's book: forbidden cells around and before the target.
const MAP: [&str; 5] = ["S....", ".##..", "..#..", ".#T#.", ".#..."];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let (rows, columns) = (options.int("rows", 1..=64)? as usize, options.int("columns", 1..=64)? as usize);
    let rows = match options.optional_list("map")? {
        Some(map) => map,
        None if options.is_given("rows") || options.is_given("columns") => empty(rows, columns),
        None => MAP.map(String::from).to_vec(),
    };
    let board = sized(&rows).map_err(|reason| options.invalid("map", reason))?;
    let reward = |name| options.float(name, -1e9..=1e9);
    let env = GridWorld {
        board,
        tiles: rows.concat().into_bytes(),
        cell: 0,
        tried_to_leave: false,
        boundary: reward("reward_boundary")?,
        forbidden: reward("reward_forbidden")?,
        target: reward("reward_target")?,
        otherwise: reward("reward_step")?,
        terminates: options.bool("terminates")?,
    };
    let range = range_of(&[env.boundary, env.forbidden, env.target, env.otherwise]);
    let spec = EnvSpec { reward_range: Some(range), ..spec };
    let states = Space::Discrete { n: board.cells() };
    Ok(Box::new(Simulation::new(spec, states, Space::Discrete { n: 5 }, env)))
}

/// An empty grid with the start in its first and the target in its last cell.
fn empty(rows: usize, columns: usize) -> Vec<String> {
    let mut map = vec![vec!['.'; columns]; rows];
    map[0][0] = 'S';
    map[rows - 1][columns - 1] = 'T';
    map.into_iter().map(String::from_iter).collect()
}

fn sized(rows: &[String]) -> Result<Board, String> {
    const MOST: usize = 64;
    let columns = rows.first().map_or(0, String::len);
    if rows.len() > MOST || columns == 0 || columns > MOST {
        return Err(format!("a grid has 1 to {MOST} rows and columns"));
    }
    if let Some(row) = rows.iter().find(|row| row.len() != columns) {
        return Err(format!("row {row:?} is not as long as the first, {columns}"));
    }
    if let Some(other) = rows.iter().flat_map(|row| row.chars()).find(|tile| !".#TS".contains(*tile)) {
        return Err(format!("{other:?} is not a tile: use . (free), # (forbidden), T (target) and S (start)"));
    }
    if rows.iter().flat_map(|row| row.chars()).all(|tile| !".S".contains(tile)) {
        return Err("it has no cell to start on: add a free cell, or S".into());
    }
    Ok(Board { rows: rows.len(), columns })
}

/// The grid of the textbooks: cells that may be entered, cells that should not be entered, and one to reach.
///
/// **Actions**: `Discrete(5)`: 0 up, 1 right, 2 down, 3 left, 4 stay. A move off the grid leaves the agent where it is.
///
/// **Observation**: `Discrete(rows · columns)`: the cell, row by row from the upper left.
///
/// **Reward**: `reward_boundary` (−1) for an attempt to leave the grid, otherwise by the cell that the agent is on afterwards:
/// `reward_target` (1), `reward_forbidden` (−1) or `reward_step` (0). Forbidden cells can be entered.
///
/// **Start**: on S; on a random one if there are several, on a random free cell if there is none.
///
/// **End**: terminated at the target unless `terminates` is false, in which case it can be collected forever; truncated after 100 steps.
///
/// **Metrics**: `attempts_to_leave` (the grid) and `steps_on_forbidden` (cells), the number of each in an episode.
///
/// **Source**: S. Zhao, *Mathematical Foundations of Reinforcement Learning* (2025), whose 5 × 5 grid is the default map; the option `map`
/// replaces it, `rows` and `columns` give an empty grid of that size.
#[derive(Clone, Debug)]
pub struct GridWorld {
    board: Board,
    /// The letters of the map, row by row.
    tiles: Vec<u8>,
    cell: usize,
    /// Of the last step; not part of the state.
    tried_to_leave: bool,
    boundary: f64,
    forbidden: f64,
    target: f64,
    otherwise: f64,
    terminates: bool,
}

impl Dynamics for GridWorld {
    fn reset(&mut self, rng: &mut GymRng) {
        let start = if self.tiles.contains(&b'S') { b'S' } else { b'.' };
        let cells = || (0..self.tiles.len()).filter(|cell| self.tiles[*cell] == start);
        let nth = rng.below(cells().count());
        self.cell = cells().nth(nth).unwrap_or(0);
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        let direction = match action {
            Action::Discrete(0) => Some(Direction::Up),
            Action::Discrete(1) => Some(Direction::Right),
            Action::Discrete(2) => Some(Direction::Down),
            Action::Discrete(3) => Some(Direction::Left),
            _ => None,
        };
        let from = self.cell;
        self.cell = direction.map_or(from, |direction| self.board.neighbour(from, direction));
        self.tried_to_leave = direction.is_some() && self.cell == from;
        let at_target = self.tiles[self.cell] == b'T';
        let reward = match self.tiles[self.cell] {
            _ if self.tried_to_leave => self.boundary,
            b'T' => self.target,
            b'#' => self.forbidden,
            _ => self.otherwise,
        };
        Step { reward, terminated: at_target && self.terminates, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation[0] = self.cell as f32;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.cell);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.cell = reader.index(self.board.cells())?;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        !self.terminates || self.tiles[self.cell] != b'T'
    }

    fn metrics(&self, numbers: &mut [f64]) {
        let counts = [self.tried_to_leave, self.tiles[self.cell] == b'#'];
        for (number, counts) in numbers.iter_mut().zip(counts) {
            *number = f64::from(u8::from(counts));
        }
    }

    fn scene(&self) -> Option<Scene> {
        let board = self.board;
        let color = |tile| match tile {
            b'#' => Color(240, 180, 110),
            b'T' => GOAL,
            _ => Color(226, 229, 234),
        };
        let mut shapes: Vec<_> = (0..board.cells()).map(|cell| board.tile(cell, color(self.tiles[cell]))).collect();
        for cell in (0..board.cells()).filter(|cell| self.tiles[*cell] == b'T') {
            shapes.extend(board.flag(cell));
        }
        shapes.extend(board.figure(self.cell, AGENT));
        Some(board.scene(shapes))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Action, Env, EnvOptions, OptionValue, make, make_with};

    fn list(rows: &[&str]) -> OptionValue {
        OptionValue::List(rows.iter().map(|row| row.to_string()).collect())
    }

    /// Resets `env` and takes `actions`; gives the cells and the rewards.
    fn walk(env: &mut dyn Env, actions: &[usize]) -> Vec<(f32, f64, bool)> {
        let mut cell = [0.0];
        env.reset(Some(0), &mut cell).unwrap();
        let mut one = |action: &usize| {
            let step = env.step(Action::Discrete(*action), &mut cell).unwrap();
            (cell[0], step.reward, step.terminated)
        };
        actions.iter().map(&mut one).collect()
    }

    #[test]
    fn the_book_s_grid() {
        // Up against the edge, down the left side, right through a forbidden cell to the target.
        let steps = walk(make("GridWorld-v0").unwrap().as_mut(), &[0, 2, 2, 2, 4, 1, 1]);
        let expected = [
            (0.0, -1.0, false),
            (5.0, 0.0, false),
            (10.0, 0.0, false),
            (15.0, 0.0, false),
            (15.0, 0.0, false),
            (16.0, -1.0, false),
            (17.0, 1.0, true),
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn everything_can_be_changed() {
        let options = EnvOptions::from([
            ("map".to_string(), list(&["S#T"])),
            ("reward_boundary".to_string(), OptionValue::Float(-0.5)),
            ("reward_forbidden".to_string(), OptionValue::Int(-7)),
            ("reward_target".to_string(), OptionValue::Int(3)),
            ("reward_step".to_string(), OptionValue::Float(-0.25)),
            ("terminates".to_string(), OptionValue::Bool(false)),
        ]);
        let mut env = make_with("GridWorld-v0", &options).unwrap();
        let steps = walk(env.as_mut(), &[4, 3, 1, 4, 1, 4, 1, 3]);
        let rewards: Vec<f64> = steps.iter().map(|step| step.1).collect();
        assert_eq!(rewards, [-0.25, -0.5, -7.0, -7.0, 3.0, 3.0, -0.5, -7.0]);
        assert!(steps.iter().all(|step| !step.2));
    }

    #[test]
    fn an_empty_grid_of_any_size() {
        let options = EnvOptions::from([("columns".to_string(), OptionValue::Int(3))]);
        let mut env = make_with("GridWorld-v0", &options).unwrap();
        assert_eq!(env.observation_space().flat_dim(), 15);
        assert_eq!(walk(env.as_mut(), &[1, 1, 2, 2, 2, 2]).last(), Some(&(14.0, 1.0, true)));
    }

    #[test]
    fn bad_maps_are_refused() {
        let refusal = |rows: &[&str]| {
            let options = EnvOptions::from([("map".to_string(), list(rows))]);
            make_with("GridWorld-v0", &options).err().unwrap().to_string()
        };
        assert!(refusal(&[]).contains("1 to 64"));
        assert!(refusal(&["S.", "T"]).contains("not as long"));
        assert!(refusal(&["Sx"]).contains("'x' is not a tile"));
        assert!(refusal(&["##", "#T"]).contains("no cell to start on"));
    }
}
