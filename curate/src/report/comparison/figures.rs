//! Every figure of a run by name, so that those of two runs can be put side by side.

use std::collections::BTreeMap;

use crate::{
    learn::Evaluation,
    report::{
        findings::{Fate, Findings},
        lead::Headline,
        numbers::{decimal, duration, grouped, share},
    },
};

/// What figures are about, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Run,
    Stages,
    Reasons,
    Sources,
    Languages,
    Hosts,
    Scores,
    Classifiers,
    Duplicates,
    Cleaning,
    Cuts,
    Benchmarks,
    Mixtures,
    Time,
}

/// A number and how it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Count(u64),
    Bytes(u64),
    Share(f64),
    Decimal(f64),
    Seconds(f64),
}

/// A figure of one run or of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub topic: Topic,
    pub name: String,
    pub first: Option<Value>,
    pub second: Option<Value>,
}

/// A figure of one run.
pub type Figure = (Topic, String, Value);

impl Value {
    pub fn number(self) -> f64 {
        match self {
            Self::Count(number) | Self::Bytes(number) => number as f64,
            Self::Share(number) | Self::Decimal(number) | Self::Seconds(number) => number,
        }
    }

    pub fn shown(self) -> String {
        match self {
            Self::Count(count) => grouped(count),
            Self::Bytes(bytes) => decimal(bytes),
            Self::Share(share) => format!("{:.3}\u{202f}%", share * 100.0),
            Self::Decimal(number) => format!("{number:.3}"),
            Self::Seconds(seconds) => duration(seconds),
        }
    }

    /// How much more `other` is, with a sign.
    fn distance(self, other: Self) -> String {
        let (sign, apart) = if other.number() < self.number() {
            ("−", self.number() - other.number())
        } else {
            ("+", other.number() - self.number())
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the difference of two counts is one"
        )]
        let count = apart as u64;
        let apart = match self {
            Self::Count(_) => grouped(count),
            Self::Bytes(_) => decimal(count),
            Self::Share(_) => format!("{:.3} points", apart * 100.0),
            Self::Decimal(_) => format!("{apart:.3}"),
            Self::Seconds(_) => duration(apart),
        };
        format!("{sign}{apart}")
    }
}

impl Difference {
    pub fn differs(&self) -> bool {
        self.first != self.second
    }

    /// Whether it is no promise that the same run gives it again.
    pub fn is_of_time(&self) -> bool {
        self.topic == Topic::Time
    }

    /// How much more there is in the second run; nothing where it is the same, or one has no such figure.
    pub fn apart(&self) -> Option<String> {
        match (self.first, self.second) {
            (Some(first), Some(second)) if first != second => Some(first.distance(second)),
            _ => None,
        }
    }

    /// The change as a share of the first run's figure, where that is not 0.
    pub fn relative(&self) -> Option<f64> {
        let (first, second) = (self.first?.number(), self.second?.number());
        (first != 0.0 && self.differs()).then(|| (second - first) / first)
    }
}

/// The figures of two runs, by topic, in the order in which the first run has them.
pub fn differences(first: Vec<Figure>, second: Vec<Figure>) -> Vec<Difference> {
    let mut places: BTreeMap<(Topic, String), usize> = BTreeMap::new();
    let mut differences: Vec<Difference> = Vec::new();
    for (topic, name, value) in first {
        places.insert((topic, name.clone()), differences.len());
        differences.push(Difference { topic, name, first: Some(value), second: None });
    }
    for (topic, name, value) in second {
        match places.get(&(topic, name.clone())) {
            Some(place) => differences[*place].second = Some(value),
            None => differences.push(Difference { topic, name, first: None, second: Some(value) }),
        }
    }
    differences.sort_by_key(|difference| difference.topic);
    differences
}

/// Every figure of a run.
pub fn figures(findings: &Findings) -> Vec<Figure> {
    let mut figures = Figures(Vec::new());
    figures.run(findings);
    figures.ledger(findings);
    figures.population(findings);
    figures.models(findings);
    figures.found(findings);
    figures.time(findings);
    figures.0
}

struct Figures(Vec<Figure>);

impl Figures {
    fn add(&mut self, topic: Topic, name: impl Into<String>, value: Value) {
        self.0.push((topic, name.into(), value));
    }

    fn count(&mut self, topic: Topic, name: impl Into<String>, count: u64) {
        self.add(topic, name, Value::Count(count));
    }

    fn run(&mut self, findings: &Findings) {
        let headline = Headline::of(findings);
        let after = findings.population.whole().after;
        self.count(Topic::Run, "records read", headline.records);
        self.count(Topic::Run, "records broken", headline.broken);
        self.count(Topic::Run, "documents", headline.documents);
        self.count(Topic::Run, "kept by all steps", headline.kept);
        self.add(Topic::Run, "text kept", Value::Bytes(after.bytes));
        self.count(Topic::Run, "words kept", after.words);
        self.count(Topic::Run, "rows written", headline.rows);
    }

    fn ledger(&mut self, findings: &Findings) {
        let ledger = &findings.ledger;
        let mut reasons: BTreeMap<(usize, &str, &str), u64> = BTreeMap::new();
        let stages: Vec<&str> = ledger.stages.iter().map(|entry| entry.stage.as_str()).collect();
        for entry in &ledger.stages {
            self.count(Topic::Stages, format!("{}, {}", entry.stage, entry.source), entry.kept);
            let place = stages.iter().position(|stage| *stage == entry.stage).unwrap_or_default();
            for (reason, count) in entry.dropped.iter().chain(&entry.quarantined) {
                *reasons.entry((place, &entry.stage, reason)).or_default() += count;
            }
        }
        for ((_, stage, reason), count) in reasons {
            self.count(Topic::Reasons, format!("{stage}, {reason}"), count);
        }
        for entry in &ledger.cleaning {
            self.count(Topic::Cleaning, format!("{}, {}: characters", entry.source, entry.cleaning), entry.characters);
        }
        for entry in &ledger.cuts {
            self.add(Topic::Cuts, format!("{}, {}", entry.stage, entry.source), Value::Bytes(entry.bytes));
        }
        for entry in &ledger.mixtures {
            self.count(
                Topic::Mixtures,
                format!("{}, {}, {}: rows", entry.mixture, entry.split, entry.source),
                entry.rows,
            );
        }
        for mixture in &findings.mixtures {
            for source in mixture.sources.keys() {
                let name = format!("{}, {source}: share reached", mixture.mixture);
                if let Some(reached) = mixture.reached(source) {
                    self.add(Topic::Mixtures, name, Value::Share(reached));
                }
            }
        }
    }

    fn population(&mut self, findings: &Findings) {
        let population = &findings.population;
        for (source, sizes) in &population.sources {
            self.count(Topic::Sources, format!("{source}: documents"), sizes.before.documents);
            self.count(Topic::Sources, format!("{source}: kept"), sizes.after.documents);
            self.add(Topic::Sources, format!("{source}: text kept"), Value::Bytes(sizes.after.bytes));
            self.count(Topic::Sources, format!("{source}: words kept"), sizes.after.words);
            if let Some(tokens) = sizes.after.tokens {
                self.count(Topic::Sources, format!("{source}: tokens kept"), tokens);
            }
        }
        for (topic, counts) in [(Topic::Languages, &population.languages), (Topic::Hosts, &population.hosts)] {
            for (name, count) in counts {
                self.count(topic, format!("{name}: kept"), count.after);
            }
        }
        self.count(Topic::Hosts, "all hosts", population.host_count);
    }

    fn models(&mut self, findings: &Findings) {
        for step in &findings.steps {
            let Some(scores) = &step.scores else { continue };
            let (kept, dropped): (u64, u64) = (scores.kept.iter().sum(), scores.dropped.iter().sum());
            if let Some(alpha) = scores.alpha {
                self.add(Topic::Scores, format!("{}: shape", step.stage), Value::Decimal(alpha));
            }
            if let Some(share) = share(kept, kept + dropped) {
                self.add(Topic::Scores, format!("{}: share kept", step.stage), Value::Share(share));
            }
        }
        for card in &findings.cards {
            self.evaluation(&format!("{}, held out", card.name), &card.held_out);
            for labelled in &card.labelled {
                self.evaluation(&format!("{}, {}", card.name, labelled.file), &labelled.evaluation);
            }
        }
    }

    fn evaluation(&mut self, name: &str, evaluation: &Evaluation) {
        for (what, figure) in [("area", evaluation.roc_auc), ("F1", evaluation.f1)] {
            if let Some(figure) = figure {
                self.add(Topic::Classifiers, format!("{name}: {what}"), Value::Decimal(figure));
            }
        }
    }

    fn found(&mut self, findings: &Findings) {
        if let Some(clusters) = &findings.clusters {
            let account = &clusters.account;
            self.count(Topic::Duplicates, "documents in clusters", account.members);
            self.count(Topic::Duplicates, "clusters", account.clusters);
            self.count(Topic::Duplicates, "pairs compared", account.pairs_compared);
            self.count(Topic::Duplicates, "near-duplicate pairs", account.pairs_alike);
            self.count(Topic::Duplicates, "pairs left", account.pairs_left);
            if let Some((_, members)) = clusters.largest.first() {
                self.count(Topic::Duplicates, "documents in the largest", u64::from(*members));
            }
        }
        for found in &findings.contaminations {
            for account in &found.benchmarks {
                let name = format!("{}, {}", found.stage, account.benchmark);
                self.count(Topic::Benchmarks, format!("{name}: examples found"), account.found);
                self.count(Topic::Benchmarks, format!("{name}: as a whole"), account.whole);
                self.count(Topic::Benchmarks, format!("{name}: documents"), account.documents);
            }
        }
        for step in &findings.steps {
            for group in step.groups.iter().filter(|group| group.fate == Fate::Cut) {
                self.count(Topic::Cuts, format!("{}: documents cut", step.stage), group.documents);
            }
        }
    }

    fn time(&mut self, findings: &Findings) {
        for work in findings.work.iter().filter(|work| work.seconds > 0.0) {
            let unit = work.unit.iter().map(|unit| format!(", {unit}")).collect::<String>();
            self.add(Topic::Time, format!("{}{unit}", work.stage), Value::Seconds(work.seconds));
        }
        if let Some(peak) = Headline::of(findings).peak {
            self.add(Topic::Time, "memory at most", Value::Bytes(peak));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_either_run_are_there_once() {
        let figure = |name: &str, count| (Topic::Run, name.to_owned(), Value::Count(count));
        let found = differences(vec![figure("a", 1), figure("b", 2000)], vec![figure("b", 1000), figure("c", 3)]);
        let shown: Vec<_> = found.iter().map(|of| (of.name.as_str(), of.apart(), of.relative())).collect();
        assert_eq!(shown, [("a", None, None), ("b", Some("−1\u{202f}000".into()), Some(-0.5)), ("c", None, None)]);
        assert!(found.iter().all(Difference::differs));
    }
}
