//! Prompts out of a mixture or a file: rows with a `prompt`, whatever else they have.
//!
//! ```text
//! Parquet, JSON lines -> prompt, id (or the file's name and the row's number), source
//! the same id again, with the same prompt     once
//!                    with another prompt      ID#2, ID#3: mixtures have an example in several templates
//! ```
//!
//! Useful for: mixtures of prompts with completions or preferences, and lists of prompts. Not useful for: conversations; what is said before
//! an answer stands in `prompt`.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    path::Path,
};

use arrow::{
    array::{Array as _, ArrayRef, RecordBatch},
    compute::cast,
    datatypes::DataType,
};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use schemas::{
    columns::{ID, PROMPT},
    json_lines,
    text_columns::{TEXT_TYPES, Texts},
};
use serde_json::Value;

use crate::{
    data::{HashedFiles, Lines, ReadOptions, SourceFiles},
    error::{Error, Result},
};

/// Rows of a Parquet file that are in memory together.
const BATCH: usize = 1024;

/// A prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What no other prompt is called.
    pub id: String,
    /// What is answered.
    pub text: String,
    /// The file and row that it came from, in words.
    pub source: String,
}

/// The prompts of a mixture, a file, or a folder of files, in their order; of a mixture those to train on.
///
/// # Errors
/// When there is none, a file cannot be read or is not the one that a run of `curate` wrote, or a row has no prompt: with the row.
pub fn read_prompts(path: &Path) -> Result<Vec<Prompt>> {
    let files = SourceFiles::find(path)?;
    // reads them once more: what a run of curate wrote is held to its hashes
    HashedFiles::new(files.clone())?;
    let mut prompts = Prompts::default();
    for file in &files.train {
        if file.extension().is_some_and(|extension| extension == "parquet") {
            of_parquet(file, &mut prompts)?;
        } else {
            of_lines(file, &mut prompts)?;
        }
    }
    if prompts.all.is_empty() {
        return Err(Error::Data { path: path.to_owned(), message: "it has no prompts".into() });
    }
    Ok(prompts.all)
}

/// Prompts so far.
#[derive(Default)]
struct Prompts {
    all: Vec<Prompt>,
    /// The place of each by its id.
    places: HashMap<String, usize>,
}

impl Prompts {
    /// Adds one, unless it is there.
    ///
    /// - `place`: such as `line 3`; `number`: the 3 of it
    fn add(&mut self, file: &Path, (place, number): (&str, usize), id: Option<String>, prompt: String) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let source = format!("{name}, {place}");
        let first = id.unwrap_or_else(|| format!("{name}:{number}"));
        let mut id = first.clone();
        for copy in 2.. {
            match self.places.entry(id.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(self.all.len());
                    self.all.push(Prompt { id, text: prompt, source });
                    return;
                }
                Entry::Occupied(entry) if self.all[*entry.get()].text == prompt => return,
                Entry::Occupied(_) => id = format!("{first}#{copy}"),
            }
        }
    }
}

fn of_lines(path: &Path, prompts: &mut Prompts) -> Result<()> {
    let mut lines = Lines::open(path, ReadOptions::default())?;
    while let Some((number, line)) = lines.next_line()? {
        let place = format!("line {number}");
        let (id, prompt) = of_line(&line)
            .map_err(|message| Error::Damaged { path: path.to_owned(), message: format!("{place}: {message}") })?;
        prompts.add(path, (&place, usize::try_from(number).unwrap_or(usize::MAX)), id, prompt);
    }
    Ok(())
}

fn of_line(line: &str) -> Result<(Option<String>, String), String> {
    let value = json_lines::value(line.as_bytes(), |key| key == ID || key == PROMPT);
    let Value::Object(mut object) = value.map_err(|fault| fault.to_string())? else {
        return Err("it is no object".into());
    };
    let prompt = match object.remove(PROMPT) {
        Some(Value::String(prompt)) => prompt,
        Some(_) => return Err(format!("`{PROMPT}` is no string")),
        None => return Err(format!("it has no `{PROMPT}`")),
    };
    let id = match object.remove(ID) {
        Some(Value::String(id)) => Some(id),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    Ok((id.filter(|id| !id.is_empty()), prompt))
}

fn of_parquet(path: &Path, prompts: &mut Prompts) -> Result<()> {
    let damaged = |message: String| Error::Damaged { path: path.to_owned(), message };
    let file = File::open(path).map_err(Error::file("read", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    let roots = builder.schema().fields().iter().enumerate();
    let roots = roots.filter(|(_, field)| [ID, PROMPT].contains(&field.name().as_str())).map(|(place, _)| place);
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots.collect::<Vec<_>>());
    let rows = builder.with_projection(mask).with_batch_size(BATCH).build();
    let mut before = 0;
    for batch in rows.map_err(|error| damaged(error.to_string()))? {
        let batch = batch.map_err(|error| damaged(format!("after row {before}: {error}")))?;
        let columns = Columns::of(&batch).map_err(damaged)?;
        for row in 0..batch.num_rows() {
            before += 1;
            let place = format!("row {before}");
            let (id, prompt) = columns.row(row).map_err(|message| damaged(format!("{place}: {message}")))?;
            prompts.add(path, (&place, before), id, prompt);
        }
    }
    Ok(())
}

/// The columns of a batch.
struct Columns {
    ids: Option<Texts>,
    prompts: Texts,
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        let column = batch.column_by_name(PROMPT).ok_or_else(|| format!("it has no column `{PROMPT}`"))?;
        let prompts = Texts::of(column).ok_or_else(|| {
            format!("column `{PROMPT}` is of type {}, and not text: {TEXT_TYPES}", column.data_type())
        })?;
        let numbers = |column: &ArrayRef| {
            let numbers = column.data_type().is_integer().then(|| cast(column, &DataType::Utf8).ok())?;
            Texts::of(&numbers?)
        };
        let ids = batch.column_by_name(ID).and_then(|column| Texts::of(column).or_else(|| numbers(column)));
        Ok(Self { ids, prompts })
    }

    fn row(&self, row: usize) -> Result<(Option<String>, String), String> {
        let at = |texts: &Texts, name: &str| match texts.at(row) {
            Ok(text) => Ok(text.map(str::to_owned)),
            Err(error) => Err(format!("column `{name}` is not UTF-8: {error}")),
        };
        let prompt = at(&self.prompts, PROMPT)?.ok_or_else(|| format!("column `{PROMPT}` is null"))?;
        let id = self.ids.as_ref().map_or(Ok(None), |ids| at(ids, ID))?;
        Ok((id.filter(|id| !id.is_empty()), prompt))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use arrow::array::{Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn prompt(id: &str, prompt: &str, source: &str) -> Prompt {
        Prompt { id: id.into(), text: prompt.into(), source: source.into() }
    }

    /// Rows have names of their own, or those of their places; an example in two templates is two prompts, and a copy is none.
    #[test]
    fn a_prompt_has_a_name_of_its_own() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("prompts.jsonl");
        let lines = concat!(
            "{\"prompt\": \"a\"}\n\n{\"id\": \"x\", \"prompt\": \"b\", \"completion\": \"c\"}\n{\"id\": 7, \"prompt\": \"\"}\n",
            "{\"id\": \"x\", \"prompt\": \"d\"}\n{\"id\": \"x\", \"prompt\": \"d\", \"completion\": \"e\"}\n",
        );
        fs::write(&path, lines).expect("it can be written");
        let expected = [
            prompt("prompts.jsonl:1", "a", "prompts.jsonl, line 1"),
            prompt("x", "b", "prompts.jsonl, line 3"),
            prompt("7", "", "prompts.jsonl, line 4"),
            prompt("x#2", "d", "prompts.jsonl, line 5"),
        ];
        assert_eq!(read_prompts(&path)?, expected);
        for (lines, message) in [
            ("{\"prompt\": \"a\"}\n{\"text\": \"b\"}", "line 2: it has no `prompt`"),
            ("{\"prompt\": 3}", "line 1: `prompt` is no string"),
            ("[]", "line 1: it is no object"),
            ("", "it has no prompts"),
        ] {
            fs::write(&path, lines).expect("it can be written");
            let error = read_prompts(&path).expect_err("there is none").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }

    #[test]
    fn columns_are_prompts() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("train-0.parquet");
        let read = |columns: Vec<(&str, ArrayRef)>| {
            let columns = columns.into_iter().map(|(name, column)| (name, column, true));
            let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("one length");
            let file = File::create(&path).expect("the file can be made");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema can be written");
            writer.write(&batch).and_then(|()| writer.close()).expect("the file can be written");
            read_prompts(folder.path())
        };
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None]));
        let found = read(vec![("id", Arc::clone(&numbers)), ("prompt", Arc::clone(&texts))])?;
        let expected =
            [prompt("5", "a", "train-0.parquet, row 1"), prompt("train-0.parquet:2", "b", "train-0.parquet, row 2")];
        assert_eq!(found, expected);
        let nulls: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        for (columns, message) in [
            (vec![("prompt", nulls)], "row 2: column `prompt` is null"),
            (vec![("prompt", numbers)], "column `prompt` is of type Int64, and not text"),
            (vec![("text", texts)], "it has no column `prompt`"),
        ] {
            let error = read(columns).expect_err("there is none").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }
}
