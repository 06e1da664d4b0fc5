//! The fixture's known truth against what a run decides.

use std::collections::BTreeMap;

use curate::{
    learn::{Buffers, language::LanguageModel},
    run::{Fate, why},
};
use fixtures::{
    dice::Dice,
    prose::{Language, TOPICS},
    truth::{RecordTruth, Truth, Verdict},
};

use crate::support::{recipe, root, run_well, temporary};

fn truth() -> Truth {
    let bytes = std::fs::read(root().join("fixtures/truth.json")).expect("the truth is committed");
    serde_json::from_slice(&bytes).expect("the truth is JSON")
}

/// The last word on a document before mixtures.
fn last(fates: &[Fate]) -> &Fate {
    fates.iter().rfind(|fate| !fate.stage.starts_with("mixture-")).expect("every document is read")
}

/// Every page comes to the end that follows from how it was built; what reaches the classifier is kept at the stated
/// rates, and near copies that bands find at a rate are found at it.
#[tokio::test]
async fn every_page_comes_to_its_end() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let truth = truth();
    let mut drawn: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let (mut found, mut expected, mut variance) = (0.0, 0.0, 0.0);
    for record in truth.records.iter().filter(|record| record.id.is_some()) {
        let fates = why(out.path(), record.id.as_deref().expect("it has an id")).await.expect("every record is known");
        let end = last(&fates);
        match &record.verdict {
            Verdict::Dropped { reason, .. } if reason == "same_record" => {
                let reasons: Vec<_> = fates.iter().filter_map(|fate| fate.reason.as_deref()).collect();
                assert!(reasons.contains(&"same_record"), "{}: {reasons:?}", record.url);
            }
            Verdict::Dropped { stage, reason, repeats } => {
                assert_eq!((&end.stage, end.reason.as_ref()), (stage, Some(reason)), "{}", describe(record));
                let named = end.details.iter().find(|(name, _)| name == "repeats").map(|(_, id)| id);
                assert!(repeats.is_none() || named == repeats.as_ref(), "{}: {named:?}", describe(record));
            }
            Verdict::Rated { stage, probability, .. } => {
                let joined = end.stage == *stage;
                assert!(joined || end.stage == "pareto", "{}: {end:?}", describe(record));
                found += f64::from(u8::from(joined));
                expected += probability;
                variance += probability * (1.0 - probability);
            }
            Verdict::Drawn => {
                assert_eq!(end.stage, "pareto", "{}: {end:?}", describe(record));
                let (kept, all) = drawn.entry(&record.kind).or_default();
                *kept += f64::from(u8::from(end.verdict == "keep"));
                *all += 1.0;
            }
            Verdict::Quarantined(fault) => panic!("{}: {fault} and an id", describe(record)),
        }
    }
    assert!((found - expected).abs() < 4.0 * f64::sqrt(variance), "{found} near copies found, {expected} expected");
    for (kind, (least, most)) in &truth.kept_shares {
        let (kept, all) = drawn[kind.as_str()];
        let share = kept / all;
        assert!((*least..=*most).contains(&share), "{kind}: {share} of {all} are kept, not {least} to {most}");
    }
}

/// Every broken record is in quarantine, with its file and its fault.
#[test]
fn every_broken_record_is_quarantined() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let list = std::fs::read_to_string(out.path().join("quarantine/crawl.jsonl")).expect("there are broken records");
    let mut found: Vec<(String, String)> = list
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .map(|line: serde_json::Value| {
            let file = line["file"].as_str().expect("a file").rsplit("fixtures/").next().unwrap_or_default();
            (
                file.rsplit("../").next().unwrap_or_default().to_owned(),
                line["fault"].as_str().expect("a fault").to_owned(),
            )
        })
        .collect();
    let mut expected: Vec<(String, String)> = truth()
        .records
        .iter()
        .filter_map(|record| match &record.verdict {
            Verdict::Quarantined(fault) => Some((record.file.clone(), fault.clone())),
            _ => None,
        })
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

fn describe(record: &RecordTruth) -> String {
    format!("{} {} ({:?})", record.kind, record.url, record.id)
}

/// What is committed is what the program writes from the seed.
#[test]
fn the_fixture_is_what_its_program_writes() {
    let folder = temporary();
    fixtures::write(folder.path(), fixtures::SEED).expect("the temporary folder can be written");
    let committed = root().join("fixtures");
    for (name, hash) in crate::support::hashes(folder.path(), &["crawl", "tasks", "truth.json", "reference.jsonl.gz"]) {
        let ours = crate::support::hashes(&committed, &[&name]);
        assert_eq!(ours[&name], hash, "fixtures/{name} differs: run `cargo run --bin fixtures -- write fixtures`");
    }
    // fastText adds up by the widest registers that there are, so another processor trains another model that knows the same
    let models = [folder.path(), &committed]
        .map(|folder| LanguageModel::load(&folder.join("language.bin")).expect("the model can be read"));
    let mut dice = Dice::new(1, "sentences to tell the languages of");
    for (language, topic) in Language::ALL.iter().flat_map(|language| TOPICS.iter().map(move |topic| (language, topic)))
    {
        let sentence = language.sentence(topic, &mut dice);
        for model in &models {
            let found = model.identify(&sentence, &mut Buffers::default()).expect("it has words");
            assert_eq!(found.language, language.code(), "{sentence}");
        }
    }
}
