//! The adapters of a linear layer as a module.

use std::{ops::Range, sync::Arc};

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, TensorData},
};

use super::lora::{AdaptedLinear, Lora};
use crate::{
    random::Stream,
    tensor::{Dropout, LowRank},
};

/// The adapters of a linear layer.
#[derive(Module, Debug)]
pub struct Adapter {
    /// `A` of all ranges side by side, `[inputs, ranges * rank]`.
    a: Param<Tensor<2>>,
    /// `B` of all ranges side by side, `[rank, columns of all ranges]`.
    b: Param<Tensor<2>>,
    #[module(skip)]
    ranges: Arc<[Range<usize>]>,
    #[module(skip)]
    scale: f32,
    #[module(skip)]
    dropout: f32,
}

impl Adapter {
    /// Adapters that change nothing yet: `A` is uniform within one over the root of its inputs, and `B` is 0. What is drawn for a range
    /// depends on its place, and not on which others there are.
    ///
    /// Source: `reset_lora_parameters` of PEFT, which draws `A` as `kaiming_uniform_` with `a = sqrt(5)` does.
    pub fn new(linear: &AdaptedLinear, lora: &Lora, seed: u64, device: &Device) -> Self {
        let (inputs, rank) = (linear.inputs, lora.rank);
        let bound = 1.0 / (inputs as f64).sqrt();
        let of_range = |columns: &Range<usize>| {
            Stream::new(seed, &format!("adapter of {} at column {}", linear.name, columns.start))
        };
        let ranges: Arc<[Range<usize>]> = linear.ranges.iter().map(|range| range.columns.clone()).collect();
        let streams: Vec<Stream> = ranges.iter().map(of_range).collect();
        let mut a = Vec::with_capacity(inputs * streams.len() * rank);
        for input in 0..inputs {
            for stream in &streams {
                let draw = |place: usize| (2.0 * stream.fraction((input * rank + place) as u64) - 1.0) * bound;
                #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
                a.extend((0..rank).map(|place| draw(place) as f32));
            }
        }
        let a = TensorData::new(a, [inputs, streams.len() * rank]);
        #[expect(clippy::cast_possible_truncation, reason = "numbers are single precision")]
        let (scale, dropout) = (lora.scale() as f32, lora.dropout as f32);
        Self {
            a: Param::from_tensor(Tensor::from_data(a, device)),
            b: Param::from_tensor(Tensor::zeros([rank, linear.columns()], device)),
            ranges,
            scale,
            dropout,
        }
    }

    /// What it adds to its layer; `key` is a hash of (seed, step, layer, part) while training.
    pub fn low_rank(&self, key: Option<u64>) -> LowRank {
        let Self { ranges, scale, dropout: rate, .. } = self;
        let dropout = key.filter(|_| *rate > 0.0).map(|key| Dropout { rate: *rate, key });
        LowRank { a: self.a.val(), b: self.b.val(), ranges: Arc::clone(ranges), scale: *scale, dropout }
    }
}
