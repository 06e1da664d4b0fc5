//! What a forward pass needs besides hidden states: positions, attention masks, dropout, the KV cache.

use std::{cell::RefCell, sync::Arc};

use burn::tensor::Tensor;

use super::{Architecture, DropoutPlaces, KvCache, SlidingWindow, purposes};
use crate::{
    random::Stream,
    tensor::{
        Angles, AttentionMask, DistanceBias, Dropout, Heads, attention, attention_cached, biased_attention,
        cross_attention, dropout,
    },
};

/// Sequences of token ids.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    /// `[batch, time]`.
    pub ids: &'a [i32],
    /// Sequences.
    pub batch_size: usize,
    /// `[batch, time]`: the first position that each position attends to, with document masking. Positions count from there.
    pub starts: Option<&'a [i32]>,
}

impl Tokens<'_> {
    /// Tokens of a sequence.
    #[must_use]
    pub fn time(&self) -> usize {
        self.ids.len() / self.batch_size
    }
}

/// A forward pass through the model.
pub struct ForwardPass<'a> {
    /// `[batch, time]`: each token's position in its document.
    pub positions: Vec<usize>,
    /// The rotary angles, where the model has them.
    pub angles: Option<Arc<Angles>>,
    /// What is added to scores, where positions are relative.
    bias: Option<DistanceBias>,
    full: AttentionMask,
    windowed: Option<(SlidingWindow, AttentionMask)>,
    /// The rate of dropout.
    dropout: f32,
    /// What is random, while training.
    stream: Option<Stream>,
    /// Whether numbers are dropped inside of layers, too.
    drops_inside: bool,
    /// The hidden states of an encoder, and the mask of cross-attention.
    memory: Option<(Tensor<3>, AttentionMask)>,
    /// The KV cache of what came before these tokens, and how many tokens of each sequence are added to it.
    cache: Option<(RefCell<&'a mut KvCache>, &'a [usize])>,
}

impl<'a> ForwardPass<'a> {
    /// A causal pass; `key` is a hash of (seed, step) for dropout.
    pub fn new(architecture: &Architecture, tokens: Tokens<'_>, angles: Option<Arc<Angles>>, key: Option<u64>) -> Self {
        let time = tokens.time();
        let positions = match tokens.starts {
            None => (0..tokens.batch_size).flat_map(|_| 0..time).collect(),
            Some(starts) => {
                let place =
                    |(at, start): (usize, &i32)| at % time - usize::try_from(*start).expect("places count from 0");
                starts.iter().enumerate().map(place).collect()
            }
        };
        let starts: Option<Arc<[i32]>> = tokens.starts.map(Into::into);
        let mask = |window| AttentionMask::Causal { window, starts: starts.clone(), past: None };
        let windowed = architecture.sliding_window.map(|window| (window, mask(Some(window.tokens))));
        let (dropout, stream) = (architecture.dropout, key.map(|key| Stream::new(key, "dropout")));
        let drops_inside = architecture.dropout_places == DropoutPlaces::Everywhere;
        let full = mask(None);
        Self { positions, angles, bias: None, full, windowed, dropout, stream, drops_inside, memory: None, cache: None }
    }

    /// A pass that goes on after what a cache holds, and adds the first `counts[i]` tokens of sequence `i` to it.
    pub fn cached(
        architecture: &Architecture,
        time: usize,
        angles: Option<Arc<Angles>>,
        cache: &'a mut KvCache,
        counts: &'a [usize],
    ) -> Self {
        let lengths: Arc<[usize]> = cache.lengths().into();
        let last = architecture.context_length - 1; // what stands behind a sequence's tokens is padding, wherever it is said to be
        let positions = lengths.iter().flat_map(|length| (*length..length + time).map(|at| at.min(last))).collect();
        let mask = |window| AttentionMask::Causal { window, starts: None, past: Some(Arc::clone(&lengths)) };
        let windowed = architecture.sliding_window.map(|window| (window, mask(Some(window.tokens))));
        let cache = Some((RefCell::new(cache), counts));
        let (full, memory) = (mask(None), None);
        Self {
            positions,
            angles,
            bias: None,
            full,
            windowed,
            dropout: 0.0,
            stream: None,
            drops_inside: false,
            memory,
            cache,
        }
    }

    /// A bidirectional pass: every position attends to all of its sequence, of which the first `lengths[i]` tokens are not padding.
    pub fn bidirectional(
        architecture: &Architecture,
        tokens: Tokens<'_>,
        lengths: &[usize],
        angles: Option<Arc<Angles>>,
        key: Option<u64>,
    ) -> Self {
        let pass = Self::new(architecture, tokens, angles, key);
        Self { full: AttentionMask::Full { lengths: Some(lengths.into()) }, windowed: None, ..pass }
    }

    /// The same with the hidden states of an encoder, of which the first `lengths[i]` places are not padding.
    pub fn with_memory(self, memory: Tensor<3>, lengths: &[usize]) -> Self {
        Self { memory: Some((memory, AttentionMask::Full { lengths: Some(lengths.into()) })), ..self }
    }

    /// The same with what is added to the scores of self-attention.
    pub fn with_bias(self, bias: Option<DistanceBias>) -> Self {
        Self { bias, ..self }
    }

    /// Cross-attention of a block to the hidden states of an encoder, through their cache if there is one.
    ///
    /// # Shapes
    /// - `x`: `[batch, time, num_heads * head_dim]`
    /// - `keys`: gives `[batch, other time, 2 num_kv_heads * head_dim]` of the hidden states
    /// - returns: the same as `x`
    pub fn cross_attend(
        &self,
        x: Tensor<3>,
        keys: impl FnOnce(Tensor<3>) -> Tensor<3>,
        heads: Heads,
        layer: usize,
    ) -> Tensor<3> {
        if let Some((memory, mask)) = &self.memory {
            let dropout = self.inside(layer, purposes::CROSS_ATTENTION_WEIGHTS);
            return cross_attention(x, keys(memory.clone()), heads, mask, dropout);
        }
        let (cache, _) = self.cache.as_ref().expect("a block with cross-attention has an encoder's hidden states");
        let cache = cache.borrow();
        let (stored, mask) = cache.memory(layer).expect("the cache of a decoder has its encoder's keys");
        attention_cached(x, stored, heads, &mask, None)
    }

    /// Self-attention of a block, through the KV cache if there is one.
    ///
    /// # Shapes
    /// - `x`: `[batch, time, (num_heads + 2 num_kv_heads) head_dim]`
    /// - returns: `[batch, time, num_heads * head_dim]`
    pub fn attend(&self, x: Tensor<3>, heads: Heads, layer: usize) -> Tensor<3> {
        let Some((cache, counts)) = &self.cache else {
            return match &self.bias {
                Some(bias) => {
                    let dropout = self.inside(layer, purposes::ATTENTION_WEIGHTS);
                    biased_attention(x, bias, heads, self.mask(layer), dropout)
                }
                None => attention(x, heads, self.mask(layer)),
            };
        };
        let [rows, time, columns] = x.dims();
        let of_queries = heads.num_heads * heads.head_dim;
        let queries = x.clone().slice([0..rows, 0..time, 0..of_queries]);
        let mut cache = cache.borrow_mut();
        cache.append(layer, x.slice([0..rows, 0..time, of_queries..columns]), counts);
        attention_cached(queries, cache.layer(layer), heads, self.mask(layer), self.bias.as_ref())
    }

    /// The mask of a block.
    fn mask(&self, layer: usize) -> &AttentionMask {
        match &self.windowed {
            Some((window, mask)) if window.is_in(layer) => mask,
            _ => &self.full,
        }
    }

    /// `x` after dropout, while training.
    pub fn dropout<const D: usize>(&self, x: Tensor<D>, layer: usize, part: &str) -> Tensor<D> {
        match self.dropped(layer, part) {
            None => x,
            Some(what) => dropout(x, what),
        }
    }

    /// `x` after dropout inside of a layer, where models have that.
    pub fn dropout_inside<const D: usize>(&self, x: Tensor<D>, layer: usize, part: &str) -> Tensor<D> {
        match self.inside(layer, part) {
            None => x,
            Some(what) => dropout(x, what),
        }
    }

    fn inside(&self, layer: usize, part: &str) -> Option<Dropout> {
        self.dropped(layer, part).filter(|_| self.drops_inside)
    }

    /// What is dropped of a part of a layer.
    fn dropped(&self, layer: usize, part: &str) -> Option<Dropout> {
        let key = self.key(layer, part).filter(|_| self.dropout > 0.0)?;
        Some(Dropout { rate: self.dropout, key })
    }

    /// A hash of (seed, step, layer, part), for what a part drops while training.
    pub fn key(&self, layer: usize, part: &str) -> Option<u64> {
        self.stream.map(|stream| Stream::new(stream.bits(layer as u64), part).bits(0))
    }
}
