//! A model whose text is known beforehand: what it writes depends on the place alone.
//!
//! A GPT-2 without attention and feed-forward layers, whose positions are unit vectors and whose tokens are nothing: so the head says for each
//! place which byte comes next.

use std::{collections::BTreeMap, fs, path::Path};

use safetensors::{Dtype, serialize_to_file, tensor::TensorView};
use serde_json::{Map, Value, json};

/// Tokens that the model reads: bytes.
pub const CONTEXT: usize = 256;
/// The token behind the bytes, which ends a text.
const END: usize = 256;

/// What comes at a place of a text.
#[derive(Debug, Clone, Copy)]
pub enum Next<'s> {
    /// A string.
    Text(&'s str),
    /// The end.
    End,
    /// One of two bytes: the first by `e` to the power of some three times as likely.
    Either(u8, u8),
}

/// A folder of Hugging Face with a model that writes each part of a script from its place on, in bytes, whatever stands before it.
pub fn write(folder: &Path, script: &[(usize, &[Next<'_>])]) {
    let mut head = vec![0.0f32; (END + 1) * CONTEXT];
    for (place, parts) in script {
        let mut place = *place;
        let mut say = |token: usize, place: usize, weight: f32| head[token * CONTEXT + place - 1] = weight;
        for part in *parts {
            match part {
                Next::Text(text) => {
                    for byte in text.bytes() {
                        say(usize::from(byte), place, 1.0);
                        place += 1;
                    }
                }
                Next::Either(likelier, other) => {
                    say(usize::from(*likelier), place, 1.0);
                    say(usize::from(*other), place, 0.95);
                    place += 1;
                }
                Next::End => {
                    say(END, place, 1.0);
                    place += 1;
                }
            }
        }
    }
    let unit = |place: usize| if place / CONTEXT == place % CONTEXT { 1.0 } else { 0.0 };
    let zeros = |shape: &[usize]| (shape.to_vec(), vec![0.0f32; shape.iter().product()]);
    let ones = (vec![CONTEXT], vec![1.0f32; CONTEXT]);
    let mut tensors = BTreeMap::from([
        ("lm_head.weight", (vec![END + 1, CONTEXT], head)),
        ("transformer.wte.weight", zeros(&[END + 1, CONTEXT])),
        ("transformer.wpe.weight", (vec![CONTEXT, CONTEXT], (0..CONTEXT * CONTEXT).map(unit).collect())),
        ("transformer.h.0.attn.c_attn.weight", zeros(&[CONTEXT, 3 * CONTEXT])),
        ("transformer.h.0.attn.c_attn.bias", zeros(&[3 * CONTEXT])),
        ("transformer.h.0.attn.c_proj.weight", zeros(&[CONTEXT, CONTEXT])),
        ("transformer.h.0.attn.c_proj.bias", zeros(&[CONTEXT])),
        ("transformer.h.0.mlp.c_fc.weight", zeros(&[CONTEXT, 32])),
        ("transformer.h.0.mlp.c_fc.bias", zeros(&[32])),
        ("transformer.h.0.mlp.c_proj.weight", zeros(&[32, CONTEXT])),
        ("transformer.h.0.mlp.c_proj.bias", zeros(&[CONTEXT])),
    ]);
    for norm in ["ln_1", "ln_2"] {
        for (part, tensor) in [("weight", ones.clone()), ("bias", zeros(&[CONTEXT]))] {
            tensors.insert(format!("transformer.h.0.{norm}.{part}").leak(), tensor);
        }
    }
    tensors.insert("transformer.ln_f.weight", ones);
    tensors.insert("transformer.ln_f.bias", zeros(&[CONTEXT]));
    let bytes: BTreeMap<&str, (Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, (shape, values))| (name, (shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())))
        .collect();
    let views = bytes.iter().map(|(name, (shape, bytes))| {
        (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a shape fits its values"))
    });
    fs::create_dir_all(folder).expect("it can be made");
    serialize_to_file(views, None, &folder.join("model.safetensors")).expect("it can be written");
    let config = json!({
        "model_type": "gpt2", "n_layer": 1, "n_head": 4, "n_embd": CONTEXT, "n_inner": 32, "n_positions": CONTEXT, "vocab_size": END + 1,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "tie_word_embeddings": false, "eos_token_id": END,
    });
    fs::write(folder.join("config.json"), config.to_string()).expect("it can be written");
    fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).expect("it can be written");
}

/// A tokenizer whose tokens are the bytes.
fn tokenizer() -> Value {
    let mut further = 256;
    let vocabulary: Map<String, Value> = (0..=255u8)
        .map(|byte| {
            // GPT-2's alphabet: bytes that can be shown are themselves, and others letters behind them
            let sign = match byte {
                b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
                _ => {
                    further += 1;
                    char::from_u32(further - 1).expect("a letter")
                }
            };
            (sign.to_string(), json!(byte))
        })
        .collect();
    let level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true});
    json!({
        "version": "1.0",
        "added_tokens": [{
            "id": END, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true,
        }],
        "pre_tokenizer": level,
        "decoder": level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    })
}
