//! Our model as a `config.json` and tensors.

use serde_json::{Map, Value, json};

use super::layout::written;
use crate::model::{Architecture, Family, NamedTensor};

/// The special tokens that a configuration names.
#[derive(Debug, Clone, Copy)]
pub struct SpecialTokens<'e> {
    /// The beginning-of-text token.
    pub bos: u32,
    /// The end-of-text tokens, one at least.
    pub eos: &'e [u32],
    /// The padding, with which the decoder of a model with an encoder begins, too.
    pub pad: u32,
}

/// A model's `config.json` and tensors for Hugging Face.
///
/// - `family`: whose names it bears there
///
/// # Errors
/// When the family has no counterpart there.
pub fn export(
    family: Family,
    architecture: &Architecture,
    named: &[NamedTensor],
    special: SpecialTokens<'_>,
) -> Result<(Value, Vec<NamedTensor>), String> {
    let format = family.huggingface();
    let mut parts = (format.write)(architecture)?;
    let vocab_size = named.iter().find(|named| named.name == "tokens").map_or(0, |table| table.shape[0]);
    let eos = if let [eos] = special.eos { json!(eos) } else { json!(special.eos) };
    parts.push(json!({
        "model_type": format.model_type, "architectures": [format.class],
        "vocab_size": vocab_size, "bos_token_id": special.bos, "eos_token_id": eos, "tie_word_embeddings": architecture.tie_embeddings,
        "initializer_range": 0.02, "torch_dtype": "float32",
    }));
    if architecture.has_encoder() {
        parts.push(json!({"pad_token_id": special.pad, "decoder_start_token_id": special.pad}));
    }
    let mut config = Map::new();
    for part in parts {
        if let Value::Object(entries) = part {
            config.extend(entries);
        }
    }
    Ok((Value::Object(config), written(format.all_mappings(architecture, vocab_size), named)?))
}

/// Whether folders of a family, as those of the hub do, name the end of a text for what is unknown, where a tokenizer has no token for that.
#[must_use]
pub fn end_is_unknown(family: Family) -> bool {
    family.huggingface().end_is_unknown
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::{
        ModelConfig,
        huggingface::{examples, import},
        named_parameters,
    };

    /// A sliding window as long as the context is none; a shorter one has no counterpart.
    #[test]
    fn only_a_gpt3_without_short_windows_is_exported() {
        let windowed = |tokens| {
            let config = ModelConfig { sliding_window: Some(tokens), ..examples::config(Family::Gpt3) };
            config.architecture().expect("the numbers fit together")
        };
        let model = named_parameters(&windowed(6).init(11, 1, &Device::flex()));
        let of = |tokens| export(Family::Gpt3, &windowed(tokens), &model, examples::SPECIAL);
        let (config, _) = of(6).expect("it computes what GPT-2 computes");
        assert_eq!(config["model_type"], "gpt2");
        let fault = of(5).expect_err("it does not");
        assert!(fault.contains("`sliding_window` of 5"), "{fault}");
    }

    /// The layouts of GPTs have no heads that share keys.
    #[test]
    fn grouped_queries_are_no_gpts() {
        for family in [Family::Gpt1, Family::Gpt2] {
            let config = ModelConfig { num_kv_heads: Some(2), ..examples::config(family) };
            let architecture = config.architecture().expect("the numbers fit together");
            let model = named_parameters(&architecture.init(11, 1, &Device::flex()));
            let fault = export(family, &architecture, &model, examples::SPECIAL).expect_err("it has no counterpart");
            assert!(fault.contains("2 heads of keys and values to 4 of queries"), "{fault}");
        }
    }

    /// The base of rotary positions is written at two places, and none is taken for a key that nobody reads.
    #[test]
    fn what_is_exported_is_known() {
        let config = ModelConfig { rope_scaling: None, ..examples::config(Family::Llama) };
        let architecture = config.architecture().expect("the numbers fit together");
        let model = named_parameters(&architecture.init(11, 1, &Device::flex()));
        let (config, theirs) = export(Family::Llama, &architecture, &model, examples::SPECIAL).expect("it has one");
        let read = import(&config, &examples::Folder::of(theirs)).expect("it was exported");
        assert_eq!(read.notes, [""; 0]);
    }

    /// The biases of queries, keys and values stand each for themselves, and there are no others.
    #[test]
    fn a_qwen2_has_the_biases_of_its_format() {
        let (ours, config, theirs) = examples::exported(Family::Qwen2);
        assert_eq!(config["architectures"], json!(["Qwen2ForCausalLM"]));
        assert_eq!([&config["attention_bias"], &config["mlp_bias"]], [&Value::Null; 2]);
        let biases: Vec<&str> =
            theirs.weights.keys().map(String::as_str).filter(|name| name.ends_with("bias")).collect();
        let of = |layer: u8, name: &str| format!("model.layers.{layer}.self_attn.{name}_proj.bias");
        assert_eq!(biases, [of(0, "k"), of(0, "q"), of(0, "v"), of(1, "k"), of(1, "q"), of(1, "v")]);
        let input = ours.iter().find(|named| named.name == "blocks.1.attention.input.bias").expect("it has biases");
        assert_eq!(["q", "k", "v"].map(|name| theirs.weights[&of(1, name)].values.clone()).concat(), input.values);
    }
}
