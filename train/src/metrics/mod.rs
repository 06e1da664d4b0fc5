//! Scores of answers: texts and labels in, figures out. Nothing here knows a model or a file.
//!
//! ```text
//! an answer, the right ones  -> exact match, F1                  (answers: SQuAD's)
//! a text, its references     -> BLEU, chrF, ROUGE                (bleu, chrf, rouge: sacreBLEU's, rouge_score's)
//! classes                    -> accuracy, macro F1, Matthews     (classification: scikit-learn's)
//! probabilities              -> calibration error, Brier score   (calibration)
//! scores of examples         -> mean, standard error, interval   (mean, bootstrap)
//! scores of two models       -> difference, p-value              (paired)
//! rewards of ranked answers  -> accuracy by pairs                (preferences)
//! gains of a ranking         -> MRR, nDCG, MAP, top-k            (ranking: trec_eval's; has_answer: DrQA's)
//! ```
//!
//! Figures are those of the packages named, to the last digit that they print: `tests/it/metrics.rs` holds them against what those computed.
//! BLEU and chrF of a corpus follow from statistics of its segments that can be added, so that bootstrap samples need no text.

mod answers;
pub mod bleu;
mod bootstrap;
mod calibration;
mod characters;
pub mod chrf;
mod classification;
mod has_answer;
mod mean;
mod ngrams;
mod paired;
mod preferences;
mod rank_correlation;
mod ranking;
pub mod rouge;

pub use answers::{exact_match, f1, normalized_answer};
pub use bleu::Bleu;
pub use bootstrap::{Bootstrap, bootstrap, percentile};
pub use calibration::{
    Binning, CalibrationBin, Confidence, brier_score, calibration_bins, calibration_error, max_calibration_error,
};
pub use chrf::Chrf;
pub use classification::{Judged, Metric, accuracy, cross_entropy, interval, macro_f1, matthews};
pub use has_answer::{AnswerTokens, has_answer};
pub use mean::{mean, mean_and_deviation, stderr_of_mean};
pub use paired::{PairedTest, paired_test};
pub use preferences::{LengthFigures, MarginPart, PreferenceFigures, ValuedAnswer, preference_figures};
pub use rank_correlation::spearman;
pub use ranking::{TOP, average_precision, ndcg, recall, reciprocal_rank, success};
pub use rouge::Rouge;
