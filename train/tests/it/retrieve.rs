//! An index of passages: what it finds, and that it is whole however it came to be.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    thread,
    time::Duration,
};

use fixtures::dice::Dice;
use serde_json::{Value, json};

use crate::support::{program, stderr, text, train};

/// A folder with documents, and an index beside them.
struct Library(tempfile::TempDir);

impl Library {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("the temporary folder can be written"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes documents, each an object.
    fn write(&self, name: &str, rows: &[Value]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).expect("it can be written");
        path
    }

    fn run(&self, command: &str, index: &str, more: &[&str]) -> Output {
        let index = self.path(index);
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push(text(&index));
        train(&[&arguments[..], more].concat())
    }

    /// What it says where it succeeds.
    fn well(&self, command: &str, index: &str, more: &[&str]) -> String {
        let output = self.run(command, index, more);
        assert!(output.status.success(), "{command} {more:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).expect("it is UTF-8")
    }

    fn refused(&self, command: &str, index: &str, more: &[&str]) -> String {
        let output = self.run(command, index, more);
        assert_eq!(output.status.code(), Some(1), "{command} {more:?}: {}", stderr(&output));
        stderr(&output)
    }

    /// Ids, scores and texts of what is found.
    fn found(&self, index: &str, question: &str, more: &[&str]) -> Vec<(String, String, String)> {
        let said = self.well("search", index, &[&[question, "--json"], more].concat());
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).expect("a line is JSON");
            let text = |key: &str| row[key].as_str().expect("a text").to_owned();
            (text("id"), row["score"].to_string(), text("text"))
        };
        said.lines().map(row).collect()
    }
}

/// Documents of few words, so that many passages are as good as each other.
fn documents(range: std::ops::Range<usize>, purpose: &str) -> Vec<Value> {
    let mut dice = Dice::new(1, purpose);
    range
        .map(|number| {
            let words: Vec<String> = (0..5 + dice.below(40)).map(|_| format!("word{}", dice.below(60))).collect();
            let title = format!("Title {}", dice.below(9));
            json!({"id": format!("doc{number:04}"), "title": title, "text": words.join(" "), "source": if number % 3 == 0 { "a" } else { "b" }})
        })
        .collect()
}

/// Whether it is built at once, or document by document with others added, replaced and removed between, an index finds the same passages with
/// the same scores, to the bit.
#[test]
fn an_index_does_not_depend_on_how_it_came_to_be() {
    let library = Library::new();
    let wanted = documents(0..300, "wanted");
    let all = library.write("all.jsonl", &wanted);
    let cut = ["--words", "12", "--overlap", "4"];
    library.well("index build", "at-once", &[&[text(&all)], &cut[..]].concat());

    // the first half with other texts, documents that are not wanted, and the rest in many small pieces
    let others = library.write("others.jsonl", &[documents(0..150, "others"), documents(300..340, "others")].concat());
    library.well("index build", "grown", &[&[text(&others)], &cut[..]].concat());
    for (number, piece) in wanted.chunks(25).enumerate().collect::<Vec<_>>().into_iter().rev() {
        let said = library.well("index add", "grown", &[text(&library.write("piece.jsonl", piece))]);
        assert_eq!(said.contains("25 were there and are replaced"), number < 6, "{said}");
    }
    let ids: String = (300..341).map(|number| format!("doc{number:04}\n")).collect();
    fs::write(library.path("ids.txt"), ids).expect("it can be written");
    let said = library.well("index remove", "grown", &["--ids-from", text(&library.path("ids.txt"))]);
    assert!(said.contains("40 documents are removed; 1 ids were not there"), "{said}");

    let mut found = 0;
    for index in ["at-once", "grown"] {
        let said = library.well("index check", index, &[]);
        assert!(said.contains("is whole"), "{said}");
    }
    for question in ["word1 word2 word3", "WORD59", "title 3, word7?", "word1 word1 word2", "nowhere"] {
        for more in [&["--k", "7"][..], &["--k", "10000"], &["--source", "a"], &["--k1", "0.9", "--b", "0.4"]] {
            let at_once = library.found("at-once", question, more);
            assert_eq!(at_once, library.found("grown", question, more), "{question} {more:?}");
            found += at_once.len();
        }
    }
    assert!(found > 100, "{found}");
}

/// Killed at any point, an index holds all that it said was in, and nothing twice.
#[test]
fn a_kill_while_adding_loses_nothing() {
    let library = Library::new();
    let mut dice = Dice::new(1, "kills");
    library.well("index build", "index", &[text(&library.write("first.jsonl", &documents(0..50, "kept")))]);
    let mut said_to_be_in: BTreeSet<String> = (0..50).map(|number| format!("doc{number:04}")).collect();
    let mut kills = 0;
    // each piece is given twice: the second time all of it is there already, or some of it
    for round in (1..=12).flat_map(|round| [round, round]) {
        let range = 50 * round..50 * (round + 1);
        let piece = library.write("piece.jsonl", &documents(range.clone(), "kept"));
        let index = library.path("index");
        let mut child = program(&["index", "add", text(&index), text(&piece)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        thread::sleep(Duration::from_millis(dice.below(60) as u64));
        let _ = child.kill();
        let is_in = child.wait().expect("it ends").success();
        kills += u32::from(!is_in);
        if is_in {
            said_to_be_in.extend(range.map(|number| format!("doc{number:04}")));
        }
        let said = library.well("index check", "index", &[]);
        let found: Vec<String> =
            library.found("index", "word0 title", &["--k", "100000"]).into_iter().map(|(id, ..)| id).collect();
        let once: BTreeSet<&String> = found.iter().collect();
        assert_eq!(once.len(), found.len(), "something is there twice");
        assert!(said_to_be_in.iter().all(|id| once.contains(id)), "round {round}: {said}");
    }
    assert!(kills > 0, "no kill came in time");
    // what was cut off is given again, and all is there once
    let all = library.write("all.jsonl", &documents(0..650, "kept"));
    library.well("index add", "index", &[text(&all)]);
    assert!(library.well("index check", "index", &[]).contains(": 650 passages"));
}

/// Bad input is named, with its place; what has nothing to be found by is counted.
#[test]
fn what_makes_no_index_is_named() {
    let library = Library::new();
    let rows = [
        json!({"id": "a", "text": "one two three"}),
        json!({"id": "b", "text": " \n"}),
        json!({"id": "a", "text": "one two three"}),
        json!({"text": "without an id"}),
    ];
    let said = library.well("index build", "index", &[text(&library.write("rows.jsonl", &rows))]);
    assert!(
        said.contains("2 documents in 2 passages; 1 repeat one before them and are left out; 1 have no word"),
        "{said}"
    );
    let other = library.write("other.jsonl", &[rows[0].clone(), json!({"id": "a", "text": "another"})]);
    let said = library.refused("index add", "index", &[text(&other)]);
    assert!(said.contains("line 2: the id a is that of a row before it, which says something else"), "{said}");
    let none = library.write("none.jsonl", &[json!({"prompt": "x"})]);
    assert!(library.refused("index add", "index", &[text(&none)]).contains("no `text`, which passages are made of"));
    assert!(library.refused("index build", "index", &[text(&other)]).contains("there is an index"));
    assert!(library.refused("search", "nowhere", &["one"]).contains("there is no index"));
    let cut = library.refused("index build", "cut", &[text(&other), "--words", "3", "--overlap", "3"]);
    assert!(cut.contains("--overlap: it is at most half of the 3 words of a passage, and is 3"), "{cut}");

    // a document that has no word any more is gone, and what cannot be said again is refused
    let gone =
        library.write("gone.jsonl", &[json!({"id": "a", "text": ""}), json!({"id": "c", "text": "two", "date": 2024})]);
    let said = library.well("index add", "index", &[text(&gone)]);
    assert!(said.contains("1 have no word and are left out; 1 of these were there and are removed"), "{said}");
    let odd = library.write("odd.jsonl", &[json!({"id": " x", "text": "two"})]);
    assert!(library.refused("index add", "index", &[text(&odd)]).contains("line 1: its id \" x\" has white space"));
    let odd = library.write("odd.jsonl", &[json!({"id": "x", "text": "two", "source": ["a"]})]);
    assert!(library.refused("index add", "index", &[text(&odd)]).contains("line 1: `source` is a list"));
    // what is not ours is left alone
    fs::create_dir_all(library.path("mine/segments/precious")).expect("it can be made");
    assert!(library.refused("index build", "mine", &[text(&other)]).contains("there is something else"));
    assert!(library.path("mine/segments/precious").exists());
    let said = library.refused("index build", "broken", &[text(&other)]);
    assert!(said.contains("line 2"), "{said}");
    library.well("index build", "broken", &[text(&gone)]);

    // a question of stop words alone finds nothing, and says so; more passages than there are, all that there are
    let output = library.run("search", "index", &["? !"]);
    assert!(output.status.success() && stderr(&output).contains("no passage has a word of the question"));
    assert_eq!(library.found("index", "two id", &["--k", "500"]).len(), 2);
    assert_eq!(library.found("index", "two id", &["--since", "2024"]).len(), 1);
    let output = library.run("search", "index", &["two", "--since", "yesterday"]);
    assert!(stderr(&output).contains("expected a date such as 2026-11-30"), "{}", stderr(&output));
    let questions = library.write("questions.jsonl", &[json!({"query": "two"})]);
    let said = library.refused("search", "index", &["--questions", text(&questions)]);
    assert!(said.contains("line 1: nothing is known of its answer"), "{said}");

    // a file that was cut short is named when the index is opened, one that was changed when it is checked
    let segments = fs::read_dir(library.path("index/segments")).expect("there are segments");
    let folder = segments.map(|entry| entry.expect("it can be listed").path()).next().expect("there is one");
    let postings = folder.join("postings.parquet");
    let bytes = fs::read(&postings).expect("it is there");
    fs::write(&postings, &bytes[..bytes.len() - 1]).expect("it can be written");
    let said = library.refused("search", "index", &["two"]);
    assert!(said.contains("postings.parquet is damaged: it has") && said.contains("were written"), "{said}");
    let mut changed = bytes;
    changed[8] ^= 1;
    fs::write(&postings, changed).expect("it can be written");
    let said = library.refused("index check", "index", &[]);
    assert!(said.contains("its bytes are not those that were written"), "{said}");
}

/// What answers is no negative, nor is a part of it, whatever it is known by; and titles stand in negatives where they stand in the positive.
#[test]
fn what_answers_is_no_negative() {
    let library = Library::new();
    let rows = [
        json!({"id": "Tarn", "title": "Tarn", "text": "ada built the tower in tarn and ada lives there with ada"}),
        json!({"id": "Tarn: a history", "title": "", "text": "tarn was a village of ada fishermen until 1902"}),
        json!({"id": "Sund", "title": "Sund", "text": "pam is a sailor of sund and knows ada"}),
    ];
    let documents = library.write("documents.jsonl", &rows);
    library.well("index build", "cut", &[text(&documents), "--words", "4"]);
    library.well("index build", "whole", &[text(&documents)]);
    let negatives = |index: &str, row: Value| -> (String, Vec<String>) {
        let (questions, out) = (library.write("questions.jsonl", &[row]), library.path("negatives.jsonl"));
        let said = library.well("search", index, &["--questions", text(&questions), "--negatives", text(&out)]);
        let line = fs::read_to_string(&out).expect("it was written");
        let row: Value = serde_json::from_str(&line).expect("it is JSON");
        let texts = row["negatives"].as_array().expect("a list").iter().filter_map(Value::as_str);
        (said, texts.map(str::to_owned).collect())
    };
    // by the document that is right: none of its passages, and the other's whose id begins with its
    let by_id = json!({"query": "ada tarn", "relevant": ["Tarn"], "positive": "ada built the tower"});
    let (said, texts) = negatives("cut", by_id);
    assert!(!said.contains("are not in the index"), "{said}");
    assert!(texts.contains(&"tarn was a village".to_owned()), "{texts:?}");
    assert!(
        texts.iter().all(|text| !"ada built the tower in tarn and ada lives there with ada".contains(text)),
        "{texts:?}"
    );
    // by a text that is cut in the index: none of its parts, and that it was not found is said
    let by_text = json!({"query": "ada tarn", "positive": rows[0]["text"]});
    let (said, texts) = negatives("cut", by_text);
    assert!(said.contains("none of the 1 texts in `positive` is found"), "{said}");
    assert!(!texts.is_empty() && texts.iter().all(|text| !text.contains("built")), "{texts:?}");
    let titled = json!({"query": "ada", "positive": "Tarn\nada built the tower in tarn and ada lives there with ada"});
    let (said, mut texts) = negatives("whole", titled);
    texts.sort_unstable();
    assert!(said.contains("top-1      1.0000"), "{said}");
    assert_eq!(
        texts,
        ["Sund\npam is a sailor of sund and knows ada", "tarn was a village of ada fishermen until 1902"]
    );
    // what is for many questions is not left out in silence where there is one
    let output = library.run("search", "whole", &["ada", "--negatives", "nowhere.jsonl"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

/// Results as `trec_eval` reads them: its columns stand between white space.
#[test]
fn results_are_a_run_of_trec() {
    let library = Library::new();
    let rows = [json!({"id": "Sund", "text": "pam is a sailor"}), json!({"id": "a b", "text": "ada is a sailor"})];
    let documents = library.write("documents.jsonl", &rows);
    library.well("index build", "index", &[text(&documents)]);
    let asked = |query: &str| {
        let row = json!({"id": "q", "query": query, "relevant": ["Sund"]});
        let questions = library.write("questions.jsonl", &[row, json!({"query": query, "relevant": ["Sund"]})]);
        [questions, library.path("run")]
    };
    let [questions, run] = asked("pam");
    library.well("search", "index", &["--questions", text(&questions), "--run", text(&run)]);
    let lines = fs::read_to_string(&run).expect("it was written");
    let lines: Vec<Vec<&str>> = lines.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(
        lines.iter().map(|line| &line[..4]).collect::<Vec<_>>(),
        [["q", "Q0", "Sund", "1"], ["2", "Q0", "Sund", "1"]]
    );
    assert!(lines.iter().all(|line| line[4].parse::<f64>().is_ok_and(|score| score > 0.0) && line[5] == "train"));
    let said = library.refused("search", "index", &["--questions", text(&questions), "--run", text(&questions)]);
    assert!(said.contains("--run: it is the file of questions"), "{said}");
    let [questions, run] = asked("ada");
    let said = library.refused("search", "index", &["--questions", text(&questions), "--run", text(&run)]);
    assert!(said.contains("the id \"a b\" cannot stand in a run of TREC"), "{said}");
}

/// The figures that `bm25s` 0.3.16 has in Lucene's form on the English paragraphs of `XQuAD`: with stems those of `PyStemmer` 3.1.0.
#[test]
fn paragraphs_are_found_as_published() {
    let Some(path) = fixtures::needs::data("retrieve::paragraphs_are_found_as_published", "tasks/xquad.en.json") else {
        return;
    };
    let library = Library::new();
    let questions = write_xquad(&library, &path.join("tasks/xquad.en.json"));
    for (index, analysis, constants, expected) in [
        ("plain", &[][..], &[][..], [0.9176, 0.9840, 0.9933]),
        ("stem", &["--stemmer", "english"], &[], [0.9294, 0.9874, 0.9958]),
        ("stop", &["--stemmer", "english", "--stop-words"], &["--k1", "0.9", "--b", "0.4"], [0.9286, 0.9849, 0.9950]),
    ] {
        library.well("index build", index, &[&[text(&library.path("paragraphs.jsonl"))], analysis].concat());
        let said = library.well("search", index, &[&["--questions", text(&questions)], constants].concat());
        for (name, expected) in ["top-1", "top-5", "top-20"].into_iter().zip(expected) {
            let line = said.lines().find(|line| line.starts_with(&format!("{name} "))).expect("it is told");
            let found: f64 = line.split_whitespace().nth(1).and_then(|found| found.parse().ok()).expect("a number");
            assert!((found - expected).abs() <= 0.0002, "{index}: {line}, and {expected} is published");
        }
    }
}

/// Paragraphs and their questions.
fn write_xquad(library: &Library, path: &Path) -> PathBuf {
    let data: Value = serde_json::from_slice(&fs::read(path).expect("it is there")).expect("it is JSON");
    let (mut paragraphs, mut questions) = (Vec::new(), Vec::new());
    let list = |value: &Value| value.as_array().expect("a list").clone();
    for paragraph in list(&data["data"]).iter().flat_map(|document| list(&document["paragraphs"])) {
        let id = format!("p{}", paragraphs.len());
        for question in list(&paragraph["qas"]) {
            questions.push(json!({"query": question["question"], "relevant": [id]}));
        }
        paragraphs.push(json!({"id": id, "text": paragraph["context"]}));
    }
    library.write("paragraphs.jsonl", &paragraphs);
    library.write("questions.jsonl", &questions)
}
