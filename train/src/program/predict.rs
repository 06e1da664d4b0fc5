//! What a classifier says of examples: a file of predictions, and how good they are where labels are known.
//!
//! ```text
//! predictions.parquet    id (where rows have one), label (null where it is not known), prediction, probabilities
//! evaluation.json        each metric with its 95 % interval
//! ```

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Float32Builder, Int64Array, ListBuilder},
    datatypes::{DataType, Field},
};
use schemas::columns::LABEL;
use serde_json::{Map, Value, json};
use system::AtomicFile;

use super::{example_data::said, row_results, trained_classifier::TrainedClassifier};
use crate::{
    checkpoint::Which,
    data::{Examples, ExamplesReader, LabelRule, ReadOptions, SequenceEncoder, SplitReader as _},
    device::DeviceName,
    error::{Error, Result},
    metrics::{Judged, Metric, interval},
    objective::{Prediction, metrics_of, predictions},
};

/// The column of the class that is given.
pub const PREDICTION: &str = "prediction";
/// The column of the probability of each class.
pub const PROBABILITIES: &str = "probabilities";

/// Which file is predicted, by what, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictOptions {
    /// The folder of a training.
    pub folder: PathBuf,
    /// A file with `sequences`, and with labels or without.
    pub file: PathBuf,
    /// The file to write; `predictions-NAME.parquet` in the folder, with the name of the file, if there is no other.
    pub out: Option<PathBuf>,
    /// Which checkpoint of the training.
    pub which: Which,
    /// The device.
    pub device: DeviceName,
}

/// How good predictions are.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierEvaluation {
    /// Steps that the classifier was trained.
    pub step: u64,
    /// Examples that were predicted.
    pub examples: usize,
    /// Those whose labels are known, on which metrics are taken.
    pub labelled: usize,
    /// The names of the classes, where they have names.
    pub labels: Vec<String>,
    /// Each metric with its value and its 95 % interval; none where no label is known.
    pub metrics: Vec<(Metric, f64, [f64; 2])>,
    /// The file of predictions.
    pub path: PathBuf,
}

/// Predicts a file. The file is read as a whole, and may have no label in some rows, or in all.
///
/// - `note`: is told what is read
///
/// # Errors
/// When the folder holds no classifier, the file cannot be read, a row is at fault, or the predictions cannot be written.
pub fn predict(options: &PredictOptions, note: &mut dyn FnMut(&str)) -> Result<ClassifierEvaluation> {
    let PredictOptions { folder, file, out, which, device } = options;
    if !file.is_file() {
        let message = "there is no such file; one of Parquet or JSON lines is predicted at a time".to_owned();
        return Err(Error::Data { path: file.clone(), message });
    }
    let classifier = TrainedClassifier::load(folder, *which, *device)?;
    let encoder = SequenceEncoder::new(&classifier.tokenizer, classifier.model.model().architecture().context_length)?;
    let reader = ExamplesReader {
        encoder: &encoder,
        kind: classifier.config.kind,
        classes: Some(classifier.outputs),
        labels: LabelRule::Optional,
        options: ReadOptions::default(),
    };
    let examples = reader.file(file, &mut Vec::new())?;
    note(&format!("{}: {}", file.display(), said(&examples)));
    if examples.count() == 0 {
        return Err(Error::Data { path: file.clone(), message: "there is no example to predict".to_owned() });
    }
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let path = out.clone().unwrap_or_else(|| folder.join(format!("predictions-{name}.parquet")));
    evaluate(&classifier, &examples, &path)
}

/// Predicts examples, writes the predictions and says how good they are.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn evaluate(
    classifier: &TrainedClassifier,
    examples: &Examples,
    path: &Path,
) -> Result<ClassifierEvaluation> {
    let TrainedClassifier { model, tokenizer, config, batch_size, seed, step, .. } = classifier;
    let numbers: Vec<usize> = (0..examples.count()).collect();
    let found = predictions(model, config.kind, examples, &numbers, *batch_size, tokenizer.padding());
    AtomicFile::write_whole(path, &parquet(examples, &found))?;
    let judged = numbers.iter().zip(&found);
    let judged: Vec<Judged> =
        judged.filter_map(|(number, found)| Some(found.judged(examples.label(*number)? as usize))).collect();
    let metrics: &[Metric] = if judged.is_empty() { &[] } else { metrics_of(config.kind) };
    let metric = |metric: &Metric| (*metric, metric.value(&judged), interval(&judged, *seed, *metric));
    Ok(ClassifierEvaluation {
        step: *step,
        examples: examples.count(),
        labelled: judged.len(),
        labels: config.labels.clone(),
        metrics: metrics.iter().map(metric).collect(),
        path: path.to_owned(),
    })
}

/// Predictions as a file of Parquet.
fn parquet(examples: &Examples, found: &[Prediction]) -> Vec<u8> {
    let number = |class: usize| i64::try_from(class).expect("classes can be numbered");
    let numbers = 0..examples.count();
    let labels: Int64Array = numbers.clone().map(|place| examples.label(place).map(i64::from)).collect();
    let given: Int64Array = found.iter().map(|prediction| Some(number(prediction.class()))).collect();
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let mut probabilities = ListBuilder::new(Float32Builder::new()).with_field(item);
    for prediction in found {
        probabilities.append_value(prediction.probabilities().into_iter().map(Some));
    }
    let names: Vec<Option<&str>> = numbers.map(|place| examples.name(place)).collect();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        (LABEL, Arc::new(labels), true),
        (PREDICTION, Arc::new(given), false),
        (PROBABILITIES, Arc::new(probabilities.finish()), false),
    ];
    row_results::parquet(names, columns)
}

impl ClassifierEvaluation {
    /// What `evaluation.json` says.
    #[must_use]
    pub fn json(&self) -> Value {
        let metric = |(metric, value, [low, high]): &(Metric, f64, [f64; 2])| {
            (metric.name().to_owned(), json!({"value": value, "low": low, "high": high}))
        };
        let metrics: Map<String, Value> = self.metrics.iter().map(metric).collect();
        let mut json =
            json!({"step": self.step, "examples": self.examples, "labelled": self.labelled, "metrics": metrics});
        if !self.labels.is_empty() {
            json["labels"] = json!(self.labels);
        }
        json
    }
}

/// A line for each metric.
impl fmt::Display for ClassifierEvaluation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, examples, labelled, metrics, .. } = self;
        write!(formatter, "{examples} examples after {step} steps")?;
        match labelled {
            0 => formatter.write_str("; no label is known")?,
            _ if labelled < examples => write!(formatter, "; of {labelled} the label is known")?,
            _ => {}
        }
        for (metric, value, [low, high]) in metrics {
            write!(formatter, "\n{} {value:.4} ({low:.4} to {high:.4})", metric.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_has_values_and_intervals() {
        let evaluation = ClassifierEvaluation {
            step: 40,
            examples: 3,
            labelled: 2,
            labels: vec!["no".into(), "yes".into()],
            metrics: vec![(Metric::Accuracy, 0.5, [0.0, 1.0])],
            path: PathBuf::new(),
        };
        let text = "3 examples after 40 steps; of 2 the label is known\naccuracy 0.5000 (0.0000 to 1.0000)";
        assert_eq!(evaluation.to_string(), text);
        let json = json!({
            "step": 40, "examples": 3, "labelled": 2, "labels": ["no", "yes"],
            "metrics": {"accuracy": {"value": 0.5, "low": 0.0, "high": 1.0}},
        });
        assert_eq!(evaluation.json(), json);
    }
}
