//! Fitting weights of hashed words, as strong a penalty as chunks that are held out ask for.

use rayon::prelude::*;

use super::set::{Part, TrainingSet};
use crate::learn::{
    card::Penalty,
    document::{Document, Label},
    features::{Features, HashedWords},
    hashed::{HashedModel, Seen},
    logistic::{Fitted, balanced_loss, fit},
    sparse_matrix::SparseMatrix,
};

/// Strengths of L2 regularization that are tried where none is given, from a model that knows little to one that knows all by heart.
const L2_PATH: [f64; 6] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];

impl TrainingSet<'_> {
    /// Fits along the regularization path, from the largest penalty on, until chunks that are held out say that it is enough.
    pub fn fit_hashed(
        &self,
        features: HashedWords,
        l2: Option<f64>,
        max_iterations: usize,
    ) -> (HashedModel, Vec<Penalty>) {
        let seen = Seen::new(features);
        let (rows, labels) = features_of(&self.learned, features, Some(&seen));
        let examples = SparseMatrix::new(&rows);
        drop(rows);
        let (unseen, unseen_labels) = features_of(&self.chunks(Part::Validation), features, None);
        let loss = |model: &HashedModel| {
            let odds = unseen.par_iter().map(|row| model.log_odds_of(row));
            balanced_loss(&odds.collect::<Vec<_>>().into_iter().zip(unseen_labels.iter().copied()).collect::<Vec<_>>())
        };
        let (mut best, mut tried): (Option<(f64, HashedModel)>, Vec<Penalty>) = (None, Vec::new());
        let mut start: Option<Fitted> = None;
        let wanted = l2.map_or_else(|| L2_PATH.to_vec(), |l2| vec![l2]);
        for l2 in wanted {
            let fitted = fit(&examples, &labels, l2, max_iterations, start.as_ref());
            let model = HashedModel::new(features, &examples.features, &fitted, &seen);
            let loss = loss(&model);
            tried.push(Penalty { l2, iterations: fitted.iterations, loss });
            let Some(loss) = loss else {
                // without both sides nothing says which is better: the largest, whose model knows the least by heart
                best = Some((f64::INFINITY, model));
                break;
            };
            match &best {
                Some((least, _)) if loss >= *least => break,
                _ => best = Some((loss, model)),
            }
            start = Some(fitted);
        }
        (best.expect("one penalty or more is tried").1, tried)
    }
}

/// The features of chunks, with their labels; what is in them is noted as `seen`.
fn features_of(
    chunks: &[(&Document, &str)],
    features: HashedWords,
    seen: Option<&Seen>,
) -> (Vec<Vec<(u32, f32)>>, Vec<bool>) {
    chunks
        .par_iter()
        .map_init(Features::default, |buffer, (document, text)| {
            features.take(text, buffer);
            if let Some(seen) = seen {
                seen.note(features, buffer);
            }
            (buffer.entries.clone(), document.label == Label::Positive)
        })
        .unzip()
}
