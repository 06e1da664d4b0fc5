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

/// A batch that goes through a model in parts.
pub trait MicroBatches: Sized {
    /// The same examples in `count` parts of equal size, in their order: for gradient accumulation. What belongs together, such as the choices of one
    /// example, stays in one part.
    ///
    /// - `count`: a divisor of the number of examples; whoever reads a configuration makes sure of it
    fn micro_batches(&self, count: usize) -> impl Iterator<Item = Self>;

    /// Tokens that go through the model.
    fn tokens(&self) -> u64;
}
