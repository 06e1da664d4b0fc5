//! Which of several answers a model finds likeliest, by what their likelihoods are divided by.
//!
//! ```text
//! sum             log P(answer | prompt)                                   short answers are ahead
//! per_token       the same / tokens of the answer                          GPT-3's, but for three tasks
//! per_character   the same / characters of the answer                      `acc_norm` of lm-evaluation-harness
//! per_byte        the same / UTF-8 bytes of the answer                     `acc_bytes` there
//! normalized      log P(answer | prompt) - log P(answer | neutral context) GPT-3's for ARC, OpenBookQA and RACE; `acc_mutual_info`, nearly
//! ```
//!
//! Characters and bytes are those of the answer without the white space around it, as it is the template's.
//!
//! Source: Brown et al. 2020 (GPT-3), section 2.4; lm-evaluation-harness 0.4.13.

pub use schemas::task::Scoring;

/// What is known of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredAnswer {
    /// The sum of the log-probabilities of its tokens behind the prompt.
    pub log_likelihood: f64,
    /// The same behind a neutral context; none where it was not asked for.
    pub neutral: Option<f64>,
    /// Its tokens.
    pub tokens: usize,
    /// Its characters.
    pub characters: usize,
    /// Its UTF-8 bytes.
    pub bytes: usize,
    /// Whether greedy decoding would write it.
    pub is_greedy: bool,
}

impl ScoredAnswer {
    /// The score; none where there is no neutral context.
    #[must_use]
    pub fn score(&self, scoring: Scoring) -> Option<f64> {
        let by = |length: usize| Some(self.log_likelihood / length as f64);
        match scoring {
            Scoring::Sum => Some(self.log_likelihood),
            Scoring::PerToken => by(self.tokens),
            Scoring::PerCharacter => by(self.characters),
            Scoring::PerByte => by(self.bytes),
            Scoring::Normalized => self.neutral.map(|neutral| self.log_likelihood - neutral),
        }
    }
}

/// The number of the best answer, the first of several; none where one has no score.
#[must_use]
pub fn best(answers: &[ScoredAnswer], scoring: Scoring) -> Option<usize> {
    let scores: Vec<f64> = answers.iter().map(|answer| answer.score(scoring)).collect::<Option<_>>()?;
    let mut best = 0;
    for (number, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = number;
        }
    }
    (!scores.is_empty()).then_some(best)
}

/// Whether all answers have one score, so that none of them is chosen.
#[must_use]
pub fn is_tied(answers: &[ScoredAnswer], scoring: Scoring) -> bool {
    let mut scores = answers.iter().map(|answer| answer.score(scoring));
    let first = scores.next().flatten();
    first.is_some() && scores.all(|score| score == first)
}

/// The probability of each answer, if one of them is right: the softmax of their scores.
#[must_use]
pub fn probabilities(answers: &[ScoredAnswer], scoring: Scoring) -> Option<Vec<f64>> {
    let scores: Vec<f64> = answers.iter().map(|answer| answer.score(scoring)).collect::<Option<_>>()?;
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    Some(powers.into_iter().map(|power| power / sum).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(log_likelihood: f64, neutral: f64, tokens: usize, text: &str) -> ScoredAnswer {
        let (characters, bytes) = (text.chars().count(), text.len());
        ScoredAnswer { log_likelihood, neutral: Some(neutral), tokens, characters, bytes, is_greedy: false }
    }

    /// By hand: each way of counting finds another answer the best.
    #[test]
    fn scores_divide_by_what_they_say() {
        let answers = [
            answer(-2.0, -1.0, 1, "no"),
            answer(-3.0, -2.5, 3, "nö nö"),
            answer(-4.0, -9.0, 2, "never"),
            answer(-6.0, -5.0, 2, "日本日本日本日本"),
        ];
        let found = Scoring::ALL.map(|scoring| best(&answers, scoring).expect("all have scores"));
        assert_eq!(found, [0, 1, 1, 3, 2]);
        let per_character: Vec<f64> = answers.iter().filter_map(|answer| answer.score(Scoring::PerCharacter)).collect();
        assert_eq!(per_character, [-1.0, -0.6, -0.8, -0.75]);
        assert_eq!(best(&[ScoredAnswer { neutral: None, ..answers[0] }], Scoring::Normalized), None);
        assert_eq!(best(&[answers[0], answers[0]], Scoring::Sum), Some(0), "the first of several");
        assert!(is_tied(&[answers[0], answers[0]], Scoring::Sum) && !is_tied(&answers, Scoring::Sum));
    }

    #[test]
    fn probabilities_are_the_softmax() {
        let answers = [answer(0.25f64.ln(), 0.0, 1, "a"), answer(0.75f64.ln(), 0.0, 1, "b")];
        let found = probabilities(&answers, Scoring::Sum).expect("both have scores");
        assert!((found[0] - 0.25).abs() < 1e-12 && (found[1] - 0.75).abs() < 1e-12, "{found:?}");
    }
}
