//! [`Tables`], the tables of a study, rendered.

use super::columns::{Context, cell};
use super::markdown::{NONE, table};
use super::{Rows, Statistic, TableSpec};
use crate::registry::Registry;
use crate::study::{Cell, RandomPlay, RunRow, Study, StudyError};
use crate::suggest::nearest;

/// Number of episodes over which random play is scored in tables.
const RANDOM_EPISODES: usize = 200;

/// A variant in an environment, with its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct CellRows {
    /// The variant and the environment.
    pub cell: Cell,
    /// Its runs, in the order of their seeds.
    pub rows: Vec<RunRow>,
}

/// The tables of a study.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// The study.
    pub study: &'a Study,
    /// Its cells, from [`Study::resolve`], with the existing runs.
    pub cells: &'a [CellRows],
    /// The registry with its environments.
    pub registry: &'a Registry,
}

impl Tables<'_> {
    /// The table called `name`, as Markdown.
    ///
    /// # Errors
    /// If the study has no such table, or an environment cannot be created or played.
    pub fn render(&self, name: &str) -> Result<String, StudyError> {
        let tables = &self.study.tables;
        let spec = tables.iter().find(|table| table.name == name).ok_or_else(|| StudyError::NoTable {
            study: self.study.name.clone(),
            table: name.into(),
            suggestion: nearest(name, tables.iter().map(|table| table.name.as_str())),
        })?;
        match spec.rows {
            Rows::Variants => self.variants(spec),
            Rows::PerEnv => self.per_env(spec),
            Rows::Runs => self.runs(spec),
            Rows::Seeds => self.seeds(spec),
        }
    }

    /// Our runs compared with known results of others.
    pub fn references(&self) -> String {
        let compared = |reference: &super::Reference| {
            let of = |one: &&CellRows| self.variant(&one.cell) == reference.variant;
            let rows = self.cells.iter().filter(of).flat_map(|one| &one.rows);
            reference.comparison(&rows.filter_map(|run| reference.of.of(run)).collect::<Vec<_>>())
        };
        self.study.references.iter().map(compared).collect::<Vec<_>>().join("\n")
    }

    fn variants(&self, spec: &TableSpec) -> Result<String, StudyError> {
        let mut rows = Vec::new();
        for one in self.of(spec) {
            let context = self.context(spec, &one.cell)?;
            rows.push(self.row(self.label(&one.cell), spec, one, &context));
            let variant = self.variant(&one.cell);
            for reference in self.study.references.iter().filter(|reference| reference.variant == variant) {
                rows.push([vec![format!("{variant}, reference")], reference.row(&spec.columns)].concat());
            }
        }
        let first = if self.study.tasks.is_empty() { "variant" } else { "env" };
        Ok(table(&header(first, spec), &rows))
    }

    /// A table under a heading for each environment that has runs. Variants that are not trained there have their reason.
    fn per_env(&self, spec: &TableSpec) -> Result<String, StudyError> {
        let mut sections = Vec::new();
        for (at, env) in self.study.envs().into_iter().enumerate() {
            let in_env: Vec<&CellRows> = self.of(spec).filter(|one| one.cell.env == at).collect();
            let Some(first) = in_env.iter().find(|one| !one.rows.is_empty()) else { continue };
            let context = self.context(spec, &first.cell)?;
            let mut rows = Vec::new();
            for (variant, named) in self.study.variants.iter().enumerate() {
                let label = format!("`{}`", named.name);
                match in_env.iter().find(|one| one.cell.variant == variant) {
                    Some(one) => rows.push(self.row(label, spec, one, &context)),
                    None if spec.variants.is_empty() || spec.variants.contains(&named.name) => {
                        rows.push(self.left_out(label, spec, (at, variant)));
                    }
                    None => {}
                }
            }
            let said = said_of(&context);
            sections.push(format!("## {env}\n\n{said}{}", table(&header("variant", spec), &rows)));
        }
        Ok(sections.join("\n"))
    }

    fn left_out(&self, label: String, spec: &TableSpec, (env, variant): (usize, usize)) -> Vec<String> {
        let reason = match Cell::new(self.study, (env, self.study.tasks.get(env)), variant) {
            Err(StudyError::Setting { source, .. }) => format!("refused: {source}"),
            Err(error) => format!("refused: {error}"),
            Ok(cell) => match self.registry.trainer(cell.config) {
                Err(error) => format!("refused: {error}"),
                Ok(_) => "not trained".into(),
            },
        };
        let mut row = vec![NONE.to_owned(); spec.columns.len()];
        row.insert(0, label);
        row.pop();
        row.push(reason);
        row
    }

    fn runs(&self, spec: &TableSpec) -> Result<String, StudyError> {
        let mut rows = Vec::new();
        for one in self.of(spec) {
            let context = self.context(spec, &one.cell)?;
            for run in &one.rows {
                let cells = spec.columns.iter().map(|column| cell(column, std::slice::from_ref(run), &context));
                rows.push([run.seed.to_string()].into_iter().chain(cells).collect());
            }
        }
        Ok(table(&header("seed", spec), &rows))
    }

    /// The first column's figure for every run: a row for each seed, a column for each variant and environment.
    fn seeds(&self, spec: &TableSpec) -> Result<String, StudyError> {
        let mut seeds: Vec<u64> = self.of(spec).flat_map(|one| one.rows.iter().map(|run| run.seed)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mut header = vec!["seed".to_owned()];
        let mut rows: Vec<Vec<String>> = seeds.iter().map(|seed| vec![seed.to_string()]).collect();
        let Some(column) = spec.columns.first() else { return Ok(String::new()) };
        for one in self.of(spec) {
            header.push(self.plain_label(&one.cell));
            let context = self.context(spec, &one.cell)?;
            for (row, seed) in rows.iter_mut().zip(&seeds) {
                let run = one.rows.iter().find(|run| run.seed == *seed);
                row.push(run.map_or_else(|| NONE.into(), |run| cell(column, std::slice::from_ref(run), &context)));
            }
        }
        Ok(table(&header, &rows))
    }

    fn row(&self, label: String, spec: &TableSpec, one: &CellRows, context: &Context<'_>) -> Vec<String> {
        [label].into_iter().chain(spec.columns.iter().map(|column| cell(column, &one.rows, context))).collect()
    }

    fn of<'s>(&'s self, spec: &'s TableSpec) -> impl Iterator<Item = &'s CellRows> {
        let is_in = |one: &&CellRows| {
            spec.variants.is_empty() || spec.variants.iter().any(|name| *name == self.variant(&one.cell))
        };
        self.cells.iter().filter(is_in)
    }

    fn variant(&self, cell: &Cell) -> &str {
        &self.study.variants[cell.variant].name
    }

    fn label(&self, cell: &Cell) -> String {
        format!("**{}**", self.plain_label(cell))
    }

    fn plain_label(&self, cell: &Cell) -> String {
        match (self.study.tasks.get(cell.env), self.study.variants.len()) {
            (Some(task), 1) => task.env.clone(),
            _ => cell.name(self.study),
        }
    }

    fn context(&self, spec: &TableSpec, cell: &Cell) -> Result<Context<'_>, StudyError> {
        let task = self.study.tasks.get(cell.env);
        let own = self.registry.envs().make(&cell.config.env.id)?.spec().reward_threshold;
        let aim = task.and_then(|task| task.aim).or(self.study.threshold).or(own);
        let asks = spec.columns.iter().any(|column| column.show == Statistic::Learns);
        let random = match asks {
            true => RandomPlay::of(&cell.config, self.registry, RANDOM_EPISODES)?,
            false => None,
        };
        Ok(Context { task, aim, random })
    }
}

fn header(first: &str, spec: &TableSpec) -> Vec<String> {
    [first.to_owned()].into_iter().chain(spec.columns.iter().map(|column| column.head.clone())).collect()
}

/// Information on an environment, above its table.
fn said_of(context: &Context<'_>) -> String {
    let Some(random) = context.random else { return String::new() };
    let decimals = context.task.and_then(|task| task.decimals).unwrap_or(1);
    let given = context.task.and_then(|task| task.aim);
    let aim = match (given, context.aim) {
        (Some(aim), _) => format!("the goal is {aim}"),
        (None, Some(aim)) => format!("{aim} is the environment's own goal"),
        (None, None) => "the environment names no goal".into(),
    };
    let set: Vec<String> = context.task.iter().flat_map(|task| &task.set).map(|it| format!("--set {it}")).collect();
    let set = if set.is_empty() { String::new() } else { format!(" With `{}`.", set.join(" ")) };
    format!(
        "Random play: {:.decimals$} [{:.decimals$}, {:.decimals$}]; {aim}.{set}\n\n",
        random.mean, random.interval.low, random.interval.high
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::RowScore;

    const STUDY: &str = r#"
name = "s"
seeds = "0..2"
[[task]]
env = "CartPole-v1"
[[task]]
env = "FrozenLake-v1"
skip = ["b"]
decimals = 3
aim = 0.5
[[variant]]
name = "a"
[[variant]]
name = "b"
algo = "iqn"
[[table]]
name = "all"
columns = [{ head = "final", show = "plain_mean" }, { head = "reached", show = "share" }]
[[table]]
name = "each"
rows = "per_env"
columns = [{ head = "final", show = "plain_mean" }, { head = "why", show = "runs" }]
[[table]]
name = "runs"
rows = "runs"
variants = ["b"]
columns = [{ head = "final", show = "value" }]
[[table]]
name = "seeds"
rows = "seeds"
columns = [{ head = "", show = "value" }]
"#;

    fn rendered(name: &str) -> Result<String, StudyError> {
        let study = Study::parse("s.toml", STUDY).unwrap();
        let row = |seed: u64, mean: f64| {
            let last = Some(RowScore { mean, std: 0.0, episodes: 100 });
            RunRow { seed, last, ..RunRow::default() }
        };
        let scores = [vec![row(0, 500.0), row(1, 400.0)], vec![row(0, 9.0)], vec![row(0, 0.75), row(1, 0.25)]];
        let cells: Vec<CellRows> =
            study.resolve().unwrap().into_iter().zip(scores).map(|(cell, rows)| CellRows { cell, rows }).collect();
        Tables { study: &study, cells: &cells, registry: &Registry::built_in() }.render(name)
    }

    #[test]
    fn a_row_for_each_variant_in_each_environment() {
        assert_eq!(
            rendered("all").unwrap(),
            "| env | final | reached |\n| --- | --- | --- |\n\
             | **CartPole-v1/a** | 450.0 | 1 of 2 [9 %, 91 %] |\n\
             | **CartPole-v1/b** | 9.0 | 0 of 1 [0 %, 79 %] |\n\
             | **FrozenLake-v1/a** | 0.500 | 1 of 2 [9 %, 91 %] |\n"
        );
    }

    #[test]
    fn a_table_for_each_environment_says_why_a_variant_is_left_out() {
        let text = rendered("each").unwrap();
        assert!(text.starts_with("## CartPole-v1\n\n| variant | final | why |"), "{text}");
        assert!(text.contains("## FrozenLake-v1\n\n"), "{text}");
        assert!(text.contains("| `b` | – | refused: ") && text.contains("head.kind"), "{text}");
    }

    #[test]
    fn a_row_for_each_run_and_a_row_for_each_seed() {
        assert_eq!(rendered("runs").unwrap(), "| seed | final |\n| --- | --- |\n| 0 | 9.0 ± 0.0 |\n");
        let seeds = rendered("seeds").unwrap();
        assert!(seeds.starts_with("| seed | CartPole-v1/a | CartPole-v1/b | FrozenLake-v1/a |\n"), "{seeds}");
        assert!(seeds.ends_with("| 1 | 400.0 ± 0.0 | – | 0.250 ± 0.000 |\n"), "{seeds}");
    }

    #[test]
    fn a_table_that_is_not_there_is_refused_by_name() {
        let error = rendered("sede").unwrap_err();
        assert!(error.to_string().contains("no table `sede`"), "{error}");
        assert_eq!(rendered("seedss").unwrap_err().hint().unwrap(), "did you mean `seeds`?");
    }
}
