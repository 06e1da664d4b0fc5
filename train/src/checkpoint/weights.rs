//! Weights of a checkpoint into a model.

use std::{collections::BTreeMap, path::Path};

use burn::module::Module;

use super::stored_model::StoredModel;
use crate::{
    error::{Error, Result},
    model::{NamedTensor, has_adapters, is_base, replace_some},
};

/// The model with the weights of the checkpoint at `path`, which must be those of its shape. Where layers have adapters, these are all that a
/// checkpoint has, and the rest stays.
///
/// # Errors
/// When a parameter is missing or has another shape: it is named.
pub fn with_weights<M: Module>(model: M, saved: Vec<NamedTensor>, path: &Path) -> Result<M> {
    let mut by_name: BTreeMap<String, NamedTensor> =
        saved.into_iter().map(|named| (named.name.clone(), named)).collect();
    filled(model, path, |name| Ok(by_name.remove(name)))
}

/// The same, of a model whose weights are read one by one.
///
/// # Errors
/// As [`with_weights`], and when the file is not the one that was written, or cannot be read.
pub fn with_stored_weights<M: Module>(model: M, stored: &StoredModel) -> Result<M> {
    stored.verify()?;
    let tensors = &stored.tensors;
    filled(model, &stored.path, |name| tensors.contains(name).then(|| tensors.read(name)).transpose())
}

/// The model with what is taken for each of its parameters.
fn filled<M: Module>(model: M, path: &Path, mut take: impl FnMut(&str) -> Result<Option<NamedTensor>>) -> Result<M> {
    let mut fault = None;
    let has_adapters = has_adapters(&model);
    let model = replace_some(model, |name, shape| {
        let found = match take(name) {
            Ok(Some(named)) if named.shape == shape => return Some(named.values),
            Ok(None) if has_adapters && is_base(name) => return None,
            Ok(found) => found.map_or("missing".to_owned(), |named| format!("of shape {:?}", named.shape)),
            Err(error) => {
                fault.get_or_insert(error);
                return None;
            }
        };
        let message = format!("`{name}` is {found}, and should be of shape {shape:?}");
        fault.get_or_insert(Error::Damaged { path: path.to_owned(), message });
        None
    });
    fault.map_or(Ok(model), Err)
}
