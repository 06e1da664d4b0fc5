//! What a training asks of its data.

use crate::error::Result;

/// Batches by number.
pub trait BatchSource {
    /// What goes through a model together.
    type Batch: MicroBatches;

    /// The batch of a number: a function of that number and of what the source was made from, whatever was asked for before. So the place in
    /// the data is one number, and a training that goes on has the batches that it would have had. Numbers are best asked for in rising order.
    ///
    /// # Errors
    /// When something cannot be read.
    fn batch(&mut self, number: u64) -> Result<Self::Batch>;
}

impl<S: BatchSource + ?Sized> BatchSource for Box<S> {
    type Batch = S::Batch;

    fn batch(&mut self, number: u64) -> Result<S::Batch> {
        (**self).batch(number)
    }
}

/// A batch that goes through a model in parts.
pub trait MicroBatches: Sized {
    /// Examples. What belongs together, such as the choices of one question, is one.
    fn batch_size(&self) -> usize;

    /// The examples from `first` on, at most `count` of them.
    #[must_use]
    fn slice(&self, first: usize, count: usize) -> Self;

    /// Tokens that go through the model.
    fn tokens(&self) -> u64;

    /// The same examples in `count` parts of equal size, in their order: for gradient accumulation.
    ///
    /// - `count`: a divisor of the batch size; whoever reads a configuration makes sure of it
    fn micro_batches(&self, count: usize) -> impl Iterator<Item = Self> {
        let batch_size = self.batch_size();
        assert!(
            count > 0 && batch_size.is_multiple_of(count),
            "{count} micro-batches do not divide a batch size of {batch_size}"
        );
        let size = batch_size / count;
        (0..count).map(move |number| self.slice(number * size, size))
    }
}
