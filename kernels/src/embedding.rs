//! Embeddings: rows of a table by their numbers.

use rayon::prelude::*;

use super::linear::add_rows;

/// The rows of `table` that `ids` name.
///
/// # Shapes
/// - `table`: `[vocab_size, width]`; `ids`: `[count]`
/// - returns: `[count, width]`
#[must_use]
pub fn forward(table: &[f32], ids: &[i32], width: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(ids.len() * width);
    for id in ids {
        let id = usize::try_from(*id).expect("ids count from 0");
        out.extend_from_slice(&table[id * width..][..width]);
    }
    out
}

/// Adds each row of `dy` to the row of `dtable` that its id names, in the order of the ids.
pub fn backward(dy: &[f32], ids: &[i32], width: usize, dtable: &mut [f32]) {
    // each thread has a part of the vocabulary: no two meet, and every row is added to in the order of the ids
    let part = (dtable.len() / width).div_ceil(rayon::current_num_threads()).max(1);
    dtable.par_chunks_mut(part * width).enumerate().for_each(|(number, rows)| {
        let first = number * part;
        for (id, dy) in ids.iter().zip(dy.chunks_exact(width)) {
            let within = usize::try_from(*id).expect("ids count from 0").wrapping_sub(first);
            if within < rows.len() / width {
                add_rows(&mut rows[within * width..][..width], dy);
            }
        }
    });
}
