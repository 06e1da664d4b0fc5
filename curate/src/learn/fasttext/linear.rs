//! A model of two labels as one weight for each row.

use super::vocabulary::{Buffers, Vocabulary};

/// A model of two labels, in which each row is one number: what it adds to the log-odds. The mean of rows and its product with the labels'
/// vectors are linear, so that the product may come first: a row is 4 bytes then, and not hundreds.
pub struct LinearModel {
    pub(super) vocabulary: Vocabulary,
    /// What each row adds.
    pub(super) weights: Vec<f32>,
}

impl LinearModel {
    /// The log-odds of the label, none where the line has no row, and the share of its words and n-grams that the model knows; 0 for a line
    /// without words.
    pub fn read(&self, line: &str, buffers: &mut Buffers) -> (Option<f64>, f64) {
        let (known, all) = self.vocabulary.rows(line.as_bytes(), buffers);
        let rows = &buffers.rows;
        let sum: f64 = rows.iter().map(|row| f64::from(self.weights[*row as usize])).sum();
        let log_odds = (!rows.is_empty()).then(|| sum / rows.len() as f64);
        (log_odds, if all == 0 { 0.0 } else { known as f64 / all as f64 })
    }
}
