//! Passages that are cut out of documents, and what remains of those.

use std::{
    hash::{Hash, Hasher},
    ops::Range,
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{
            Array as _, ArrayRef, AsArray as _, ListBuilder, StringViewBuilder, StructBuilder, UInt32Builder,
            UInt64Array,
        },
        datatypes::{DataType, UInt32Type},
    },
    error::Result,
    logical_expr::{
        ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast, when,
    },
    prelude::{DataFrame, JoinType, coalesce, col, lit},
    scalar::ScalarValue,
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Tables, cuts_type, repeats_schema, verdict::verdicts};
use crate::{
    measure::Family,
    text::cuts::{cut, union},
};

/// What becomes of documents of which something was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RemainsRule {
    /// Fewest bytes that are left of a document after all cuts; what is not cut is not asked.
    pub min_bytes: u64,
}

impl Default for RemainsRule {
    /// A passage of Lee et al. has 100 bytes: what is left should have as much.
    fn default() -> Self {
        Self { min_bytes: 100 }
    }
}

/// Cuts what a search has found out of the documents that `before` kept. No document is dropped for it yet.
///
/// # Errors
/// When what was found or the decisions cannot be read.
pub async fn repeats(tables: Tables<'_>, before: &str, found: std::path::PathBuf) -> Result<DataFrame> {
    let cuts = tables.parquet(vec![found], &repeats_schema()).await?;
    let cuts = cuts.select(vec![col("id").alias("cut_id"), col("cuts")])?;
    let documents = tables.kept(before).await?.join(cuts, JoinType::Left, &["id"], &["cut_id"], None)?;
    verdicts(documents, lit(ScalarValue::Utf8(None)), &["cuts"])
}

/// Takes all cuts together, and drops documents of which too little remains.
///
/// - `stages`: the steps that cut
/// - returns: besides the usual columns the `cuts`, and the `bytes` and `words` that remain; of words, as large a share as of bytes
///
/// # Errors
/// When the decisions or the facts cannot be read.
pub async fn remains(
    tables: Tables<'_>,
    before: &str,
    stages: &[String],
    words: &Family,
    rule: RemainsRule,
) -> Result<DataFrame> {
    let sources: Vec<String> = tables.parts.keys().cloned().collect();
    let sizes = tables.family(words, &sources).await?.select(vec![
        col("fact_id"),
        col("bytes").alias("all_bytes"),
        col("words").alias("all_words"),
    ])?;
    let mut documents = tables.kept(before).await?.join(sizes, JoinType::Left, &["id"], &["fact_id"], None)?;
    let mut lists = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        let (id, cuts) = (format!("id_{number}"), format!("cuts_{number}"));
        let found = tables.decisions(stage).await?.filter(col("cuts").is_not_null())?;
        let found = found.select(vec![col("id").alias(&id), col("cuts").alias(&cuts)])?;
        documents = documents.join(found, JoinType::Left, &["id"], &[&id], None)?;
        lists.push(col(cuts));
    }
    let documents = documents.with_column("cuts", CutText::Union.of(lists))?;
    let bytes = coalesce(vec![col("all_bytes"), lit(0u64)]) - CutText::Bytes.of(vec![col("cuts")]);
    let documents = documents.with_column("bytes", cast(bytes, DataType::UInt64))?;
    let share = cast(col("bytes"), DataType::Float64) / cast(col("all_bytes"), DataType::Float64);
    let words = cast(cast(col("all_words"), DataType::Float64) * share, DataType::UInt64);
    let documents = documents.with_column("words", words)?;
    let short = col("cuts").is_not_null().and(col("bytes").lt(lit(rule.min_bytes)));
    verdicts(documents, when(short, lit("short_remains")).end()?, &["cuts", "bytes", "words"])
}

/// A function of cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutText {
    /// Lists of cuts to one list; null where none has any.
    Union,
    /// Cuts to the bytes in them; 0 for none.
    Bytes,
    /// A text and its cuts to what remains.
    Text,
}

impl CutText {
    /// The function of some columns.
    #[must_use]
    pub fn of(self, arguments: Vec<Expr>) -> Expr {
        ScalarUDF::from(CutFunction::new(self)).call(arguments)
    }
}

/// [`CutText`] as a scalar function of plans.
#[derive(Debug, Clone)]
pub struct CutFunction {
    kind: CutText,
    signature: Signature,
}

impl CutFunction {
    /// The function.
    #[must_use]
    pub fn new(kind: CutText) -> Self {
        Self { kind, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    /// Which one it is.
    #[must_use]
    pub fn kind(&self) -> CutText {
        self.kind
    }
}

impl PartialEq for CutFunction {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for CutFunction {}

impl Hash for CutFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for CutFunction {
    fn name(&self) -> &'static str {
        match self.kind {
            CutText::Union => "cuts_union",
            CutText::Bytes => "cuts_bytes",
            CutText::Text => "cuts_text",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            CutText::Union => cuts_type(),
            CutText::Bytes => DataType::UInt64,
            CutText::Text => DataType::Utf8View,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let result: ArrayRef = match self.kind {
            CutText::Union => unions(&arrays, args.number_rows),
            CutText::Bytes => {
                let bytes = |row| cuts_of(&arrays[0], row).iter().map(|cut| u64::from(cut.end - cut.start)).sum();
                Arc::new(UInt64Array::from_iter_values((0..args.number_rows).map(bytes)))
            }
            CutText::Text => {
                let texts = arrays[0].as_string_view();
                let remains =
                    |row: usize| texts.is_valid(row).then(|| cut(texts.value(row), &cuts_of(&arrays[1], row)));
                let remains: Vec<Option<String>> = (0..args.number_rows).into_par_iter().map(remains).collect();
                let mut builder = StringViewBuilder::new();
                remains.iter().for_each(|text| builder.append_option(text.as_deref()));
                Arc::new(builder.finish())
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}

fn unions(lists: &[ArrayRef], rows: usize) -> ArrayRef {
    let fields = match cuts_type() {
        DataType::List(item) => match item.data_type() {
            DataType::Struct(fields) => fields.clone(),
            other => unreachable!("a cut is a struct, and not {other}"),
        },
        other => unreachable!("cuts are a list, and not {other}"),
    };
    let mut builder = ListBuilder::new(StructBuilder::from_fields(fields, rows));
    for row in 0..rows {
        let mut cuts: Vec<Range<u32>> = lists.iter().flat_map(|list| cuts_of(list, row)).collect();
        union(&mut cuts);
        for cut in &cuts {
            for (column, end) in [cut.start, cut.end].into_iter().enumerate() {
                let ends = builder.values().field_builder::<UInt32Builder>(column);
                ends.expect("a cut has two numbers").append_value(end);
            }
            builder.values().append(true);
        }
        builder.append(!cuts.is_empty());
    }
    Arc::new(builder.finish())
}

/// The cuts in a row of a list; none where it is null.
fn cuts_of(list: &ArrayRef, row: usize) -> Vec<Range<u32>> {
    if list.is_null(row) {
        return Vec::new();
    }
    let cuts = list.as_list::<i32>().value(row);
    let ends = |column: usize| cuts.as_struct().column(column).as_primitive::<UInt32Type>().clone();
    let (starts, ends) = (ends(0), ends(1));
    starts.values().iter().zip(ends.values()).map(|(start, end)| *start..*end).collect()
}
