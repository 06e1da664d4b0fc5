//! The recipe for real input, where there is any.

use std::path::PathBuf;

use crate::{
    bad_input::skipped,
    support::{hashes, recipe, root, run_well, temporary, text},
};

pub fn data() -> PathBuf {
    std::env::var_os("TAMIS_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from)
}

/// The whole chain runs on real archives, books, an encyclopedia, a forum and conversations; its sums close; and what is no
/// page, or cannot be read, has its reason.
#[test]
fn the_web_recipe_runs_on_real_input() {
    let data = data();
    if !data.join("crawl/pages.warc.gz").is_file() {
        skipped("the_web_recipe_runs_on_real_input", &format!("there is no data in {}", data.display()));
        return;
    }
    let (one, two) = (temporary(), temporary());
    let set = format!("data={}", text(&data));
    let ledger = run_well(&recipe("web.toml"), one.path(), &["--threads", "1", "--set", &set]);
    ledger.check().expect("every equation holds");
    let web = ledger.stages.iter().find(|entry| entry.stage == "read" && entry.source == "web").expect("it was read");
    // 990 pages of one archive, 822 records of the other
    assert_eq!(web.r#in, 1812);
    assert_eq!(web.dropped["not_a_response"], 261 + 261 + 1, "requests, metadata, and a word about the archive");
    assert_eq!(web.dropped["not_http"], 38, "answers about names");
    for mixture in ["text", "instructions"] {
        assert!(one.path().join("mixtures").join(mixture).join("train-00000-of-00001.parquet").is_file());
    }
    run_well(&recipe("web.toml"), two.path(), &["--threads", "2", "--set", &set]);
    let promised = ["mixtures", "decisions", "ledger.json"];
    assert_eq!(hashes(one.path(), &promised), hashes(two.path(), &promised));
}
