//! The first stage: every source is read once, and what is measured then is written beside its documents.

mod counts;
mod faults;
mod file;
mod verdicts;

use futures::{StreamExt as _, TryStreamExt as _};

pub use self::verdicts::ReadVerdicts;
use self::{counts::Counts, faults::Faults, file::ReadFile};
use super::{context::Run, source_file::SourceFile};
use crate::{
    error::{Error, Result},
    source::Source,
};

/// Records after which `max_error_rate` is judged before a source's end.
const JUDGED_AFTER: u64 = 1000;

/// The sources, each a set of files.
///
/// - reads: the files of the recipe's sources
/// - writes: `documents/`, `facts/records/` and the families that need no model; `quarantine/`
pub struct Sources<'r> {
    pub run: &'r Run<'r>,
}

impl Sources<'_> {
    /// Reads all sources, several files at a time, and judges their faults in the order of the files.
    pub async fn read(&self) -> Result<()> {
        let sources = &self.run.plan.sources;
        let files: u64 = sources.iter().map(|source| source.files.len() as u64).sum();
        let work = async {
            for source in sources {
                self.read_source(source).await?;
            }
            let bytes: u64 = self.run.made().inputs().iter().map(|file| file.bytes).sum();
            Ok(((), format!("{files} files, {} MB", bytes / 1_000_000)))
        };
        self.run.told("read", files, work).await
    }

    async fn read_source(&self, source: &Source) -> Result<()> {
        let Self { run } = self;
        let faults = Faults { run, source };
        let of = bytes_of(source)?;
        let mut counts = Counts::default();
        let files = SourceFile::all(source).map(|file| ReadFile { run, file }.read());
        let mut of_files = futures::stream::iter(files).buffered(run.threads);
        while let Some(of_file) = of_files.try_next().await? {
            counts.add(of_file);
            run.progress.advance();
            faults.judge_lost(counts, of).await?;
            if counts.read >= JUDGED_AFTER {
                faults.judge(counts).await?;
            }
        }
        if counts.read == 0 {
            return Err(empty(source));
        }
        faults.judge(counts).await?;
        faults.list().await?;
        Ok(())
    }
}

/// Bytes of a source's files.
fn bytes_of(source: &Source) -> Result<u64> {
    let size = |path: &std::path::PathBuf| Ok(std::fs::metadata(path).map_err(Error::file("read", path))?.len());
    source.files.iter().map(size).sum()
}

fn empty(source: &Source) -> Error {
    let files: Vec<String> = source.files.iter().map(|file| file.display().to_string()).collect();
    Error::EmptySource { name: source.name.clone(), files: files.join(", ") }
}
