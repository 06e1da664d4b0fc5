//! Matrices that are packed: a byte for every two numbers, or so.

use std::io::Read;

use super::fields::{Fields, Wrong, count};

/// Vectors in a table.
const TABLE: usize = 256;

/// A matrix of which each row is some bytes, each a place in a table of short vectors.
pub struct Quantized {
    codes: Vec<u8>,
    pub vectors: Vectors,
    /// The length of every row, if rows have length 1 without it.
    norms: Option<(Vec<u8>, Vectors)>,
    pub rows: usize,
}

/// Tables of 256 vectors, one table for each part of a row.
pub struct Vectors {
    parts: usize,
    size: usize,
    last_size: usize,
    values: Vec<f32>,
}

impl Quantized {
    /// Reads one.
    ///
    /// # Errors
    /// When the file is cut short, or its sizes do not fit together.
    pub fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let has_norms = file.flag()?;
        let (rows, _columns) = (file.size()?, file.size()?);
        let size = count(file.i32()?)?;
        let codes = file.bytes(size)?;
        let vectors = Vectors::read(file)?;
        let norms = if has_norms { Some((file.bytes(rows)?, Vectors::read(file)?)) } else { None };
        if norms.as_ref().is_some_and(|(_, lengths)| lengths.width() != 1) {
            return Err("a row's length is one number".into());
        }
        if rows.checked_mul(vectors.parts) != Some(codes.len()) {
            return Err(format!("{rows} rows of {} parts have {} codes", vectors.parts, codes.len()));
        }
        Ok(Self { codes, vectors, norms, rows })
    }

    /// The parts of a row, each with the place where it begins, and the row's length.
    fn row(&self, row: usize) -> (impl Iterator<Item = (usize, &[f32])>, f32) {
        let parts = self.vectors.parts;
        let codes = self.codes.get(row * parts..(row + 1) * parts).unwrap_or_default();
        let vectors =
            codes.iter().enumerate().map(|(part, code)| (part * self.vectors.size, self.vectors.at(part, *code)));
        let norm = self
            .norms
            .as_ref()
            .map_or(1.0, |(codes, vectors)| codes.get(row).map_or(0.0, |code| vectors.at(0, *code)[0]));
        (vectors, norm)
    }

    /// Adds a row to a sum.
    pub fn add(&self, row: usize, sum: &mut [f32]) {
        let (parts, norm) = self.row(row);
        for (start, part) in parts {
            for (value, of_part) in sum[start..].iter_mut().zip(part) {
                *value += norm * of_part;
            }
        }
    }

    /// The product of a row and a vector.
    pub fn dot(&self, row: usize, vector: &[f32]) -> f32 {
        let (parts, norm) = self.row(row);
        let products = parts.flat_map(|(start, part)| vector[start..].iter().zip(part).map(|(one, other)| one * other));
        products.sum::<f32>() * norm
    }
}

impl Vectors {
    fn read(file: &mut Fields<impl Read>) -> Result<Self, Wrong> {
        let (width, parts) = (count(file.i32()?)?, count(file.i32()?)?);
        let (size, last_size) = (count(file.i32()?)?, count(file.i32()?)?);
        if parts == 0 || (parts - 1) * size + last_size != width {
            return Err(format!("{parts} parts of {size}, the last of {last_size}, are not {width} numbers"));
        }
        Ok(Self { parts, size, last_size, values: file.floats(width * TABLE)? })
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        (self.parts - 1) * self.size + self.last_size
    }

    fn at(&self, part: usize, code: u8) -> &[f32] {
        let size = if part + 1 == self.parts { self.last_size } else { self.size };
        let start = part * TABLE * self.size + usize::from(code) * size;
        &self.values[start..start + size]
    }
}
