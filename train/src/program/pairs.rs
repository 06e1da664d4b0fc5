//! What a model with an encoder is trained on: pairs of a source and a target.
//!
//! ```text
//! texts                    -> sequences, corrupted     to pretrain: `HashedData::corrupted`
//! rows with a `prompt`     -> prompt, completion       to tune: `HashedData::pairs`
//! ```

use super::{
    data::{HashedData, packed},
    training::TrainingConfig,
};
use crate::{
    data::{
        Batches, EvalSet, PackingStats, PairBatch, PairEvalSet, PairStats, RowsAs, SequencesConfig, SpanCorruption,
        SpanPairs, Split, TokenCache, WeightedPairs, WeightedSequences,
    },
    error::Result,
    objective::PairEvalSets,
};

/// How many pairs there are of what.
#[derive(Debug, Clone, Copy)]
pub struct PairsConfig<'t> {
    /// Ids of a source, and of a target, at most: the context of a model.
    pub context_length: usize,
    /// How many pairs a step has, and an evaluation; and where the steps end.
    pub training: &'t TrainingConfig,
    /// The seed of every draw.
    pub seed: u64,
}

/// Pairs to train on, and pairs to evaluate on.
pub struct PairData {
    /// Pairs to train on: an epoch.
    pub count: u64,
    /// Batches of them.
    pub batches: Batches<PairBatch>,
    /// What the model is evaluated on meanwhile.
    pub eval_sets: PairEvalSets,
    /// Ids of a source and of a target, on average.
    pub lengths: [usize; 2],
}

impl HashedData<'_> {
    /// Texts by span corruption: what is noise in a sequence is drawn anew in each epoch. Where rows have prompts, these are text, too.
    ///
    /// - `sequence_length`: ids of a sequence, for which `corruption` is
    ///
    /// # Errors
    /// When a file cannot be read or tokenized, or a source has not one sequence.
    pub fn corrupted(
        &self,
        corruption: &SpanCorruption,
        sequence_length: usize,
        pairs: PairsConfig<'_>,
        cache: &mut TokenCache<'_>,
    ) -> Result<PairData> {
        let PairsConfig { training, seed, .. } = pairs;
        let TrainingConfig { batch_size, evaluate_sequences, gradient_accumulation, .. } = *training;
        let padding = self.data.tokenizer().padding();
        let config = SequencesConfig { rows: RowsAs::Text, ..self.config(sequence_length, seed) };
        let sources = packed(&self.sources, Split::Train, &config, cache)?;
        let lengths = corruption.noise().lengths(sequence_length);
        for (name, _, sequences) in &sources {
            cache.note(&format!("{name}: {}", said(sequences.stats(), sequence_length, lengths)));
        }
        let (validation, held_out) = self.validation(cache, |what, sources, share, cache| {
            let config = SequencesConfig { validation: share, ..config };
            let sequences = packed(sources, Split::Validation, &config, cache)?;
            if let [(_, _, sequences)] = &sequences[..] {
                cache.note(&format!("{what}: {}", said(sequences.stats(), sequence_length, lengths)));
            }
            let sequences = WeightedSequences::new(sequences, sequence_length, seed);
            let set = EvalSet::sample(&sequences, evaluate_sequences)?;
            Ok(told(what, PairEvalSet::corrupted(&set, corruption, padding), cache))
        })?;
        let sequences = WeightedSequences::new(sources, sequence_length, seed).subset(self.data.subset());
        let pairs = SpanPairs::new(sequences, corruption.clone(), padding);
        Ok(PairData {
            count: pairs.count(),
            batches: pairs.batches(batch_size),
            eval_sets: PairEvalSets {
                validation,
                held_out,
                batch_size: batch_size / gradient_accumulation,
                with_perplexity: false,
            },
            lengths,
        })
    }

    /// Rows with a `prompt` and a `completion`: an encoder reads the one, and a decoder writes the other. What is cut of sources and what is
    /// left out is told to the cache.
    ///
    /// # Errors
    /// When a file cannot be read or tokenized, or a source has not one pair.
    pub fn pairs(&self, pairs: PairsConfig<'_>, cache: &mut TokenCache<'_>) -> Result<PairData> {
        let PairsConfig { context_length, training, seed } = pairs;
        let TrainingConfig { batch_size, evaluate_sequences, gradient_accumulation, .. } = *training;
        let longest = [context_length; 2];
        let (mut sources, mut totals) = (Vec::new(), PairStats::default());
        for source in &self.sources {
            let pairs = source.files.pairs(Split::Train, longest, self.data.validation_share(), seed, cache)?;
            cache.note(&format!("{}: {}", source.name, pairs.stats()));
            totals.pairs += pairs.stats().pairs;
            totals.source_tokens += pairs.stats().source_tokens;
            totals.target_tokens += pairs.stats().target_tokens;
            sources.push((source.name.clone(), source.weight, pairs));
        }
        let mean = |tokens: u64| usize::try_from(tokens / totals.pairs.max(1)).unwrap_or(longest[0]);
        let lengths = [mean(totals.source_tokens), mean(totals.target_tokens)];
        let padding = self.data.tokenizer().padding();
        let (validation, held_out) = self.validation(cache, |what, sources, share, cache| {
            let mut parts = Vec::new();
            for source in sources {
                let pairs = source.files.pairs(Split::Validation, longest, share, seed, cache)?;
                if sources.len() == 1 {
                    cache.note(&format!("{what}: {}", pairs.stats()));
                }
                parts.push((source.name.clone(), source.weight, pairs));
            }
            let set = WeightedPairs::new(parts, padding, seed).eval_set(evaluate_sequences)?;
            Ok(told(what, set, cache))
        })?;
        let pairs = WeightedPairs::new(sources, padding, seed);
        let count = pairs.count();
        Ok(PairData {
            count,
            batches: pairs.batches(batch_size, training.end_of(count)),
            eval_sets: PairEvalSets {
                validation,
                held_out,
                batch_size: batch_size / gradient_accumulation,
                with_perplexity: true,
            },
            lengths,
        })
    }
}

/// What sequences hold, what span corruption makes of one, and the tokens at the end that it never sees.
///
/// - `lengths`: ids of a source, and of a target
fn said(stats: PackingStats, sequence_length: usize, [read, written]: [usize; 2]) -> String {
    let PackingStats { documents, tokens, sequences, remainder, .. } = stats;
    let rest = if remainder > 0 { format!("; {remainder} tokens at the end fill no sequence") } else { String::new() };
    format!(
        "{documents} documents, {tokens} tokens, {sequences} sequences of {sequence_length}, by span corruption {read} tokens to read and \
         {written} to write{rest}"
    )
}

/// Tells what a set of pairs has.
fn told(what: &str, set: PairEvalSet, cache: &mut TokenCache<'_>) -> PairEvalSet {
    let (pairs, all, tokens) = (set.pairs(), set.all_pairs(), set.target_tokens());
    let which = if pairs as u64 == all { "" } else { " (a random sample)" };
    cache.note(&format!("{what}: evaluated on {pairs} of {all} pairs{which}, loss on {tokens} tokens"));
    set
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use schemas::toml_file::{Spanned, TomlFile};
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::{
        data::BatchSource as _,
        program::data::{DataConfig, TrainingData},
        tokenizer::Tokenizer,
    };

    #[derive(Deserialize)]
    struct Config {
        data: Spanned<DataConfig>,
    }

    /// Rows with prompts become what an encoder reads and a decoder writes, each with its end, in an order that each epoch has anew; what is
    /// cut and left out is told; texts without prompts are none.
    #[test]
    fn rows_with_prompts_are_pairs() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = |name: &str| folder.path().join(name);
        let mut rows: String =
            (0..40).map(|n| format!("{{\"prompt\": \"after {n}\", \"completion\": \" {}\"}}\n", n + 1)).collect();
        rows += "{\"prompt\": \"nothing\", \"completion\": \"\"}\n";
        let long = json!({"prompt": "long ".repeat(30), "completion": "z"});
        rows += &long.to_string();
        fs::write(path("train-0.jsonl"), rows).expect("it can be written");
        fs::write(path("validation-0.jsonl"), "{\"prompt\": \"after 99\", \"completion\": \" 100\"}\n")
            .expect("it can");
        fs::write(path("texts.jsonl"), "{\"text\": \"a b c\"}\n".repeat(300)).expect("it can be written");
        Tokenizer::train(["after 1 2 3", "a b c"].into_iter(), 257, 0, &path("tokenizer.json"))?;
        let config = |mixture: &str| -> Result<TrainingData> {
            fs::write(path("c.toml"), format!("[data]\nmixture = \"{mixture}\"\ntokenizer = \"tokenizer.json\"\n"))
                .expect("it can be written");
            let file = TomlFile::read(&path("c.toml"))?;
            TrainingData::check(&file, &file.parse::<Config>(&[])?.data, None)
        };
        let epoch = json!({"epochs": 1.0, "batch_size": 4, "gradient_accumulation": 2, "evaluate_sequences": 8});
        let epoch: TrainingConfig = serde_json::from_value(epoch).expect("it is whole");
        let shape = PairsConfig { context_length: 12, training: &epoch, seed: 5 };

        let training = config(".")?;
        let (tokenizer, data) = (training.tokenizer(), training.hash()?);
        let mut notes = Vec::new();
        let mut note = |text: &str| notes.push(text.to_owned());
        let mut cache = training.cache(&path("cache"), &mut note);
        let PairData { count, mut batches, eval_sets, .. } = data.pairs(shape, &mut cache)?;
        drop(cache);
        assert_eq!((count, eval_sets.validation.pairs()), (41, 1));
        let said = notes.join("\n");
        assert!(said.contains("mixture: 42 rows, 41 pairs with"), "{said}");
        assert!(
            said.contains(
                "1 sources are too long, and lose 139 tokens at their ends; left out are 1 rows without a completion"
            ),
            "{said}"
        );
        assert!(said.contains("validation: evaluated on 1 of 1 pairs, loss on 5 tokens"), "{said}");

        let mut seen = Vec::new();
        // 41 pairs, and 3 of the next epoch
        for step in 0..11 {
            let batch = batches.batch(step)?;
            let time = batch.sources.len() / 4;
            for row in 0..4 {
                let length = batch.source_lengths[row];
                let ids = |ids: &[i32]| ids.iter().map(|id| u32::try_from(*id).expect("an id")).collect::<Vec<u32>>();
                let source = ids(&batch.sources[row * time..][..length]);
                assert_eq!(source.last(), Some(&tokenizer.end_of_text()));
                let written = batch.targets.len() / 4;
                let target = ids(&batch.targets[row * written..][..written]);
                let end = target.iter().position(|id| *id == tokenizer.end_of_text()).expect("it has an end");
                assert_eq!(batch.inputs[row * written], i32::try_from(tokenizer.padding()).expect("an id"));
                seen.push(format!("{}:{}", tokenizer.decode(&source)?, tokenizer.decode(&target[..end])?));
            }
        }
        let mut each: BTreeSet<&str> = seen.iter().map(String::as_str).collect();
        assert!((seen.len(), each.len(), each.remove("long long l:z")) == (44, 41, true), "{seen:?}");
        for pair in each {
            let (source, target) = pair.split_once(':').expect("a pair");
            let number: u32 = source.strip_prefix("after ").expect("a prompt").parse().expect("a number");
            assert_eq!(target, format!(" {}", number + 1));
        }

        let data = config("texts.jsonl")?;
        let mut note = |_: &str| {};
        let mut cache = data.cache(&path("cache"), &mut note);
        let error = data.hash()?.pairs(shape, &mut cache).err().expect("there are no pairs").to_string();
        assert!(
            error.contains("texts.jsonl: its training split has no row with a `prompt` and a `completion`"),
            "{error}"
        );
        assert!(error.contains("left out are") && error.contains("rows without a prompt"), "{error}");
        Ok(())
    }
}
