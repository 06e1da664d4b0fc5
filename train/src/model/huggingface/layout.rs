//! Our parameters as tensors of another layout, and back.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

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

    /// The linear layer whose weight it is, without `.weight`, and how many inputs that has; none where it is no such weight.
    pub fn linear(&self) -> Option<(&str, usize)> {
        self.ours.strip_suffix(".weight").zip(self.rows)
    }

    /// Whether it is transposed there.
    pub fn is_transposed(&self) -> bool {
        self.transposed
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

/// Tensors of the other layout: which there are, and their numbers when they are asked for.
pub trait TensorSource {
    /// The tensors by name, each with its shape; none where its numbers are no weights, as those of a mask are.
    fn shapes(&self) -> BTreeMap<String, Option<Vec<usize>>>;

    /// Reads a tensor.
    ///
    /// # Errors
    /// When it cannot be read, or is no weight: why, in words.
    fn read(&self, name: &str) -> Result<NamedTensor, String>;
}

/// The names of tensors in the other layout, and which of them are taken.
pub(super) struct Tensors<'s> {
    source: &'s dyn TensorSource,
    shapes: BTreeMap<String, Option<Vec<usize>>>,
    /// What stands in front of the names of all tensors but the head's: a model that was saved without its head has no such prefix.
    prefix: &'static str,
    taken: BTreeSet<String>,
    /// Whose word it is what shape a tensor has.
    described_by: &'static str,
}

impl<'s> Tensors<'s> {
    pub(super) fn new(source: &'s dyn TensorSource, prefix: &'static str) -> Self {
        Self { source, shapes: source.shapes(), prefix, taken: BTreeSet::new(), described_by: "config.json" }
    }

    /// The same, where shapes are those of something else than a `config.json`.
    pub(super) fn described_by(self, described_by: &'static str) -> Self {
        Self { described_by, ..self }
    }

    /// The name under which a tensor is there.
    fn name<'n>(&self, name: &'n str) -> Option<&'n str> {
        [Some(name), name.strip_prefix(self.prefix)].into_iter().flatten().find(|name| self.shapes.contains_key(*name))
    }

    /// The shape of a tensor of weights.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.shapes.get(self.name(name)?)?.as_deref()
    }

    /// Reads a tensor that has a shape.
    pub(super) fn read(&self, name: &str) -> Result<NamedTensor, String> {
        self.source.read(self.name(name).unwrap_or(name))
    }

    /// Takes a tensor that another says as well.
    pub(super) fn leave_out(&mut self, name: &str) {
        self.taken.extend(self.name(name).map(str::to_owned));
    }

    /// Takes the tensors of a parameter. Returns where it stands by the names that are there.
    ///
    /// # Errors
    /// When one is missing or of another shape: its name and the two shapes.
    pub(super) fn take(&mut self, mut mapping: Mapping) -> Result<Mapping, String> {
        let shapes: Vec<Vec<usize>> = mapping.theirs.iter().map(|(_, columns)| mapping.shape(*columns)).collect();
        for ((name, _), expected) in mapping.theirs.iter_mut().zip(shapes) {
            let there = self.name(name).ok_or_else(|| format!("the tensor `{name}` is missing"))?.to_owned();
            match &self.shapes[&there] {
                None => return Err(format!("the tensor `{name}` has whole numbers, and is no weight")),
                Some(shape) if *shape != expected => {
                    let by = self.described_by;
                    return Err(format!("`{name}` is of shape {shape:?}, and by {by} of shape {expected:?}"));
                }
                Some(_) => {}
            }
            self.taken.insert(there.clone());
            *name = there;
        }
        Ok(mapping)
    }

    /// The tensors that were not taken, but for those that `is_buffer` knows as numbers that a model makes anew: weights first.
    pub(super) fn left(&self, is_buffer: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut left: Vec<(&String, bool)> = self.shapes.iter().map(|(name, shape)| (name, shape.is_none())).collect();
        left.retain(|(name, _)| !self.taken.contains(*name) && !is_buffer(name));
        left.sort_by_key(|(_, is_none)| *is_none);
        left.into_iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Mapping {
    /// Reads our parameter.
    ///
    /// # Errors
    /// When a tensor cannot be read: why, in words.
    pub(super) fn read(&self, source: &dyn TensorSource) -> Result<NamedTensor, String> {
        let part = |(name, _): &(String, usize)| {
            let tensor = source.read(name)?;
            Ok(match self.rows {
                Some(rows) if self.transposed => cut(&tensor, 0, rows, true, &self.ours),
                _ => NamedTensor { name: self.ours.clone(), ..tensor },
            })
        };
        Ok(side_by_side(self.theirs.iter().map(part).collect::<Result<_, String>>()?))
    }
}

/// Some columns of a matrix, transposed if that is wanted, or some numbers of a vector.
fn cut(named: &NamedTensor, from: usize, columns: usize, transposed: bool, name: &str) -> NamedTensor {
    let width = *named.shape.last().expect("a parameter has a dimension");
    let rows = named.values.len() / width;
    let (shape, values) = if transposed {
        (vec![columns, rows], transpose(&named.values, from, columns, width))
    } else {
        let values = named.values.chunks(width).flat_map(|row| &row[from..from + columns]).copied().collect();
        (with_columns(&named.shape, columns), values)
    };
    NamedTensor { name: name.to_owned(), shape, values }
}

/// Some columns of a matrix as rows.
fn transpose(values: &[f32], from: usize, columns: usize, width: usize) -> Vec<f32> {
    /// Columns that are read together: a line of the cache.
    const TOGETHER: usize = 16;
    let rows = values.len() / width;
    let mut transposed = vec![0.0; rows * columns];
    transposed.par_chunks_mut((rows * TOGETHER).max(1)).enumerate().for_each(|(block, to)| {
        let from = from + block * TOGETHER;
        for (row, values) in values.chunks_exact(width).enumerate() {
            to.chunks_exact_mut(rows).zip(&values[from..]).for_each(|(to, value)| to[row] = *value);
        }
    });
    transposed
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
    let mut values = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        parts.iter().for_each(|part| values.extend_from_slice(&part.values[row * width(part)..][..width(part)]));
    }
    NamedTensor { name: parts[0].name.clone(), shape: with_columns(&parts[0].shape, columns), values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::huggingface::examples::Folder;

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
            let folder = Folder::of(tensors);
            let mapping = Tensors::new(&folder, "").take(mapping).expect("all tensors are there");
            assert_eq!(mapping.read(&folder), Ok(ours));
        }
    }
}
