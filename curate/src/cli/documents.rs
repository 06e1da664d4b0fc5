//! What commands have in common that take documents away: files in, a folder out that holds what stays.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::bail;
use clap::Args;
use schemas::{
    ledger::{Ledger, LostEntry},
    share::Share,
};
use tokio::runtime::Runtime;

use super::{
    execution::ExecutionArgs,
    inputs::check_regular,
    lost::{Losses, LostArgs},
    printer::Printer,
};
use crate::{
    engine::Engine,
    error::Error,
    files::{Layout, read_quarantine},
    run::Options,
    source::{Columns, Format, Source},
};

/// Files of documents, and the folder for what stays of them.
#[derive(Debug, Args)]
pub struct DocumentsArgs {
    /// The files: JSON lines, packed or not, or Parquet.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The output folder.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The key or column that holds the text.
    #[arg(long, value_name = "KEY", default_value = "text")]
    text: String,
    /// The key or column that holds the id.
    #[arg(long, value_name = "KEY", default_value = "id")]
    id: String,
    /// Largest share of records that may be broken; they are listed in DIR/quarantine.
    #[arg(long, value_name = "SHARE", default_value_t = Share::of(0.01))]
    max_error_rate: Share,
    #[command(flatten)]
    lost: LostArgs,
    #[command(flatten)]
    execution: ExecutionArgs,
}

impl DocumentsArgs {
    /// Files as a source: by their real names, sorted, each once.
    pub fn source(&self, name: &str, files: &[PathBuf]) -> anyhow::Result<Source> {
        check_regular(files)?;
        let real = |path: &PathBuf| path.canonicalize().map_err(Error::file("read", path));
        let files: BTreeSet<PathBuf> = files.iter().map(real).collect::<Result<_, _>>()?;
        let columns = Columns { text: self.text.clone(), id: self.id.clone(), ..Columns::default() };
        let tables = files.iter().filter(|path| is_table(path)).count();
        let format = match tables {
            0 => Format::JsonLines(columns),
            count if count == files.len() => Format::Parquet(columns),
            _ => bail!("some files are Parquet and some are not: give those of one kind at a time"),
        };
        let files = files.into_iter().collect();
        // what is lost is judged at the end
        Ok(Source {
            name: name.into(),
            files,
            format,
            clean: vec![],
            max_error_rate: self.max_error_rate.get(),
            max_lost_rate: 1.0,
        })
    }

    /// What is judged by [`judge`] at the end.
    pub fn losses(&self) -> Losses {
        self.lost.begin()
    }

    /// How a plan is run on them, and what runs it.
    pub fn start(self) -> anyhow::Result<(Options, Runtime)> {
        self.execution.start(self.out, Engine::Local)
    }
}

/// The end of a command whose plan has run: names what is lost of its files.
///
/// # Errors
/// When no document was read, or more is lost than may be.
pub fn judge(printer: &Printer, mut losses: Losses, ledger: &Ledger, out: &Path) -> anyhow::Result<()> {
    let layout = Layout::new(out);
    for LostEntry { source, stretches, bytes, of, .. } in &ledger.lost {
        losses.count(*bytes, *of, *stretches);
        if *stretches == 0 {
            continue;
        }
        for found in read_quarantine(&layout.quarantine(source))? {
            if let Some(bytes) = found.lost {
                let (file, offset, fault) = (found.file, found.offset, found.fault);
                let detail = found.detail.unwrap_or_default();
                printer.warn(format_args!("{file}: {bytes} bytes are lost: {fault} at byte {offset}: {detail}"));
            }
        }
    }
    if ledger.stages.iter().filter(|entry| entry.stage == "read").all(|entry| entry.kept == 0) {
        bail!("no document was read");
    }
    Ok(losses.judge()?)
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case("parquet"))
}
