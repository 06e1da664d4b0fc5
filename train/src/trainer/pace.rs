//! How fast a training goes, in tokens and in operations.

use std::time::Instant;

/// Operations for a token of training, forwards and backwards: `6 N + 12 L H T` for `N` parameters, `L` layers of a hidden size `H`
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

/// A clock for the steps between two lines of the log.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    flops_per_token: f64,
    peak_tflops: Option<f64>,
    since: Instant,
    tokens: u64,
    step: u64,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// Seconds since it was started.
    pub seconds: f64,
    /// Tokens a second.
    pub tokens_per_second: f64,
    /// The share of the peak, `0.0..=1.0`, if one is known.
    pub model_flops_utilization: Option<f64>,
    /// Seconds until the last step.
    pub seconds_left: f64,
}

impl Pace {
    /// A clock for a model of so many operations a token, on a device with a peak of so many million million a second.
    #[must_use]
    pub fn new(flops_per_token: f64, peak_tflops: Option<f64>) -> Self {
        Self { flops_per_token, peak_tflops, since: Instant::now(), tokens: 0, step: 0 }
    }

    /// Starts the clock anew: at `step`, with so many tokens behind.
    pub fn start(&mut self, step: u64, tokens: u64) {
        *self = Self { since: Instant::now(), step, tokens, ..*self };
    }

    /// Reads the clock at `step` of `last`, with so many tokens behind.
    #[must_use]
    pub fn read(&self, step: u64, last: u64, tokens: u64) -> Speed {
        self.speed(self.since.elapsed().as_secs_f64(), step, last, tokens)
    }

    fn speed(&self, seconds: f64, step: u64, last: u64, tokens: u64) -> Speed {
        let tokens_per_second = tokens.saturating_sub(self.tokens) as f64 / seconds;
        let a_step = seconds / step.saturating_sub(self.step).max(1) as f64;
        Speed {
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
            let pace = Pace::new(flops, Some(6144.0 * 275.0));
            pace.speed(2.0, 4, 10, 2 * 238_300).model_flops_utilization.expect("the peak is known")
        };
        assert!((of(flops_per_token(540_000_000_000, 0, 0, 0)) - 0.457).abs() < 5e-4);
        assert!((of(flops_per_token(540_000_000_000, 118, 48 * 256, 2048)) - 0.462).abs() < 5e-4);
    }

    #[test]
    fn what_is_left_takes_as_long_as_what_was() {
        let mut pace = Pace::new(1.0, None);
        pace.start(6, 600);
        let speed = pace.speed(2.0, 10, 30, 1000);
        assert!(
            (speed.tokens_per_second - 200.0).abs() < 1e-9 && (speed.seconds_left - 10.0).abs() < 1e-9,
            "{speed:?}"
        );
    }
}
