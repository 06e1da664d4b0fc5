//! What both kinds of models have in common: how they are built.

use burn::{module::Module, tensor::Device};

use super::{Architecture, EncoderDecoder, Gpt};
use crate::tensor::Precision;

/// A model that an architecture says how to build.
pub trait Transformer: Module {
    /// One of zeros, to be filled with weights that are there.
    fn zeros(architecture: &Architecture, vocab_size: usize, device: &Device) -> Self;

    /// One with initial weights from `seed`.
    fn initial(architecture: &Architecture, vocab_size: usize, seed: u64, device: &Device) -> Self;

    /// The same model, which computes in a precision.
    #[must_use]
    fn computing_in(self, precision: Precision) -> Self;
}

impl Transformer for Gpt {
    fn zeros(architecture: &Architecture, vocab_size: usize, device: &Device) -> Self {
        architecture.zeros(vocab_size, device)
    }

    fn initial(architecture: &Architecture, vocab_size: usize, seed: u64, device: &Device) -> Self {
        architecture.init(vocab_size, seed, device)
    }

    fn computing_in(self, precision: Precision) -> Self {
        self.computing_in(precision)
    }
}

impl Transformer for EncoderDecoder {
    fn zeros(architecture: &Architecture, vocab_size: usize, device: &Device) -> Self {
        architecture.zeros_encoder_decoder(vocab_size, device)
    }

    fn initial(architecture: &Architecture, vocab_size: usize, seed: u64, device: &Device) -> Self {
        architecture.init_encoder_decoder(vocab_size, seed, device)
    }

    fn computing_in(self, precision: Precision) -> Self {
        self.computing_in(precision)
    }
}
