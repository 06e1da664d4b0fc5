//! `train tokenizer`.

use std::path::PathBuf;

use clap::Args;
use schemas::size::Size;

use super::printer::Printer;
use crate::{
    data::{Sample, SourceFiles, sample},
    tokenizer::Tokenizer,
};

/// Train a byte-level BPE tokenizer on a sample of a corpus.
#[derive(Debug, Args)]
pub struct TokenizerArgs {
    /// The folder of a mixture; or a Parquet file, a file of JSON lines, or a folder of these.
    corpus: PathBuf,
    /// Tokens, bytes and `<|endoftext|>` among them.
    #[arg(long, value_name = "N", default_value_t = 8192)]
    vocabulary: usize,
    /// Text to train on, drawn from the whole corpus by hash: bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "100M")]
    sample: Size,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "tokenizer.json")]
    out: PathBuf,
}

impl TokenizerArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Sample { texts, bytes, of } = sample(&SourceFiles::find(&self.corpus)?, self.sample.0 as u64)?;
        printer.note(format_args!("{} texts, {:.1} of {:.1} MB", texts.len(), bytes as f64 / 1e6, of as f64 / 1e6));
        let tokenizer = Tokenizer::train(texts.iter().map(String::as_str), self.vocabulary, &self.out)?;
        printer.note(format_args!("{} tokens", tokenizer.vocabulary()));
        printer.result(self.out.display());
        Ok(())
    }
}
