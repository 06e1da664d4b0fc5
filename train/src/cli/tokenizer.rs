//! `train tokenizer`.

use std::path::PathBuf;

use clap::Args;
use schemas::{share::Share, size::Size};

use super::printer::Printer;
use crate::{
    data::{ReadOptions, Sample, SourceFiles, sample},
    tokenizer::Tokenizer,
};

/// Train a byte-level BPE tokenizer on a sample of a corpus.
#[derive(Debug, Args)]
pub struct TokenizerArgs {
    /// The folder of a mixture; or a Parquet file, a JSON Lines file, or a folder of these.
    corpus: PathBuf,
    /// The size of the vocabulary, the 256 bytes and `<|endoftext|>` included.
    #[arg(long, value_name = "N", default_value_t = 8192)]
    vocab_size: usize,
    /// How many of them are sentinels of span corruption, `<extra_id_0>` and so on, which a model with an encoder is pretrained with: T5's
    /// tokenizers have 100.
    #[arg(long, value_name = "N", default_value_t = 0)]
    extra_ids: usize,
    /// How much text to train on, sampled from the whole corpus: bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "100M")]
    sample: Size,
    /// The largest share of the corpus's bytes that may be lost to files that are truncated or corrupt; a truncated file counts as a
    /// whole.
    #[arg(long, value_name = "SHARE", default_value_t)]
    max_lost_rate: Share,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "tokenizer.json")]
    out: PathBuf,
}

impl TokenizerArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let options = ReadOptions { max_lost_rate: self.max_lost_rate.get(), ..ReadOptions::default() };
        let Sample { texts, bytes, of, lost } =
            sample(&SourceFiles::find(&self.corpus)?, self.sample.0 as u64, options)?;
        lost.iter().for_each(|lost| printer.note(lost));
        printer.note(format_args!("{} texts, {:.1} of {:.1} MB", texts.len(), bytes as f64 / 1e6, of as f64 / 1e6));
        let tokenizer = Tokenizer::train(texts.iter().map(String::as_str), self.vocab_size, self.extra_ids, &self.out)?;
        printer.note(format_args!("{} tokens", tokenizer.vocab_size()));
        printer.result(self.out.display());
        Ok(())
    }
}
