//! Weights of a checkpoint into a model.

use std::{collections::BTreeMap, path::Path};

use burn::module::Module;

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
    let mut wrong = None;
    let has_adapters = has_adapters(&model);
    let model = replace_some(model, |name, shape| match by_name.remove(name) {
        Some(named) if named.shape == shape => Some(named.values),
        None if has_adapters && is_base(name) => None,
        found => {
            let found = found.map_or("missing".to_owned(), |named| format!("of shape {:?}", named.shape));
            wrong.get_or_insert(format!("`{name}` is {found}, and should be of shape {shape:?}"));
            None
        }
    });
    match wrong {
        Some(message) => Err(Error::Damaged { path: path.to_owned(), message }),
        None => Ok(model),
    }
}
