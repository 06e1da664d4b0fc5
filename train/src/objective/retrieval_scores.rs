//! How well encoders find the passages of questions that they have not seen.
//!
//! Each question is asked of all passages of the data that they are judged by, positives and negatives, each text once: the rank of its own says how
//! good they are. Other passages that answer it, as far as that is known, are left out.
//!
//! Source: Karpukhin et al. 2020 (DPR), whose code chooses the best step by the average rank.

use std::fmt;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;
use serde::Serialize;

use super::{
    contrastive::tokens,
    scores::{Evaluator, Score, Scores},
};
use crate::{
    data::{PaddedSequences, RetrievalPairs, by_like_length},
    error::Result,
    metrics::{TOP, mean, stderr_of_mean},
    model::{DualEncoder, Tokens},
};

/// Questions whose scores are held together.
const TOGETHER: usize = 256;

/// The keys of the accuracies at [`TOP`] in the log.
const TOP_KEYS: [&str; 4] = ["validation_top_1", "validation_top_5", "validation_top_20", "validation_top_100"];

/// Pairs that encoders are judged by, of which they have seen no question.
#[derive(Debug)]
pub struct RetrievalScores<'p> {
    pairs: &'p RetrievalPairs,
    numbers: Vec<usize>,
    hash: String,
    batch_size: usize,
    padding: u32,
}

/// How well questions find their passages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetrievalFigures {
    /// Questions, one for each pair.
    pub questions: usize,
    /// Passages that each is asked of.
    pub passages: usize,
    /// The mean rank of the passage that is right, and its standard error; 1 is the best.
    pub rank: (f64, Option<f64>),
    /// The mean of 1 / rank, and its standard error.
    pub mrr: (f64, Option<f64>),
    /// The share of questions whose passage is among the first so many, and its standard error; as far as there are more passages than these.
    pub top: Vec<(usize, f64, Option<f64>)>,
}

impl<'p> RetrievalScores<'p> {
    /// A sample of pairs, one at least; all passages stay.
    ///
    /// - `most`: pairs, at most; they are drawn once, by `seed`
    /// - `batch_size`: texts that go through a model together
    /// - `padding`: any id
    #[must_use]
    pub fn new(pairs: &'p RetrievalPairs, (seed, most): (u64, usize), batch_size: usize, padding: u32) -> Self {
        let numbers = pairs.sample(seed, most);
        // passages are the same, whichever questions are asked
        let all: Vec<usize> = (0..pairs.count()).collect();
        let hash = format!("{}{}", pairs.hash(&numbers), pairs.hash(&all));
        Self { pairs, numbers, hash, batch_size, padding }
    }

    /// Pairs that it judges by.
    #[must_use]
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// The figures of encoders without gradients.
    #[must_use]
    pub fn figures(&self, encoder: &DualEncoder) -> RetrievalFigures {
        let Self { pairs, numbers, batch_size, padding, .. } = self;
        let passage = |place: usize| pairs.passage(u32::try_from(place).expect("passages are numbered")).ids;
        let passages = text_vectors((encoder, DualEncoder::passages), pairs.passages(), *batch_size, *padding, passage);
        let query = |place: usize| pairs.query(numbers[place]).ids;
        let queries = text_vectors((encoder, DualEncoder::queries), numbers.len(), *batch_size, *padding, query);
        let device = encoder.model().device();
        let matrix = |vectors: &[Vec<f32>]| -> Tensor<2> {
            let shape = [vectors.len(), vectors[0].len()];
            Tensor::from_data(TensorData::new(vectors.concat(), shape), &device)
        };
        let columns = matrix(&passages).transpose(); // [w, p]
        let mut ranks = Vec::with_capacity(numbers.len());
        for (some, numbers) in queries.chunks(TOGETHER).zip(numbers.chunks(TOGETHER)) {
            let scores: Vec<f32> =
                matrix(some).matmul(columns.clone()).into_data().try_to_vec().expect("scores are single precision");
            let of_pairs = scores.par_chunks(passages.len()).zip(numbers);
            ranks.extend(of_pairs.map(|(scores, pair)| self.rank(scores, *pair)).collect::<Vec<_>>());
        }
        figures(&ranks, passages.len())
    }

    /// The rank of a pair's passage among all that do not answer its question: of equal scores it is the last, so that encoders that tell nothing
    /// apart find nothing.
    fn rank(&self, scores: &[f32], pair: usize) -> usize {
        let own = self.pairs.positive_number(pair) as usize;
        let query = self.pairs.query(pair);
        let is_before = |place: usize| {
            // no number is as good as the best
            let is_before = place != own && (scores[place] >= scores[own] || scores[own].is_nan());
            is_before
                && !query.is_answered_by(&self.pairs.passage(u32::try_from(place).expect("passages are numbered")))
        };
        1 + (0..scores.len()).filter(|place| is_before(*place)).count()
    }
}

fn figures(ranks: &[usize], passages: usize) -> RetrievalFigures {
    let of = |each: Vec<f64>| (mean(&each), stderr_of_mean(&each));
    let each = |value: &dyn Fn(usize) -> f64| of(ranks.iter().map(|rank| value(*rank)).collect());
    let top = |top: usize| {
        let (share, error) = each(&|rank| f64::from(u8::from(rank <= top)));
        (top, share, error)
    };
    RetrievalFigures {
        questions: ranks.len(),
        passages,
        rank: each(&|rank| rank as f64),
        mrr: each(&|rank| 1.0 / rank as f64),
        top: TOP.into_iter().filter(|most| *most < passages).map(top).collect(),
    }
}

impl Evaluator<DualEncoder> for RetrievalScores<'_> {
    fn criterion(&self) -> &'static str {
        "validation_rank"
    }

    fn eval_set(&self) -> &str {
        &self.hash
    }

    /// The average rank, the mean reciprocal rank, and accuracies.
    fn evaluate(&self, model: &DualEncoder, _: u64) -> Result<Scores> {
        let RetrievalFigures { questions, passages, rank: (rank, _), mrr: (mrr, _), top } = self.figures(model);
        let higher = |score: Score| Score { higher_is_better: true, ..score };
        let mut scores = vec![
            Score::loss("validation_rank", rank).shown(format!("average rank {rank:.2}"), "Average rank"),
            higher(Score::loss("validation_mrr", mrr).shown(format!("MRR {mrr:.4}"), "Mean reciprocal rank")),
        ];
        for ((most, share, _), key) in top.into_iter().zip(TOP_KEYS) {
            let score = higher(Score::loss(key, share));
            scores.push(if most == 1 { score.shown(format!("top-1 {share:.4}"), "Top-1 accuracy") } else { score });
        }
        scores.push(Score::count("validation_questions", questions as u64));
        scores.push(Score::count("validation_passages", passages as u64));
        Ok(Scores { scores, ..Scores::default() })
    }
}

/// In lines.
impl fmt::Display for RetrievalFigures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, passages, rank, mrr, top } = self;
        let error = |error: Option<f64>| error.map(|error| format!(" ({error:.4})")).unwrap_or_default();
        write!(formatter, "{questions} questions, {passages} passages")?;
        for (most, share, deviation) in top {
            write!(formatter, "\n{:10} {share:.4}{}", format!("top-{most}"), error(*deviation))?;
        }
        write!(formatter, "\n{:10} {:.4}{}", "MRR", mrr.0, error(mrr.1))?;
        write!(formatter, "\n{:10} {:.2}{}", "rank", rank.0, error(rank.1))
    }
}

/// One of both encoders: [`DualEncoder::queries`] or [`DualEncoder::passages`].
pub type Encoding = fn(&DualEncoder, Tokens<'_>, &[usize], Option<u64>) -> Tensor<2>;

/// The vectors of texts by encoders without gradients, in their order. They go through the model by length, so that little is padded.
///
/// - `batch_size`: texts that go through a model together
/// - `padding`: any id
/// - `ids`: of a text by its place
pub fn text_vectors<'i>(
    (encoder, encoding): (&DualEncoder, Encoding),
    count: usize,
    batch_size: usize,
    padding: u32,
    ids: impl Fn(usize) -> &'i [u32],
) -> Vec<Vec<f32>> {
    by_like_length(
        count,
        batch_size,
        |place| ids(place).len(),
        |places| {
            let texts = PaddedSequences::new(places.iter().map(|place| ids(*place)), padding);
            let vectors = encoding(encoder, tokens(&texts), &texts.lengths, None);
            let width = vectors.dims()[1];
            let values: Vec<f32> = vectors.into_data().try_to_vec().expect("vectors are single precision");
            values.chunks(width).map(<[f32]>::to_vec).collect()
        },
    )
}
