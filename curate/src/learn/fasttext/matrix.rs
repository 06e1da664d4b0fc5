//! The matrices of a model: a row for each word, n-gram or label.

use std::io::Read;

use super::{
    fields::{Fields, Wrong},
    quantized::Quantized,
};

/// Numbers of a matrix that is unpacked, at most: 128 MiB.
const UNPACKED: usize = 32 << 20;

/// A matrix, packed or not.
pub enum Matrix {
    /// Rows of as many numbers, one after the other.
    Plain {
        /// Numbers in a row.
        width: usize,
        /// The numbers.
        values: Vec<f32>,
    },
    /// Packed.
    Quantized(Quantized),
}

impl Matrix {
    /// Reads one that is not packed.
    ///
    /// # Errors
    /// When the file is cut short, or the matrix larger than any memory.
    pub fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let (rows, width) = (file.size()?, file.size()?);
        let size = rows.checked_mul(width).ok_or("a matrix is larger than any memory")?;
        Ok(Self::Plain { width, values: file.floats(size)? })
    }

    /// Packed rows, as numbers where they are not too many: adding them up is most of the work. Sums are the same, for the
    /// length is multiplied into each number either way.
    pub fn unpacked(packed: Quantized) -> Self {
        let width = packed.vectors.width();
        let size = packed.rows.saturating_mul(width);
        if size > UNPACKED {
            return Self::Quantized(packed);
        }
        let mut values = vec![0.0; size];
        for (row, numbers) in values.chunks_exact_mut(width.max(1)).enumerate() {
            packed.add(row, numbers);
        }
        Self::Plain { width, values }
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        match self {
            Self::Plain { width, .. } => *width,
            Self::Quantized(matrix) => matrix.vectors.width(),
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        match self {
            Self::Plain { width, values } => values.len() / (*width).max(1),
            Self::Quantized(matrix) => matrix.rows,
        }
    }

    /// Adds a row to a sum; one that is not there adds nothing.
    pub fn add(&self, row: usize, sum: &mut [f32]) {
        match self {
            Self::Plain { width, values } => {
                let numbers = values.get(row * width..(row + 1) * width).unwrap_or_default();
                sum.iter_mut().zip(numbers).for_each(|(value, number)| *value += number);
            }
            Self::Quantized(matrix) => matrix.add(row, sum),
        }
    }

    /// The product of a row and a vector.
    pub fn dot(&self, row: usize, vector: &[f32]) -> f32 {
        match self {
            Self::Plain { width, values } => {
                values[row * width..(row + 1) * width].iter().zip(vector).map(|(one, other)| one * other).sum()
            }
            Self::Quantized(matrix) => matrix.dot(row, vector),
        }
    }
}
