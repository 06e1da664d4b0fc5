//! A trained classifier on hashed words, in memory and on disk.

use std::{
    fs::File,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use datafusion::arrow::{
    array::{AsArray as _, Float64Array, RecordBatch, UInt32Array, UInt64Array},
    datatypes::{DataType, Field, Float64Type, Schema, UInt32Type, UInt64Type},
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{
    features::{Features, HashedWords, TAGS},
    logistic::Fitted,
};
use crate::{
    error::{Error, Result},
    files::{HashedFile, Version, Written},
};

/// How hashed words are learned and scored.
pub const VERSION: Version = Version::new("learn/hashed", 1);

/// One weight for each feature, and which words have it.
#[derive(Debug, Clone, PartialEq)]
pub struct HashedModel {
    features: HashedWords,
    cells: Vec<Cell>,
    intercept: f64,
    /// The share of tags that were seen: how likely a word that was never seen is taken for one that was.
    chance: f64,
}

/// What is known of a feature; both in one line of the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Cell {
    weight: f64,
    /// The tags of the words that were seen in training.
    seen: u64,
}

/// The words and n-grams that are seen in training, by many threads: of each feature their tags.
pub struct Seen(Vec<AtomicU64>);

impl Seen {
    /// None so far.
    #[must_use]
    pub fn new(features: HashedWords) -> Self {
        Self((0..features.count()).map(|_| AtomicU64::new(0)).collect())
    }

    /// Notes what was taken last. The result does not depend on the order.
    pub fn note(&self, features: HashedWords, taken: &Features) {
        features.each_tag(taken, |feature, tag| {
            let (tags, bit) = (&self.0[feature as usize], 1 << tag);
            // most are there already, and reading is shared
            if tags.load(Ordering::Relaxed) & bit == 0 {
                tags.fetch_or(bit, Ordering::Relaxed);
            }
        });
    }
}

impl HashedModel {
    /// Puts the weights of a fit, whose columns are `columns`, in their places.
    #[must_use]
    pub fn new(features: HashedWords, columns: &[u32], fitted: &Fitted, seen: &Seen) -> Self {
        let seen = seen.0.iter().map(|tags| Cell { weight: 0.0, seen: tags.load(Ordering::Relaxed) });
        let mut cells: Vec<Cell> = seen.collect();
        columns.iter().zip(&fitted.weights).for_each(|(&feature, &weight)| cells[feature as usize].weight = weight);
        Self::of_cells(features, cells, fitted.intercept)
    }

    fn of_cells(features: HashedWords, cells: Vec<Cell>, intercept: f64) -> Self {
        let seen: u64 = cells.iter().map(|cell| u64::from(cell.seen.count_ones())).sum();
        let chance = seen as f64 / (cells.len() as f64 * f64::from(TAGS));
        Self { features, cells, intercept, chance }
    }

    /// How texts become features.
    #[must_use]
    pub fn features(&self) -> HashedWords {
        self.features
    }

    /// The weight of a feature.
    #[must_use]
    pub fn weight(&self, feature: u32) -> f64 {
        self.cells[feature as usize].weight
    }

    /// The log-odds that `text` is of the reference, and the share of its words and n-grams that were seen in training, without what is taken
    /// for seen by chance; 0 for a text without words.
    #[must_use]
    pub fn read(&self, text: &str, buffer: &mut Features) -> (f64, f64) {
        self.features.take(text, buffer);
        let log_odds = self.log_odds_of(&buffer.entries);
        let (mut seen, mut all) = (0, 0);
        self.features.each_tag(buffer, |feature, tag| {
            seen += self.cells[feature as usize].seen >> tag & 1;
            all += 1u64;
        });
        if all == 0 {
            return (log_odds, 0.0);
        }
        let share = seen as f64 / all as f64;
        let beyond_chance = (share - self.chance) / (1.0 - self.chance);
        // where every tag was seen nothing tells what was not
        (log_odds, if self.chance < 1.0 { beyond_chance.clamp(0.0, 1.0) } else { share })
    }

    /// The same of features.
    #[must_use]
    pub fn log_odds_of(&self, entries: &[(u32, f32)]) -> f64 {
        let products = entries.iter().map(|&(feature, value)| self.weight(feature) * f64::from(value));
        self.intercept + products.sum::<f64>()
    }

    /// The features with the largest weights, those of the reference or of the rest, the largest first.
    #[must_use]
    pub fn largest(&self, of_reference: bool, count: usize) -> Vec<(u32, f64)> {
        let is_of = |weight: f64| if of_reference { weight > 0.0 } else { weight < 0.0 };
        let mut all: Vec<(u32, f64)> =
            (0u32..).zip(self.cells.iter().map(|cell| cell.weight)).filter(|(_, weight)| is_of(*weight)).collect();
        all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then(one.0.cmp(&other.0)));
        all.truncate(count);
        all
    }

    /// Publishes the model as Parquet: the columns `feature`, `weight` and `seen`, a bit for each tag of a word that was seen in training,
    /// without features of which nothing is known. The intercept stands in a row of its own, whose feature is one past the last.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<Written> {
        let (mut numbers, mut weights, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        let last = Cell { weight: self.intercept, seen: 0 };
        for (feature, cell) in (0u32..).zip(self.cells.iter().chain([&last])) {
            if *cell != Cell::default() || feature as usize == self.cells.len() {
                numbers.push(feature);
                weights.push(cell.weight);
                seen.push(cell.seen);
            }
        }
        let schema = Arc::new(Schema::new(vec![
            Field::new("feature", DataType::UInt32, false),
            Field::new("weight", DataType::Float64, false),
            Field::new("seen", DataType::UInt64, false),
        ]));
        let columns: Vec<Arc<dyn datafusion::arrow::array::Array>> = vec![
            Arc::new(UInt32Array::from(numbers)),
            Arc::new(Float64Array::from(weights)),
            Arc::new(UInt64Array::from(seen)),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("the columns have one length");
        let file = HashedFile::create(path)?;
        let damaged =
            |error: parquet::errors::ParquetError| Error::Model { path: path.to_owned(), message: error.to_string() };
        let mut writer = ArrowWriter::try_new(file, schema, None).map_err(damaged)?;
        writer.write(&batch).map_err(damaged)?;
        Ok(writer.into_inner().map_err(damaged)?.publish()?)
    }

    /// Reads what [`HashedModel::save`] wrote. Of models from before there was a column `seen`, every word of a feature with a weight counts
    /// as seen.
    ///
    /// # Errors
    /// When there is no such file, or it is no model of such features.
    pub fn load(path: &Path, features: HashedWords) -> Result<Self> {
        let damaged = |message: String| Error::Model { path: path.to_owned(), message };
        let file = File::open(path).map_err(Error::file("read", path))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(|error| damaged(error.to_string()))?;
        let mut entries = Vec::new();
        for batch in reader {
            let batch = batch.map_err(|error| damaged(error.to_string()))?;
            let columns =
                (batch.column(0).as_primitive_opt::<UInt32Type>(), batch.column(1).as_primitive_opt::<Float64Type>());
            let (Some(numbers), Some(weights)) = columns else {
                return Err(damaged("its columns are not `feature` and `weight`".into()));
            };
            let seen = batch.column_by_name("seen").and_then(|seen| seen.as_primitive_opt::<UInt64Type>());
            let cells = weights.values().iter().enumerate().map(|(row, weight)| {
                let of_weight = if *weight == 0.0 { 0 } else { u64::MAX };
                Cell { weight: *weight, seen: seen.map_or(of_weight, |seen| seen.value(row)) }
            });
            entries.extend(numbers.values().iter().copied().zip(cells));
        }
        let (count, intercept) = entries.pop().ok_or_else(|| damaged("it is empty".into()))?;
        let sound = count as usize == features.count() && entries.iter().all(|(feature, _)| *feature < count);
        if !sound {
            let wanted = features.count();
            return Err(damaged(format!(
                "its last row should be the intercept, of feature {wanted}, but has the feature {count}"
            )));
        }
        let mut cells = vec![Cell::default(); count as usize];
        entries.into_iter().for_each(|(feature, cell)| cells[feature as usize] = cell);
        Ok(Self::of_cells(features, cells, intercept.weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_as_it_was_written() -> Result<()> {
        let fitted = Fitted { weights: vec![0.1, -2.5], intercept: 1.0 / 3.0, iterations: 1 };
        let features = HashedWords { bits: 10, ..HashedWords::default() };
        let seen = Seen::new(features);
        let mut buffer = Features::default();
        features.take("tide and sail", &mut buffer);
        seen.note(features, &buffer);
        let model = HashedModel::new(features, &[7, 1023], &fitted, &seen);
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("weights.parquet");
        model.save(&path)?;
        assert_eq!(HashedModel::load(&path, features)?, model);
        assert!(HashedModel::load(&path, HashedWords::default()).is_err(), "it has other features");
        assert_eq!(model.largest(false, 9), [(1023, -2.5)]);
        Ok(())
    }

    /// Also where every feature was seen, and a quarter of all tags: what was not seen is told from what was.
    #[test]
    fn what_was_seen_is_known_and_what_was_not_is_not() {
        let features = HashedWords { bits: 8, ..HashedWords::default() };
        let seen = Seen::new(features);
        let mut buffer = Features::default();
        let words = |from: u32| (from..from + 2500).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        features.take(&words(0), &mut buffer);
        seen.note(features, &buffer);
        let fitted = Fitted { weights: vec![], intercept: 0.0, iterations: 0 };
        let model = HashedModel::new(features, &[], &fitted, &seen);
        let mut known = |text: &str| model.read(text, &mut buffer).1;
        assert!((known(&words(0)) - 1.0).abs() < 1e-9);
        assert!(known(&words(10_000)) < 0.03, "{}", known(&words(10_000)));
        // half of the words, and of the bigrams
        let half = known(&(words(0) + " " + &words(10_000)));
        assert!((half - 0.5).abs() < 0.03, "{half}");
        assert!(known("") == 0.0 && known(" \n ") == 0.0);
    }
}
