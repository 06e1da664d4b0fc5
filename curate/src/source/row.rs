//! What a record of any kind becomes: a row with a document, a reason or a fault.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, ListBuilder, RecordBatch, StringViewBuilder, UInt32Array, UInt64Array, UInt64Builder},
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use schemas::{columns, identity::DocumentId};

use super::{Cleaning, clean::Cleaner};
use crate::archive::{Broken, Fault};

/// What all readings share: ids, reasons, columns.
pub const VERSION: crate::files::Version = crate::files::Version::new("source/rows", 1);

/// Why a sound record is no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A record that is no answer of a server: a request, metadata, a word about the archive.
    NotAResponse,
    /// A record of an answer that was seen before.
    Revisit,
    /// An answer by another protocol than HTTP.
    NotHttp,
    /// An answer that points elsewhere.
    Redirect,
    /// An answer with another status than 200.
    HttpStatus,
    /// An answer that is no HTML, whatever its header says: a picture, a file, a style sheet, a script, JSON, a feed.
    NotHtml,
    /// An answer without a body.
    EmptyBody,
    /// A page over the limit of bytes.
    TooLarge,
    /// A page whose tree is over the limit of nodes.
    TooManyNodes,
    /// A page whose elements stand in each other over the limit of levels.
    TooDeep,
    /// A page or row without text.
    NoText,
    /// An example that its task does not want.
    LeftOut,
    /// A text of which its cleaning left nothing.
    NothingLeft,
    /// A text of which its cleaning took more than its rules allow.
    CutTooMuch,
    /// A record that was read before, with the same id.
    SameRecord,
}

impl Reason {
    /// The reason's name in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAResponse => "not_a_response",
            Self::Revisit => "revisit",
            Self::NotHttp => "not_http",
            Self::Redirect => "redirect",
            Self::HttpStatus => "http_status",
            Self::NotHtml => "not_html",
            Self::EmptyBody => "empty_body",
            Self::TooLarge => "too_large",
            Self::TooManyNodes => "too_many_nodes",
            Self::TooDeep => "too_deep",
            Self::NoText => "no_text",
            Self::LeftOut => "left_out",
            Self::NothingLeft => "nothing_left",
            Self::CutTooMuch => "cut_too_much",
            Self::SameRecord => "same_record",
        }
    }
}

/// One record.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub id: Option<DocumentId>,
    pub record: Option<String>,
    pub url: Option<String>,
    pub date: Option<String>,
    pub offset: u64,
    pub bytes: u64,
    pub title: Option<String>,
    pub published: Option<String>,
    pub language: Option<String>,
    /// How it shows that the page is cut; none for whole pages.
    pub truncated: Option<&'static str>,
    pub links: Vec<String>,
    /// Characters that each cleaning took; none for what was not cleaned.
    pub taken: Vec<u64>,
    /// Bytes of the file that are lost, where a stretch of it cannot be read: then it is no record.
    pub lost: Option<u64>,
    pub outcome: Outcome,
}

/// What became of a record when it was read.
#[derive(Debug, Clone)]
pub enum Outcome {
    Text(String),
    Dropped(Reason),
    Quarantined(Fault, String),
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Dropped(Reason::NoText)
    }
}

impl From<Broken> for Row {
    fn from(broken: Broken) -> Self {
        let Broken { offset, record, fault, detail } = broken;
        Self { offset, record, outcome: Outcome::Quarantined(fault, detail), ..Self::default() }
    }
}

impl Row {
    /// The same row, known by place and fault alone.
    pub fn broken(self, fault: Fault, detail: String) -> Self {
        let Self { offset, record, url, .. } = self;
        Self { offset, record, url, outcome: Outcome::Quarantined(fault, detail), ..Self::default() }
    }

    /// The same row with its text cleaned, or dropped where too little is left.
    pub fn cleaned(mut self, cleaner: &mut Cleaner, cleanings: &[Cleaning]) -> Self {
        if let Outcome::Text(text) = &mut self.outcome
            && let Err(reason) = cleaner.clean(cleanings, text, &mut self.taken)
        {
            self.outcome = Outcome::Dropped(reason);
        }
        self
    }

    /// The same row with a text, or dropped where that is blank.
    pub fn with_text(mut self, text: String) -> Self {
        self.outcome = if text.trim().is_empty() { Outcome::Dropped(Reason::NoText) } else { Outcome::Text(text) };
        self
    }
}

/// The columns of a reading: those of `documents/` and of the facts about records.
#[must_use]
pub fn rows_schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8View, true);
    Arc::new(Schema::new(vec![
        text("id"),
        text("url"),
        text("date"),
        text("title"),
        text("published"),
        text("language"),
        text("truncated"),
        Field::new("links", columns::links(), true),
        text("text"),
        text("record"),
        Field::new("part", DataType::UInt32, false),
        Field::new("offset", DataType::UInt64, false),
        Field::new("bytes", DataType::UInt64, false),
        Field::new("taken", DataType::List(Arc::new(Field::new("item", DataType::UInt64, true))), true),
        text("reason"),
        text("fault"),
        text("detail"),
        Field::new("lost", DataType::UInt64, true),
    ]))
}

/// `facts/records/`: one row for everything that stood in a file.
///
/// `bytes` is the payload's size; `taken`, the characters that each cleaning of the source took, in their order; `part` is the file's place in its source. A row has a `reason` if it is no document, a
/// `fault` and its `detail` if it could not be read; then it has no id. What has a number of `lost` bytes is no record, but a stretch of
/// the file, as it lies on disk, of whose records nothing is known.
#[must_use]
pub fn records() -> SchemaRef {
    let names = [
        "id",
        "record",
        "url",
        "date",
        "truncated",
        "part",
        "offset",
        "bytes",
        "taken",
        "reason",
        "fault",
        "detail",
        "lost",
    ];
    let schema = rows_schema();
    let fields = names.map(|name| schema.field_with_name(name).expect("these are columns of a reading").clone());
    Arc::new(Schema::new(fields.to_vec()))
}

/// The rows as columns.
pub fn batch(rows: &[Row], part: u32) -> Result<RecordBatch, ArrowError> {
    let texts = |value: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        let mut builder = StringViewBuilder::new();
        rows.iter().for_each(|row| builder.append_option(value(row)));
        Arc::new(builder.finish())
    };
    let reason = |row: &Row| match row.outcome {
        Outcome::Dropped(reason) => Some(reason.name().to_owned()),
        _ => None,
    };
    let fault = |row: &Row| match row.outcome {
        Outcome::Quarantined(fault, _) => Some(fault.name().to_owned()),
        _ => None,
    };
    let detail = |row: &Row| match &row.outcome {
        Outcome::Quarantined(_, detail) => Some(detail.clone()),
        _ => None,
    };
    let columns: Vec<ArrayRef> = vec![
        texts(&|row| row.id.map(|id| id.to_string())),
        texts(&|row| row.url.clone()),
        texts(&|row| row.date.clone()),
        texts(&|row| row.title.clone()),
        texts(&|row| row.published.clone()),
        texts(&|row| row.language.clone()),
        texts(&|row| row.truncated.map(str::to_owned)),
        links_column(rows),
        text_column(rows),
        texts(&|row| row.record.clone()),
        Arc::new(UInt32Array::from(vec![part; rows.len()])),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.offset))),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.bytes))),
        taken_column(rows),
        texts(&reason),
        texts(&fault),
        texts(&detail),
        Arc::new(rows.iter().map(|row| row.lost).collect::<UInt64Array>()),
    ];
    RecordBatch::try_new(rows_schema(), columns)
}

/// Null for what has no links.
fn links_column(rows: &[Row]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringViewBuilder::new()).with_field(columns::list_item());
    for row in rows {
        row.links.iter().for_each(|link| builder.values().append_value(link));
        builder.append(!row.links.is_empty());
    }
    Arc::new(builder.finish())
}

/// Null for what was not cleaned.
fn taken_column(rows: &[Row]) -> ArrayRef {
    let mut builder = ListBuilder::new(UInt64Builder::new());
    for row in rows {
        builder.append_option((!row.taken.is_empty()).then(|| row.taken.iter().copied().map(Some)));
    }
    Arc::new(builder.finish())
}

fn text_column(rows: &[Row]) -> ArrayRef {
    let mut builder = StringViewBuilder::new();
    for row in rows {
        match &row.outcome {
            Outcome::Text(text) => builder.append_value(text),
            _ => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}
