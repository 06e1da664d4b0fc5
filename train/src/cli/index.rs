//! `train index`: documents into an index of passages, and out of it again.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::printer::Printer;
use crate::{
    checkpoint::Which,
    data::SourceFiles,
    device::DeviceName,
    program::index::{self, EncoderOptions},
    retrieve::{AnalysisConfig, IndexPlace, PassagesConfig, StemmerLanguage},
};

/// Make an index of passages, add to it, and remove from it.
#[derive(Debug, Args)]
pub struct IndexArgs {
    #[command(subcommand)]
    command: IndexCommand,
}

#[derive(Debug, Subcommand)]
enum IndexCommand {
    Build(BuildArgs),
    Add(AddArgs),
    Remove(RemoveArgs),
    /// Say what is in an index.
    Info(PlaceArgs),
    /// Make sure that an index is whole: files, ids, and what each term stands in.
    Check(PlaceArgs),
}

/// Make an index of documents.
#[derive(Debug, Args)]
struct BuildArgs {
    /// The index, which is made: a folder, or a schema of a database, such as `postgres://USER@HOST/DATABASE?index=NAME`.
    index: IndexPlace,
    /// Documents: mixtures, files of Parquet or JSON lines, or folders of these, with a column `text`, and `id`, `title`, `source`, `date` and
    /// `language` where there are such.
    #[arg(required = true, value_name = "DOCUMENTS")]
    documents: Vec<PathBuf>,
    /// Words of a passage [default: a document is one].
    #[arg(long, value_name = "N")]
    words: Option<usize>,
    /// Words at the end of a passage with which the next begins, too.
    #[arg(long, value_name = "N", default_value_t = 0)]
    overlap: usize,
    /// Cut words to their stems in this language.
    #[arg(long, value_name = "LANGUAGE")]
    stemmer: Option<StemmerLanguage>,
    /// Leave English stop words out.
    #[arg(long)]
    stop_words: bool,
    #[command(flatten)]
    encoder: EncoderArgs,
    /// With --encoder: use the checkpoint with the best evaluation, instead of the newest.
    #[arg(long, requires = "encoder")]
    best: bool,
    /// With --encoder: keep a graph of vectors, by which a search need not compare all of them: for passages by the hundred thousand.
    #[arg(long, requires = "encoder")]
    graph: bool,
}

/// What gives passages vectors.
#[derive(Debug, Args)]
struct EncoderArgs {
    /// The folder of a training of encoders, which give passages vectors; of an index that has some, where that folder is now.
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Where encoders run: `cpu`, or `cuda:0` for the first GPU.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
}

impl EncoderArgs {
    fn options(self, which: Which, with_graph: bool) -> EncoderOptions {
        EncoderOptions { folder: self.encoder, which, device: self.device, with_graph }
    }
}

/// Add documents to an index; those whose ids are there are replaced.
#[derive(Debug, Args)]
struct AddArgs {
    /// The index: a folder, or an address of PostgreSQL.
    index: IndexPlace,
    /// Documents, as `train index build` reads them.
    #[arg(required = true, value_name = "DOCUMENTS")]
    documents: Vec<PathBuf>,
    #[command(flatten)]
    encoder: EncoderArgs,
}

/// Remove documents from an index.
#[derive(Debug, Args)]
struct RemoveArgs {
    /// The index: a folder, or an address of PostgreSQL.
    index: IndexPlace,
    /// Ids of documents.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// A file of ids, one a line.
    #[arg(long, value_name = "FILE")]
    ids_from: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// The index: a folder, or an address of PostgreSQL.
    index: IndexPlace,
}

impl IndexArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        match self.command {
            IndexCommand::Build(args) => args.run(printer),
            IndexCommand::Add(AddArgs { index, documents, encoder }) => {
                let (found, encoder) = (files(&documents)?, encoder.options(Which::Newest, false));
                printer.result(index::add(&index, &encoder, &found, &mut |text| printer.note(text))?);
                Ok(())
            }
            IndexCommand::Remove(args) => args.run(printer),
            IndexCommand::Info(PlaceArgs { index }) => {
                printer.result(index::info(&index)?);
                Ok(())
            }
            IndexCommand::Check(PlaceArgs { index }) => {
                let count = index::check(&index)?;
                printer.result(format_args!("{index} is whole: {count} passages"));
                Ok(())
            }
        }
    }
}

impl BuildArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { index, documents, words, overlap, stemmer, stop_words, encoder, best, graph } = self;
        let passages = PassagesConfig { words, overlap };
        if let Some((key, message)) = passages.fault() {
            bail!("--{key}: {message}");
        }
        let analysis = AnalysisConfig { stemmer, stop_words };
        if let Some((key, message)) = analysis.fault() {
            bail!("--{key}: {message}");
        }
        let found = files(&documents)?;
        let encoder = encoder.options(if best { Which::Best } else { Which::Newest }, graph);
        let built = index::build(&index, (analysis, passages), &encoder, &found, &mut |text| printer.note(text));
        printer.result(built?);
        Ok(())
    }
}

impl RemoveArgs {
    fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let Self { index, ids, ids_from } = self;
        let mut ids: BTreeSet<String> = ids.into_iter().collect();
        if let Some(path) = ids_from {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            ids.extend(text.lines().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned));
        }
        if ids.is_empty() {
            bail!("no id is given: name some, or a file of them with --ids-from");
        }
        printer.result(index::remove(&index, &ids, &mut |text| printer.note(text))?);
        Ok(())
    }
}

/// All files of some paths; of a mixture, those of both splits.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let SourceFiles { train, validation, .. } = SourceFiles::find(path)?;
        files.extend(train.into_iter().chain(validation));
    }
    Ok(files)
}
