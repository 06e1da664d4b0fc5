//! How two texts differ, word by word.
//!
//! Useful for: two short texts that are nearly the same. Not useful for: whole documents; the cost grows with the product of what differs.
//!
//! Source: the longest common subsequence, by the table of Wagner and Fischer 1974, between what both begin and end with.

/// Words of either text in the part that is compared by the table, at most.
const MOST_WORDS: usize = 600;

/// A piece of one text or of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// What stands in both.
    Same(String),
    /// What the first alone has.
    First(String),
    /// What the second alone has.
    Second(String),
}

/// The pieces of two texts, in their order. Words are what stands between white space; what lies behind [`MOST_WORDS`] that differ
/// is not compared.
pub fn differences(first: &str, second: &str) -> Vec<Piece> {
    let (first, second): (Vec<&str>, Vec<&str>) =
        (first.split_whitespace().collect(), second.split_whitespace().collect());
    let begin = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
    let rest = first.len().min(second.len()) - begin;
    let end = first.iter().rev().zip(second.iter().rev()).take(rest).take_while(|(one, other)| one == other).count();
    let middle = |words: &[&'_ str]| -> usize { (words.len() - end).min(begin + MOST_WORDS) };
    let (one, other) = (&first[begin..middle(&first)], &second[begin..middle(&second)]);
    let mut pieces = Pieces::default();
    first[..begin].iter().for_each(|word| pieces.push(Piece::Same, word));
    between(one, other, &mut pieces);
    if begin + one.len() + end == first.len() && begin + other.len() + end == second.len() {
        first[first.len() - end..].iter().for_each(|word| pieces.push(Piece::Same, word));
    }
    pieces.0
}

/// Pieces, of which neighbours of one kind are one.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn push(&mut self, kind: fn(String) -> Piece, word: &str) {
        let new = kind(word.to_owned());
        match (self.0.last_mut(), &new) {
            (Some(Piece::Same(words)), Piece::Same(_))
            | (Some(Piece::First(words)), Piece::First(_))
            | (Some(Piece::Second(words)), Piece::Second(_)) => {
                words.push(' ');
                words.push_str(word);
            }
            _ => self.0.push(new),
        }
    }
}

/// The pieces of what lies between a common beginning and a common end.
fn between(first: &[&str], second: &[&str], pieces: &mut Pieces) {
    // common[i][j]: the most words that `first[i..]` and `second[j..]` have in common, in order
    let width = second.len() + 1;
    let mut common = vec![0u16; (first.len() + 1) * width];
    for i in (0..first.len()).rev() {
        for j in (0..second.len()).rev() {
            common[i * width + j] = if first[i] == second[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < first.len() && j < second.len() {
        if first[i] == second[j] {
            pieces.push(Piece::Same, first[i]);
            (i, j) = (i + 1, j + 1);
        } else if common[(i + 1) * width + j] >= common[i * width + j + 1] {
            pieces.push(Piece::First, first[i]);
            i += 1;
        } else {
            pieces.push(Piece::Second, second[j]);
            j += 1;
        }
    }
    first[i..].iter().for_each(|word| pieces.push(Piece::First, word));
    second[j..].iter().for_each(|word| pieces.push(Piece::Second, word));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(words: &str) -> Piece {
        Piece::Same(words.to_owned())
    }

    #[test]
    fn a_word_that_was_exchanged_stands_between_what_is_the_same() {
        let pieces = differences("the cat sat  on the mat", "the dog sat on the mat, too");
        let expected = [
            same("the"),
            Piece::First("cat".into()),
            Piece::Second("dog".into()),
            same("sat on the"),
            Piece::First("mat".into()),
            Piece::Second("mat, too".into()),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(differences("a b", " a\nb"), [same("a b")]);
        assert_eq!(differences("", ""), []);
    }

    proptest! {
        /// Each text can be put together again from its pieces.
        #[test]
        fn nothing_is_lost(first in "[ab ]{0,40}", second in "[ab ]{0,40}") {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for piece in differences(&first, &second) {
                match piece {
                    Piece::Same(words) => { one.push(words.clone()); other.push(words); }
                    Piece::First(words) => one.push(words),
                    Piece::Second(words) => other.push(words),
                }
            }
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!((one.join(" "), other.join(" ")), (words(&first), words(&second)));
        }
    }
}
