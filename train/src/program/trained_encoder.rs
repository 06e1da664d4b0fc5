//! The encoders of a training, ready to give texts vectors.

use std::path::Path;

use serde_json::json;
use system::sha256;

use super::{encoder_config::EncoderConfig, trained_folder::TrainedFolder};
use crate::{
    checkpoint::Which,
    data::TextEncoder,
    device::DeviceName,
    error::{Error, Result},
    model::DualEncoder,
    objective::{Encoding, text_vectors},
    retrieve::{EncoderEntry, PassageEncoder, Vectors},
    tokenizer::Tokenizer,
};

/// Texts that go through a model together, where a training had fewer.
const TOGETHER: usize = 32;

/// Encoders with what they were trained with.
#[derive(Debug)]
pub(super) struct TrainedEncoder {
    encoder: DualEncoder,
    tokenizer: Tokenizer,
    /// Texts that go through a model together.
    batch_size: usize,
    entry: EncoderEntry,
}

impl TrainedEncoder {
    /// The encoders of a checkpoint in a folder.
    ///
    /// # Errors
    /// When there is no such checkpoint, it is damaged, or holds another model.
    pub fn load(out: &Path, which: Which, device: DeviceName) -> Result<Self> {
        let folder = TrainedFolder::open(out, which, "encoder", "encoders, which `train retrieve` makes")?;
        let config: EncoderConfig = folder.configured("encoder")?;
        let model: serde_json::Value = folder.configured("model")?;
        let (batch_size, step) = (folder.batch_size().max(TOGETHER), folder.step());
        let zeros = folder.architecture.zeros_dual_encoder(folder.rows, config.encoders(), &device.open()?);
        let weights = folder.sha256().to_owned();
        let (encoder, tokenizer) = folder.fill(zeros)?;
        let architecture = encoder.model().architecture();
        // all that decides a vector, as it is written down
        let EncoderConfig { shared, pooling, similarity, .. } = config;
        let what = json!({
            "weights": weights, "tokenizer": tokenizer.sha256(), "model": model, "shared": shared, "pooling": pooling, "similarity": similarity,
        });
        let entry = EncoderEntry {
            folder: std::path::absolute(out).map_err(Error::file("find", out))?,
            step,
            fingerprint: sha256(what.to_string().as_bytes()),
            width: architecture.hidden_size,
        };
        Ok(Self { encoder, tokenizer, batch_size, entry })
    }

    /// The models.
    pub fn encoder(&self) -> &DualEncoder {
        &self.encoder
    }

    /// The vectors of questions, `[questions, width]`, in their order.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn queries(&self, texts: &[&str]) -> Result<Vec<f32>> {
        Ok(self.vectors(texts, DualEncoder::queries)?.numbers)
    }

    fn vectors(&self, texts: &[&str], encoding: Encoding) -> Result<Vectors> {
        let context_length = self.encoder.model().architecture().context_length;
        let encoded = TextEncoder::new(&self.tokenizer, context_length)?.encode(texts)?;
        let cut = encoded.iter().filter(|text| text.cut > 0).count();
        let (both, padding) = ((&self.encoder, encoding), self.tokenizer.padding());
        let vectors = text_vectors(both, texts.len(), self.batch_size, padding, |place| &encoded[place].ids);
        Ok(Vectors { numbers: vectors.concat(), cut })
    }
}

impl PassageEncoder for TrainedEncoder {
    fn entry(&self) -> &EncoderEntry {
        &self.entry
    }

    fn passages(&self, texts: &[&str]) -> Result<Vectors> {
        self.vectors(texts, DualEncoder::passages)
    }
}
