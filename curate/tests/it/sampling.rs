//! Which documents a score keeps.

use std::{fs, path::Path};

use crate::{
    duplicates::column_where,
    support::{recipe, root, run, run_well, stderr, temporary, text},
};

/// The fixture's recipe with another step in the place of its draw.
fn with_step(folder: &Path, step: &str) -> std::path::PathBuf {
    let fixture = fs::read_to_string(recipe("fixture.toml")).expect("the recipe is there");
    let own = "pareto = { classifier = \"quality\", alpha = 3.0 }";
    assert!(fixture.contains(own), "the fixture draws");
    let folder_of_fixture = format!("{}/fixtures/", text(&root()));
    let path = folder.join("recipe.toml");
    fs::write(&path, fixture.replace(own, step).replace("../", &folder_of_fixture)).expect("the folder can be written");
    path
}

/// The scores of the crawl's documents that a stage kept, and that it dropped, sorted.
fn scores(out: &Path, stage: &str) -> [Vec<f64>; 2] {
    let path = out.join(format!("decisions/{stage}.parquet"));
    ["keep", "drop"].map(|verdict| {
        let of = column_where(&path, "score", "verdict", verdict);
        let mut scores: Vec<f64> = of.iter().filter_map(|score| score.parse().ok()).collect();
        scores.sort_by(f64::total_cmp);
        scores
    })
}

/// A threshold divides by the score alone; a share keeps the best until it is reached, counted in documents or in bytes.
#[test]
fn scores_keep_the_best() {
    let (folder, out) = (temporary(), temporary());
    let take = |step: &str| {
        run_well(&with_step(folder.path(), step), out.path(), &[]);
    };
    take("threshold = { classifier = \"quality\", min = 0.5 }");
    let [kept, dropped] = scores(out.path(), "threshold");
    assert!(kept.len() > 10 && dropped.len() > 10, "{} kept, {} dropped", kept.len(), dropped.len());
    assert!(kept[0] >= 0.5 && dropped[dropped.len() - 1] < 0.5);

    take("top = { classifier = \"quality\", share = 0.25 }");
    let [kept, dropped] = scores(out.path(), "top");
    let all = kept.len() + dropped.len();
    assert_eq!(kept.len(), all.div_ceil(4));
    assert!(kept[0] >= dropped[dropped.len() - 1]);

    take("top = { classifier = \"quality\", share = 0.25, by = \"bytes\" }");
    let [by_bytes, dropped] = scores(out.path(), "top");
    assert!(by_bytes.len() != kept.len() && by_bytes.len() + dropped.len() == all);
    assert!(by_bytes[0] >= dropped[dropped.len() - 1]);

    // of four languages each has its best: a French page stays that scores less than an English one that goes, where it has a score at all
    // from a classifier that has seen none
    let path = with_step(folder.path(), "top = { classifier = \"quality\", share = 0.25, each_language = true }");
    let whole = fs::read_to_string(&path).expect("it was written");
    let all_languages = whole.replace("keep = [\"en\"]", "keep = [\"de\", \"en\", \"es\", \"fr\"]");
    let all_languages = all_languages.replace("[classifier.quality]\n", "[classifier.quality]\nmin_known = 0\n");
    fs::write(&path, all_languages).expect("the folder can be written");
    run_well(&path, out.path(), &[]);
    let [by_language, dropped] = scores(out.path(), "top");
    assert!(by_language.len() > all.div_ceil(4) && by_language.len() + dropped.len() > all);
    assert!(by_language[0] < dropped[dropped.len() - 1]);

    let wrong = with_step(folder.path(), "top = { classifier = \"quality\", share = 1.5 }");
    assert!(stderr(&run(&wrong, out.path(), &[])).contains("`share` is above 0, to 1"));
}

/// A document of which the classifier knows no word has no score. It goes under a reason of its own, or stays where the recipe wants that,
/// and is no part of what a share is taken of.
#[test]
fn what_a_classifier_does_not_know_has_no_score() {
    let (folder, out) = (temporary(), temporary());
    let write = |name: &str, texts: &mut dyn Iterator<Item = String>| {
        let line = |text: String| serde_json::json!({ "text": text }).to_string() + "\n";
        fs::write(folder.path().join(name), texts.map(line).collect::<String>()).expect("the folder can be written");
    };
    let good = |number: usize| format!("the keeper of light {} wrote down the weather of day {number}", number % 9);
    let bad = |number: usize| format!("cheap pills and casino number {} for sale on day {number}", number % 9);
    let unknown = [
        "今天天气很好，我们去公园散步吧。水闸旁边的磨坊已经很旧了".to_owned(),
        "Η γέφυρα χτίστηκε πλατύτερη από όσο θεωρούσε δυνατό το συμβούλιο".to_owned(),
        (0..99).map(|number| format!("x{}q ", number * 7919 % 100_003)).collect(),
    ];
    write("good.jsonl", &mut (0..100).map(good));
    write("bad.jsonl", &mut (0..100).map(bad));
    write("pool.jsonl", &mut (100..120).map(good).chain((100..120).map(bad)).chain(unknown));
    let path = folder.path().join("recipe.toml");
    // the reference is what happens to be liked: either way nothing is said of what is not known
    for (reference, rest) in [("good", "bad"), ("bad", "good")] {
        for (step, dropped) in [
            ("threshold = { classifier = \"quality\", min = 0.0", 0),
            ("top = { classifier = \"quality\", share = 0.5", 20),
            ("pareto = { classifier = \"quality\", alpha = 0.000001", 0),
        ] {
            for (unknown, more) in [("drop", 3), ("keep", 0)] {
                let recipe = format!(
                    "name = \"unknown\"\nseed = 1\n[source.good]\njsonl = [\"good.jsonl\"]\n[source.bad]\njsonl = [\"bad.jsonl\"]\n\
                     [source.pool]\njsonl = [\"pool.jsonl\"]\n[classifier.quality]\npositive = [\"{reference}\"]\nnegative = [\"{rest}\"]\n\
                     [[step]]\nsources = [\"pool\"]\n{step}, unknown = \"{unknown}\" }}\n[mixture.text]\nweights = {{ pool = 1 }}\n"
                );
                fs::write(&path, recipe).expect("the folder can be written");
                let ledger = run_well(&path, out.path(), &[]);
                let stage = step.split(' ').next().expect("a step has a name");
                let entry = ledger.stages.iter().find(|entry| entry.stage == stage && entry.source == "pool");
                let entry = entry.expect("the step has an account");
                assert_eq!(entry.dropped.get("out_of_vocabulary").copied().unwrap_or_default(), more, "{entry:?}");
                assert_eq!(entry.r#in - entry.kept, dropped + more, "{entry:?}");
                let decisions = out.path().join(format!("decisions/{stage}.parquet"));
                let known = column_where(&decisions, "known", "score", "");
                assert_eq!(known.iter().filter(|known| known.parse::<f64>().is_ok_and(|known| known < 0.1)).count(), 3);
            }
        }
    }
    // nothing is too little where the recipe says so
    let recipe = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, recipe.replace("[classifier.quality]\n", "[classifier.quality]\nmin_known = 0\n"))
        .expect("written");
    run_well(&path, out.path(), &[]);
    let decisions = out.path().join("decisions/pareto.parquet");
    assert!(column_where(&decisions, "score", "source", "pool").iter().all(|score| !score.is_empty()));
    fs::write(&path, recipe.replace("[classifier.quality]\n", "[classifier.quality]\nmin_known = 2\n"))
        .expect("written");
    let error = stderr(&run(&path, out.path(), &[]));
    assert!(
        error.contains("a share lies between 0 and 1: for 2 %, write 0.02") && error.contains("recipe.toml:"),
        "{error}"
    );
}
