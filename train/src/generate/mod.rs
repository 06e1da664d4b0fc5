//! Text from a model, one token after the other.
//!
//! Prompts of different lengths go through the model together; what was computed is kept in a cache, and a row that has come to
//! its end leaves it. When a row fills the model's context, the last half of it is kept and the rest forgotten.

mod beam;
mod choice;

pub use beam::{Beams, beam_search};
pub use choice::Sampling;

use crate::{
    model::{Gpt, KvCache, Tokens},
    random::Stream,
};

/// When a text is over.
pub struct Limits<'a> {
    /// New tokens, at most.
    pub tokens: usize,
    /// The token that an empty prompt stands for: what comes before a text.
    pub begin: u32,
    /// The tokens that each end a text.
    pub ends: &'a [u32],
    /// Ids that no token has, and that are never chosen: a table may have more rows than there are tokens.
    pub never: &'a [u32],
    /// Whether a text is over for another reason, such as a string in it: of its new tokens.
    pub is_over: &'a dyn Fn(&[u32]) -> bool,
}

impl Limits<'_> {
    fn are_reached(&self, new: &[u32]) -> bool {
        let is_ended = new.last().is_some_and(|last| self.ends.contains(last));
        new.len() >= self.tokens || is_ended || (self.is_over)(new)
    }

    /// Takes the chance from what is never chosen.
    ///
    /// # Shapes
    /// - `logits`: `[batch, vocab_size]`
    fn mask(&self, logits: &mut [f32], vocab_size: usize) {
        if self.never.is_empty() {
            return;
        }
        for row in logits.chunks_exact_mut(vocab_size) {
            self.never.iter().for_each(|id| row[*id as usize] = f32::NEG_INFINITY);
        }
    }
}

/// Goes on with each prompt until its limits are reached. Returns the new ids, the end among them.
///
/// An empty prompt counts as what comes before a text. Draws depend on the seed and the number of the prompt alone.
#[must_use]
pub fn generate(model: &Gpt, prompts: &[Vec<u32>], sampling: Sampling, limits: &Limits<'_>) -> Vec<Vec<u32>> {
    let mut rows: Vec<Row> = prompts.iter().map(|prompt| Row::new(prompt, limits.begin)).collect();
    let mut running: Vec<usize> = (0..rows.len()).filter(|_| limits.tokens > 0).collect();
    let streams: Vec<Stream> =
        (0..rows.len()).map(|number| Stream::new(sampling.seed, &format!("generate {number}"))).collect();
    let mut seen = Seen::new(model, running.len());
    while !running.is_empty() {
        let ids: Vec<&[u32]> = running.iter().map(|row| rows[*row].ids.as_slice()).collect();
        let mut logits = seen.next(&ids);
        limits.mask(&mut logits, model.vocab_size());
        let mut staying = Vec::new();
        for (place, (number, logits)) in running.iter().zip(logits.chunks_exact(model.vocab_size())).enumerate() {
            let row = &mut rows[*number];
            let draw = streams[*number].fraction(row.written().len() as u64);
            row.ids.push(sampling.choose(logits, draw));
            if !limits.are_reached(row.written()) {
                staying.push(place);
            }
        }
        if !staying.is_empty() && staying.len() < running.len() {
            seen.keep(&staying);
        }
        running = staying.into_iter().map(|place| running[place]).collect();
    }
    rows.into_iter().map(|row| row.written().to_vec()).collect()
}

/// A text as far as it is known.
struct Row {
    ids: Vec<u32>,
    prompt: usize,
}

impl Row {
    fn new(prompt: &[u32], begin: u32) -> Self {
        let ids = if prompt.is_empty() { vec![begin] } else { prompt.to_vec() };
        Self { prompt: ids.len(), ids }
    }

    fn written(&self) -> &[u32] {
        &self.ids[self.prompt..]
    }
}

/// A model with what it has seen of some rows.
struct Seen<'m> {
    model: &'m Gpt,
    cache: KvCache,
    /// How much of each row went through the model.
    through: Vec<usize>,
}

impl<'m> Seen<'m> {
    fn new(model: &'m Gpt, rows: usize) -> Self {
        Self { model, cache: KvCache::new(model.architecture(), rows, &model.device()), through: vec![0; rows] }
    }

    /// The logits that follow each row, `[batch, vocab_size]`.
    fn next(&mut self, rows: &[&[u32]]) -> Vec<f32> {
        let context = self.model.architecture().context_length;
        let grown = |(row, (through, length)): (&&[u32], (&usize, &usize))| length + row.len() - through > context;
        if rows.iter().zip(self.through.iter().zip(self.cache.lengths())).any(grown) {
            self.cache.clear();
            let half = (context / 2).max(1);
            // at first a whole context may go in; later half of it stays, so that this comes seldom
            let room = if self.through.contains(&0) { context } else { half };
            self.through = rows.iter().map(|row| row.len().saturating_sub(room)).collect();
        }
        let counts: Vec<usize> = rows.iter().zip(&self.through).map(|(row, through)| row.len() - through).collect();
        let time = counts.iter().copied().max().unwrap_or(0);
        let mut ids = Vec::with_capacity(rows.len() * time);
        for ((row, through), count) in rows.iter().zip(&self.through).zip(&counts) {
            ids.extend(
                row[*through..].iter().map(|id| i32::try_from(*id).expect("a vocabulary has fewer than 2^31 tokens")),
            );
            ids.extend(std::iter::repeat_n(0, time - count));
        }
        let tokens = Tokens { ids: &ids, batch_size: rows.len(), starts: None };
        let logits = self.model.next(tokens, &counts, &mut self.cache);
        self.through = rows.iter().map(|row| row.len()).collect();
        logits.into_data().try_to_vec().expect("logits are single precision")
    }

    /// Goes on with these rows, in this order; one may come more than once.
    fn keep(&mut self, rows: &[usize]) {
        self.cache.reorder(rows);
        self.through = rows.iter().map(|row| self.through[*row]).collect();
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::ModelConfig;

    fn model() -> Gpt {
        let config = ModelConfig {
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(16),
            context_length: Some(8),
            ..ModelConfig::default()
        };
        config.architecture().expect("the numbers fit together").init(12, 3, &Device::flex())
    }

    const GREEDY: Sampling = Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 1 };

    fn limits(tokens: usize) -> Limits<'static> {
        Limits { tokens, begin: 11, ends: &[11], never: &[], is_over: &|_| false }
    }

    #[test]
    fn a_prompt_in_a_batch_is_as_if_alone() {
        let model = model();
        let prompts = [vec![1, 2, 3], vec![4], vec![], vec![5, 6]];
        for sampling in [GREEDY, Sampling { temperature: 1.0, ..GREEDY }] {
            let together = generate(&model, &prompts, sampling, &limits(4));
            assert_eq!(generate(&model, &prompts[..1], sampling, &limits(4)), together[..1]);
            assert_eq!(together, generate(&model, &prompts, sampling, &limits(4)), "a seed fixes the text");
        }
    }

    #[test]
    fn greedy_tokens_are_the_likeliest_of_the_whole_text() {
        let model = model();
        let new = &generate(&model, &[vec![1, 2]], GREEDY, &limits(6))[0];
        let mut ids = vec![1, 2];
        for id in new {
            let seen: Vec<i32> = ids.clone();
            let logits = model.logits(Tokens { ids: &seen, batch_size: 1, starts: None }).into_data();
            let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
            let last = &logits[(seen.len() - 1) * 12..];
            let likeliest = (0..12).max_by(|one, other| last[*one].total_cmp(&last[*other]));
            assert_eq!(likeliest, Some(*id as usize));
            ids.push(i32::try_from(*id).expect("small"));
        }
    }

    #[test]
    fn a_text_may_grow_past_the_context() {
        let new = generate(&model(), &[vec![1; 20], vec![2]], Sampling { temperature: 1.0, ..GREEDY }, &limits(30));
        for new in new {
            assert!(new.len() == 30 || new.last() == Some(&11));
        }
    }

    /// Ids that no token has do not come up, however likely they are, and each end is one.
    #[test]
    fn what_is_never_chosen_does_not_come_up() {
        let model = model();
        let free = generate(&model, &[vec![1, 2]], GREEDY, &limits(6)).remove(0);
        let never = [free[0]];
        let beams = Beams { beams: 20, length_penalty: 1.0 };
        for sampling in
            [GREEDY, Sampling { temperature: 50.0, ..GREEDY }, Sampling { temperature: 1.0, top_k: 11, ..GREEDY }]
        {
            let limits = Limits { never: &never, ..limits(40) };
            let new = generate(&model, &[vec![1, 2], vec![3]], sampling, &limits).concat();
            assert!(!new.contains(&never[0]), "{new:?}");
            assert!(!beam_search(&model, &[1, 2], beams, &Limits { tokens: 4, ..limits }).contains(&never[0]));
        }
        let ends = [11, free[1]];
        let ended = generate(&model, &[vec![1, 2]], GREEDY, &Limits { ends: &ends, ..limits(6) }).remove(0);
        let first = free.iter().position(|id| ends.contains(id)).expect("the second is an end");
        assert_eq!(ended, free[..=first]);
    }

    #[test]
    fn a_text_ends_where_it_is_over() {
        let over = Limits { is_over: &|new: &[u32]| new.len() == 2, ..limits(30) };
        let new = generate(&model(), &[vec![1], vec![2]], GREEDY, &over);
        assert!(new.iter().all(|new| new.len() <= 2));
    }
}
