//! What each step did: one pass over its verdicts, which counts scores and draws documents to show.

use std::{collections::BTreeMap, ops::Range};

use datafusion::{
    arrow::{
        array::{Array, AsArray, RecordBatch},
        datatypes::Float64Type,
        util::display::array_value_to_string,
    },
    prelude::{col, lit},
};

use super::{
    draws::Draws,
    files::{RunFiles, rows},
};
use crate::{
    decide::{FittedAlpha, cuts_of},
    error::{InStage as _, Result},
    files::read_json,
};

/// Documents that are drawn of each fate.
const DRAWN: usize = 8;

/// Bars of a histogram of scores.
pub const SCORE_BINS: usize = 40;

/// What a step did with some documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Dropped for a reason.
    Dropped(String),
    /// Kept without what was cut out.
    Cut,
    /// Kept as it was.
    Kept,
}

/// What a step did.
#[derive(Debug)]
pub struct Step {
    pub stage: String,
    /// Documents by what became of them, those of sources that the step left alone not among them.
    pub groups: Vec<Group>,
    pub scores: Option<Scores>,
}

/// Documents that have one fate.
#[derive(Debug)]
pub struct Group {
    pub fate: Fate,
    pub documents: u64,
    /// Some of them, drawn by hash.
    pub drawn: Vec<Drawn>,
}

/// A document that was drawn, and what the step wrote down about it.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    pub id: String,
    pub details: Vec<(String, String)>,
    pub cuts: Vec<Range<u32>>,
}

/// The scores of the documents that a step decided on.
#[derive(Debug)]
pub struct Scores {
    pub alpha: Option<f64>,
    /// How the shape was chosen, where it was.
    pub fitted: Option<FittedAlpha>,
    /// Documents kept and dropped, by score.
    pub kept: [u64; SCORE_BINS],
    pub dropped: [u64; SCORE_BINS],
}

impl Step {
    pub async fn gather(files: &RunFiles, stage: &str) -> Result<Self> {
        let context = files.seeking();
        let table = files.tables(&context).decisions(stage).await.in_stage("report")?;
        let has = |name: &str| table.schema().has_column_with_unqualified_name(name);
        let is_scored = has("score");
        let mut columns = vec!["id", "source", "verdict", "reason"];
        columns.extend(is_scored.then_some("score"));
        let mut pass = Pass::new(files, stage);
        rows(table.clone().select_columns(&columns), |batch| pass.take(batch)).await?;
        let scores = if is_scored { Some(pass.scores(files, stage)?) } else { None };
        let mut details = BTreeMap::new();
        let ids: Vec<_> = pass.draws.iter().flat_map(|(_, draws)| draws.ids()).map(lit).collect();
        if !ids.is_empty() {
            rows(table.filter(col("id").in_list(ids, false)), |batch| {
                (0..batch.num_rows()).map(|row| drawn(batch, row)).for_each(|drawn| {
                    details.insert(drawn.id.clone(), drawn);
                });
            })
            .await?;
        }
        let mut groups: Vec<Group> = pass
            .draws
            .into_iter()
            .map(|(fate, draws)| {
                let drawn = draws.ids().filter_map(|id| details.get(id).cloned()).collect();
                Group { fate, documents: draws.documents, drawn }
            })
            .collect();
        groups.sort_by(|one, other| one.fate.cmp(&other.fate));
        Ok(Self { stage: stage.to_owned(), groups, scores })
    }
}

/// A pass over the verdicts of a stage.
struct Pass {
    seed: u64,
    stage: String,
    /// Sources of which the stage dropped or cut something.
    concerned: Vec<String>,
    draws: Vec<(Fate, Draws)>,
    kept: [u64; SCORE_BINS],
    dropped: [u64; SCORE_BINS],
}

impl Pass {
    fn new(files: &RunFiles, stage: &str) -> Self {
        let dropped = files.ledger.stages.iter().filter(|entry| entry.stage == stage && entry.kept < entry.r#in);
        let cut = files.ledger.cuts.iter().filter(|entry| entry.stage == stage);
        let concerned = dropped.map(|entry| &entry.source).chain(cut.map(|entry| &entry.source)).cloned().collect();
        Self {
            seed: files.manifest.seed,
            stage: stage.to_owned(),
            concerned,
            draws: Vec::new(),
            kept: [0; SCORE_BINS],
            dropped: [0; SCORE_BINS],
        }
    }

    fn take(&mut self, batch: &RecordBatch) {
        let texts = |column: usize| batch.column(column).as_string_view();
        let (ids, sources, verdicts, reasons) = (texts(0), texts(1), texts(2), texts(3));
        let scores = batch.columns().get(4).map(AsArray::as_primitive::<Float64Type>);
        for row in 0..batch.num_rows() {
            let verdict = verdicts.value(row);
            if let Some(scores) = scores.filter(|scores| scores.is_valid(row)) {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a score is between 0 and 1"
                )]
                let bin = ((scores.value(row) * SCORE_BINS as f64) as usize).min(SCORE_BINS - 1);
                let counts = if verdict == "drop" { &mut self.dropped } else { &mut self.kept };
                counts[bin] += 1;
            }
            if self.concerned.iter().any(|source| source == sources.value(row)) {
                let reason = if verdict == "drop" { reasons.value(row) } else { verdict };
                self.draws_of(verdict, reason).offer(ids.value(row));
            }
        }
    }

    fn draws_of(&mut self, verdict: &str, reason: &str) -> &mut Draws {
        let is_own = |fate: &Fate| match fate {
            Fate::Dropped(own) => verdict == "drop" && own == reason,
            Fate::Cut => verdict == "cut",
            Fate::Kept => verdict == "keep",
        };
        let place = self.draws.iter().position(|(fate, _)| is_own(fate)).unwrap_or_else(|| {
            let fate = match verdict {
                "drop" => Fate::Dropped(reason.to_owned()),
                "cut" => Fate::Cut,
                _ => Fate::Kept,
            };
            let purpose = format!("report/{}/{reason}", self.stage);
            self.draws.push((fate, Draws::new(self.seed, purpose, DRAWN)));
            self.draws.len() - 1
        });
        &mut self.draws[place].1
    }

    fn scores(&self, files: &RunFiles, stage: &str) -> Result<Scores> {
        let steps = files.manifest.recipe["step"].as_array().into_iter().flatten();
        let own_step = |step: &&serde_json::Value| step["name"].as_str().unwrap_or("pareto") == stage;
        let mut steps = steps.filter(|step| step["pareto"].is_object()).filter(own_step);
        let path = files.layout.fitted_alpha(stage);
        let fitted: Option<FittedAlpha> = if path.is_file() { Some(read_json(&path)?) } else { None };
        let written = steps.next().and_then(|step| step["pareto"]["alpha"].as_f64());
        let alpha = fitted.map(|fitted| fitted.alpha).or(written);
        Ok(Scores { alpha, fitted, kept: self.kept, dropped: self.dropped })
    }
}

/// What a row of decisions says besides the verdict.
fn drawn(batch: &RecordBatch, row: usize) -> Drawn {
    let schema = batch.schema();
    let mut drawn = Drawn::default();
    for (field, column) in schema.fields().iter().zip(batch.columns()).filter(|(_, column)| column.is_valid(row)) {
        match field.name().as_str() {
            "id" => column.as_string_view().value(row).clone_into(&mut drawn.id),
            "cuts" => drawn.cuts = cuts_of(column, row),
            "source" | "verdict" | "reason" => {}
            name => drawn.details.push((name.to_owned(), array_value_to_string(column, row).unwrap_or_default())),
        }
    }
    drawn
}
