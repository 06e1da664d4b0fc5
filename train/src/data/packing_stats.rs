//! What the sequences of a source hold, and what they leave out.

use std::fmt;

/// What the sequences of a source hold, and what they leave out. Shown before a training starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackingStats {
    /// Documents that are taken.
    pub documents: u64,
    /// Their tokens, the end of each document among them.
    pub tokens: u64,
    /// Sequences.
    pub sequences: u64,
    /// Tokens of a sequence, padding among them.
    pub sequence_length: u64,
    /// Tokens in sequences, without padding.
    pub packed_tokens: u64,
    /// Those of them that the loss is taken on.
    pub loss_tokens: u64,
    /// Best fit: documents longer than a sequence, which are split.
    pub split_documents: u64,
    /// Best fit: prompts that lose their beginning, since they and their completion are longer than a sequence.
    pub truncated_prompts: u64,
    /// Concatenated: sequences that lie within a prompt, and are left out.
    pub dropped_sequences: u64,
    /// Tokens of prompts that are left out by either.
    pub dropped_tokens: u64,
    /// Best fit: tokens without loss that would fill a sequence of a document that is split, and are left out.
    pub quiet_tokens: u64,
    /// Examples that are skipped, since their completion is empty.
    pub empty_completions: u64,
    /// Conversations that are skipped, since the assistant says nothing in them, or only what the chat template cannot ask for.
    pub without_answer: u64,
    /// Conversations whose first turn is the assistant's, and read alone, since the chat template asks for none there.
    pub begun_unasked: u64,
    /// Concatenated: tokens at the end that fill no sequence.
    pub remainder: u64,
}

impl PackingStats {
    /// The share of positions that are padding, in `0.0..1.0`; 0 without sequences.
    #[must_use]
    pub fn padding(&self) -> f64 {
        let positions = self.sequences * self.sequence_length;
        (positions - self.packed_tokens) as f64 / positions.max(1) as f64
    }

    /// The share of all tokens that the loss is taken on, in `0.0..=1.0`; 0 without tokens.
    #[must_use]
    pub fn loss_share(&self) -> f64 {
        self.loss_tokens as f64 / self.tokens.max(1) as f64
    }
}

impl fmt::Display for PackingStats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { documents, tokens, sequences, loss_tokens, truncated_prompts, dropped_tokens, .. } = self;
        let [padding, share] = [self.padding(), self.loss_share()].map(|share| 100.0 * share);
        write!(formatter, "{documents} documents, {tokens} tokens, {sequences} sequences, {padding:.1} % padding")?;
        write!(formatter, "; loss on {loss_tokens} tokens, {share:.1} %")?;
        if *truncated_prompts > 0 {
            write!(
                formatter,
                "; {truncated_prompts} prompts are too long, and lose {dropped_tokens} tokens at their beginnings"
            )?;
        }
        if self.dropped_sequences > 0 {
            let dropped = self.dropped_sequences;
            write!(formatter, "; {dropped} sequences within a prompt are left out, {dropped_tokens} tokens")?;
        }
        if self.quiet_tokens > 0 {
            write!(
                formatter,
                "; {} tokens of long conversations are in no sequence with loss, and left out",
                self.quiet_tokens
            )?;
        }
        let skipped = [
            (self.empty_completions, "examples with an empty completion"),
            (self.without_answer, "conversations without an answer"),
        ];
        for (count, what) in skipped {
            if count > 0 {
                write!(formatter, "; {count} {what} are skipped")?;
            }
        }
        if self.begun_unasked > 0 {
            write!(
                formatter,
                "; {} conversations begin with an answer that the chat template cannot ask for, which is read and not learnt",
                self.begun_unasked
            )?;
        }
        if self.split_documents > 0 {
            write!(formatter, "; {} documents are longer than a sequence, and split", self.split_documents)?;
        }
        if self.remainder > 0 {
            write!(formatter, "; {} tokens at the end fill no sequence", self.remainder)?;
        }
        Ok(())
    }
}
