//! Every figure of a run by name, so that those of two runs can be put side by side.

use std::collections::BTreeMap;

use pages::numbers::share;

use super::value::Value;
use crate::{
    learn::Evaluation,
    report::{
        findings::{Fate, Findings},
        lead::Headline,
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

/// A figure of one run.
pub type Figure = (Topic, String, Value);

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
