//! C4's rules on lines: which lines of a page are kept, and what stands in those.
//!
//! ```text
//! lines -> too long a word? no end of a sentence? too few words? script? policy? -> cut, or kept and its sentences counted
//! ```
//!
//! Source: Raffel et al. 2020 (T5), section 2.2, and the code published with it; datatrove's order of the rules.

#![expect(clippy::cast_possible_truncation, reason = "a document has less than 4 GiB of text")]

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    lines::ends_sentence,
    tokens::{Token, Tokens},
    unspaced,
};

/// Phrases of which one takes a line out.
const POLICIES: [&str; 6] =
    ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"];

/// Which lines are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule that may be left out")]
pub struct LineRules {
    /// Fewest words: what stands between white space, divided where a script puts none.
    pub min_words: u32,
    /// The longest of these, in characters; a longer one takes its line out.
    pub max_word_characters: u32,
    /// Whether a line must end as sentences do, and not in `...`.
    pub closed: bool,
    /// Whether lines about JavaScript go.
    pub scripts: bool,
    /// Whether lines about cookies and terms of use go.
    pub policies: bool,
    /// Whether marks of citations, such as `[3]` and `[edit]`, are cut out of lines.
    pub citations: bool,
}

impl Default for LineRules {
    /// The paper's: lines of three words or more. The code published with it takes five, and DCLM with it.
    fn default() -> Self {
        Self { min_words: 3, max_word_characters: 1000, closed: true, scripts: true, policies: true, citations: true }
    }
}

/// What C4's rules find in a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineCuts {
    /// Byte ranges that go: lines with their line feed, and citations within kept lines. In order, apart from each other.
    pub cuts: Vec<Range<u32>>,
    /// Sentences in kept lines.
    pub sentences: u64,
    /// Whether a kept line says `lorem ipsum`.
    pub lorem_ipsum: bool,
    /// Whether a kept line has a curly bracket.
    pub curly_bracket: bool,
}

impl LineRules {
    /// Applies the rules to `text`, whose tokens are `tokens`.
    #[must_use]
    pub fn apply(&self, text: &str, tokens: &Tokens) -> LineCuts {
        let mut found = LineCuts::default();
        let mut phrases = phrases(text).peekable();
        let mut tokens = tokens.all();
        let mut start = 0;
        while start < text.len() {
            let end = text[start..].find('\n').map_or(text.len(), |at| start + at + 1);
            let line = &text[start..end];
            let mut named = [false; 3];
            while let Some(phrase) = phrases.next_if(|phrase| phrase.end <= end) {
                named[phrase.kind as usize] |= phrase.start >= start;
            }
            let of_line = tokens.partition_point(|token| (token.start as usize) < end);
            let (line_tokens, rest) = tokens.split_at(of_line);
            tokens = rest;
            if !line.trim().is_empty() && !self.keep(line, start, line_tokens, named, &mut found) {
                // citations within the line go with it
                found.cuts.truncate(found.cuts.partition_point(|cut| (cut.start as usize) < start));
                found.cuts.push(start as u32..end as u32);
            }
            start = end;
        }
        found
    }

    /// Whether a line is kept; its citations are cut, and its sentences counted.
    fn keep(&self, line: &str, start: usize, tokens: &[Token], named: [bool; 3], found: &mut LineCuts) -> bool {
        let line = line.trim_end();
        let (mut words, mut is_too_long) = (0, false);
        for chunk in line.split_whitespace() {
            unspaced::pieces(chunk, |start, end| {
                words += 1;
                let most = self.max_word_characters as usize;
                is_too_long |= end - start > most && chunk[start..end].chars().count() > most;
            });
        }
        if is_too_long {
            return false;
        }
        let body = if self.citations { cite(line, start, &mut found.cuts) } else { line.len() };
        let body = &line[..body];
        if (self.closed && (!body.ends_with(['.', '?', '!', '"', '\'']) || body.ends_with("...")))
            || words < self.min_words
        {
            return false;
        }
        let [scripts, policies, lorem_ipsum] = named;
        found.lorem_ipsum |= lorem_ipsum;
        if self.scripts && scripts {
            return false;
        }
        found.curly_bracket |= line.contains('{');
        if self.policies && policies {
            return false;
        }
        found.sentences += sentences(line, start, tokens);
        true
    }
}

/// Cuts the citations out of a line that begins at `start`; returns where the line then ends.
fn cite(line: &str, start: usize, cuts: &mut Vec<Range<u32>>) -> usize {
    let first = cuts.len();
    let mut from = 0;
    while let Some(open) = line[from..].find('[') {
        let open = from + open;
        let inside = &line[open + 1..];
        let Some(close) = inside.find(']') else { break };
        let mark = &inside[..close];
        from = open + 1;
        if mark.bytes().all(|byte| byte.is_ascii_digit()) || mark == "edit" || mark == "citation needed" {
            from = open + close + 2;
            cuts.push((start + open) as u32..(start + from) as u32);
        }
    }
    // marks at the very end stand behind the stop of the sentence
    cuts[first..]
        .iter()
        .rev()
        .fold(line.len(), |end, cut| if cut.end as usize - start == end { cut.start as usize - start } else { end })
}

/// Sentences of a line: a stop ends one where a word follows.
fn sentences(text: &str, start: usize, tokens: &[Token]) -> u64 {
    let mut count = u64::from(!tokens.is_empty());
    let mut ended = false;
    for token in tokens {
        if token.is_word {
            count += u64::from(ended);
            ended = false;
        } else if token.characters == 1 {
            ended |= text[token.start as usize - start..].chars().next().is_some_and(ends_sentence);
        }
    }
    count
}

/// Something that a line is known by.
struct Phrase {
    start: usize,
    end: usize,
    kind: PhraseKind,
}

#[derive(Clone, Copy)]
enum PhraseKind {
    Script = 0,
    Policy = 1,
    LoremIpsum = 2,
}

/// Phrases of a text in any case, in order of their ends.
fn phrases(text: &str) -> impl Iterator<Item = Phrase> {
    static AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let patterns = ["javascript", "lorem ipsum"].iter().chain(&POLICIES);
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(patterns)
            .expect("the phrases are few and short")
    });
    AUTOMATON.find_overlapping_iter(text).map(|found| Phrase {
        start: found.start(),
        end: found.end(),
        kind: match found.pattern().as_usize() {
            0 => PhraseKind::Script,
            1 => PhraseKind::LoremIpsum,
            _ => PhraseKind::Policy,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> (String, LineCuts) {
        let mut tokens = Tokens::default();
        tokens.take(text);
        let found = LineRules::default().apply(text, &tokens);
        let (mut rest, mut from) = (String::new(), 0);
        for cut in &found.cuts {
            rest.push_str(&text[from..cut.start as usize]);
            from = cut.end as usize;
        }
        rest.push_str(&text[from..]);
        (rest, found)
    }

    #[test]
    fn lines_that_are_no_sentences_go() {
        let (rest, found) = kept("Home About\nIt rained all day. We stayed.\nAnd then...\nToo short.\n\"Is it so?\"");
        assert_eq!(rest, "It rained all day. We stayed.\n\"Is it so?\"");
        assert_eq!(found.sentences, 3);
    }

    #[test]
    fn citations_are_cut_out_of_lines() {
        let (rest, found) = kept("The tower[12] was built in 1903.[3][edit]\nA list of towers [4]\nEnd of the page.");
        assert_eq!(rest, "The tower was built in 1903.\nEnd of the page.");
        assert_eq!(found.sentences, 2);
    }

    #[test]
    fn phrases_take_a_line_or_name_a_page() {
        let (rest, found) =
            kept("Please enable JavaScript to go on.\nThis site uses cookies to do so.\nWe like it here.");
        assert_eq!(rest, "We like it here.");
        assert!(!found.lorem_ipsum && !found.curly_bracket);
        assert!(kept("Lorem ipsum dolor sit amet.").1.lorem_ipsum);
        assert!(kept("He wrote {x} on the wall.").1.curly_bracket);
        // a line that goes for another reason says nothing about the page
        assert!(!kept("var x = {}").1.curly_bracket);
    }

    /// Scripts without spaces have words, too.
    #[test]
    fn words_need_no_space() {
        let text = format!("{}.\n雨。\n\"ฝนตกหนักวันนี้.\"", "雨".repeat(2000));
        let found = kept(&text);
        assert_eq!(found.0, text.replace("雨。\n", ""));
    }

    #[test]
    fn a_long_word_takes_its_line() {
        assert_eq!(
            kept(&format!("Here it is: {}.\nIt was long, that one.", "x".repeat(1001))).0,
            "It was long, that one."
        );
    }
}
