//! The family `c4_lines`: what C4's rules on lines find.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, BooleanArray, ListBuilder, UInt32Builder, UInt64Array},
    datatypes::{DataType, Field, Fields},
};
use rayon::prelude::*;

use super::{
    Asked, FamilyConfig,
    family::{FactFamily, Measure, field},
};
use crate::{
    error::Result,
    files::Version,
    text::{
        c4::{LineCuts, LineRules},
        lines::count_characters,
        tokens::Tokens,
    },
};

/// What C4's rules on lines find.
pub struct C4Lines(LineRules);

impl FactFamily for C4Lines {
    type Config = LineRules;

    const VERSION: Version = Version::new("measure/c4_lines", 1);

    fn name(_: &LineRules) -> &'static str {
        "c4_lines"
    }

    /// `cuts` holds where each cut begins and ends, in bytes, in turn; `cut_characters` is how much that is, and `sentences` how
    /// many are in what stays.
    fn fields() -> Fields {
        let item = Arc::new(Field::new("item", DataType::UInt32, true));
        Fields::from(vec![
            field("sentences", DataType::UInt64),
            field("lorem_ipsum", DataType::Boolean),
            field("curly_bracket", DataType::Boolean),
            field("cut_characters", DataType::UInt64),
            field("cuts", DataType::List(item)),
        ])
    }

    fn asked(asked: &Asked<'_>) -> Result<Vec<LineRules>> {
        // all steps look at the same lines: a recipe in which they do not is refused
        let rules = asked.configured().find_map(|config| match config {
            FamilyConfig::C4Lines(rules) => Some(*rules),
            _ => None,
        });
        Ok(rules.into_iter().collect())
    }

    fn description(rules: &LineRules) -> String {
        format!("lines of {} words or more", rules.min_words)
    }

    fn load(rules: &LineRules) -> Result<Self> {
        Ok(Self(*rules))
    }
}

impl Measure for C4Lines {
    fn measure(&self, texts: &[Option<&str>]) -> Vec<ArrayRef> {
        let count = |tokens: &mut Tokens, text: &str| {
            tokens.take(text);
            let found = self.0.apply(text, tokens);
            let cut = found.cuts.iter().map(|cut| count_characters(&text[cut.start as usize..cut.end as usize])).sum();
            (found, cut)
        };
        let found: Vec<Option<(LineCuts, u64)>> =
            texts.par_iter().map_init(Tokens::default, |tokens, text| text.map(|text| count(tokens, text))).collect();
        let cuts = |pick: fn(&LineCuts) -> bool| found.iter().map(move |of| of.as_ref().map(|(of, _)| pick(of)));
        let mut places = ListBuilder::new(UInt32Builder::new());
        for of_text in &found {
            let of_text = of_text.as_ref().map(|(found, _)| &found.cuts);
            places.append_option(of_text.map(|cuts| cuts.iter().flat_map(|cut| [Some(cut.start), Some(cut.end)])));
        }
        vec![
            Arc::new(found.iter().map(|of| of.as_ref().map(|(of, _)| of.sentences)).collect::<UInt64Array>()),
            Arc::new(cuts(|found| found.lorem_ipsum).collect::<BooleanArray>()),
            Arc::new(cuts(|found| found.curly_bracket).collect::<BooleanArray>()),
            Arc::new(found.iter().map(|of| of.as_ref().map(|(_, cut)| *cut)).collect::<UInt64Array>()),
            Arc::new(places.finish()),
        ]
    }
}
