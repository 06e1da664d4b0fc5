//! What a policy is judged by while it learns: answers to prompts that it does not learn from, and texts that it should not forget.

use std::collections::BTreeMap;

use super::rollouts::{Answers, Author};
use crate::{
    error::Result,
    model::ActorCritic,
    objective::{EvalSets, Evaluator, Score, Scores},
};

/// Judges a policy.
pub(super) struct PolicyScores<'p> {
    pub author: Author<'p>,
    /// The prompts.
    pub prompts: Vec<Vec<u32>>,
    /// The hash of all that the scores depend on beside the model.
    pub hash: String,
    /// Texts that it should not forget.
    pub texts: Option<EvalSets>,
}

impl Evaluator<ActorCritic> for PolicyScores<'_> {
    fn criterion(&self) -> &'static str {
        "validation_reward"
    }

    fn eval_set(&self) -> &str {
        &self.hash
    }

    /// The mean score and the mean KL divergence of answers that are drawn alike each time; the loss on texts.
    fn evaluate(&self, model: &ActorCritic, step: u64) -> Result<Scores> {
        let answers: Answers = self.author.answers(model, &self.prompts, 0, false)?;
        let [reward, kl] = [answers.mean_score(), answers.mean_kl()];
        let mut scores = vec![
            Score {
                higher_is_better: true,
                ..Score::loss("validation_reward", reward).shown(format!("validation reward {reward:.4}"), "Reward")
            },
            Score::loss("validation_kl", kl).shown(format!("KL {kl:.3}"), "KL divergence"),
            Score::loss("validation_answer_tokens", answers.mean_length()),
            Score::loss("validation_ended", answers.share_ended()),
            Score::count("validation_prompts", self.prompts.len() as u64),
        ];
        let mut held_out = BTreeMap::new();
        if let Some(texts) = &self.texts {
            let of_texts = texts.evaluate(model.policy(), step)?;
            let loss = of_texts.get("validation_loss").map_or(f64::NAN, Score::number);
            scores.push(Score::loss("text_loss", loss).shown(format!("text loss {loss:.4}"), "Loss on texts"));
            held_out = of_texts.held_out;
        }
        Ok(Scores { scores, held_out, ..Scores::default() })
    }
}
