//! Cleaning, lists of URLs, presets: what a recipe may do to a table of pages.

use std::{fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};

use crate::support::{run_well, temporary};

const RECIPE: &str = r#"
name = "cleaned"
seed = 1

[source.posts]
csv = ["posts.csv"]
columns = { text = "body", id = "number" }
clean = [{ normal_form = "nfc" }, "white_space", { c4_lines = { min_words = 3 } }, "mask_addresses"]
max_error_rate = 0.5

[facts.urls]
domains = ["domains.txt.gz"]
soft_words = ["soft.txt"]

[[step]]
urls = { max_soft_words = 1 }

[[step]]
preset = "c4"

[mixture.text]
weights = { posts = 1 }
"#;

const STORY: &str = "It rained all night. The river rose. Nobody slept, and in the morning they went out. The bridge was gone. So was the road.";

#[test]
fn a_table_is_cleaned_and_judged_by_rules_and_lists() {
    let folder = temporary();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("the file can be written");
    write("cleaned.toml", RECIPE.as_bytes());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"# listed\nBad.example\n").expect("memory can be written");
    write("domains.txt.gz", &packed.finish().expect("memory can be written"));
    write("soft.txt", b"cheap\nwatches\n");
    let rows = [
        format!("1,http://good.example/a,\"Home  About\n{STORY}\nWrite to ann@mail.example or not.\""),
        format!("2,http://shop.bad.example/,\"{STORY}\""),
        format!("3,http://good.example/cheap-watches,\"{STORY} Buy.\""),
        format!("4,http://good.example/cheap,\"{STORY} So was the cafe\u{301}.\""),
        "5,http://good.example/b,\"Too short, this one.\"".to_owned(),
        "6,http://good.example/c,Home".to_owned(),
        "7,http://good.example/d".to_owned(),
    ];
    write("posts.csv", format!("number,url,body\n{}\n", rows.join("\n")).as_bytes());

    let out = folder.path().join("out");
    let ledger = run_well(&folder.path().join("cleaned.toml"), &out, &[]);
    let stages: Vec<String> = ledger
        .stages
        .iter()
        .map(|entry| {
            format!("{} {} -> {} {:?} {:?}", entry.stage, entry.r#in, entry.kept, entry.dropped, entry.quarantined)
        })
        .collect();
    let cleaning: Vec<String> = ledger
        .cleaning
        .iter()
        .map(|entry| format!("{} {} {} {}", entry.source, entry.cleaning, entry.documents, entry.characters))
        .collect();
    insta::assert_snapshot!([stages, cleaning].concat().join("\n"), @r#"
    read 7 -> 5 {"nothing_left": 1} {"csv_row": 1}
    urls 5 -> 3 {"url_domain": 1, "url_soft_words": 1} {}
    c4_quality 3 -> 2 {"c4_few_sentences": 1} {}
    mixture-text 2 -> 2 {} {}
    posts normal_form 1 1
    posts white_space 1 1
    posts c4_lines 2 15
    posts mask_addresses 1 16
    "#);
}

/// Rules on length and characters, each document with what it goes for.
#[test]
fn documents_are_judged_by_their_length_and_characters() {
    let folder = temporary();
    let recipe = r#"
name = "judged"
seed = 1

[source.posts]
jsonl = ["posts.jsonl"]

[[step]]
length = { min_words = 20, max_characters = 400, max_lines = 3 }

[[step]]
nemo_quality = {}

[mixture.text]
weights = { posts = 1 }
"#;
    let numbers = "The house has 12 rooms. ".repeat(6)
        + "On 11/12/1999 it cost 1,234,567.89 (then 1,345,678.90), and 987,654 in 2001.";
    let texts = [STORY.to_owned(), "Too short, this one.".into(), STORY.repeat(4), STORY.replace(". ", ".\n"), numbers];
    let lines: Vec<String> = texts.iter().map(|text| serde_json::json!({ "text": text }).to_string()).collect();
    for (name, bytes) in [("judged.toml", recipe.to_owned()), ("posts.jsonl", lines.join("\n") + "\n")] {
        fs::write(folder.path().join(name), bytes).expect("the file can be written");
    }
    let ledger = run_well(&folder.path().join("judged.toml"), &folder.path().join("out"), &[]);
    let stages = ledger.stages.iter().map(|entry| format!("{} {} {:?}", entry.stage, entry.kept, entry.dropped));
    insta::assert_snapshot!(stages.collect::<Vec<_>>().join("\n"), @r#"
    read 5 {}
    length 2 {"too_few_words": 1, "too_many_characters": 1, "too_many_lines": 1}
    nemo_quality 1 {"nemo_digits": 1}
    mixture-text 1 {}
    "#);
}
