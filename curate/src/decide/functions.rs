//! Chance as functions of plans: the kernels of [`crate::text::draw`], described by seed and purpose.

use std::{collections::BTreeMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            ArrayRef, AsArray as _, Float64Array, ListBuilder, StringViewArray, StructBuilder, UInt32Builder,
            UInt64Array, UInt64Builder,
        },
        datatypes::{DataType, Field, Fields, Float64Type, UInt64Type},
    },
    error::Result,
    logical_expr::Expr,
};
use serde::{Deserialize, Serialize};

use crate::{
    error,
    plan::{Function, call},
    text::draw::{draw, draw_of, fraction, pareto_keeps},
};

/// A function of ids or scores in which chance is a hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chance {
    /// Id to a fraction in `0.0..1.0`.
    Fraction {
        /// The recipe's seed.
        seed: u64,
        /// What is drawn for.
        purpose: String,
    },
    /// Id to 64 bits, to order by.
    Bits {
        /// The recipe's seed.
        seed: u64,
        /// What is drawn for.
        purpose: String,
    },
    /// Score to the probability that a Pareto draw keeps it.
    ParetoKeeps {
        /// The shape.
        alpha: f64,
    },
    /// Group to `train`, `validation` or `test`.
    Split {
        /// The recipe's seed.
        seed: u64,
        /// The share of groups that are for validation.
        validation: f64,
        /// The share of groups that are for testing.
        test: f64,
    },
    /// Id, split, copies and source to one place for each copy and template: a list of (template, copy, order, bucket).
    Places {
        /// The recipe's seed.
        seed: u64,
        /// The mixture.
        mixture: String,
        /// The names of each source's templates; one empty name for plain text.
        templates: BTreeMap<String, Vec<String>>,
        /// Whether one template is sampled for each copy, or all are taken.
        sample_template: bool,
        /// The splits, each with its first bucket and how many it has.
        shards: Vec<SplitShards>,
    },
}

/// The shards of one split, which are numbered through all splits of a mixture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitShards {
    /// `train`, `validation` or `test`.
    pub split: String,
    /// The number of its first shard.
    pub first: u32,
    /// How many it has, 1 or more.
    pub count: u32,
}

impl Chance {
    /// The function of some columns.
    #[must_use]
    pub fn of(self, arguments: Vec<Expr>) -> Expr {
        call(self, arguments)
    }
}

impl Function for Chance {
    const KIND: &'static str = "chance";
    const ARGUMENTS: Option<usize> = None;
    type Loaded = ();

    fn name(&self) -> &str {
        match self {
            Self::Fraction { .. } => "chance_fraction",
            Self::Bits { .. } => "chance_bits",
            Self::ParetoKeeps { .. } => "chance_pareto_keeps",
            Self::Split { .. } => "chance_split",
            Self::Places { .. } => "chance_places",
        }
    }

    fn return_type(&self) -> DataType {
        match self {
            Self::Fraction { .. } | Self::ParetoKeeps { .. } => DataType::Float64,
            Self::Bits { .. } => DataType::UInt64,
            Self::Split { .. } => DataType::Utf8View,
            Self::Places { .. } => DataType::List(Arc::new(Field::new("item", DataType::Struct(place_fields()), true))),
        }
    }

    fn load(&self) -> error::Result<()> {
        Ok(())
    }

    fn evaluate(&self, (): &(), columns: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let texts = |number: usize| columns[number].as_string_view().iter().map(Option::unwrap_or_default);
        Ok(match self {
            Self::Fraction { seed, purpose } => {
                Arc::new(Float64Array::from_iter_values(texts(0).map(|id| fraction(draw(*seed, purpose, id)))))
            }
            Self::Bits { seed, purpose } => {
                Arc::new(UInt64Array::from_iter_values(texts(0).map(|id| draw(*seed, purpose, id))))
            }
            Self::ParetoKeeps { alpha } => {
                let scores = columns[0].as_primitive::<Float64Type>();
                Arc::new(
                    scores.iter().map(|score| score.map(|score| pareto_keeps(score, *alpha))).collect::<Float64Array>(),
                )
            }
            Self::Split { seed, validation, test } => {
                let split = |group: &str| match fraction(draw(*seed, "split", group)) {
                    draw if draw < *validation => "validation",
                    draw if draw < validation + test => "test",
                    _ => "train",
                };
                Arc::new(StringViewArray::from_iter_values(texts(0).map(split)))
            }
            Self::Places { seed, mixture, templates, sample_template, shards } => {
                let copies = columns[2].as_primitive::<UInt64Type>().values();
                let rows = texts(0).zip(texts(1)).zip(copies).zip(texts(3));
                let rows = rows.map(|(((id, split), copies), source)| (id, split, *copies, source));
                places(*seed, mixture, (templates, *sample_template), shards, rows)
            }
        })
    }
}

fn place_fields() -> Fields {
    Fields::from(vec![
        Field::new("template", DataType::UInt32, true),
        Field::new("copy", DataType::UInt32, true),
        Field::new("order", DataType::UInt64, true),
        Field::new("bucket", DataType::UInt32, true),
    ])
}

/// The order of a row is a hash of mixture, id, template and copy; shards cut the range of orders into equal stretches, so
/// that the shards one after the other are in order, too.
fn places<'a>(
    seed: u64,
    mixture: &str,
    (templates, sample_template): (&BTreeMap<String, Vec<String>>, bool),
    shards: &[SplitShards],
    rows: impl Iterator<Item = (&'a str, &'a str, u64, &'a str)>,
) -> ArrayRef {
    let mut list = ListBuilder::new(StructBuilder::from_fields(place_fields(), 0));
    for (id, split, copies, source) in rows {
        let templates = templates.get(source).map_or(&[][..], Vec::as_slice);
        let (first, count) =
            shards.iter().find(|shards| shards.split == split).map_or((0, 1), |found| (found.first, found.count));
        for copy in 0..u32::try_from(copies).expect("a recipe's epochs are few") {
            let drawn = sample_template.then(|| sampled_template(seed, mixture, id, copy, templates.len()));
            let wanted = |(number, _): &(u32, &String)| drawn.is_none_or(|drawn| *number == drawn);
            for (template, name) in (0u32..).zip(templates).filter(wanted) {
                let order =
                    draw_of(seed, &[b"order", mixture.as_bytes(), id.as_bytes(), name.as_bytes(), &copy.to_le_bytes()]);
                let number = u32::try_from((u128::from(order) * u128::from(count)) >> 64).expect("below the count");
                let place = list.values();
                for (field, value) in [(0, template), (1, copy), (3, first + number)] {
                    place.field_builder::<UInt32Builder>(field).expect("the field is a u32").append_value(value);
                }
                place.field_builder::<UInt64Builder>(2).expect("the field is a u64").append_value(order);
                place.append(true);
            }
        }
        list.append(true);
    }
    Arc::new(list.finish())
}

/// The number of the template that is sampled for a copy.
#[must_use]
pub fn sampled_template(seed: u64, mixture: &str, id: &str, copy: u32, count: usize) -> u32 {
    let draw = draw_of(seed, &[b"template", mixture.as_bytes(), id.as_bytes(), &copy.to_le_bytes()]);
    u32::try_from((u128::from(draw) * count as u128) >> 64).expect("below the count")
}
