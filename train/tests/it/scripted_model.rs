//! Models that need no training, as folders of Hugging Face: one whose text is known beforehand, and one of numbers drawn by place.
//!
//! The first is a GPT-2 without attention and feed-forward layers, whose positions are unit vectors and whose tokens are nothing: so the head
//! says for each place which byte comes next.

use std::{fs, path::Path};

use safetensors::{Dtype, serialize_to_file, tensor::TensorView};
use serde_json::{Map, Value, json};

/// Tokens that the scripted model reads: bytes.
const CONTEXT: usize = 256;
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
    let numbers = |name: &str, shape: &[usize]| match name {
        "lm_head.weight" => head.clone(),
        "transformer.wpe.weight" => (0..CONTEXT * CONTEXT).map(unit).collect(),
        name => vec![if is_gain(name) { 1.0 } else { 0.0 }; shape.iter().product()],
    };
    save(folder, CONTEXT, CONTEXT, numbers);
}

/// A folder of Hugging Face with a model of a thousand tokens whose numbers hang on their places alone: the same everywhere, and of no use.
pub fn write_drawn(folder: &Path) {
    let numbers = |name: &str, shape: &[usize]| {
        let seed = name.bytes().fold(7u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        let number = |place: u64| {
            let bits = (seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 40;
            let centred = bits as f32 / (1u64 << 24) as f32 - 0.5;
            if is_gain(name) { 1.0 + 0.2 * centred } else { centred }
        };
        (0..shape.iter().product::<usize>() as u64).map(number).collect()
    };
    save(folder, 32, 1024, numbers);
}

fn is_gain(name: &str) -> bool {
    name.contains("ln_") && name.ends_with("weight")
}

/// Writes a GPT-2 of one block.
fn save(folder: &Path, width: usize, context: usize, numbers: impl Fn(&str, &[usize]) -> Vec<f32>) {
    const INNER: usize = 32;
    let block = "transformer.h.0";
    let mut shapes = vec![
        ("lm_head.weight".to_owned(), vec![END + 1, width]),
        ("transformer.wte.weight".into(), vec![END + 1, width]),
        ("transformer.wpe.weight".into(), vec![context, width]),
        (format!("{block}.attn.c_attn.weight"), vec![width, 3 * width]),
        (format!("{block}.attn.c_attn.bias"), vec![3 * width]),
        (format!("{block}.attn.c_proj.weight"), vec![width, width]),
        (format!("{block}.attn.c_proj.bias"), vec![width]),
        (format!("{block}.mlp.c_fc.weight"), vec![width, INNER]),
        (format!("{block}.mlp.c_fc.bias"), vec![INNER]),
        (format!("{block}.mlp.c_proj.weight"), vec![INNER, width]),
        (format!("{block}.mlp.c_proj.bias"), vec![width]),
    ];
    for norm in [&format!("{block}.ln_1"), &format!("{block}.ln_2"), "transformer.ln_f"] {
        shapes.extend(["weight", "bias"].map(|part| (format!("{norm}.{part}"), vec![width])));
    }
    let bytes: Vec<Vec<u8>> = shapes
        .iter()
        .map(|(name, shape)| numbers(name, shape).iter().flat_map(|number| number.to_le_bytes()).collect())
        .collect();
    let views = shapes.iter().zip(&bytes).map(|((name, shape), bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a shape fits its numbers"))
    });
    fs::create_dir_all(folder).expect("it can be made");
    serialize_to_file(views, None, &folder.join("model.safetensors")).expect("it can be written");
    let config = json!({
        "model_type": "gpt2", "n_layer": 1, "n_head": 4, "n_embd": width, "n_inner": INNER, "n_positions": context, "vocab_size": END + 1,
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
