//! Fitting weights of what is counted in a chunk.

use std::collections::HashMap;

use rayon::prelude::*;

use super::set::{Part, TrainingSet};
use crate::{
    error::{Error, Result},
    learn::{
        card::Penalty,
        document::{Document, Label},
        logistic::balanced_loss,
        statistics::{StatisticsModel, shares},
    },
    text::{draw::draw, facts::FactCounter, letters::LetterCounts},
};

impl TrainingSet<'_> {
    /// Fits statistics of as many chunks of one side as of the other.
    pub fn fit_statistics(&self, l2: f64) -> Result<(StatisticsModel, Vec<Penalty>)> {
        let measured = |chunks: &[(&Document, &str)]| -> (Vec<Vec<f64>>, Vec<bool>) {
            let side = |label: Label| chunks.iter().filter(|(document, _)| document.label == label).count();
            let most = side(Label::Positive).min(side(Label::Negative));
            let mut drawn: Vec<(u64, usize)> = (0..chunks.len())
                .map(|number| {
                    let name = format!("{}/{number}", chunks[number].0.id);
                    (draw(self.training.seed, "statistics", &name), number)
                })
                .collect();
            drawn.sort_unstable();
            let mut taken: HashMap<Label, usize> = HashMap::new();
            drawn.retain(|(_, number)| {
                let count = taken.entry(chunks[*number].0.label).or_default();
                *count += 1;
                *count <= most
            });
            drawn
                .par_iter()
                .map_init(FactCounter::default, |counter, (_, number)| {
                    let (document, text) = chunks[*number];
                    (shares(text, counter), document.label == Label::Positive)
                })
                .unzip()
        };
        let (rows, labels) = measured(&self.learned);
        let mut letters = LetterCounts::default();
        self.learned.iter().for_each(|(_, text)| letters.count(text));
        let model = StatisticsModel::fit(&rows, &labels, &letters, l2)
            .map_err(|message| Error::Classifier { name: self.training.name.clone(), message })?;
        let (unseen, labels) = measured(&self.chunks(Part::Validation));
        let odds: Vec<(f64, bool)> = unseen.iter().map(|row| model.log_odds_of(row)).zip(labels).collect();
        Ok((model, vec![Penalty { l2, iterations: 0, loss: balanced_loss(&odds) }]))
    }
}
