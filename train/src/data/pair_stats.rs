//! What the pairs of a source hold, and what they leave out.

use std::fmt;

/// What the pairs of a source hold, and what they leave out. Shown before a training starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairStats {
    /// Rows.
    pub rows: u64,
    /// Pairs that they became.
    pub pairs: u64,
    /// Tokens of the pairs' sources, the end of each among them.
    pub source_tokens: u64,
    /// Tokens of their targets, the end of each among them: those that the loss is taken on.
    pub target_tokens: u64,
    /// Sources that lose their ends, since they are too long.
    pub truncated_sources: u64,
    /// Tokens that these lose.
    pub dropped_tokens: u64,
    /// Rows without a prompt, which are left out.
    pub without_prompt: u64,
    /// Rows with a prompt and without a completion, which are left out.
    pub without_completion: u64,
    /// Rows whose target is too long, which are left out.
    pub long_targets: u64,
}

impl fmt::Display for PairStats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, pairs, source_tokens, target_tokens, truncated_sources, dropped_tokens, .. } = self;
        write!(
            formatter,
            "{rows} rows, {pairs} pairs with {source_tokens} tokens to read and {target_tokens} to write"
        )?;
        if *truncated_sources > 0 {
            write!(
                formatter,
                "; {truncated_sources} sources are too long, and lose {dropped_tokens} tokens at their ends"
            )?;
        }
        let left_out = [
            (self.without_prompt, "without a prompt"),
            (self.without_completion, "without a completion"),
            (self.long_targets, "with a completion that is too long"),
        ];
        let mut before = "; left out are";
        let mut rows = " rows";
        for (count, why) in left_out.into_iter().filter(|(count, _)| *count > 0) {
            write!(formatter, "{before} {count}{rows} {why}")?;
            (before, rows) = (",", "");
        }
        Ok(())
    }
}
