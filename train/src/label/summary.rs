//! How far labeling has come, and how the labelers do: for the page, and for whoever exports.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{
    Kind,
    agreement::{Agreement, Ranking, agreement, ties},
    judgment::Judgment,
    verdict::Verdict,
};

/// How far labeling has come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What people are asked for.
    pub kind: &'static str,
    /// Prompts.
    pub prompts: usize,
    /// Prompts that somebody has judged, or passed over.
    pub done: usize,
    /// Labelers by their names.
    pub labelers: Vec<LabelerSummary>,
    /// How far they agree, where two have ranked the same answers.
    pub agreement: Option<Agreement>,
}

/// What a labeler has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelerSummary {
    /// What they are called.
    pub name: String,
    /// Rankings, or demonstrations.
    pub judged: u64,
    /// Prompts that they passed over, by the reason: where that has words of their own, by what stands before the colon.
    pub skipped: BTreeMap<String, u64>,
    /// The share of pairs of answers that they ranked alike.
    pub ties: Option<f64>,
}

impl Summary {
    /// That of some judgments.
    ///
    /// - `seed`: of the agreement's interval
    pub(super) fn new(kind: Kind, prompts: usize, judgments: &[Judgment], seed: u64) -> Self {
        let mut by_labeler: BTreeMap<&str, Vec<&Judgment>> = BTreeMap::new();
        let mut items: Vec<i64> = judgments.iter().map(|judgment| judgment.item).collect();
        for judgment in judgments {
            by_labeler.entry(&judgment.labeler).or_default().push(judgment);
        }
        items.sort_unstable();
        items.dedup();
        let rankings = judgments.iter().filter_map(|judgment| match &judgment.verdict {
            Verdict::Ranks(ranks) => Some(Ranking { item: judgment.item, ranks }),
            Verdict::Text(_) | Verdict::Skip(_) => None,
        });
        Self {
            kind: kind.name(),
            prompts,
            done: items.len(),
            labelers: by_labeler.into_iter().map(|(name, judgments)| LabelerSummary::new(name, &judgments)).collect(),
            agreement: agreement(&rankings.collect::<Vec<_>>(), seed),
        }
    }
}

impl LabelerSummary {
    fn new(name: &str, judgments: &[&Judgment]) -> Self {
        let (mut judged, mut skipped, mut rankings) = (0, BTreeMap::new(), Vec::new());
        for judgment in judgments {
            match &judgment.verdict {
                Verdict::Ranks(ranks) => {
                    judged += 1;
                    rankings.push(&ranks[..]);
                }
                Verdict::Text(_) => judged += 1,
                Verdict::Skip(reason) => {
                    let reason = reason.split_once(": ").map_or(reason.as_str(), |(before, _)| before);
                    *skipped.entry(reason.to_owned()).or_insert(0) += 1;
                }
            }
        }
        Self { name: name.to_owned(), judged, skipped, ties: ties(rankings) }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, prompts, done, labelers, agreement } = self;
        write!(formatter, "{done} of {prompts} prompts are done")?;
        for LabelerSummary { name, judged, skipped, ties } in labelers {
            write!(formatter, "\n{name}: {judged} {kind}")?;
            let count: u64 = skipped.values().sum();
            if count > 0 {
                let reasons: Vec<String> = skipped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
                write!(formatter, ", {count} skipped ({})", reasons.join(", "))?;
            }
            if let Some(ties) = ties {
                write!(formatter, ", {:.1} % of pairs are ties", 100.0 * ties)?;
            }
        }
        if let Some(Agreement { prompts, pairs, share, interval: [low, high], alpha }) = agreement {
            write!(
                formatter,
                "\nagreement {share:.3} ({low:.3} to {high:.3}) on {pairs} pairs of answers to {prompts} prompts that two labelers told apart"
            )?;
            if let Some(alpha) = alpha {
                write!(formatter, "; Krippendorff's alpha {alpha:.3}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_who_has_done_what() {
        let judgment = |number: i64, item: i64, labeler: &str, verdict: Verdict| Judgment {
            number,
            item,
            labeler: labeler.into(),
            verdict,
        };
        let ranks = |ranks: &[i64]| Verdict::Ranks(ranks.to_vec());
        let judgments = [
            judgment(1, 1, "bob", ranks(&[1, 2, 2])),
            judgment(2, 2, "ann", Verdict::Skip("other: too long: really".into())),
            judgment(3, 1, "ann", ranks(&[1, 3, 2])),
            judgment(4, 3, "ann", Verdict::Skip("other: no".into())),
        ];
        let summary = Summary::new(Kind::Rankings, 5, &judgments, 1);
        let expected = "3 of 5 prompts are done\n\
                        ann: 1 rankings, 2 skipped (other 2), 0.0 % of pairs are ties\n\
                        bob: 1 rankings, 33.3 % of pairs are ties\n\
                        agreement 1.000 (1.000 to 1.000) on 2 pairs of answers to 1 prompts that two labelers told apart; \
                        Krippendorff's alpha ";
        assert!(summary.to_string().starts_with(expected), "{summary}");
        let nothing = Summary::new(Kind::Demonstrations, 5, &[], 1);
        assert_eq!(nothing.to_string(), "0 of 5 prompts are done");
    }
}
