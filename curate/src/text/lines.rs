//! The facts about a text's lines and paragraphs that quality rules are made of.
//!
//! A line is what stands between line feeds; blank ones count as lines, but for nothing else. Paragraphs are divided by blank
//! lines without a sign, not even a space.
//!
//! Source: what Gopher (Rae et al. 2021, table A1), C4 (Raffel et al. 2020) and FineWeb (Penedo et al. 2024) count.

#![expect(clippy::cast_possible_truncation, reason = "counts of what lies in memory")]

use xxhash_rust::xxh3::xxh3_64;

use super::counts::Counts;

/// Counts of lines, and of characters in them. Shares are for the rules to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineFacts {
    /// Line feeds.
    pub line_feeds: u64,
    /// Lines that are not blank.
    pub lines: u64,
    /// Lines that begin with a bullet.
    pub bullet_lines: u64,
    /// Lines that end in an ellipsis.
    pub ellipsis_lines: u64,
    /// Lines whose last character ends a sentence.
    pub closed_lines: u64,
    /// Lines of [`SHORT_LINE`] characters or fewer.
    pub short_lines: u64,
    /// Lines that stood further up already, letter by letter.
    pub repeated_lines: u64,
    /// Characters in those.
    pub repeated_line_characters: u64,
    /// Paragraphs.
    pub paragraphs: u64,
    /// Paragraphs that stood further up already.
    pub repeated_paragraphs: u64,
    /// Characters in those.
    pub repeated_paragraph_characters: u64,
}

/// The longest line that is short, in characters.
///
/// Source: Penedo et al. 2024 (FineWeb).
pub const SHORT_LINE: u64 = 30;

/// Counts lines. Keeps its buffers from text to text.
#[derive(Debug, Default)]
pub struct Lines {
    counts: Counts,
}

impl Lines {
    /// Counts the facts of `text`.
    ///
    /// ```
    /// # use curate::text::lines::Lines;
    /// let facts = Lines::default().count("- one\n\n- one\nTwo.");
    /// assert_eq!((facts.lines, facts.line_feeds, facts.bullet_lines, facts.closed_lines), (3, 3, 2, 1));
    /// assert_eq!((facts.repeated_lines, facts.repeated_line_characters), (1, 5));
    /// ```
    pub fn count(&mut self, text: &str) -> LineFacts {
        let mut facts = LineFacts { line_feeds: count_byte(text, b'\n'), ..LineFacts::default() };
        self.counts.reset(facts.line_feeds as usize + 1);
        for line in text.split('\n') {
            let trimmed = line.trim();
            if trimmed.is_empty() {
                continue;
            }
            facts.lines += 1;
            facts.bullet_lines += u64::from(trimmed.starts_with(['•', '-', '*', '‣', '▪', '●']));
            facts.ellipsis_lines += u64::from(trimmed.ends_with("...") || trimmed.ends_with('…'));
            facts.closed_lines += u64::from(line.chars().next_back().is_some_and(ends_sentence));
            let characters = count_characters(line);
            facts.short_lines += u64::from(characters <= SHORT_LINE);
            if self.counts.add(xxh3_64(line.as_bytes()), 0).1.times > 1 {
                facts.repeated_lines += 1;
                facts.repeated_line_characters += characters;
            }
        }
        self.count_paragraphs(text, &mut facts);
        facts
    }

    fn count_paragraphs(&mut self, text: &str, facts: &mut LineFacts) {
        self.counts.reset(facts.lines as usize + 1);
        for paragraph in text.trim().split("\n\n").map(|paragraph| paragraph.trim_start_matches('\n')) {
            if paragraph.is_empty() {
                continue;
            }
            facts.paragraphs += 1;
            if self.counts.add(xxh3_64(paragraph.as_bytes()), 0).1.times > 1 {
                facts.repeated_paragraphs += 1;
                facts.repeated_paragraph_characters += count_characters(paragraph);
            }
        }
    }
}

/// How many characters `text` has.
#[must_use]
pub fn count_characters(text: &str) -> u64 {
    // every byte but those that go on with a character
    text.bytes().filter(|byte| byte.cast_signed() >= -0x40).count() as u64
}

fn count_byte(text: &str, wanted: u8) -> u64 {
    text.bytes().filter(|byte| *byte == wanted).count() as u64
}

/// Whether a character ends sentences, in any script that has one for that.
///
/// Source: Unicode's `Sentence_Terminal`, for scripts in wide use.
#[must_use]
pub fn ends_sentence(character: char) -> bool {
    matches!(
        character,
        '.' | '!' | '?' | '։' | '؟' | '؝' | '؞' | '۔' | '܀' | '܂' | '।' | '॥' | '။' | '၊' | '።' | '፧' | '፨' | '។' | '៕'
            | '᠃' | '᠉' | '‼'..='‽' | '⁇'..='⁉' | '⸮' | '。' | '｡' | '．' | '！' | '？' | '﹒' | '﹖' | '﹗'
    )
}
