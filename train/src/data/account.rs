//! What stands in the rows of a source, and what does not.

use std::fmt;

/// What stands in the rows of a source, and what does not. Shown as what one should know before a training starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowsAccount {
    /// Documents.
    pub documents: u64,
    /// Their tokens, each document's end among them.
    pub tokens: u64,
    /// Rows.
    pub rows: u64,
    /// Tokens in a row, padding among them.
    pub time: u64,
    /// Tokens in rows, without padding.
    pub in_rows: u64,
    /// Those of them whose loss counts.
    pub counted: u64,
    /// Best fit: documents that are longer than a row, and come into several.
    pub divided: u64,
    /// Best fit: prompts whose beginning is left out, since they and their completion are longer than a row.
    pub prompts_cut: u64,
    /// Concatenated: rows that lie within a prompt, and are left out.
    pub rows_left_out: u64,
    /// Tokens of prompts that are left out so.
    pub prompt_tokens: u64,
    /// Concatenated: tokens at the end that fill no row.
    pub rest: u64,
}

impl RowsAccount {
    /// The share of positions that are padding, in `0.0..1.0`; 0 without rows.
    #[must_use]
    pub fn padding(&self) -> f64 {
        let positions = self.rows * self.time;
        (positions - self.in_rows) as f64 / positions.max(1) as f64
    }

    /// The share of all tokens whose loss counts, in `0.0..=1.0`; 0 without tokens.
    #[must_use]
    pub fn counted_share(&self) -> f64 {
        self.counted as f64 / self.tokens.max(1) as f64
    }
}

impl fmt::Display for RowsAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { documents, tokens, rows, counted, divided, prompts_cut, rows_left_out, prompt_tokens, rest, .. } =
            self;
        let [padding, share] = [self.padding(), self.counted_share()].map(|share| 100.0 * share);
        write!(formatter, "{documents} documents, {tokens} tokens, {rows} rows, {padding:.1} % padding")?;
        write!(formatter, "; the loss counts on {counted} tokens, {share:.1} %")?;
        if *prompts_cut > 0 {
            write!(
                formatter,
                "; {prompts_cut} prompts are too long, and {prompt_tokens} tokens at their beginnings left out"
            )?;
        }
        if *rows_left_out > 0 {
            write!(formatter, "; {rows_left_out} rows of nothing but a prompt are left out, {prompt_tokens} tokens")?;
        }
        if *divided > 0 {
            write!(formatter, "; {divided} documents are longer than a row, and cut into several")?;
        }
        if *rest > 0 {
            write!(formatter, "; {rest} tokens at the end fill no row")?;
        }
        Ok(())
    }
}
