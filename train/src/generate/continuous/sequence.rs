//! A request on its way through the model.

use super::{FinishReason, GenerationRequest, TokenScore, prefix_tree::NodeId};
use crate::{inference::SequenceCache, random::Stream};

/// A request, and how far it has come.
#[derive(Debug)]
pub struct Sequence {
    /// Whose it is.
    pub key: u64,
    /// The prompt, and what was generated.
    pub ids: Vec<u32>,
    /// Of the first of them.
    pub cache: SequenceCache,
    /// The node of the tokens that it shares with others, and how many these are.
    pub shared: (Option<NodeId>, usize),
    pub progress: Progress,
}

/// What else is known of it: apart, since the caches of many are lent out together.
#[derive(Debug)]
pub struct Progress {
    pub request: GenerationRequest,
    /// Tokens of the prompt.
    pub prompt: usize,
    /// What those were judged to be, as far as that was asked for and is known.
    pub scores: Vec<Option<TokenScore>>,
    /// Whether they were handed over.
    pub is_echoed: bool,
    /// Whether the tokens of the prompt were left to others.
    pub is_left: bool,
    /// Draws by position.
    stream: Stream,
    /// The token that was chosen in this step; a fault where the model computed none.
    pub chosen: Option<Result<TokenScore, FinishReason>>,
}

impl Sequence {
    pub fn new(key: u64, mut request: GenerationRequest, cache: SequenceCache) -> Self {
        let ids = std::mem::take(&mut request.prompt);
        let stream = Stream::new(request.sampling.seed, &format!("generate {}", request.sample));
        let progress = Progress {
            prompt: ids.len(),
            scores: if request.echo { vec![None] } else { Vec::new() },
            is_echoed: !request.echo,
            is_left: false,
            stream,
            chosen: None,
            request,
        };
        Self { key, ids, cache, shared: (None, 0), progress }
    }

    /// Tokens that the model has to process before the next can be chosen, or before all are judged: of the last one nothing is needed
    /// where none is to follow.
    pub fn wanted(&self) -> usize {
        let GenerationRequest { max_new_tokens, echo, .. } = self.progress.request;
        match (max_new_tokens, echo) {
            (0, false) => 0,
            (0, true) => self.ids.len() - 1,
            _ => self.ids.len(),
        }
    }

    /// Those of them that it has not processed yet.
    pub fn pending(&self) -> usize {
        self.wanted().saturating_sub(self.cache.len())
    }

    /// Whether its prompt, or what it had to give up, is still being processed.
    pub fn is_prefilling(&self) -> bool {
        self.pending() > 1 || !self.progress.is_left
    }

    /// How many tokens of a cache can be used, of which `known` are there, with what they were judged to be: the logits of the last must be
    /// computed again, and so must those that judge a token of which too little is known.
    pub fn usable(&self, known: usize, scores: &[&Option<TokenScore>]) -> usize {
        let Progress { request, is_echoed, prompt, .. } = &self.progress;
        let last = if request.max_new_tokens == 0 { self.wanted() } else { self.ids.len() - 1 };
        if *is_echoed {
            return known.min(last);
        }
        let count = request.logprobs.unwrap_or(0);
        let is_judged = |score: &&Option<TokenScore>| score.as_ref().is_some_and(|score| score.has(count));
        let judged = 1 + scores.iter().skip(1).take_while(|score| is_judged(score)).count();
        let judged = judged.min(known).min(*prompt);
        // the logits of a token judge the next one
        let needed = if judged == *prompt { last } else { judged.saturating_sub(1) };
        known.min(needed)
    }

    /// Whether it has no token more to choose.
    pub fn finish(&self, context_length: usize) -> Option<FinishReason> {
        let Progress { request, prompt, .. } = &self.progress;
        let new = &self.ids[*prompt..];
        if new.last().is_some_and(|last| request.eos.contains(last)) {
            return Some(FinishReason::EndOfText);
        }
        (new.len() >= request.max_new_tokens || self.ids.len() > context_length).then_some(FinishReason::Length)
    }
}

impl Progress {
    /// Takes the logits of a token that was processed.
    ///
    /// - `ids`: all that are there
    /// - `position`: of the token
    /// - `logits`: `[vocab_size]`
    pub fn take(&mut self, ids: &[u32], position: usize, logits: &[f32]) {
        let next = position + 1;
        let count = self.request.logprobs.unwrap_or(0);
        if next < self.prompt {
            let score = TokenScore::new(ids[next], logits, count, &self.request.suppressed);
            self.scores.truncate(next);
            self.scores.push(Some(score));
        } else if next == ids.len() {
            self.chosen = Some(self.choose(logits, next - self.prompt));
        }
    }

    /// The token that follows, by the draw of its number among the new ones.
    fn choose(&self, logits: &[f32], number: usize) -> Result<TokenScore, FinishReason> {
        let GenerationRequest { sampling, suppressed, logit_bias, logprobs, .. } = &self.request;
        let draw = self.stream.fraction(number as u64);
        let id = if suppressed.is_empty() && logit_bias.is_empty() {
            sampling.choose(logits, draw)
        } else {
            let mut changed = logits.to_vec();
            logit_bias.iter().for_each(|(id, bias)| changed[*id as usize] += bias);
            suppressed.iter().for_each(|id| changed[*id as usize] = f32::NEG_INFINITY);
            sampling.choose(&changed, draw)
        };
        let score = TokenScore::new(id, logits, logprobs.unwrap_or(0), suppressed);
        if score.logprob.is_nan() { Err(FinishReason::NotANumber) } else { Ok(score) }
    }
}
