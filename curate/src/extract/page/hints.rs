//! What the names that an element bears say about its part on the page.
//!
//! A site's authors name their elements for themselves, but in words that recur everywhere: `entry-content`, `sidebar`, `related`.
//! Names are read as words in lower case, divided at marks and at a change of case; all words are found in one pass.

use std::{ops::BitOr, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};
use html5ever::{Attribute, local_name};

use super::tag::Tag;

/// What an element's names say: a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints(u16);

impl Hints {
    /// The body of an article, by a name that is hardly used for anything else.
    pub const BODY: Self = Self(1);
    /// The part of a page that holds its text.
    pub const MAIN: Self = Self(1 << 1);
    /// Ways to other pages: menus, trails, page numbers.
    pub const NAVIGATION: Self = Self(1 << 2);
    /// The foot of the page.
    pub const FOOTER: Self = Self(1 << 3);
    /// Beside the text.
    pub const ASIDE: Self = Self(1 << 4);
    /// Other texts: related, recent, recommended.
    pub const RELATED: Self = Self(1 << 5);
    /// Buttons to share and follow.
    pub const SHARE: Self = Self(1 << 6);
    /// What readers wrote.
    pub const COMMENTS: Self = Self(1 << 7);
    /// Advertising.
    pub const ADVERTISING: Self = Self(1 << 8);
    /// About the text: who wrote it, when, under which heading.
    pub const ABOUT: Self = Self(1 << 9);
    /// Addressed to the reader: consent, registration, newsletters.
    pub const NOTICE: Self = Self(1 << 10);
    /// Not shown.
    pub const HIDDEN: Self = Self(1 << 11);
    /// What stands under a picture.
    pub const CAPTION: Self = Self(1 << 12);

    /// How many there are.
    pub const COUNT: usize = 13;

    /// All that speak against an element.
    pub const AGAINST: Self = Self(
        Self::NAVIGATION.0
            | Self::FOOTER.0
            | Self::ASIDE.0
            | Self::RELATED.0
            | Self::SHARE.0
            | Self::COMMENTS.0
            | Self::ADVERTISING.0
            | Self::ABOUT.0
            | Self::NOTICE.0
            | Self::HIDDEN.0
            | Self::CAPTION.0,
    );

    /// Each of them.
    pub fn each(self) -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|bit| Self(1 << bit)).filter(move |hint| self.any(*hint))
    }

    /// The number of one hint.
    pub fn number(self) -> usize {
        self.0.trailing_zeros() as usize
    }

    /// Whether any of `other` is among them.
    pub fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those that are not in `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Hints {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The words, by what they say; the file says how they are written.
const NAMES: &str = include_str!("names.txt");

/// The words of [`NAMES`] as they are looked for, each with what it says: a space is an end of a word.
fn names() -> Vec<(Hints, String)> {
    let mut names = Vec::new();
    let mut hints = Hints::default();
    for line in NAMES.lines().filter(|line| !line.starts_with('#')) {
        if let Some((section, _)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            let place = SECTIONS.iter().position(|known| *known == section);
            hints = Hints(1 << place.expect("a section is a hint"));
            continue;
        }
        let words = line.split(',').map(str::trim).filter(|word| !word.is_empty());
        names.extend(words.map(|word| (hints, word.replace('_', " ").replace('^', "\n"))));
    }
    names
}

/// The names of all hints, in their order.
const SECTIONS: [&str; Hints::COUNT] = [
    "body",
    "main",
    "navigation",
    "footer",
    "aside",
    "related",
    "share",
    "comments",
    "advertising",
    "about",
    "notice",
    "hidden",
    "caption",
];

/// Reads names; its buffer serves from element to element.
pub struct Namer {
    words: &'static AhoCorasick,
    hints: &'static [Hints],
    buffer: String,
}

impl Default for Namer {
    fn default() -> Self {
        static FOUND: LazyLock<(AhoCorasick, Vec<Hints>)> = LazyLock::new(|| {
            let names = names();
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(aho_corasick::AhoCorasickKind::DFA))
                .build(names.iter().map(|(_, word)| word))
                .expect("the words fit an automaton");
            (automaton, names.into_iter().map(|(hints, _)| hints).collect())
        });
        Self { words: &FOUND.0, hints: &FOUND.1, buffer: String::new() }
    }
}

impl Namer {
    /// What the attributes of an element say.
    pub fn hints(&mut self, tag: Tag, attributes: &[Attribute]) -> Hints {
        let mut found = match tag {
            Tag::Navigation => Hints::NAVIGATION,
            Tag::Footer => Hints::FOOTER,
            Tag::Aside => Hints::ASIDE,
            Tag::Article | Tag::Main => Hints::MAIN,
            Tag::Caption => Hints::CAPTION,
            // mostly a word about scripts; a page whose whole text stands there is known by that
            Tag::NoScript => Hints::NOTICE,
            _ => Hints::default(),
        };
        self.buffer.clear();
        for attribute in attributes {
            let value = &*attribute.value;
            match attribute.name.local {
                local_name!("class") | local_name!("id") | local_name!("role") | local_name!("itemprop") => {
                    self.words(value);
                }
                local_name!("hidden") => found = found | Hints::HIDDEN,
                local_name!("aria-hidden") if value == "true" => found = found | Hints::HIDDEN,
                local_name!("style") if hides(value) => found = found | Hints::HIDDEN,
                _ if matches!(&*attribute.name.local, "data-testid" | "data-component" | "data-type") => {
                    self.words(value);
                }
                _ => {}
            }
        }
        if !self.buffer.is_empty() {
            for word in self.words.find_overlapping_iter(&self.buffer) {
                found = found | self.hints[word.pattern().as_usize()];
            }
        }
        found
    }

    /// Adds an attribute's value as words between spaces.
    fn words(&mut self, value: &str) {
        self.buffer.push_str("\n  ");
        let mut lower = false;
        for character in value.chars() {
            if character.is_ascii_uppercase() && lower {
                self.buffer.push(' ');
            }
            lower = character.is_ascii_lowercase();
            match character {
                ' ' | '\n' | '\t' => self.buffer.push_str("  "),
                character if character.is_alphanumeric() => self.buffer.push(character.to_ascii_lowercase()),
                _ if self.buffer.ends_with(' ') => {}
                _ => self.buffer.push(' '),
            }
        }
        self.buffer.push_str("  ");
    }
}

/// Whether a style takes an element from view.
fn hides(style: &str) -> bool {
    let mut rest = style;
    while let Some(at) = rest.find("display") {
        rest = rest[at + "display".len()..].trim_start();
        if let Some(value) = rest.strip_prefix(':')
            && value.trim_start().starts_with("none")
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use html5ever::{QualName, ns};

    use super::*;

    fn hints(class: &str) -> Hints {
        let name = QualName::new(None, ns!(), local_name!("class"));
        Namer::default().hints(Tag::Block, &[Attribute { name, value: class.into() }])
    }

    #[test]
    fn names_are_read_as_words() {
        for name in ["entry-content", "Post__Body", "articleBody", "td-post-content x"] {
            assert!(hints(name).any(Hints::BODY), "{name}");
        }
        for (name, hint) in [
            ("sidebar-2", Hints::ASIDE),
            ("relatedPosts", Hints::RELATED),
            ("site-footer", Hints::FOOTER),
            ("d-none hidden", Hints::HIDDEN),
            ("widget widget_text", Hints::ASIDE),
        ] {
            assert!(hints(name).any(hint), "{name}: {:?}", hints(name));
        }
        assert!(!hints("overflow-hidden commentary").any(Hints::HIDDEN | Hints::COMMENTS));
    }
}
