//! What lists of domains and words find in a URL.
//!
//! ```text
//! https://www.Some-Blog.example.com/cheap_watches?x=1
//!         domains: www.some-blog.example.com, some-blog.example.com, example.com, com
//!         words:   https www some blog example com cheap watches x 1
//!         parts:   in the same without - and .
//! ```
//!
//! Source: Penedo et al. 2023 (RefinedWeb), appendix G.1.
//! Cost: a lookup for each label of the host, and one pass for all words and parts.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

/// Lists, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrlLists {
    /// Domains; what lies below one counts as well.
    pub domains: Vec<String>,
    /// Words, of letters and digits, of which one is enough.
    pub words: Vec<String>,
    /// Words of which one is not enough.
    pub soft_words: Vec<String>,
    /// Parts of words.
    pub parts: Vec<String>,
}

/// What was found in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UrlFacts<'a> {
    /// The largest listed domain that the page lies in.
    pub domain: Option<&'a str>,
    /// Different words.
    pub words: u32,
    /// Different soft words.
    pub soft_words: u32,
    /// Different parts of words.
    pub parts: u32,
}

/// Finds what lists name, with the same buffer from URL to URL.
#[derive(Debug)]
pub struct UrlMatcher {
    domains: HashSet<String>,
    patterns: AhoCorasick,
    /// Patterns below the first number are words, below the second soft words, and the rest are parts.
    kinds: (usize, usize),
}

/// What a search needs from URL to URL.
#[derive(Debug, Default)]
pub struct UrlBuffers {
    lower: String,
    squeezed: String,
    found: Vec<usize>,
}

impl UrlMatcher {
    /// Prepares lists.
    ///
    /// # Errors
    /// When they are too large for one automaton.
    pub fn new(lists: &UrlLists) -> Result<Self, BuildError> {
        let UrlLists { domains, words, soft_words, parts } = lists;
        let squeezed: Vec<String> =
            parts.iter().map(|part| part.chars().filter(|sign| !is_joint(*sign)).collect()).collect();
        let patterns = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words.iter().chain(soft_words).chain(&squeezed).filter(|pattern| !pattern.is_empty()))?;
        let filled = |list: &[String]| list.iter().filter(|word| !word.is_empty()).count();
        let words = filled(words);
        let kinds = (words, words + filled(soft_words));
        Ok(Self { domains: domains.iter().cloned().collect(), patterns, kinds })
    }

    /// Looks into a URL.
    pub fn find<'a>(&'a self, url: &str, buffers: &mut UrlBuffers) -> UrlFacts<'a> {
        let UrlBuffers { lower, squeezed, found } = buffers;
        lower.clear();
        lower.extend(url.chars().map(|sign| sign.to_ascii_lowercase()));
        squeezed.clear();
        squeezed.extend(lower.chars().filter(|sign| !is_joint(*sign)));
        found.clear();
        let bytes = lower.as_bytes();
        let is_word = |start: usize, end: usize| {
            let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            !joins(start.checked_sub(1).map(|before| &bytes[before])) && !joins(bytes.get(end))
        };
        let words = self.patterns.find_overlapping_iter(&*lower);
        let words = words.filter(|word| word.pattern().as_usize() < self.kinds.1 && is_word(word.start(), word.end()));
        found.extend(words.map(|word| word.pattern().as_usize()));
        let parts = self.patterns.find_overlapping_iter(&*squeezed);
        found.extend(parts.map(|part| part.pattern().as_usize()).filter(|pattern| *pattern >= self.kinds.1));
        found.sort_unstable();
        found.dedup();
        let (mut words, mut soft_words, mut parts) = (0, 0, 0);
        for pattern in found {
            match *pattern {
                word if word < self.kinds.0 => words += 1,
                word if word < self.kinds.1 => soft_words += 1,
                _ => parts += 1,
            }
        }
        UrlFacts { domain: self.domain(host(lower)), words, soft_words, parts }
    }

    fn domain(&self, host: &str) -> Option<&str> {
        let starts = std::iter::once(0).chain(host.match_indices('.').map(|(at, _)| at + 1));
        // the shortest ending is the largest domain
        starts.rev().find_map(|start| self.domains.get(&host[start..])).map(String::as_str)
    }
}

fn is_joint(sign: char) -> bool {
    matches!(sign, '-' | '.')
}

/// The host of a URL, without the user before it and the port behind it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split_once(':').map_or(host, |(host, _)| host).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(url: &str) -> (Option<String>, u32, u32, u32) {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let lists = UrlLists {
            domains: list(&["example.com", "ads.example.com", "co"]),
            words: list(&["casino"]),
            soft_words: list(&["cheap", "watches", "free"]),
            parts: list(&["pharma-cy"]),
        };
        let matcher = UrlMatcher::new(&lists).expect("the lists are small");
        let facts = matcher.find(url, &mut UrlBuffers::default());
        (facts.domain.map(str::to_owned), facts.words, facts.soft_words, facts.parts)
    }

    #[test]
    fn what_lies_below_a_domain_is_of_it() {
        assert_eq!(find("http://ADS.example.com:80/").0.as_deref(), Some("example.com"));
        assert_eq!(find("http://example.com./").0.as_deref(), Some("example.com"));
        assert_eq!(find("http://myexample.com/example.com").0, None);
        assert_eq!(find("http://me@shop.co?x").0.as_deref(), Some("co"));
    }

    #[test]
    fn words_are_whole_and_parts_are_not() {
        assert_eq!(find("http://a.org/Casino-free/"), (None, 1, 1, 0));
        assert_eq!(find("http://a.org/casinos/cheap_watches/cheap"), (None, 0, 2, 0));
        assert_eq!(find("http://best-phar.macy.org/"), (None, 0, 0, 1));
    }
}
