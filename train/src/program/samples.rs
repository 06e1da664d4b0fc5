//! What a model generates while it is trained.

use crate::{
    error::Result,
    generate::{Sampling, StoppingCriteria, TextModel, generate},
    tokenizer::Tokenizer,
    trainer::{GeneratedSample, SamplesConfig},
};

/// The ids of the prompts of samples, where there are some.
///
/// - `ids`: those of one prompt
pub(super) fn sample_prompts(
    config: Option<&SamplesConfig>,
    ids: impl Fn(&str) -> Result<Vec<u32>>,
) -> Result<Vec<Vec<u32>>> {
    config.into_iter().flat_map(|config| &config.prompts).map(|prompt| ids(prompt)).collect()
}

/// What a model generates after each prompt; with an encoder, what it answers.
///
/// - `prompts`: the ids of each; `stops`: those that each end what is generated
pub(super) fn generate_samples<M: TextModel>(
    model: &M,
    step: u64,
    config: &SamplesConfig,
    (prompts, stops): (&[Vec<u32>], &[u32]),
    seed: u64,
    tokenizer: &Tokenizer,
) -> Result<Vec<GeneratedSample>> {
    let sampling = Sampling { temperature: config.temperature, top_k: 0, top_p: 1.0, seed };
    let has_encoder = model.has_encoder();
    let suppressed = tokenizer.unused(model.vocab_size());
    let criteria = StoppingCriteria {
        max_new_tokens: config.tokens,
        bos: if has_encoder { tokenizer.padding() } else { tokenizer.before_text() },
        eos: stops,
        suppressed: &suppressed,
        should_stop: &|_| false,
    };
    let texts = generate(model, prompts, sampling, &criteria);
    let sample = |((prompt, ids), new): ((&String, &Vec<u32>), Vec<u32>)| {
        // what an encoder has read is no beginning of the text
        let before = if has_encoder { &[][..] } else { &ids[..] };
        Ok(GeneratedSample { step, prompt: prompt.clone(), text: tokenizer.continuation(before, &new)? })
    };
    config.prompts.iter().zip(prompts).zip(texts).map(sample).collect()
}
