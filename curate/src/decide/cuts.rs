//! Cuts in plans: lists of byte ranges, and the functions of them.

use std::{ops::Range, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            Array as _, ArrayRef, AsArray as _, ListBuilder, StringViewBuilder, StructBuilder, UInt32Builder,
            UInt64Array,
        },
        datatypes::{DataType, Field, Fields, UInt32Type},
    },
    error::Result,
    logical_expr::Expr,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::contamination_cuts::{ContaminationCuts, contamination_fields};
use crate::{
    error,
    plan::{Function, call},
    text::cuts::{cut, union},
};

fn cut_fields() -> Fields {
    Fields::from(vec![Field::new("start", DataType::UInt32, false), Field::new("end", DataType::UInt32, false)])
}

/// Byte ranges of a text that go, in order and apart from each other: a list of `start` and `end`.
#[must_use]
pub fn cuts_type() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(cut_fields()), true)))
}

/// Builds a column of cuts.
pub struct CutsBuilder(ListBuilder<StructBuilder>);

impl CutsBuilder {
    pub fn new() -> Self {
        Self(ListBuilder::new(StructBuilder::from_fields(cut_fields(), 0)))
    }

    /// Adds a cut to the row that is open.
    pub fn push(&mut self, cut: &Range<u32>) {
        let cuts = self.0.values();
        for (column, end) in [cut.start, cut.end].into_iter().enumerate() {
            cuts.field_builder::<UInt32Builder>(column).expect("a cut has two numbers").append_value(end);
        }
        cuts.append(true);
    }

    /// Ends a row, which is null where nothing is cut.
    pub fn close(&mut self, is_cut: bool) {
        self.0.append(is_cut);
    }

    pub fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// A function of cuts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutText {
    /// Lists of cuts to one list; null where none has any.
    Union,
    /// Cuts to the bytes in them; 0 for none.
    Bytes,
    /// A text and its cuts to what remains.
    Text,
    /// Overlaps with benchmarks, and a text's bytes and characters, to a struct of `cuts` and `stretches`.
    Contamination(ContaminationCuts),
}

impl CutText {
    /// The function of some columns.
    #[must_use]
    pub fn of(self, arguments: Vec<Expr>) -> Expr {
        call(self, arguments)
    }
}

impl Function for CutText {
    const KIND: &'static str = "cuts";
    const ARGUMENTS: Option<usize> = None;
    type Loaded = ();

    fn name(&self) -> &str {
        match self {
            Self::Union => "cuts_union",
            Self::Bytes => "cuts_bytes",
            Self::Text => "cuts_text",
            Self::Contamination(_) => "cuts_contamination",
        }
    }

    fn return_type(&self) -> DataType {
        match self {
            Self::Union => cuts_type(),
            Self::Bytes => DataType::UInt64,
            Self::Text => DataType::Utf8View,
            Self::Contamination(_) => DataType::Struct(contamination_fields()),
        }
    }

    fn load(&self) -> error::Result<()> {
        Ok(())
    }

    fn evaluate(&self, (): &(), columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        Ok(match self {
            Self::Union => unions(columns, rows),
            Self::Bytes => {
                let bytes = |row| cuts_of(&columns[0], row).iter().map(|cut| u64::from(cut.end - cut.start)).sum();
                Arc::new(UInt64Array::from_iter_values((0..rows).map(bytes)))
            }
            Self::Text => {
                let texts = columns[0].as_string_view();
                let remains =
                    |row: usize| texts.is_valid(row).then(|| cut(texts.value(row), &cuts_of(&columns[1], row)));
                let remains: Vec<Option<String>> = (0..rows).into_par_iter().map(remains).collect();
                let mut builder = StringViewBuilder::new();
                remains.iter().for_each(|text| builder.append_option(text.as_deref()));
                Arc::new(builder.finish())
            }
            Self::Contamination(cuts) => cuts.evaluate(columns, rows),
        })
    }
}

fn unions(lists: &[ArrayRef], rows: usize) -> ArrayRef {
    let mut builder = CutsBuilder::new();
    for row in 0..rows {
        let mut cuts: Vec<Range<u32>> = lists.iter().flat_map(|list| cuts_of(list, row)).collect();
        union(&mut cuts);
        cuts.iter().for_each(|cut| builder.push(cut));
        builder.close(!cuts.is_empty());
    }
    builder.finish()
}

/// The cuts in a row of a list; none where it is null.
#[must_use]
pub fn cuts_of(list: &ArrayRef, row: usize) -> Vec<Range<u32>> {
    if list.is_null(row) {
        return Vec::new();
    }
    let cuts = list.as_list::<i32>().value(row);
    let ends = |column: usize| cuts.as_struct().column(column).as_primitive::<UInt32Type>().clone();
    let (starts, ends) = (ends(0), ends(1));
    starts.values().iter().zip(ends.values()).map(|(start, end)| *start..*end).collect()
}
