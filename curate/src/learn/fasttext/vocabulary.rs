//! From a line to the rows of its words and n-grams.

use super::{
    dictionary::Words,
    grams::{Grams, HASH_START, hash},
};

/// What stands at the end of a line.
const END_OF_LINE: &[u8] = b"</s>";

/// What labels begin with.
const LABEL: &[u8] = b"__label__";

/// What a line is made of: words, and n-grams of characters and of words.
pub struct Vocabulary {
    pub words: Words,
    pub grams: Grams,
}

/// What is needed from text to text.
#[derive(Debug, Default)]
pub struct Buffers {
    pub(super) rows: Vec<u32>,
    pub(super) hashes: Vec<u32>,
    pub(super) word: Vec<u8>,
    pub(super) hidden: Vec<f32>,
}

impl Vocabulary {
    /// Rows of the words of a line, and of what they are made of.
    ///
    /// - returns: of its words and n-grams, how many are known, and how many there are. A word is known that the dictionary has, and an n-gram of
    ///   such words: a bucket has a row whether anything was seen in it or not, and n-grams of characters are no words.
    pub fn rows(&self, line: &[u8], buffers: &mut Buffers) -> (usize, usize) {
        let Buffers { rows, hashes, word, .. } = buffers;
        rows.clear();
        hashes.clear();
        let separates = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x0b | 0x0c | 0);
        // what looks like a label is none of the text
        let tokens = line.split(separates).filter(|token| !token.is_empty() && !token.starts_with(LABEL));
        let longest = self.grams.word_ngrams.max(1);
        // words so far, known words without a break, and the n-grams that end there
        let (mut words, mut streak, mut all_runs, mut known_runs) = (0usize, 0usize, 0, 0);
        for token in tokens.chain([END_OF_LINE]) {
            hashes.push(hash(HASH_START, token));
            let known = self.words.get(token);
            rows.extend(known);
            let ends = token == END_OF_LINE;
            if !ends {
                words += 1;
                streak = if known.is_some() { streak + 1 } else { 0 };
                all_runs += words.min(longest);
                known_runs += streak.min(longest);
            }
            if !ends && (known.is_none() || self.grams.max > 0) {
                word.clear();
                word.push(b'<');
                word.extend_from_slice(token);
                word.push(b'>');
                self.grams.of_word(word, rows);
            }
            if ends {
                break;
            }
        }
        self.grams.of_words(hashes, rows);
        (known_runs, all_runs)
    }
}
