//! Documents in, batches out.
//!
//! ```text
//! Parquet, JSON lines -> documents -> tokens, once, in a cache -> sequences -> sources by weight -> batches ahead
//!  (rows, documents)                   (cache, token_file)        (tokens, packed)       (sources, order)     (batches)
//! ```
//!
//! - a batch is a function of (seed, step): the place in the data is one number
//! - ids stay on disk and are read by offset; of each document some 24 bytes are in memory
//! - of an example the loss is taken on its completion, of a conversation on what the assistant says (`runs`)
//! - for models with an encoder, a sequence becomes a source and a target (`span_corruption`, `span_pairs`), or a row with a prompt does
//!   (`pairs`, `weighted_pairs`), and some of these a batch (`pair_batch`)
//! - for classifiers, rows of sequences with a label (`labelled_rows`) become ids in memory (`sequence_encoder`, `examples`), and these
//!   batches (`sequence_batch`, `example_batches`)
//! - for reward models and direct preference optimization, rows of a prompt with ranked answers (`preference_rows`) become ids in memory
//!   (`answer_encoder`, `preferences`), and these batches that hold all answers to a prompt (`preference_batch`, `preference_batches`)
//! - for encoders, rows of a question with the passages that answer it, or do not (`retrieval_rows`), become ids in memory (`text_encoder`,
//!   `retrieval_pairs`), and these batches in which each passage is there once (`retrieval_batch`, `retrieval_batches`)
//! - for PPO, answers that a policy wrote with what was computed of their tokens, in the batches that it learns from (`episode_batch`)
//! - prompts that a policy answers (`prompts`)
//! - answers that nobody ranked, for a reward model to score (`answer_rows`)
//! - of tasks, on which models are evaluated, examples with their ids (`task_examples`)
//! - of rows that are held in memory, which are trained on and which are judged by (`split_reader`)
//! - what is padded to the longest of a batch comes with examples of like length (`by_length`, and `like_length` where nothing is learnt)
//! - no device is touched here: a batch is numbers

mod answer_encoder;
mod answer_rows;
mod batch;
mod batches;
mod best_fit;
mod by_length;
mod cache;
mod documents;
mod episode_batch;
mod eval_set;
mod example_batches;
mod example_kind;
mod examples;
mod files;
mod labelled_rows;
mod like_length;
mod lines;
mod micro_batches;
mod order;
mod packed;
mod packing_stats;
mod padded_sequences;
mod pair_batch;
mod pair_eval_set;
mod pair_stats;
mod pairs;
mod parquet_objects;
mod preference_batch;
mod preference_batches;
mod preference_rows;
mod preferences;
mod prompts;
mod published;
mod question_rows;
mod read_options;
mod retrieval_batch;
mod retrieval_batches;
mod retrieval_pairs;
mod retrieval_rows;
mod row_forms;
mod row_values;
mod rows;
mod runs;
mod sample;
mod sequence_batch;
mod sequence_encoder;
mod source_rows;
mod sources;
mod span_corruption;
mod span_pairs;
mod split_reader;
mod task_examples;
mod text_encoder;
mod token_file;
mod tokens;
mod weighted;
mod weighted_pairs;

pub use answer_encoder::{AnswerEncoder, EncodedAnswers};
pub use answer_rows::{AnswerRow, AnswerRows};
pub use batch::Batch;
pub use batches::Batches;
pub use cache::TokenCache;
pub use documents::{Document, Documents, Preferred};
pub use episode_batch::{Episode, EpisodeBatch};
pub use eval_set::EvalSet;
pub use example_batches::{BatchesInMemory, ExampleBatches};
pub use example_kind::ExampleKind;
pub use examples::{Examples, ExamplesReader, LabelRule};
pub use files::{SourceFiles, Split};
pub use like_length::by_like_length;
pub use lines::Lines;
pub use micro_batches::{BatchSource, MicroBatches};
pub use order::{Shuffle, WeightedSampler};
pub use packed::{PackedSequences, Packing};
pub use packing_stats::PackingStats;
pub use padded_sequences::PaddedSequences;
pub use pair_batch::{Pair, PairBatch};
pub use pair_eval_set::PairEvalSet;
pub use pair_stats::PairStats;
pub use pairs::Pairs;
pub use preference_batch::{Answer, NextTokens, PreferenceBatch, PreferencePairs};
pub use preference_batches::PreferenceBatches;
pub use preference_rows::{PreferenceRow, PreferenceRows};
pub use preferences::{Preferences, PreferencesReader, SkippedPreferences};
pub use prompts::{PromptStream, Prompts, PromptsReader};
pub use question_rows::{QuestionRow, QuestionRows};
pub use read_options::{Lost, ReadOptions};
pub use retrieval_batch::{EncodedPassage, EncodedQuery, RetrievalBatch, RetrievalExample, VectorGradients};
pub use retrieval_batches::RetrievalBatches;
pub use retrieval_pairs::{RetrievalPairs, RetrievalReader, SkippedPairs};
pub use runs::{LossOn, RowsAs};
pub use sample::{Sample, sample};
pub use sequence_batch::{Example, SequenceBatch};
pub use sequence_encoder::{Cut, Encoded, SequenceEncoder};
pub use source_rows::{SourceRow, SourceRows};
pub use sources::{HashedFiles, SequencesConfig, WeightedSequences};
pub use span_corruption::{SpanCorruption, SpanNoise};
pub use span_pairs::SpanPairs;
pub use split_reader::{Sides, SplitReader};
pub use task_examples::{NoExample, TaskExample, TaskExamples};
pub use text_encoder::{EncodedText, LEAST_CONTEXT, TextEncoder};
pub use weighted_pairs::WeightedPairs;
