//! A model in the words of Hugging Face: other names, other orders of numbers, the same logits.
//!
//! ```text
//! config.json  -> keys -> configuration -> ModelConfig
//! tensors      -> layout -> import      -> parameters
//! parameters   -> layout -> export      -> config.json, tensors
//! adapters    <-> layout, peft          <-> adapter_config.json, tensors
//! ```
//!
//! What is the same for all families is here; the names of each family stand in `model/family`.
//!
//! A key of a configuration that changes what a model computes is read or refused, and one that nobody knows is named; so is a tensor that
//! is not of the model. Numbers are read a parameter at a time, when they are asked for. What a missing key stands for is the format's own, in a table of each family.

mod configuration;
#[cfg(test)]
mod examples;
mod export;
pub(super) mod format;
mod import;
pub(super) mod keys;
pub(super) mod layout;
mod peft;
pub(super) mod rotary;

pub use self::{
    export::{SpecialTokens, end_is_unknown, export},
    import::{Imported, import},
    layout::TensorSource,
    peft::{PeftAdapter, read_adapter, write_adapter},
};
