//! `samples.parquet`: every prompt, answer and score of an evaluation.

use std::{collections::BTreeMap, fs::File, path::Path, sync::Arc};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, Int64Array,
        Int64Builder, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder, StructArray,
    },
    buffer::OffsetBuffer,
    datatypes::{DataType, Field, Fields, Float64Type},
};
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use schemas::columns::{ID, PROMPT, TASK, TEMPLATE};

use super::sample::Sample;
use crate::error::{Error, Result};

/// The name of the file.
pub const FILE: &str = "samples.parquet";

/// Rows that are written together, at most.
const ROWS: usize = 4096;

/// Bytes of their texts, at most, where there are several: a column counts them with 32 bits.
const BYTES: usize = 256 << 20;

/// What a sample is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleKey {
    /// The task.
    pub task: String,
    /// The template.
    pub template: String,
    /// Demonstrations that were asked for.
    pub shots: String,
}

/// The samples as a file of Parquet, in the order that they are given.
///
/// # Panics
/// Never: memory can be written.
#[must_use]
pub fn to_parquet(runs: &[(SampleKey, &[Sample])]) -> Vec<u8> {
    let rows: Vec<(&SampleKey, &Sample)> =
        runs.iter().flat_map(|(key, samples)| samples.iter().map(move |sample| (key, sample))).collect();
    let mut bytes = Vec::new();
    let level = ZstdLevel::try_new(3).expect("the level is one of zstd's");
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let schema = batch(&[]).schema();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties)).expect("the schema can be written");
    for rows in batches(&rows, BYTES) {
        writer.write(&batch(rows)).expect("memory can be written");
    }
    writer.close().expect("memory can be written");
    bytes
}

/// The rows that are written together.
///
/// - `most`: bytes of their texts, where there are several
fn batches<'r>(rows: &'r [(&'r SampleKey, &'r Sample)], most: usize) -> Vec<&'r [(&'r SampleKey, &'r Sample)]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (place, (_, sample)) in rows.iter().enumerate() {
        let own = text_bytes(sample);
        if place > start && (place - start == ROWS || bytes + own > most) {
            batches.push(&rows[start..place]);
            (start, bytes) = (place, 0);
        }
        bytes += own;
    }
    if start < rows.len() {
        batches.push(&rows[start..]);
    }
    batches
}

/// Bytes of all texts of a sample: no column has more of them.
fn text_bytes(sample: &Sample) -> usize {
    let own = [&sample.id, &sample.file, &sample.prompt].into_iter().chain(&sample.answer);
    let texts = own.chain(&sample.generated).chain(&sample.references);
    let answers =
        sample.answers.iter().flat_map(|answer| [&answer.name, &answer.text].into_iter().chain(&answer.prompt));
    texts.chain(answers).map(String::len).sum()
}

fn batch(rows: &[(&SampleKey, &Sample)]) -> RecordBatch {
    let samples = || rows.iter().map(|(_, sample)| *sample);
    let number = |number: usize| i64::try_from(number).expect("a count");
    let texts = |of: &dyn Fn(&Sample) -> String| -> ArrayRef {
        Arc::new(samples().map(|sample| Some(of(sample))).collect::<StringArray>())
    };
    let key = |of: fn(&SampleKey) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|(key, _)| Some(of(key))).collect::<StringArray>())
    };
    let numbers =
        |of: &dyn Fn(&Sample) -> Option<i64>| -> ArrayRef { Arc::new(samples().map(of).collect::<Int64Array>()) };
    let lists = |of: &dyn Fn(&Sample) -> Vec<String>| -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, false));
        samples().for_each(|sample| lists.append_value(of(sample).into_iter().map(Some)));
        Arc::new(lists.finish())
    };
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        (TASK, key(|key| &key.task), false),
        (TEMPLATE, key(|key| &key.template), false),
        ("shots", key(|key| &key.shots), false),
        (ID, texts(&|sample| sample.id.clone()), false),
        ("file", texts(&|sample| sample.file.clone()), false),
        ("number", numbers(&|sample| i64::try_from(sample.number).ok()), false),
        ("shown", numbers(&|sample| Some(i64::from(sample.shown))), false),
        (PROMPT, texts(&|sample| sample.prompt.clone()), false),
        ("answers", answers(rows), false),
        ("gold", numbers(&|sample| sample.gold.map(number)), true),
        ("predicted", numbers(&|sample| sample.predicted.map(number)), true),
        ("generated", lists(&|sample| sample.generated.clone()), false),
        ("answer", Arc::new(samples().map(|sample| sample.answer.clone()).collect::<StringArray>()), true),
        ("references", lists(&|sample| sample.references.clone()), false),
        ("cut_tokens", numbers(&|sample| Some(number(sample.cut))), false),
        ("score", Arc::new(samples().map(|sample| sample.score).collect::<Float64Array>()), true),
        (
            "skipped",
            Arc::new(samples().map(|sample| sample.skip.map(super::Skip::name)).collect::<StringArray>()),
            true,
        ),
        ("leaked", Arc::new(samples().map(|sample| Some(sample.leaked)).collect::<BooleanArray>()), false),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns are of one length")
}

/// The answers of each sample: a list of structs.
fn answers(rows: &[(&SampleKey, &Sample)]) -> ArrayRef {
    let (mut names, mut prompts, mut texts) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let (mut sums, mut neutral, mut greedy) = (Float64Builder::new(), Float64Builder::new(), BooleanBuilder::new());
    let mut counts = [Int64Builder::new(), Int64Builder::new(), Int64Builder::new()];
    for answer in rows.iter().flat_map(|(_, sample)| &sample.answers) {
        let scored = answer.scored;
        names.append_value(&answer.name);
        prompts.append_option(answer.prompt.as_deref());
        texts.append_value(&answer.text);
        sums.append_value(scored.log_likelihood);
        neutral.append_option(scored.neutral);
        greedy.append_value(scored.is_greedy);
        for (column, count) in counts.iter_mut().zip([scored.tokens, scored.characters, scored.bytes]) {
            column.append_value(i64::try_from(count).expect("a count"));
        }
    }
    let [tokens, characters, bytes] = &mut counts;
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("name", Arc::new(names.finish()), false),
        ("prompt", Arc::new(prompts.finish()), true),
        ("text", Arc::new(texts.finish()), false),
        ("log_likelihood", Arc::new(sums.finish()), false),
        ("neutral_log_likelihood", Arc::new(neutral.finish()), true),
        ("is_greedy", Arc::new(greedy.finish()), false),
        ("tokens", Arc::new(tokens.finish()), false),
        ("characters", Arc::new(characters.finish()), false),
        ("bytes", Arc::new(bytes.finish()), false),
    ];
    let fields: Fields = columns
        .iter()
        .map(|(name, column, nullable)| Field::new(*name, column.data_type().clone(), *nullable))
        .collect();
    let items = StructArray::new(fields, columns.into_iter().map(|(_, column, _)| column).collect(), None);
    let item = Arc::new(Field::new("item", items.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|(_, sample)| sample.answers.len()));
    Arc::new(ListArray::new(item, offsets, Arc::new(items), None))
}

/// The scores of an evaluation that was written before: of each run, by the ids of its examples.
pub type ScoresById = BTreeMap<SampleKey, BTreeMap<String, f64>>;

/// Reads the scores of samples that have one.
///
/// # Errors
/// When the file cannot be read, or has other columns.
pub fn read_scores(path: &Path) -> Result<ScoresById> {
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let file = File::open(path).map_err(Error::file("read", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    let wanted = ProjectionMask::columns(builder.parquet_schema(), [TASK, TEMPLATE, "shots", ID, "score"]);
    let reader = builder.with_projection(wanted).build().map_err(|error| damaged(error.to_string()))?;
    let mut scores = ScoresById::new();
    for batch in reader {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        let column =
            |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(format!("it has no column `{name}`")));
        let texts = |name: &str| {
            let column = column(name)?.as_string_opt::<i32>();
            column.ok_or_else(|| damaged(format!("column `{name}` is no text")))
        };
        let [task, template, shots, id] = [TASK, TEMPLATE, "shots", ID].map(texts);
        let (task, template, shots, id) = (task?, template?, shots?, id?);
        let score = column("score")?.as_primitive_opt::<Float64Type>();
        let score = score.ok_or_else(|| damaged("column `score` has no numbers".to_owned()))?;
        for row in (0..batch.num_rows()).filter(|row| score.is_valid(*row)) {
            let key = SampleKey {
                task: task.value(row).to_owned(),
                template: template.value(row).to_owned(),
                shots: shots.value(row).to_owned(),
            };
            scores.entry(key).or_default().insert(id.value(row).to_owned(), score.value(row));
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Skip, choice::ScoredAnswer, sample::SampleAnswer};

    /// However long prompts are, a column of a batch has less than 2 GiB.
    #[test]
    fn batches_are_bounded() {
        let key = SampleKey { task: "t".into(), template: "p".into(), shots: "0".into() };
        let sample = |bytes: usize| Sample { prompt: "a".repeat(bytes), ..Sample::default() };
        let samples = [4, 4, 9, 3, 20, 1].map(sample);
        let rows: Vec<(&SampleKey, &Sample)> = samples.iter().map(|sample| (&key, sample)).collect();
        let lengths = |rows: &[(&SampleKey, &Sample)], most: usize| {
            batches(rows, most).iter().map(|batch| batch.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&rows, 10), [2, 1, 1, 1, 1]);
        assert_eq!(lengths(&rows, 100), [6]);
        assert_eq!(lengths(&vec![rows[0]; 2 * ROWS + 1], 1 << 20), [ROWS, ROWS, 1]);
        assert!(lengths(&[], 10).is_empty());
    }

    #[test]
    fn scores_come_back() -> Result<()> {
        let scored =
            ScoredAnswer { log_likelihood: -1.5, neutral: None, tokens: 2, characters: 3, bytes: 4, is_greedy: true };
        let answer = SampleAnswer { name: "yes".into(), prompt: None, text: " yes".into(), scored };
        let first =
            Sample { id: "a".into(), answers: vec![answer.clone(), answer], score: Some(1.0), ..Sample::default() };
        let second =
            Sample { id: "b".into(), skip: Some(Skip::EmptyAnswer), generated: vec!["x".into()], ..Sample::default() };
        let key = |shots: &str| SampleKey { task: "t".into(), template: "p".into(), shots: shots.into() };
        let samples = [first, second];
        let bytes = to_parquet(&[(key("0"), &samples), (key("max"), &samples[..1])]);
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join(FILE);
        std::fs::write(&path, bytes).expect("it can be written");
        let found = read_scores(&path)?;
        let of_a: BTreeMap<String, f64> = [("a".to_owned(), 1.0)].into();
        assert_eq!(found, [(key("0"), of_a.clone()), (key("max"), of_a)].into());
        Ok(())
    }
}
