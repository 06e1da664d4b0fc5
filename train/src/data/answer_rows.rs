//! Rows of prompts with answers out of a file, whether somebody ranked these or not: what a reward model is asked about.
//!
//! ```text
//! prompt, answers               some
//! prompt, completion            one
//! prompt, chosen, rejected      two
//! ```
//!
//! Of a row that is several of these, the first counts.

use std::path::Path;

use arrow::{array::RecordBatch, datatypes::Schema};
use schemas::{
    columns::{ANSWERS, CHOSEN, COMPLETION, ID, PROMPT, REJECTED},
    json_lines,
};
use serde_json::Value;

use super::{
    read_options::ReadOptions,
    row_forms,
    row_values::{self, Ids, Lists, TextColumn},
    rows::Rows,
};
use crate::error::{Error, Result};

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// Its number in the file, from 1: of the row, or of the line.
    pub number: usize,
    /// The column `id`, where there is one.
    pub id: Option<String>,
    /// What is answered; it may be empty.
    pub prompt: String,
    /// The answers.
    pub answers: Vec<String>,
}

/// How answers stand in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answers,
    Completion,
    Compared,
}

/// The rows of one file, in their order.
pub struct AnswerRows {
    rows: Rows,
    /// Each row so far had a completion.
    are_completions: bool,
}

/// What of a row is read.
const COLUMNS: [&str; 6] = [ID, PROMPT, ANSWERS, COMPLETION, CHOSEN, REJECTED];

impl Kind {
    const ALL: [(Self, &'static [&'static str]); 3] =
        [(Self::Answers, &[ANSWERS]), (Self::Completion, &[COMPLETION]), (Self::Compared, &[CHOSEN, REJECTED])];

    /// The kind of a row with some columns.
    fn of(has: impl Fn(&str) -> bool) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, columns)| columns.iter().all(|column| has(column))).map(|(kind, _)| kind)
    }

    fn columns(self) -> &'static [&'static str] {
        Self::ALL.into_iter().find(|(kind, _)| *kind == self).expect("each has its columns").1
    }
}

impl AnswerRows {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has no answers.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
        let columns = |schema: &Schema| match Kind::of(|name| schema.field_with_name(name).is_ok()) {
            Some(kind) => Ok([&[ID, PROMPT], kind.columns()].concat()),
            None => Err(other_form(&schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>())),
        };
        Ok(Self { rows: Rows::open(path, options, columns)?, are_completions: true })
    }

    /// Whether each row that was read has one answer, as its completion.
    #[must_use]
    pub fn are_completions(&self) -> bool {
        self.are_completions
    }

    /// The error of a row by its number.
    #[must_use]
    pub fn fault(&self, number: usize, message: &str) -> Error {
        self.rows.fault(number, message)
    }

    /// The next few rows, some megabytes of text; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<AnswerRow>>> {
        let of_batch = |batch: &RecordBatch, first: usize| {
            let columns = Columns::of(batch).map_err(|message| (None, message))?;
            let row = |row: usize| columns.row(row, first + row).map_err(|message| (Some(row), message));
            (0..batch.num_rows()).map(row).collect()
        };
        let Some(few) = self.rows.next_few(of_batch, from_line)? else { return Ok(None) };
        self.are_completions &= few.iter().all(|(kind, _)| *kind == Kind::Completion);
        Ok(Some(few.into_iter().map(|(_, row)| row).collect()))
    }
}

/// What is wrong with a file or a line that has other columns.
fn other_form(columns: &[&str]) -> String {
    let misses = format!("neither `{COMPLETION}` nor `{ANSWERS}`, nor `{CHOSEN}` with `{REJECTED}`");
    row_forms::other_form(&misses, columns, "")
}

/// The columns of a batch.
struct Columns {
    kind: Kind,
    ids: Option<Ids>,
    prompts: TextColumn,
    lists: Option<Lists>,
    texts: Vec<TextColumn>,
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        let kind = Kind::of(|name| batch.column_by_name(name).is_some()).ok_or("it has no answers")?;
        let (lists, texts) = match kind {
            Kind::Answers => (Some(Lists::of(batch, ANSWERS, "texts")?), Vec::new()),
            Kind::Completion | Kind::Compared => {
                let columns = kind.columns().iter().map(|name| TextColumn::of(batch, name));
                (None, columns.collect::<Result<_, _>>()?)
            }
        };
        Ok(Self { kind, ids: Ids::of(batch), prompts: TextColumn::of(batch, PROMPT)?, lists, texts })
    }

    fn row(&self, row: usize, number: usize) -> Result<(Kind, AnswerRow), String> {
        let answers = match &self.lists {
            Some(lists) => lists.texts(row)?,
            None => self.texts.iter().map(|texts| texts.at(row)).collect::<Result<_, _>>()?,
        };
        let id = self.ids.as_ref().map_or(Ok(None), |ids| ids.at(row))?;
        Ok((self.kind, AnswerRow { number, id, prompt: self.prompts.at(row)?, answers }))
    }
}

fn from_line(line: &[u8], number: usize) -> Result<(Kind, AnswerRow), String> {
    let value = json_lines::value(line, |key| COLUMNS.contains(&key)).map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    // what is null decides only where nothing else is there
    let given = |key: &str| object.get(key).is_some_and(|value| !value.is_null());
    let Some(kind) = Kind::of(given).or_else(|| Kind::of(|key| object.contains_key(key))) else {
        return Err(other_form(&object.keys().map(String::as_str).collect::<Vec<_>>()));
    };
    let answers = match kind {
        Kind::Answers => row_values::texts(ANSWERS, object.remove(ANSWERS).unwrap_or_default())?,
        Kind::Completion | Kind::Compared => {
            let texts = kind.columns().iter().map(|key| row_values::text(key, object.remove(*key)));
            texts.collect::<Result<_, _>>()?
        }
    };
    let prompt = row_values::text(PROMPT, object.remove(PROMPT))?;
    Ok((kind, AnswerRow { number, id: row_values::id(&mut object), prompt, answers }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<(Vec<AnswerRow>, bool)> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, lines).expect("the file can be written");
        let mut rows = AnswerRows::open(&path, ReadOptions::default())?;
        let mut all = Vec::new();
        while let Some(few) = rows.next_few()? {
            all.extend(few);
        }
        Ok((all, rows.are_completions()))
    }

    /// The three forms, of which none needs a rank; a file of completions is known as one.
    #[test]
    fn answers_stand_in_three_ways() -> Result<()> {
        let completion = "{\"prompt\": \"p\", \"completion\": \"a\", \"id\": 3}\n";
        let (rows, are_completions) = read(completion)?;
        let row = |number: usize, id: Option<&str>, answers: &[&str]| AnswerRow {
            number,
            id: id.map(str::to_owned),
            prompt: "p".into(),
            answers: answers.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!((&rows[..], are_completions), (&[row(1, Some("3"), &["a"])][..], true));
        let others = "{\"prompt\": \"p\", \"answers\": [\"a\", \"\"]}\n{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \"b\"}";
        let (rows, are_completions) = read(&format!("{completion}{others}"))?;
        assert_eq!(rows[1..], [row(2, None, &["a", ""]), row(3, None, &["a", "b"])]);
        assert!(!are_completions);
        let error = read("{\"text\": \"a\"}").expect_err("it has no answer").to_string();
        assert!(
            error.contains("line 1: it has neither `completion` nor `answers`") && error.contains("`train pretrain`")
        );
        let error = read("{\"completion\": \"a\"}").expect_err("it has no prompt").to_string();
        assert!(error.contains("line 1: `prompt` is not there"), "{error}");
        Ok(())
    }
}
