//! Rows with a prompt as pairs for a model with an encoder: it reads the prompt, and writes what follows on it.
//!
//! ```text
//! row      prompt "translate English to German: Good."    completion "Gut."
//! source   translate English to German: Good. </s>
//! target   Gut. </s>
//! ```
//!
//! - a source that is too long loses its end, as T5's do: what a prompt asks for stands at its beginning, in T5's prefixes
//! - a target is whole or not there: a row whose target is too long is left out, and so is one without a prompt or a completion
//!
//! All of this is counted, and shown before a training starts.
//!
//! Source: Raffel et al. 2020, section 2.4 (prefixes) and 3.1.2 (sequences of 512 ids).

use super::{Pair, by_length::Lengths, pair_stats::PairStats, tokens::Tokens, weighted::Countable};
use crate::error::Result;

/// The pairs of a source. Ids stay on disk; 4 bytes are held of each pair, and 24 of each row.
#[derive(Debug)]
pub struct Pairs {
    tokens: Tokens,
    /// The numbers of the rows that are pairs.
    rows: Vec<u32>,
    /// Ids of a source at most, its end among them.
    longest_source: usize,
    end: u32,
    stats: PairStats,
}

impl Pairs {
    /// - `longest`: ids of a source, and of a target, at most, the end of each among them; 2 or more
    /// - `end`: stands at the end of every source, as it does in `tokens` at the end of every row
    pub(super) fn new(tokens: Tokens, [longest_source, longest_target]: [usize; 2], end: u32) -> Self {
        let mut stats = PairStats { rows: tokens.documents() as u64, ..PairStats::default() };
        let mut rows = Vec::new();
        for (row, (length, prompt)) in (0u32..).zip(tokens.lengths()) {
            let (source, target) = (prompt + 1, length - prompt);
            if prompt == 0 {
                stats.without_prompt += 1;
            } else if target <= 1 {
                stats.without_completion += 1;
            } else if target > longest_target as u64 {
                stats.long_targets += 1;
            } else {
                let too_many = source.saturating_sub(longest_source as u64);
                stats.pairs += 1;
                stats.source_tokens += source - too_many;
                stats.target_tokens += target;
                stats.truncated_sources += u64::from(too_many > 0);
                stats.dropped_tokens += too_many;
                rows.push(row);
            }
        }
        rows.shrink_to_fit();
        Self { tokens, rows, longest_source, end, stats }
    }

    /// What the pairs hold, and what they leave out.
    #[must_use]
    pub fn stats(&self) -> PairStats {
        self.stats
    }

    fn row(&self, number: u64) -> usize {
        self.rows[usize::try_from(number).expect("rows are in memory")] as usize
    }

    /// A pair by its number.
    ///
    /// # Errors
    /// When the ids cannot be read.
    pub fn pair(&self, number: u64) -> Result<Pair> {
        let [mut source, target] = self.tokens.prompt_and_rest(self.row(number), self.longest_source - 1)?;
        source.push(self.end);
        Ok(Pair { source, target })
    }
}

impl Countable for Pairs {
    fn count(&self) -> u64 {
        self.stats.pairs
    }
}

impl Lengths for Pairs {
    /// All ids of a pair, what of its source is cut among them.
    fn length(&self, number: u64) -> u64 {
        self.tokens.length(self.row(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::RowsAs;
    use crate::data::token_file::{Made, TokenFile, TokenFileWriter};

    const END: u32 = 1;

    /// A source loses its end, a target nothing; what is no pair is left out and counted, and numbers pass over it.
    #[test]
    fn sources_are_cut_and_targets_are_not() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("rows");
        let made = Made { tokenizer: String::new(), source: String::new() };
        let mut writer = TokenFileWriter::create(&path, 100)?;
        let rows: [(&[u32], &[u32]); 6] = [
            (&[2, 3], &[4]),
            (&[], &[5]),
            (&[6, 7, 8, 9, 10], &[11, 12, 13]),
            (&[14], &[]),
            (&[15], &[16, 17, 18, 19]),
            (&[20, 21, 22], &[23]),
        ];
        for (prompt, completion) in rows {
            writer.push(&[prompt, completion, &[END]].concat(), prompt.len(), 0)?;
        }
        writer.finish(made.clone(), 0)?;
        let pairs = Pairs::new(Tokens::new(&[TokenFile::open(&path, &made)?], None, 0, RowsAs::Documents), [4, 4], END);
        let found: Vec<Pair> = (0..pairs.count()).map(|number| pairs.pair(number)).collect::<Result<_>>()?;
        let pair = |source: &[u32], target: &[u32]| Pair { source: source.to_vec(), target: target.to_vec() };
        assert_eq!(
            found,
            [
                pair(&[2, 3, END], &[4, END]),
                pair(&[6, 7, 8, END], &[11, 12, 13, END]),
                pair(&[20, 21, 22, END], &[23, END]),
            ]
        );
        let expected = "6 rows, 3 pairs with 11 tokens to read and 8 to write; 1 sources are too long, and lose 2 tokens at their ends; left \
                        out are 1 rows without a prompt, 1 without a completion, 1 with a completion that is too long";
        assert_eq!(pairs.stats().to_string(), expected);
        Ok(())
    }
}
