//! `curate extract`.

use std::path::Path;

use clap::Args;

use super::{files::FilesArgs, printer::Printer, size::Size};
use crate::{
    extract::Extractor,
    source::{Format, WarcOptions},
};

/// Extract text: archives or pages in, `url`, `title`, `language`, `date` and `text` as JSON lines out.
///
/// Files named `.html` or `.htm` (or these and `.gz`) are pages; all others are archives, whose form is told by their first
/// bytes: WARC, WET or ARC, plain or packed as gzip, zstd or LZ4.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// The largest page, after unpacking.
    #[arg(long, value_name = "SIZE", default_value = "10M")]
    max_page: Size,
}

impl ExtractArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let options = WarcOptions { extract: Extractor::default(), max_page_bytes: self.max_page.0 };
        let format =
            |path: &Path| if is_page(path) { Format::Html(options.clone()) } else { Format::Warc(options.clone()) };
        self.files.pipe(printer, &["id", "url", "date", "title", "language", "text"], &[], format)
    }
}

fn is_page(path: &Path) -> bool {
    let is = |path: &Path, wanted: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(wanted));
    let unpacked = if is(path, "gz") { path.with_extension("") } else { path.to_owned() };
    is(&unpacked, "html") || is(&unpacked, "htm")
}
