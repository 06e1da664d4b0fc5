//! A sparse matrix of examples and features, compressed by rows (CSR) and by columns (CSC).
//!
//! Products with rows run in parallel over rows, products with columns over columns; no sum is shared between threads, so
//! that the result is the same at any number of them.

use rayon::prelude::*;

/// Rows of examples, columns of the features that occur in them.
#[derive(Debug, Default)]
pub struct SparseMatrix {
    /// The features that occur, in rising order; a column's place here is its number.
    pub features: Vec<u32>,
    rows: Compressed,
    columns: Compressed,
}

/// A sparse matrix, compressed along one axis.
#[derive(Debug, Default)]
struct Compressed {
    starts: Vec<usize>,
    places: Vec<u32>,
    values: Vec<f32>,
}

impl Compressed {
    fn line(&self, number: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[number]..self.starts[number + 1];
        let places = self.places[range.clone()].iter().map(|place| *place as usize);
        places.zip(self.values[range].iter().map(|value| f64::from(*value)))
    }
}

impl SparseMatrix {
    /// Takes the rows, each with its features in rising order.
    #[must_use]
    pub fn new(rows: &[Vec<(u32, f32)>]) -> Self {
        let mut features: Vec<u32> = rows.iter().flatten().map(|(feature, _)| *feature).collect();
        features.sort_unstable();
        features.dedup();
        let entries = rows.iter().map(Vec::len).sum();
        let mut by_row =
            Compressed { starts: vec![0], places: Vec::with_capacity(entries), values: Vec::with_capacity(entries) };
        let mut sizes = vec![0usize; features.len()];
        for row in rows {
            for (feature, value) in row {
                let column = features.binary_search(feature).expect("every feature was collected");
                sizes[column] += 1;
                by_row.places.push(u32::try_from(column).expect("there are at most 2^30 features"));
                by_row.values.push(*value);
            }
            by_row.starts.push(by_row.places.len());
        }
        let mut starts = vec![0];
        starts.extend(sizes.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        }));
        let mut by_column = Compressed { places: vec![0; entries], values: vec![0.0; entries], starts };
        let mut next = by_column.starts.clone();
        for row in 0..rows.len() {
            for entry in by_row.starts[row]..by_row.starts[row + 1] {
                let at = &mut next[by_row.places[entry] as usize];
                by_column.places[*at] = u32::try_from(row).expect("there are fewer than 2^32 examples");
                by_column.values[*at] = by_row.values[entry];
                *at += 1;
            }
        }
        Self { features, rows: by_row, columns: by_column }
    }

    /// How many examples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.starts.len().saturating_sub(1)
    }

    /// The product of each row with `weights`, one for each column.
    pub fn times(&self, weights: &[f64], products: &mut [f64]) {
        products.par_iter_mut().enumerate().for_each(|(row, product)| {
            *product = self.rows.line(row).map(|(column, value)| weights[column] * value).sum();
        });
    }

    /// The product of each column with `factors`, one for each row.
    pub fn transposed_times(&self, factors: &[f64], products: &mut [f64]) {
        products.par_iter_mut().enumerate().for_each(|(column, product)| {
            *product = self.columns.line(column).map(|(row, value)| factors[row] * value).sum();
        });
    }
}
