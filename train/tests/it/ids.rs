//! Ids: made once, kept, and the same as those of others.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use fixtures::needs::data;
use train::tokenizer::Tokenizer;

use crate::{
    exactness::TWO_SOURCES,
    support::{Workshop, stderr, text, train},
};

/// The files of a cache, and when they were written.
fn files(cache: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let entries = fs::read_dir(cache).expect("there is a cache").map(|entry| entry.expect("it can be listed").path());
    let tokens = entries.filter(|path| path.extension().is_some_and(|extension| extension == "tokens"));
    tokens.map(|path| (path.clone(), fs::metadata(&path).and_then(|file| file.modified()).expect("a time"))).collect()
}

/// A second training finds the ids of the first; a file of them that was changed is named and made again; and neither changes
/// what is learnt.
#[test]
fn a_file_is_tokenized_once() {
    let workshop = Workshop::new();
    workshop.write_sums("sums.jsonl", 600);
    workshop.set_data(TWO_SOURCES);
    let cache = workshop.path().join("cache");
    let run = |out: &str| {
        let output = workshop.pretrain(out, &["--cache", text(&cache), "--until", "10"]);
        assert!(output.status.success(), "{}", stderr(&output));
        (stderr(&output), workshop.checkpoint(out, 10))
    };
    let (notes, first) = run("first");
    assert_eq!(notes.matches("tokenized ").count(), 3, "{notes}");
    let made = files(&cache);
    assert_eq!(made.len(), 3);

    let (notes, second) = run("second");
    assert!(!notes.contains("tokenized ") && first == second, "{notes}");
    assert_eq!(files(&cache), made);

    let largest =
        made.keys().max_by_key(|path| fs::metadata(path).map_or(0, |file| file.len())).expect("there are files");
    let mut bytes = fs::read(largest).expect("it can be read");
    bytes[100] ^= 1;
    fs::write(largest, &bytes).expect("it can be changed");
    let (notes, third) = run("third");
    let name = largest.file_name().expect("a file has a name").to_string_lossy();
    assert!(notes.contains(&format!("{name} is damaged")) && notes.contains("made again"), "{notes}");
    assert!(notes.matches("tokenized ").count() == 1 && first == third, "{notes}");
    assert_eq!(files(&cache).keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
}

/// A file may ask for BPE dropout, which draws the merges of each text by chance. It is off, and that is said: what is learnt is what the
/// file without it teaches.
#[test]
fn no_merge_is_dropped_by_chance() {
    let workshop = Workshop::new();
    workshop.pretrain_well("plain", &["--until", "10"]);
    let path = workshop.path().join("tokenizer.json");
    let mut json: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).expect("it was written")).expect("it is JSON");
    json["model"]["dropout"] = 0.5.into();
    fs::write(&path, json.to_string()).expect("it can be written");
    let output = workshop.pretrain("dropout", &["--until", "10"]);
    let notes = stderr(&output);
    assert!(output.status.success() && notes.matches("BPE dropout of 0.5 is off").count() == 1, "{notes}");
    assert_eq!(workshop.checkpoint("plain", 10), workshop.checkpoint("dropout", 10));
}

/// Our encoder gives the ids of the crate `tokenizers` on real text: books, forum posts, chat, an encyclopedia, plays, and sentences in
/// 75 languages.
#[test]
fn ids_of_real_text_are_those_of_the_crate() {
    let Some(data) = data("ids_of_real_text_are_those_of_the_crate", "text/books.jsonl.gz") else { return };
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let books = rows(&data.join("text/books.jsonl.gz"), 20);
    let corpus = folder.path().join("books.jsonl");
    let lines = books.iter().map(|text| format!("{}\n", serde_json::json!({ "text": text }))).collect::<String>();
    fs::write(&corpus, lines).expect("the file can be written");
    let path = folder.path().join("tokenizer.json");
    let output = train(&["tokenizer", text(&corpus), "--vocab-size", "4096", "--out", text(&path)]);
    assert!(output.status.success(), "{}", stderr(&output));

    let whole = |name: &str| fs::read_to_string(data.join(name)).expect("it can be read");
    let mut texts = books;
    texts.extend(rows(&data.join("text/forum.jsonl.gz"), 10));
    texts.extend(rows(&data.join("text/irc.jsonl.gz"), 4));
    texts.extend(rows(&data.join("language/sentences.jsonl.gz"), 1));
    texts.extend(["text/wikitext-2.valid.txt", "text/shakespeare.txt"].map(whole));
    let ours = Tokenizer::load(&path).expect("it was written");
    assert!(ours.is_fast());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let ids = ours.encode_batch(&texts).expect("any text can be encoded");
    let theirs = tokenizers::Tokenizer::from_file(&path).expect("it was written");
    let expected = theirs.encode_batch_fast(texts.clone(), false).expect("any text can be encoded");
    for ((text, ids), expected) in texts.iter().zip(ids).zip(expected) {
        assert_eq!(ids, expected.get_ids(), "{text:.60?}");
    }
}

/// Every so-manieth text of a packed file of JSON lines.
fn rows(path: &Path, every: usize) -> Vec<String> {
    let output = Command::new("gzip").arg("-dc").arg(path).output().expect("gzip can be started");
    let lines = String::from_utf8(output.stdout).expect("the file is UTF-8");
    let text = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        row["text"].as_str().expect("a row has a text").to_owned()
    };
    lines.lines().step_by(every).map(text).collect()
}

/// Text that quotes the end of a text is text, unless that is asked for; the ids of the two are two in a cache.
#[test]
fn a_document_does_not_end_where_it_quotes_an_end() {
    let workshop = Workshop::new();
    let documents: String = (0..40).map(|number| format!("{{\"text\": \"a <|endoftext|> b {number}\"}}\n")).collect();
    fs::write(workshop.path().join("quotes.jsonl"), documents).expect("the file can be written");
    workshop.set_data("mixture = \"quotes.jsonl\"\nvalidation = 0.3");
    let cache = workshop.path().join("cache");
    let tokens = |out: &str, more: &[&str]| -> usize {
        let output = workshop.pretrain(out, &[&["--cache", text(&cache), "--until", "1"], more].concat());
        let notes = stderr(&output);
        assert!(output.status.success(), "{notes}");
        let line = notes.lines().find(|line| line.starts_with("tokenized ")).expect("the ids were not there");
        let count = line.strip_suffix(" tokens").and_then(|line| line.rsplit(' ').next()).expect("it has a count");
        count.parse().expect("it is a number")
    };
    let as_text = tokens("text", &[]);
    let as_tokens = tokens("tokens", &["--set", "data.special_tokens_in_text=true"]);
    // 13 characters, of which the tokenizer has joined some
    assert!(as_text >= as_tokens + 40 * 3, "{as_text} and {as_tokens}");
    assert_eq!(files(&cache).len(), 2);
    let output = workshop.pretrain("text", &["--resume", "--set", "data.special_tokens_in_text=true"]);
    assert_eq!(output.status.code(), Some(1), "it is another training");
}
