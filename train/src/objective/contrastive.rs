//! Encoders' objective: among the passages of a batch, each question is most like its own.
//!
//! ```text
//! loss = mean over questions of  -log softmax over passages(question . passage / temperature) of its own
//! ```
//!
//! Every passage of a batch is a negative of every question, but for those that answer it. So the loss of a part depends on all vectors of the batch;
//! where it goes through the model in parts, vectors are found first, without a graph, then the gradients of the loss by each vector, and then those
//! of the weights, part by part: the gradients of the whole batch, in the memory of a part.
//!
//! Source: Karpukhin et al. 2020 (DPR), equation 2; Gao et al. 2021 (`GradCache`) for the parts.

use burn::{
    module::Module as _,
    tensor::{Device, Tensor, TensorData, activation::log_softmax},
};

use super::{Loss, Objective};
use crate::{
    data::{MicroBatches as _, PaddedSequences, RetrievalBatch, VectorGradients},
    model::{DualEncoder, Tokens},
    random::Stream,
};

/// What is added to the score of a passage that is no negative: as good as minus infinity, and a number still.
const EXCLUDED: f32 = -1e9;

/// The objective of encoders.
#[derive(Debug, Clone, Copy)]
pub struct Contrastive {
    /// What similarities are divided by.
    pub temperature: f64,
}

/// What each question adds to the loss of a batch, `[queries]`, and to the share of those that find their passage.
struct OfQueries {
    losses: Tensor<1>,
    right: Tensor<1>,
}

impl Contrastive {
    /// The loss of each question of a batch by the vectors of all, as its share of the mean over questions.
    ///
    /// # Shapes
    /// - `queries`: `[queries, width]`, `passages`: `[passages, width]`
    fn of_queries(self, queries: Tensor<2>, passages: Tensor<2>, batch: &RetrievalBatch) -> OfQueries {
        let [count, columns] = [queries.dims()[0], passages.dims()[0]];
        let device = queries.device();
        let mut scores = queries.matmul(passages.transpose()) / self.temperature; // [q, p]
        if !batch.excluded.is_empty() {
            let mut masks = vec![0.0f32; count * columns];
            batch.excluded.iter().for_each(|(query, column)| masks[query * columns + column] = EXCLUDED);
            scores = scores + Tensor::from_data(TensorData::new(masks, [count, columns]), &device);
        }
        let mut own = vec![0.0f32; count * columns];
        batch.positives.iter().enumerate().for_each(|(query, column)| own[query * columns + column] = 1.0);
        let own: Tensor<2> = Tensor::from_data(TensorData::new(own, [count, columns]), &device);
        let share = 1.0 / count as f64;
        let of_own = (scores.clone() * own.clone()).sum_dim(1); // [q, 1]
        let best = scores.clone().max_dim(1); // [q, 1]
        let right = of_own.greater_equal(best).float().reshape([count]) * share;
        let losses = (log_softmax(scores, 1) * own).sum_dim(1).reshape([count]) * -share;
        OfQueries { losses, right }
    }
}

impl Objective for Contrastive {
    type Model = DualEncoder;
    type Batch = RetrievalBatch;

    fn prepared(
        &self,
        model: &DualEncoder,
        whole: &RetrievalBatch,
        mut parts: Vec<RetrievalBatch>,
        keys: &[u64],
    ) -> Vec<RetrievalBatch> {
        if parts.len() == 1 {
            return parts;
        }
        let device = model.model().device();
        let still = model.valid();
        let width = still.model().architecture().hidden_size;
        let of_queries = parts.iter().zip(keys).map(|(part, key)| values(query_vectors(&still, part, *key)));
        let queries = leaf(of_queries.collect::<Vec<_>>().concat(), width, &device);
        // there may be fewer passages than parts
        let with_passages = parts.iter().zip(keys).filter(|(part, _)| !part.passages.lengths.is_empty());
        let of_passages = with_passages.map(|(part, key)| values(passage_vectors(&still, part, *key)));
        let passages = leaf(of_passages.collect::<Vec<_>>().concat(), width, &device);
        drop(still);
        let OfQueries { losses, right } = self.of_queries(queries.clone(), passages.clone(), whole);
        let graph = losses.clone().sum().backward();
        let gradients = |of: &Tensor<2>| values(of.grad(&graph).expect("the loss depends on each vector"));
        let (of_queries, of_passages) = (gradients(&queries), gradients(&passages));
        let (losses, right) = (numbers(losses), numbers(right));
        let (mut query, mut passage) = (0, 0);
        for part in &mut parts {
            let (next_query, next_passage) = (query + part.batch_size(), passage + part.passages.lengths.len());
            part.found = Some(Box::new(VectorGradients {
                queries: of_queries[query * width..next_query * width].to_vec(),
                passages: of_passages[passage * width..next_passage * width].to_vec(),
                loss: losses[query..next_query].iter().sum(),
                accuracy: right[query..next_query].iter().sum(),
            }));
            (query, passage) = (next_query, next_passage);
        }
        parts
    }

    fn loss(&self, model: &DualEncoder, part: &RetrievalBatch, _: &RetrievalBatch, key: u64) -> Loss {
        let queries = query_vectors(model, part, key);
        let Some(found) = &part.found else {
            let OfQueries { losses, right } = self.of_queries(queries, passage_vectors(model, part, key), part);
            return Loss { total: losses.sum(), parts: vec![("accuracy", right.sum())] };
        };
        let device = queries.device();
        let along = |vectors: Tensor<2>, gradients: &[f32]| {
            let shape = vectors.dims();
            (vectors * Tensor::from_data(TensorData::new(gradients.to_vec(), shape), &device)).sum()
        };
        let mut total = along(queries, &found.queries);
        if !part.passages.lengths.is_empty() {
            total = total + along(passage_vectors(model, part, key), &found.passages);
        }
        // its gradients are those of the loss, and so is its value
        let total = total.clone() - total.detach() + found.loss;
        let accuracy = Tensor::from_data(TensorData::from([found.accuracy]), &device);
        Loss { total, parts: vec![("accuracy", accuracy)] }
    }
}

fn query_vectors(model: &DualEncoder, batch: &RetrievalBatch, key: u64) -> Tensor<2> {
    model.queries(tokens(&batch.queries), &batch.queries.lengths, Some(key))
}

fn passage_vectors(model: &DualEncoder, batch: &RetrievalBatch, key: u64) -> Tensor<2> {
    // what is dropped of passages is not what is dropped of questions
    let key = Stream::new(key, "passages").bits(0);
    model.passages(tokens(&batch.passages), &batch.passages.lengths, Some(key))
}

/// What goes through a model of sequences.
pub(super) fn tokens(sequences: &PaddedSequences) -> Tokens<'_> {
    Tokens { ids: &sequences.ids, batch_size: sequences.lengths.len(), starts: None }
}

fn values(x: Tensor<2>) -> Vec<f32> {
    x.into_data().try_to_vec().expect("vectors are single precision")
}

fn numbers(x: Tensor<1>) -> Vec<f32> {
    x.into_data().try_to_vec().expect("losses are single precision")
}

/// Vectors by which gradients are taken.
fn leaf(values: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let count = values.len() / width;
    Tensor::from_data(TensorData::new(values, [count, width]), device).require_grad()
}
