//! `train tokenizer`.

use std::path::PathBuf;

use clap::Args;
use schemas::size::Size;

use super::printer::Printer;
use crate::{
    data::{Opening, Sample, SourceFiles, sample},
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
    /// The largest share of the corpus's bytes that may be lost, where a file breaks off or cannot be unpacked: of a file whose end is
    /// missing, all count.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    lost_limit: f64,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "tokenizer.json")]
    out: PathBuf,
}

impl TokenizerArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let opening = Opening { lost_limit: self.lost_limit, ..Opening::default() };
        let Sample { texts, bytes, of, lost } =
            sample(&SourceFiles::find(&self.corpus)?, self.sample.0 as u64, opening)?;
        lost.iter().for_each(|lost| printer.note(lost));
        printer.note(format_args!("{} texts, {:.1} of {:.1} MB", texts.len(), bytes as f64 / 1e6, of as f64 / 1e6));
        let tokenizer = Tokenizer::train(texts.iter().map(String::as_str), self.vocabulary, &self.out)?;
        printer.note(format_args!("{} tokens", tokenizer.vocabulary()));
        printer.result(self.out.display());
        Ok(())
    }
}
