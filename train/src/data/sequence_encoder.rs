//! Sequences that a head reads, as ids: marks are single tokens, and what is too long for the model is cut.
//!
//! A sequence that is longer than the context loses tokens at the end of its longest text, again and again until it fits, so that of two
//! texts each keeps what fits in half, and all of one that is shorter; its marks stay, the last of which is where the head reads.
//!
//! Source: Radford et al. 2018 (GPT-1) for the marks; their code cuts each of two texts to half of the context.

use schemas::prompt::{DELIMITER, EXTRACT, START};

use crate::{
    error::Result,
    tokenizer::{Marks, Piece, Tokenizer},
};

/// Turns sequences into ids.
#[derive(Debug)]
pub struct SequenceEncoder<'t> {
    tokenizer: &'t Tokenizer,
    marks: Marks,
    context_length: usize,
}

/// What was cut off sequences that are longer than the context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cut {
    /// Sequences.
    pub sequences: u64,
    /// Tokens of theirs.
    pub tokens: u64,
}

/// The ids of a sequence, with how many tokens were cut off it; or what is wrong with it, in words.
pub type Encoded = Result<(Vec<u32>, usize), String>;

impl<'t> SequenceEncoder<'t> {
    /// The marks, in the order in which a tokenizer without them is given them.
    pub const MARKS: [&'static str; 3] = [START, DELIMITER, EXTRACT];

    /// For a model that reads `context_length` tokens.
    ///
    /// # Errors
    /// When the tokenizer does not have the marks.
    pub fn new(tokenizer: &'t Tokenizer, context_length: usize) -> Result<Self> {
        Ok(Self { tokenizer, marks: tokenizer.marks(&Self::MARKS)?, context_length })
    }

    /// The most tokens of a sequence.
    #[must_use]
    pub fn context_length(&self) -> usize {
        self.context_length
    }

    /// What stands behind the ids of shorter sequences in a batch.
    #[must_use]
    pub fn padding(&self) -> u32 {
        self.tokenizer.padding()
    }

    /// The ids of each sequence, or what is wrong with it.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn encode(&self, sequences: &[&str]) -> Result<Vec<Encoded>> {
        let pieces = self.tokenizer.encode_marked(&self.marks, sequences)?;
        let encode = |(text, pieces): (&&str, Vec<Piece>)| {
            if !text.ends_with(EXTRACT) {
                return Err(format!("it does not end with `{EXTRACT}`, at which the head reads"));
            }
            cut(pieces, self.context_length)
        };
        Ok(sequences.iter().zip(pieces).map(encode).collect())
    }
}

/// The ids of some pieces, at most so many, and how many were cut off.
fn cut(mut pieces: Vec<Piece>, most: usize) -> Result<(Vec<u32>, usize), String> {
    let marks = pieces.iter().filter(|piece| matches!(piece, Piece::Mark(_))).count();
    let mut lengths: Vec<usize> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Text(ids) => Some(ids.len()),
            Piece::Mark(_) => None,
        })
        .collect();
    let all = marks + lengths.iter().sum::<usize>();
    let Some(room) = most.checked_sub(marks) else {
        return Err(format!("its {marks} marks alone are more than the {most} tokens that the model reads"));
    };
    let excess = all.saturating_sub(most);
    if excess > 0 {
        shorten(&mut lengths, room);
        let mut lengths = lengths.into_iter();
        for piece in &mut pieces {
            if let Piece::Text(ids) = piece {
                ids.truncate(lengths.next().unwrap_or(0));
            }
        }
    }
    let ids = pieces.into_iter().flat_map(|piece| match piece {
        Piece::Mark(id) => vec![id],
        Piece::Text(ids) => ids,
    });
    Ok((ids.collect(), excess))
}

/// Shortens the longest again and again until the sum is `room`; of several that are longest, the last.
fn shorten(lengths: &mut [usize], room: usize) {
    while lengths.iter().sum::<usize>() > room {
        let longest = (0..lengths.len()).max_by_key(|place| lengths[*place]).expect("there is something to cut");
        let second = (0..lengths.len()).filter(|place| *place != longest).map(|place| lengths[place]).max();
        // at once as far as it stays one of the longest
        let excess = lengths.iter().sum::<usize>() - room;
        let step = (lengths[longest] - second.unwrap_or(0)).max(1);
        lengths[longest] -= step.min(excess);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_text_is_cut_and_marks_stay() {
        let pieces = |one: u32, other: u32| {
            vec![
                Piece::Mark(100),
                Piece::Text((0..one).collect()),
                Piece::Mark(101),
                Piece::Text((50..50 + other).collect()),
                Piece::Mark(102),
            ]
        };
        let of = |one, other, most| cut(pieces(one, other), most);
        assert_eq!(of(2, 2, 7), Ok((vec![100, 0, 1, 101, 50, 51, 102], 0)));
        assert_eq!(of(6, 2, 7), Ok((vec![100, 0, 1, 101, 50, 51, 102], 4)), "the shorter one stays whole");
        assert_eq!(of(6, 9, 7), Ok((vec![100, 0, 1, 101, 50, 51, 102], 11)), "both are cut to half");
        assert_eq!(of(1, 1, 3), Ok((vec![100, 101, 102], 2)));
        let fault = of(1, 1, 2).expect_err("there is no room");
        assert_eq!(fault, "its 3 marks alone are more than the 2 tokens that the model reads");
    }

    proptest! {
        /// It is what one token at a time would give.
        #[test]
        fn shortening_is_a_token_at_a_time(mut lengths in proptest::collection::vec(0usize..40, 1..5), share in 0.0f64..1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a small count")]
            let room = (share * lengths.iter().sum::<usize>() as f64) as usize;
            let mut slow = lengths.clone();
            while slow.iter().sum::<usize>() > room {
                let longest = (0..slow.len()).max_by_key(|place| slow[*place]).expect("there is one");
                slow[longest] -= 1;
            }
            shorten(&mut lengths, room);
            prop_assert_eq!(lengths.iter().sum::<usize>(), room);
            lengths.sort_unstable();
            slow.sort_unstable();
            prop_assert_eq!(lengths, slow);
        }
    }
}
