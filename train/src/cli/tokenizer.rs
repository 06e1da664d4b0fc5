//! `train tokenizer`.

use std::path::PathBuf;

use clap::Args;

use super::printer::Printer;
use crate::{
    data::{Mixture, Split},
    tokenizer::Tokenizer,
};

/// Train a byte-level BPE tokenizer on a mixture.
#[derive(Debug, Args)]
pub struct TokenizerArgs {
    /// The folder of a mixture.
    mixture: PathBuf,
    /// Tokens, bytes and `<|endoftext|>` among them.
    #[arg(long, value_name = "N", default_value_t = 8192)]
    vocabulary: usize,
    /// Text to train on, at most, in megabytes.
    #[arg(long, value_name = "MB", default_value_t = 100)]
    megabytes: usize,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "tokenizer.json")]
    out: PathBuf,
}

impl TokenizerArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let texts = Mixture::new(&self.mixture).texts(Split::Train, self.megabytes * 1_000_000)?;
        let bytes: usize = texts.iter().map(String::len).sum();
        printer.note(format_args!("{} texts, {:.1} MB", texts.len(), bytes as f64 / 1e6));
        let tokenizer = Tokenizer::train(texts.iter().map(String::as_str), self.vocabulary, &self.out)?;
        printer.note(format_args!("{} tokens", tokenizer.vocabulary()));
        printer.result(self.out.display());
        Ok(())
    }
}
