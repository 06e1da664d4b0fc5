//! How likely a model finds what requests score.
//!
//! ```text
//! requests -> inputs, sorted -> groups of bounded size -> a tree of what each group begins with
//!          -> stretches of tokens, a batch at a time, each behind the cache of what stands before it
//!          -> log-probabilities of scored tokens -> added up in the order of the tokens
//! ```
//!
//! What several requests begin with is computed once: the prompt of all choices of an example, and the demonstrations of all examples that show
//! the same. Since a token's logits depend on what stands before it alone ([`crate::inference`]), the figures are the same, bit for bit, in
//! any order, in batches of any size, and on any number of threads.
//!
//! Cost: the caches of a group, [`LikelihoodOptions::group_tokens`] tokens at most beside the longest sequence.

use std::ops::Range;

use super::{
    prefix_tree::{Node, prefix_tree, shared},
    request::Request,
};
use crate::{
    inference::{InferenceModel, LogitsAt, NewTokens, SequenceCache},
    tensor::log_sum_exp,
};

/// How likely a model finds some tokens behind others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likelihood {
    /// The sum of the tokens' log-probabilities, in nats.
    pub log_likelihood: f64,
    /// The tokens.
    pub tokens: usize,
    /// Whether each is the likeliest at its place; of tokens that are equally likely, the one with the least id is.
    pub is_greedy: bool,
}

/// How much goes through a model at a time. No figure depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LikelihoodOptions {
    /// Tokens that go through the model together, 1 or more.
    pub batch_tokens: usize,
    /// Tokens whose keys and values are held at a time, about.
    pub group_tokens: usize,
}

impl Default for LikelihoodOptions {
    fn default() -> Self {
        Self { batch_tokens: 1024, group_tokens: 8192 }
    }
}

/// What several requests have the model read.
struct Input<'r> {
    tokens: &'r [u32],
    /// The first place after which a scored token is expected.
    first: usize,
    /// The requests.
    requests: Vec<usize>,
}

/// The log-probability of a token, and whether it is the likeliest.
type Scored = (f64, bool);

/// The likelihood of each request, in their order.
///
/// - `on_done`: is told how many more are done
///
/// # Panics
/// When a request has an id that is outside the model's vocabulary, or more tokens than it reads.
#[must_use]
pub fn likelihoods(
    model: &InferenceModel,
    requests: &[&Request],
    options: LikelihoodOptions,
    on_done: &mut dyn FnMut(usize),
) -> Vec<Likelihood> {
    let inputs = inputs(requests);
    let mut found = vec![None; requests.len()];
    let mut held = None;
    let mut start = 0;
    while start < inputs.len() {
        let (mut end, mut tokens) = (start + 1, inputs[start].tokens.len());
        while end < inputs.len() {
            let (before, next) = (inputs[end - 1].tokens, inputs[end].tokens);
            tokens += next.len() - shared(before, next);
            if tokens > options.group_tokens {
                break;
            }
            end += 1;
        }
        let group = Group::new(&inputs[start..end], requests, held.take());
        held = Some(group.run(model, options.batch_tokens.max(1), &mut found));
        on_done(inputs[start..end].iter().map(|input| input.requests.len()).sum());
        start = end;
    }
    found.into_iter().map(|likelihood| likelihood.expect("every request is in a group")).collect()
}

/// What the requests have the model read, each once, sorted.
fn inputs<'r>(requests: &[&'r Request]) -> Vec<Input<'r>> {
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.sort_by(|one, other| requests[*one].input().cmp(requests[*other].input()));
    let mut inputs: Vec<Input<'_>> = Vec::new();
    for number in order {
        let (tokens, first) = (requests[number].input(), requests[number].first());
        match inputs.last_mut() {
            Some(last) if last.tokens == tokens => {
                last.first = last.first.min(first);
                last.requests.push(number);
            }
            _ => inputs.push(Input { tokens, first, requests: vec![number] }),
        }
    }
    inputs
}

/// The last sequence of a group, with its cache.
type Held<'r> = (&'r [u32], SequenceCache);

/// Inputs that are worked on together.
struct Group<'g, 'r> {
    inputs: &'g [Input<'r>],
    requests: &'g [&'r Request],
    /// What was held of the group before, as far as the first input begins with it.
    held: Option<Held<'r>>,
    /// The inputs, behind what is held.
    sequences: Vec<&'r [u32]>,
    nodes: Vec<Node>,
    /// For each node: the first place in it, or behind it, after which a scored token is expected.
    firsts: Vec<usize>,
    /// For each node: tokens that may follow on its last one, and are scored there.
    targets: Vec<Vec<u32>>,
}

impl<'g, 'r> Group<'g, 'r> {
    fn new(inputs: &'g [Input<'r>], requests: &'g [&'r Request], held: Option<Held<'r>>) -> Self {
        let held = held.and_then(|(tokens, mut cache)| {
            let mut kept = usize::MAX;
            for input in inputs {
                let both = shared(tokens, input.tokens).min(kept);
                // logits of what is held were wanted before, and are gone
                kept = if input.first < both { input.first } else { kept };
            }
            let kept = kept.min(shared(tokens, inputs[0].tokens));
            cache.truncate(kept);
            (kept > 0).then_some((&tokens[..kept], cache))
        });
        let before = held.as_ref().map(|(tokens, _)| *tokens);
        let sequences: Vec<&[u32]> = before.into_iter().chain(inputs.iter().map(|input| input.tokens)).collect();
        let nodes = prefix_tree(&sequences);
        let mut group =
            Self { inputs, requests, held, sequences, firsts: vec![usize::MAX; nodes.len()], targets: vec![], nodes };
        group.mark();
        group
    }

    /// The input that ends with a node.
    fn input_at(&self, node: usize) -> Option<&Input<'r>> {
        self.nodes[node].ends?.checked_sub(usize::from(self.held.is_some())).map(|number| &self.inputs[number])
    }

    /// Notes what is wanted of each node.
    fn mark(&mut self) {
        self.targets = vec![Vec::new(); self.nodes.len()];
        for number in (0..self.nodes.len()).rev() {
            let (own, last): (usize, Vec<u32>) = match self.input_at(number) {
                Some(input) => {
                    let last = |request: &usize| *self.requests[*request].tokens.last().expect("a token is scored");
                    (input.first, input.requests.iter().map(last).collect())
                }
                None => (usize::MAX, Vec::new()),
            };
            self.firsts[number] = self.firsts[number].min(own);
            self.targets[number].extend(last);
            let Node { parent, sequence, tokens, .. } = &self.nodes[number];
            if let Some(parent) = *parent {
                self.firsts[parent] = self.firsts[parent].min(self.firsts[number]);
                self.targets[parent].push(self.sequences[*sequence][tokens.start]);
            }
        }
        for targets in &mut self.targets {
            targets.sort_unstable();
            targets.dedup();
        }
    }

    /// Computes what is not held, adds up what is scored, and hands back the last sequence.
    fn run(self, model: &InferenceModel, batch_tokens: usize, found: &mut [Option<Likelihood>]) -> Held<'r> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                children[parent].push(number);
            }
        }
        let mut work = Work {
            group: &self,
            children,
            caches: vec![None; self.nodes.len()],
            done: self.nodes.iter().map(|node| node.tokens.start).collect(),
            ready: Vec::new(),
            scores: self.nodes.iter().map(|_| Scores::default()).collect(),
            last: None,
        };
        work.begin(model);
        while !work.ready.is_empty() {
            work.step(model, batch_tokens);
        }
        let Work { scores, last, .. } = work;
        for number in 0..self.nodes.len() {
            let Some(input) = self.input_at(number) else { continue };
            let path = self.path(number);
            for request in &input.requests {
                found[*request] = Some(self.added_up(&path, self.requests[*request], &scores));
            }
        }
        let tokens = *self.sequences.last().expect("a group has an input");
        (tokens, last.expect("the last sequence was computed"))
    }

    /// The nodes from the beginning of a sequence to the one that it ends with.
    fn path(&self, end: usize) -> Vec<usize> {
        let mut path = vec![end];
        while let Some(parent) = self.nodes[path[path.len() - 1]].parent {
            path.push(parent);
        }
        path.reverse();
        path
    }

    fn added_up(&self, path: &[usize], request: &Request, scores: &[Scores]) -> Likelihood {
        let (mut sum, mut is_greedy) = (0.0, true);
        let mut add = |(log_probability, greedy): Scored| {
            sum += log_probability;
            is_greedy &= greedy;
        };
        for number in path {
            let Range { start, end } = self.nodes[*number].tokens;
            let wanted = request.first().max(start)..end;
            if wanted.is_empty() {
                continue;
            }
            let Scores { within, behind } = &scores[*number];
            // the last place of a stretch is followed by one of several tokens
            let from = within.len() - (end - 1 - wanted.start);
            within[from..].iter().copied().for_each(&mut add);
            let next = request.tokens[end];
            let place = behind.binary_search_by_key(&next, |(token, _)| *token).expect("it was asked for");
            add(behind[place].1);
        }
        Likelihood { log_likelihood: sum, tokens: request.scored, is_greedy }
    }
}

/// What was found of a stretch of tokens.
#[derive(Debug, Default, Clone)]
struct Scores {
    /// At each place that is wanted, but for the last: of the token that follows within the stretch.
    within: Vec<Scored>,
    /// Behind the last: of each token that may follow.
    behind: Vec<(u32, Scored)>,
}

/// A group on its way.
struct Work<'w, 'g, 'r> {
    group: &'w Group<'g, 'r>,
    children: Vec<Vec<usize>>,
    /// For each node that was begun and is not over: the cache of all before it, and of what of it is done.
    caches: Vec<Option<SequenceCache>>,
    /// For each node: the place up to which it is done.
    done: Vec<usize>,
    /// Nodes that can go on; the last ones first, so that few are open at a time.
    ready: Vec<usize>,
    scores: Vec<Scores>,
    /// The cache of the last sequence.
    last: Option<SequenceCache>,
}

impl Work<'_, '_, '_> {
    /// Opens what stands at the beginning, and behind what is held.
    fn begin(&mut self, model: &InferenceModel) {
        let Group { nodes, held, .. } = self.group;
        for number in (0..nodes.len()).filter(|number| nodes[*number].parent.is_none()) {
            if held.is_none() || nodes[number].sequence > 0 {
                self.caches[number] = Some(model.cache());
                self.ready.push(number);
            }
        }
        let Some((_, cache)) = held else { return };
        // the nodes of what is held are those that its sequence goes through first
        for number in (0..nodes.len()).filter(|number| nodes[*number].sequence == 0) {
            let mut cache = cache.clone();
            cache.truncate(nodes[number].tokens.end);
            self.open_children(number, &cache);
        }
    }

    fn open_children(&mut self, node: usize, cache: &SequenceCache) {
        let has_own = |child: &usize| self.group.held.is_none() || self.group.nodes[*child].sequence > 0;
        for child in self.children[node].iter().copied().filter(has_own) {
            self.caches[child] = Some(cache.clone());
            self.ready.push(child);
        }
    }

    /// Takes a batch of tokens through the model.
    fn step(&mut self, model: &InferenceModel, batch_tokens: usize) {
        let Group { nodes, sequences, firsts, targets, .. } = self.group;
        let mut batch: Vec<(usize, SequenceCache, Range<usize>)> = Vec::new();
        let mut room = batch_tokens;
        while room > 0
            && let Some(number) = self.ready.pop()
        {
            let cache = self.caches[number].take().expect("a node that is ready has a cache");
            let (start, end) = (self.done[number], nodes[number].tokens.end);
            let end = end.min(start + room);
            room -= end - start;
            batch.push((number, cache, start..end));
        }
        let whose: Vec<(usize, usize)> = batch.iter().map(|(number, _, places)| (*number, places.start)).collect();
        let new = batch.iter_mut().map(|(number, cache, places)| {
            let tokens = &sequences[nodes[*number].sequence][places.clone()];
            let wanted = firsts[*number].clamp(places.start, places.end) - places.start..places.len();
            NewTokens { tokens, cache, wanted }
        });
        let scores = &mut self.scores;
        model.forward(&mut new.collect::<Vec<_>>(), &mut |at: LogitsAt, logits: &[f32]| {
            let (number, start) = whose[at.sequence];
            let (place, node) = (start + at.token, &nodes[number]);
            let logits = Logits::new(logits);
            if place + 1 < node.tokens.end {
                scores[number].within.push(logits.scored(sequences[node.sequence][place + 1]));
            } else {
                scores[number].behind = targets[number].iter().map(|token| (*token, logits.scored(*token))).collect();
            }
        });
        for (number, cache, places) in batch {
            let Node { tokens, ends, .. } = &nodes[number];
            self.done[number] = places.end;
            if places.end < tokens.end {
                self.caches[number] = Some(cache);
                self.ready.push(number);
                continue;
            }
            self.open_children(number, &cache);
            if *ends == Some(sequences.len() - 1) {
                self.last = Some(cache);
            }
        }
    }
}

/// The logits at a place.
struct Logits<'l> {
    logits: &'l [f32],
    log_sum_exp: f64,
}

impl<'l> Logits<'l> {
    fn new(logits: &'l [f32]) -> Self {
        Self { logits, log_sum_exp: log_sum_exp(logits) }
    }

    fn scored(&self, token: u32) -> Scored {
        let own = self.logits[token as usize];
        let (before, behind) = self.logits.split_at(token as usize);
        let is_greedy = before.iter().all(|other| *other < own) && behind.iter().all(|other| *other <= own);
        (f64::from(own) - self.log_sum_exp, is_greedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{evaluate::tests::model, inference::WeightFormat, model::Tokens, random::Stream};

    /// Tokens below 12, drawn for a purpose.
    fn drawn(purpose: &str, count: usize) -> Vec<u32> {
        let stream = Stream::new(5, purpose);
        (0..count as u64).map(|place| u32::try_from(stream.bits(place) % 12).expect("small")).collect()
    }

    /// Requests that share much, and some that are there twice, or begin with others.
    fn requests(context_length: usize) -> Vec<Request> {
        let shots = drawn("shots", 9);
        let mut requests = Vec::new();
        for item in 0..6 {
            let prompt =
                [&shots[..if item == 5 { 0 } else { 7 }], &drawn(&format!("item {item}"), 3 + item % 3)[..]].concat();
            for choice in 0..4 {
                let answer = drawn(&format!("choice {choice} {}", item / 2), 1 + choice % 3);
                requests.push(Request::new(&prompt, &answer, context_length).expect("it is short"));
            }
            requests.push(Request::new(&prompt[..2], &prompt[2..], context_length).expect("it is short"));
        }
        requests
    }

    /// The likelihood of a request by the model that was trained.
    fn by_itself(model: &crate::model::Gpt, request: &Request) -> Likelihood {
        let ids: Vec<i32> = request.input().iter().map(|id| i32::try_from(*id).expect("small")).collect();
        let logits = model.logits(Tokens { ids: &ids, batch_size: 1, starts: None }).into_data();
        let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
        let (mut sum, mut is_greedy) = (0.0, true);
        for place in request.first()..ids.len() {
            let row = &logits[place * 12..][..12];
            let own = f64::from(row[request.tokens[place + 1] as usize]);
            sum += own - row.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
            is_greedy &= row.iter().all(|x| f64::from(*x) <= own);
        }
        Likelihood { log_likelihood: sum, tokens: request.scored, is_greedy }
    }

    #[test]
    fn a_likelihood_is_that_of_the_whole_text() {
        let model = model();
        let inference = InferenceModel::new(&model, WeightFormat::F32);
        let requests = requests(16);
        let asked: Vec<&Request> = requests.iter().collect();
        let found = likelihoods(&inference, &asked, LikelihoodOptions::default(), &mut |_| {});
        for (found, request) in found.iter().zip(&requests) {
            let expected = by_itself(&model, request);
            assert!((found.log_likelihood - expected.log_likelihood).abs() < 1e-4, "{found:?} is not {expected:?}");
            assert_eq!((found.tokens, found.is_greedy), (expected.tokens, expected.is_greedy), "{request:?}");
        }
        assert!(found.iter().any(|found| found.is_greedy) && found.iter().any(|found| !found.is_greedy));
    }

    /// The same bits in any order, in batches and groups of any size, and on any number of threads.
    #[test]
    fn figures_depend_on_nothing_but_the_request() {
        let inference = InferenceModel::new(&model(), WeightFormat::F32);
        let requests = requests(16);
        let asked: Vec<&Request> = requests.iter().collect();
        let whole = likelihoods(&inference, &asked, LikelihoodOptions::default(), &mut |_| {});
        for (batch_tokens, group_tokens) in [(1, 1), (3, 10), (7, 40), (1000, 17), (2, 1000)] {
            for threads in [1, 3] {
                let options = LikelihoodOptions { batch_tokens, group_tokens };
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
                let mut done = 0;
                let turned: Vec<&Request> = requests.iter().rev().collect();
                let mut found = pool.install(|| likelihoods(&inference, &turned, options, &mut |more| done += more));
                found.reverse();
                assert_eq!((found, done), (whole.clone(), requests.len()), "{options:?}, {threads} threads");
            }
        }
        for (request, whole) in requests.iter().zip(&whole) {
            let alone = likelihoods(&inference, &[request], LikelihoodOptions::default(), &mut |_| {});
            assert_eq!(alone, [*whole]);
        }
    }

    /// A choice that is a prefix of another is scored like any other; the model reads what they share once.
    #[test]
    fn a_choice_may_begin_with_another() {
        let model = model();
        let inference = InferenceModel::new(&model, WeightFormat::F32);
        let answers: [&[u32]; 3] = [&[4], &[4, 7], &[4, 7, 2]];
        let requests = answers.map(|answer| Request::new(&[1, 2, 3], answer, 16).expect("it is short"));
        let found = likelihoods(&inference, &requests.each_ref(), LikelihoodOptions::default(), &mut |_| {});
        for (found, request) in found.iter().zip(&requests) {
            let expected = by_itself(&model, request).log_likelihood;
            assert!((found.log_likelihood - expected).abs() < 1e-4, "{found:?} is not {expected}");
        }
        assert!(found.is_sorted_by(|one, other| one.log_likelihood > other.log_likelihood));
    }
}
