//! A sample of a corpus, by bytes.

use std::collections::BinaryHeap;

use system::hash_file;
use xxhash_rust::xxh3::xxh3_64;

use super::{Document, Documents, Lost, Preferred, ReadOptions, SourceFiles, published::PublishedFiles, read_options};
use crate::error::{Error, Result};

/// Some documents, and how many there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Texts, prompts, completions and messages, in an order that depends on nothing but themselves.
    pub texts: Vec<String>,
    /// Bytes of the sample.
    pub bytes: u64,
    /// Bytes of all that it was drawn from.
    pub of: u64,
    /// What was lost of files.
    pub lost: Vec<Lost>,
}

/// Draws texts from all files that are trained on, until there are `bytes` of them: those with the smallest hashes, so that every
/// part of the corpus has its share, whatever the order of files and of documents in them. The last text may reach beyond.
///
/// Memory holds the sample and a few megabytes.
///
/// # Errors
/// When a file cannot be read, is not the one that a run wrote, more is lost than may be, or no document has any text.
pub fn sample(files: &SourceFiles, bytes: u64, options: ReadOptions) -> Result<Sample> {
    let mut drawn = BinaryHeap::new();
    let (mut held, mut of) = (0, 0);
    let mut lost = Vec::new();
    let published = PublishedFiles::of(&files.path)?;
    for path in &files.train {
        if published.lists(path) {
            published.check(path, &hash_file(path)?.sha256)?;
        }
        let mut documents = Documents::open_with(path, options, Preferred::Texts)?;
        while let Some(few) = documents.next_few()? {
            for text in few.iter().flat_map(Document::texts).filter(|text| !text.is_empty()) {
                let length = text.len() as u64;
                of += length;
                held += length;
                drawn.push((xxh3_64(text.as_bytes()), text.to_owned()));
                // the one with the largest hash goes as long as the others suffice
                while drawn.peek().is_some_and(|(_, last)| held - last.len() as u64 >= bytes) {
                    held -= drawn.pop().map_or(0, |(_, last)| last.len() as u64);
                }
            }
        }
        if documents.lost() > 0 {
            let (file, lost_bytes) = (path.display().to_string(), documents.lost());
            lost.push(Lost { file, lost_bytes, of_bytes: read_options::size(path)? });
        }
    }
    options.check_lost(&files.path, &files.train, lost.iter().map(|lost| lost.lost_bytes).sum())?;
    if of == 0 {
        let message = "no document has any text".to_owned();
        return Err(Error::Data { path: files.path.clone(), message });
    }
    Ok(Sample { texts: drawn.into_sorted_vec().into_iter().map(|(_, text)| text).collect(), bytes: held, of, lost })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The beginning of a corpus is not the corpus: all of it is drawn from, whatever its order.
    #[test]
    fn a_sample_is_of_the_whole_corpus() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let lines: Vec<String> = (1000..2000).map(|number| format!("{{\"text\": \"text {number}\"}}\n")).collect();
        let path = folder.path().join("all.jsonl");
        fs::write(&path, lines.concat()).expect("the file can be written");
        let some = sample(&SourceFiles::find(&path)?, 899, ReadOptions::default())?;
        assert_eq!((some.texts.len(), some.bytes, some.of), (100, 900, 9000));
        let late = some.texts.iter().filter(|text| text.as_str() >= "text 1500").count();
        assert!((30..70).contains(&late), "{late} of 100 from the second half");

        fs::write(&path, lines.into_iter().rev().collect::<String>()).expect("the file can be written");
        assert_eq!(sample(&SourceFiles::find(&path)?, 899, ReadOptions::default())?, some);
        assert_eq!(sample(&SourceFiles::find(&path)?, 1 << 20, ReadOptions::default())?.texts.len(), 1000);
        Ok(())
    }
}
