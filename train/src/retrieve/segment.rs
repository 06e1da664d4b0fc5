//! A segment: some passages of an index with their postings, in files that never change.
//!
//! ```text
//! SEGMENT/passages.parquet     id, document, begin, end, title, text, source, date, language, terms      by id
//! SEGMENT/terms.parquet        term, passages                                                            by term
//! SEGMENT/postings.parquet     passage, count                                                            by term, by passage
//! SEGMENT/vectors.parquet      vector                                                                    by id, where an encoder gave some
//! ```
//!
//! The same passages give the same bytes. Ids, and what filters ask for, are held in memory; texts are read when they are asked for.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, FixedSizeListArray, Float32Array, StringArray, UInt16Array, UInt32Array,
        UInt64Array,
    },
    datatypes::{DataType, Field, Float32Type, UInt16Type, UInt32Type, UInt64Type},
};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use schemas::{
    columns::{DATE, ID, LANGUAGE, SOURCE, TEXT, TITLE},
    manifest::FileEntry,
};

use super::{
    analysis::Analysis,
    parquet_files::{BATCH_ROWS, Columns, Layout, numbers, read, read_file, verify_sizes, write_parquet},
    passage::Passage,
    postings::Postings,
    terms::Terms,
};
use crate::error::{Error, Result};

const PASSAGES: &str = "passages.parquet";
const TERMS: &str = "terms.parquet";
const POSTINGS: &str = "postings.parquet";
const VECTORS: &str = "vectors.parquet";

/// The column of vectors.
const VECTOR: &str = "vector";

/// A segment that is open.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    /// Held open, so that texts can be read when another version has taken the place of this one.
    texts: Mutex<File>,
    postings: Postings,
    ids: Vec<String>,
    /// What filters ask for, by passage.
    facts: Vec<Facts>,
    /// `[passages, width]`; empty where they were not asked for, or there are none.
    vectors: Vec<f32>,
}

/// A passage with its vector, which is empty in an index without an encoder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub passage: Passage,
    pub vector: Box<[f32]>,
}

/// What filters ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where the document is from.
    pub source: Option<String>,
    /// When it was written or read.
    pub date: Option<String>,
    /// Its language.
    pub language: Option<String>,
}

/// Writes the files of a segment into a folder.
///
/// - `rows`: by id, each once
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(folder: &Path, rows: &[Row], analysis: &Analysis) -> Result<Vec<FileEntry>> {
    debug_assert!(rows.is_sorted_by(|one, next| one.passage.id < next.passage.id), "passages rise by their ids");
    let passages: Vec<&Passage> = rows.iter().map(|row| &row.passage).collect();
    let searched: Vec<String> = passages.iter().map(|passage| passage.searched()).collect();
    let postings = Postings::new(&searched, analysis);
    drop(searched);
    let of_passages = passages.chunks(BATCH_ROWS).zip(postings.lengths().chunks(BATCH_ROWS)).map(|(rows, lengths)| {
        let texts = |of: fn(&Passage) -> &str| {
            Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringArray>()) as ArrayRef
        };
        let optional = |of: fn(&Passage) -> Option<&str>| {
            Arc::new(rows.iter().map(|row| of(row)).collect::<StringArray>()) as ArrayRef
        };
        let places =
            |of: fn(&Passage) -> u64| Arc::new(rows.iter().map(|row| of(row)).collect::<UInt64Array>()) as ArrayRef;
        vec![
            (ID, texts(|row| &row.id), false),
            ("document", texts(|row| &row.document), false),
            ("begin", places(|row| row.begin), false),
            ("end", places(|row| row.end), false),
            (TITLE, texts(|row| &row.title), false),
            (TEXT, texts(|row| &row.text), false),
            (SOURCE, optional(|row| row.source.as_deref()), true),
            (DATE, optional(|row| row.date.as_deref()), true),
            (LANGUAGE, optional(|row| row.language.as_deref()), true),
            ("terms", Arc::new(UInt32Array::from(lengths.to_vec())), false),
        ]
    });
    let terms: Vec<&str> = postings.terms().iter().collect();
    let of_terms = (0u32..)
        .zip(&terms)
        .map(|(number, _)| u32::try_from(postings.of_term(number).0.len()).expect("as many as passages"));
    let of_terms: Vec<u32> = of_terms.collect();
    let of_terms = terms.chunks(BATCH_ROWS).zip(of_terms.chunks(BATCH_ROWS)).map(|(terms, counts)| {
        let terms: ArrayRef = Arc::new(StringArray::from(terms.to_vec()));
        vec![("term", terms, false), ("passages", Arc::new(UInt32Array::from(counts.to_vec())), false)]
    });
    let (numbers, counts) = postings.columns();
    let of_postings = numbers.chunks(64 * BATCH_ROWS).zip(counts.chunks(64 * BATCH_ROWS)).map(|(numbers, counts)| {
        let numbers: ArrayRef = Arc::new(UInt32Array::from(numbers.to_vec()));
        vec![("passage", numbers, false), ("count", Arc::new(UInt16Array::from(counts.to_vec())), false)]
    });
    let mut files = vec![
        write_parquet((folder, PASSAGES), Layout::Texts, passages.len(), of_passages)?,
        write_parquet((folder, TERMS), Layout::Columns, terms.len(), of_terms)?,
        write_parquet((folder, POSTINGS), Layout::Columns, numbers.len(), of_postings)?,
    ];
    if rows.iter().any(|row| !row.vector.is_empty()) {
        let of_vectors = rows.chunks(BATCH_ROWS).map(columns_of_vectors);
        files.push(write_parquet((folder, VECTORS), Layout::Vectors, rows.len(), of_vectors)?);
    }
    Ok(files)
}

/// The vectors of some rows, all of one width.
fn columns_of_vectors(rows: &[Row]) -> Columns {
    let width = rows[0].vector.len();
    let numbers: Float32Array = rows.iter().flat_map(|row| &row.vector).copied().collect();
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let width = i32::try_from(width).expect("a vector has few numbers");
    vec![(VECTOR, Arc::new(FixedSizeListArray::new(item, width, Arc::new(numbers), None)), false)]
}

impl Segment {
    /// Opens a segment.
    ///
    /// - `files`: with their sizes, by which a file that was cut short is known
    /// - `width`: of the vectors, where these are to be read
    ///
    /// # Errors
    /// When a file cannot be read, or is another.
    pub fn open(folder: &Path, files: &[FileEntry], width: Option<usize>) -> Result<Self> {
        verify_sizes(folder, files)?;
        let (mut ids, mut facts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        let path = folder.join(PASSAGES);
        let texts = File::open(&path).map_err(Error::file("read", &path))?;
        read(&path, &texts, &[ID, SOURCE, DATE, LANGUAGE, "terms"], None, |batch| {
            let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let [Some(id), Some(source), Some(date), Some(language)] = [ID, SOURCE, DATE, LANGUAGE].map(text) else {
                return Err("it lacks a column".into());
            };
            ids.extend(id.iter().map(|id| id.unwrap_or_default().to_owned()));
            let at = |column: &StringArray, row: usize| column.is_valid(row).then(|| column.value(row).to_owned());
            facts.extend((0..batch.num_rows()).map(|row| Facts {
                source: at(source, row),
                date: at(date, row),
                language: at(language, row),
            }));
            lengths.extend_from_slice(numbers::<UInt32Type>(batch, "terms")?);
            Ok(())
        })?;
        let (mut terms, mut of_terms) = (Vec::new(), Vec::new());
        read_file(&folder.join(TERMS), &["term", "passages"], |batch| {
            let term = batch.column_by_name("term").and_then(|column| column.as_string_opt::<i32>());
            terms.extend(term.ok_or("it lacks a column")?.iter().map(|term| term.unwrap_or_default().to_owned()));
            of_terms.extend_from_slice(numbers::<UInt32Type>(batch, "passages")?);
            Ok(())
        })?;
        let (mut passages, mut counts) = (Vec::new(), Vec::new());
        read_file(&folder.join(POSTINGS), &["passage", "count"], |batch| {
            passages.extend_from_slice(numbers::<UInt32Type>(batch, "passage")?);
            counts.extend_from_slice(numbers::<UInt16Type>(batch, "count")?);
            Ok(())
        })?;
        let terms: Terms = terms.iter().map(String::as_str).collect();
        let damaged = |message: &str| Error::Damaged { path: folder.join(POSTINGS), message: message.to_owned() };
        if !terms.is_rising() {
            return Err(damaged("its terms do not rise"));
        }
        let postings = Postings::from_columns(terms, &of_terms, passages, counts, lengths).map_err(damaged)?;
        let vectors = match width {
            Some(width) => read_vectors(folder, ids.len(), width)?,
            None => Vec::new(),
        };
        Ok(Self { path, texts: Mutex::new(texts), postings, ids, facts, vectors })
    }

    /// Its postings.
    #[must_use]
    pub fn postings(&self) -> &Postings {
        &self.postings
    }

    /// The ids of its passages, rising.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// What filters ask for of a passage.
    #[must_use]
    pub fn facts(&self, passage: u32) -> &Facts {
        &self.facts[passage as usize]
    }

    /// The vectors of its passages, `[passages, width]`, where they were asked for.
    #[must_use]
    pub fn vectors(&self) -> &[f32] {
        &self.vectors
    }

    /// Some of its passages.
    ///
    /// - `numbers`: rising, each once
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn passages(&self, numbers: &[u32]) -> Result<Vec<Passage>> {
        let mut found = Vec::with_capacity(numbers.len());
        let selected = selection(numbers, self.ids.len());
        // a file has one place from which it is read
        let texts = self.texts.lock().expect("who reads does not panic");
        read_rows(&self.path, &texts, Some(selected), |passage| found.push(passage))?;
        Ok(found)
    }
}

/// Reads all passages of a segment, in their order.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read_passages(folder: &Path, give: impl FnMut(Passage)) -> Result<()> {
    let path = folder.join(PASSAGES);
    let file = File::open(&path).map_err(Error::file("read", &path))?;
    read_rows(&path, &file, None, give)
}

/// Reads all passages of a segment with their vectors, in their order.
///
/// - `width`: of the vectors, where there are some
///
/// # Errors
/// When a file cannot be read.
pub(super) fn read_all(folder: &Path, passages: usize, width: Option<usize>, mut give: impl FnMut(Row)) -> Result<()> {
    let vectors = width.map_or_else(|| Ok(Vec::new()), |width| read_vectors(folder, passages, width))?;
    let mut rest = &vectors[..];
    read_passages(folder, |passage| {
        let (own, others) = rest.split_at(width.unwrap_or(0).min(rest.len()));
        rest = others;
        give(Row { passage, vector: own.into() });
    })
}

/// The ids of a segment, rising.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read_ids(folder: &Path) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    read_file(&folder.join(PASSAGES), &[ID], |batch| {
        let own = batch.column_by_name(ID).and_then(|column| column.as_string_opt::<i32>());
        ids.extend(own.ok_or("it lacks a column")?.iter().flatten().map(str::to_owned));
        Ok(())
    })?;
    Ok(ids)
}

/// The vectors of a segment, `[passages, width]`.
///
/// # Errors
/// When the file cannot be read, or has others.
pub(super) fn read_vectors(folder: &Path, passages: usize, width: usize) -> Result<Vec<f32>> {
    let path = folder.join(VECTORS);
    let mut vectors = Vec::with_capacity(passages * width);
    read_file(&path, &[VECTOR], |batch| {
        let column = batch.column_by_name(VECTOR).and_then(|column| column.as_fixed_size_list_opt());
        let column = column.ok_or("it lacks the column `vector`")?;
        let numbers =
            column.values().as_primitive_opt::<Float32Type>().ok_or("its vectors are of no single precision")?;
        vectors.extend_from_slice(numbers.values());
        Ok(())
    })?;
    if vectors.len() != passages * width {
        let message = format!("it has {} numbers, and {passages} passages have vectors of {width} each", vectors.len());
        return Err(Error::Damaged { path, message });
    }
    if vectors.iter().any(|number| !number.is_finite()) {
        return Err(Error::Damaged { path, message: "a number of a vector is not finite".into() });
    }
    Ok(vectors)
}

/// Reads the documents of all passages of a segment, in their order.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read_documents(folder: &Path, mut give: impl FnMut(&str)) -> Result<()> {
    read_file(&folder.join(PASSAGES), &["document"], |batch| {
        let documents = batch.column_by_name("document").and_then(|column| column.as_string_opt::<i32>());
        documents.ok_or("it lacks a column")?.iter().flatten().for_each(&mut give);
        Ok(())
    })
}

fn read_rows(path: &Path, file: &File, rows: Option<RowSelection>, mut give: impl FnMut(Passage)) -> Result<()> {
    let columns = [ID, "document", "begin", "end", TITLE, TEXT, SOURCE, DATE, LANGUAGE];
    read(path, file, &columns, rows, |batch| {
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let [Some(id), Some(document), Some(title), Some(said), Some(source), Some(date), Some(language)] =
            [ID, "document", TITLE, TEXT, SOURCE, DATE, LANGUAGE].map(text)
        else {
            return Err("it lacks a column".into());
        };
        let (begin, end) = (numbers::<UInt64Type>(batch, "begin")?, numbers::<UInt64Type>(batch, "end")?);
        let optional = |column: &StringArray, row: usize| column.is_valid(row).then(|| column.value(row).to_owned());
        for row in 0..batch.num_rows() {
            give(Passage {
                id: id.value(row).to_owned(),
                document: document.value(row).to_owned(),
                begin: begin[row],
                end: end[row],
                title: title.value(row).to_owned(),
                text: said.value(row).to_owned(),
                source: optional(source, row),
                date: optional(date, row),
                language: optional(language, row),
            });
        }
        Ok(())
    })
}

/// The rows of some numbers, which rise.
fn selection(numbers: &[u32], rows: usize) -> RowSelection {
    let (mut selectors, mut next) = (Vec::new(), 0);
    for number in numbers {
        let number = *number as usize;
        if number > next {
            selectors.push(RowSelector::skip(number - next));
        }
        selectors.push(RowSelector::select(1));
        next = number + 1;
    }
    if next < rows {
        selectors.push(RowSelector::skip(rows - next));
    }
    selectors.into()
}
