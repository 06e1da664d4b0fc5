//! A trained classifier on hashed words, in memory and on disk.

use std::{fs::File, path::Path, sync::Arc};

use datafusion::arrow::{
    array::{AsArray as _, Float64Array, RecordBatch, UInt32Array},
    datatypes::{DataType, Field, Float64Type, Schema, UInt32Type},
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{
    features::{Features, HashedWords},
    logistic::Fitted,
};
use crate::{
    error::{Error, Result},
    files::{PartialFile, Version, Written},
};

/// How hashed words are learned and scored.
pub const VERSION: Version = Version::new("learn/hashed", 1);

/// One weight for each feature.
#[derive(Debug, Clone, PartialEq)]
pub struct HashedModel {
    features: HashedWords,
    weights: Vec<f64>,
    intercept: f64,
}

impl HashedModel {
    /// Puts the weights of a fit, whose columns are `columns`, in their places.
    #[must_use]
    pub fn new(features: HashedWords, columns: &[u32], fitted: &Fitted) -> Self {
        let mut weights = vec![0.0; features.count()];
        columns.iter().zip(&fitted.weights).for_each(|(&feature, &weight)| weights[feature as usize] = weight);
        Self { features, weights, intercept: fitted.intercept }
    }

    /// How texts become features.
    #[must_use]
    pub fn features(&self) -> HashedWords {
        self.features
    }

    /// The weight of a feature.
    #[must_use]
    pub fn weight(&self, feature: u32) -> f64 {
        self.weights[feature as usize]
    }

    /// The log-odds that `text` is of the reference.
    #[must_use]
    pub fn log_odds(&self, text: &str, buffer: &mut Features) -> f64 {
        self.features.take(text, buffer);
        self.log_odds_of(&buffer.entries)
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
            (0u32..).zip(self.weights.iter().copied()).filter(|(_, weight)| is_of(*weight)).collect();
        all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then(one.0.cmp(&other.0)));
        all.truncate(count);
        all
    }

    /// Publishes the model as Parquet: the columns `feature` and `weight`, without zeros. The intercept stands in a row of
    /// its own, whose feature is one past the last.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<Written> {
        let (mut numbers, mut weights) = (Vec::new(), Vec::new());
        for (feature, weight) in (0u32..).zip(self.weights.iter().chain([&self.intercept])) {
            if *weight != 0.0 || feature as usize == self.weights.len() {
                numbers.push(feature);
                weights.push(*weight);
            }
        }
        let schema = Arc::new(Schema::new(vec![
            Field::new("feature", DataType::UInt32, false),
            Field::new("weight", DataType::Float64, false),
        ]));
        let columns: Vec<Arc<dyn datafusion::arrow::array::Array>> =
            vec![Arc::new(UInt32Array::from(numbers)), Arc::new(Float64Array::from(weights))];
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("both columns have one length");
        let file = PartialFile::create(path)?;
        let damaged =
            |error: parquet::errors::ParquetError| Error::Model { path: path.to_owned(), message: error.to_string() };
        let mut writer = ArrowWriter::try_new(file, schema, None).map_err(damaged)?;
        writer.write(&batch).map_err(damaged)?;
        writer.into_inner().map_err(damaged)?.publish()
    }

    /// Reads what [`HashedModel::save`] wrote.
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
            entries.extend(numbers.values().iter().copied().zip(weights.values().iter().copied()));
        }
        let (count, intercept) = entries.pop().ok_or_else(|| damaged("it is empty".into()))?;
        let sound = count as usize == features.count() && entries.iter().all(|(feature, _)| *feature < count);
        if !sound {
            let wanted = features.count();
            return Err(damaged(format!(
                "its last row should be the intercept, of feature {wanted}, but has the feature {count}"
            )));
        }
        let mut weights = vec![0.0; count as usize];
        entries.into_iter().for_each(|(feature, weight)| weights[feature as usize] = weight);
        Ok(Self { features, weights, intercept })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_as_it_was_written() -> Result<()> {
        let fitted = Fitted { weights: vec![0.1, -2.5], intercept: 1.0 / 3.0, iterations: 1 };
        let features = HashedWords { bits: 10, ..HashedWords::default() };
        let model = HashedModel::new(features, &[7, 1023], &fitted);
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("weights.parquet");
        model.save(&path)?;
        assert_eq!(HashedModel::load(&path, features)?, model);
        assert!(HashedModel::load(&path, HashedWords::default()).is_err(), "it has other features");
        assert_eq!(model.largest(false, 9), [(1023, -2.5)]);
        Ok(())
    }
}
