//! Rows that go through the model together.

/// A batch of rows: plain numbers, on no device.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[rows, time]`, ids that are seen.
    pub inputs: Vec<i32>,
    /// `[rows, time]`, ids that are to be said.
    pub targets: Vec<i32>,
    /// `[rows, time]`, 1 where the loss counts; 0 on prompts and padding.
    pub weights: Vec<f32>,
    /// `[rows, time]`, the first position of its row that a position may look at: 0, or the start of its document where
    /// documents are kept apart.
    pub starts: Vec<i32>,
    /// Rows.
    pub rows: usize,
    /// Ids in a row.
    pub time: usize,
}

impl Batch {
    /// A batch without rows yet, of `time` ids each.
    #[must_use]
    pub fn empty(time: usize) -> Self {
        Self { inputs: Vec::new(), targets: Vec::new(), weights: Vec::new(), starts: Vec::new(), rows: 0, time }
    }

    /// The same rows in `count` batches of equal size, in their order: for gradients that are summed before a step.
    ///
    /// - `count`: a divisor of the rows; whoever reads a configuration makes sure of it
    pub fn micro_batches(&self, count: usize) -> impl Iterator<Item = Self> {
        assert!(
            count > 0 && self.rows.is_multiple_of(count),
            "{} rows cannot be cut into {count} equal parts",
            self.rows
        );
        let rows = self.rows / count;
        (0..count).map(move |number| self.slice(number * rows, rows))
    }

    /// The rows from `first` on, at most `count` of them.
    #[must_use]
    pub fn slice(&self, first: usize, count: usize) -> Self {
        let last = (first + count).min(self.rows);
        let range = first * self.time..last * self.time;
        Self {
            inputs: self.inputs[range.clone()].to_vec(),
            targets: self.targets[range.clone()].to_vec(),
            weights: self.weights[range.clone()].to_vec(),
            starts: self.starts[range].to_vec(),
            rows: last - first,
            time: self.time,
        }
    }

    /// The positions whose loss counts.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weights.iter().map(|weight| f64::from(*weight)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is summed over micro-batches must be what the batch holds, each row once and in its order.
    #[test]
    fn micro_batches_hold_the_rows_in_their_order() {
        let numbers: Vec<i32> = (0..24).collect();
        let weights: Vec<f32> = numbers.iter().map(|number| if number % 5 == 0 { 0.0 } else { 1.0 }).collect();
        let batch =
            Batch { inputs: numbers.clone(), targets: numbers.clone(), weights, starts: numbers, rows: 6, time: 4 };
        let parts: Vec<Batch> = batch.micro_batches(3).collect();
        assert!(parts.iter().all(|part| (part.rows, part.time) == (2, 4)));
        assert_eq!(parts.iter().flat_map(|part| part.targets.clone()).collect::<Vec<_>>(), batch.targets);
        assert!((parts.iter().map(Batch::weight).sum::<f64>() - batch.weight()).abs() < f64::EPSILON);
    }
}
