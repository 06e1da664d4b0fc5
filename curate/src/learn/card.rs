//! What is known of a trained classifier: what it saw, how well it does on what it did not see, and what it goes by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    calibration::Calibration,
    document::Label,
    evaluation::{BINS, Evaluation},
    kind::Kind,
};

/// `models/NAME/card.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    /// The classifier's name in the recipe.
    pub name: String,
    /// What kind of model it is, and how it was trained.
    pub kind: Kind,
    /// What it was trained on, source by source.
    pub trained_on: Vec<TrainedOn>,
    /// The L2 penalties that were tried, the largest first, each with the loss on chunks that were held out.
    pub penalties: Vec<Penalty>,
    /// The line from log-odds to probabilities, fitted to another tenth of documents; none for what brings others together or was trained
    /// elsewhere, and where it could not be fitted.
    pub calibration: Option<Calibration>,
    /// The share of a text's words and n-grams that it has to know to score it.
    #[serde(default)]
    pub min_known: f64,
    /// What a text of nothing would score: near it would score what the model does not know.
    #[serde(default)]
    pub score_of_nothing: Option<f64>,
    /// How well it does on the tenth of documents that nothing was chosen by.
    pub held_out: Evaluation,
    /// Scores of those, by source and language.
    pub scores: Vec<SourceScores>,
    /// How well it does on labelled files.
    pub labelled: Vec<Labelled>,
    /// What weighs most for the reference, and then what weighs most against it.
    pub largest_weights: Vec<Weight>,
    /// Why its figures may say little.
    pub warnings: Vec<String>,
}

/// The part of one source in the training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainedOn {
    /// The source.
    pub source: String,
    /// Whether it stands for the reference.
    pub label: Label,
    /// Documents that were sampled, those that were held out among them.
    pub documents: u64,
    /// Chunks that were cut from those that were not.
    pub chunks: u64,
    /// SHA-256 over the ids of the documents, in their order.
    pub sha256: String,
}

/// A strength of L2 regularization that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Penalty {
    /// The strength.
    pub l2: f64,
    /// Iterations of L-BFGS.
    pub iterations: usize,
    /// The mean loss on chunks that were held out, in nats, where both sides weigh the same; null where one side was not among them.
    pub loss: Option<f64>,
}

/// Scores of one source and language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceScores {
    /// The source.
    pub source: String,
    /// The language, where that is known.
    pub language: Option<String>,
    /// Documents by tenths of the score.
    pub documents: [u64; BINS],
}

/// How well a classifier does on a file of labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Labelled {
    /// The file.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How well.
    pub evaluation: Evaluation,
}

/// A word, a bigram, or a statistic, with its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Weight {
    /// What it is; empty for the word between two spaces.
    pub name: String,
    /// Above 0 for the reference.
    pub weight: f64,
    /// The share of the reference's chunks that have it; none for a statistic.
    pub in_positives: Option<f64>,
    /// The share of the others' chunks that have it.
    pub in_negatives: Option<f64>,
}

/// F1 on held-out documents from which it is asked what the model goes by.
const NEAR_ONE: f64 = 0.97;

/// How well one word tells both sides from each other, from which it is said so.
const TELLS: f64 = 0.9;

/// Why figures on held-out documents may say little: F1 is near 1, and a mark or a single word tells most of it.
#[must_use]
pub fn warnings(held_out: &Evaluation, weights: &[Weight]) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(missing) = &held_out.missing {
        warnings.push(format!("the held-out tenth tells nothing: in it {missing}"));
        return warnings;
    }
    let Some(f1) = held_out.f1.filter(|f1| *f1 >= NEAR_ONE) else { return warnings };
    for weight in weights {
        let (Some(positives), Some(negatives)) = (weight.in_positives, weight.in_negatives) else { continue };
        let shares = format!(
            "{} stands in {:.0} % of the reference's chunks and in {:.0} % of the others'",
            weight.shown(),
            positives * 100.0,
            negatives * 100.0
        );
        let tells = 0.5 + 0.5 * (positives - negatives).abs();
        if tells >= TELLS {
            warnings.push(format!("{shares}: that alone tells {:.0} % of them", tells * 100.0));
        } else if !weight.name.chars().any(char::is_alphanumeric) {
            warnings.push(format!("{shares}: a mark, which may tell how files were made and not what texts are worth"));
        } else if weight.name.contains(['<', '>', '@', '{', '}', '|', '=']) {
            warnings.push(format!("{shares}: it looks like markup"));
        } else if weight.name.chars().filter(|letter| letter.is_alphabetic()).all(|letter| !is_latin(letter))
            && weight.name.chars().any(char::is_alphabetic)
        {
            warnings.push(format!("{shares}: another script, so that the two sides may differ by language"));
        }
    }
    if warnings.is_empty() {
        warnings.push(format!(
            "F1 is {f1:.3}, and no single word says why: the two sides may differ in kind more than in worth; look at the largest \
             weights"
        ));
    }
    warnings
}

/// That a text of nothing is on the reference's side, where it is.
///
/// - `min_known`: the share of a text that has to be known
#[must_use]
pub fn warning_of_nothing(score: f64, min_known: f64) -> Option<String> {
    let unknown = match min_known {
        0.0 => "; so do texts of which the model knows no word, for `min_known` is 0".to_owned(),
        share => {
            format!("; texts of which the model knows less than {:.0} % have no score for that reason", share * 100.0)
        }
    };
    (score > 0.5).then(|| format!("a text of nothing scores {score:.3}, which is on the reference's side{unknown}"))
}

impl Weight {
    /// The name for people.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.name.trim().is_empty() {
            "a blank line or a second space".to_owned()
        } else {
            format!("`{}`", self.name)
        }
    }
}

fn is_latin(letter: char) -> bool {
    matches!(letter, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_not_to_be_like_the_reference() {
        assert_eq!(warning_of_nothing(0.5, 0.1), None);
        let warning = |min_known| warning_of_nothing(0.996, min_known).expect("it is above one half");
        assert!(warning(0.1).contains("scores 0.996") && warning(0.1).contains("less than 10 %"));
        assert!(warning(0.0).contains("`min_known` is 0"));
    }

    #[test]
    fn a_mark_that_tells_everything_is_named() {
        let weight = |name: &str, positives, negatives| Weight {
            name: name.into(),
            weight: 1.0,
            in_positives: Some(positives),
            in_negatives: Some(negatives),
        };
        let near_one = Evaluation { f1: Some(0.99), ..Evaluation::default() };
        let weights = [
            weight("<unk>", 0.95, 0.0),
            weight("=", 0.2, 0.1),
            weight("(said", 0.4, 0.2),
            weight("數", 0.3, 0.0),
            weight("", 0.3, 0.1),
        ];
        let found = warnings(&near_one, &weights);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("`<unk>`") && found[0].contains("98 %"), "{found:?}");
        assert!(found[1].contains("a mark") && found[2].contains("script"), "{found:?}");
        assert!(found[3].starts_with("a blank line") && found[3].contains("a mark"), "{found:?}");
        assert_eq!(warnings(&near_one, &weights[2..3]).len(), 1, "nothing is found, and that is said");
        assert!(warnings(&Evaluation { f1: Some(0.9), ..near_one.clone() }, &weights).is_empty());
        let one_sided = Evaluation { missing: Some("there is no document of the rest".into()), ..near_one };
        assert_eq!(warnings(&one_sided, &weights).len(), 1);
    }
}
