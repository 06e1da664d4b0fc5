//! What two runs differ in: their recipes and inputs, and every figure.

mod difference;
mod figures;
mod recipes;
mod sections;
mod summary;
mod value;

use std::path::Path;

use maud::html;

use super::findings::{Findings, Means, RunFiles};
use crate::{error::Result, files::write_whole};
use difference::Difference;
use pages::Page;
use recipes::Change;

/// What two runs differ in.
#[derive(Debug)]
pub struct Comparison {
    changes: Vec<Change>,
    differences: Vec<Difference>,
    first: Findings,
    second: Findings,
}

/// Compares the finished runs in two folders.
///
/// # Errors
/// When the files of one cannot be read.
pub async fn compare(first: &Path, second: &Path, means: Means) -> Result<Comparison> {
    let (first, second) = (figures_of(first, means).await?, figures_of(second, means).await?);
    let changes = recipes::changes(&first.manifest, &second.manifest);
    let differences = difference::differences(figures::figures(&first), figures::figures(&second));
    Ok(Comparison { changes, differences, first, second })
}

async fn figures_of(out: &Path, means: Means) -> Result<Findings> {
    let files = RunFiles::open(out, means)?;
    let findings = Findings::without_texts(&files).await.map_err(|error| files.named(error))?;
    files.close()?;
    Ok(findings)
}

impl Comparison {
    /// Writes it as a page.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let (first, second) = (&self.first.manifest.name, &self.second.manifest.name);
        let title = if first == second { format!("two runs of {first}") } else { format!("{first} and {second}") };
        let differ = self.differing().count();
        let page = Page {
            title: &title,
            kind: "comparison of two runs",
            lead: html! {
                p.verdict {
                    "A is a run of " b { (first) } ", B one of " b { (second) } ". "
                    b { (self.changes.len()) } " settings or inputs and " b { (differ) } " of "
                    (self.differences.iter().filter(|difference| !difference.is_of_time()).count()) " figures differ, times aside."
                }
            },
            sections: sections::sections(self),
        };
        write_whole(path, page.html().as_bytes())?;
        Ok(())
    }

    /// The most important differences in a few lines, without times.
    #[must_use]
    pub fn summary(&self) -> String {
        summary::summary(self)
    }

    /// The figures that are not the same, times aside.
    fn differing(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.differs() && !difference.is_of_time())
    }
}
