//! The words that the draws of a model are hashed from.
//!
//! A seed and a word give the same numbers for good. So these are the names that the parts had at first, whatever they are called by now.

/// Dropout behind attention.
pub const ATTENTION: &str = "attention";
/// Dropout behind cross-attention.
pub const CROSS_ATTENTION: &str = "across";
/// Dropout behind the feed-forward layers.
pub const FEED_FORWARD: &str = "neurons";
/// Dropout of the weights of attention.
pub const ATTENTION_WEIGHTS: &str = "attention weights";
/// Dropout of the weights of cross-attention.
pub const CROSS_ATTENTION_WEIGHTS: &str = "cross-attention weights";
/// Dropout between the feed-forward layers.
pub const FEED_FORWARD_INSIDE: &str = "inside feed-forward";
/// Dropout of what a stack gives.
pub const STACK: &str = "stack";
/// Dropout of the embeddings.
pub const EMBEDDING: &str = "embedding";
/// Dropout of an encoder's embeddings.
pub const ENCODER_EMBEDDING: &str = "read";
/// Dropout of its decoder's embeddings.
pub const DECODER_EMBEDDING: &str = "written";

/// Dropout in front of the adapters of attention's queries, keys and values.
pub const ATTENTION_INPUT: &str = "adapters of attention.input";
/// The same of attention's output.
pub const ATTENTION_OUTPUT: &str = "adapters of attention.output";
/// The same of the first feed-forward layer, with its gate.
pub const FEED_FORWARD_UP: &str = "adapters of feed_forward.up";
/// The same of the second.
pub const FEED_FORWARD_DOWN: &str = "adapters of feed_forward.down";

/// For the initial weights of a parameter.
pub fn of_weights(parameter: &str) -> String {
    parameter.replace("feed_forward", FEED_FORWARD).replace("cross_attention", CROSS_ATTENTION)
}
