//! Rows of preferences out of a file, a few at a time: a prompt, answers to it, and how people rank these.
//!
//! ```text
//! prompt, answers, ranks       ["a", "b", "c"], [2, 1, 2]     b is the best, a and c are a tie
//! prompt, chosen, rejected     "b", "a"                       the same as ["b", "a"], [1, 2]
//! ```
//!
//! A row that is both is one of ranks.
//!
//! Useful for: mixtures of preferences, as `curate` writes them, and files of other tools with these columns. Not useful for: whole
//! conversations in the place of answers; what comes before an answer stands in `prompt`.

use std::path::Path;

use arrow::{array::RecordBatch, datatypes::Schema};
use schemas::{
    columns::{ANSWERS, CHOSEN, ID, PROMPT, RANKS, REJECTED},
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
pub struct PreferenceRow {
    /// Its number in the file, from 1: of the row, or of the line.
    pub number: usize,
    /// The column `id`, where there is one.
    pub id: Option<String>,
    /// What is answered; it may be empty.
    pub prompt: String,
    /// The answers.
    pub answers: Vec<String>,
    /// The rank of each answer: less is better, and equal ones are ties.
    pub ranks: Vec<i64>,
}

/// The preferences of one file, in their order.
pub struct PreferenceRows(Rows);

/// What of a row is read.
const COLUMNS: [&str; 6] = [ID, PROMPT, ANSWERS, RANKS, CHOSEN, REJECTED];
/// The ranks of a chosen answer and of a rejected one.
const BETTER_AND_WORSE: [i64; 2] = [1, 2];
/// How answers stand in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Any number of them with their ranks.
    Ranked,
    /// A better one and a worse one.
    Compared,
}

impl Kind {
    /// The kind of a row with some columns.
    fn of(has: impl Fn(&str) -> bool) -> Option<Self> {
        let kinds = [(Self::Ranked, [ANSWERS, RANKS]), (Self::Compared, [CHOSEN, REJECTED])];
        kinds.into_iter().find(|(_, columns)| columns.iter().all(|column| has(column))).map(|(kind, _)| kind)
    }
}

impl PreferenceRows {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has neither `answers` with `ranks` nor `chosen` with `rejected`.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
        let columns = |schema: &Schema| match Kind::of(|name| schema.field_with_name(name).is_ok()) {
            Some(Kind::Ranked) => Ok(vec![ID, PROMPT, ANSWERS, RANKS]),
            Some(Kind::Compared) => Ok(vec![ID, PROMPT, CHOSEN, REJECTED]),
            None => Err(other_form(&schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>())),
        };
        Ok(Self(Rows::open(path, options, columns)?))
    }

    /// Bytes of the file that are lost, as it is known so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }

    /// The error of a row by its number.
    #[must_use]
    pub fn fault(&self, number: usize, message: &str) -> Error {
        self.0.fault(number, message)
    }

    /// The next few rows, some megabytes of text; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<PreferenceRow>>> {
        let of_batch = |batch: &RecordBatch, first: usize| {
            let columns = Columns::of(batch).map_err(|message| (None, message))?;
            let row = |row: usize| columns.row(row, first + row).map_err(|message| (Some(row), message));
            (0..batch.num_rows()).map(row).collect()
        };
        self.0.next_few(of_batch, from_line)
    }
}

/// What is wrong with a file or a line that has other columns.
fn other_form(columns: &[&str]) -> String {
    let misses = format!("neither `{ANSWERS}` with `{RANKS}` nor `{CHOSEN}` with `{REJECTED}`");
    row_forms::other_form(&misses, columns, "; `curate` writes such rows of tasks with preferences")
}

/// The columns of a batch.
struct Columns {
    ids: Option<Ids>,
    prompts: TextColumn,
    answers: AnswerColumns,
}

enum AnswerColumns {
    Ranked { answers: Lists, ranks: Lists },
    Compared([TextColumn; 2]),
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        let answers = match Kind::of(|name| batch.column_by_name(name).is_some()) {
            Some(Kind::Ranked) => AnswerColumns::Ranked {
                answers: Lists::of(batch, ANSWERS, "texts")?,
                ranks: Lists::of(batch, RANKS, "whole numbers")?,
            },
            Some(Kind::Compared) | None => {
                AnswerColumns::Compared([TextColumn::of(batch, CHOSEN)?, TextColumn::of(batch, REJECTED)?])
            }
        };
        // last: where answers are conversations, there is often no prompt, and that is the smaller fault
        let prompts = TextColumn::of(batch, PROMPT)?;
        Ok(Self { ids: Ids::of(batch), prompts, answers })
    }

    fn row(&self, row: usize, number: usize) -> Result<PreferenceRow, String> {
        let (answers, ranks) = match &self.answers {
            AnswerColumns::Ranked { answers, ranks } => (answers.texts(row)?, ranks.whole_numbers(row)?),
            AnswerColumns::Compared([chosen, rejected]) => {
                (vec![chosen.at(row)?, rejected.at(row)?], BETTER_AND_WORSE.to_vec())
            }
        };
        let prompt = self.prompts.at(row)?;
        let id = self.ids.as_ref().map_or(Ok(None), |ids| ids.at(row))?;
        each_has_a_rank(PreferenceRow { number, id, prompt, answers, ranks })
    }
}

fn each_has_a_rank(row: PreferenceRow) -> Result<PreferenceRow, String> {
    let (answers, ranks) = (row.answers.len(), row.ranks.len());
    if answers == ranks {
        return Ok(row);
    }
    Err(format!("`{ANSWERS}` has {answers} items and `{RANKS}` {ranks}: each answer has a rank"))
}

fn from_line(line: &[u8], number: usize) -> Result<PreferenceRow, String> {
    let value = json_lines::value(line, |key| COLUMNS.contains(&key));
    let value = value.map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    // what is null decides only where nothing else is there
    let given = |key: &str| object.get(key).is_some_and(|value| !value.is_null());
    let kind = Kind::of(given).or_else(|| Kind::of(|key| object.contains_key(key)));
    let Some(kind) = kind else {
        return Err(other_form(&object.keys().map(String::as_str).collect::<Vec<_>>()));
    };
    let (answers, ranks) = match kind {
        Kind::Ranked => {
            let [answers, ranks] = [ANSWERS, RANKS].map(|key| object.remove(key).unwrap_or_default());
            (row_values::texts(ANSWERS, answers)?, row_values::whole_numbers(RANKS, &ranks)?)
        }
        Kind::Compared => {
            let [chosen, rejected] = [CHOSEN, REJECTED].map(|key| row_values::text(key, object.remove(key)));
            (vec![chosen?, rejected?], BETTER_AND_WORSE.to_vec())
        }
    };
    let prompt = row_values::text(PROMPT, object.remove(PROMPT))?;
    each_has_a_rank(PreferenceRow { number, id: row_values::id(&mut object), prompt, answers, ranks })
}

#[cfg(test)]
mod tests {
    use std::{fs::File, sync::Arc};

    use arrow::{
        array::{
            ArrayRef, Int8Builder, LargeListBuilder, LargeStringArray, ListBuilder, StringArray, StringBuilder,
            UInt64Builder, new_null_array,
        },
        datatypes::{DataType, Field, Fields},
    };
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn read_at(path: &Path) -> Result<Vec<PreferenceRow>> {
        let mut rows = PreferenceRows::open(path, ReadOptions::default())?;
        let mut all = Vec::new();
        while let Some(few) = rows.next_few()? {
            all.extend(few);
        }
        Ok(all)
    }

    fn read(lines: &str) -> Result<Vec<PreferenceRow>> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, lines).expect("the file can be written");
        read_at(&path)
    }

    fn row(number: usize, id: Option<&str>, prompt: &str, answers: &[&str], ranks: &[i64]) -> PreferenceRow {
        let answers = answers.iter().map(|text| (*text).to_owned()).collect();
        PreferenceRow { number, id: id.map(str::to_owned), prompt: prompt.to_owned(), answers, ranks: ranks.to_vec() }
    }

    /// Both forms are one and the same row; of a line that is both, ranks count, and what is null is not there.
    #[test]
    fn lines_are_ranked_or_compared() -> Result<()> {
        let lines = concat!(
            r#"{"id": "x", "prompt": "p", "answers": ["a", "b", "c"], "ranks": [3, 1, 3], "more": NaN}"#,
            "\n\n",
            r#"{"id": 7, "prompt": "", "chosen": "a", "rejected": "b"}"#,
            "\n",
            r#"{"prompt": "p", "chosen": "a", "rejected": "b", "answers": ["b", "a"], "ranks": [1, 2]}"#,
            "\n",
            r#"{"prompt": "p", "chosen": "a", "rejected": "b", "answers": null, "ranks": null}"#,
        );
        let expected = [
            row(1, Some("x"), "p", &["a", "b", "c"], &[3, 1, 3]),
            row(3, Some("7"), "", &["a", "b"], &[1, 2]),
            row(4, None, "p", &["b", "a"], &[1, 2]),
            row(5, None, "p", &["a", "b"], &[1, 2]),
        ];
        assert_eq!(read(lines)?, expected);
        Ok(())
    }

    #[test]
    fn a_line_at_fault_is_named() {
        let sound = r#"{"prompt": "p", "chosen": "a", "rejected": "b"}"#;
        for (line, message) in [
            (
                r#"{"prompt": "p", "answers": ["a", "b"], "ranks": [1]}"#,
                "line 2: `answers` has 2 items and `ranks` 1: each answer has a rank",
            ),
            (
                r#"{"prompt": "p", "answers": ["a", 2], "ranks": [1, 2]}"#,
                "line 2: item 2 of `answers` is 2, and no string",
            ),
            (
                r#"{"prompt": "p", "answers": ["a", "b"], "ranks": [1, 2.5]}"#,
                "line 2: item 2 of `ranks` is 2.5, and no whole number",
            ),
            (
                r#"{"prompt": "p", "answers": ["a", "b"], "ranks": 1}"#,
                "line 2: `ranks` is 1, and no list of whole numbers",
            ),
            (r#"{"chosen": "a", "rejected": "b"}"#, "line 2: `prompt` is not there"),
            (r#"{"prompt": null, "chosen": "a", "rejected": "b"}"#, "line 2: `prompt` is null, and no string"),
            (r#"{"prompt": "p", "chosen": "a", "rejected": null}"#, "line 2: `rejected` is null, and no string"),
            (
                r#"{"chosen": [{"role": "user", "content": "a"}], "rejected": []}"#,
                "line 2: `chosen` is a list, as of messages, and texts are wanted: `prompt` holds what comes before",
            ),
            (
                r#"{"prompt": "p", "completion": "a"}"#,
                "line 2: it has neither `answers` with `ranks` nor `chosen` with `rejected`, but `completion`, `prompt`: its rows are \
                 prompts with completions, which `train tune` takes",
            ),
            (r#"{"prompt": "p", "chosen": "a"}"#, "but `chosen`, `prompt`; `curate` writes such rows"),
        ] {
            let error = read(&format!("{sound}\n{line}")).expect_err("it is none").to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    /// Lists and numbers of any type of Arrow are read alike; a row that cannot be is named.
    #[test]
    fn columns_are_read_in_any_type() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.parquet");
        let write = |columns: Vec<(&str, ArrayRef)>| {
            let batch = RecordBatch::try_from_iter_with_nullable(
                columns.into_iter().map(|(name, column)| (name, column, true)),
            );
            let batch = batch.expect("columns of one length");
            let file = File::create(&path).expect("the file can be made");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema can be written");
            writer.write(&batch).and_then(|()| writer.close()).expect("the file can be written");
            read_at(&path)
        };
        let prompts: ArrayRef = Arc::new(StringArray::from(vec![Some("p"), Some("")]));
        let (mut texts, mut long_texts) =
            (ListBuilder::new(StringBuilder::new()), LargeListBuilder::new(StringBuilder::new()));
        let (mut small, mut large) =
            (ListBuilder::new(Int8Builder::new()), LargeListBuilder::new(UInt64Builder::new()));
        for (answers, ranks) in [(&["a", "b", "c"][..], &[2i8, 1, 2][..]), (&["d", "e"][..], &[1i8, 2][..])] {
            texts.append_value(answers.iter().map(|text| Some(*text)));
            long_texts.append_value(answers.iter().map(|text| Some(*text)));
            small.append_value(ranks.iter().map(|rank| Some(*rank)));
            large.append_value(ranks.iter().map(|rank| Some(u64::from(rank.unsigned_abs()))));
        }
        let (texts, small): (ArrayRef, ArrayRef) = (Arc::new(texts.finish()), Arc::new(small.finish()));
        let (long_texts, large): (ArrayRef, ArrayRef) = (Arc::new(long_texts.finish()), Arc::new(large.finish()));
        let expected = [row(1, None, "p", &["a", "b", "c"], &[2, 1, 2]), row(2, None, "", &["d", "e"], &[1, 2])];
        for (answers, ranks) in [(&texts, &small), (&long_texts, &large)] {
            // a file that is both is one of ranks
            let columns = [
                ("ranks", ranks),
                ("chosen", &prompts),
                ("rejected", &prompts),
                ("answers", answers),
                ("prompt", &prompts),
            ];
            assert_eq!(write(columns.map(|(name, column)| (name, Arc::clone(column))).to_vec())?, expected);
        }
        let chosen: ArrayRef = Arc::new(LargeStringArray::from(vec!["a", "b"]));
        let rejected: ArrayRef = Arc::new(StringArray::from(vec![Some("c"), None]));
        let compared = |prompts: &ArrayRef, chosen: &ArrayRef, rejected: &ArrayRef| {
            vec![("prompt", Arc::clone(prompts)), ("chosen", Arc::clone(chosen)), ("rejected", Arc::clone(rejected))]
        };
        assert_eq!(
            write(compared(&prompts, &chosen, &chosen))?,
            [row(1, None, "p", &["a", "a"], &[1, 2]), row(2, None, "", &["b", "b"], &[1, 2])]
        );
        let messages = Fields::from(vec![Field::new("content", DataType::Utf8, true)]);
        let messages = new_null_array(&DataType::new_list(DataType::Struct(messages), true), 2);
        for (columns, message) in [
            (compared(&prompts, &chosen, &rejected), "rows.parquet is damaged: row 2: column `rejected` is null"),
            (compared(&rejected, &chosen, &chosen), "row 2: column `prompt` is null"),
            (
                compared(&prompts, &messages, &messages),
                "column `chosen` has lists, as of messages, and texts are wanted",
            ),
            (compared(&small, &chosen, &chosen), "column `prompt` has lists, as of messages, and texts are wanted"),
            (compared(&prompts, &chosen, &rejected)[1..].to_vec(), "column `prompt` is not there"),
            (
                vec![("prompt", Arc::clone(&prompts)), ("answers", Arc::clone(&texts)), ("ranks", Arc::clone(&texts))],
                "row 1: column `ranks` has items of type Utf8, and not whole numbers",
            ),
            (
                vec![("prompt", Arc::clone(&prompts)), ("answers", Arc::clone(&texts)), ("ranks", Arc::clone(&chosen))],
                "column `ranks` is of type LargeUtf8, and not a list of whole numbers",
            ),
            (vec![("text", Arc::clone(&prompts))], "but `text`: its rows are texts, which `train pretrain` takes"),
        ] {
            let error = write(columns).expect_err("it is none").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }
}
