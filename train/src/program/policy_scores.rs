//! What a policy is judged by while it learns: answers to prompts that it does not learn from, and texts that it should not forget.

use std::{collections::BTreeMap, path::Path};

use super::{
    answer_scores::{AnswerScores, answer_text},
    judged_answers::{self, JudgedAnswer},
    rollouts::{Answers, Author},
};
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
    /// What the reward stands for.
    pub gold: Option<&'p AnswerScores>,
    /// The folder of the training, where answers are kept.
    pub out: &'p Path,
}

impl PolicyScores<'_> {
    /// Answers as they are kept.
    fn judged(&self, answers: &Answers, gold: Option<&[f64]>) -> Result<Vec<JudgedAnswer>> {
        let tokenizer = self.author.tokenizer;
        let judged = |(place, kl): (usize, f64)| {
            let written = &answers.written[place];
            Ok(JudgedAnswer {
                prompt: tokenizer.decode(&written.ids[..written.prompt])?,
                answer: answer_text(written, tokenizer)?,
                reward: answers.scores[place],
                gold_reward: gold.map(|gold| gold[place]),
                kl,
                ended: answers.ended[place],
            })
        };
        answers.kl().enumerate().map(judged).collect()
    }
}

impl Evaluator<ActorCritic> for PolicyScores<'_> {
    fn criterion(&self) -> &'static str {
        "validation_reward"
    }

    fn eval_set(&self) -> &str {
        &self.hash
    }

    /// The mean score and the mean KL divergence of answers that are drawn alike each time, which are kept; the loss on texts.
    fn evaluate(&self, model: &ActorCritic, step: u64) -> Result<Scores> {
        let answers: Answers = self.author.answers(model, &self.prompts, 0, false)?;
        let gold = match self.gold {
            Some(gold) => Some(self.author.scores_by(gold, &answers.written)?),
            None => None,
        };
        judged_answers::write(self.out, step, &self.judged(&answers, gold.as_deref())?)?;
        let [reward, kl] = [answers.mean_score(), answers.mean_kl()];
        let higher = |key: &'static str, value: f64, said: &str, plot: &'static str| Score {
            higher_is_better: true,
            ..Score::loss(key, value).shown(format!("{said} {value:.4}"), plot)
        };
        let mut scores = vec![
            higher("validation_reward", reward, "validation reward", "Reward"),
            Score::loss("validation_kl", kl).shown(format!("KL {kl:.3}"), "KL divergence"),
            Score::loss("validation_answer_tokens", answers.mean_length()),
            Score::loss("validation_ended", answers.share_ended()),
            Score::count("validation_prompts", self.prompts.len() as u64),
        ];
        if let Some(gold) = gold {
            let mean = gold.iter().sum::<f64>() / gold.len() as f64;
            scores.insert(1, higher("validation_gold_reward", mean, "gold reward", "Gold reward"));
        }
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
