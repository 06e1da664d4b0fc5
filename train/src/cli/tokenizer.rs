//! `train tokenizer`.

use std::path::PathBuf;

use clap::Args;
use schemas::size::Size;

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
    /// How much text to train on, sampled from the whole corpus: bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "100M")]
    sample: Size,
    /// The largest share of the corpus's bytes that may be lost to files that are truncated or corrupt; a truncated file counts as a
    /// whole.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    lost_limit: f64,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "tokenizer.json")]
    out: PathBuf,
}

impl TokenizerArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let options = ReadOptions { lost_limit: self.lost_limit, ..ReadOptions::default() };
        let Sample { texts, bytes, of, lost } =
            sample(&SourceFiles::find(&self.corpus)?, self.sample.0 as u64, options)?;
        lost.iter().for_each(|lost| printer.note(lost));
        printer.note(format_args!("{} texts, {:.1} of {:.1} MB", texts.len(), bytes as f64 / 1e6, of as f64 / 1e6));
        let tokenizer = Tokenizer::train(texts.iter().map(String::as_str), self.vocab_size, &self.out)?;
        printer.note(format_args!("{} tokens", tokenizer.vocab_size()));
        printer.result(self.out.display());
        Ok(())
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(format!("a share lies between 0 and 1, not at {share}")) }
}
