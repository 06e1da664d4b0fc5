//! A `config.json` of which no key is passed over.
//!
//! A key changes what a model computes, or it does not: those that do are read or refused by their family, those that do not stand in a list,
//! and what is left is named.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Map, Value};

/// The keys of a configuration, and which of them were read.
pub struct Keys<'c> {
    config: &'c Map<String, Value>,
    /// What the format has where a key is missing or null.
    defaults: Value,
    read: RefCell<BTreeSet<String>>,
}

impl<'c> Keys<'c> {
    /// - `defaults`: an object with the format's own values
    pub fn new(config: &'c Map<String, Value>, defaults: Value) -> Self {
        Self { config, defaults, read: RefCell::default() }
    }

    /// The value of a key, or the format's.
    pub fn value(&self, name: &str) -> &Value {
        self.read.borrow_mut().insert(name.to_owned());
        self.written(name).unwrap_or(&self.defaults[name])
    }

    /// The value of a key that is there and not null.
    fn written(&self, name: &str) -> Option<&'c Value> {
        self.config.get(name).filter(|value| !value.is_null())
    }

    pub fn count(&self, name: &str) -> Result<usize, String> {
        self.optional_count(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    /// A count under either of two names.
    pub fn count_as(&self, name: &str, other: &str) -> Result<usize, String> {
        match (self.written(name), self.written(other)) {
            (Some(one), Some(another)) if one != another => {
                Err(format!("`{name}` is {one} and `{other}` is {another}, which are two names of one number"))
            }
            (None, Some(_)) => self.count(other),
            _ => {
                self.value(other);
                self.count(name)
            }
        }
    }

    /// A count that may be missing.
    pub fn optional_count(&self, name: &str) -> Result<Option<usize>, String> {
        match self.value(name) {
            Value::Null => Ok(None),
            value => {
                let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
                count.map(Some).ok_or_else(|| format!("`{name}` is {value}, and no whole number"))
            }
        }
    }

    pub fn number(&self, name: &str) -> Result<f64, String> {
        let value = self.value(name);
        value.as_f64().ok_or_else(|| format!("`{name}` is {value}, and no number"))
    }

    pub fn flag(&self, name: &str) -> Result<bool, String> {
        let value = self.value(name);
        value.as_bool().ok_or_else(|| format!("`{name}` is {value}, and neither true nor false"))
    }

    /// Makes sure that a key has one of some values, the only ones that can be computed.
    pub fn only(&self, name: &str, computed: &[Value]) -> Result<(), String> {
        let value = self.value(name);
        if computed.contains(value) {
            return Ok(());
        }
        let computed: Vec<String> = computed.iter().map(Value::to_string).collect();
        Err(format!("`{name}` is {value}; only {} can be computed", computed.join(" or ")))
    }

    /// Makes sure that a key is missing, null, false or empty: whatever it asks for cannot be computed.
    pub fn without(&self, name: &str) -> Result<(), String> {
        let empty = match self.value(name) {
            Value::Null | Value::Bool(false) => true,
            Value::Array(entries) => entries.is_empty(),
            Value::Object(entries) => entries.is_empty(),
            _ => false,
        };
        if empty { Ok(()) } else { Err(format!("`{name}` is {}, which cannot be computed", self.value(name))) }
    }

    /// The keys that were neither read nor stand in the lists of those that change nothing.
    pub fn unknown(&self, harmless: &[&[&str]]) -> Vec<String> {
        let read = self.read.borrow();
        let is_known = |name: &str| read.contains(name) || harmless.iter().any(|names| names.contains(&name));
        self.config.keys().filter(|name| !is_known(name)).cloned().collect()
    }
}

/// What every configuration of `transformers` may have and no logit depends on: where it comes from, how it is run, trained, asked and
/// sampled.
///
/// Source: `PreTrainedConfig` of transformers 5.24.0, and what versions 2 to 4 wrote besides.
#[rustfmt::skip]
pub(super) const HARMLESS: &[&str] = &[
    "architectures", "model_type", "transformers_version", "torch_dtype", "dtype", "_name_or_path", "name_or_path", "_commit_hash",
    "use_cache", "output_attentions", "output_hidden_states", "output_past", "return_dict", "torchscript", "use_bfloat16", "tf_legacy_loss",
    "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "gradient_checkpointing", "initializer_range",
    "is_decoder", "problem_type", "id2label", "label2id", "num_labels", "finetuning_task", "task_specific_params", "tokenizer_class", "prefix",
    "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "unk_token_id", "decoder_start_token_id",
    "chunk_size_feed_forward",
    "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k",
    "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
    "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id",
    "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
];

/// What every configuration may ask for and no family here computes.
pub(super) const REFUSED: &[&str] = &[
    "quantization_config",
    "is_encoder_decoder",
    "add_cross_attention",
    "cross_attention_hidden_size",
    "pruned_heads",
    "per_layer_config",
];
