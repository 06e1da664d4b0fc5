//! Records of web archives as documents.

use std::{
    borrow::Cow,
    collections::HashSet,
    fs::File,
    io::{self, BufReader},
    sync::Arc,
};

use schemas::{identity::DocumentId, toml_file::TomlError};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    Reason, SourceRecipe,
    format::{ListedFormat, SourceFile, SourceFormat},
    raw::{Raw, RawReader, RawRecord},
    row::{Outcome, Row},
};
use crate::{
    archive::{
        Fault, charset,
        http::{Cut, Response},
        sniff,
        warc::{Item, Record, WarcReader},
    },
    extract::{Extracted, Extractor, GivenUp, PageLimits, TooMuch},
    files::{NamedFiles, Version},
};

/// How archives become rows: records, HTTP, character sets.
const VERSION: Version = Version::new("source/warc", 2);

/// How pages are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WarcOptions {
    /// What turns a page into text.
    pub extract: Extractor,
    /// How much work a page may be.
    pub limits: PageLimits,
}

impl WarcOptions {
    /// How a source wants its pages to be read.
    #[must_use]
    pub fn of(recipe: &SourceRecipe) -> Self {
        let limits = PageLimits {
            bytes: recipe.max_page_bytes,
            nodes: recipe.max_page_nodes,
            depth: recipe.max_page_depth,
            seconds: recipe.max_page_seconds,
        };
        Self { extract: recipe.extract, limits }
    }
}

/// The largest page, in bytes, unless a recipe says it.
pub fn ten_mebibytes() -> usize {
    PageLimits::default().bytes
}

/// The most nodes of a page's tree.
pub fn most_nodes() -> u32 {
    PageLimits::default().nodes
}

/// The most elements within each other.
pub fn most_levels() -> u16 {
    PageLimits::default().depth
}

/// The most seconds for a page.
pub fn most_seconds() -> u32 {
    PageLimits::default().seconds
}

/// The records of an archive.
pub struct WarcRecords {
    reader: WarcReader<BufReader<File>>,
    options: Arc<WarcOptions>,
}

/// A record, and how its page is read.
#[derive(Debug)]
struct PageRecord {
    record: Record,
    options: Arc<WarcOptions>,
}

impl RawRecord for PageRecord {
    fn size(&self) -> usize {
        self.record.block.len()
    }

    fn row(&self, source: &str) -> Row {
        row(source, &self.options, &self.record)
    }
}

impl SourceFormat for WarcRecords {
    type Options = WarcOptions;

    const NAME: &'static str = "warc";

    fn versions(options: &WarcOptions) -> Vec<Version> {
        vec![VERSION, options.extract.version()]
    }

    fn open(options: &WarcOptions, SourceFile { file, windows, .. }: SourceFile<'_>) -> io::Result<Self> {
        let reader = WarcReader::with_allowance(BufReader::with_capacity(1 << 18, file), windows.allowance())?;
        Ok(Self { reader, options: Arc::new(options.clone()) })
    }
}

impl ListedFormat for WarcRecords {
    fn options(recipe: &SourceRecipe, _: &str, _: &NamedFiles<'_>) -> Result<WarcOptions, TomlError> {
        Ok(WarcOptions::of(recipe))
    }
}

impl RawReader for WarcRecords {
    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        Ok(self.reader.next_item()?.map(|item| match item {
            Item::Record(record) => Raw::record(PageRecord { record, options: Arc::clone(&self.options) }),
            Item::Broken(broken) => Raw::Broken(broken),
            Item::Lost { fault, bytes } => Raw::Lost { fault, bytes },
        }))
    }
}

/// Reads a record: the page's text, or why there is none.
fn row(source: &str, options: &WarcOptions, record: &Record) -> Row {
    let present = |name: &str| record.header(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let (key, url, date) = (present("WARC-Record-ID"), record.url().map(str::to_owned), present("WARC-Date"));
    let id_key = key.as_deref().or(url.as_deref()).unwrap_or_default();
    let row = Row {
        id: Some(DocumentId::of(source, id_key, date.as_deref().unwrap_or_default(), &record.block)),
        record: key,
        url,
        date,
        offset: record.offset,
        bytes: record.block.len() as u64,
        truncated: record.truncated(),
        ..Row::default()
    };
    if record.kind() == "conversion" {
        return converted(options, record, row);
    }
    let page = match page(options, record) {
        Ok(page) => page,
        Err(NoPage::Dropped(reason)) => return Row { outcome: Outcome::Dropped(reason), ..row },
        Err(NoPage::Broken(fault, detail)) => return row.broken(fault, detail),
    };
    let truncated = row.truncated.or(page.truncated);
    extracted(options, &charset::decode(&page.body, page.charset.as_deref()), Row { truncated, ..row })
}

/// Reads a page that is a file.
pub fn page_row(source: &str, options: &WarcOptions, offset: u64, bytes: &[u8]) -> Row {
    let id = Some(DocumentId::of(source, "", "", bytes));
    let row = Row { id, offset, bytes: bytes.len() as u64, ..Row::default() };
    if bytes.len() > options.limits.bytes {
        return Row { outcome: Outcome::Dropped(Reason::TooLarge), ..row };
    }
    if sniff::no_page(bytes).is_some() {
        return Row { outcome: Outcome::Dropped(Reason::NotHtml), ..row };
    }
    extracted(options, &charset::decode(bytes, None), row)
}

/// The row with the page's text, or with the reason for which there is none.
fn extracted(options: &WarcOptions, page: &str, row: Row) -> Row {
    match options.extract.extract(page, &options.limits) {
        Ok(Some(extracted)) => {
            let Extracted { text, title, published, language, links } = extracted;
            let links = absolute(&links, row.url.as_deref());
            Row { title, published, language, links, ..row }.with_text(text)
        }
        Ok(None) => Row { outcome: Outcome::Dropped(Reason::NoText), ..row },
        Err(GivenUp::TooMuch(TooMuch::Nodes(_))) => Row { outcome: Outcome::Dropped(Reason::TooManyNodes), ..row },
        Err(GivenUp::TooMuch(TooMuch::Depth(_))) => Row { outcome: Outcome::Dropped(Reason::TooDeep), ..row },
        Err(GivenUp::TooSlow(limit)) => row.broken(Fault::ExtractorTimeout, format!("no end after {limit:?}")),
        Err(GivenUp::Panicked(message)) => row.broken(Fault::ExtractorPanic, message),
    }
}

/// The links that lead to other pages of the web, in full, each once.
fn absolute(links: &[String], page: Option<&str>) -> Vec<String> {
    let page = page.and_then(|url| Url::parse(url).ok());
    let mut seen = HashSet::new();
    let in_full = links.iter().filter_map(|link| Url::options().base_url(page.as_ref()).parse(link).ok());
    let on_the_web = in_full.filter(|url| matches!(url.scheme(), "http" | "https"));
    on_the_web.map(String::from).filter(|url| seen.insert(url.clone())).collect()
}

/// A page that somebody has turned into text already, as in WET files.
fn converted(options: &WarcOptions, record: &Record, row: Row) -> Row {
    let media_type = record.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
    if !media_type.starts_with("text/plain") {
        return Row { outcome: Outcome::Dropped(Reason::NotHtml), ..row };
    }
    if record.block.len() > options.limits.bytes {
        return Row { outcome: Outcome::Dropped(Reason::TooLarge), ..row };
    }
    match std::str::from_utf8(&record.block) {
        Ok(text) => row.with_text(text.trim().to_owned()),
        Err(error) => row.broken(Fault::NotUtf8, error.to_string()),
    }
}

enum NoPage {
    Dropped(Reason),
    Broken(Fault, String),
}

impl From<(Fault, String)> for NoPage {
    fn from((fault, detail): (Fault, String)) -> Self {
        Self::Broken(fault, detail)
    }
}

/// The HTML in a record, not yet decoded.
struct Page<'a> {
    body: Cow<'a, [u8]>,
    /// The charset that a header names.
    charset: Option<String>,
    /// How it shows that the body is cut.
    truncated: Option<&'static str>,
}

/// The page that a record holds: what a server answered, or a resource as it was at hand.
///
/// Resources, as warcit and browsers' crawlers write them, have no HTTP; some crawlers forget to say that an answer has.
fn page<'a>(options: &WarcOptions, record: &'a Record) -> Result<Page<'a>, NoPage> {
    let kind = record.kind();
    match kind.as_str() {
        "response" | "resource" => {}
        "revisit" => return Err(NoPage::Dropped(Reason::Revisit)),
        _ => return Err(NoPage::Dropped(Reason::NotAResponse)),
    }
    let block_type = record.header("Content-Type").unwrap_or_default();
    let is_http = block_type.get(..16).is_some_and(|start| start.eq_ignore_ascii_case("application/http"))
        || (kind == "response" && record.block.starts_with(b"HTTP/"));
    let response =
        if is_http { Response::parse(&record.block)? } else { Response::without_head(block_type, &record.block) };
    match response.status {
        200 => {}
        300..=399 => return Err(NoPage::Dropped(Reason::Redirect)),
        _ => return Err(NoPage::Dropped(Reason::HttpStatus)),
    }
    let named = response.media_type();
    let identified = record.header("WARC-Identified-Payload-Type").unwrap_or_default().to_ascii_lowercase();
    let is_html = |name: &str| matches!(name, "text/html" | "application/xhtml+xml");
    let is_named = named.as_deref().map(is_html);
    match is_named {
        Some(false) | None if kind == "response" && !is_http => return Err(NoPage::Dropped(Reason::NotHttp)),
        Some(false) => return Err(NoPage::Dropped(Reason::NotHtml)),
        Some(true) | None => {}
    }
    let body = response.body(options.limits.bytes)?.ok_or(NoPage::Dropped(Reason::TooLarge))?;
    if body.bytes.trim_ascii().is_empty() {
        return Err(NoPage::Dropped(Reason::EmptyBody));
    }
    // the archive's own look at the bytes counts where they do not begin as pages do
    let is_other = || sniff::is_other_type(&identified) && !sniff::is_page(&body.bytes);
    let is_unknown = || is_named.is_none() && !is_html(&identified) && !sniff::is_page(&body.bytes);
    if sniff::no_page(&body.bytes).is_some() || is_other() || is_unknown() {
        return Err(NoPage::Dropped(Reason::NotHtml));
    }
    Ok(Page { charset: response.charset().map(str::to_owned), truncated: body.cut.map(Cut::name), body: body.bytes })
}
