//! The picture of a search: the best score so far, which settings mattered, and the values of every trial.

use requel::tune::{Search, Trial, Tuned, importance};
use requel_envs::Color;

use crate::compare::{Axis, Dash, Ends, Mark, Picture, label};
use crate::show::font::Align;
use crate::show::palette::SERIES;
use crate::show::tidy;

const INK: Color = Color(0x1f, 0x24, 0x37);
const MUTED: Color = Color(0x64, 0x6c, 0x84);
const GRID: Color = Color(0xe6, 0xe9, 0xf0);
const PAPER: Color = Color(0xff, 0xff, 0xff);

const WIDTH: f32 = 1200.0;
/// Heights of capitals.
const TITLE: f32 = 15.0;
const TEXT: f32 = 9.5;
const SMALL: f32 = 8.5;
/// Left and right end of the scores, and of the bars.
const SCORES: (f32, f32) = (86.0, 640.0);
const BARS: (f32, f32) = (930.0, 1130.0);
/// Where the upper charts are, and how high the lower one is.
const UPPER: (f32, f32) = (122.0, 422.0);
const LOWER: f32 = 300.0;
/// A bar's row.
const ROW: f32 = 22.0;

/// Lays out the picture; `title` is its heading.
pub fn figure(search: &Search, tuned: &Tuned, title: &str) -> Picture {
    let dimensions = search.space.dimensions().len() as f32;
    let upper = (UPPER.0, UPPER.1.max(UPPER.0 + ROW * dimensions));
    let lower = (upper.1 + 130.0, upper.1 + 130.0 + LOWER);
    let size = (WIDTH, lower.1 + 60.0);
    let mut marks = vec![Mark::Block { at: (0.0, 0.0), size, color: PAPER, opacity: 1.0 }];
    text(&mut marks, (36.0, 46.0), (TITLE, Align::Left, INK), title);
    let rungs = search.rungs.levels();
    let rungs: Vec<String> =
        rungs.iter().map(|rung| format!("{} × {}", label(rung.env_steps as f64), rung.seeds)).collect();
    let below = format!("{} trials, compared after {} env steps × seeds", tuned.trials.len(), rungs.join(", "));
    text(&mut marks, (36.0, 70.0), (TEXT, Align::Left, MUTED), below);
    scores(&mut marks, search, tuned, upper);
    bars(&mut marks, search, tuned, upper);
    parallel(&mut marks, search, tuned, lower);
    Picture { size, marks }
}

/// The score of each trial, darker the further it got, and the best so far among those trained to the end.
fn scores(marks: &mut Vec<Mark>, search: &Search, tuned: &Tuned, (top, bottom): (f32, f32)) {
    text(
        marks,
        (SCORES.0 - 50.0, top - 18.0),
        (TEXT, Align::Left, INK),
        "score of each trial, and the best so far of whole trainings",
    );
    let count = search.rungs.levels().len();
    let ends = ends(tuned.trials.iter().filter_map(|trial| Some(trial.last()?.score)));
    let y = Axis::new(ends, (bottom, top), 6, Ends::Rounded);
    let x = Axis::new((0.0, tuned.trials.len().max(2) as f64 - 1.0), SCORES, 6, Ends::Exact);
    for &tick in &y.ticks {
        line(marks, vec![(SCORES.0, y.at(tick)), (SCORES.1, y.at(tick))], 1.0, GRID);
        text(marks, (SCORES.0 - 10.0, y.at(tick) + SMALL / 2.0), (SMALL, Align::Right, MUTED), label(tick));
    }
    for &tick in x.ticks.iter().filter(|tick| tick.fract() == 0.0) {
        text(marks, (x.at(tick), bottom + 22.0), (SMALL, Align::Center, MUTED), label(tick));
    }
    text(
        marks,
        ((SCORES.0 + SCORES.1) / 2.0, bottom + 46.0),
        (TEXT, Align::Center, INK),
        "trial, in the order they started",
    );
    let mut best: Option<f64> = None;
    let mut through = Vec::new();
    for trial in &tuned.trials {
        let Some(scored) = trial.last() else { continue };
        let at = x.at(trial.number as f64);
        let opacity = 0.2 + 0.8 * (trial.rungs.len() as f32 / count as f32).powi(2);
        marks.push(Mark::Dot { center: (at, y.at(scored.score)), radius: 3.6, color: SERIES[0], opacity });
        if scored.env_steps == search.rungs.env_steps {
            let before = best.unwrap_or(f64::NEG_INFINITY);
            through.extend(best.map(|best| (at, y.at(best))));
            best = Some(before.max(scored.score));
            through.extend(best.map(|best| (at, y.at(best))));
        }
    }
    through.extend(best.map(|best| (SCORES.1, y.at(best))));
    line(marks, through, 2.4, SERIES[3]);
}

fn bars(marks: &mut Vec<Mark>, search: &Search, tuned: &Tuned, (top, _): (f32, f32)) {
    text(marks, (700.0, top - 18.0), (TEXT, Align::Left, INK), "importance of each setting (PED-ANOVA)");
    let Some(shares) = importance(&search.space, &tuned.trials) else {
        text(marks, (700.0, top + 16.0), (SMALL, Align::Left, MUTED), "too few trials to say");
        return;
    };
    let most = shares.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|one, other| shares[*other].total_cmp(&shares[*one]));
    for (row, at) in order.into_iter().enumerate() {
        let y = top + ROW * row as f32;
        let key = search.space.dimensions()[at].key.path;
        text(marks, (BARS.0 - 10.0, y + 12.0), (SMALL, Align::Right, INK), key);
        let width = ((BARS.1 - BARS.0) * (shares[at] / most) as f32).max(1.0);
        marks.push(Mark::Block { at: (BARS.0, y + 2.0), size: (width, 12.0), color: SERIES[0], opacity: 0.85 });
        let share = format!("{:.0} %", 100.0 * shares[at]);
        text(marks, (BARS.0 + width + 8.0, y + 12.0), (SMALL, Align::Left, MUTED), share);
    }
}

/// Parallel coordinates: an axis for each setting, a line for each trial; the best quarter in colour, the winner in bold.
fn parallel(marks: &mut Vec<Mark>, search: &Search, tuned: &Tuned, (top, bottom): (f32, f32)) {
    text(
        marks,
        (36.0, top - 60.0),
        (TEXT, Align::Left, INK),
        "settings of the trials: the best quarter in colour, the winner bold",
    );
    let dimensions = search.space.dimensions();
    let (left, right) = (80.0, WIDTH - 80.0);
    let at = |axis: usize| left + (right - left) * axis as f32 / dimensions.len().max(1) as f32;
    let ends = ends(tuned.trials.iter().filter_map(|trial| Some(trial.last()?.score)));
    let score = Axis::new(ends, (bottom, top), 4, Ends::Exact);
    for (axis, dimension) in dimensions.iter().enumerate() {
        line(marks, vec![(at(axis), top), (at(axis), bottom)], 1.0, MUTED);
        let name = dimension.key.name();
        // At three heights: names are wider than the distance between axes.
        let height = top - 12.0 - 14.0 * (axis % 3) as f32;
        text(marks, (at(axis), height), (SMALL, Align::Center, INK), name);
        for (place, y) in [(1.0, top + 4.0), (0.0, bottom + 16.0)] {
            let value = dimension.domain.at(place);
            let shown = value.as_str().map_or_else(|| short(&value), str::to_owned);
            text(marks, (at(axis), if place == 1.0 { y - 6.0 } else { y }), (7.0, Align::Center, MUTED), shown);
        }
    }
    line(marks, vec![(right, top), (right, bottom)], 1.5, INK);
    text(marks, (right, top - 12.0), (SMALL, Align::Center, INK), "score");
    for &tick in &score.ticks {
        text(marks, (right + 8.0, score.at(tick) + SMALL / 2.0), (SMALL, Align::Left, MUTED), label(tick));
    }
    let height = |place: f64| bottom + (top - bottom) * place as f32;
    let mut order: Vec<&Trial> = tuned.trials.iter().filter(|trial| trial.last().is_some()).collect();
    order.sort_by(|one, other| one.compare(other));
    let dull = order.len() - order.len().div_ceil(4);
    for (rank, trial) in order.iter().enumerate() {
        let is_winner = trial.number == tuned.best;
        let color = if is_winner {
            SERIES[3]
        } else if rank >= dull {
            SERIES[0]
        } else {
            Color(0xc4, 0xc9, 0xd6)
        };
        let mut through: Vec<(f32, f32)> = dimensions
            .iter()
            .enumerate()
            .filter_map(|(axis, one)| Some((at(axis), height(one.domain.place(trial.settings.get(one.key.path)?)?))))
            .collect();
        through.extend(trial.last().map(|scored| (right, score.within(scored.score))));
        line(marks, through, if is_winner { 3.2 } else { 1.2 }, color);
    }
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |ends, value| (ends.0.min(value), ends.1.max(value)))
}

fn short(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(number) if number.abs() < 0.01 && *number != 0.0 => format!("{number:e}"),
        toml::Value::Float(number) => tidy(*number),
        toml::Value::Integer(number) => label(*number as f64),
        value => value.to_string(),
    }
}

fn text(marks: &mut Vec<Mark>, at: (f32, f32), (cap, align, color): (f32, Align, Color), text: impl Into<String>) {
    marks.push(Mark::Text { at, cap, align, color, text: text.into() });
}

fn line(marks: &mut Vec<Mark>, through: Vec<(f32, f32)>, width: f32, color: Color) {
    if through.len() > 1 {
        marks.push(Mark::Line { through, width, color, dash: Dash::Solid });
    }
}

#[cfg(test)]
mod tests {
    use requel::config::Layers;
    use requel::tune::{Scored, TuneFile};

    use super::*;

    fn found(trials: usize) -> (Search, Tuned) {
        let config = Layers::new().preset("notebook").unwrap().resolve().unwrap();
        let search = TuneFile::default().search(&config).unwrap();
        let trial = |number: usize| {
            let mut settings = search.space.of_start();
            settings.insert("agent.gamma".into(), (0.9 + 0.001 * number as f64).into());
            let scored = |_| Scored::new(1, vec![1], vec![number as f64]);
            let rungs = (0..1 + number % 3).map(scored).collect();
            Trial { number, settings, rungs, failure: None, config: config.clone() }
        };
        let tuned = Tuned { trials: (0..trials).map(trial).collect(), best: trials.saturating_sub(1), env_steps: 9 };
        (search, tuned)
    }

    #[test]
    fn everything_lies_inside_the_picture() {
        for trials in [1, 3, 40] {
            let (search, tuned) = found(trials);
            let picture = figure(&search, &tuned, "CartPole-v1");
            picture.assert_inside();
            let told =
                |what: &str| picture.marks.iter().any(|mark| matches!(mark, Mark::Text { text, .. } if text == what));
            assert_eq!(told("too few trials to say"), trials < 8);
        }
    }
}
