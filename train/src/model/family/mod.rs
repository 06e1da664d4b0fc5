//! The families of transformers: a table, a row for each.
//!
//! A row says what a family is called in a configuration, its parts, its published sizes, and how folders of Hugging Face name what is in it;
//! the last stands in the family's own file. So a family of parts that are there is a row and a file, and nothing else knows it by name.
//!
//! Useful for: a further family. Not useful for: a part that no family has yet; see [`super::architecture`].

mod gpt;
mod gpt1;
mod gpt2;
mod llama;
mod qwen2;
mod t5;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    architecture::{
        Activation, Biases, DropoutPlaces, Initialization, NormKind, NormPlace, Positions, ROPE_THETA, Stacks,
    },
    huggingface::format::Format,
};

/// What a family is made of, where a configuration says nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    pub norm: NormKind,
    pub norm_place: NormPlace,
    pub positions: Positions,
    pub feed_forward: Activation,
    pub biases: Biases,
    /// Which blocks attend to a sliding window, the last of so many in a row: see [`super::SlidingWindow`].
    pub window_every: Option<usize>,
    pub tie_embeddings: bool,
    pub norm_eps: f64,
    pub scale_scores: bool,
    pub scale_logits: bool,
    pub stacks: Stacks,
    pub initialization: Initialization,
    pub dropout_places: DropoutPlaces,
}

/// A published model.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    pub name: &'static str,
    pub num_layers: usize,
    pub num_heads: usize,
    pub hidden_size: usize,
    pub context_length: usize,
    /// Where it is not the hidden size divided by the heads.
    pub head_dim: Option<usize>,
    /// Where it is not the usual one.
    pub intermediate_size: Option<usize>,
}

/// A row of the table.
struct Row {
    parts: Parts,
    presets: &'static [Preset],
    huggingface: &'static Format,
}

/// Makes the rows of the table an enum, and finds a row by its variant.
macro_rules! families {
    ($($(#[$attribute:meta])+ $family:ident: $row:expr;)+) => {
        /// A family of transformers.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Family {
            $($(#[$attribute])+ $family,)+
        }

        impl Family {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$family),+];

            fn row(self) -> &'static Row {
                match self {
                    $(Self::$family => {
                        static ROW: Row = $row;
                        &ROW
                    })+
                }
            }
        }
    };
}

families! {
    /// Post-norm: layer norms after the residual sums (Radford et al. 2018).
    Gpt1: Row {
        parts: Parts { norm_place: NormPlace::Post, ..GPT },
        presets: &[preset("gpt1", 12, 12, 768, 512)],
        huggingface: &gpt1::FORMAT,
    };

    /// Pre-norm: layer norms before attention and feed-forward layers, and one at the end (Radford et al. 2019).
    #[default]
    Gpt2: Row {
        parts: GPT,
        // table 2, with heads of 64
        presets: &[
            preset("gpt2", 12, 12, 768, 1024),
            preset("gpt2-medium", 24, 16, 1024, 1024),
            preset("gpt2-large", 36, 20, 1280, 1024),
            preset("gpt2-xl", 48, 25, 1600, 1024),
        ],
        huggingface: &gpt2::FORMAT,
    };

    /// The same, where every other block attends to a sliding window (Brown et al. 2020).
    Gpt3: Row {
        parts: Parts { window_every: Some(2), ..GPT },
        // table 2.1, where the 13B model's 40 heads of 128 give its hidden size (the table's 5140 is not their product)
        presets: &[
            preset("gpt3-small", 12, 12, 768, 2048),
            preset("gpt3-medium", 24, 16, 1024, 2048),
            preset("gpt3-large", 24, 16, 1536, 2048),
            preset("gpt3-xl", 24, 16, 2048, 2048),
            preset("gpt3-2.7b", 32, 32, 2560, 2048),
            preset("gpt3-6.7b", 32, 32, 4096, 2048),
            preset("gpt3-13b", 40, 40, 5120, 2048),
            preset("gpt3-175b", 96, 96, 12288, 2048),
        ],
        huggingface: &gpt2::FORMAT,
    };

    /// Rotary positions, RMS norms, SwiGLU, grouped-query attention, no biases (Touvron et al. 2023; Ainslie et al. 2023).
    Llama: Row { parts: LLAMA, presets: &[], huggingface: &llama::FORMAT };

    /// The same with biases of queries, keys and values (Yang et al. 2024).
    Qwen2: Row {
        parts: Parts { biases: qwen2::BIASES, ..LLAMA },
        presets: &[],
        huggingface: &qwen2::FORMAT,
    };

    /// An encoder and a decoder: relative positions, unscaled scores, `ReLU`, RMS norms, no biases (Raffel et al. 2020).
    T5: Row {
        parts: T5,
        // as they were published with their code
        presets: &[
            preset("t5-small", 6, 8, 512, 512),
            preset("t5-base", 12, 12, 768, 512),
            preset("t5-large", 24, 16, 1024, 512),
            wide(preset("t5-3b", 24, 32, 1024, 512), 128, 16384),
            wide(preset("t5-11b", 24, 128, 1024, 512), 128, 65536),
        ],
        huggingface: &t5::FORMAT,
    };

    /// The same with a gated GELU and a head of its own (Shazeer 2020; version 1.1 of T5).
    #[serde(rename = "t5-v1.1")]
    T5v11: Row {
        parts: Parts { feed_forward: Activation::GeGlu, tie_embeddings: false, scale_logits: false, ..T5 },
        // as they were published with its code
        presets: &[
            wide(preset("t5-v1.1-small", 8, 6, 512, 512), 64, 1024),
            wide(preset("t5-v1.1-base", 12, 12, 768, 512), 64, 2048),
            wide(preset("t5-v1.1-large", 24, 16, 1024, 512), 64, 2816),
            wide(preset("t5-v1.1-xl", 24, 32, 2048, 512), 64, 5120),
            wide(preset("t5-v1.1-xxl", 24, 64, 4096, 512), 64, 10240),
        ],
        huggingface: &t5::FORMAT,
    };
}

/// What rows of the GPTs change.
const GPT: Parts = Parts {
    norm: NormKind::LayerNorm,
    norm_place: NormPlace::Pre,
    positions: Positions::Learned,
    feed_forward: Activation::Gelu,
    biases: Biases::ALL,
    window_every: None,
    tie_embeddings: true,
    norm_eps: 1e-5,
    scale_scores: true,
    scale_logits: false,
    stacks: Stacks::Decoder,
    initialization: Initialization::Gpt,
    dropout_places: DropoutPlaces::Residual,
};

/// What rows of Llama's kind change.
const LLAMA: Parts = Parts {
    norm: NormKind::RmsNorm,
    norm_place: NormPlace::Pre,
    positions: Positions::Rotary { theta: ROPE_THETA, scaling: None },
    feed_forward: Activation::SwiGlu,
    biases: Biases::NONE,
    tie_embeddings: false,
    ..GPT
};

/// What rows of T5's kind change.
const T5: Parts = Parts {
    norm: NormKind::RmsNorm,
    positions: Positions::Relative { buckets: t5::BUCKETS, max_distance: t5::MAX_DISTANCE },
    feed_forward: Activation::Relu,
    biases: Biases::NONE,
    norm_eps: 1e-6,
    scale_scores: false,
    scale_logits: true,
    stacks: Stacks::EncoderDecoder,
    initialization: Initialization::T5,
    dropout_places: DropoutPlaces::Everywhere,
    ..GPT
};

const fn preset(
    name: &'static str,
    num_layers: usize,
    num_heads: usize,
    hidden_size: usize,
    context_length: usize,
) -> Preset {
    Preset { name, num_layers, num_heads, hidden_size, context_length, head_dim: None, intermediate_size: None }
}

/// The same with heads and feed-forward layers of other sizes than the usual ones.
const fn wide(preset: Preset, head_dim: usize, intermediate_size: usize) -> Preset {
    Preset { head_dim: Some(head_dim), intermediate_size: Some(intermediate_size), ..preset }
}

impl Family {
    /// What it is made of.
    pub(super) fn parts(self) -> Parts {
        self.row().parts
    }

    /// The published models of all families, each with its family.
    pub(super) fn presets() -> impl Iterator<Item = (Self, &'static Preset)> {
        Self::ALL.iter().flat_map(|family| family.row().presets.iter().map(|preset| (*family, preset)))
    }

    /// How folders of Hugging Face name what is in it.
    pub(super) fn huggingface(self) -> &'static Format {
        self.row().huggingface
    }
}
