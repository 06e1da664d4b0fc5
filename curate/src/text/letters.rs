//! What a text is written in: classes of letters, which are scripts, or blocks of characters.
//!
//! Scripts of many readers that lie in several blocks are one class each; of all others a class is 128 characters, which is a script in the
//! order of Unicode's blocks, or a part of one.
//!
//! Useful for: whether a text is in what a model was trained on. Not useful for: languages.

use std::collections::BTreeMap;

use super::unspaced::is_ideograph;

/// The class of a letter: a character that stands for it.
#[must_use]
pub fn class_of(letter: char) -> u32 {
    let first = match letter {
        // Latin, with its accents, and in full width
        '\0'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}'
        | '\u{ff21}'..='\u{ff5a}' => 'A',
        // Greek, Cyrillic, Hebrew, Arabic
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => '\u{391}',
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => '\u{410}',
        '\u{590}'..='\u{5ff}' | '\u{fb1d}'..='\u{fb4f}' => '\u{5d0}',
        '\u{600}'..='\u{6ff}'
        | '\u{750}'..='\u{77f}'
        | '\u{8a0}'..='\u{8ff}'
        | '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{feff}' => '\u{627}',
        // Hangul, kana, Han
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}' => '\u{ac00}',
        '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => '\u{3042}',
        '\u{f900}'..='\u{faff}' => '\u{4e00}',
        letter if is_ideograph(letter) => '\u{4e00}',
        letter => return u32::from(letter) / 128 * 128,
    };
    u32::from(first)
}

fn classes(text: &str) -> impl Iterator<Item = u32> {
    text.chars().filter(|character| character.is_alphabetic()).map(class_of)
}

/// How many letters of each class some texts have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LetterCounts(BTreeMap<u32, u64>);

impl LetterCounts {
    /// Counts those of one more text.
    pub fn count(&mut self, text: &str) {
        let mut stretch = (0, 0);
        let mut add = |(class, letters): (u32, u64)| {
            if letters > 0 {
                *self.0.entry(class).or_default() += letters;
            }
        };
        for class in classes(text) {
            if class == stretch.0 {
                stretch.1 += 1;
            } else {
                add(stretch);
                stretch = (class, 1);
            }
        }
        add(stretch);
    }

    /// The classes that have this share of all letters or more, in order.
    #[must_use]
    pub fn with_share(&self, least: f64) -> Vec<u32> {
        let all = self.0.values().sum::<u64>() as f64;
        self.0.iter().filter(|(_, letters)| **letters as f64 >= least * all).map(|(class, _)| *class).collect()
    }
}

/// The share of a text's letters that are of `known` classes; none of a text without a letter.
///
/// ```
/// # use curate::text::letters::{class_of, share_of};
/// let latin = [class_of('a')];
/// assert_eq!(share_of("École No. 9", &latin), Some(1.0));
/// assert_eq!(share_of("da да", &latin), Some(0.5));
/// assert_eq!(share_of("3 + 4", &latin), None);
/// ```
#[must_use]
pub fn share_of(text: &str, known: &[u32]) -> Option<f64> {
    let (mut letters, mut of_known) = (0u64, 0u64);
    let mut last = None;
    for class in classes(text) {
        let is_known = match last {
            Some((before, is_known)) if before == class => is_known,
            _ => known.contains(&class),
        };
        last = Some((class, is_known));
        letters += 1;
        of_known += u64::from(is_known);
    }
    (letters > 0).then(|| of_known as f64 / letters as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A script is one class, with its accents and in all of its blocks; what is rare in the texts is none of theirs.
    #[test]
    fn scripts_are_classes() {
        for (one, other) in
            [('a', 'Ⱥ'), ('e', 'ế'), ('α', 'ἀ'), ('ж', 'Ѣ'), ('あ', 'ン'), ('数', '𠀋'), ('한', 'ㄱ'), ('ع', 'ﺹ')]
        {
            assert_eq!(class_of(one), class_of(other), "{one} {other}");
        }
        let all: std::collections::BTreeSet<u32> = "aαжあ数한עعअকกကა".chars().map(class_of).collect();
        assert_eq!(all.len(), 13);
        let mut counts = LetterCounts::default();
        counts.count(&"The keeper of the lighthouse. ".repeat(100));
        counts.count("数, и да");
        assert_eq!(counts.with_share(1e-3), [class_of('a'), class_of('и')]);
    }
}
