//! A `config.json` and tensors as a model of ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    configuration::{self, Configuration},
    format::HEAD,
    layout::Tensors,
};
use crate::model::{ModelConfig, NamedTensor};

/// A model that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its configuration.
    pub config: ModelConfig,
    /// Its parameters.
    pub named: Vec<NamedTensor>,
    /// What one should know: keys and tensors that were passed over, a head that is not the table.
    pub notes: Vec<String>,
}

impl Imported {
    /// Rows of the token embedding.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.named.iter().find(|named| named.name == "tokens").map_or(0, |table| table.shape[0])
    }
}

/// A model from what a folder of Hugging Face holds.
///
/// - `others`: names of tensors whose numbers are no weights, such as masks
///
/// # Errors
/// When the model is of another kind, or computes what models do not compute here; when a tensor is missing or of another shape.
pub fn import(
    config: &Value,
    tensors: BTreeMap<String, NamedTensor>,
    others: BTreeSet<String>,
) -> Result<Imported, String> {
    let object = config.as_object().ok_or("config.json is no object")?;
    let of_config = |message: String| format!("config.json: {message}");
    let Configuration { config: mut model, format, unknown } = configuration::read(object).map_err(of_config)?;
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        let kind = &config["model_type"];
        notes.push(format!("config.json has keys that no model of the kind {kind} reads: {}", listed(&unknown)));
    }
    let table = format.embedding;
    let mut tensors = Tensors::new(tensors, others, format.prefix);
    if model.tie_embeddings == Some(true) {
        notes.extend(one_head(&mut model, &mut tensors, table));
    }
    let architecture = model.architecture().map_err(of_config)?;
    let vocab_size = tensors.get(table).and_then(|table| table.shape.first().copied()).unwrap_or(0);
    if let Some(said) = config["vocab_size"].as_u64()
        && said != vocab_size as u64
        && vocab_size > 0
    {
        return Err(of_config(format!("`vocab_size` is {said}, and `{table}` has {vocab_size} rows")));
    }
    let named = tensors.read(format.all_mappings(&architecture, vocab_size))?;
    let left = tensors.left(format.is_buffer);
    if !left.is_empty() {
        notes.push(format!("tensors that are not of the model are left out: {}", listed(&left)));
    }
    Ok(Imported { config: model, named, notes })
}

/// Sees to the head of a model whose configuration says that it is the table: a file may have one nevertheless, or one alone.
///
/// Source: `tie_weights` of transformers 5.24.0, which does not tie what differs, and takes the one that is there for both.
fn one_head(model: &mut ModelConfig, tensors: &mut Tensors, table: &str) -> Option<String> {
    let head = tensors.get(HEAD)?;
    let Some(rows) = tensors.get(table) else {
        let head = tensors.take(HEAD)?;
        tensors.put(table, head);
        return Some(format!("`{table}` is missing, and `tie_word_embeddings` is true: `{HEAD}` is taken for both"));
    };
    let is_same =
        head.shape == rows.shape && head.values.iter().zip(&rows.values).all(|(x, y)| x.to_bits() == y.to_bits());
    if is_same {
        tensors.take(HEAD);
        return None;
    }
    model.tie_embeddings = Some(false);
    Some(format!(
        "`tie_word_embeddings` is true, and `{HEAD}` has other numbers than `{table}`: both are kept, untied, as transformers 5 does"
    ))
}

/// Some names, in words.
fn listed(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Family,
        huggingface::examples::{self, exported},
    };

    #[test]
    fn what_is_exported_is_imported() {
        // a `gpt3` comes back as a `gpt2`, if at all
        for &family in Family::ALL.iter().filter(|family| **family != Family::Gpt3) {
            let (before, config, tensors) = exported(family);
            let mut after = import(&config, tensors, BTreeSet::new()).expect("all tensors are there");
            assert_eq!(after.config.architecture(), examples::config(family).architecture());
            after.named.sort_by_key(|named| before.iter().position(|before| before.name == named.name));
            assert_eq!(after.named, before, "{family:?}");
            assert_eq!(after.notes, [""; 0]);
        }
    }

    /// A head that the configuration denies is kept where it differs, and is the table where it does not or stands alone.
    #[test]
    fn a_second_head_is_kept_where_it_differs() {
        let (_, mut config, tensors) = exported(Family::Llama);
        let table =
            configuration::read(config.as_object().expect("an object")).expect("it can be read").format.embedding;
        config["tie_word_embeddings"] = true.into();
        let with = import(&config, tensors.clone(), BTreeSet::new()).expect("it can be read");
        assert_eq!(with.config.tie_embeddings, Some(false));
        assert!(
            with.notes.len() == 1 && with.notes[0].contains("`lm_head.weight` has other numbers"),
            "{:?}",
            with.notes
        );

        let mut same = tensors.clone();
        let rows = same[table].clone();
        same.insert(HEAD.into(), NamedTensor { name: HEAD.into(), ..rows });
        let read = import(&config, same.clone(), BTreeSet::new()).expect("it can be read");
        assert_eq!((read.config.tie_embeddings, read.notes.len()), (Some(true), 0));
        same.remove(table);
        let read = import(&config, same, BTreeSet::new()).expect("it can be read");
        assert_eq!((read.config.tie_embeddings, read.vocab_size(), read.notes.len()), (Some(true), 11, 1));
    }

    /// What is not of the model is named, whatever its numbers are; masks and frequencies are known. What is of another shape is refused.
    #[test]
    fn every_tensor_is_used_or_named() {
        let (_, mut config, mut tensors) = exported(Family::Gpt2);
        let more = |name: &str| NamedTensor { name: name.into(), shape: vec![1], values: vec![1.0] };
        for name in ["transformer.h.0.attn.bias", "h.1.attn.masked_bias", "score.weight"] {
            tensors.insert(name.into(), more(name));
        }
        config["sliding_window"] = 4.into();
        let read =
            import(&config, tensors.clone(), ["h.0.attn.c_attn.qweight".to_owned()].into()).expect("it can be read");
        assert_eq!(
            read.notes,
            [
                "config.json has keys that no model of the kind \"gpt2\" reads: `sliding_window`",
                "tensors that are not of the model are left out: `score.weight`, `h.0.attn.c_attn.qweight`",
            ]
        );

        let bias = tensors.remove("transformer.ln_f.bias").expect("it was exported");
        let fault = import(&config, tensors.clone(), BTreeSet::new()).expect_err("a tensor is missing");
        assert_eq!(fault, "the tensor `transformer.ln_f.bias` is missing");
        tensors.insert(bias.name.clone(), NamedTensor { shape: vec![7], values: vec![0.0; 7], ..bias });
        let fault = import(&config, tensors, BTreeSet::new()).expect_err("a tensor is too short");
        assert_eq!(fault, "`transformer.ln_f.bias` is of shape [7], and by config.json of shape [8]");
    }

    #[test]
    fn a_model_saved_without_its_head_is_read() {
        let (_, config, tensors) = exported(Family::Gpt2);
        let short = tensors.into_values().map(|named| {
            let name = named.name.strip_prefix("transformer.").unwrap_or(&named.name).to_owned();
            (name.clone(), NamedTensor { name, ..named })
        });
        import(&config, short.collect(), BTreeSet::new()).expect("all tensors are there");
    }
}
