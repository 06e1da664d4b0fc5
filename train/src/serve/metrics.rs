//! What is counted, as Prometheus reads it.
//!
//! Source: the text format of Prometheus, version 0.0.4.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::generate::continuous::BatchCounts;

/// Seconds of a request.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Seconds of a token.
const SECONDS_OF_A_TOKEN: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// The code of a request whose client went away before it was answered, as other servers write it down.
pub const GONE: u16 = 499;

/// What was counted.
#[derive(Debug)]
pub struct Metrics {
    counted: Mutex<Counted>,
}

#[derive(Debug)]
struct Counted {
    /// By endpoint and code.
    requests: BTreeMap<(&'static str, u16), u64>,
    /// By endpoint.
    durations: BTreeMap<&'static str, Histogram>,
    first_token: Histogram,
    token: Histogram,
    prompt_tokens: u64,
    generated_tokens: u64,
}

/// How many observations are at most each bound.
#[derive(Debug)]
struct Histogram {
    bounds: &'static [f64],
    /// Of each bound those that are at most that, and more than the one before.
    counts: Vec<u64>,
    count: u64,
    sum: f64,
}

/// A request that is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Finished {
    pub code: u16,
    pub duration: Duration,
    /// From the request to its first token.
    pub first_token: Option<Duration>,
    pub prompt_tokens: usize,
    pub generated_tokens: usize,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len()], count: 0, sum: 0.0 }
    }

    fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(place) = self.bounds.iter().position(|bound| seconds <= *bound) {
            self.counts[place] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }

    /// - `labels`: such as `endpoint="/health"`, or nothing
    fn write(&self, text: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut below = 0;
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            below += count;
            let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", self.count);
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(text, "{name}_sum{braces} {}\n{name}_count{braces} {}", self.sum, self.count);
    }
}

impl Metrics {
    pub fn new() -> Self {
        let counted = Counted {
            requests: BTreeMap::new(),
            durations: BTreeMap::new(),
            first_token: Histogram::new(&SECONDS),
            token: Histogram::new(&SECONDS_OF_A_TOKEN),
            prompt_tokens: 0,
            generated_tokens: 0,
        };
        Self { counted: Mutex::new(counted) }
    }

    /// Counts a request that is over.
    pub fn count(&self, endpoint: &'static str, finished: Finished) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.requests.entry((endpoint, finished.code)).or_default() += 1;
        counted.durations.entry(endpoint).or_insert_with(|| Histogram::new(&SECONDS)).observe(finished.duration);
        counted.prompt_tokens += finished.prompt_tokens as u64;
        counted.generated_tokens += finished.generated_tokens as u64;
        if let Some(first) = finished.first_token {
            counted.first_token.observe(first);
        }
    }

    /// Counts a text that is complete: texts of one request come together, or one after the other, and each takes its own time.
    ///
    /// - `since_first`: the time since its first token
    pub fn count_text(&self, since_first: Duration, tokens: usize) {
        if let Ok(others @ 1..) = u32::try_from(tokens.saturating_sub(1)) {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            counted.token.observe(since_first / others);
        }
    }

    /// All of it.
    ///
    /// - `batch`: what the engine counts
    /// - `open`: requests of the engine that are not over
    pub fn text(&self, batch: BatchCounts, open: usize) -> String {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        let head = |text: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        head(&mut text, "tamis_requests_total", "counter", "Requests by endpoint and code; 499: the client went away.");
        for ((endpoint, code), count) in &counted.requests {
            let _ = writeln!(text, "tamis_requests_total{{endpoint=\"{endpoint}\",code=\"{code}\"}} {count}");
        }
        let name = "tamis_request_duration_seconds";
        head(&mut text, name, "histogram", "Seconds from a request to the end of its answer.");
        for (endpoint, histogram) in &counted.durations {
            histogram.write(&mut text, name, &format!("endpoint=\"{endpoint}\""));
        }
        let name = "tamis_time_to_first_token_seconds";
        head(&mut text, name, "histogram", "Seconds from a request to its first token.");
        counted.first_token.write(&mut text, name, "");
        let name = "tamis_time_per_output_token_seconds";
        head(&mut text, name, "histogram", "Seconds of a text's further tokens, on average.");
        counted.token.write(&mut text, name, "");
        let counters = [
            ("tamis_prompt_tokens_total", "Tokens of prompts that were answered.", counted.prompt_tokens),
            ("tamis_generated_tokens_total", "Tokens of answers.", counted.generated_tokens),
            ("tamis_prefix_cache_hit_tokens_total", "Tokens of prompts that were found in the cache.", batch.found),
            ("tamis_prefix_cache_miss_tokens_total", "Tokens of prompts that were processed.", batch.processed),
            ("tamis_preemptions_total", "Texts that gave way to others, and began again.", batch.preempted),
            ("tamis_steps_total", "Steps of the model.", batch.steps),
        ];
        for (name, help, count) in counters {
            head(&mut text, name, "counter", help);
            let _ = writeln!(text, "{name} {count}");
        }
        let gauges = [
            ("tamis_texts_running", "Texts that run.", batch.running),
            ("tamis_texts_waiting", "Texts that wait.", open.saturating_sub(batch.running)),
            ("tamis_cache_tokens", "Tokens whose keys and values are held.", batch.cached),
            ("tamis_cache_capacity_tokens", "Tokens whose keys and values have room.", batch.capacity),
        ];
        for (name, help, value) in gauges {
            head(&mut text, name, "gauge", help);
            let _ = writeln!(text, "{name} {value}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_can_be_read() {
        let metrics = Metrics::new();
        let ms = Duration::from_millis;
        let finished = Finished {
            code: 200,
            duration: ms(1200),
            first_token: Some(ms(200)),
            prompt_tokens: 7,
            generated_tokens: 11,
        };
        metrics.count("/v1/completions", finished);
        metrics.count_text(ms(1000), 11);
        metrics.count_text(ms(1000), 1);
        metrics.count("/v1/completions", Finished { code: 400, duration: ms(1), ..Finished::default() });
        let text = metrics.text(BatchCounts { found: 3, running: 1, ..BatchCounts::default() }, 5);
        for line in [
            "tamis_requests_total{endpoint=\"/v1/completions\",code=\"200\"} 1",
            "tamis_request_duration_seconds_bucket{endpoint=\"/v1/completions\",le=\"1\"} 1",
            "tamis_request_duration_seconds_bucket{endpoint=\"/v1/completions\",le=\"2.5\"} 2",
            "tamis_request_duration_seconds_bucket{endpoint=\"/v1/completions\",le=\"+Inf\"} 2",
            "tamis_request_duration_seconds_count{endpoint=\"/v1/completions\"} 2",
            "tamis_time_to_first_token_seconds_bucket{le=\"0.25\"} 1",
            "tamis_time_per_output_token_seconds_sum 0.1",
            "tamis_time_per_output_token_seconds_count 1",
            "tamis_prompt_tokens_total 7",
            "tamis_prefix_cache_hit_tokens_total 3",
            "tamis_texts_waiting 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
