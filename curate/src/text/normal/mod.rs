//! The normal form in which near-duplicates are compared: of a text its words are left, and of its numbers that they are there.
//!
//! Taken away are, in this order: case; the value of numbers, each of which becomes `0`; accents, which are the marks that many scripts
//! share (`é` is `e`, but `й` is no `и`: it is a letter of its own, as are `ї`, `ў`, `ѓ` and `ќ`); signs that are not seen; and punctuation,
//! operators and all other signs, which become white space, of which one space stays. Marks of a single script stay, for they carry
//! letters: the vowel signs of Indic scripts, the vowels and tones of Thai, the points of Arabic and Hebrew. How a character was composed
//! does not show. Words end at white space and signs, and where [`super::unspaced`] says so.
//!
//! So `3 + 4` and `30 - 12`, `C++` and `C#`, `résumé` and `resume` are one here: the form is for what is much alike, not for what is the same;
//! that is [`super::exact`].
//!
//! Source: the order of datatrove's normalisation before shingling, done in one pass; it takes away the marks of all scripts.

mod letters;
mod marks;

use std::sync::LazyLock;

use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical, is_combining_mark};

pub(super) use self::letters::ascii_letters;
use self::marks::{Last, is_accent, is_joined, is_unseen, makes_a_letter};
use super::unspaced::{self, is_ideograph, is_unspaced};

/// A text in normal form, and where its words end. Reused from text to text.
#[derive(Debug, Default, Clone)]
pub struct NormalForm {
    /// UTF-8: whole characters alone are put here.
    text: Vec<u8>,
    /// Past-the-end offsets of the words in `text`.
    ends: Vec<u32>,
    /// Where the last mark that was kept ended in `text`, and its combining class.
    mark: (usize, u8),
}

/// Bytes of marks on one letter that are brought into order.
const MOST_MARKS: usize = 90;

impl NormalForm {
    /// Takes the normal form of `text`, dropping what was here before.
    ///
    /// ```
    /// # use curate::text::normal::NormalForm;
    /// let mut normal = NormalForm::default();
    /// normal.take("Crème brûlée, 3,50 EUR!");
    /// assert_eq!(normal.text(), "creme brulee 0 eur");
    /// assert_eq!(normal.words(), 4);
    /// ```
    pub fn take(&mut self, text: &str) {
        self.text.clear();
        self.ends.clear();
        self.mark = (0, 0);
        self.text.reserve(text.len() + 8);
        let bytes = text.as_bytes();
        let mut last = Last::Space;
        let mut at = 0;
        while at < bytes.len() {
            let (letters, count) = ascii_letters(&bytes[at..]);
            if count > 0 {
                self.letter(last);
                // eight bytes in one step, of which the first are wanted
                self.text.extend_from_slice(&letters);
                self.text.truncate(self.text.len() - letters.len() + count);
                last = Last::Letter;
                at += count;
            } else if bytes[at].is_ascii() {
                last = self.ascii_mark(bytes[at], last);
                at += 1;
            } else {
                let character = text[at..].chars().next().expect("the text goes on");
                if is_unspaced(character) {
                    let stretch = unspaced::stretch_length(&text[at..]);
                    last = self.divided(&text[at..at + stretch], last);
                    at += stretch;
                } else {
                    last = self.character(character, last);
                    at += character.len_utf8();
                }
            }
        }
        self.close(last);
    }

    /// The normal form; empty when the text has no letter and no digit.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text).expect("whole characters alone were put here")
    }

    /// The same, as bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// How many words it has.
    #[must_use]
    pub fn words(&self) -> usize {
        self.ends.len()
    }

    /// Its words, as bytes.
    pub fn each_word(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let word = &self.text[start..end as usize];
            start = end as usize + 1;
            word
        })
    }

    /// Takes a stretch of a script that puts no space between words.
    fn divided(&mut self, stretch: &str, mut last: Last) -> Last {
        let mut start = 0;
        for end in unspaced::ends(stretch) {
            let word = &stretch[start..end];
            start = end;
            let of_word = |last, form: &mut Self| word.chars().fold(last, |last, sign| form.character(sign, last));
            // a number may have begun before the stretch, and go on behind it
            if word.starts_with(char::is_numeric) {
                last = of_word(last, self);
            } else {
                self.close(last);
                let last_of_word = of_word(Last::Space, self);
                self.close(last_of_word);
                last = Last::Space;
            }
        }
        last
    }

    /// Takes a character that is not ASCII.
    fn character(&mut self, character: char, last: Last) -> Last {
        if is_ideograph(character) {
            return self.ideograph(character, last);
        }
        if let Some(letter) = folded(character) {
            self.letter(last);
            self.put(letter);
            return Last::Letter;
        }
        self.taken_apart(character, last)
    }

    /// Takes a character by what Unicode knows of it.
    fn taken_apart(&mut self, character: char, mut last: Last) -> Last {
        for lower in character.to_lowercase() {
            decompose_canonical(lower, |part| last = self.part(part, last));
        }
        last
    }

    /// Takes a word of its own.
    fn ideograph(&mut self, character: char, last: Last) -> Last {
        self.close(last);
        self.open();
        self.put(character);
        self.close(Last::Letter);
        Last::Space
    }

    /// Takes a character in lower case of which nothing can be taken apart.
    fn part(&mut self, part: char, last: Last) -> Last {
        if part.is_numeric() {
            self.digit(last)
        } else if is_joined(part, last) && self.join(part) {
            last
        } else if is_combining_mark(part) {
            self.combining(part, last)
        } else if is_ideograph(part) {
            self.ideograph(part, last)
        } else if part.is_alphabetic() {
            self.letter(last);
            self.put(part);
            Last::Letter
        } else if part.is_ascii() {
            self.ascii_mark(u8::try_from(part).expect("ASCII fits into a byte"), last)
        } else if is_unseen(part) {
            last
        } else {
            self.close(last);
            Last::Space
        }
    }

    /// Takes a mark on the letter before it.
    fn combining(&mut self, mark: char, last: Last) -> Last {
        if is_accent(mark) {
            if last == Last::Letter && makes_a_letter(self.text.last_chunk(), mark) {
                self.join(mark);
            }
            return last;
        }
        let class = canonical_combining_class(mark);
        self.letter(last);
        let (end, class_before) = self.mark;
        let is_early = end == self.text.len() && 0 < class && class < class_before;
        self.put(mark);
        if is_early {
            self.sort_marks();
        }
        self.mark = (self.text.len(), if is_early { class_before } else { class });
        Last::Letter
    }

    /// Brings the marks at the end into Unicode's order, in which the same ones are equal: some thirty of them, more are no text.
    #[cold]
    fn sort_marks(&mut self) {
        let far = self.text.len().saturating_sub(MOST_MARKS);
        let tail =
            (far..self.text.len()).find_map(|from| std::str::from_utf8(&self.text[from..]).ok()).unwrap_or_default();
        let mut marks: Vec<char> = tail.chars().rev().take_while(|mark| canonical_combining_class(*mark) > 0).collect();
        marks.reverse();
        marks.sort_by_key(|mark| canonical_combining_class(*mark));
        self.text.truncate(self.text.len() - marks.iter().map(|mark| mark.len_utf8()).sum::<usize>());
        marks.into_iter().for_each(|mark| self.put(mark));
    }

    /// Makes one character of the last one and `part`, where there is one of the same length; whether there was.
    fn join(&mut self, part: char) -> bool {
        let width = self.text.iter().rev().take_while(|byte| **byte & 0xc0 == 0x80).count() + 1;
        let Some(start) = self.text.len().checked_sub(width) else { return false };
        let before = std::str::from_utf8(&self.text[start..]).ok().and_then(|last| last.chars().next());
        match before.and_then(|before| compose(before, part)) {
            Some(whole) if whole.len_utf8() == width => {
                self.text.truncate(start);
                self.put(whole);
                true
            }
            _ => false,
        }
    }

    /// Takes an ASCII character that is no letter.
    fn ascii_mark(&mut self, byte: u8, last: Last) -> Last {
        match byte {
            b'0'..=b'9' => self.digit(last),
            b'.' | b',' if last == Last::Digit => Last::NumberPoint,
            _ => {
                self.close(last);
                Last::Space
            }
        }
    }

    fn digit(&mut self, last: Last) -> Last {
        match last {
            Last::Digit | Last::NumberPoint => {}
            Last::Space => {
                self.open();
                self.text.push(b'0');
            }
            Last::Letter => self.text.push(b'0'),
        }
        Last::Digit
    }

    /// Begins a word where a letter does.
    fn letter(&mut self, last: Last) {
        match last {
            Last::Space => self.open(),
            Last::NumberPoint => {
                self.close(last);
                self.open();
            }
            Last::Letter | Last::Digit => {}
        }
    }

    fn put(&mut self, character: char) {
        self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn open(&mut self) {
        if !self.text.is_empty() {
            self.text.push(b' ');
        }
    }

    /// Ends the word that is being written, if there is one.
    fn close(&mut self, last: Last) {
        if last != Last::Space {
            let end = u32::try_from(self.text.len()).expect("a document has less than 4 GiB of text");
            self.ends.push(end);
        }
    }
}

/// Characters of alphabets lie below this one: from here on come signs, ideographs and syllables.
const ALPHABETS: usize = 0x2000;

/// The letter that remains of a character, where that is one, whatever stands beside it.
fn folded(character: char) -> Option<char> {
    // for each character its letter, or 0
    static LETTERS: LazyLock<Vec<u16>> = LazyLock::new(|| {
        let letter = |character: u16| {
            let mut form = NormalForm::default();
            let is_letter = |character: char| character.is_alphabetic() && !is_combining_mark(character);
            let character = char::from_u32(character.into()).filter(|found| is_letter(*found))?;
            let last = form.taken_apart(character, Last::Space);
            let mut letters = form.text().chars();
            let letter = u16::try_from(u32::from(letters.next()?)).ok()?;
            (last == Last::Letter && letters.next().is_none() && !is_joined(character, last)).then_some(letter)
        };
        (0..=u16::MAX).take(ALPHABETS).map(|character| letter(character).unwrap_or_default()).collect()
    });
    match character {
        // syllables of Hangul stay whole
        '\u{ac00}'..='\u{d7a3}' => Some(character),
        _ => LETTERS
            .get(character as usize)
            .and_then(|letter| char::from_u32((*letter).into()))
            .filter(|found| *found != '\0'),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    fn normal(text: &str) -> NormalForm {
        let mut form = NormalForm::default();
        form.take(text);
        form
    }

    #[test]
    fn what_a_reader_does_not_see_is_gone() {
        assert_eq!(normal("  The\tEND --\n\n of: it. ").text(), "the end of it");
        assert_eq!(normal("In 1,234.50 or 7.").text(), "in 0 or 0");
        assert_eq!(normal("A4, 3D and x2y").text(), "a0 0d and x0y");
        assert_eq!(normal("3.b").text(), "0 b");
        assert_eq!(normal("ÉCOLE Straße naïve").text(), "ecole straße naive");
        assert_eq!(normal("日本 の本").text(), "日 本 の 本");
        assert_eq!(normal("!?...").text(), "");
    }

    /// Marks that carry letters stay, in every script that has such.
    #[test]
    fn letters_that_are_marks_stay() {
        let different = [
            ("कि", "के"),
            ("ক্ষ", "কষ"),
            ("காடு", "கடு"),
            ("กิน", "กัน"),
            ("ข่าว", "ข้าว"),
            ("ລິງ", "ລຸງ"),
            ("កិ", "កុ"),
            ("မိ", "မု"),
            ("עִם", "עַם"),
            ("كَتَبَ", "كُتِبَ"),
            ("мой", "мои"),
            ("їх", "іх"),
            ("カ", "ガ"),
            ("བོད", "བད"),
        ];
        for (one, other) in different {
            assert_ne!(normal(one).text(), normal(other).text());
        }
        for (one, other) in
            [("Ёлка за\u{301}мок", "елка замок"), ("Tiếng", "tieng"), ("ὁδός", "οδος"), ("co\u{ad}op\u{fe0f}", "coop")]
        {
            assert_eq!(normal(one).text(), normal(other).text());
        }
        assert_eq!(normal("❤\u{fe0f} 👩\u{200d}🔬").words(), 0);
    }

    #[test]
    fn words_are_where_they_end() {
        let form = normal("One two, extraordinarily long-winded.");
        let words: Vec<&[u8]> = form.each_word().collect();
        assert_eq!(words, [&b"one"[..], b"two", b"extraordinarily", b"long", b"winded"]);
    }

    proptest! {
        /// The normal form is its own normal form, and its words are what single spaces divide.
        #[test]
        fn it_is_stable(text in "[a-zA-Z0-9éßÅ日本語 .,;!\n-]{0,80}") {
            let once = normal(&text);
            let twice = normal(once.text());
            prop_assert_eq!(once.text(), twice.text());
            let words = once.text().split(' ').filter(|word| !word.is_empty()).count();
            prop_assert_eq!(once.words(), words);
            prop_assert_eq!(once.each_word().count(), words);
        }

        /// How a text was composed does not show.
        #[test]
        fn composition_does_not_show(
            text in "(e\u{301}?|ÉЁїй|и\u{306}?\u{301}?|कि?|क़्?|ড়|กุ?[่้]?|ש[\u{5c1}]?[\u{5bc}]?[\u{5b4}]?|ا\u{653}?\u{64e}?|ل\u{651}\u{650}|\
                     한|\u{1100}\u{1161}\u{11a8}?|か|ハ[\u{3099}\u{309a}]?|\u{f900}| |1,|๒){0,16}",
        ) {
            let (composed, taken_apart): (String, String) = (text.nfc().collect(), text.nfd().collect());
            let (composed, taken_apart) = (normal(&composed), normal(&taken_apart));
            prop_assert_eq!(composed.text(), taken_apart.text());
            prop_assert_eq!(&composed.ends, &taken_apart.ends);
        }
    }
}
