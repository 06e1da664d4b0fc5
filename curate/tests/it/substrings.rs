//! Substrings that stand in more than one place, as their user would look for them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
};

use datafusion::arrow::{array::AsArray as _, compute::cast, datatypes::DataType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{
    duplicates::{write_lines, writing},
    support::{OUTPUTS, curate, hashes, run_well, stdout, temporary, text},
};

/// A recipe that cuts substrings out of `some.jsonl` and writes what is left.
fn recipe(folder: &Path, steps: &str) -> std::path::PathBuf {
    let path = folder.join("recipe.toml");
    let recipe = format!(
        "name = \"substrings\"\nseed = 1\n[source.some]\njsonl = [\"*.jsonl\"]\n{steps}\n\
         [splits]\nvalidation = 0.0\n[mixture.text]\nweights = {{ some = 1.0 }}\n"
    );
    fs::write(&path, recipe).expect("the folder can be written");
    path
}

/// The texts of a mixture, sorted.
fn mixture(out: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(out.join("mixtures/text")).expect("there is a mixture") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let file = File::open(path).expect("it can be opened");
            let rows =
                ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it has rows");
            for batch in rows.map(|batch| batch.expect("the rows can be read")) {
                let column =
                    cast(batch.column_by_name("text").expect("there is a text"), &DataType::Utf8).expect("it is text");
                texts.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
            }
        }
    }
    texts.sort();
    texts
}

fn documents(texts: &[String]) -> Vec<(String, String)> {
    texts.iter().enumerate().map(|(place, text)| (place.to_string(), text.clone())).collect()
}

/// Every planted substring is cut but for one place, to the byte, and nothing else is: at any number of threads, in any order of files,
/// on any engine.
#[test]
fn planted_substrings_are_cut_to_the_byte() {
    let folder = temporary();
    // words of four letters: no 100 bytes stand twice by chance
    let own = writing(5, 60, 60);
    let planted: Vec<String> = writing(6, 6, 30);
    // a substring between marks that differ from place to place, so that it ends where it was planted to end
    let mark = |place: usize| char::from(b'A' + u8::try_from(place / 6).expect("a small number"));
    let texts: Vec<String> = (0..60)
        .map(|place| match place % 3 {
            0 => own[place].clone(),
            _ => {
                let (before, behind) = own[place].split_at(150);
                format!("{before}{}{}{}{behind}", mark(place), planted[place % 6], mark(place))
            }
        })
        .collect();
    write_lines(&folder.path().join("all.jsonl"), &documents(&texts));
    let steps = "[[step]]\nsubstring_dedup = { unit = { bytes = 100 } }\n";
    let recipe_path = recipe(folder.path(), steps);
    let out = folder.path().join("out");
    let ledger = run_well(&recipe_path, &out, &["--threads", "1"]);
    let found = mixture(&out);
    assert_eq!(found.len(), texts.len());
    let places = (0..60).filter(|place| place % 3 != 0).count() as u64;
    let used = (0..6).filter(|substring| substring % 3 != 0).count() as u64;
    let length = planted[0].len() as u64;
    assert_eq!((ledger.cuts[0].documents, ledger.cuts[0].bytes), (places - used, (places - used) * length));
    // what is left: the text itself, or the text without its substring
    let mut kept: BTreeMap<&str, u32> = BTreeMap::new();
    for (place, text) in texts.iter().enumerate() {
        let substring = &planted[place % 6];
        let without = text.replacen(substring.as_str(), "\n\n", usize::from(place % 3 != 0));
        if found.binary_search(text).is_ok() {
            *kept.entry(substring).or_default() += u32::from(place % 3 != 0);
        } else {
            assert!(found.binary_search(&without).is_ok(), "document {place} became something else");
        }
    }
    kept.retain(|_, count| *count > 0);
    assert!(kept.len() == 4 && kept.values().all(|count| *count == 1), "one place of each substring stays: {kept:?}");

    let expected = hashes(&out, &["decisions", "mixtures"]);
    for more in [&["--threads", "8"][..], &["--engine", "rehearsal"]] {
        let other = folder.path().join("other");
        run_well(&recipe_path, &other, &[more, &["--fresh"]].concat());
        assert_eq!(hashes(&other, &OUTPUTS), hashes(&out, &OUTPUTS), "{more:?}");
    }
    // the same documents in two files and another order
    let parts = temporary();
    let mut turned = documents(&texts);
    turned.reverse();
    write_lines(&parts.path().join("b.jsonl"), &turned[..25]);
    write_lines(&parts.path().join("a.jsonl"), &turned[25..]);
    let other = parts.path().join("out");
    run_well(&recipe(parts.path(), steps), &other, &[]);
    assert_eq!(hashes(&other, &["decisions", "mixtures"]), expected);
}

/// Lines go as `CCNet`'s do; what is left of a document may be too little; and a step after a step of the kind sees whole texts.
#[test]
fn menus_go_and_what_is_short_without_them() {
    let folder = temporary();
    let own = writing(7, 4, 40);
    let texts = [
        format!("Home | News\n{}\nAll rights reserved.", own[0]),
        format!("home, news!\n{}\nAll rights reserved.", own[1]),
        "Home News\nAll rights reserved.\nLittle else".to_owned(),
        own[2].clone(),
    ];
    write_lines(&folder.path().join("some.jsonl"), &documents(&texts));
    let steps = "[[step]]\nsubstring_dedup = { unit = \"lines\", normalized = true, keep_first = false }\n\
                 [[step]]\nsubstring_dedup = { unit = { sentences = 3 } }\n";
    let path = recipe(folder.path(), steps);
    let out = folder.path().join("out");
    let ledger = run_well(&path, &out, &[]);
    let mut expected = own[..3].to_vec();
    expected.sort();
    assert_eq!(mixture(&out), expected);
    let after_cuts = ledger.stages.iter().find(|entry| entry.stage == "after_cuts").expect("there is such a stage");
    assert_eq!(after_cuts.dropped, BTreeMap::from([("short_remains".to_owned(), 1)]));
    let check = curate(&["check", text(&path)]).output().expect("the program can be started");
    assert!(
        stdout(&check).contains("cut lines, normalized, that stand in more than one place (on some)"),
        "{}",
        stdout(&check)
    );
    let why = curate(&["why", text(&out), "2"]).output().expect("the program can be started");
    assert!(
        stdout(&why).contains("line_dedup             cut") && stdout(&why).contains("short_remains"),
        "{}",
        stdout(&why)
    );
}
