//! What a row of logits says of tokens.

use super::lanes::{exp, largest, long_sum, vectorised};

/// Logits that are looked through together.
const CHUNK: usize = 128;

/// The logarithm of the sum of the powers of all logits of a row, by which a logit becomes a log-probability.
#[must_use]
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let (largest, sum) = largest_and_sum(logits);
    sum.ln() + f64::from(largest)
}

/// The `count` largest logits of a row with their ids, the largest first; of equals the one with the smaller id.
///
/// - `left_out`: ids that are not among them, in ascending order
#[must_use]
pub fn likeliest(logits: &[f32], count: usize, left_out: &[u32]) -> Vec<(u32, f32)> {
    let mut found: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
    if count == 0 {
        return found;
    }
    for (number, chunk) in logits.chunks(CHUNK).enumerate() {
        let is_better = |logit: f32, found: &[(u32, f32)]| match found.last() {
            Some((_, last)) if found.len() == count => logit > *last,
            _ => !logit.is_nan(),
        };
        if !is_better(largest_of(chunk), &found) {
            continue;
        }
        for (place, logit) in chunk.iter().enumerate() {
            let id = u32::try_from(number * CHUNK + place).expect("a vocabulary can be numbered");
            if is_better(*logit, &found) && left_out.binary_search(&id).is_err() {
                let at = found.partition_point(|(_, other)| other >= logit);
                found.insert(at, (id, *logit));
                found.truncate(count);
            }
        }
    }
    found
}

/// The powers of what the logits of a row lie below the largest, `scale` times that, and their sum: a softmax that is not divided yet.
#[must_use]
pub fn powers(logits: &[f32], scale: f64) -> (Vec<f32>, f64) {
    let mut powers = logits.to_vec();
    let largest = largest_of(logits);
    #[expect(clippy::cast_possible_truncation, reason = "logits are single precision")]
    let scale = scale as f32;
    let sum = to_powers(&mut powers, largest, scale);
    (powers, sum)
}

vectorised! {
    /// The largest logit, and the sum of the powers of what the others lie below it.
    pub(super) fn largest_and_sum(logits: &[f32]) -> (f32, f64) {
        let largest = largest(logits);
        (largest, long_sum(logits, |x| exp(x - largest)))
    }
}

vectorised! {
    fn to_powers(logits: &mut [f32], largest: f32, scale: f32) -> f64 {
        for x in &mut *logits {
            *x = exp((*x - largest) * scale);
        }
        long_sum(logits, |x| x)
    }
}

vectorised! {
    fn largest_of(logits: &[f32]) -> f32 {
        largest(logits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that follow no order.
    fn scattered(place: u64) -> u64 {
        place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
    }

    #[test]
    fn the_likeliest_are_those_of_a_sort() {
        for length in [1, 5, 127, 128, 129, 1000] {
            // few different numbers, so that there are equals
            let logits: Vec<f32> = (0..length).map(|place| (scattered(place) % 40) as f32 - 30.0).collect();
            let left_out = [0, 3, 64];
            for count in [0, 1, 2, 7, 2000] {
                let mut expected: Vec<(u32, f32)> = (0..).zip(logits.iter().copied()).collect();
                expected.retain(|(id, _)| !left_out.contains(id));
                expected.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
                expected.truncate(count);
                assert_eq!(likeliest(&logits, count, &left_out), expected, "{count} of {length}");
            }
        }
    }

    #[test]
    fn log_probabilities_add_up_to_one() {
        let logits: Vec<f32> = (0..1000u16).map(|place| f32::from(place % 17) - 500.0).collect();
        let whole = log_sum_exp(&logits);
        let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - whole).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert!(log_sum_exp(&[f32::NAN, 1.0]).is_nan());
    }
}
