//! Span corruption: a sequence of ids as what an encoder reads and what its decoder writes.
//!
//! ```text
//! sequence   Thank you for inviting me to your party last week
//! source     Thank you <extra_id_0> me to your party <extra_id_1> week </s>
//! target     <extra_id_0> for inviting <extra_id_1> last </s>
//! ```
//!
//! Spans of noise are taken out, each for a sentinel, and the target says what stood there: source and target together hold every id of the
//! sequence once. A sequence begins with text and ends with noise. Which ids are noise is a hash of (seed, number of the sequence).
//!
//! Useful for: pretraining a model with an encoder on plain text. Not useful for: pairs that are there; see [`super::Pairs`].
//!
//! Source: Raffel et al. 2020, sections 3.1.4 and 3.3.4; `random_spans_noise_mask` and `random_spans_helper` of their code for lengths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Pair;
use crate::random::Stream;

/// How much of a text is noise in span corruption, by the names of T5's code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpanNoise {
    /// The share of ids that is noise: more than 0 and less than 1. [default: 0.15]
    #[serde(rename = "noise_density")]
    pub density: f64,
    /// The mean length of spans of noise, in ids: 1 or more. [default: 3]
    #[serde(rename = "mean_noise_span_length")]
    pub mean_length: f64,
}

impl Default for SpanNoise {
    /// 15 % in spans of 3.
    fn default() -> Self {
        Self { density: 0.15, mean_length: 3.0 }
    }
}

/// How a sequence is cut: ids of noise, and spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    noise: usize,
    spans: usize,
}

impl SpanNoise {
    /// What is wrong with the numbers, if something is: the key, and the message.
    #[must_use]
    pub fn fault(self) -> Option<(&'static str, String)> {
        let Self { density, mean_length } = self;
        if !(density > 0.0 && density < 1.0) {
            let message = format!("the share of noise is more than 0 and less than 1, and not {density}");
            return Some(("noise_density", message));
        }
        (!(mean_length >= 1.0 && mean_length.is_finite())).then(|| {
            let message = format!("the mean length of spans of noise is 1 or more, and not {mean_length}");
            ("mean_noise_span_length", message)
        })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of a sequence")]
    fn counts(self, length: usize) -> Counts {
        let noise = ((length as f64 * self.density).round_ties_even() as usize).clamp(1, length - 1);
        let spans = ((noise as f64 / self.mean_length).round_ties_even() as usize).max(1);
        Counts { noise, spans: spans.min(noise).min(length - noise) }
    }

    /// The lengths of source and target of a sequence of `length` ids, 2 or more, the end of each included.
    #[must_use]
    pub fn lengths(self, length: usize) -> [usize; 2] {
        let Counts { noise, spans } = self.counts(length);
        [length - noise + spans + 1, noise + spans + 1]
    }

    /// The longest sequence whose source has `source_length` ids at most, the end included, and which has 64 times as many at most;
    /// `source_length` is 3 or more.
    #[must_use]
    pub fn sequence_length(self, source_length: usize) -> usize {
        let mut length = 2;
        while length < 64 * source_length && self.lengths(length + 1)[0] <= source_length {
            length += 1;
        }
        length
    }
}

/// Span corruption of the sequences of a training.
#[derive(Debug, Clone)]
pub struct SpanCorruption {
    noise: SpanNoise,
    sentinels: Vec<u32>,
    end: u32,
    seed: u64,
}

impl SpanCorruption {
    /// For sequences of up to `sequence_length` ids.
    ///
    /// - `sentinels`: the ids of `<extra_id_0>`, `<extra_id_1>` and so on
    /// - `end`: stands at the end of every source and target
    ///
    /// # Errors
    /// When numbers are out of their range, or there are fewer sentinels than a sequence may have spans.
    pub fn new(
        noise: SpanNoise,
        sequence_length: usize,
        sentinels: Vec<u32>,
        end: u32,
        seed: u64,
    ) -> Result<Self, String> {
        if let Some((_, message)) = noise.fault() {
            return Err(message);
        }
        if sequence_length < 2 {
            return Err(format!("a sequence of {sequence_length} ids has no room for both text and noise"));
        }
        let spans = noise.counts(sequence_length).spans;
        if spans > sentinels.len() {
            return Err(format!(
                "a sequence of {sequence_length} ids has {spans} spans of noise, and the tokenizer has {} sentinels `<extra_id_...>`",
                sentinels.len()
            ));
        }
        Ok(Self { noise, sentinels, end, seed })
    }

    /// What of a sequence is noise.
    #[must_use]
    pub fn noise(&self) -> SpanNoise {
        self.noise
    }

    /// What becomes of a sequence of 2 ids or more.
    ///
    /// - `number`: of the sequence; each has draws of its own
    #[must_use]
    pub fn pair(&self, sequence: &[u32], number: u64) -> Pair {
        let Counts { noise, spans } = self.noise.counts(sequence.len());
        let draws = |part: &str| Stream::new(self.seed, &format!("span corruption {part} {number}"));
        let noise_lengths = segments(noise, spans, draws("noise"));
        let text_lengths = segments(sequence.len() - noise, spans, draws("text"));
        let (mut source, mut target) = (Vec::new(), Vec::new());
        let mut rest = sequence;
        for ((text, noise), sentinel) in text_lengths.into_iter().zip(noise_lengths).zip(&self.sentinels) {
            let (text, after) = rest.split_at(text);
            let (noise, after) = after.split_at(noise);
            source.extend_from_slice(text);
            source.push(*sentinel);
            target.push(*sentinel);
            target.extend_from_slice(noise);
            rest = after;
        }
        source.push(self.end);
        target.push(self.end);
        Pair { source, target }
    }

    /// The same of ids as batches have them.
    pub(super) fn pair_of_inputs(&self, ids: &[i32], number: u64) -> Pair {
        let ids: Vec<u32> = ids.iter().map(|id| u32::try_from(*id).expect("ids count from 0")).collect();
        self.pair(&ids, number)
    }
}

/// `count` lengths of 1 or more that add up to `total`, every choice of them as likely as any other.
fn segments(total: usize, count: usize, draws: Stream) -> Vec<usize> {
    let mut lengths = Vec::with_capacity(count);
    let mut begin = 0;
    // a new segment begins at `count - 1` of the places after the first: each in turn is one with the odds that are left
    for place in 1..total {
        let (wanted, left) = (count - 1 - lengths.len(), total - place);
        if draws.fraction(place as u64) * (left as f64) < wanted as f64 {
            lengths.push(place - begin);
            begin = place;
        }
    }
    lengths.push(total - begin);
    lengths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rayon::prelude::*;

    use super::*;

    const END: u32 = 1;

    /// The ids of `<extra_id_0>` and so on, in descending order as T5's tokenizer has them.
    fn sentinels(count: u32) -> Vec<u32> {
        (0..count).map(|number| 31_999 + 100 - number).collect()
    }

    fn corruption(noise: SpanNoise, sequence_length: usize, seed: u64) -> SpanCorruption {
        SpanCorruption::new(noise, sequence_length, sentinels(1000), END, seed).expect("the numbers fit")
    }

    /// The spans of a source or a target, each with its sentinel, without the end.
    fn spans(ids: &[u32], sentinels: &[u32]) -> Vec<(u32, Vec<u32>)> {
        let (end, ids) = ids.split_last().expect("there is an end");
        assert_eq!(*end, END);
        let mut spans: Vec<(u32, Vec<u32>)> = Vec::new();
        for id in ids {
            if sentinels.contains(id) {
                spans.push((*id, Vec::new()));
            } else {
                spans.last_mut().expect("a target begins with a sentinel").1.push(*id);
            }
        }
        spans
    }

    proptest! {
        /// Source and target together give the sequence back, have the lengths that were promised, and sentinels in their order.
        #[test]
        fn nothing_is_lost(
            length in 2usize..700, density in 0.01f64..0.99, mean_length in 1.0f64..20.0, seed: u64, number: u64,
        ) {
            let noise = SpanNoise { density, mean_length };
            let sequence: Vec<u32> = (0..length).map(|place| 2 + u32::try_from(place).expect("small")).collect();
            let corruption = corruption(noise, length, seed);
            let Pair { source, target } = corruption.pair(&sequence, number);
            prop_assert_eq!([source.len(), target.len()], noise.lengths(length));
            let taken = spans(&target, &corruption.sentinels);
            prop_assert!(taken.iter().all(|(_, span)| !span.is_empty()));
            let order: Vec<u32> = taken.iter().map(|(sentinel, _)| *sentinel).collect();
            prop_assert_eq!(&order[..], &corruption.sentinels[..order.len()]);
            let back: Vec<u32> = source[..source.len() - 1]
                .iter()
                .flat_map(|id| match taken.iter().find(|(sentinel, _)| sentinel == id) {
                    Some((_, span)) => span.clone(),
                    None => vec![*id],
                })
                .collect();
            prop_assert_eq!(back, sequence);
        }

        /// A source is as long as is allowed, or one sequence longer would be too long.
        #[test]
        fn sequences_fill_their_sources(source_length in 3usize..600, density in 0.05f64..0.5, mean_length in 1.0f64..10.0) {
            let noise = SpanNoise { density, mean_length };
            let length = noise.sequence_length(source_length);
            prop_assert!(noise.lengths(length)[0] <= source_length && noise.lengths(length + 1)[0] > source_length);
        }
    }

    /// The numbers of T5: 568 ids become 512 and 114.
    #[test]
    fn lengths_are_those_of_the_paper() {
        let noise = SpanNoise::default();
        assert_eq!(noise.sequence_length(512), 568);
        assert_eq!(noise.lengths(568), [512, 114]);
    }

    #[test]
    fn draws_depend_on_seed_and_number_alone() {
        let sequence: Vec<u32> = (2..102).collect();
        let of = |seed, number| corruption(SpanNoise::default(), 100, seed).pair(&sequence, number);
        let alone: Vec<Pair> = (0..50).map(|number| of(7, number)).collect();
        let together: Vec<Pair> = (0..50u64).into_par_iter().map(|number| of(7, number)).collect();
        assert_eq!(alone, together);
        assert_ne!(of(7, 0), of(8, 0));
        assert_ne!(of(7, 0), of(7, 1));
    }

    /// Every division into segments comes as often as any other, and every place inside is noise by its share.
    #[test]
    fn segments_are_uniform() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6_000 {
            *counts.entry(segments(5, 3, Stream::new(seed, "test"))).or_insert(0) += 1;
        }
        // 5 as a sum of 3 numbers in order: 6 ways
        assert_eq!(counts.len(), 6, "{counts:?}");
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let fault = |noise, length, sentinels| {
            SpanCorruption::new(noise, length, sentinels, END, 1).expect_err("it does not fit")
        };
        let usual = SpanNoise::default();
        assert_eq!(
            fault(usual, 568, sentinels(27)),
            "a sequence of 568 ids has 28 spans of noise, and the tokenizer has 27 sentinels `<extra_id_...>`"
        );
        assert!(fault(usual, 1, sentinels(1)).contains("no room"));
        assert!(fault(SpanNoise { density: 1.0, ..usual }, 9, sentinels(9)).contains("share of noise"));
        assert!(fault(SpanNoise { mean_length: 0.5, ..usual }, 9, sentinels(9)).contains("mean length"));
    }
}
