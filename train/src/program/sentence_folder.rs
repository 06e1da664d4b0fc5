//! An encoder as a folder of sentence-transformers, beside the model of Hugging Face.
//!
//! ```text
//! FOLDER/modules.json                          which parts follow one another
//!        sentence_bert_config.json             how long a text may be
//!        config_sentence_transformers.json     how like two vectors are
//!        1_Pooling/config.json                 how states become a vector
//!        2_Normalize/                          for cosines
//!        tokenizer.json                        with the token that ends a text
//! ```
//!
//! Source: the folders that sentence-transformers write and read; 6.2.0 gives the vectors that we give.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};
use system::AtomicFile;

use crate::{
    error::{Error, Result},
    model::{Architecture, Encoders, Pooling, Similarity},
    tokenizer::Tokenizer,
};

/// Writes what sentence-transformers wants beside a model, and the tokenizer.
///
/// - `words`: what else other programs want to find of the tokenizer
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(
    folder: &Path,
    Encoders { pooling, similarity, .. }: Encoders,
    architecture: &Architecture,
    tokenizer: &Tokenizer,
    mut words: Map<String, Value>,
) -> Result<()> {
    let module = |number: usize, path: &str, class: &str| json!({"idx": number, "name": number.to_string(), "path": path, "type": format!("sentence_transformers.models.{class}")});
    let mut modules = vec![module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")];
    let mut folders = vec!["1_Pooling"];
    if similarity == Similarity::Cosine {
        modules.push(module(2, "2_Normalize", "Normalize"));
        folders.push("2_Normalize");
    }
    for name in folders {
        let path = folder.join(name);
        fs::create_dir_all(&path).map_err(Error::file("make the folder", &path))?;
    }
    let pooling = json!({
        "word_embedding_dimension": architecture.hidden_size,
        "pooling_mode_cls_token": false,
        "pooling_mode_mean_tokens": pooling == Pooling::Mean,
        "pooling_mode_max_tokens": false,
        "pooling_mode_mean_sqrt_len_tokens": false,
        "pooling_mode_weightedmean_tokens": false,
        "pooling_mode_lasttoken": pooling == Pooling::Last,
        "include_prompt": true,
    });
    let similarity = match similarity {
        Similarity::Dot => "dot",
        Similarity::Cosine => "cosine",
    };
    for (name, value) in [
        ("modules.json", Value::from(modules)),
        ("1_Pooling/config.json", pooling),
        ("sentence_bert_config.json", json!({"max_seq_length": architecture.context_length, "do_lower_case": false})),
        (
            "config_sentence_transformers.json",
            json!({"prompts": {}, "default_prompt_name": null, "similarity_fn_name": similarity}),
        ),
    ] {
        let bytes = serde_json::to_vec_pretty(&value).expect("a value is JSON");
        AtomicFile::write_whole(&folder.join(name), &bytes)?;
    }
    // texts of a batch are padded, which changes nothing of their vectors
    let padding = tokenizer.token(tokenizer.padding()).map_or(Value::Null, Value::from);
    words.insert("pad_token".into(), padding);
    words.insert("padding_side".into(), "right".into());
    tokenizer.export_ended(folder, &words)
}
