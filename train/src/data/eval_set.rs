//! What a model is evaluated on: a random sample of the validation sequences.
//!
//! Sequences have an order: that of the files, or by the length of what is in them. So the first of them say nothing of the rest, and the
//! sample is drawn by hash of (seed, source, number). It is drawn once, and a larger sample holds the smaller. Of several sources, each gives
//! as many sequences as its weight asks for: see [`super::weighted::Weighted::sample`].

use xxhash_rust::xxh3::Xxh3;

use super::{
    Batch, MicroBatches as _, PackingStats, WeightedSequences,
    weighted::{Sampled, Source},
};
use crate::error::Result;

/// The sequences of an evaluation, in memory: the same at every evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalSet {
    batch: Batch,
    /// What the sources gave, one after the other.
    parts: Vec<Part>,
    all_sequences: u64,
    all_loss_tokens: u64,
    hash: String,
}

/// The sequences of one source.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    sequences: usize,
    /// How many sequences of the sample each counts for.
    factor: f64,
}

impl EvalSet {
    /// A sample of some sources: `most` sequences at most, or one of each source.
    ///
    /// # Errors
    /// When ids cannot be read.
    pub fn sample(from: &WeightedSequences, most: usize) -> Result<Self> {
        let mut batch = Batch::empty(from.sequence_length);
        let mut parts = Vec::new();
        let sources = &from.sequences.sources;
        for (Source { examples, .. }, Sampled { numbers, factor }) in sources.iter().zip(from.sequences.sample(most)) {
            numbers.iter().try_for_each(|number| examples.append(*number, &mut batch))?;
            parts.push(Part { sequences: numbers.len(), factor });
        }
        let stats = || sources.iter().map(|source| source.examples.stats());
        let all_sequences = stats().map(|PackingStats { sequences, .. }| sequences).sum();
        let all_loss_tokens = stats().map(|PackingStats { loss_tokens, .. }| loss_tokens).sum();
        let hash = hash(&batch, &parts);
        Ok(Self { batch, parts, all_sequences, all_loss_tokens, hash })
    }

    /// The hash of all that a loss on it depends on beside the model, as 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How many sequences it has.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.batch.batch_size
    }

    /// On how many tokens the loss is taken.
    #[must_use]
    pub fn loss_tokens(&self) -> u64 {
        self.batch.weights.iter().filter(|weight| **weight > 0.0).count() as u64
    }

    /// How many sequences it was drawn from.
    #[must_use]
    pub fn all_sequences(&self) -> u64 {
        self.all_sequences
    }

    /// How many tokens with loss those have.
    #[must_use]
    pub fn all_loss_tokens(&self) -> u64 {
        self.all_loss_tokens
    }

    /// All sequences in batches of at most `batch_size`, each with the weight of its sequences in a mean over all.
    ///
    /// - `batch_size`: 1 or more
    pub fn batches(&self, batch_size: usize) -> impl Iterator<Item = (f64, Batch)> {
        let mut first = 0;
        let parts = self.parts.iter().map(move |part| {
            first += part.sequences;
            (first - part.sequences, *part)
        });
        parts.flat_map(move |(first, Part { sequences, factor })| {
            let within = (0..sequences).step_by(batch_size);
            within.map(move |place| (factor, self.batch.slice(first + place, batch_size.min(sequences - place))))
        })
    }
}

/// The hash of some sequences, with how much each counts for.
fn hash(batch: &Batch, parts: &[Part]) -> String {
    let Batch { inputs, targets, weights, starts, batch_size, sequence_length } = batch;
    let mut hash = Xxh3::new();
    for number in [*batch_size, *sequence_length] {
        hash.update(&(number as u64).to_le_bytes());
    }
    for ids in [inputs, targets, starts] {
        ids.iter().for_each(|id| hash.update(&id.to_le_bytes()));
    }
    weights.iter().for_each(|weight| hash.update(&weight.to_le_bytes()));
    for Part { sequences, factor } in parts {
        hash.update(&(*sequences as u64).to_le_bytes());
        hash.update(&factor.to_le_bytes());
    }
    format!("{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{
        PackedSequences, Packing, RowsAs,
        token_file::{Made, TokenFile, TokenFileWriter},
        tokens::Tokens,
    };

    /// Sources of so many sequences of one id each, by weight; ids tell the source, and the sequence.
    fn sources(shape: &[(u32, f64)], seed: u64) -> Result<WeightedSequences> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut sources = Vec::new();
        for (number, (count, weight)) in (0u32..).zip(shape) {
            let path = folder.path().join(number.to_string());
            let mut writer = TokenFileWriter::create(&path, 1 << 24)?;
            writer.push(&(0..*count).map(|place| (number << 16) + place).collect::<Vec<u32>>(), 0, 0)?;
            writer.finish(made.clone(), 0)?;
            let tokens = Tokens::new(&[TokenFile::open(&path, &made)?], None, 0, RowsAs::Documents);
            sources.push((number.to_string(), *weight, PackedSequences::new(tokens, 1, Packing::Concatenated, false)));
        }
        Ok(WeightedSequences::new(sources, 1, seed))
    }

    fn sampled(from: &WeightedSequences, most: usize) -> BTreeSet<i32> {
        let sample = EvalSet::sample(from, most).expect("the files can be read");
        sample.batches(usize::MAX).flat_map(|(_, batch)| batch.targets).collect()
    }

    proptest! {
        /// Each sequence comes once, at any batch size; there are as many as are wanted, or all; a larger sample holds the smaller; and
        /// together the sequences of a source weigh what its share asks for.
        #[test]
        fn a_sample_has_its_size_and_its_weights(
            shape in proptest::collection::vec((1u32..40, 0.1f64..5.0), 1..4),
            most in 1usize..80,
            batch_size in 1usize..9,
            seed: u64,
        ) {
            let from = sources(&shape, seed).expect("the files can be written");
            let all: u32 = shape.iter().map(|(count, _)| count).sum();
            let wanted = most.min(all as usize).max(shape.len());
            let sample = sampled(&from, most);
            prop_assert_eq!(sample.len(), wanted);
            prop_assert!(sampled(&from, most + 7).is_superset(&sample));

            let set = EvalSet::sample(&from, most).expect("the files can be read");
            prop_assert_eq!((set.sequences(), set.all_sequences()), (wanted, u64::from(all)));
            let mut weights = vec![0.0; shape.len()];
            let mut seen = Vec::new();
            for (factor, batch) in set.batches(batch_size) {
                prop_assert!(batch.batch_size <= batch_size);
                weights[usize::try_from(batch.targets[0] >> 16).expect("a source")] += factor * batch.batch_size as f64;
                seen.extend(batch.targets);
            }
            prop_assert_eq!(seen.len(), wanted);
            prop_assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), sample);
            let sum: f64 = shape.iter().map(|(_, weight)| weight).sum();
            for (found, (_, weight)) in weights.iter().zip(&shape) {
                prop_assert!((found / wanted as f64 - weight / sum).abs() < 1e-9, "{:?}", weights);
            }
        }
    }

    /// A sequence is drawn as often as any other, wherever it stands, and another seed draws others.
    #[test]
    fn the_first_sequences_have_no_right_of_their_own() -> Result<()> {
        let mut counts = [0u32; 20];
        let mut from = sources(&[(20, 1.0)], 0)?;
        for seed in 0..2_000 {
            from.sequences.seed = seed;
            sampled(&from, 5).into_iter().for_each(|id| {
                counts[usize::try_from(id).expect("an id")] += 1;
            });
        }
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
        Ok(())
    }
}
