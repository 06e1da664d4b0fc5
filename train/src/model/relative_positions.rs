//! Relative positions: what is added to a score for the distance between a query and a key.
//!
//! ```text
//! 32 buckets, causal          distance   0 -1 ... -15 | -16.. -19.. -21.. ... -113 and further
//!                             bucket     0  1 ...  15 |  16    17    18   ...   31
//! 32 buckets, bidirectional   half of them for keys behind the query, half for those ahead
//! ```
//!
//! Half of the buckets have one distance each, the others more and more, by its logarithm. A table has a number for each bucket and head; all
//! blocks of a stack share it.
//!
//! Source: Raffel et al. 2020 (T5), section 2.1; the buckets are those of its code.

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use super::{Architecture, Positions};
use crate::tensor::{DistanceBias, embedding};

/// The relative positions of a stack of blocks.
#[derive(Module, Debug)]
pub struct RelativePositions {
    /// `[buckets, num_heads]`.
    table: Param<Tensor<2>>,
    max_distance: usize,
    is_bidirectional: bool,
}

impl RelativePositions {
    /// A table of zeros, where positions are relative.
    pub fn new(architecture: &Architecture, is_bidirectional: bool, device: &Device) -> Option<Self> {
        let Positions::Relative { buckets, max_distance } = architecture.positions else { return None };
        let table = Param::from_tensor(Tensor::zeros([buckets, architecture.num_heads], device));
        Some(Self { table, max_distance, is_bidirectional })
    }

    /// What is added to scores for keys that stand up to `behind` places before a query and up to `ahead` after it.
    pub fn bias(&self, behind: usize, ahead: usize) -> DistanceBias {
        let [buckets, heads] = self.table.dims();
        let of = |distance: usize, is_ahead: bool| {
            bucket(distance, is_ahead, self.is_bidirectional, [buckets, self.max_distance])
        };
        let places = (0..=behind)
            .rev()
            .map(|distance| of(distance, false))
            .chain((1..=ahead).map(|distance| of(distance, true)));
        let ids: Vec<i32> = places.map(|bucket| i32::try_from(bucket).expect("there are few buckets")).collect();
        let rows = embedding(self.table.val(), &ids, 1); // [1, distances, heads]
        DistanceBias { by_distance: rows.reshape([ids.len(), heads]).transpose(), zero: behind }
    }
}

/// The bucket of a distance in places, to a key ahead of its query or not.
fn bucket(distance: usize, is_ahead: bool, is_bidirectional: bool, [buckets, max_distance]: [usize; 2]) -> usize {
    if !is_bidirectional {
        return if is_ahead { 0 } else { bucket_of(distance, buckets, max_distance) };
    }
    let half = buckets / 2;
    bucket_of(distance, half, max_distance) + if is_ahead { half } else { 0 }
}

fn bucket_of(distance: usize, buckets: usize, max_distance: usize) -> usize {
    let exact = buckets / 2;
    if distance < exact {
        return distance;
    }
    let share = (distance as f64 / exact as f64).ln() / (max_distance as f64 / exact as f64).ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded down to a bucket")]
    let further = (share * (buckets - exact) as f64) as usize;
    (exact + further).min(buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each bucket begins, as `T5Attention._relative_position_bucket` of transformers 5.24.0 has it.
    #[test]
    fn buckets_begin_where_those_of_t5_do() {
        let behind = |is_bidirectional| {
            let of = |distance| bucket(distance, false, is_bidirectional, [32, 128]);
            (0..200).filter(|distance| *distance == 0 || of(*distance) != of(distance - 1)).collect::<Vec<usize>>()
        };
        let causal = [16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113];
        assert_eq!(behind(false), (0..16).chain(causal).collect::<Vec<_>>());
        assert_eq!(behind(true), (0..8).chain([8, 12, 16, 23, 32, 46, 64, 91]).collect::<Vec<_>>());
        let ahead: Vec<usize> = (1..200).map(|distance| bucket(distance, true, true, [32, 128])).collect();
        let mirrored: Vec<usize> = (1..200).map(|distance| 16 + bucket(distance, false, true, [32, 128])).collect();
        assert_eq!(ahead, mirrored);
        assert_eq!((ahead[0], ahead[198], bucket(3, true, false, [32, 128])), (17, 31, 0));
    }
}
