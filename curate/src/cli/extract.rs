//! `curate extract`.

use std::path::Path;

use clap::Args;
use schemas::{columns, paths::unpacked_name};

use super::{files::FilesArgs, printer::Printer, size::Size};
use crate::{
    extract::{Extractor, PageLimits},
    source::{Format, WarcOptions},
};

/// Extract text: archives or pages in, `url`, `title`, `published`, `language`, `links` and `text` as JSON lines out; `truncated` for a page
/// that is cut.
///
/// Files named `.html` or `.htm` (or these and `.gz`) are pages; all others are archives, whose form is told by their first
/// bytes: WARC, WET or ARC, packed or not.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    #[command(flatten)]
    files: FilesArgs,
    /// What turns a page into text: our own extractor, the crate `trafilatura`, or `boilerplate`, which gives what our own leaves out.
    #[arg(long, value_name = "NAME", default_value = "tamis", value_parser = extractor)]
    extract: Extractor,
    /// The largest page, after unpacking.
    #[arg(long, value_name = "SIZE", default_value = "10M")]
    max_page: Size,
}

fn extractor(name: &str) -> Result<Extractor, String> {
    serde_json::from_value(name.into())
        .map_err(|_| format!("there is `tamis`, `trafilatura` and `boilerplate`, but no `{name}`"))
}

impl ExtractArgs {
    pub fn run(self, printer: &Printer) -> anyhow::Result<()> {
        let limits = PageLimits { bytes: self.max_page.0, ..PageLimits::default() };
        let options = WarcOptions { extract: self.extract, limits };
        let format =
            |path: &Path| if is_page(path) { Format::Html(options.clone()) } else { Format::Warc(options.clone()) };
        let documents = columns::documents();
        let names: Vec<&str> = documents.fields().iter().map(|field| field.name().as_str()).collect();
        self.files.pipe(printer, &names, &[], format)
    }
}

fn is_page(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let kind = Path::new(unpacked_name(&name)).extension();
    kind.is_some_and(|kind| kind == "html" || kind == "htm")
}
