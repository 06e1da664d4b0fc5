//! Prompts that a policy is asked to answer, as ids in memory.
//!
//! ```text
//! prompt      all of it; where it leaves no room for an answer, it loses its beginning, behind what stands before every text
//! text        its first few tokens, which are to be continued
//! ```
//!
//! A prompt begins as it does where a model writes: with what the tokenizer puts before every text, and never with nothing.

use std::path::Path;

use arrow::{array::RecordBatch, datatypes::Schema};
use schemas::{
    columns::{ID, PROMPT, TEXT},
    json_lines,
};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    Cut, ReadOptions,
    answer_encoder::{begun, cut_behind},
    examples::sample,
    row_forms::form,
    row_values::{self, TextColumn},
    rows::Rows,
    split_reader::{Sides, SplitReader},
    weighted::{Countable, Cursor, Weighted},
};
use crate::{error::Result, tokenizer::Tokenizer};

/// Prompts in the order of their files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompts {
    ids: Vec<u32>,
    /// Where each ends among the ids.
    ends: Vec<u64>,
    cut: Cut,
}

impl Prompts {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Tokens of all.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// The ids of a prompt, 1 or more.
    #[must_use]
    pub fn get(&self, number: usize) -> &[u32] {
        let place = |end: u64| usize::try_from(end).expect("ids are in memory");
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[place(begin)..place(self.ends[number])]
    }

    /// What prompts lost at their beginnings, since they left no room for an answer.
    #[must_use]
    pub fn cut(&self) -> Cut {
        self.cut
    }

    /// The numbers of a random sample of `most`, or of all, in rising order: the same each time.
    #[must_use]
    pub fn sample(&self, seed: u64, most: usize) -> Vec<usize> {
        sample(self.count(), seed, most)
    }

    /// Adds those of another source behind these.
    pub fn append(&mut self, other: Self) {
        let before = self.ids.len() as u64;
        self.ids.extend(other.ids);
        self.ends.extend(other.ends.iter().map(|end| before + end));
        self.cut.sequences += other.cut.sequences;
        self.cut.tokens += other.cut.tokens;
    }

    fn push(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
        self.ends.push(self.ids.len() as u64);
    }
}

impl Countable for Prompts {
    fn count(&self) -> u64 {
        self.count() as u64
    }
}

/// The prompts of several sources, as one stream by weight.
#[derive(Debug)]
pub struct PromptStream {
    prompts: Weighted<Prompts>,
    cursor: Cursor,
}

impl PromptStream {
    /// - `sources`: name, weight and prompts of each, one at least
    #[must_use]
    pub fn new(sources: Vec<(String, f64, Prompts)>, seed: u64) -> Self {
        Self { prompts: Weighted::new(sources, seed), cursor: Cursor::default() }
    }

    /// Prompts of all sources.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.prompts.count()
    }

    /// The prompts at `count` places of the stream from `first` on: a function of the seed and the places.
    pub fn draw(&mut self, first: u64, count: usize) -> Vec<Vec<u32>> {
        let drawn = self.prompts.draw(first, count, &mut self.cursor);
        let ids = |(prompts, number): (&Prompts, u64)| {
            prompts.get(usize::try_from(number).expect("prompts are in memory")).to_vec()
        };
        drawn.into_iter().map(ids).collect()
    }
}

/// Reads prompts.
#[derive(Debug, Clone, Copy)]
pub struct PromptsReader<'e> {
    /// Turns texts into ids.
    pub tokenizer: &'e Tokenizer,
    /// The most tokens of a prompt.
    pub longest: usize,
    /// How many tokens of a text are a prompt, where rows are texts.
    pub of_text: usize,
    /// How files are read.
    pub options: ReadOptions,
}

/// What of a row is read.
const COLUMNS: [&str; 3] = [ID, PROMPT, TEXT];

impl SplitReader for PromptsReader<'_> {
    type Rows = Prompts;

    fn options(&self) -> ReadOptions {
        self.options
    }

    /// Each prompt goes to the side that the hash of the row's text says.
    fn read(&self, file: &Path, sides: &mut Sides<Prompts>, side: &dyn Fn(u64) -> usize) -> Result<u64> {
        // what stands before every text is all that there is of an empty one
        let begin = self.tokenizer.prompt("")?;
        let mut rows = Rows::open(file, self.options, columns)?;
        while let Some(few) = rows.next_few(of_batch, of_line)? {
            let texts: Vec<&str> = few.iter().map(|row| self.wanted(row)).collect();
            let encoded = self.tokenizer.encode_batch(&texts)?;
            for (row, ids) in few.iter().zip(encoded) {
                let side = &mut sides[side(xxh3_64(row.text.as_bytes()))];
                self.push(side, row.is_text, &begin, ids);
            }
        }
        Ok(rows.lost())
    }
}

impl PromptsReader<'_> {
    /// As much of a row's text as its first tokens can need, so that no long document is tokenized for a few of them.
    fn wanted<'r>(&self, row: &'r PromptRow) -> &'r str {
        /// Bytes of a token: few have more, and of those the first tokens have some.
        const BYTES: usize = 64;
        let most = self.of_text.saturating_mul(BYTES).saturating_add(BYTES);
        if row.is_text { &row.text[..row.text.floor_char_boundary(most)] } else { &row.text }
    }

    fn push(&self, side: &mut Prompts, is_text: bool, begin: &[u32], ids: Vec<u32>) {
        let mut prompt = begun(self.tokenizer, begin, ids);
        if is_text {
            prompt.truncate(self.of_text.min(self.longest));
        }
        let cut = prompt.len().saturating_sub(self.longest);
        if cut > 0 {
            side.cut.sequences += 1;
            side.cut.tokens += cut as u64;
            cut_behind(&mut prompt, begin.len(), cut);
        }
        side.push(&prompt);
    }
}

/// A row.
struct PromptRow {
    text: String,
    /// It is a text, of which only the beginning is a prompt.
    is_text: bool,
}

fn columns(schema: &Schema) -> std::result::Result<Vec<&'static str>, String> {
    let has = |name: &str| schema.field_with_name(name).is_ok();
    [PROMPT, TEXT].into_iter().find(|name| has(name)).map(|name| vec![ID, name]).ok_or_else(|| other_form(has))
}

/// What is wrong with rows that are no prompts.
fn other_form(has: impl Fn(&str) -> bool) -> String {
    let what = form(has).map(|form| format!(": its rows are {form}")).unwrap_or_default();
    format!("it has neither a `{PROMPT}` to answer nor a `{TEXT}` to continue{what}")
}

fn of_batch(batch: &RecordBatch, _: usize) -> std::result::Result<Vec<PromptRow>, (Option<usize>, String)> {
    let is_text = batch.column_by_name(PROMPT).is_none();
    let texts = TextColumn::of(batch, if is_text { TEXT } else { PROMPT }).map_err(|message| (None, message))?;
    let row = |row: usize| {
        let text = texts.at(row).map_err(|message| (Some(row), message))?;
        Ok(PromptRow { text, is_text })
    };
    (0..batch.num_rows()).map(row).collect()
}

fn of_line(line: &[u8], _: usize) -> std::result::Result<PromptRow, String> {
    let value = json_lines::value(line, |key| COLUMNS.contains(&key)).map_err(|fault| fault.to_string())?;
    let Value::Object(mut object) = value else { return Err("it is no object".into()) };
    let is_text = object.get(PROMPT).is_none_or(Value::is_null);
    let name = if is_text { TEXT } else { PROMPT };
    if is_text && !object.contains_key(TEXT) {
        return Err(other_form(|name| object.contains_key(name)));
    }
    Ok(PromptRow { text: row_values::text(name, object.remove(name))?, is_text })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::{HashedFiles, SourceFiles};

    /// Prompts lose their beginnings and texts their ends; what has no token is counted; a stream is the same wherever one begins.
    #[test]
    fn prompts_are_cut_where_they_may_be() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let trained = Tokenizer::train(["a b"; 4].into_iter(), 260, 0, &folder.path().join("tokenizer.json"));
        let tokenizer = trained.expect("the texts suffice");
        let path = folder.path().join("rows.jsonl");
        let lines = "{\"prompt\": \"abcdefgh\"}\n{\"text\": \"abcdefgh\"}\n{\"prompt\": \"\"}\n{\"prompt\": \"xy\", \"completion\": \"z\"}\n";
        fs::write(&path, lines).expect("it can be written");
        let reader = PromptsReader { tokenizer: &tokenizer, longest: 5, of_text: 3, options: ReadOptions::default() };
        let source = HashedFiles::new(SourceFiles::find(&path)?)?;
        let [prompts, _] = reader.training(&source, 1, 1e-9, &mut Vec::new())?;
        let texts: Vec<String> =
            (0..prompts.count()).map(|number| tokenizer.decode(prompts.get(number))).collect::<Result<_>>()?;
        assert_eq!(texts, ["defgh", "abc", "", "xy"]);
        assert_eq!(prompts.get(2), [tokenizer.before_text()], "nothing is begun by what stands before every text");
        assert_eq!(prompts.cut(), Cut { sequences: 1, tokens: 3 });
        let stream = |first: u64, count: usize| {
            PromptStream::new(vec![("one".into(), 1.0, prompts.clone())], 7).draw(first, count)
        };
        assert_eq!(stream(0, 9)[4..], stream(4, 5));
        fs::write(&path, "{\"sequences\": [\"a\"]}").expect("it can be written");
        let source = HashedFiles::new(SourceFiles::find(&path)?)?;
        let error = reader.training(&source, 1, 0.5, &mut Vec::new()).expect_err("it has none").to_string();
        assert!(error.contains("line 1: it has neither a `prompt` to answer nor a `text`"), "{error}");
        Ok(())
    }
}
