//! How well a language model does on tasks: by the likelihood that it gives answers, and by the answers that it writes.
//!
//! ```text
//! what is asked     prompts (tasks, in the words of their templates, behind demonstrations), ready_file, ready (prompts that come ready, texts)
//!                   -> prepared
//! by likelihood     request -> prefix_tree, likelihood; choice, rolling
//! by writing        protocol -> written, beam, calculator -> answer
//! what is found     sample, skip -> figures -> results, samples_file, table, page -> out_folder; compare (two models), curves (a training), leaks (what stood in training data)
//! engine            the model, and both ways to ask it
//! task_run          a task by one template with so many demonstrations, from examples to samples
//! ```
//!
//! Figures are the same, bit for bit, in batches of any size, in any order of the examples, and on any number of threads. What is sampled
//! depends on an example's id: that of a prompt which comes ready and has none is the number of its line.
//!
//! Useful for: what a model knows without being trained for a task. Not useful for: classifiers with a head; see `train classify`.

mod answer;
mod beam;
mod calculator;
mod choice;
mod compare;
pub mod curves;
mod draw;
mod engine;
mod figures;
mod leaks;
mod likelihood;
mod out_folder;
pub mod page;
mod page_data;
mod prefix_tree;
mod prepared;
mod prompts;
mod protocol;
mod ready;
mod ready_file;
mod request;
pub mod results;
mod rolling;
mod sample;
pub mod samples_file;
mod skip;
mod table;
mod task_run;
mod written;

pub use beam::{BeamEnd, BeamSearch};
pub use choice::{ScoredAnswer, Scoring};
pub use compare::{ComparedRun, ScoreKind, ScoredRuns, compare};
pub use curves::curves;
pub use draw::draw;
pub use engine::{Engine, check_room};
pub use figures::{Figure, Judging, Method};
pub use leaks::{Leaked, LeakedLists};
pub use likelihood::{Likelihood, LikelihoodOptions, likelihoods};
pub use out_folder::OutFolder;
pub use page_data::page_data;
pub use prepared::LongPrompts;
pub use prompts::{Question, RenderedExample, ShownConfig, TaskPrompts, located, template_fault};
pub use protocol::{Protocol, ProtocolChanges};
pub use ready::{Context, ReadyPrompt, ReadyRun};
pub use ready_file::ReadyFile;
pub use request::{Request, RequestEncoder};
pub use results::{Against, FileIdentity, ModelIdentity, OverTemplates, Results, RunResults, TaskResults};
pub use rolling::{windows, words};
pub use sample::{Sample, SampleAnswer};
pub use samples_file::{SampleKey, ScoresById, read_scores, to_parquet};
pub use skip::{Skip, Skips};
pub use table::table;
pub use task_run::{AskConfig, RunOutcome, Shots, TaskRun, protocol_of};
pub use written::{Writer, WritingConfig, WritingPrompt};

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use crate::{
        model::{Gpt, ModelConfig, named_parameters, replace},
        tokenizer::Tokenizer,
    };

    /// A tokenizer that knows a few words.
    pub(super) fn tokenizer() -> (tempfile::TempDir, Tokenizer) {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let texts = ["the cat sat on the mat, the cat sat", "the hat of the cat", "it's 1999, 日本  日本\n\n"];
        let tokenizer =
            Tokenizer::train(texts.into_iter().cycle().take(60), 320, 0, &folder.path().join("tokenizer.json"))
                .expect("the texts suffice");
        (folder, tokenizer)
    }

    /// A model of 12 tokens and a context of 16, with larger weights than those of a start, so that probabilities differ.
    pub(super) fn model() -> Gpt {
        let config = ModelConfig {
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(16),
            context_length: Some(16),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(12, 3, &Device::flex());
        let mut numbers = named_parameters(&model).into_iter();
        replace(model, |_, _| {
            let named = numbers.next().expect("a parameter");
            named.values.iter().map(|x| x * 20.0).collect()
        })
    }
}
