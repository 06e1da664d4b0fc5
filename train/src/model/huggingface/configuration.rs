//! A `config.json` as a configuration of ours.

use serde_json::{Map, Value};

use super::{
    format::{Described, Format},
    keys::{HARMLESS, Keys, REFUSED},
};
use crate::model::{Activation, Family, ModelConfig};

/// A `config.json` that was read.
#[derive(Debug)]
pub(super) struct Configuration {
    pub config: ModelConfig,
    /// Whose names the folder has.
    pub format: &'static Format,
    /// Keys that nobody knows.
    pub unknown: Vec<String>,
}

/// The model that a `config.json` of Hugging Face describes.
///
/// # Errors
/// When the model is of another kind, or computes what models do not compute here: what, in words.
pub(super) fn read(config: &Map<String, Value>) -> Result<Configuration, String> {
    let kind = config.get("model_type").and_then(Value::as_str).ok_or("`model_type` is missing")?;
    let format = of_kind(kind, None)?.huggingface();
    let keys = Keys::new(config, (format.defaults)());
    REFUSED.iter().filter(|name| !format.computed.contains(name)).try_for_each(|name| keys.without(name))?;
    let described = (format.read)(&keys)?;
    keys.optional_count("vocab_size")?;
    let family = of_kind(kind, described.feed_forward)?;
    let unknown = keys.unknown(&[HARMLESS, format.harmless]);
    Ok(Configuration { config: named(family, &described), format, unknown })
}

/// The family that has a `model_type`, and an activation if that is known: where several do, the first.
fn of_kind(kind: &str, feed_forward: Option<Activation>) -> Result<Family, String> {
    let has = |family: &Family| feed_forward.is_none_or(|activation| family.parts().feed_forward == activation);
    let kind_of = |family: &Family| family.huggingface().model_type;
    if let Some(family) = Family::ALL.iter().find(|family| kind_of(family) == kind && has(family)) {
        return Ok(*family);
    }
    let mut kinds: Vec<String> = Vec::new();
    // the usual one first, and each once
    for family in std::iter::once(&Family::default()).chain(Family::ALL) {
        let kind = format!("`{}`", kind_of(family));
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let last = kinds.pop().unwrap_or_default();
    Err(format!("models of the kind `{kind}` cannot be read; {} and {last} can", kinds.join(", ")))
}

/// What was described, in our words.
fn named(family: Family, described: &Described) -> ModelConfig {
    ModelConfig {
        family: Some(family),
        num_layers: Some(described.num_layers),
        num_heads: Some(described.num_heads),
        num_kv_heads: described.num_kv_heads,
        head_dim: described.head_dim,
        hidden_size: Some(described.hidden_size),
        intermediate_size: described.intermediate_size,
        context_length: Some(described.context_length),
        tie_embeddings: Some(described.tie_embeddings),
        rope_theta: described.rope_theta,
        rope_scaling: described.rope_scaling,
        attention_bias: described.attention_bias,
        mlp_bias: described.mlp_bias,
        norm_eps: Some(described.norm_eps),
        ..ModelConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{model::Positions, tensor::RopeScaling};

    /// Every family: a key that is missing is what the format's own classes have for it.
    #[test]
    fn a_missing_key_is_what_the_format_has() {
        let of = |config: Value| {
            let object = config.as_object().expect("an object").clone();
            read(&object).and_then(|read| read.config.architecture()).expect("the defaults fit together")
        };
        let llama = of(json!({"model_type": "llama"}));
        assert_eq!((llama.num_layers, llama.num_heads, llama.num_kv_heads), (32, 32, 32));
        assert_eq!((llama.hidden_size, llama.intermediate_size, llama.context_length), (4096, 11008, 2048));
        assert_eq!((llama.norm_eps, llama.tie_embeddings), (1e-6, false));
        assert_eq!(llama.positions, Positions::Rotary { theta: 10_000.0, scaling: None });
        let gpt2 = of(json!({"model_type": "gpt2", "n_inner": null}));
        assert_eq!((gpt2.num_layers, gpt2.num_heads), (12, 12));
        assert_eq!((gpt2.hidden_size, gpt2.intermediate_size, gpt2.context_length), (768, 3072, 1024));
        assert_eq!((gpt2.norm_eps, gpt2.tie_embeddings), (1e-5, true));
        let qwen2 = of(json!({"model_type": "qwen2", "num_key_value_heads": null, "sliding_window": 4096}));
        assert_eq!((qwen2.num_kv_heads, qwen2.intermediate_size, qwen2.context_length), (32, 22016, 32768));
        assert_eq!(qwen2.sliding_window, None);
        let t5 = of(json!({"model_type": "t5"}));
        assert_eq!((t5.num_layers, t5.num_heads, t5.head_dim, t5.context_length), (6, 8, 64, 512));
        assert_eq!((t5.hidden_size, t5.intermediate_size, t5.norm_eps), (512, 2048, 1e-6));
        assert!(t5.has_encoder() && t5.tie_embeddings && t5.scale_logits);
        let newer = of(json!({"model_type": "t5", "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false}));
        assert_eq!((newer.feed_forward, newer.scale_logits), (Activation::GeGlu, false));
        assert_eq!(of(json!({"model_type": "openai-gpt"})).context_length, 512);
        assert_eq!(of(json!({"model_type": "gpt2", "hidden_size": 96, "num_attention_heads": 3})).hidden_size, 96);
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let fault = |config: Value| read(config.as_object().expect("an object")).expect_err("it cannot be computed");
        assert_eq!(
            fault(json!({"model_type": "mamba"})),
            "models of the kind `mamba` cannot be read; `gpt2`, `openai-gpt`, `llama`, `qwen2` and `t5` can"
        );
        for (config, expected) in [
            (
                json!({"model_type": "gpt2", "activation_function": "relu"}),
                "`activation_function` is \"relu\"; only \"gelu_new\"",
            ),
            (json!({"model_type": "gpt2", "n_layer": "two"}), "`n_layer` is \"two\", and no whole number"),
            (json!({"model_type": "gpt2", "n_embd": 8, "hidden_size": 9}), "`n_embd` is 8 and `hidden_size` is 9"),
            (json!({"model_type": "gpt2", "add_cross_attention": true}), "`add_cross_attention` is true"),
            (
                json!({"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": true}),
                "`scale_attn_by_inverse_layer_idx`",
            ),
            (json!({"model_type": "llama", "attention_bias": 1}), "`attention_bias` is 1, and neither true nor false"),
            (
                json!({"model_type": "llama", "quantization_config": {"bits": 4}}),
                "`quantization_config` is {\"bits\":4}",
            ),
            (json!({"model_type": "llama", "head_dim": 1.5}), "`head_dim` is 1.5, and no whole number"),
            (json!({"model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 2.0}}), "`dynamic`"),
            (json!({"model_type": "llama", "rope_parameters": {"rope_type": "yarn", "factor": 2.0}}), "`yarn`"),
            (
                json!({"model_type": "llama", "rope_parameters": {"mrope_section": [1]}}),
                "`mrope_section` in `rope_parameters`",
            ),
            (json!({"model_type": "llama", "rope_scaling": {"type": "linear"}}), "`rope_scaling` has no `factor`"),
            (json!({"model_type": "llama", "partial_rotary_factor": 0.5}), "`partial_rotary_factor` is 0.5"),
            (json!({"model_type": "gpt2", "is_encoder_decoder": true}), "`is_encoder_decoder` is true"),
            (json!({"model_type": "t5", "is_encoder_decoder": false}), "`is_encoder_decoder` is false"),
            (json!({"model_type": "t5", "num_decoder_layers": 2}), "`num_decoder_layers` is 2"),
            (
                json!({"model_type": "t5", "relative_attention_num_buckets": 16}),
                "`relative_attention_num_buckets` is 16",
            ),
            (json!({"model_type": "t5", "feed_forward_proj": "gated-silu"}), "`feed_forward_proj` is \"gated-silu\""),
            (json!({"model_type": "t5", "tie_word_embeddings": false}), "\"relu\" with unscaled hidden states"),
            (json!({"model_type": "t5", "dense_act_fn": "gelu"}), "`dense_act_fn` is \"gelu\""),
            (json!({"model_type": "qwen2", "use_sliding_window": true}), "`use_sliding_window` is true"),
            (
                json!({"model_type": "qwen2", "layer_types": ["full_attention", "sliding_attention"]}),
                "`layer_types` has \"sliding_attention\"",
            ),
        ] {
            let fault = fault(config.clone());
            assert!(fault.contains(expected), "{config}: {fault}");
        }
    }

    /// The two objects and the two bases that a configuration may have, in the order in which transformers 5 takes them.
    #[test]
    fn rotary_positions_are_those_that_transformers_takes() {
        let rotary = |more: Value| {
            let mut config = json!({"model_type": "llama", "max_position_embeddings": 64});
            more.as_object().expect("an object").iter().for_each(|(name, value)| config[name] = value.clone());
            let model = read(config.as_object().expect("an object")).expect("it can be computed").config;
            (model.rope_theta.expect("there is a base"), model.rope_scaling)
        };
        let linear = |factor| Some(RopeScaling::Linear { factor });
        assert_eq!(rotary(json!({"rope_theta": 5e5})), (5e5, None));
        assert_eq!(rotary(json!({"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}})), (5e5, None));
        assert_eq!(rotary(json!({"rope_theta": 5e5, "rope_parameters": {"rope_theta": 1e4}})), (1e4, None));
        assert_eq!(
            rotary(json!({"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2}})),
            (5e5, linear(2.0))
        );
        let both =
            json!({"rope_scaling": {"rope_type": "linear", "factor": 2.0}, "rope_parameters": {"rope_theta": 7.0}});
        assert_eq!(rotary(both), (1e4, linear(2.0)));
        let three = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0});
        let stretched = |original_context_length| {
            Some(RopeScaling::Llama3 {
                factor: 8.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_context_length,
            })
        };
        assert_eq!(rotary(json!({"rope_scaling": three})), (1e4, stretched(64)));
        assert_eq!(
            rotary(json!({"rope_scaling": three, "original_max_position_embeddings": 32})),
            (1e4, stretched(32))
        );
    }
}
