//! What stands around texts everywhere, in so many words: calls to subscribe, to share, to read on; credits; rights.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// The phrases: those that short blocks are, those that they begin with, and those that stand anywhere in them.
const PHRASES: &str = include_str!("phrases.txt");

struct Phrases {
    automaton: AhoCorasick,
    /// How many phrases, the first ones, are whole blocks.
    wholes: usize,
    /// How many are that, or beginnings.
    beginnings: usize,
}

impl Phrases {
    fn read() -> Self {
        let (mut all, mut sections) = (Vec::new(), Vec::new());
        for line in PHRASES.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with('[') {
                sections.push(all.len());
                continue;
            }
            let phrases = line.split(';').map(str::trim).filter(|phrase| !phrase.is_empty());
            all.extend(phrases.map(|phrase| phrase.replace('_', " ")));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(all)
            .expect("the phrases fit an automaton");
        let [_, wholes, beginnings] = sections[..] else { unreachable!("there are three sections") };
        Self { automaton, wholes, beginnings }
    }
}

/// Whether a short text is what stands around texts.
pub fn surrounds(text: &str) -> bool {
    static PHRASES: LazyLock<Phrases> = LazyLock::new(Phrases::read);
    let speaks = |character: char| character.is_alphanumeric() || matches!(character, '©' | '*' | '@');
    let begin = text.find(speaks).unwrap_or_default();
    let end = text.trim_end_matches(|character| !speaks(character)).len();
    let mut found = PHRASES.automaton.find_overlapping_iter(text);
    found.any(|found| match found.pattern().as_usize() {
        phrase if phrase < PHRASES.wholes => found.start() <= begin && found.end() >= end,
        phrase if phrase < PHRASES.beginnings => found.start() <= begin,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_stands_at_the_beginning_or_anywhere() {
        assert!(surrounds("» Read more: the weather") && surrounds("Here you may SUBSCRIBE TO our letters."));
        assert!(surrounds("© 2026 The Daily") && surrounds("(c) The Daily"));
        assert!(surrounds("Tags:") && surrounds("ADVERTISEMENT"));
        for text in [
            "She would read more in the evening.",
            "Tags were sewn on.",
            "Follow the river.",
            "The cookie dough rests.",
            "",
        ] {
            assert!(!surrounds(text), "{text}");
        }
    }
}
