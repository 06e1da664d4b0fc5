//! Our parameters as tensors of another layout, and back.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::NamedTensor;

/// One of our parameters, and where its numbers stand in the other layout.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub ours: String,
    /// Names, and how many of our columns each has.
    pub theirs: Vec<(String, usize)>,
    /// Rows of a matrix; none for a vector.
    rows: Option<usize>,
    /// Whether it is transposed there.
    transposed: bool,
}

impl Mapping {
    /// A vector, which is the same there.
    pub fn vector(ours: impl Into<String>, theirs: impl Into<String>, columns: usize) -> Self {
        Self::vectors(ours, vec![(theirs.into(), columns)])
    }

    /// A vector, which is several there, one after the other.
    pub fn vectors(ours: impl Into<String>, theirs: Vec<(String, usize)>) -> Self {
        Self { ours: ours.into(), theirs, rows: None, transposed: false }
    }

    /// A matrix, which is the same there.
    pub fn same(ours: impl Into<String>, theirs: impl Into<String>, [rows, columns]: [usize; 2]) -> Self {
        Self { rows: Some(rows), ..Self::vector(ours, theirs, columns) }
    }

    /// A matrix whose columns are rows there, of one tensor or several.
    pub fn transposed(ours: String, rows: usize, theirs: Vec<(String, usize)>) -> Self {
        Self { ours, theirs, rows: Some(rows), transposed: true }
    }

    /// The shape that a tensor of `columns` of our columns has there.
    fn shape(&self, columns: usize) -> Vec<usize> {
        match self.rows {
            None => vec![columns],
            Some(rows) if self.transposed => vec![columns, rows],
            Some(rows) => vec![rows, columns],
        }
    }
}

/// The tensors of the other layout.
///
/// # Errors
/// When a parameter is missing: its name.
pub(super) fn written(mappings: Vec<Mapping>, named: &[NamedTensor]) -> Result<Vec<NamedTensor>, String> {
    let by_name: BTreeMap<&str, &NamedTensor> = named.iter().map(|named| (named.name.as_str(), named)).collect();
    let mut tensors = Vec::new();
    for Mapping { ours, theirs, transposed, .. } in mappings {
        let named = by_name.get(ours.as_str()).ok_or_else(|| format!("the model has no parameter `{ours}`"))?;
        let mut from = 0;
        for (name, columns) in theirs {
            tensors.push(cut(named, from, columns, transposed, &name));
            from += columns;
        }
    }
    Ok(tensors)
}

/// The tensors of a file in the other layout, of which each is taken once.
pub(super) struct Tensors {
    weights: BTreeMap<String, NamedTensor>,
    /// What stands in front of the names of all tensors but the head's: a model that was saved without its head has no such prefix.
    prefix: &'static str,
    /// Tensors that are no weights.
    others: BTreeSet<String>,
}

impl Tensors {
    /// - `others`: names of tensors whose numbers are no weights, such as masks
    pub(super) fn new(weights: BTreeMap<String, NamedTensor>, others: BTreeSet<String>, prefix: &'static str) -> Self {
        Self { weights, prefix, others }
    }

    /// The name under which a tensor is there.
    fn name<'n>(&self, name: &'n str) -> Option<&'n str> {
        [Some(name), name.strip_prefix(self.prefix)].into_iter().flatten().find(|name| self.weights.contains_key(*name))
    }

    pub(super) fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.weights.get(self.name(name)?)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<NamedTensor> {
        self.weights.remove(self.name(name)?)
    }

    /// Puts a tensor there under another name.
    pub(super) fn put(&mut self, name: &str, tensor: NamedTensor) {
        self.weights.insert(name.to_owned(), NamedTensor { name: name.to_owned(), ..tensor });
    }

    /// Our parameters.
    ///
    /// # Errors
    /// When a tensor is missing or of another shape: its name and the two shapes.
    pub(super) fn read(&mut self, mappings: Vec<Mapping>) -> Result<Vec<NamedTensor>, String> {
        mappings.into_iter().map(|mapping| self.parameter(&mapping)).collect()
    }

    fn parameter(&mut self, mapping: &Mapping) -> Result<NamedTensor, String> {
        let mut parts = Vec::new();
        for (name, columns) in &mapping.theirs {
            let tensor = self.take(name).ok_or_else(|| {
                let why = if self.others.contains(name) { "has whole numbers, and is no weight" } else { "is missing" };
                format!("the tensor `{name}` {why}")
            })?;
            let expected = mapping.shape(*columns);
            if tensor.shape != expected {
                return Err(format!(
                    "`{name}` is of shape {:?}, and by config.json of shape {expected:?}",
                    tensor.shape
                ));
            }
            parts.push(match mapping.rows {
                Some(rows) if mapping.transposed => cut(&tensor, 0, rows, true, &mapping.ours),
                _ => NamedTensor { name: mapping.ours.clone(), ..tensor },
            });
        }
        Ok(side_by_side(parts))
    }

    /// The tensors that were not taken, but for those that `is_buffer` knows as numbers that a model makes anew.
    pub(super) fn left(&self, is_buffer: impl Fn(&str) -> bool) -> Vec<&str> {
        let names = self.weights.keys().chain(&self.others).map(String::as_str);
        names.filter(|name| !is_buffer(name)).collect()
    }
}

/// Some columns of a matrix, transposed if that is wanted, or some numbers of a vector.
fn cut(named: &NamedTensor, from: usize, columns: usize, transposed: bool, name: &str) -> NamedTensor {
    let width = *named.shape.last().expect("a parameter has a dimension");
    let rows = named.values.len() / width;
    let at = |row: usize, column: usize| named.values[row * width + from + column];
    let (shape, values) = if transposed {
        let values = (0..columns).flat_map(|column| (0..rows).map(move |row| at(row, column))).collect();
        (vec![columns, rows], values)
    } else {
        let values = named.values.chunks(width).flat_map(|row| &row[from..from + columns]).copied().collect();
        (with_columns(&named.shape, columns), values)
    };
    NamedTensor { name: name.to_owned(), shape, values }
}

/// The shape of a tensor with another number of columns.
fn with_columns(shape: &[usize], columns: usize) -> Vec<usize> {
    let (_, rows) = shape.split_last().expect("a parameter has a dimension");
    [rows, &[columns]].concat()
}

/// One matrix of others' columns, one vector of others' numbers, or the one that there is.
fn side_by_side(mut parts: Vec<NamedTensor>) -> NamedTensor {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let width = |part: &NamedTensor| *part.shape.last().expect("a parameter has a dimension");
    let columns: usize = parts.iter().map(width).sum();
    let rows = parts[0].values.len() / width(&parts[0]);
    let of_row = |row: usize| parts.iter().flat_map(move |part| &part.values[row * width(part)..][..width(part)]);
    let values = (0..rows).flat_map(of_row).copied().collect();
    NamedTensor { name: parts[0].name.clone(), shape: with_columns(&parts[0].shape, columns), values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_in_several_tensors() {
        let theirs = || [("one", 1), ("other", 2)].map(|(name, columns)| (name.to_owned(), columns)).to_vec();
        for (mapping, shape, shapes, others) in [
            (Mapping::vectors("ours", theirs()), vec![3], [vec![1], vec![2]], [vec![1.0], vec![2.0, 3.0]]),
            (
                Mapping::transposed("ours".into(), 2, theirs()),
                vec![2, 3],
                [vec![1, 2], vec![2, 2]],
                [vec![1.0, 4.0], vec![2.0, 5.0, 3.0, 6.0]],
            ),
        ] {
            let values = (1..=shape.iter().product::<usize>()).map(|value| value as f32).collect();
            let ours = NamedTensor { name: "ours".into(), shape, values };
            let tensors = written(vec![mapping.clone()], std::slice::from_ref(&ours)).expect("the parameter is there");
            for ((tensor, shape), values) in tensors.iter().zip(shapes).zip(others) {
                assert_eq!((&tensor.shape, &tensor.values), (&shape, &values), "{}", tensor.name);
            }
            let weights = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
            let read = Tensors::new(weights, BTreeSet::new(), "").read(vec![mapping]).expect("all tensors are there");
            assert_eq!(read, [ours]);
        }
    }
}
