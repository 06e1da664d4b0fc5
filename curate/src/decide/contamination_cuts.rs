//! Overlaps of one document with benchmarks, as cuts.

use std::{ops::Range, sync::Arc};

use datafusion::arrow::{
    array::{Array as _, ArrayRef, AsArray as _, StructArray, UInt32Array},
    datatypes::{DataType, Field, Fields, UInt32Type, UInt64Type},
};
use serde::{Deserialize, Serialize};

use super::cuts::{CutsBuilder, cuts_type};

/// How overlaps become cuts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContaminationCuts {
    /// N-grams that are not cut, sorted: they stand in too many documents to be contamination.
    pub common: Vec<u64>,
    /// Fewest characters between two cuts, or between a cut and an end of the text; what is shorter goes, too.
    pub min_piece: u32,
}

/// An n-gram with what stands around it.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub ngram: u64,
    /// The number of a benchmark that has the n-gram.
    pub benchmark: u32,
    /// Bytes.
    pub from: u32,
    pub to: u32,
    pub from_character: u32,
    pub to_character: u32,
}

impl ContaminationCuts {
    /// Whether an n-gram is cut.
    #[must_use]
    pub fn counts(&self, ngram: u64) -> bool {
        self.common.binary_search(&ngram).is_err()
    }

    /// The cuts of a text, and how many stretches of windows that touch there are, which is as often as the text is split.
    fn cuts(&self, windows: &[Window], bytes: u32, characters: u32) -> (Vec<Range<u32>>, u32) {
        let mut windows: Vec<&Window> = windows.iter().filter(|window| self.counts(window.ngram)).collect();
        // a longer n-gram may begin where a shorter one does, and reach further back than the one before
        windows.sort_unstable_by_key(|window| (window.from, window.to));
        let mut cuts: Vec<Range<u32>> = Vec::new();
        let (mut stretches, mut behind) = (0, 0);
        for window in windows {
            match cuts.last_mut() {
                Some(open) if window.from <= open.end => open.end = open.end.max(window.to),
                last => {
                    stretches += 1;
                    let is_short = window.from_character - behind < self.min_piece;
                    match last {
                        Some(open) if is_short => open.end = window.to,
                        _ => cuts.push(if is_short { 0 } else { window.from }..window.to),
                    }
                }
            }
            behind = behind.max(window.to_character);
        }
        if let Some(last) = cuts.last_mut()
            && characters - behind < self.min_piece
        {
            last.end = bytes;
        }
        (cuts, stretches)
    }

    /// The same for rows of `overlaps`, `bytes` and `characters`: `cuts`, which are null where nothing is cut, and `stretches`.
    pub fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> ArrayRef {
        let [bytes, characters] = [1, 2].map(|column| columns[column].as_primitive::<UInt32Type>());
        let (mut lists, mut counts) = (CutsBuilder::new(), Vec::with_capacity(rows));
        for row in 0..rows {
            let windows = windows(&columns[0], row);
            let (cuts, stretches) = if windows.is_empty() {
                (Vec::new(), 0)
            } else {
                self.cuts(&windows, bytes.value(row), characters.value(row))
            };
            cuts.iter().for_each(|cut| lists.push(cut));
            lists.close(!cuts.is_empty());
            counts.push(stretches);
        }
        let columns: Vec<ArrayRef> = vec![lists.finish(), Arc::new(UInt32Array::from(counts))];
        Arc::new(StructArray::new(contamination_fields(), columns, None))
    }
}

/// The fields of what [`ContaminationCuts`] gives.
pub fn contamination_fields() -> Fields {
    Fields::from(vec![Field::new("cuts", cuts_type(), true), Field::new("stretches", DataType::UInt32, false)])
}

/// The windows in a row of a list of overlaps; none where it is null.
pub fn windows(list: &ArrayRef, row: usize) -> Vec<Window> {
    if list.is_null(row) {
        return Vec::new();
    }
    let overlaps = list.as_list::<i32>().value(row);
    let overlaps = overlaps.as_struct();
    let ngrams = overlaps.column(0).as_primitive::<UInt64Type>();
    let numbers = |column: usize| overlaps.column(column).as_primitive::<UInt32Type>().values();
    let (benchmarks, from, to) = (numbers(1), numbers(4), numbers(5));
    let (from_character, to_character) = (numbers(6), numbers(7));
    let window = |place: usize| Window {
        ngram: ngrams.value(place),
        benchmark: benchmarks[place],
        from: from[place],
        to: to[place],
        from_character: from_character[place],
        to_character: to_character[place],
    };
    (0..overlaps.len()).map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(ngram: u64, from: u32, to: u32) -> Window {
        Window { ngram, benchmark: 0, from, to, from_character: from, to_character: to }
    }

    #[expect(clippy::single_range_in_vec_init, reason = "one cut is a list of cuts")]
    #[test]
    fn windows_that_touch_are_one_and_short_pieces_go() {
        let contamination = ContaminationCuts { common: vec![5, 9], min_piece: 200 };
        let cuts = |windows: &[Window]| contamination.cuts(windows, 2000, 2000);
        assert_eq!(
            cuts(&[window(1, 300, 800), window(2, 310, 810), window(1, 1000, 1400)]),
            (vec![300..1400], 2),
            "190 characters between them"
        );
        assert_eq!(
            cuts(&[window(1, 300, 800), window(2, 310, 810), window(1, 1010, 1400)]),
            (vec![300..810, 1010..1400], 2)
        );
        assert_eq!(cuts(&[window(1, 199, 800)]).0, [0..800], "the piece before has 199 characters");
        assert_eq!(cuts(&[window(1, 200, 1801)]).0, [200..2000], "the piece behind has 199 characters");
        assert_eq!(cuts(&[window(1, 300, 700), window(1, 899, 1200)]), (vec![300..1200], 2));
        assert_eq!(cuts(&[window(5, 300, 700), window(9, 899, 1200)]), (vec![], 0), "common n-grams stay");
    }
}
