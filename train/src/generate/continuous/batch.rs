//! The batch: who runs, who waits, and a step of all.

use std::{collections::VecDeque, sync::Arc};

use super::{
    BatchLimits, FinishReason, GenerationEvent, GenerationRequest, RequestFault, TokenScore,
    prefix_tree::{CachedPrefix, PrefixTree},
    sequence::Sequence,
};
use crate::inference::{InferenceModel, NewTokens, SequenceCache};

/// Tokens by which what a sequence or a leaf holds may be more than its own: a copied first block, and a last one that is not full.
const SLACK: usize = 2 * SequenceCache::BLOCK;

/// Tokens of a prompt that are processed in a step, however many sequences are being continued.
const LEAST_CHUNK: usize = 32;

/// Waiting requests that are looked at in a step.
const LOOKED_AT: usize = 64;

/// Tokens by which each running sequence should be able to grow before another is let in: or that would soon have to give way again.
const HEADROOM: usize = 64;

/// Tokens in common with a prompt that is being processed for which it pays to wait until it is.
const WORTH_WAITING: usize = 16;

/// Texts that are generated together; see the module.
#[derive(Debug)]
pub struct ContinuousBatch {
    model: Arc<InferenceModel>,
    limits: BatchLimits,
    /// Tokens whose keys and values have room.
    capacity: usize,
    prefixes: PrefixTree<SequenceCache>,
    waiting: VecDeque<Sequence>,
    /// The oldest first.
    running: Vec<Sequence>,
    counts: BatchCounts,
}

/// What a batch has done so far, and does now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// Sequences that wait.
    pub waiting: usize,
    /// Sequences that run.
    pub running: usize,
    /// Tokens whose keys and values are held: of sequences, and of prefixes.
    pub cached: usize,
    /// Tokens whose keys and values have room.
    pub capacity: usize,
    /// Tokens of prompts that were there already.
    pub found: u64,
    /// Tokens of prompts that were processed.
    pub processed: u64,
    /// Tokens that were generated.
    pub generated: u64,
    /// Sequences that had to give up their caches to others, and began again.
    pub preempted: u64,
    /// Steps.
    pub steps: u64,
}

impl CachedPrefix for SequenceCache {
    fn truncate(&mut self, length: usize) {
        Self::truncate(self, length);
    }
}

impl ContinuousBatch {
    /// An empty one.
    #[must_use]
    pub fn new(model: Arc<InferenceModel>, limits: BatchLimits) -> Self {
        let context_length = model.context_length();
        let capacity = (limits.cache_bytes / model.bytes_per_token().max(1)).max(context_length + SLACK);
        let counts = BatchCounts { capacity, ..BatchCounts::default() };
        let limits =
            BatchLimits { step_tokens: limits.step_tokens.max(1), sequences: limits.sequences.max(1), ..limits };
        Self {
            model,
            limits,
            capacity,
            prefixes: PrefixTree::new(),
            waiting: VecDeque::new(),
            running: Vec::new(),
            counts,
        }
    }

    /// Adds a request, which waits until there is room.
    ///
    /// - `key`: by which its events are told; that of no other request that is not finished
    ///
    /// # Errors
    /// When the model cannot run it.
    pub fn add(&mut self, key: u64, mut request: GenerationRequest) -> Result<(), RequestFault> {
        let (context_length, vocab_size) = (self.model.context_length(), self.model.vocab_size());
        let tokens = request.prompt.len();
        if tokens == 0 {
            return Err(RequestFault::EmptyPrompt);
        }
        if tokens > context_length {
            return Err(RequestFault::TooLong { tokens, context_length });
        }
        let biased = request.logit_bias.iter().map(|(id, _)| id);
        if let Some(id) = request.prompt.iter().chain(biased).find(|id| **id as usize >= vocab_size) {
            return Err(RequestFault::UnknownId { id: *id, vocab_size });
        }
        if !request.suppressed.is_sorted() {
            let mut suppressed = request.suppressed.to_vec();
            suppressed.sort_unstable();
            request.suppressed = suppressed.into();
        }
        self.waiting.push_back(Sequence::new(key, request, self.model.cache()));
        Ok(())
    }

    /// Forgets a request, of which nothing more is told.
    pub fn cancel(&mut self, key: u64) {
        self.waiting.retain(|sequence| sequence.key != key);
        if let Some(place) = self.running.iter().position(|sequence| sequence.key == key) {
            let sequence = self.running.remove(place);
            self.release(&sequence);
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// What it has done so far, and does now.
    #[must_use]
    pub fn counts(&self) -> BatchCounts {
        let (waiting, running, cached) = (self.waiting.len(), self.running.len(), self.used());
        BatchCounts { waiting, running, cached, ..self.counts }
    }

    /// Lets those in that have room, processes some tokens of each, and tells what became of them.
    ///
    /// - `on_event`: is given the key of a request, and what became of it
    pub fn step(&mut self, on_event: &mut dyn FnMut(u64, GenerationEvent)) {
        self.counts.steps += 1;
        self.admit();
        let counts = self.with_room();
        self.process(&counts);
        let mut staying = Vec::with_capacity(self.running.len());
        for mut sequence in std::mem::take(&mut self.running) {
            match self.advance(&mut sequence, on_event) {
                Some(reason) => {
                    self.leave(&mut sequence);
                    self.release(&sequence);
                    on_event(sequence.key, GenerationEvent::Finished { reason });
                }
                None => staying.push(sequence),
            }
        }
        self.running = staying;
    }

    /// Tokens that are held, and those that blocks waste.
    fn used(&self) -> usize {
        let own = |sequence: &Sequence| sequence.cache.len().saturating_sub(sequence.shared.1) + SLACK;
        self.prefixes.tokens() + self.prefixes.leaves() * SLACK + self.running.iter().map(own).sum::<usize>()
    }

    /// By how much it would be less without prefixes that nobody uses.
    fn forgettable(&self) -> usize {
        let (tokens, leaves) = self.prefixes.forgettable();
        tokens + leaves * SLACK
    }

    /// Lets requests in, in the order in which they came; but one whose prompt is just being processed for another waits for that, since it
    /// will find it there.
    fn admit(&mut self) {
        let mut place = 0;
        while self.running.len() < self.limits.sequences && place < self.waiting.len().min(LOOKED_AT) {
            if self.is_worth_waiting(&self.waiting[place]) {
                place += 1;
                continue;
            }
            let sequence = self.waiting.remove(place).expect("it waits");
            let mut sequence = self.beginning(sequence);
            let others: usize = self.running.iter().map(|sequence| sequence.pending() + HEADROOM).sum();
            let wanted = sequence.pending() + SLACK + others;
            let capacity = self.capacity;
            let is_short = |used: usize| used + wanted > capacity;
            let is_alone = self.running.is_empty();
            // what is known is not forgotten for one that has to wait nevertheless
            if is_short(self.used()) && (is_alone || !is_short(self.used().saturating_sub(self.forgettable()))) {
                while is_short(self.used()) && self.prefixes.forget_one() {}
            }
            if is_short(self.used()) && !is_alone {
                self.release(&sequence);
                sequence.shared = (None, 0);
                sequence.cache = self.model.cache();
                self.waiting.insert(place, sequence);
                return;
            }
            self.counts.found += sequence.cache.len() as u64;
            self.running.push(sequence);
        }
    }

    /// The same with what is known of its tokens.
    fn beginning(&mut self, mut sequence: Sequence) -> Sequence {
        let (node, known) = self.prefixes.find(&sequence.ids[..sequence.wanted()]);
        let scores = self.prefixes.scores(node);
        let usable = sequence.usable(known, &scores);
        if !sequence.progress.is_echoed {
            // those that are computed again are judged again
            let count = sequence.progress.request.logprobs.unwrap_or(0);
            let judged = scores.iter().take(usable + 1).map(|score| score.as_ref().map(|score| score.with(count)));
            let judged: Vec<Option<TokenScore>> = judged.collect();
            if judged.len() > 1 {
                sequence.progress.scores = judged;
            }
        }
        if let Some(mut cache) = self.prefixes.cache(node).filter(|_| usable > 0) {
            cache.truncate(usable);
            sequence.cache = cache;
            self.prefixes.pin(node);
            sequence.shared = (Some(node), usable);
        }
        sequence
    }

    /// Whether the prompt of another that is being processed has more of this one's beginning than is known by now.
    fn is_worth_waiting(&self, sequence: &Sequence) -> bool {
        let mut known = None;
        self.running.iter().filter(|other| other.is_prefilling()).any(|other| {
            let (one, two) = (&sequence.progress, &other.progress);
            let has_scores = one.is_echoed
                || (two.request.echo && two.request.logprobs.unwrap_or(0) >= one.request.logprobs.unwrap_or(0));
            let common = sequence.ids.iter().zip(&other.ids).take_while(|(one, two)| one == two).count();
            has_scores
                && common >= WORTH_WAITING
                && common >= WORTH_WAITING + *known.get_or_insert_with(|| self.prefixes.known(&sequence.ids))
        })
    }

    /// How many tokens of each running sequence are processed in this step, once there is room for them: prefixes that nobody uses go, then
    /// the youngest sequences wait again.
    fn with_room(&mut self) -> Vec<usize> {
        loop {
            let counts = self.counts_of_step();
            let wanted: usize = counts.iter().sum();
            if self.used() + wanted <= self.capacity || self.prefixes.forget_one() {
                if self.used() + wanted <= self.capacity {
                    return counts;
                }
                continue;
            }
            if self.running.len() < 2 {
                return counts;
            }
            let mut youngest = self.running.pop().expect("there are two");
            self.release(&youngest);
            youngest.shared = (None, 0);
            youngest.cache = self.model.cache();
            youngest.progress.is_left = false;
            if !youngest.progress.is_echoed {
                youngest.progress.scores = vec![None];
            }
            self.counts.preempted += 1;
            self.waiting.push_front(youngest);
        }
    }

    fn counts_of_step(&self) -> Vec<usize> {
        let continued = self.running.iter().filter(|sequence| sequence.pending() == 1).count();
        let mut budget =
            self.limits.step_tokens.saturating_sub(continued).max(LEAST_CHUNK.min(self.limits.step_tokens));
        let of = |sequence: &Sequence| match sequence.pending() {
            pending @ ..=1 => pending,
            pending => {
                let count = pending.min(budget);
                budget -= count;
                count
            }
        };
        self.running.iter().map(of).collect()
    }

    /// Runs tokens through the model.
    ///
    /// - `counts`: how many of each running sequence
    fn process(&mut self, counts: &[usize]) {
        let mut new = Vec::with_capacity(counts.len());
        let mut others = Vec::with_capacity(counts.len());
        for (sequence, count) in self.running.iter_mut().zip(counts).filter(|(_, count)| **count > 0) {
            let (start, wanted) = (sequence.cache.len(), sequence.wanted());
            let Sequence { ids, cache, progress, .. } = sequence;
            let end = start + count;
            let is_judging = start + 1 < progress.prompt && !progress.is_echoed;
            let of_last = if end == wanted { count - 1 } else { *count };
            let wanted = if is_judging { 0..*count } else { of_last..*count };
            let is_prompt = start + 1 < progress.prompt || !progress.is_left;
            self.counts.processed += if is_prompt { *count as u64 } else { 0 };
            new.push(NewTokens { tokens: &ids[start..end], cache, wanted });
            others.push((&ids[..], start, progress));
        }
        if !new.is_empty() {
            self.model.forward(&mut new, &mut |at, logits| {
                let (ids, start, progress) = &mut others[at.sequence];
                progress.take(ids, *start + at.token, logits);
            });
        }
    }

    /// Tells what a step made of a sequence. Returns why it is over, if it is.
    fn advance(
        &mut self,
        sequence: &mut Sequence,
        on_event: &mut dyn FnMut(u64, GenerationEvent),
    ) -> Option<FinishReason> {
        if sequence.pending() > 0 {
            return None;
        }
        if !sequence.progress.is_left {
            self.leave(sequence);
            sequence.progress.is_left = true;
        }
        if !sequence.progress.is_echoed {
            sequence.progress.is_echoed = true;
            let scores = std::mem::take(&mut sequence.progress.scores);
            if scores.iter().flatten().any(|score| score.logprob.is_nan()) {
                return Some(FinishReason::NotANumber);
            }
            on_event(sequence.key, GenerationEvent::Prompt { scores });
        }
        match sequence.progress.chosen.take() {
            Some(Ok(score)) => {
                self.counts.generated += 1;
                sequence.ids.push(score.id);
                on_event(sequence.key, GenerationEvent::Token(score));
            }
            Some(Err(reason)) => return Some(reason),
            None => {}
        }
        sequence.finish(self.model.context_length())
    }

    /// Leaves what a sequence has computed to others, and shares what they have of it.
    fn leave(&mut self, sequence: &mut Sequence) {
        let length = sequence.cache.len();
        let ids = &sequence.ids[..length];
        let judged = &sequence.progress.scores;
        let (known_node, known) = self.prefixes.find(ids);
        if known > sequence.shared.1
            && let Some(of_others) = self.prefixes.cache(known_node)
        {
            // another has computed the same: once is enough
            sequence.cache.adopt(&of_others);
        }
        let (node, _) = self.prefixes.insert(ids, &sequence.cache, &judged[..judged.len().min(length)]);
        self.prefixes.pin(node);
        self.release(sequence);
        sequence.shared = (Some(node), length);
    }

    fn release(&mut self, sequence: &Sequence) {
        if let (Some(node), _) = sequence.shared {
            self.prefixes.release(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::tensor::Device;
    use proptest::prelude::*;

    use super::*;
    use crate::{generate::Sampling, inference::WeightFormat, model::ModelConfig, random::Stream};

    const VOCAB_SIZE: usize = 12;
    const CONTEXT: usize = 96;

    fn model() -> Arc<InferenceModel> {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(CONTEXT),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(VOCAB_SIZE, 3, &Device::flex());
        Arc::new(InferenceModel::new(&model, WeightFormat::F32))
    }

    fn request(prompt: Vec<u32>, max_new_tokens: usize) -> GenerationRequest {
        GenerationRequest {
            prompt,
            max_new_tokens,
            sampling: Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 1 },
            sample: 0,
            eos: [11].into(),
            suppressed: [10].into(),
            logit_bias: Vec::new(),
            logprobs: None,
            echo: false,
        }
    }

    /// What a request is answered, by one call of the model for each token, with nothing in common.
    fn alone(model: &InferenceModel, request: &GenerationRequest) -> Vec<GenerationEvent> {
        let logits = |ids: &[u32]| {
            let mut cache = model.cache();
            let mut row = Vec::new();
            let new = NewTokens { tokens: ids, cache: &mut cache, wanted: ids.len() - 1..ids.len() };
            model.forward(&mut [new], &mut |_, logits| row = logits.to_vec());
            row
        };
        let GenerationRequest { sampling, suppressed, logprobs, .. } = request;
        let count = logprobs.unwrap_or(0);
        let mut events = Vec::new();
        let mut ids = request.prompt.clone();
        if request.echo {
            let judged = (1..ids.len())
                .map(|place| Some(TokenScore::new(ids[place], &logits(&ids[..place]), count, suppressed)));
            events.push(GenerationEvent::Prompt { scores: [None].into_iter().chain(judged).collect() });
        }
        let stream = Stream::new(sampling.seed, &format!("generate {}", request.sample));
        let mut reason = FinishReason::Length;
        for number in 0..request.max_new_tokens {
            if ids.len() > CONTEXT {
                break;
            }
            let row = logits(&ids);
            let mut changed = row.clone();
            request.logit_bias.iter().for_each(|(id, bias)| changed[*id as usize] += bias);
            suppressed.iter().for_each(|id| changed[*id as usize] = f32::NEG_INFINITY);
            let id = sampling.choose(&changed, stream.fraction(number as u64));
            events.push(GenerationEvent::Token(TokenScore::new(id, &row, count, suppressed)));
            ids.push(id);
            if request.eos.contains(&id) {
                reason = FinishReason::EndOfText;
                break;
            }
        }
        events.push(GenerationEvent::Finished { reason });
        events
    }

    /// What becomes of requests that are all there at first.
    fn together(batch: &mut ContinuousBatch, requests: &[GenerationRequest]) -> Vec<Vec<GenerationEvent>> {
        let mut events = vec![Vec::new(); requests.len()];
        for (key, request) in (0..).zip(requests) {
            batch.add(key, request.clone()).expect("it can be run");
        }
        while !batch.is_idle() {
            batch.step(&mut |key, event| events[usize::try_from(key).expect("small")].push(event));
        }
        events
    }

    fn a_request() -> impl Strategy<Value = GenerationRequest> {
        // beginnings that many have in common
        let prompt =
            (0..3u32, 0..40usize, proptest::collection::vec(0..10u32, 1..30)).prop_map(|(which, length, rest)| {
                let common = (0..).map(|place: u32| (place * (which + 2) + which) % 10).take(length);
                common.chain(rest).collect::<Vec<u32>>()
            });
        let biased = prop_oneof![Just(Vec::new()), Just(vec![(3, 0.3), (5, -100.0)])];
        let sampling = prop_oneof![Just((0.0, 1.0)), Just((1.0, 1.0)), Just((0.7, 0.8))];
        (prompt, 0..40usize, sampling, 0..3u64, biased, prop::option::of(0..4usize), any::<bool>()).prop_map(
            |(prompt, max_new_tokens, (temperature, top_p), sample, logit_bias, logprobs, echo)| GenerationRequest {
                sampling: Sampling { temperature, top_k: 0, top_p, seed: 5 },
                sample,
                logit_bias,
                logprobs,
                echo,
                ..request(prompt, max_new_tokens)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// Whatever the company, the order, the chunks and the memory: what a request is answered is what it is answered alone.
        #[test]
        fn company_changes_nothing(
            requests in proptest::collection::vec((a_request(), 0..12usize, prop::option::of(1..20usize)), 1..14),
            step_tokens in 1..60usize,
            sequences in 1..8usize,
            tokens in prop_oneof![Just(1), Just(200), Just(1000)],
        ) {
            let model = model();
            let cache_bytes = tokens * model.bytes_per_token().max(1);
            let mut batch = ContinuousBatch::new(Arc::clone(&model), BatchLimits { step_tokens, sequences, cache_bytes });
            let mut events: BTreeMap<u64, Vec<GenerationEvent>> = BTreeMap::new();
            let mut step = 0;
            while step < 12 || !batch.is_idle() {
                for (key, (request, begin, end)) in (0..).zip(&requests) {
                    if *begin == step {
                        batch.add(key, request.clone()).expect("it can be run");
                    }
                    if end.is_some_and(|end| begin + end == step) {
                        batch.cancel(key);
                    }
                }
                batch.step(&mut |key, event| events.entry(key).or_default().push(event));
                step += 1;
                prop_assert!(step < 20_000, "it ends");
            }
            for (key, (request, _, end)) in (0..).zip(&requests) {
                let expected = alone(&model, request);
                let found = events.remove(&key).unwrap_or_default();
                if end.is_some() {
                    prop_assert!(expected.starts_with(&found), "a beginning is told");
                } else {
                    prop_assert_eq!(found, expected);
                }
            }
            let counts = batch.counts();
            prop_assert!(counts.running == 0 && counts.waiting == 0);
            while batch.prefixes.forget_one() {}
            prop_assert_eq!(batch.used(), 0);
        }
    }

    /// A prompt that several have is processed once, and the tokens that are judged are judged once.
    #[test]
    fn what_prompts_have_in_common_is_processed_once() {
        let mut batch = ContinuousBatch::new(model(), BatchLimits::default());
        let common: Vec<u32> = (0..50).map(|place| place % 10).collect();
        let of = |end: u32, echo| GenerationRequest {
            echo,
            logprobs: Some(1),
            sample: end.into(),
            sampling: Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, seed: 1 },
            ..request([&common[..], &[end]].concat(), 1)
        };
        let events = together(&mut batch, &[of(1, true), of(2, true), of(2, true), of(3, false)]);
        let counts = batch.counts();
        // the second and the third process the last token of what they have in common with the first, too, since it judges theirs
        assert_eq!((counts.processed, counts.found), (51 + 2 + 2 + 1, 49 + 49 + 50));
        for events in &events[..3] {
            let GenerationEvent::Prompt { scores } = &events[0] else { panic!("it was judged: {events:?}") };
            assert_eq!((scores.len(), scores.iter().flatten().count()), (51, 50));
        }
        // another who asks for more than is known gets it
        let more = GenerationRequest { logprobs: Some(5), ..of(1, true) };
        let events = together(&mut batch, std::slice::from_ref(&more));
        assert_eq!(events[0], alone(&model(), &more));
        assert_eq!(batch.counts().processed - counts.processed, 51);
    }

    /// While a long prompt is processed in chunks, others go on, a token a step.
    #[test]
    fn a_long_prompt_does_not_hold_up_others() {
        let limits = BatchLimits { step_tokens: 10, ..BatchLimits::default() };
        let mut batch = ContinuousBatch::new(model(), limits);
        let endless = |prompt| GenerationRequest { eos: [].into(), ..request(prompt, 30) };
        batch.add(1, endless(vec![1])).expect("it can be run");
        batch.step(&mut |_, _| {});
        batch.add(2, endless(vec![2; 61])).expect("it can be run");
        for step in 0..6 {
            let mut keys = Vec::new();
            batch.step(&mut |key, _| keys.push(key));
            assert_eq!(keys, [1], "step {step}");
        }
        let mut keys = Vec::new();
        batch.step(&mut |key, _| keys.push(key));
        assert_eq!(keys, [1, 2]);
    }

    /// Where memory runs out, the youngest gives way, and goes on later as if nothing had been.
    #[test]
    fn who_gives_way_goes_on_later() {
        let model = model();
        let requests: Vec<GenerationRequest> =
            (0..3).map(|id| GenerationRequest { eos: [].into(), echo: true, ..request(vec![id; 2], 90) }).collect();
        let limits = BatchLimits { cache_bytes: 330 * model.bytes_per_token().max(1), ..BatchLimits::default() };
        let mut batch = ContinuousBatch::new(Arc::clone(&model), limits);
        let events = together(&mut batch, &requests);
        assert!(batch.counts().preempted > 0);
        assert_eq!(events, requests.iter().map(|request| alone(&model, request)).collect::<Vec<_>>());
    }

    #[test]
    fn faults_are_told_before_anything_runs() {
        let mut batch = ContinuousBatch::new(model(), BatchLimits::default());
        let biased = GenerationRequest { logit_bias: vec![(12, 1.0)], ..request(vec![1], 1) };
        for (request, message) in [
            (request(vec![], 1), "the prompt has no tokens"),
            (request(vec![1; 97], 1), "the prompt has 97 tokens, and the model's context 96"),
            (request(vec![1, 12], 1), "12 is no token's id: the model has 12 tokens"),
            (biased, "12 is no token's id: the model has 12 tokens"),
        ] {
            assert_eq!(batch.add(1, request).expect_err("it is refused").to_string(), message);
        }
        assert!(batch.is_idle());
    }
}
