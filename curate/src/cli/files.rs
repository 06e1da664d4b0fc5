//! What the small commands have in common: files or standard input in, JSON lines out.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use datafusion::arrow::{array::Array as _, json::LineDelimitedWriter};
use schemas::columns;

use super::{
    inputs::{check, rewindable},
    lost::{ErrorArgs, Losses, LostArgs},
    printer::Printer,
    size::Size,
    threads,
};
use crate::{
    engine::{Engine, Limits},
    error::Error,
    measure::Family,
    run::Pipe,
    source::{Cleaning, Format},
};

/// Files that a small command reads, and what it may use.
#[derive(Debug, Args)]
pub struct FilesArgs {
    /// The files, or pipes; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The name of the source, which is a part of every id.
    #[arg(long, value_name = "NAME", default_value = "files")]
    source: String,
    /// Clean the texts by any of `normal_form=nfc`, `normal_form=nfkc`, `white_space`, `c4_lines`, `refinedweb_lines`, `plain_wikitext`,
    /// `plain_markdown` and `mask_addresses`, in the order in which they are given.
    #[arg(long, value_name = "CLEANINGS", value_delimiter = ',', value_parser = cleaning)]
    clean: Vec<Cleaning>,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Memory that a plan may hold; half of it may be the window of a packed file.
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    memory: Size,
    #[command(flatten)]
    errors: ErrorArgs,
    #[command(flatten)]
    lost: LostArgs,
}

/// A cleaning by its name, with its parameters as they are by default.
fn cleaning(name: &str) -> Result<Cleaning, String> {
    let (name, parameter) = name.split_once('=').unwrap_or((name, ""));
    let written = match parameter {
        "" => serde_json::json!(name),
        parameter => serde_json::json!({ name: parameter }),
    };
    let with_defaults = || serde_json::from_value(serde_json::json!({ name: {} }));
    let cleaning = serde_json::from_value(written).or_else(|_| with_defaults());
    cleaning.map_err(|_| format!("there is no cleaning `{name}`; --help lists them"))
}

/// Records of a file that are named when they are no documents, unless all are asked for.
const NAMED: usize = 10;

impl FilesArgs {
    /// Prints `columns` and the facts of `families` for every document, one JSON object a line. What is no document is named
    /// on standard error, with its place: [`NAMED`] records of each file, and all with `-v`. A file that cannot be read, or not to its end,
    /// is named, and the next one read.
    pub fn pipe(
        self,
        printer: &Printer,
        columns: &[&str],
        families: &[Family],
        format: impl Fn(&Path) -> Format,
    ) -> anyhow::Result<()> {
        check(&self.files)?;
        let folder = tempfile::tempdir().context("a temporary folder cannot be made")?;
        let (threads, runtime) = threads::start(self.threads)?;
        let limits = Limits { threads, memory: self.memory.0, spill: folder.path().join("spill") };
        let session = Engine::Local.session(limits)?;
        let pipe = Pipe { session: &session, source: self.source, columns, clean: &self.clean, families };
        let mut output = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let (mut documents, mut cut, mut others, mut broken) = (0, 0, 0u64, 0u64);
        let mut losses = self.lost.begin();
        for file in &self.files {
            let path = rewindable(file, folder.path())?;
            let format = format(file);
            let place = format.place();
            let mut of_file = 0;
            losses.file(printer, file, &path);
            let take = |rows: datafusion::arrow::array::RecordBatch| {
                documents += rows.num_rows();
                cut += rows.column_by_name(columns::TRUNCATED).map_or(0, |signs| signs.len() - signs.null_count());
                let mut writer = LineDelimitedWriter::new(&mut output);
                writer.write(&rows).and_then(|()| writer.finish()).map_err(io::Error::other)
            };
            let leave = |left: crate::run::Left| {
                if let Some(bytes) = left.lost {
                    let detail = left.detail.unwrap_or_default();
                    let why = format!("{} at {place} {}: {detail}", left.why, left.offset);
                    losses.lose(printer, file, bytes, &why);
                    return;
                }
                others += 1;
                broken += u64::from(left.is_broken);
                of_file += 1;
                if of_file > NAMED && !printer.is_verbose() {
                    return;
                }
                let detail = left.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
                printer.note(format_args!("{}: {place} {}: {}{detail}", file.display(), left.offset, left.why));
            };
            match runtime.block_on(pipe.read(&path, &format, take, leave)) {
                Err(error @ Error::File { action: "write", .. }) => return Err(error.into()),
                // what a pipe gave lies elsewhere, under a name that nobody knows
                Err(Error::File { action, path: found, source }) if found == path => {
                    losses.refuse(printer, &path, &Error::File { action, path: file.clone(), source });
                }
                Err(error) => losses.refuse(printer, &path, &error),
                Ok(()) => {}
            }
            if of_file > NAMED && !printer.is_verbose() {
                printer.note(format_args!("{}: and {} more; -v names them all", file.display(), of_file - NAMED));
            }
        }
        output.flush().context("standard output cannot be written")?;
        let cut = if cut > 0 { format!(" ({cut} of them cut)") } else { String::new() };
        printer.note(format_args!("{documents} documents{cut}, {others} other records"));
        let mut errors = self.errors.begin();
        errors.count(documents as u64 + others, broken);
        ended(documents, losses)?;
        Ok(errors.judge()?)
    }
}

/// The end of a command that gives documents.
///
/// # Errors
/// When there was none, or more was lost than may be.
pub fn ended(documents: usize, losses: Losses) -> anyhow::Result<()> {
    if documents == 0 {
        bail!("no document was read");
    }
    Ok(losses.judge()?)
}
