//! Rows of a table for tokens that its model does not know yet.
//!
//! Each is the mean of the rows that are there, plus noise, a tenth as large as those differ. So a new token is at first about as likely as
//! the others are together in the mean, and hardly changes what they are; the noise tells several new ones apart.
//!
//! Useful for: the marks of a task (start, delimiter, extract), padding, and tokenizers that were extended. Not useful for: another
//! tokenizer, whose ids are other words.
//!
//! Source: Hewitt 2021, "Initializing new word embeddings for pretrained language models".

use super::NamedTensor;
use crate::random::Stream;

/// The deviation of the noise, as a share of the deviation of the rows that are there.
const NOISE: f64 = 0.1;

/// A table with more rows, drawn from `seed`: a row's numbers depend on its place, and not on how many there are.
///
/// # Shapes
/// - `table`: `[rows, columns]`, 1 row or more
/// - returns: `[rows or those that are there already, columns]`
#[must_use]
pub fn with_new_rows(mut table: NamedTensor, rows: usize, seed: u64) -> NamedTensor {
    let [there, columns] = table.shape[..] else { return table };
    if rows <= there {
        return table;
    }
    let mean_of = |number: &dyn Fn(usize) -> f64| (0..there).map(number).sum::<f64>() / there as f64;
    let at = |row: usize, column: usize| f64::from(table.values[row * columns + column]);
    let stream = Stream::new(seed, &format!("new rows of {}", table.name));
    let mut new = vec![0.0; (rows - there) * columns];
    for column in 0..columns {
        let mean = mean_of(&|row| at(row, column));
        let deviation = mean_of(&|row| (at(row, column) - mean).powi(2)).sqrt();
        for row in there..rows {
            let noise = NOISE * deviation * stream.normal((row * columns + column) as u64);
            #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
            let number = (mean + noise) as f32;
            new[(row - there) * columns + column] = number;
        }
    }
    table.values.append(&mut new);
    table.shape[0] = rows;
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_rows_lie_about_the_mean_and_differ() {
        let stream = Stream::new(1, "test");
        #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
        let values = (0..64 * 3).map(|place| stream.normal(place) as f32 + (place % 3) as f32).collect();
        let table = NamedTensor { name: "tokens".into(), shape: vec![64, 3], values };
        let more = with_new_rows(table.clone(), 66, 7);
        assert_eq!(more.shape, [66, 3]);
        assert_eq!(more.values[..64 * 3], table.values);
        let new: Vec<&[f32]> = more.values[64 * 3..].chunks(3).collect();
        assert_ne!(new[0], new[1]);
        for row in &new {
            for (column, number) in row.iter().enumerate() {
                assert!((number - column as f32).abs() < 0.8, "{number} is not about {column}");
            }
        }
        let most = with_new_rows(table.clone(), 70, 7);
        assert_eq!(most.values[..66 * 3], more.values, "a row is the same, however many follow");
        assert_ne!(with_new_rows(table.clone(), 66, 8), more);
        assert_eq!(with_new_rows(table.clone(), 60, 7), table);
    }
}
