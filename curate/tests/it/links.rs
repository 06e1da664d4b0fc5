//! Pages that people linked to, and the benchmarks that stand in pages: the fixture's truth against what a run decides.

use std::{fs, path::Path};

use fixtures::truth::{RecordTruth, Truth, Verdict};

use crate::{
    duplicates::column_where,
    support::{recipe, root, run, run_well, stderr, temporary, text},
};

fn records() -> Vec<RecordTruth> {
    let bytes = fs::read(root().join("fixtures/truth.json")).expect("the truth is committed");
    serde_json::from_slice::<Truth>(&bytes).expect("the truth is JSON").records
}

/// The fixture's recipe with other facts, classifier and steps.
fn with(folder: &Path, facts: &str, steps: &str) -> std::path::PathBuf {
    let fixture = fs::read_to_string(recipe("fixture.toml")).expect("the recipe is there");
    let (head, rest) = fixture.split_once("[classifier.quality]").expect("it has a classifier");
    let (_, tail) = rest.split_once("[splits]").expect("it has splits");
    let folder_of_fixture = format!("{}/fixtures/", text(&root()));
    let path = folder.join("recipe.toml");
    let whole = format!("{head}{facts}\n{steps}\n[splits]{tail}").replace("\"../", &format!("\"{folder_of_fixture}"));
    fs::write(&path, whole).expect("the folder can be written");
    path
}

/// `WebText`'s filter: pages stay that a post of 3 karma or more leads to, in whatever form it names them; those of a domain that is left out
/// go whoever linked to them. The pages that stay serve a classifier as its reference.
#[test]
fn pages_stay_that_people_liked() {
    let (folder, out) = (temporary(), temporary());
    let facts = "[facts.links]\nposts = [\"../posts.jsonl\"]\n";
    let steps = "[[step]]\nlinked = { exclude_domains = [\"notes.example\", \"www.sailing-notes.example\"] }\nsources = [\"crawl\"]\n";
    run_well(&with(folder.path(), facts, steps), out.path(), &[]);
    let path = out.path().join("decisions/linked.parquet");
    let ids = |column: &str, value: &str| column_where(&path, "id", column, value);
    let (kept, low, none, excluded) = (
        ids("verdict", "keep"),
        ids("reason", "low_karma"),
        ids("reason", "not_linked"),
        ids("reason", "excluded_domain"),
    );
    let mut seen = [0; 4];
    for record in records() {
        let Some(id) = record.id else { continue };
        if matches!(record.verdict, Verdict::Dropped { ref stage, .. } if stage == "read") {
            continue;
        }
        let place = match record.karma {
            _ if record.url.contains("://www.sailing-notes.example/") => 3,
            None => 2,
            Some(karma) if karma < 3 => 1,
            Some(_) => 0,
        };
        assert!([&kept, &low, &none, &excluded][place].contains(&id), "{} has karma {:?}", record.url, record.karma);
        seen[place] += 1;
    }
    assert!(seen.iter().all(|count| *count > 3), "{seen:?}");

    let classifier = "[facts.links]\nposts = [\"../posts.jsonl\"]\n[classifier.liked]\npositive = [\"crawl\"]\n\
                      negative = [\"crawl\"]\nlinked = {}\n";
    let out = temporary();
    run_well(&with(folder.path(), classifier, ""), out.path(), &[]);
    let card: serde_json::Value =
        serde_json::from_slice(&fs::read(out.path().join("models/liked/card.json")).expect("it was trained"))
            .expect("a card");
    let documents: Vec<u64> =
        (0..2).map(|side| card["trained_on"][side]["documents"].as_u64().expect("a count")).collect();
    assert!(documents.iter().all(|count| *count > 20), "{card}");
    let error = stderr(&run(
        &with(
            folder.path(),
            "[classifier.liked]\npositive = [\"crawl\"]\nnegative = [\"reference\"]\nlinked = {}\n",
            "",
        ),
        out.path(),
        &[],
    ));
    assert!(error.contains("add [facts.links]"), "{error}");
}

/// Questions that pages of the fixture give away are cut out of them, and the list names them, and no others.
#[test]
fn questions_that_pages_give_away_are_cut() {
    let (folder, out) = (temporary(), temporary());
    let facts = "[benchmark.quiz]\ntask = \"../tasks/quiz.toml\"\n";
    let steps = "[[step]]\ndecontaminate = {}\nsources = [\"crawl\"]\n";
    run_well(&with(folder.path(), facts, steps), out.path(), &[]);
    let path = out.path().join("decisions/decontaminate.parquet");
    let mut touched = column_where(&path, "id", "verdict", "cut");
    touched.extend(column_where(&path, "id", "reason", "contaminated"));
    let read: Vec<RecordTruth> = records()
        .into_iter()
        .filter(|record| {
            record.id.is_some() && !matches!(record.verdict, Verdict::Dropped { ref stage, .. } if stage == "read")
        })
        .collect();
    let leaking = || read.iter().filter(|record| !record.leaks.is_empty());
    assert!(leaking().count() > 3);
    for record in leaking() {
        assert!(
            touched.contains(record.id.as_ref().expect("it has an id")),
            "{} gives {:?} away",
            record.url,
            record.leaks
        );
    }
    assert_eq!(touched.len(), leaking().count(), "and nothing else is cut");
    let given: std::collections::BTreeSet<&String> = leaking().flat_map(|record| &record.leaks).collect();
    let list = fs::read_to_string(out.path().join("facts/contamination/decontaminate.jsonl")).expect("there is a list");
    // questions have phrases in common: one that was given away may stand in part in another
    let whole = list.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"));
    assert_eq!(whole.filter(|found| found["cut"] == found["runs"]).count(), given.len(), "{list}");
    assert!(fs::read_to_string(out.path().join("report.html")).expect("there is a report").contains("Benchmarks"));
}
