//! Which keys each query attends to.

use std::{ops::Range, sync::Arc};

/// Which keys each query attends to: an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttentionMask {
    /// Itself and what comes before it.
    Causal {
        /// A sliding window: no further back than this many keys, itself among them (Child et al. 2019).
        window: Option<usize>,
        /// `[batch, time]`: the first key of each query, such as the start of its document.
        starts: Option<Arc<[i32]>>,
        /// `[batch]`: how many keys stand before the first query, as in a KV cache.
        past: Option<Arc<[usize]>>,
    },
    /// Everything, both ways.
    Full {
        /// `[batch]`: how many keys each sequence has; behind them stands padding.
        lengths: Option<Arc<[usize]>>,
    },
}

impl AttentionMask {
    /// Itself and everything before it.
    #[must_use]
    pub fn causal() -> Self {
        Self::Causal { window: None, starts: None, past: None }
    }

    /// `[batch]`: how many keys stand before the first query, if any do.
    pub(super) fn past(&self) -> Option<&[usize]> {
        match self {
            Self::Causal { past, .. } => past.as_deref(),
            Self::Full { .. } => None,
        }
    }

    /// The keys that query `query` of sequence `batch` attends to; `queries` and `keys` say how many of each a sequence has.
    pub(super) fn visible(&self, batch: usize, query: usize, queries: usize, keys: usize) -> Range<usize> {
        match self {
            Self::Causal { window, starts, past } => {
                let first = starts
                    .as_ref()
                    .map_or(0, |starts| usize::try_from(starts[batch * queries + query]).expect("places count from 0"));
                let end = past.as_ref().map_or(0, |past| past[batch]) + query + 1;
                first.max(window.map_or(0, |window| end.saturating_sub(window))).min(end)..end
            }
            Self::Full { lengths } => 0..lengths.as_ref().map_or(keys, |lengths| lengths[batch]),
        }
    }
}
