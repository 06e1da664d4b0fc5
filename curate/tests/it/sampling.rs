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

    // of four languages each has its best: a French page stays that scores less than an English one that goes
    let path = with_step(folder.path(), "top = { classifier = \"quality\", share = 0.25, each_language = true }");
    let whole = fs::read_to_string(&path).expect("it was written");
    let all_languages = whole.replace("keep = [\"en\"]", "keep = [\"de\", \"en\", \"es\", \"fr\"]");
    fs::write(&path, all_languages).expect("the folder can be written");
    run_well(&path, out.path(), &[]);
    let [by_language, dropped] = scores(out.path(), "top");
    assert!(by_language.len() > all.div_ceil(4) && by_language.len() + dropped.len() > all);
    assert!(by_language[0] < dropped[dropped.len() - 1]);

    let wrong = with_step(folder.path(), "top = { classifier = \"quality\", share = 1.5 }");
    assert!(stderr(&run(&wrong, out.path(), &[])).contains("`share` is above 0, to 1"));
}
