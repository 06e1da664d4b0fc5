//! A `config.json` and tensors as a model of ours.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    configuration::{self, Configuration},
    format::HEAD,
    layout::{Mapping, TensorSource, Tensors},
};
use crate::model::{ModelConfig, NamedTensor};

/// A model that a folder holds, whose numbers lie there still.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its configuration.
    pub config: ModelConfig,
    /// Rows of the token embedding.
    pub vocab_size: usize,
    /// What one should know: keys and tensors that were passed over, a head that is not the table.
    pub notes: Vec<String>,
    /// Where each parameter stands, by its name here.
    mappings: BTreeMap<String, Mapping>,
}

impl Imported {
    /// The parameters by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.mappings.keys().map(String::as_str)
    }

    /// Reads a parameter, from where the model was read; none where the model has no such parameter.
    ///
    /// # Errors
    /// When it cannot be read: why, in words.
    pub fn parameter(&self, name: &str, source: &dyn TensorSource) -> Result<Option<NamedTensor>, String> {
        self.mappings.get(name).map(|mapping| mapping.read(source)).transpose()
    }
}

/// The model that a folder of Hugging Face holds.
///
/// # Errors
/// When the model is of another kind, or computes what models do not compute here; when a tensor is missing or of another shape.
pub fn import(config: &Value, source: &dyn TensorSource) -> Result<Imported, String> {
    let object = config.as_object().ok_or("config.json is no object")?;
    let of_config = |message: String| format!("config.json: {message}");
    let Configuration { config: mut model, format, unknown } = configuration::read(object).map_err(of_config)?;
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        let kind = &config["model_type"];
        notes.push(format!("config.json has keys that no model of the kind {kind} reads: {}", listed(&unknown)));
    }
    let mut table = format.embedding;
    let mut tensors = Tensors::new(source, format.prefix);
    if model.tie_embeddings == Some(true) {
        let (taken, note) = one_head(&mut model, &mut tensors, table)?;
        table = taken;
        notes.extend(note);
    }
    let architecture = model.architecture().map_err(of_config)?;
    let vocab_size = tensors.shape(table).and_then(|shape| shape.first().copied()).unwrap_or(0);
    if let Some(said) = config["vocab_size"].as_u64()
        && said != vocab_size as u64
        && vocab_size > 0
    {
        return Err(of_config(format!("`vocab_size` is {said}, and `{table}` has {vocab_size} rows")));
    }
    let mut mappings = BTreeMap::new();
    for mut mapping in format.all_mappings(&architecture, vocab_size) {
        for (name, _) in mapping.theirs.iter_mut().filter(|(name, _)| name == format.embedding) {
            table.clone_into(name);
        }
        mappings.insert(mapping.ours.clone(), tensors.take(mapping)?);
    }
    let left = tensors.left(format.is_buffer);
    if !left.is_empty() {
        notes.push(format!("tensors that are not of the model are left out: {}", listed(&left)));
    }
    Ok(Imported { config: model, vocab_size, notes, mappings })
}

/// Sees to the head of a model whose configuration says that it is the table: a file may have one nevertheless, or one alone. Returns the
/// name of the tensor that is the table.
///
/// Source: `tie_weights` of transformers 5.24.0, which does not tie what differs, and takes the one that is there for both.
fn one_head<'n>(
    model: &mut ModelConfig,
    tensors: &mut Tensors<'_>,
    table: &'n str,
) -> Result<(&'n str, Option<String>), String> {
    if tensors.shape(HEAD).is_none() {
        return Ok((table, None));
    }
    if tensors.shape(table).is_none() {
        let note = format!("`{table}` is missing, and `tie_word_embeddings` is true: `{HEAD}` is taken for both");
        return Ok((HEAD, Some(note)));
    }
    let same_shape = tensors.shape(HEAD) == tensors.shape(table);
    if same_shape {
        let (head, rows) = (tensors.read(HEAD)?, tensors.read(table)?);
        if head.values.iter().zip(&rows.values).all(|(x, y)| x.to_bits() == y.to_bits()) {
            tensors.leave_out(HEAD);
            return Ok((table, None));
        }
    }
    model.tie_embeddings = Some(false);
    let note = format!(
        "`tie_word_embeddings` is true, and `{HEAD}` has other numbers than `{table}`: both are kept, untied, as transformers 5 does"
    );
    Ok((table, Some(note)))
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
        huggingface::examples::{self, Folder, exported},
    };

    #[test]
    fn what_is_exported_is_imported() {
        // a `gpt3` comes back as a `gpt2`, if at all
        for &family in Family::ALL.iter().filter(|family| **family != Family::Gpt3) {
            let (before, config, folder) = exported(family);
            let after = import(&config, &folder).expect("all tensors are there");
            assert_eq!(after.config.architecture(), examples::config(family).architecture());
            assert_eq!(after.names().count(), before.len(), "{family:?}");
            for named in before {
                assert_eq!(after.parameter(&named.name, &folder), Ok(Some(named)), "{family:?}");
            }
            assert_eq!(after.notes, [""; 0]);
        }
    }

    /// A head that the configuration denies is kept where it differs, and is the table where it does not or stands alone.
    #[test]
    fn a_second_head_is_kept_where_it_differs() {
        let (_, mut config, folder) = exported(Family::Llama);
        let table =
            configuration::read(config.as_object().expect("an object")).expect("it can be read").format.embedding;
        config["tie_word_embeddings"] = true.into();
        let with = import(&config, &folder).expect("it can be read");
        assert_eq!(with.config.tie_embeddings, Some(false));
        assert!(
            with.notes.len() == 1 && with.notes[0].contains("`lm_head.weight` has other numbers"),
            "{:?}",
            with.notes
        );

        let mut same = folder;
        let rows = same.weights[table].clone();
        same.weights.insert(HEAD.into(), NamedTensor { name: HEAD.into(), ..rows.clone() });
        let read = import(&config, &same).expect("it can be read");
        assert_eq!((read.config.tie_embeddings, read.notes.len()), (Some(true), 0));
        same.weights.remove(table);
        let read = import(&config, &same).expect("it can be read");
        assert_eq!((read.config.tie_embeddings, read.vocab_size, read.notes.len()), (Some(true), 11, 1));
        let tokens = read.parameter("tokens", &same).expect("it can be read").expect("it has a table");
        assert_eq!(tokens.values, rows.values);
    }

    /// What is not of the model is named, whatever its numbers are; masks and frequencies are known. What is of another shape is refused.
    #[test]
    fn every_tensor_is_used_or_named() {
        let (_, mut config, mut folder) = exported(Family::Gpt2);
        let more = |name: &str| NamedTensor { name: name.into(), shape: vec![1], values: vec![1.0] };
        for name in ["transformer.h.0.attn.bias", "h.1.attn.masked_bias", "score.weight"] {
            folder.weights.insert(name.into(), more(name));
        }
        config["sliding_window"] = 4.into();
        folder.others.push("h.0.attn.c_attn.qweight".into());
        let read = import(&config, &folder).expect("it can be read");
        assert_eq!(
            read.notes,
            [
                "config.json has keys that no model of the kind \"gpt2\" reads: `sliding_window`",
                "tensors that are not of the model are left out: `score.weight`, `h.0.attn.c_attn.qweight`",
            ]
        );

        let bias = folder.weights.remove("transformer.ln_f.bias").expect("it was exported");
        let fault = import(&config, &folder).expect_err("a tensor is missing");
        assert_eq!(fault, "the tensor `transformer.ln_f.bias` is missing");
        folder.weights.insert(bias.name.clone(), NamedTensor { shape: vec![7], values: vec![0.0; 7], ..bias });
        let fault = import(&config, &folder).expect_err("a tensor is too short");
        assert_eq!(fault, "`transformer.ln_f.bias` is of shape [7], and by config.json of shape [8]");
    }

    #[test]
    fn a_model_saved_without_its_head_is_read() {
        let (_, config, folder) = exported(Family::Gpt2);
        let short = folder.weights.into_values().map(|named| {
            let name = named.name.strip_prefix("transformer.").unwrap_or(&named.name).to_owned();
            NamedTensor { name, ..named }
        });
        import(&config, &Folder::of(short)).expect("all tensors are there");
    }
}
