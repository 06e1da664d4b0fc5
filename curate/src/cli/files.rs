//! What the small commands have in common: files or standard input in, JSON lines out.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use datafusion::arrow::{array::Array as _, json::LineDelimitedWriter};

use super::{
    lost::{Losses, LostArgs},
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
    /// The files; `-` is standard input.
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
        let folder = tempfile::tempdir().context("a temporary folder cannot be made")?;
        let (threads, runtime) = threads::start(self.threads)?;
        let limits = Limits { threads, memory: self.memory.0, spill: folder.path().join("spill") };
        let session = Engine::Local.session(limits)?;
        let pipe = Pipe { session: &session, source: self.source, columns, clean: &self.clean, families };
        let mut output = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let (mut documents, mut cut, mut others) = (0, 0, 0);
        let mut losses = self.lost.begin();
        for file in &self.files {
            let is_input = file.as_os_str() == "-";
            let path = if is_input { spool(folder.path())? } else { file.clone() };
            let format = format(file);
            let mut of_file = 0;
            losses.file(printer, file, &path);
            let take = |rows: datafusion::arrow::array::RecordBatch| {
                documents += rows.num_rows();
                cut += rows.column_by_name("truncated").map_or(0, |signs| signs.len() - signs.null_count());
                let mut writer = LineDelimitedWriter::new(&mut output);
                writer.write(&rows).and_then(|()| writer.finish()).map_err(io::Error::other)
            };
            let leave = |left: crate::run::Left| {
                if let Some(bytes) = left.lost {
                    let detail = left.detail.unwrap_or_default();
                    losses.lose(printer, file, bytes, &format!("{} at byte {}: {detail}", left.why, left.offset));
                    return;
                }
                others += 1;
                of_file += 1;
                if of_file > NAMED && !printer.is_verbose() {
                    return;
                }
                let detail = left.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
                printer.note(format_args!("{}: byte {}: {}{detail}", file.display(), left.offset, left.why));
            };
            match runtime.block_on(pipe.read(&path, &format, take, leave)) {
                Err(error @ Error::File { action: "write", .. }) => return Err(error.into()),
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
        ended(documents, losses)
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

/// Standard input as a file, for readers look at the first bytes twice.
fn spool(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("input");
    let mut file = std::fs::File::create(&path).context("a temporary file cannot be made")?;
    io::copy(&mut io::stdin().lock(), &mut file).context("standard input cannot be kept")?;
    Ok(path)
}
