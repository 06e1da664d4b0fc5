//! One step on files, as rows that come as they are made: for trials and for pipes.
//!
//! The same readings and facts as a run's, without its folder: nothing is kept, and nothing is resumed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _, RecordBatch},
        compute::filter_record_batch,
        datatypes::{Schema, UInt64Type},
        error::ArrowError,
    },
    prelude::{DataFrame, col},
};
use futures::TryStreamExt as _;

use super::facts::with_facts;
use crate::{
    engine::Session,
    error::{Error, InStage as _, Result},
    measure::Family,
    source::{Cleaning, Format, Reading, read_table},
};

/// A record that gave no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Where it begins in the file.
    pub offset: u64,
    /// The reason for which it is no document, or its fault.
    pub why: String,
    /// Whether that is a fault: the record is broken, and not refused by design.
    pub is_broken: bool,
    /// What was found, for a fault.
    pub detail: Option<String>,
    /// Bytes of the file that are lost, where it is no record but a stretch that cannot be read.
    pub lost: Option<u64>,
}

/// What to read, and what to make of it.
pub struct Pipe<'a> {
    /// The session that plans.
    pub session: &'a Session,
    /// The name of the source, which is a part of every id.
    pub source: String,
    /// Columns of a document to give.
    pub columns: &'a [&'a str],
    /// What is done to texts, in this order.
    pub clean: &'a [Cleaning],
    /// Facts to give.
    pub families: &'a [Family],
}

impl Pipe<'_> {
    /// Reads a file: documents go to `take`, batch by batch, and what is none to `leave`.
    ///
    /// # Errors
    /// When the file cannot be read, or `take` fails.
    pub async fn read(
        &self,
        path: &Path,
        format: &Format,
        mut take: impl FnMut(RecordBatch) -> std::io::Result<()>,
        mut leave: impl FnMut(Left),
    ) -> Result<()> {
        let context = self.session.reading(1);
        let reading = Reading {
            source: self.source.clone(),
            part: 0,
            path: PathBuf::from(path),
            format: format.clone(),
            clean: self.clean.to_vec(),
        };
        let table = context
            .read_table(read_table(reading))
            .and_then(|table| with_facts(table, self.families))
            .and_then(|table| self.chosen(table))
            .in_stage("read")?;
        let mut batches = table.execute_stream().await.in_stage("read")?;
        while let Some(batch) = batches.try_next().await.in_stage("read")? {
            let (rows, left) = divide(&batch).in_stage("read")?;
            left.into_iter().for_each(&mut leave);
            take(rows).map_err(|source| Error::File { action: "write", path: "standard output".into(), source })?;
        }
        Ok(())
    }

    /// The wanted columns and facts, behind the columns of [`TOLD`].
    fn chosen(&self, table: DataFrame) -> datafusion::error::Result<DataFrame> {
        let told = TOLD.map(|name| col(name).alias(format!("told_{name}")));
        let columns = self.columns.iter().map(|name| col(*name));
        let facts = self.families.iter().map(|family| col(family.column()));
        table.select(told.into_iter().chain(columns).chain(facts).collect::<Vec<_>>())
    }
}

/// What tells what became of a record.
const TOLD: [&str; 5] = ["offset", "reason", "fault", "detail", "lost"];

/// The documents of a batch without the columns of [`TOLD`], and the other records.
fn divide(batch: &RecordBatch) -> datafusion::error::Result<(RecordBatch, Vec<Left>)> {
    let offsets = batch.column(0).as_primitive::<UInt64Type>();
    let lost = batch.column(4).as_primitive::<UInt64Type>();
    let text = |column: usize, row: usize| {
        let texts = batch.column(column).as_string_view();
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    let left: Vec<Option<Left>> = (0..batch.num_rows())
        .map(|row| {
            let (reason, fault) = (text(1, row), text(2, row));
            let is_broken = reason.is_none();
            let why = reason.or(fault)?;
            let lost = lost.is_valid(row).then(|| lost.value(row));
            Some(Left { offset: offsets.value(row), why, is_broken, detail: text(3, row), lost })
        })
        .collect();
    let is_document = left.iter().map(|left| Some(left.is_none())).collect();
    let wanted: Vec<usize> = (TOLD.len()..batch.num_columns()).collect();
    let rows = filter_record_batch(&batch.project(&wanted)?, &is_document)?;
    Ok((side_by_side(&rows)?, left.into_iter().flatten().collect()))
}

/// The facts of each family as columns of their own. A plan that took a struct apart would make it anew for each field.
fn side_by_side(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        match column.as_struct_opt() {
            Some(facts) => {
                fields.extend(facts.fields().iter().cloned());
                columns.extend(facts.columns().iter().cloned());
            }
            None => {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(column));
            }
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
