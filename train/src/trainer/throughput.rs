//! The throughput of a training, in tokens and in FLOPs.

use std::time::Instant;

/// FLOPs of a training token, forward and backward: `6 N + 12 L H T` for `N` parameters, `L` layers of a hidden size `H`
/// and sequences of `T` tokens.
///
/// A weight is multiplied and added once forwards and twice backwards, which are the 6; scores and their sums of values are two
/// more products of `H T` in each layer, which are the 12. Attention counts as if every token saw all others.
///
/// Source: Chowdhery et al. 2022 (PaLM), appendix B, where the hidden size is heads times their size.
#[must_use]
pub fn flops_per_token(parameters: usize, num_layers: usize, hidden_size: usize, sequence_length: usize) -> f64 {
    6.0 * parameters as f64 + 12.0 * (num_layers * hidden_size * sequence_length) as f64
}

/// The same of a token of a pair, on average, where a model with an encoder reads `source` tokens and writes `target`: a token goes through
/// one of the stacks, which have so many parameters, and through attention to its own sequence; in the decoder also to the source.
///
/// - `parameters`: of the encoder; and of the decoder with the head
#[must_use]
pub fn flops_per_token_of_pairs(
    parameters: [usize; 2],
    num_layers: usize,
    hidden_size: usize,
    [source, target]: [usize; 2],
) -> f64 {
    let [encoder, decoder] = parameters;
    let read = flops_per_token(encoder, num_layers, hidden_size, source);
    let written = flops_per_token(decoder, num_layers, hidden_size, source + target);
    (read * source as f64 + written * target as f64) / (source + target) as f64
}

/// Measures the steps between two lines of the log.
#[derive(Debug, Clone, Copy)]
pub struct ThroughputMeter {
    flops_per_token: f64,
    peak_tflops: Option<f64>,
    since: Instant,
    tokens: u64,
    step: u64,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// Seconds since the start.
    pub seconds: f64,
    /// Tokens a second.
    pub tokens_per_second: f64,
    /// Model FLOPs utilization, `0.0..=1.0`, if the peak is known.
    pub model_flops_utilization: Option<f64>,
    /// Seconds until the last step.
    pub seconds_left: f64,
}

impl ThroughputMeter {
    /// A meter for a model of so many FLOPs a token, on a device with a peak of so many TFLOP/s.
    #[must_use]
    pub fn new(flops_per_token: f64, peak_tflops: Option<f64>) -> Self {
        Self { flops_per_token, peak_tflops, since: Instant::now(), tokens: 0, step: 0 }
    }

    /// Starts anew: at `step`, after so many tokens.
    pub fn start(&mut self, step: u64, tokens: u64) {
        *self = Self { since: Instant::now(), step, tokens, ..*self };
    }

    /// Reads it at `step` of `last`, after so many tokens.
    #[must_use]
    pub fn read(&self, step: u64, last: u64, tokens: u64) -> Throughput {
        self.throughput(self.since.elapsed().as_secs_f64(), step, last, tokens)
    }

    fn throughput(&self, seconds: f64, step: u64, last: u64, tokens: u64) -> Throughput {
        let tokens_per_second = tokens.saturating_sub(self.tokens) as f64 / seconds;
        let a_step = seconds / step.saturating_sub(self.step).max(1) as f64;
        Throughput {
            seconds,
            tokens_per_second,
            model_flops_utilization: self
                .peak_tflops
                .map(|peak| tokens_per_second * self.flops_per_token / (peak * 1e12)),
            seconds_left: a_step * last.saturating_sub(step) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PaLM's own example, from its appendix B: 540 billion parameters, 238,300 tokens a second on 6,144 chips of 275 teraflops
    /// are 45.7 % without attention, and 46.2 % with it.
    #[test]
    fn utilization_is_that_of_the_source() {
        let of = |flops: f64| {
            let meter = ThroughputMeter::new(flops, Some(6144.0 * 275.0));
            meter.throughput(2.0, 4, 10, 2 * 238_300).model_flops_utilization.expect("the peak is known")
        };
        assert!((of(flops_per_token(540_000_000_000, 0, 0, 0)) - 0.457).abs() < 5e-4);
        assert!((of(flops_per_token(540_000_000_000, 118, 48 * 256, 2048)) - 0.462).abs() < 5e-4);
    }

    /// Where nothing is written, a pair is what an encoder reads.
    #[test]
    fn a_pair_is_read_and_written() {
        let encoder = flops_per_token(1000, 2, 16, 30);
        assert!((flops_per_token_of_pairs([1000, 5000], 2, 16, [30, 0]) - encoder).abs() < 1e-9);
        let decoder = flops_per_token(5000, 2, 16, 40);
        let both = (30.0 * encoder + 10.0 * decoder) / 40.0;
        assert!((flops_per_token_of_pairs([1000, 5000], 2, 16, [30, 10]) - both).abs() < 1e-9);
    }

    #[test]
    fn what_is_left_takes_as_long_as_what_was() {
        let mut meter = ThroughputMeter::new(1.0, None);
        meter.start(6, 600);
        let throughput = meter.throughput(2.0, 10, 30, 1000);
        assert!(
            (throughput.tokens_per_second - 200.0).abs() < 1e-9 && (throughput.seconds_left - 10.0).abs() < 1e-9,
            "{throughput:?}"
        );
    }
}
