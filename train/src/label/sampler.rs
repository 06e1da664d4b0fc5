//! Answers of a model to prompts, some prompts at once.
//!
//! ```text
//! add -> a draft: K texts that are drawn -> is one like another? again, up to 3 times -> answers, with their places on the page
//! ```
//!
//! Tokens are drawn from all of the model's distribution at the temperature, with neither top-k nor nucleus: what is ranked should be what the
//! model says. What an item is answered is a function of (seed, id, model), whatever is drawn beside it.
//!
//! Source: Ouyang et al. 2022 (`InstructGPT`), section 3.5, for 4 to 9 answers to a prompt.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use xxhash_rust::xxh3::xxh3_64;

use super::{
    session::shown,
    settings::{LabelSettings, SamplingSettings},
    store::{Answer, Item},
};
use crate::{
    error::{Error, Result},
    generate::{
        Sampling,
        continuous::{BatchLimits, ContinuousBatch, FinishReason, GenerationEvent, GenerationRequest},
    },
    inference::InferenceModel,
    random::Stream,
    tokenizer::Tokenizer,
};

/// How often a text is drawn again that another one is like.
const REDRAWS: u64 = 3;

/// Draws answers.
#[derive(Debug)]
pub struct AnswerSampler {
    batch: ContinuousBatch,
    tokenizer: Tokenizer,
    settings: SamplingSettings,
    seed: u64,
    context_length: usize,
    /// Tokens that end a text.
    ends: Arc<[u32]>,
    /// Ids that no token has.
    suppressed: Arc<[u32]>,
    /// Items that are being answered.
    drafts: HashMap<i64, Draft>,
    /// Which text each request is: its item, and its place.
    running: HashMap<u64, (i64, usize)>,
    next_key: u64,
}

/// An item that is being answered.
#[derive(Debug)]
struct Draft {
    id: String,
    prompt: Vec<u32>,
    /// What of each text was drawn.
    texts: Vec<Vec<u32>>,
    /// Texts that are not complete.
    left: usize,
    /// How often some were drawn again.
    round: u64,
    /// Whether the model computed what is no number.
    is_broken: bool,
}

/// All answers to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    /// The item.
    pub item: i64,
    /// In their own order.
    pub answers: Vec<Answer>,
}

impl AnswerSampler {
    /// For a model with its tokenizer; none where people write the answers.
    pub fn new(model: InferenceModel, tokenizer: Tokenizer, settings: &LabelSettings) -> Option<Self> {
        let sampling = settings.sampling.clone()?;
        let (vocab_size, context_length) = (model.vocab_size(), model.context_length());
        Some(Self {
            batch: ContinuousBatch::new(Arc::new(model), BatchLimits::default()),
            ends: tokenizer.ends().into(),
            suppressed: tokenizer.unused(vocab_size).into(),
            tokenizer,
            settings: sampling,
            seed: settings.seed,
            context_length,
            drafts: HashMap::new(),
            running: HashMap::new(),
            next_key: 0,
        })
    }

    /// Whether the model's context has room for a prompt and the longest answer.
    ///
    /// # Errors
    /// When the tokenizer's own parts do not fit together.
    pub fn has_room(&self, prompt: &str) -> Result<bool> {
        Ok(self.ids(prompt)?.len() + self.settings.tokens <= self.context_length)
    }

    /// Whether nothing is being drawn.
    pub fn is_idle(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Begins to answer an item, unless it is being answered.
    ///
    /// # Errors
    /// When the model cannot go on with its prompt.
    pub fn add(&mut self, item: &Item, prompt: &str) -> Result<()> {
        if self.drafts.contains_key(&item.number) {
            return Ok(());
        }
        let count = self.settings.answers;
        let mut draft = Draft {
            id: item.id.clone(),
            prompt: self.ids(prompt)?,
            texts: vec![Vec::new(); count],
            left: 0,
            round: 0,
            is_broken: false,
        };
        for place in 0..count {
            self.draw(item.number, place, &mut draft)?;
        }
        self.drafts.insert(item.number, draft);
        Ok(())
    }

    /// Draws a token of each text. Returns the items that have all their answers by now.
    ///
    /// # Errors
    /// When the model computes what is no number.
    pub fn step(&mut self) -> Result<Vec<Sampled>> {
        let Self { batch, drafts, running, .. } = self;
        let mut complete = Vec::new();
        batch.step(&mut |key, event| {
            let (item, place) = running[&key];
            let draft = drafts.get_mut(&item).expect("its texts are being drawn");
            match event {
                GenerationEvent::Prompt { .. } => {}
                GenerationEvent::Token(score) => draft.texts[place].push(score.id),
                GenerationEvent::Finished { reason } => {
                    running.remove(&key);
                    draft.left -= 1;
                    draft.is_broken |= reason == FinishReason::NotANumber;
                    if draft.left == 0 {
                        complete.push(item);
                    }
                }
            }
        });
        let mut sampled = Vec::new();
        for item in complete {
            sampled.extend(self.complete(item)?);
        }
        Ok(sampled)
    }

    /// The answers of an item whose texts are complete; none where some are drawn again.
    fn complete(&mut self, item: i64) -> Result<Option<Sampled>> {
        let mut draft = self.drafts.remove(&item).expect("it is being answered");
        if draft.is_broken {
            return Err(Error::NotANumber { id: draft.id });
        }
        let without_end = |ids: &Vec<u32>| match ids.split_last() {
            Some((last, before)) if self.ends.contains(last) => before.to_vec(),
            _ => ids.clone(),
        };
        let ids: Vec<Vec<u32>> = draft.texts.iter().map(without_end).collect();
        let texts = ids.iter().map(|ids| self.tokenizer.continuation(&draft.prompt, ids));
        let texts = texts.collect::<Result<Vec<String>>>()?;
        let again = repeated(&texts);
        if !again.is_empty() && draft.round < REDRAWS {
            draft.round += 1;
            for place in again {
                draft.texts[place].clear();
                self.draw(item, place, &mut draft)?;
            }
            self.drafts.insert(item, draft);
            return Ok(None);
        }
        let count = u32::try_from(texts.len()).expect("there are 9 at most");
        let shown = shown(self.seed, &draft.id, count);
        let answer = |((text, ids), shown): ((String, &Vec<u32>), u32)| Answer {
            text,
            tokens: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            shown,
        };
        Ok(Some(Sampled { item, answers: texts.into_iter().zip(&ids).zip(shown).map(answer).collect() }))
    }

    /// Has a text of an item drawn.
    fn draw(&mut self, item: i64, place: usize, draft: &mut Draft) -> Result<()> {
        let SamplingSettings { answers, tokens, temperature, .. } = self.settings;
        let seed = Stream::new(self.seed, "label answers").bits(xxh3_64(draft.id.as_bytes()));
        let request = GenerationRequest {
            prompt: draft.prompt.clone(),
            max_new_tokens: tokens,
            sampling: Sampling { temperature, top_k: 0, top_p: 1.0, seed },
            sample: draft.round * answers as u64 + place as u64,
            eos: Arc::clone(&self.ends),
            suppressed: Arc::clone(&self.suppressed),
            logit_bias: Vec::new(),
            logprobs: None,
            echo: false,
        };
        let key = self.next_key;
        self.next_key += 1;
        let added = self.batch.add(key, request);
        added.map_err(|fault| Error::Prompt { id: draft.id.clone(), message: fault.to_string() })?;
        self.running.insert(key, (item, place));
        draft.left += 1;
        Ok(())
    }

    /// The ids of a prompt, one at least.
    fn ids(&self, prompt: &str) -> Result<Vec<u32>> {
        let mut ids = self.tokenizer.prompt(prompt)?;
        if ids.is_empty() {
            ids.push(self.tokenizer.before_text());
        }
        Ok(ids)
    }
}

/// The places of texts that stand before, too.
fn repeated(texts: &[String]) -> Vec<usize> {
    let mut before = HashSet::new();
    (0..texts.len()).filter(|place| !before.insert(&texts[*place])).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{inference::WeightFormat, label::Kind, model::ModelConfig};

    fn sampler(folder: &std::path::Path, answers: usize, temperature: f64) -> AnswerSampler {
        let path = folder.join("tokenizer.json");
        let tokenizer = Tokenizer::train(["ab ab cd"; 20].into_iter(), 260, 0, &path).expect("the texts suffice");
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(2),
            hidden_size: Some(8),
            context_length: Some(32),
            ..ModelConfig::default()
        };
        let rows = tokenizer.vocab_size();
        let model = config.architecture().expect("the numbers fit together").init(rows, 3, &Device::flex());
        let model = InferenceModel::new(&model, WeightFormat::F32);
        let (model_name, fingerprint) = ("small".to_owned(), "ab".to_owned());
        let sampling = SamplingSettings { model: model_name, fingerprint, answers, tokens: 6, temperature };
        let settings = LabelSettings { kind: Kind::Rankings, seed: 5, sampling: Some(sampling) };
        AnswerSampler::new(model, tokenizer, &settings).expect("rankings have answers")
    }

    fn drawn(sampler: &mut AnswerSampler, items: &[i64]) -> Vec<Sampled> {
        for number in items {
            sampler.add(&Item { number: *number, id: format!("p{number}") }, "ab").expect("it has room");
        }
        let mut all = Vec::new();
        while !sampler.is_idle() {
            all.extend(sampler.step().expect("the weights are sound"));
        }
        all.sort_by_key(|sampled| sampled.item);
        all
    }

    /// An item is answered alike in any company; its answers differ, and each is shown once.
    #[test]
    fn answers_are_a_function_of_the_item() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut sampler = sampler(folder.path(), 4, 1.0);
        let together = drawn(&mut sampler, &[1, 2, 3, 3]);
        assert_eq!(together.iter().map(|sampled| sampled.item).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(drawn(&mut sampler, &[2]), together[1..2]);
        for Sampled { answers, .. } in &together {
            let texts: HashSet<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
            let mut shown: Vec<u32> = answers.iter().map(|answer| answer.shown).collect();
            shown.sort_unstable();
            assert_eq!((texts.len(), shown), (4, vec![0, 1, 2, 3]));
            assert!(answers.iter().all(|answer| answer.tokens <= 6));
        }
        assert_ne!(together[0].answers[0].text, together[1].answers[0].text);
    }

    /// What is drawn alike again and again is shown as it is.
    #[test]
    fn answers_may_be_alike() {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let mut greedy = sampler(folder.path(), 3, 0.0);
        let sampled = drawn(&mut greedy, &[1]);
        assert!(sampled[0].answers.iter().all(|answer| answer.text == sampled[0].answers[0].text));
        assert_eq!(greedy.next_key, 3 + 3 * 2, "two of three were drawn again three times");
        assert_eq!(repeated(&["a", "b", "a", "a"].map(str::to_owned)), [2, 3]);
    }

    #[test]
    fn a_prompt_has_room_or_not() -> Result<()> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let sampler = sampler(folder.path(), 2, 1.0);
        assert!(sampler.has_room("")? && sampler.has_room(&"x".repeat(26))? && !sampler.has_room(&"x".repeat(27))?);
        Ok(())
    }
}
