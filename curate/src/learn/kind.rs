//! The kinds of models.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    classifier::ENSEMBLE,
    fasttext::{self, FastTextConfig, LineForm},
    features::HashedWords,
    hashed, statistics,
};
use crate::files::Version;

/// A kind of model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Logistic regression on hashed words.
    Hashed {
        /// How texts become features.
        features: HashedWords,
        /// Strength of L2 regularization; by default the one that does best on chunks that are held out.
        l2: Option<f64>,
        /// Most iterations of L-BFGS for each strength.
        max_iterations: usize,
    },
    /// fastText, trained.
    Fasttext {
        /// How.
        config: FastTextConfig,
    },
    /// fastText, trained before.
    LoadedFasttext {
        /// The model.
        model: PathBuf,
        /// SHA-256 of its bytes.
        sha256: String,
        /// The label of the reference.
        label: String,
        /// How texts are written down for it.
        text: LineForm,
    },
    /// Logistic regression on shares of lines, punctuation and repetition.
    Statistics {
        /// Strength of L2 regularization.
        l2: Option<f64>,
    },
    /// The mean of the log-odds of others.
    Ensemble {
        /// Their names.
        of: Vec<String>,
    },
}

impl Kind {
    /// Words in a chunk, unless another number is wanted: as many as told good text from other text best, and for statistics whole lines
    /// with so many that shares of them say something.
    #[must_use]
    pub fn chunk_words(&self) -> usize {
        if matches!(self, Self::Statistics { .. }) { 60 } else { 25 }
    }

    /// The version of the code that trains such a model and scores by it.
    #[must_use]
    pub fn version(&self) -> Version {
        match self {
            Self::Hashed { .. } => hashed::VERSION,
            Self::Fasttext { .. } | Self::LoadedFasttext { .. } => fasttext::VERSION,
            Self::Statistics { .. } => statistics::VERSION,
            Self::Ensemble { .. } => ENSEMBLE,
        }
    }

    /// Whether it learns from documents.
    #[must_use]
    pub fn learns(&self) -> bool {
        !matches!(self, Self::Ensemble { .. } | Self::LoadedFasttext { .. })
    }
}
