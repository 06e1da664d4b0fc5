//! Documents are cut into chunks, so that a book is many examples, and each as long as one of a page.

use crate::text::{draw::draw, unspaced};

/// How documents are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunking {
    /// Words in a chunk.
    pub words: usize,
    /// Chunks of one document, at most.
    pub most: usize,
    /// Whether chunks end where lines do, and have as many words or more.
    pub whole_lines: bool,
    /// What decides which chunks of a long document are taken.
    pub seed: u64,
}

impl Chunking {
    /// The chunks of a document, in their order. A rest of less than half as many words is left out, unless it is all there is.
    #[must_use]
    pub fn cut<'t>(&self, text: &'t str, id: &str) -> Vec<&'t str> {
        let mut all = if self.whole_lines { self.lines(text) } else { self.words(text) };
        if all.len() > self.most {
            // the purpose is hashed: chunks were called passages once, and another word would take others
            let mut drawn: Vec<(u64, usize)> =
                (0..all.len()).map(|number| (draw(self.seed, "passage", &format!("{id}/{number}")), number)).collect();
            drawn.sort_unstable();
            drawn.truncate(self.most);
            drawn.sort_unstable_by_key(|(_, number)| *number);
            all = drawn.into_iter().map(|(_, number)| all[number]).collect();
        }
        all
    }

    fn words<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut words: Vec<(usize, usize)> = Vec::new();
        for token in text.split_whitespace() {
            let from = token.as_ptr().addr() - text.as_ptr().addr();
            unspaced::pieces(token, |start, end| words.push((from + start, end - start)));
        }
        let chunks = words.chunks(self.words.max(1)).enumerate();
        let kept = chunks.filter(|(number, chunk)| *number == 0 || 2 * chunk.len() >= self.words);
        let text_of = |chunk: &[(usize, usize)]| {
            let (start, _) = chunk[0];
            let (last, length) = chunk[chunk.len() - 1];
            &text[start..last + length]
        };
        kept.map(|(_, chunk)| text_of(chunk)).collect()
    }

    fn lines<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut chunks = Vec::new();
        let (mut start, mut end, mut words) = (0, 0, 0);
        for line in text.split_inclusive('\n') {
            words += unspaced::count(line);
            end += line.len();
            if words >= self.words {
                chunks.push(text[start..end].trim_end());
                (start, words) = (end, 0);
            }
        }
        if 2 * words >= self.words || (chunks.is_empty() && words > 0) {
            chunks.push(text[start..end].trim_end());
        }
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_gives_as_many_chunks_as_are_wanted() {
        let text = (0..95).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
        let chunking = Chunking { words: 10, most: 100, whole_lines: false, seed: 1 };
        let all = chunking.cut(&text, "id");
        assert_eq!((all.len(), all.join("\n")), (10, text.clone()));
        let some = Chunking { most: 3, ..chunking }.cut(&text, "id");
        assert_eq!(some.len(), 3);
        assert!(some.iter().all(|chunk| all.contains(chunk)));
        assert_ne!(some, Chunking { most: 3, seed: 2, ..chunking }.cut(&text, "id"));
        assert_eq!(Chunking { words: 60, ..chunking }.cut(&text, "id").len(), 2, "35 words are more than half of 60");
        assert_eq!(Chunking { words: 80, ..chunking }.cut(&text, "id").len(), 1, "15 words are less than half of 80");
    }

    #[test]
    fn a_text_without_spaces_is_cut_as_well() {
        let chunking = Chunking { words: 2, most: 9, whole_lines: false, seed: 1 };
        assert_eq!(chunking.cut("雨落，在老房子。", "id"), ["雨落，", "在老", "房子。"]);
    }

    #[test]
    fn whole_lines_stay_whole() {
        let chunking = Chunking { words: 3, most: 9, whole_lines: true, seed: 1 };
        assert_eq!(chunking.cut("a b\nc d e\n\nf\ng h\ni", "id"), ["a b\nc d e", "\nf\ng h"]);
        assert_eq!(chunking.cut("a", "id"), ["a"]);
        assert!(chunking.cut(" \n", "id").is_empty());
    }
}
