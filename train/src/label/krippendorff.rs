//! Krippendorff's alpha: how far observers agree beyond chance, however many of them have seen a unit.
//!
//! ```text
//! alpha = 1 - observed disagreement / expected disagreement           1: all agree; 0: as if they had drawn
//! disagreement of two values, ordinal: (values that lie between them, and half of each of both, counted in the data) squared
//! ```
//!
//! Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections C and D for any number of observers, missing data and
//! the ordinal metric.
//! Cost: the square of the number of different values for each unit.

use std::collections::BTreeSet;

/// The alpha of ordinal values; none where all values are equal, or no unit has two.
///
/// - `units`: of each unit the values that observers gave it; with fewer than two it does not count
pub fn ordinal_alpha(units: &[Vec<u32>]) -> Option<f64> {
    let paired = || units.iter().filter(|values| values.len() > 1);
    let values: Vec<u32> = paired().flatten().copied().collect::<BTreeSet<u32>>().into_iter().collect();
    let place = |value: u32| values.partition_point(|other| *other < value);
    let count = values.len();
    // [values, values]: how often two observers have given these to a unit, each unit counting as many as it has values
    let mut coincidences = vec![0.0; count * count];
    for unit in paired() {
        let weight = 1.0 / (unit.len() as f64 - 1.0);
        for (number, one) in unit.iter().enumerate() {
            for other in unit[..number].iter().chain(&unit[number + 1..]) {
                coincidences[place(*one) * count + place(*other)] += weight;
            }
        }
    }
    let totals: Vec<f64> = (0..count).map(|value| coincidences[value * count..][..count].iter().sum()).collect();
    let difference = |one: usize, other: usize| {
        let (low, high) = (one.min(other), one.max(other));
        let between: f64 = totals[low..=high].iter().sum();
        (between - f64::midpoint(totals[low], totals[high])).powi(2)
    };
    let (mut observed, mut expected) = (0.0, 0.0);
    for one in 0..count {
        for other in 0..count {
            let difference = difference(one, other);
            observed += coincidences[one * count + other] * difference;
            expected += totals[one] * totals[other] * difference;
        }
    }
    let all: f64 = totals.iter().sum();
    (expected > 0.0).then(|| 1.0 - (all - 1.0) * observed / expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four observers, twelve units, and values that are missing: 0.815, as the paper has it.
    #[test]
    fn alpha_is_that_of_the_paper() {
        const NONE: u32 = 0;
        let observers = [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
            [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
        ];
        let unit = |place: usize| observers.iter().map(|values| values[place]).filter(|value| *value != NONE).collect();
        let units: Vec<Vec<u32>> = (0..12).map(unit).collect();
        let alpha = ordinal_alpha(&units).expect("values differ");
        assert!((alpha - 0.815_387).abs() < 1e-6, "{alpha}");
    }

    #[test]
    fn there_is_no_alpha_of_nothing() {
        assert_eq!(ordinal_alpha(&[]), None);
        assert_eq!(ordinal_alpha(&[vec![1], vec![2]]), None);
        assert_eq!(ordinal_alpha(&[vec![1, 1], vec![1, 1]]), None);
        assert_eq!(ordinal_alpha(&[vec![1, 1], vec![2, 2]]), Some(1.0));
        assert!(ordinal_alpha(&[vec![1, 2], vec![2, 1]]).expect("values differ") < 0.0);
    }
}
