//! New tokens of several sequences in, logits out.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use kernels::packed::{BlockShape, Line, Processor, TOKENS, WeightFormat, team::Team};

use super::{
    SequenceCache,
    packing::Packing,
    pass::{Model, Piece, Workspace},
    weights::Weights,
};
use crate::{
    model::{Architecture, Gpt, Positions},
    tensor::Angles,
};

/// Most rows that go through the model at a time: weights are read from memory once for all of them, and hidden states stay in the caches.
const ROWS: usize = 512;

/// A decoder for inference on a CPU. Threads may share it.
#[derive(Debug)]
pub struct InferenceModel {
    weights: Weights,
    format: WeightFormat,
    architecture: Architecture,
    angles: Option<Angles>,
    vocab_size: usize,
    processor: Processor,
    /// Memory of passes that are over, for those to come.
    workspaces: Mutex<Vec<Workspace>>,
}

/// New tokens of a sequence.
#[derive(Debug)]
pub struct NewTokens<'a> {
    /// Their ids, one or more.
    pub tokens: &'a [u32],
    /// What came before them; they are added to it.
    pub cache: &'a mut SequenceCache,
    /// Which of `tokens` logits are wanted of.
    pub wanted: Range<usize>,
}

/// Whose logits they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogitsAt {
    /// The place of the sequence in the call.
    pub sequence: usize,
    /// The place of the token among the sequence's new ones.
    pub token: usize,
}

impl InferenceModel {
    /// One with the weights of a model, and its adapters merged into them; the model is needed no longer.
    #[must_use]
    pub fn new(model: &Gpt, format: WeightFormat) -> Self {
        Self::packed(Packing::of(model, format), model)
    }

    /// One with weights that were packed, of a model that has what [`Packing::take`] gave back; it is needed no longer.
    ///
    /// # Panics
    /// When a parameter was not packed.
    #[must_use]
    pub fn packed(packing: Packing, model: &Gpt) -> Self {
        let format = packing.format();
        let architecture = *model.architecture();
        let angles = match architecture.positions {
            Positions::Rotary { theta, scaling } => {
                Some(Angles::new(architecture.context_length, architecture.head_dim, theta, scaling))
            }
            Positions::Learned | Positions::Relative { .. } => None,
        };
        Self {
            weights: packing.finished(model),
            format,
            architecture,
            angles,
            vocab_size: model.vocab_size(),
            processor: Processor::here(),
            workspaces: Mutex::default(),
        }
    }

    /// Logits of a token.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The most tokens of a sequence.
    #[must_use]
    pub fn context_length(&self) -> usize {
        self.architecture.context_length
    }

    /// An empty cache for a sequence.
    #[must_use]
    pub fn cache(&self) -> SequenceCache {
        SequenceCache::new(self.shape())
    }

    /// Bytes that a cache takes for each token.
    #[must_use]
    pub fn bytes_per_token(&self) -> usize {
        self.shape().size() * size_of::<Line>() / TOKENS
    }

    fn shape(&self) -> BlockShape {
        let Architecture { num_layers, num_kv_heads, head_dim, .. } = self.architecture;
        BlockShape::new(num_layers, num_kv_heads, head_dim)
    }

    /// Runs new tokens of several sequences after what their caches hold, and adds them to the caches. `take` is given the logits,
    /// `[vocab_size]`, of every token that they are wanted of, in the order of sequences and tokens, on this thread.
    ///
    /// # Panics
    /// When a sequence would grow past the context length, an id is outside the vocabulary, or more tokens are wanted than are given.
    pub fn forward(&self, sequences: &mut [NewTokens<'_>], take: &mut dyn FnMut(LogitsAt, &[f32])) {
        sequences.iter().for_each(|new| self.check(new));
        let mut workspace = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        Team::with(|team| {
            let model = Model {
                architecture: &self.architecture,
                weights: &self.weights,
                angles: self.angles.as_ref(),
                shape: self.shape(),
                processor: self.processor,
                team,
                has_bytes: self.format == WeightFormat::Int8,
            };
            let (mut sequence, mut token) = (0, 0);
            while sequence < sequences.len() {
                (sequence, token) =
                    Self::pass(&model, &mut workspace, sequences, (sequence, token), self.vocab_size, take);
            }
        });
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
    }

    /// Runs as many tokens as go through the model at a time, from a token of a sequence on; returns the first one that is left.
    fn pass(
        model: &Model<'_>,
        workspace: &mut Workspace,
        sequences: &mut [NewTokens<'_>],
        (first, start): (usize, usize),
        vocab_size: usize,
        take: &mut dyn FnMut(LogitsAt, &[f32]),
    ) -> (usize, usize) {
        workspace.pieces.clear();
        workspace.tokens.clear();
        workspace.wanted.clear();
        let mut places = Vec::new();
        let (mut sequence, mut token) = (first, start);
        while sequence < sequences.len() && workspace.tokens.len() < ROWS {
            let NewTokens { tokens, cache, wanted } = &mut sequences[sequence];
            assert!(cache.shape() == model.shape, "a cache of another model");
            let row = workspace.tokens.len();
            let count = (tokens.len() - token).min(ROWS - row);
            if count > 0 {
                let blocks = workspace.blocks.0.len();
                cache.grow(count, |place| workspace.blocks.0.push(place));
                let blocks = blocks..workspace.blocks.0.len();
                workspace.pieces.push(Piece { row, position: cache.len(), count, blocks });
                workspace.tokens.extend_from_slice(&tokens[token..token + count]);
                let wanted = (token..token + count).filter(|token| wanted.contains(token));
                places.extend(wanted.map(|token| (row, LogitsAt { sequence, token })));
            }
            token += count;
            if token == tokens.len() {
                (sequence, token) = (sequence + 1, 0);
            }
        }
        workspace
            .wanted
            .extend(places.iter().map(|(row, at)| row + at.token - if at.sequence == first { start } else { 0 }));
        if !workspace.tokens.is_empty() {
            model.run(workspace);
        }
        workspace.blocks.0.clear();
        let mut pieces = workspace.pieces.iter();
        let mut left = workspace.tokens.len();
        for (number, NewTokens { tokens, cache, .. }) in sequences.iter_mut().enumerate().skip(first) {
            let begun = if number == first { start } else { 0 };
            let count = (tokens.len() - begun).min(left);
            if count > 0 {
                cache.advance(pieces.next().map_or(0, |piece| piece.count));
            }
            left -= count;
        }
        model.logits(workspace, vocab_size, |number, logits| take(places[number].1, logits));
        (sequence, token)
    }

    fn check(&self, new: &NewTokens<'_>) {
        let length = new.cache.len() + new.tokens.len();
        let context = self.context_length();
        assert!(length <= context, "a sequence would grow to {length} tokens, and the model reads {context}");
        if let Some(id) = new.tokens.iter().find(|id| **id as usize >= self.vocab_size) {
            panic!("the id {id} is outside the vocabulary of {} tokens", self.vocab_size);
        }
        let (wanted, given) = (new.wanted.end, new.tokens.len());
        assert!(wanted <= given, "logits of token {wanted} are wanted, and {given} tokens are given");
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{
        model::{Family, LoraConfig, ModelConfig, Stacks, Targets, Tokens, named_parameters, replace},
        tensor::RopeScaling,
    };

    const VOCABULARY: usize = 37;

    /// A decoder of a family's parts, with weights large enough for its layers to matter.
    fn decoder(family: Family, config: ModelConfig, seed: u64) -> Gpt {
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(config.num_layers.unwrap_or(3)),
            num_heads: Some(config.num_heads.unwrap_or(4)),
            hidden_size: Some(config.hidden_size.unwrap_or(32)),
            context_length: Some(config.context_length.unwrap_or(48)),
            ..config
        };
        let architecture = config.architecture().expect("the numbers fit together");
        with_noise(Architecture { stacks: Stacks::Decoder, ..architecture }.init(VOCABULARY, seed, &Device::flex()))
    }

    /// All parameters further from where they begin, gains and biases among them.
    fn with_noise(model: Gpt) -> Gpt {
        let stream = crate::random::Stream::new(7, "noise");
        let mut named = named_parameters(&model).into_iter();
        let mut place = 0;
        replace(model, |name, shape| {
            let named = named.next().expect("a parameter");
            let deviation = if shape.len() == 2 { 1.0 / (shape[0].min(64) as f64).sqrt() } else { 0.2 };
            let deviation = match name {
                "tokens" => 0.5,
                // a product of two that is multiplied again
                name if name.contains("lora.") => 0.1,
                _ => deviation,
            };
            named
                .values
                .iter()
                .map(|value| {
                    place += 1;
                    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
                    let noise = (deviation * stream.normal(place)) as f32;
                    value + noise
                })
                .collect()
        })
    }

    fn ids(count: usize) -> Vec<u32> {
        (0..count)
            .map(|place| u32::try_from((place * 29 + place * place * 5 + 3) % VOCABULARY).expect("small"))
            .collect()
    }

    /// The logits of all tokens, given to the model in parts.
    fn logits(model: &InferenceModel, parts: &[&[u32]]) -> Vec<f32> {
        let mut cache = model.cache();
        let mut all = Vec::new();
        for tokens in parts {
            let new = NewTokens { tokens, cache: &mut cache, wanted: 0..tokens.len() };
            model.forward(&mut [new], &mut |_, logits| all.extend_from_slice(logits));
        }
        all
    }

    fn by_framework(model: &Gpt, ids: &[u32]) -> Vec<f32> {
        let ids: Vec<i32> = ids.iter().map(|id| i32::try_from(*id).expect("small")).collect();
        let logits = model.logits(Tokens { ids: &ids, batch_size: 1, starts: None });
        logits.into_data().try_to_vec().expect("single precision")
    }

    fn furthest(one: &[f32], other: &[f32]) -> f32 {
        assert_eq!(one.len(), other.len());
        one.iter().zip(other).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
    }

    fn root_mean_square(numbers: impl ExactSizeIterator<Item = f32>) -> f32 {
        let count = numbers.len() as f32;
        (numbers.map(|number| number * number).sum::<f32>() / count).sqrt()
    }

    /// Decoders of all parts that there are, by what they are.
    fn decoders() -> Vec<(String, Gpt)> {
        let mut decoders: Vec<(String, Gpt)> = Vec::new();
        for &family in Family::ALL {
            let grouped = ModelConfig { num_kv_heads: Some(2), ..ModelConfig::default() };
            // heads, hidden states and feed-forward layers that fill no line
            let odd = ModelConfig {
                num_heads: Some(3),
                head_dim: Some(6),
                hidden_size: Some(20),
                intermediate_size: Some(37),
                ..ModelConfig::default()
            };
            let long = ModelConfig { context_length: Some(600), num_layers: Some(2), ..grouped.clone() };
            for (name, config) in
                [("plain", ModelConfig::default()), ("grouped", grouped), ("odd", odd), ("long", long)]
            {
                decoders.push((format!("{family:?}, {name}"), decoder(family, config, 1)));
            }
        }
        let scaling = RopeScaling::Llama3 {
            factor: 4.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_context_length: 16,
        };
        let stretched = ModelConfig {
            rope_scaling: Some(scaling),
            tie_embeddings: Some(true),
            mlp_bias: Some(true),
            attention_bias: Some(true),
            ..ModelConfig::default()
        };
        decoders.push(("llama, stretched, tied, biases".into(), decoder(Family::Llama, stretched, 2)));
        let narrow = ModelConfig { sliding_window: Some(5), ..ModelConfig::default() };
        decoders.push(("gpt3, narrow window".into(), decoder(Family::Gpt3, narrow, 3)));
        // the first chunk of keys is hidden by and by
        let long = ModelConfig {
            sliding_window: Some(20),
            context_length: Some(600),
            num_layers: Some(2),
            ..ModelConfig::default()
        };
        decoders.push(("gpt3, narrow window, long".into(), decoder(Family::Gpt3, long, 3)));
        for family in [Family::Llama, Family::Gpt2] {
            let config = ModelConfig::default();
            let base = decoder(family, config, 4);
            let lora = LoraConfig {
                rank: Some(3),
                alpha: Some(9.0),
                targets: Some(Targets::AllLinear),
                ..LoraConfig::default()
            };
            let adapters = lora.adapters(family, base.architecture()).expect("all linear layers");
            decoders.push((format!("{family:?}, adapters"), with_noise(base.with_adapters(&adapters, 5))));
        }
        decoders
    }

    #[test]
    fn logits_are_those_of_the_model() {
        for (name, model) in decoders() {
            let ids = ids(model.architecture().context_length.min(300));
            let expected = by_framework(&model, &ids);
            let largest = expected.iter().fold(1.0f32, |largest, logit| largest.max(logit.abs()));
            let packed = InferenceModel::new(&model, WeightFormat::F32);
            for processor in Processor::all() {
                let packed = InferenceModel { processor, ..InferenceModel::new(&model, WeightFormat::F32) };
                let apart = furthest(&logits(&packed, &[&ids]), &expected);
                assert!(apart < 1e-4 * largest, "{name}, {processor:?}: {apart} apart of {largest}");
            }
            let apart = |format| {
                let logits = logits(&InferenceModel::new(&model, format), &[&ids]);
                let differences = logits.iter().zip(&expected).map(|(x, y)| x - y);
                root_mean_square(differences) / root_mean_square(expected.iter().copied())
            };
            let (bf16, int8) = (apart(WeightFormat::Bf16), apart(WeightFormat::Int8));
            // scores of T5 are not divided by anything, and small models of chance make much of what is rounded
            assert!(bf16 < 0.03 && int8 < 0.1, "{name}: {bf16} and {int8} apart");
            assert_eq!(
                (packed.vocab_size(), packed.context_length()),
                (VOCABULARY, model.architecture().context_length)
            );
        }
    }

    /// The same bits however a text was cut, whatever stands beside it, on any number of threads.
    #[test]
    fn logits_depend_on_their_own_sequence_alone() {
        for (name, model) in decoders() {
            let ids = ids(model.architecture().context_length.min(300));
            for format in WeightFormat::ALL {
                let model = InferenceModel::new(&model, format);
                let expected = logits(&model, &[&ids]);
                let same = |parts: &[&[u32]], how: &str| {
                    assert!(logits(&model, parts) == expected, "{name}, {format}: other bits {how}");
                };
                same(&ids.chunks(1).collect::<Vec<_>>(), "one by one");
                same(&ids.chunks(7).collect::<Vec<_>>(), "by sevens");
                let (first, second) = ids.split_at(ids.len() - 5);
                same(&[first, second], "with an end by itself");
                for threads in [1, 3] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
                    pool.install(|| same(&[first, second], "on other threads"));
                }
                batch(&model, &ids, &expected, &format!("{name}, {format}"));
            }
        }
    }

    /// Sequences that begin together share what they begin with, and go on beside each other and others.
    fn batch(model: &InferenceModel, ids: &[u32], expected: &[f32], name: &str) {
        let other: Vec<u32> = ids.iter().rev().copied().collect();
        let mut begun = model.cache();
        let begin = NewTokens { tokens: &ids[..20], cache: &mut begun, wanted: 0..0 };
        model.forward(&mut [begin], &mut |_, _| unreachable!("nothing is wanted"));
        let mut caches = [begun.clone(), model.cache(), begun, model.cache()];
        let mut found: [Vec<f32>; 4] = Default::default();
        for step in 0..8 {
            let [one, alone, two, short] = &mut caches;
            let next = 20 + step..21 + step;
            let mut sequences = [
                NewTokens { tokens: &ids[next.clone()], cache: one, wanted: 0..1 },
                NewTokens { tokens: &ids[step * 3..step * 3 + 3], cache: alone, wanted: 1..3 },
                NewTokens { tokens: if step < 4 { &ids[next] } else { &other[step..=step] }, cache: two, wanted: 0..1 },
                NewTokens { tokens: &other[..0], cache: short, wanted: 0..0 },
            ];
            let mut before = None;
            model.forward(&mut sequences, &mut |at, logits| {
                assert!(before < Some((at.sequence, at.token)), "in the order of sequences and tokens");
                before = Some((at.sequence, at.token));
                found[at.sequence].extend_from_slice(logits);
            });
        }
        let at = |places: Range<usize>| &expected[places.start * VOCABULARY..places.end * VOCABULARY];
        assert!(found[0] == at(20..28), "{name}: other bits in a batch");
        assert!(found[2][..4 * VOCABULARY] == *at(20..24), "{name}: other bits of what is shared");
        assert!(found[2][4 * VOCABULARY..] != *at(24..28), "{name}: it went on otherwise");
        let odd: Vec<f32> = (0..8).flat_map(|step| at(step * 3 + 1..step * 3 + 3)).copied().collect();
        assert!(found[1] == odd, "{name}: other bits beside others");
        assert_eq!(caches.map(|cache| cache.len()), [28, 24, 28, 0]);
    }

    #[test]
    fn what_was_forgotten_is_as_if_never_there() {
        let model = InferenceModel::new(&decoder(Family::Llama, ModelConfig::default(), 1), WeightFormat::F32);
        let ids = ids(40);
        let mut cache = model.cache();
        let of = |tokens: &[u32], cache: &mut SequenceCache| {
            let mut all = Vec::new();
            let wanted = 0..tokens.len();
            model.forward(&mut [NewTokens { tokens, cache, wanted }], &mut |_, logits| all.extend_from_slice(logits));
            all
        };
        let first = of(&ids, &mut cache);
        assert!(cache.len() == 40 && cache.bytes() > 0);
        let mut copy = cache.clone();
        cache.truncate(10);
        assert!(of(&ids[10..], &mut cache) == first[10 * VOCABULARY..]);
        copy.truncate(33);
        assert!(of(&ids[33..], &mut copy) == first[33 * VOCABULARY..], "a copy keeps what it had");
        copy.truncate(0);
        assert!(copy.is_empty() && copy.bytes() == 0);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let model = InferenceModel::new(&decoder(Family::Gpt2, ModelConfig::default(), 1), WeightFormat::F32);
        let fault = |tokens: &[u32], wanted: Range<usize>| {
            let failed = std::panic::catch_unwind(|| {
                let new = NewTokens { tokens, cache: &mut model.cache(), wanted };
                model.forward(&mut [new], &mut |_, _| ());
            });
            *failed.expect_err("it cannot be").downcast::<String>().expect("a message")
        };
        assert_eq!(fault(&[1; 49], 0..1), "a sequence would grow to 49 tokens, and the model reads 48");
        assert_eq!(fault(&[1, 37], 0..1), "the id 37 is outside the vocabulary of 37 tokens");
        assert_eq!(fault(&[1, 2], 1..3), "logits of token 3 are wanted, and 2 tokens are given");
    }

    #[test]
    fn formats_have_names() {
        for format in WeightFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("q4".parse::<WeightFormat>().is_err());
    }
}
