//! Encoders that are trained, an index with their vectors, and negatives from it for the next training.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value, json};

use crate::{
    programs::PROGRAMS,
    support::{Workshop, stderr, text, train},
};

/// A workshop with encoders in `encoders`, and in `others`.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    let program = PROGRAMS.iter().find(|program| program.name == "retrieve").expect("there is one");
    program.prepare(&workshop);
    for (out, more) in [("encoders", &[][..]), ("others", &["encoder.pooling=\"mean\""])] {
        let output = program.run(&workshop, out, more, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("questions, "), "it says how good they are");
    }
    workshop
}

fn write(workshop: &Workshop, name: &str, rows: &[Value]) -> PathBuf {
    let path = workshop.path().join(name);
    fs::write(&path, rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).expect("it can be written");
    path
}

fn documents(range: std::ops::Range<usize>) -> Vec<Value> {
    range.map(|number| json!({"id": format!("d{number:03}"), "text": format!("It is {number}.")})).collect()
}

fn run(workshop: &Workshop, command: &str, index: &str, more: &[&str]) -> Output {
    let index = workshop.path().join(index);
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.push(text(&index));
    train(&[&arguments[..], more].concat())
}

fn well(workshop: &Workshop, command: &str, index: &str, more: &[&str]) -> String {
    let output = run(workshop, command, index, more);
    assert!(output.status.success(), "{command} {more:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).expect("it is UTF-8")
}

fn refused(workshop: &Workshop, command: &str, index: &str, more: &[&str]) -> String {
    let output = run(workshop, command, index, more);
    assert_eq!(output.status.code(), Some(1), "{command} {more:?}: {}", stderr(&output));
    stderr(&output)
}

/// What is said of arguments that do not go together.
fn refused_by_arguments(workshop: &Workshop, command: &str, index: &str, more: &[&str]) -> String {
    let output = run(workshop, command, index, more);
    assert_eq!(output.status.code(), Some(2), "{command} {more:?}: {}", stderr(&output));
    stderr(&output)
}

/// Ids and scores of what is found.
fn found(workshop: &Workshop, index: &str, question: &str, more: &[&str]) -> Vec<(String, f64)> {
    let said = well(workshop, "search", index, &[&[question, "--json"], more].concat());
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("a line is JSON");
        (row["id"].as_str().expect("a text").to_owned(), row["score"].as_f64().expect("a number"))
    };
    said.lines().map(row).collect()
}

/// Scores by vectors are the same however an index came to be, in all but their last bits; and by both, each passage has the score of each.
#[test]
fn vectors_stay_with_their_passages() {
    let workshop = workshop();
    let encoders = workshop.path().join("encoders");
    let with_encoders = ["--encoder", text(&encoders)];
    let all = write(&workshop, "all.jsonl", &documents(0..60));
    well(&workshop, "index build", "at-once", &[&[text(&all)], &with_encoders[..]].concat());
    let first = write(&workshop, "first.jsonl", &documents(20..70));
    well(&workshop, "index build", "grown", &[&[text(&first)], &with_encoders[..]].concat());
    // the index knows where its encoders are
    for piece in documents(0..60).chunks(7) {
        well(&workshop, "index add", "grown", &[text(&write(&workshop, "piece.jsonl", piece))]);
    }
    let gone: Vec<String> = (60..70).map(|number| format!("d{number:03}")).collect();
    well(&workshop, "index remove", "grown", &gone.iter().map(String::as_str).collect::<Vec<_>>());
    for index in ["at-once", "grown"] {
        assert!(well(&workshop, "index check", index, &[]).contains("is whole: 60 passages"));
        assert!(well(&workshop, "index info", index, &[]).contains("vectors of 16 numbers by "));
    }
    let by = |index: &str, by: &[&str]| found(&workshop, index, "What is 17?", &[&["--k", "60", "--by"], by].concat());
    let (vectors, words) = (by("at-once", &["vectors"]), by("at-once", &["bm25"]));
    let grown = by("grown", &["vectors"]);
    assert_eq!(vectors.len(), 60);
    let score = |found: &[(String, f64)], id: &str| found.iter().find(|found| found.0 == id).map(|found| found.1);
    for (id, of_vectors) in &vectors {
        let other = score(&grown, id).expect("it is in both");
        assert!((other - of_vectors).abs() < 1e-4 * of_vectors.abs().max(1.0), "{id}: {other} is not {of_vectors}");
    }
    let both = by("at-once", &["hybrid", "--vector-weight", "0.5"]);
    assert_eq!(both.len(), 60);
    for (id, of_both) in &both {
        let sum = score(&words, id).unwrap_or(0.0) + 0.5 * score(&vectors, id).expect("all are found");
        assert!((sum - of_both).abs() < 1e-4 * sum.abs().max(1.0), "{id}: {of_both} is not {sum}");
    }
    // by ranks, and that is what an index with vectors is searched by if nothing is said
    let fused = by("at-once", &["hybrid"]);
    let rank = |found: &[(String, f64)], id: &str| found.iter().position(|found| found.0 == id);
    for (id, of_both) in &fused {
        let share = |found: &[(String, f64)]| rank(found, id).map_or(0.0, |place| 1.0 / (61.0 + place as f64));
        let sum = share(&words) + share(&vectors);
        assert!((sum - of_both).abs() < 1e-6, "{id}: {of_both} is not {sum}");
    }
    assert_eq!(found(&workshop, "at-once", "What is 17?", &["--k", "60"]), fused);
}

/// A graph finds what comparing all finds, of passages that came before it and after, and none that was removed; it is made anew when it must be.
#[test]
fn a_graph_keeps_up_with_its_index() {
    let workshop = workshop();
    let encoders = workshop.path().join("encoders");
    let all = write(&workshop, "all.jsonl", &documents(0..500));
    let said = refused_by_arguments(&workshop, "index build", "none", &[text(&all), "--graph"]);
    assert!(said.contains("--encoder <DIR>"), "{said}");
    well(&workshop, "index build", "index", &[text(&all), "--encoder", text(&encoders), "--graph"]);
    let graph = |points: usize| {
        let said = well(&workshop, "index info", "index", &[]);
        assert!(said.contains(&format!("a graph of {points} of them, recall@10 ")), "{said}");
        assert!(well(&workshop, "index check", "index", &[]).contains("is whole"));
    };
    let question = |number: usize| format!("What is {number}?");
    // walks hold few of them, so that they are worth while
    let nearest = |number: usize, more: &[&str]| {
        found(&workshop, "index", &question(number), &[&["--by", "vectors", "--k", "3"], more].concat())
    };
    let agree = |range: std::ops::Range<usize>, more: &[&str]| {
        let (mut all, mut common) = (0, 0);
        for number in range.step_by(7) {
            let [by_walk, exact] =
                [&["--ef", "20"][..], &["--exact"]].map(|how| nearest(number, &[more, how].concat()));
            all += exact.len();
            common += exact.iter().filter(|found| by_walk.contains(found)).count();
        }
        assert!(common * 10 >= all * 8, "{common} of {all} are found");
    };
    graph(500);
    agree(0..500, &[]);
    // a few more are compared one by one
    well(&workshop, "index add", "index", &[text(&write(&workshop, "few.jsonl", &documents(500..510)))]);
    graph(500);
    agree(480..510, &[]);
    // more of them join
    well(&workshop, "index add", "index", &[text(&write(&workshop, "more.jsonl", &documents(510..600)))]);
    graph(600);
    agree(400..600, &[]);
    // what is removed is a way to others, and is found no more
    let gone: Vec<String> = (0..30).map(|number| format!("d{number:03}")).collect();
    well(&workshop, "index remove", "index", &gone.iter().map(String::as_str).collect::<Vec<_>>());
    graph(600);
    agree(0..60, &[]);
    assert!((0..30).all(|number| nearest(number, &["--ef", "20"]).iter().all(|(id, _)| !gone.contains(id))));
    // a document that says something else is another point
    let other = write(&workshop, "other.jsonl", &[json!({"id": "d300", "text": "It is 77."})]);
    well(&workshop, "index add", "index", &[text(&other)]);
    agree(290..310, &[]);
    let gone: Vec<String> = (30..200).map(|number| format!("d{number:03}")).collect();
    well(&workshop, "index remove", "index", &gone.iter().map(String::as_str).collect::<Vec<_>>());
    graph(400);
    agree(200..600, &[]);
    // by both, walks hold more than there are, and all are compared
    let both = |more: &[&str]| found(&workshop, "index", &question(333), &[&["--by", "hybrid"], more].concat());
    assert_eq!(both(&[]), both(&["--exact"]));

    let file = folder_in(&workshop.path().join("index"), "graphs").join("graph.parquet");
    let bytes = fs::read(&file).expect("it is there");
    fs::write(&file, &bytes[..bytes.len() - 1]).expect("it can be written");
    let said = refused(&workshop, "search", "index", &["What is 3?", "--by", "vectors"]);
    assert!(said.contains("graph.parquet is damaged: it has") && said.contains("`--exact`"), "{said}");
    assert!(refused(&workshop, "index check", "index", &[]).contains("graph.parquet is damaged"));
    assert!(!well(&workshop, "search", "index", &["What is 3?", "--by", "vectors", "--exact"]).is_empty());
    // one that is lost is made of the vectors that are there
    let output = run(&workshop, "index remove", "index", &["d400"]);
    assert!(
        output.status.success() && stderr(&output).contains("the graph of vectors is made anew"),
        "{}",
        stderr(&output)
    );
    graph(399);
    // and one that was made of few, when there are many
    let few = write(&workshop, "few.jsonl", &documents(0..3));
    well(&workshop, "index build", "grown", &[text(&few), "--encoder", text(&encoders), "--graph"]);
    well(&workshop, "index add", "grown", &[text(&all)]);
    let files = |index: &str| {
        fs::read(folder_in(&workshop.path().join(index), "graphs").join("mean.parquet")).expect("it is there")
    };
    well(&workshop, "index build", "at-once", &[text(&all), "--encoder", text(&encoders), "--graph"]);
    assert_eq!(files("grown"), files("at-once"), "the mean is that of all");
    for number in ["18446744073709551615", "1000000000000000000"] {
        assert_eq!(nearest(3, &["--ef", number]), nearest(3, &["--exact"]));
    }
}

/// What is found and does not answer becomes a negative; and encoders are trained on that in a second round.
#[test]
fn negatives_come_from_an_index() {
    let workshop = workshop();
    let all = write(&workshop, "all.jsonl", &documents(0..200));
    let encoders = workshop.path().join("encoders");
    well(&workshop, "index build", "index", &[text(&all), "--encoder", text(&encoders)]);
    let question = |number: usize| {
        json!({"id": format!("q{number}"), "query": format!("What is {number}?"), "positive": format!("It is {number}."),
            "answers": [number.to_string(), (number + 1).to_string()]})
    };
    let questions = write(&workshop, "asked.jsonl", &(0..60).map(question).collect::<Vec<_>>());
    let negatives = workshop.path().join("negatives.jsonl");
    for by in ["bm25", "vectors", "hybrid"] {
        let more =
            ["--questions", text(&questions), "--negatives", text(&negatives), "--most-negatives", "3", "--by", by];
        assert!(well(&workshop, "search", "index", &more).contains("60 questions, 200 passages"));
        let rows = fs::read_to_string(&negatives).expect("it was written");
        for (number, row) in rows.lines().enumerate() {
            let row: Value = serde_json::from_str(row).expect("a line is JSON");
            assert_eq!(
                (&row["id"], &row["positive"]),
                (&json!(format!("q{number}")), &json!(format!("It is {number}.")))
            );
            let texts = row["negatives"].as_array().expect("a list");
            let distinct: BTreeSet<&str> = texts.iter().filter_map(Value::as_str).collect();
            assert!(texts.len() == 3 && distinct.len() == 3, "{row}");
            for answering in [number, number + 1] {
                assert!(!distinct.contains(format!("It is {answering}.").as_str()), "{row}");
            }
        }
    }
    let program = PROGRAMS.iter().find(|program| program.name == "retrieve").expect("there is one");
    let (data, from) = (format!("data.mixture={}", text(&negatives)), format!("model.from={}", text(&encoders)));
    let output = program.run(&workshop, "second", &[&data, &from, "encoder.shared=false"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("both encoders begin from"), "{}", stderr(&output));
    // and two go on from two
    let from = format!("model.from={}", text(&workshop.path().join("second")));
    let output = program.run(&workshop, "third", &[&data, &from, "encoder.shared=false"], &[]);
    assert!(output.status.success() && stderr(&output).contains("nothing is fresh"), "{}", stderr(&output));
}

/// Encoders become folders of sentence-transformers, whose texts end with the token at which they are read.
#[test]
fn encoders_are_exported() {
    let workshop = workshop();
    let read = |path: &Path| -> Value {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).expect("it is JSON")
    };
    let export = |from: &str, to: &str| {
        let [from, to] = [from, to].map(|name| workshop.path().join(name));
        let output = train(&["export", text(&from), "--out", text(&to)]);
        assert!(output.status.success(), "{}", stderr(&output));
        to
    };
    let mean = export("others", "mean");
    assert_eq!(read(&mean.join("1_Pooling/config.json"))["pooling_mode_mean_tokens"], json!(true));
    let program = PROGRAMS.iter().find(|program| program.name == "retrieve").expect("there is one");
    let output = program.run(&workshop, "two", &["encoder.shared=false", "encoder.similarity=cosine"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let two = export("two", "exported");
    assert!(!two.join("model.safetensors").exists(), "neither is the model");
    let weights = ["query", "passage"].map(|name| {
        let folder = two.join(name);
        let modules = read(&folder.join("modules.json"));
        assert_eq!(modules[2]["type"], json!("sentence_transformers.models.Normalize"));
        assert_eq!(read(&folder.join("1_Pooling/config.json"))["pooling_mode_lasttoken"], json!(true));
        let single = read(&folder.join("tokenizer.json"))["post_processor"]["single"].clone();
        assert_eq!(
            single.as_array().and_then(|parts| parts.last()).expect("a list")["SpecialToken"]["id"],
            json!("<|endoftext|>")
        );
        fs::read(folder.join("model.safetensors")).expect("it is there")
    });
    assert_eq!(weights[0].len(), weights[1].len());
    assert_ne!(weights[0], weights[1], "each has its own weights");
}

/// Vectors of two encoders say nothing of each other; what was cut is counted; a file that is short is named.
#[test]
fn what_does_not_fit_together_is_named() {
    let workshop = workshop();
    let [encoders, others] = ["encoders", "others"].map(|name| workshop.path().join(name));
    let long =
        json!({"id": "long", "text": "It is a long text that says much more than can be read at once. ".repeat(9)});
    let all = write(&workshop, "all.jsonl", &[documents(0..5), vec![long]].concat());
    let said = well(&workshop, "index build", "index", &[text(&all), "--encoder", text(&encoders)]);
    assert!(said.contains("6 documents in 6 passages; 1 passages are longer than the encoder's context"), "{said}");
    let said = refused(&workshop, "index add", "index", &[text(&all), "--encoder", text(&others)]);
    assert!(said.contains("its encoder is another than that of "), "{said}");
    let said = refused(&workshop, "search", "index", &["What is 3?", "--encoder", text(&others)]);
    assert!(said.contains("its encoder is another than that of "), "{said}");
    // the folder was moved: words still find, and vectors where one says where it is
    let moved = workshop.path().join("moved");
    fs::rename(&encoders, &moved).expect("it can be moved");
    let said = refused(&workshop, "search", "index", &["What is 3?"]);
    assert!(said.contains("`--encoder` says where they are now"), "{said}");
    assert!(!well(&workshop, "search", "index", &["What is 3?", "--by", "bm25"]).is_empty());
    assert!(!well(&workshop, "search", "index", &["What is 3?", "--encoder", text(&moved)]).is_empty());
    well(&workshop, "index remove", "index", &["long"]);

    well(&workshop, "index build", "words", &[text(&all)]);
    let said = refused(&workshop, "search", "words", &["What is 3?", "--by", "vectors"]);
    assert!(said.contains("its passages have no vectors: `train index build --encoder` gives them some"), "{said}");
    let said = refused(&workshop, "index add", "words", &[text(&all), "--encoder", text(&moved)]);
    assert!(said.contains("its passages have no vectors"), "{said}");
    let said =
        refused(&workshop, "index build", "none", &[text(&all), "--encoder", text(&workshop.path().join("base"))]);
    assert!(said.contains("it holds no encoders, which `train retrieve` makes"), "{said}");

    let vectors = folder_in(&workshop.path().join("index"), "segments").join("vectors.parquet");
    let bytes = fs::read(&vectors).expect("it is there");
    fs::write(&vectors, &bytes[..bytes.len() - 1]).expect("it can be written");
    let said = refused(&workshop, "search", "index", &["What is 3?", "--encoder", text(&moved)]);
    assert!(said.contains("vectors.parquet is damaged: it has"), "{said}");
}

/// The one folder in a folder of an index.
fn folder_in(index: &Path, name: &str) -> PathBuf {
    let entries = fs::read_dir(index.join(name)).expect("it is there");
    entries.map(|entry| entry.expect("it can be listed").path()).next().expect("there is one")
}

/// Configurations that cannot be: each is named at its key.
#[test]
fn a_training_of_encoders_that_cannot_be_is_refused() {
    let workshop = Workshop::new();
    let program = PROGRAMS.iter().find(|program| program.name == "retrieve").expect("there is one");
    program.prepare(&workshop);
    for (setting, message) in [
        ("encoder.temperature=0.0", "it has to be more than 0, and is 0"),
        ("encoder.pooling=first", "unknown variant `first`, expected `last` or `mean`"),
        ("model.context_length=2", "its context has no room for a text"),
        ("training.samples={ prompts = [\"a\"], every = 1 }", "encoders write no texts"),
        ("preset=bert", "unknown variant `bert`"),
        ("encoder.hard_negatives=0", "a question alone, without hard negatives"),
    ] {
        let alone = ["training.batch_size=1", "training.gradient_accumulation=1"];
        let alone = if setting.contains("negatives") { &alone[..] } else { &[] };
        let output = program.run(&workshop, "out", &[&[setting], alone].concat(), &[]);
        assert_eq!(output.status.code(), Some(1), "{setting}");
        assert!(stderr(&output).contains(message), "{setting}: {}", stderr(&output));
    }
    let empty = write(
        &workshop,
        "empty.jsonl",
        &[json!({"query": " ", "positive": "x"}), json!({"query": "x", "positive": "\n"})],
    );
    let data = format!("data.mixture={}", text(&empty));
    let output = program.run(&workshop, "out", &[&data], &[]);
    let said = stderr(&output);
    assert!(said.contains("there is no question to learn from") && said.contains("whose query has no word"), "{said}");
    let same = |number: usize| json!({"query": format!("{number}?"), "positive": "x"});
    let same = write(&workshop, "same.jsonl", &(0..40).map(same).collect::<Vec<_>>());
    let data = format!("data.mixture={}", text(&same));
    let said = stderr(&program.run(&workshop, "out", &[&data], &[]));
    assert!(said.contains("all questions have the same passage"), "{said}");
    let other = format!("data.mixture={}", text(&workshop.path().join("sums.jsonl")));
    let output = program.run(&workshop, "out", &[&other], &[]);
    assert!(stderr(&output).contains("it has no `query` with `positive`"), "{}", stderr(&output));
}
