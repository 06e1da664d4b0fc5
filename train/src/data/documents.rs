//! Documents out of a file, a few at a time.

use std::path::Path;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    datatypes::Schema,
};
use schemas::{
    columns::{ANSWERS, CHOSEN, COMPLETION, MESSAGES, POSITIVE, PROMPT, QUERY, RANKS, REJECTED, SEQUENCES, TEXT},
    json_lines::{self, Field, fields},
    text_columns::{TEXT_TYPES, Texts},
};

use super::{read_options::ReadOptions, row_forms::form, rows::Rows};
use crate::{error::Result, tokenizer::Message};

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A text, or a prompt and what follows on it.
    Text {
        /// What is read and not learnt to say; empty for a text.
        prompt: String,
        /// The column `text` or `completion`.
        text: String,
    },
    /// The column `messages`.
    Conversation(Vec<Message>),
}

impl Document {
    /// What it says, part by part.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (texts, messages) = match self {
            Self::Text { prompt, text } => ([prompt.as_str(), text], &[][..]),
            Self::Conversation(messages) => ([""; 2], &messages[..]),
        };
        let said = messages.iter().map(|message| message.content.as_str());
        texts.into_iter().filter(|text| !text.is_empty()).chain(said)
    }
}

/// What a row is, where it has columns of several kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preferred {
    /// A text, else an example, else a conversation.
    Texts,
    /// A conversation, else an example, else a text.
    Conversations,
}

impl Preferred {
    /// The columns of each kind.
    fn columns(self) -> [&'static [&'static str]; 3] {
        match self {
            Self::Texts => [&[TEXT], &[PROMPT, COMPLETION], &[MESSAGES]],
            Self::Conversations => [&[MESSAGES], &[PROMPT, COMPLETION], &[TEXT]],
        }
    }

    /// The columns that rows are made of where there are those of `schema`.
    fn columns_of(self, schema: &Schema) -> Result<&'static [&'static str], String> {
        let has = |column: &str| schema.field_with_name(column).is_ok();
        let found = self.columns().into_iter().find(|columns| columns.iter().all(|column| has(column)));
        found.ok_or_else(|| no_columns(has))
    }
}

/// The documents of one file, in their order.
pub struct Documents {
    preferred: Preferred,
    rows: Rows,
    /// The numbers of the last few, from 1: of rows, or of lines.
    numbers: Vec<usize>,
}

const NO_COLUMNS: &str = "it has neither a column `text` nor `prompt` and `completion`, nor `messages`";

/// What is wrong with a row or a file without columns that are known.
fn no_columns(has: impl Fn(&str) -> bool) -> String {
    form(has).map_or_else(|| NO_COLUMNS.to_owned(), |form| format!("{NO_COLUMNS}: its rows are {form}"))
}

impl Documents {
    /// Opens a file of Parquet or JSON lines; by its name, which is one of the latter where it says nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has neither a column `text` nor `prompt` and `completion`, nor `messages`.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, ReadOptions::default(), Preferred::Texts)
    }

    /// The same, with options.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(path: &Path, options: ReadOptions, preferred: Preferred) -> Result<Self> {
        let rows = Rows::open(path, options, |schema| preferred.columns_of(schema).map(<[_]>::to_vec))?;
        Ok(Self { preferred, rows, numbers: Vec::new() })
    }

    /// Bytes of the file that are lost, as it is known so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.rows.lost()
    }

    /// What one of the last few is called, such as `line 3`.
    ///
    /// - `place`: from 0
    pub(super) fn place(&self, place: usize) -> String {
        self.rows.place(self.numbers[place])
    }

    /// The next few documents, some megabytes of rows; none at the end.
    ///
    /// # Errors
    /// When a row cannot be read: the file and the row or line are named.
    pub fn next_few(&mut self) -> Result<Option<Vec<Document>>> {
        let preferred = self.preferred;
        let of_batch = |batch: &RecordBatch, first: usize| {
            let columns = preferred.columns_of(&batch.schema()).map_err(|message| (None, message))?;
            let documents = from_columns(batch, columns)
                .map_err(|(row, column, message)| (Some(row), format!("column `{column}` {message}")))?;
            Ok((first..).zip(documents).collect())
        };
        let of_line = |line: &[u8], number: usize| Ok((number, from_line(line, preferred)?));
        let Some(few) = self.rows.next_few(of_batch, of_line)? else { return Ok(None) };
        let (numbers, documents) = few.into_iter().unzip();
        self.numbers = numbers;
        Ok(Some(documents))
    }
}

/// A row, a column, and what is wrong there.
type Fault<'c> = (usize, &'c str, String);

fn from_columns<'c>(batch: &RecordBatch, columns: &'c [&'c str]) -> Result<Vec<Document>, Fault<'c>> {
    if columns == [MESSAGES] {
        let column = batch.column_by_name(MESSAGES).ok_or_else(|| (0, MESSAGES, "is not there".to_owned()))?;
        return conversations(column).map_err(|(row, message)| (row, MESSAGES, message));
    }
    let column = |name: &'c str| {
        let column = batch.column_by_name(name).ok_or_else(|| (0, name, "is not there".to_owned()))?;
        let kind = || (0, name, format!("is of type {}, and not text: {TEXT_TYPES}", column.data_type()));
        Texts::of(column).ok_or_else(kind)
    };
    let (prompts, name) = match *columns {
        [prompt, completion] => (Some((column(prompt)?, prompt)), completion),
        _ => (None, columns[0]),
    };
    let texts = column(name)?;
    let at = |texts: &Texts, row: usize, name: &'c str| match texts.at(row) {
        Ok(text) => Ok(text.map(str::to_owned)),
        Err(error) => Err((row, name, format!("is not UTF-8: {error}"))),
    };
    let row = |row: usize| {
        let text = at(&texts, row, name)?.ok_or_else(|| (row, name, "is null".to_owned()))?;
        let prompt = match &prompts {
            Some((prompts, name)) => at(prompts, row, name)?.unwrap_or_default(),
            None => String::new(),
        };
        Ok(Document::Text { prompt, text })
    };
    (0..batch.num_rows()).map(row).collect()
}

/// What the keys of a message are called.
const ROLE: &str = "role";
const CONTENT: &str = "content";

/// A column of lists of objects with `role` and `content`; else the row, and what is wrong there.
fn conversations(column: &ArrayRef) -> Result<Vec<Document>, (usize, String)> {
    let kind = || (0, format!("is of type {}, and no list of objects with `role` and `content`", column.data_type()));
    let list = |row: usize| match (column.as_list_opt::<i32>(), column.as_list_opt::<i64>()) {
        (Some(lists), _) => Ok(lists.value(row)),
        (_, Some(lists)) => Ok(lists.value(row)),
        _ => Err(kind()),
    };
    let conversation = |row: usize| {
        if column.is_null(row) {
            return Err((row, "is null".to_owned()));
        }
        let messages = list(row)?;
        let fields = messages.as_struct_opt().ok_or_else(kind)?;
        let field = |name: &str| fields.column_by_name(name).and_then(Texts::of).ok_or_else(kind);
        let (roles, contents) = (field(ROLE)?, field(CONTENT)?);
        let text = |texts: &Texts, message: usize, name: &str| {
            let fault = |what: String| (row, format!("has a message {} whose `{name}` is {what}", message + 1));
            let text = texts.at(message).map_err(|error| fault(format!("not UTF-8: {error}")))?;
            text.map(str::to_owned).ok_or_else(|| fault("null".into()))
        };
        let message = |message: usize| -> Result<Message, (usize, String)> {
            Ok(Message { role: text(&roles, message, ROLE)?, content: text(&contents, message, CONTENT)? })
        };
        (0..fields.len()).map(message).collect::<Result<_, _>>().map(Document::Conversation)
    };
    (0..column.len()).map(conversation).collect()
}

fn from_line(line: &[u8], preferred: Preferred) -> Result<Document, String> {
    let names = [TEXT, PROMPT, COMPLETION, MESSAGES];
    let [text, prompt, completion, messages] = fields(line, names).map_err(|fault| fault.to_string())?;
    let columns = [(TEXT, &text), (COMPLETION, &completion), (MESSAGES, &messages)];
    let null = columns.into_iter().find(|(_, field)| **field == Field::Null).map(|(name, _)| name);
    let given = |field: &Field| !matches!(field, Field::Missing | Field::Null);
    let said = |field: Field, name: &str| field.into_text(name).map_err(|fault| fault.to_string());
    for columns in preferred.columns() {
        match columns {
            [TEXT] if given(&text) => return Ok(Document::Text { prompt: String::new(), text: said(text, TEXT)? }),
            [MESSAGES] if given(&messages) => return conversation(line, &messages),
            [PROMPT, _] if given(&completion) => {
                let prompt = if given(&prompt) { said(prompt, PROMPT)? } else { String::new() };
                return Ok(Document::Text { prompt, text: said(completion, COMPLETION)? });
            }
            _ => {}
        }
    }
    if let Some(name) = null {
        return Err(format!("`{name}` is null, and no {}", if name == MESSAGES { "list" } else { "string" }));
    }
    let others = [SEQUENCES, ANSWERS, RANKS, CHOSEN, REJECTED, QUERY, POSITIVE];
    let found = fields(line, others).map_err(|fault| fault.to_string())?;
    let has = |column: &str| others.iter().zip(&found).any(|(name, field)| *name == column && *field != Field::Missing);
    Err(no_columns(has).replace("a column ", ""))
}

/// The messages of a line that has some.
fn conversation(line: &[u8], messages: &Field) -> Result<Document, String> {
    if *messages != Field::List {
        return Err(format!("`{MESSAGES}` is {}, and no list", messages.what()));
    }
    let object = json_lines::value(line, |key| key == MESSAGES).map_err(|fault| fault.to_string())?;
    let messages = object[MESSAGES].as_array().map(Vec::as_slice).unwrap_or_default();
    let message = |(number, message): (usize, &serde_json::Value)| {
        let text = |name: &str| match message[name].as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(format!("`{MESSAGES}` has a message {} whose `{name}` is no string", number + 1)),
        };
        Ok(Message { role: text(ROLE)?, content: text(CONTENT)? })
    };
    messages.iter().enumerate().map(message).collect::<Result<_, _>>().map(Document::Conversation)
}

#[cfg(test)]
mod tests {
    use std::{fs::File, sync::Arc};

    use arrow::{
        array::{BinaryArray, DictionaryArray, Int32Array, ListBuilder, StringBuilder, StructBuilder},
        datatypes::{DataType, Fields, Int32Type},
    };
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn read(lines: &str) -> Result<Vec<Document>> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, lines).expect("the file can be written");
        let mut documents = Documents::open(&path)?;
        let mut all = Vec::new();
        while let Some(few) = documents.next_few()? {
            all.extend(few);
        }
        Ok(all)
    }

    #[test]
    fn lines_are_texts_or_prompts_with_completions() -> Result<()> {
        let document = |prompt: &str, text: &str| Document::Text { prompt: prompt.into(), text: text.into() };
        let lines =
            "{\"id\": 1, \"text\": \"a\"}\n\n{\"prompt\": \"b\", \"completion\": \"c\"}\n{\"completion\": \"d\"}";
        assert_eq!(read(lines)?, [document("", "a"), document("b", "c"), document("", "d")]);
        Ok(())
    }

    /// Of a row that is of several kinds, a pretraining takes the text, and instruction tuning the conversation.
    #[test]
    fn conversations_are_read() -> Result<()> {
        let line = b"{\"text\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"b\", \"id\": 3}]}";
        let message = Message { role: "user".into(), content: "b".into() };
        let conversation = Document::Conversation(vec![message]);
        let text = Document::Text { prompt: String::new(), text: "a".into() };
        assert_eq!(from_line(line, Preferred::Texts), Ok(text));
        assert_eq!(from_line(line, Preferred::Conversations), Ok(conversation.clone()));

        let (folder, schema) = (tempfile::tempdir().expect("the temporary folder can be written"), message_fields());
        let mut lists = ListBuilder::new(StructBuilder::from_fields(schema, 1));
        for (role, content) in [("user", Some("b")), ("user", None)] {
            let message = lists.values();
            message.field_builder::<StringBuilder>(0).expect("a text").append_value(role);
            message.field_builder::<StringBuilder>(1).expect("a text").append_option(content);
            message.append(true);
            lists.append(true);
        }
        let column: ArrayRef = Arc::new(lists.finish());
        let read = |rows: ArrayRef| {
            let path = folder.path().join("rows.parquet");
            let batch = RecordBatch::try_from_iter([("messages", rows)]).expect("one length");
            let file = File::create(&path).expect("the file can be made");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema can be written");
            writer.write(&batch).and_then(|()| writer.close()).expect("the file can be written");
            Documents::open(&path)?.next_few()
        };
        assert_eq!(read(column.slice(0, 1))?, Some(vec![conversation]));
        for (rows, message) in [
            (column, "row 2: column `messages` has a message 1 whose `content` is null"),
            (Arc::new(Int32Array::from(vec![1])) as ArrayRef, "`messages` is of type Int32, and no list of objects"),
        ] {
            let error = read(rows).expect_err("it is no conversation").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }

    fn message_fields() -> Fields {
        [ROLE, CONTENT].map(|name| arrow::datatypes::Field::new(name, DataType::Utf8, true)).into_iter().collect()
    }

    /// As other programs write them; curate reads the same.
    #[test]
    fn lines_are_read_as_they_come() -> Result<()> {
        let lines = "\u{feff}{\"text\": \"a\", \"score\": NaN}\r\n{\"text\": \"b\\ud83d\"}\r\n{\"text\": \"c\", \"text\": \"\u{2028}\"}";
        let documents = read(lines)?;
        let texts: Vec<&str> = documents.iter().flat_map(Document::texts).collect();
        assert_eq!(texts, ["a", "b\u{fffd}", "\u{2028}"]);
        Ok(())
    }

    /// A category of pandas is text, and so is a binary column that holds some; the row that does not is named.
    #[test]
    fn columns_are_read_in_any_type_of_text() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.parquet");
        let read = |prompts: ArrayRef, completions: ArrayRef| {
            let batch =
                RecordBatch::try_from_iter([("prompt", prompts), ("completion", completions)]).expect("one length");
            let file = File::create(&path).expect("the file can be made");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema can be written");
            writer.write(&batch).and_then(|()| writer.close()).expect("the file can be written");
            Documents::open(&path)?.next_few()
        };
        let prompts: ArrayRef =
            Arc::new(vec![Some("a"), None, Some("a")].into_iter().collect::<DictionaryArray<Int32Type>>());
        let binary = |last: &'static [u8]| Arc::new(BinaryArray::from(vec![&b"b"[..], b"c", last])) as ArrayRef;
        let found = read(Arc::clone(&prompts), binary("ö".as_bytes()))?.expect("there are rows");
        let found: Vec<Vec<&str>> = found.iter().map(|document| document.texts().collect()).collect();
        assert_eq!(found, [&["a", "b"][..], &["c"], &["a", "ö"]]);
        for (completions, message) in [
            (binary(b"\xff"), "rows.parquet is damaged: row 3: column `completion` is not UTF-8"),
            (Arc::new(Int32Array::from(vec![1, 2, 3])), "column `completion` is of type Int32, and not text: a string"),
        ] {
            let error = read(Arc::clone(&prompts), completions).expect_err("it is no text").to_string();
            assert!(error.contains(message), "{error}");
        }
        Ok(())
    }

    /// A text and a question in pages with checksums, which the crate does not write: by pyarrow 26,
    /// `write_table(..., compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=True, store_schema=False)`.
    const CHECKED: &[u8] =
        b"PAR1\x15\x00\x15\\\x15\\\x15\xcd\xb0\xfb\xd2\x0c\x1c\x15\x04\x15\x00\x15\x06\x15\x06\x1c\x00\x00\x00\
        \x12\x00\x00\x00to be or not to be\x14\x00\x00\x00that is the question\
        \x15\x04\x19,5\x00\x18\x06schema\x15\x02\x00\x15\x0c%\x00\x18\x04text%\x00L\x1c\x00\x00\x00\
        \x16\x04\x19\x1c\x19\x1c&\x00\x1c\x15\x0c\x19%\x06\x00\x19\
        \x18\x04text\x15\x00\x16\x04\x16\x8e\x01\x16\x8e\x01&\x08I\x1c\x15\x00\x15\x00\x15\x02\x00\
        <\x16L\x19\x06\x19\x06\x00\x00\x00\x16\x8e\x01\x16\x04&\x08\x16\x8e\x01\x00\
        (\x20parquet-cpp-arrow version 26.0.1\x19\x1c\x1c\x00\x00\x00\x8a\x00\x00\x00PAR1";

    /// A letter that is another by one bit is text as good as any: a checksum alone tells.
    #[test]
    fn a_page_that_is_not_what_was_written_is_named() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.parquet");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("the file can be written");
            Documents::open(&path)?.next_few()
        };
        let rows = read(CHECKED)?.expect("there are rows");
        assert_eq!(rows[1].texts().collect::<Vec<_>>(), ["that is the question"]);
        let mut other = CHECKED.to_vec();
        other[67] ^= 1;
        let error = read(&other).expect_err("it is another text").to_string();
        assert!(error.contains("rows.parquet is damaged: after row 0") && error.contains("checksum"), "{error}");
        Ok(())
    }

    /// Corpora are published packed, often as several members one after the other.
    #[test]
    fn packed_lines_are_those_that_were_packed() -> Result<()> {
        use std::io::Write as _;
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let lines: Vec<String> = (0..3).map(|number| format!("{{\"text\": \"{number}\"}}\n")).collect();
        let gzip = |text: &String| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory can be written")
        };
        let zstandard = |text: &String| zstd::encode_all(text.as_bytes(), 1).expect("memory can be written");
        let files = [
            ("a.jsonl.gz", lines.iter().flat_map(gzip).collect()),
            ("a.jsonl.zst", lines.iter().flat_map(zstandard).collect::<Vec<u8>>()),
        ];
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("the file can be written");
            let found = Documents::open(&path)?.next_few()?.expect("there are documents");
            assert_eq!(found.iter().flat_map(Document::texts).collect::<Vec<_>>(), ["0", "1", "2"], "{name}");
        }
        Ok(())
    }

    /// Rows come a few megabytes at a time, whether or not it is texts that they have.
    #[test]
    fn rows_without_texts_are_not_read_all_at_once() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows.jsonl");
        let line = format!("{{\"text\": \"\", \"more\": \"{}\"}}\n", "a".repeat(1 << 20));
        std::fs::write(&path, line.repeat(6)).expect("the file can be written");
        let mut documents = Documents::open(&path)?;
        let mut counts = Vec::new();
        while let Some(few) = documents.next_few()? {
            counts.push(few.len());
        }
        assert_eq!(counts, [4, 2]);
        Ok(())
    }

    /// Whoever wrote the file must find the line.
    #[test]
    fn a_line_that_is_none_is_named() {
        for (line, message) in [
            ("{\"text\": 1}", "rows.jsonl is damaged: line 3: `text` is a number, and no string"),
            ("{\"text\": null}", "line 3: `text` is null, and no string"),
            ("{\"prompt\": \"a\", \"completion\": null}", "line 3: `completion` is null, and no string"),
            ("{\"text\": NaN}", "line 3: `text` is NaN, and no string"),
            ("{\"words\": \"a\"}", "line 3: it has neither `text` nor `prompt` and `completion`, nor `messages`"),
            ("{\"messages\": null}", "line 3: `messages` is null, and no list"),
            ("{\"messages\": \"a\"}", "line 3: `messages` is a string, and no list"),
            (
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": null}]}",
                "line 3: `messages` has a message 2 whose `content` is no string",
            ),
            (
                "{\"sequences\": [\"a\"], \"label\": 0}",
                "line 3: it has neither `text` nor `prompt` and `completion`, nor `messages`: its rows are sequences with labels, which \
                 `train classify` takes",
            ),
            ("{\"text\": \"a", "line 3: EOF while parsing a string, at column 11"),
        ] {
            let error =
                read(&format!("{{\"text\": \"a\"}}\n\n{line}\n")).expect_err("the line is at fault").to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
