//! Documents as questions with their passages.

use std::{path::PathBuf, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array as _, ArrayRef, AsArray as _, ListBuilder, StringViewArray, StringViewBuilder, StructArray},
        datatypes::{DataType, Fields, UInt32Type},
    },
    error::Result,
};
use rayon::prelude::*;
use schemas::columns;
use serde::{Deserialize, Serialize};

use super::{
    PairsContent, PairsFrom,
    negatives::{Asked, NegativePool, PoolPassage},
    pool::{PoolRow, read_pool},
};
use crate::{
    error,
    plan::Function,
    text::{
        draw::draw_of,
        pairs::{ClozeDraws, Pair, inverse_cloze, title_pair},
    },
};

/// How documents become questions with their passages: data alone, so that a plan that holds it can be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pairing {
    /// What is the question, and what the passage.
    pub pairs: PairsContent,
    /// The recipe's seed.
    pub seed: u64,
    /// The mixture.
    pub mixture: String,
    /// The documents whose passages others may have as negatives.
    pub pool: Option<PathBuf>,
}

impl Pairing {
    /// The pair of one copy of a document. Another copy has another passage, where there are more.
    fn pair(&self, id: &str, copy: u32, title: Option<&str>, text: &str) -> Pair {
        let words = self.pairs.words as usize;
        match self.pairs.from {
            PairsFrom::Title => title_pair(title.unwrap_or_default(), text, words),
            PairsFrom::InverseCloze { kept } => {
                let draw = |purpose| self.draw(purpose, id, copy, 0);
                // copies follow each other, so that no passage is taken twice before all are
                let passage = self.draw("passage", id, 0, 0).wrapping_add(copy.into());
                let draws = ClozeDraws { passage, sentence: draw("sentence"), kept: draw("kept") };
                inverse_cloze(title, text, words, kept, draws)
            }
        }
    }

    fn draw(&self, purpose: &str, id: &str, copy: u32, turn: u64) -> u64 {
        let (copy, turn) = (copy.to_le_bytes(), turn.to_le_bytes());
        draw_of(self.seed, &[purpose.as_bytes(), self.mixture.as_bytes(), id.as_bytes(), &copy, &turn])
    }
}

impl Function for Pairing {
    const KIND: &'static str = "pair";
    const ARGUMENTS: Option<usize> = Some(5);
    type Loaded = NegativePool;

    fn name(&self) -> &'static str {
        "pair"
    }

    fn return_type(&self) -> DataType {
        DataType::Struct(paired_fields())
    }

    fn load(&self) -> error::Result<NegativePool> {
        let pool = self.pool.as_deref().map(read_pool).transpose()?.unwrap_or_default();
        let passage = |PoolRow { id, group, title, text }: PoolRow| PoolPassage {
            text: self.pair(&id, 0, title.as_deref(), &text).positive,
            group,
        };
        Ok(NegativePool::new(self.pairs.negatives, pool.into_par_iter().map(passage).collect()))
    }

    /// Id, copy, group, title and text to `query`, `positive` and `negatives`.
    fn evaluate(&self, pool: &NegativePool, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let texts = |column: usize| columns[column].as_string_view();
        let (ids, groups, titles, documents) = (texts(0), texts(2), texts(3), texts(4));
        let copies = columns[1].as_primitive::<UInt32Type>().values();
        let row = |row: usize| {
            let (id, copy) = (ids.value(row), copies[row]);
            let title = (!titles.is_null(row)).then(|| titles.value(row));
            let pair = self.pair(id, copy, title, documents.value(row));
            let asked = Asked { query: &pair.query, positive: &pair.positive, group: groups.value(row) };
            let negatives = pool.choose(asked, |turn| self.draw("negative", id, copy, turn));
            (pair, negatives)
        };
        let rows: Vec<(Pair, Vec<String>)> = (0..rows).into_par_iter().map(row).collect();
        let mut negatives = ListBuilder::new(StringViewBuilder::new()).with_field(columns::list_item());
        for (_, texts) in &rows {
            texts.iter().for_each(|text| negatives.values().append_value(text));
            negatives.append(true);
        }
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(StringViewArray::from_iter_values(rows.iter().map(|(pair, _)| &pair.query))),
            Arc::new(StringViewArray::from_iter_values(rows.iter().map(|(pair, _)| &pair.positive))),
            Arc::new(negatives.finish()),
        ];
        Ok(Arc::new(StructArray::new(paired_fields(), arrays, None)))
    }
}

/// The columns of a mixture of pairs that a pairing makes: `query`, `positive`, `negatives`.
fn paired_fields() -> Fields {
    columns::pairs_mixture().fields().iter().skip(2).cloned().collect()
}
