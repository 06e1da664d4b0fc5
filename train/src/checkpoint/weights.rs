//! Weights of a checkpoint into a model.

use std::{collections::BTreeMap, path::Path};

use burn::module::Module;

use crate::{
    error::{Error, Result},
    model::{NamedTensor, replace},
};

/// The model with the weights of the checkpoint at `path`, which must be those of its shape.
///
/// # Errors
/// When a parameter is missing or has another shape: it is named.
pub fn with_weights<M: Module>(model: M, saved: Vec<NamedTensor>, path: &Path) -> Result<M> {
    let mut by_name: BTreeMap<String, NamedTensor> =
        saved.into_iter().map(|named| (named.name.clone(), named)).collect();
    let mut wrong = None;
    let model = replace(model, |name, shape| match by_name.remove(name) {
        Some(named) if named.shape == shape => named.values,
        found => {
            let found = found.map_or("missing".to_owned(), |named| format!("of shape {:?}", named.shape));
            wrong.get_or_insert(format!("`{name}` is {found}, and should be of shape {shape:?}"));
            vec![0.0; shape.iter().product()]
        }
    });
    match wrong {
        Some(message) => Err(Error::Damaged { path: path.to_owned(), message }),
        None => Ok(model),
    }
}
