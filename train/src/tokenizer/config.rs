//! What of a tokenizer its files leave open.

/// How documents become ids, where the tokenizer's files leave it open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenizerConfig {
    /// The token that ends a document, such as `</s>`; none for the one that the files beside the tokenizer name, else `<|endoftext|>`.
    pub end_of_text: Option<String>,
    /// Special tokens that stand in a document, such as `<|endoftext|>`, are those tokens, and not the letters that they are written with.
    pub special_tokens_in_text: bool,
}
