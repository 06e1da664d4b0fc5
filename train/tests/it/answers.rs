//! Answers from an index: what a model is asked, and what is said of what it wrote.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value, json};

use crate::support::{Workshop, stderr, text, train};

/// A model, an index of few passages, and a template that leaves room for them.
pub struct Library(pub Workshop);

impl Library {
    pub fn new() -> Self {
        let workshop = Workshop::new();
        workshop.pretrain_well("base", &["--until", "3"]);
        let library = Self(workshop);
        let documents = (0..40).map(|number| json!({"id": format!("d{number:02}"), "text": format!("{number} is it")}));
        let documents = library.write("documents.jsonl", &documents.collect::<Vec<_>>());
        let output = train(&["index", "build", text(&library.path("index")), text(&documents)]);
        assert!(output.status.success(), "{}", stderr(&output));
        let template = "{% for passage in passages %}{{ passage.text }};{% endfor %}{{ question }}";
        fs::write(library.path("template"), template).expect("it can be written");
        library
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, rows: &[Value]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, rows.iter().map(|row| row.to_string() + "\n").collect::<String>()).expect("it can be written");
        path
    }

    fn answer(&self, more: &[&str]) -> Output {
        let [index, model, template] = ["index", "base", "template"].map(|name| self.path(name));
        let given = ["answer", text(&index), "--model", text(&model)];
        let few = if more.contains(&"--tokens") { &[][..] } else { &["--tokens", "4"] };
        let template = if more.contains(&"--template") { vec![] } else { vec!["--template", text(&template)] };
        train(&[&given[..], few, &template, more].concat())
    }

    pub fn object(&self, more: &[&str]) -> Value {
        let output = self.answer(&[more, &["--json"]].concat());
        assert!(output.status.success(), "{more:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).expect("it is JSON")
    }

    fn refused(&self, more: &[&str]) -> String {
        let output = self.answer(more);
        assert_eq!(output.status.code(), Some(1), "{more:?}: {}", stderr(&output));
        stderr(&output)
    }
}

/// However passages become an answer, it names them, best first, and what each has to do with it; with none, the book is closed.
#[test]
fn an_answer_names_its_passages() {
    let library = Library::new();
    for combining in ["prompt", "rag-sequence", "rag-token"] {
        let answer = library.object(&["17 is?", "--as", combining, "--k", "2"]);
        let passages = answer["passages"].as_array().expect("a list");
        assert_eq!(passages.len(), 2, "{combining}: {answer}");
        assert_eq!((&passages[0]["id"], &passages[0]["text"]), (&json!("d17"), &json!("17 is it")));
        let shares: f64 = passages.iter().filter_map(|passage| passage["share"].as_f64()).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{combining}: {answer}");
        assert_eq!(answer["cut"], json!(false));
        // the same again
        assert_eq!(library.object(&["17 is?", "--as", combining, "--k", "2"]), answer);
    }
    // one passage alone is the same, whichever way
    let one = |combining: &str| library.object(&["17 is?", "--as", combining, "--k", "1"])["answer"].clone();
    assert_eq!([one("rag-sequence"), one("rag-token")], [one("prompt"), one("prompt")]);
    let closed = library.object(&["17 is?", "--k", "0", "--as", "rag-token"]);
    assert_eq!(closed["passages"], json!([]));
    // what there is no room for is said: passages, or the end of one
    let output = library.answer(&["17 is?", "--k", "9"]);
    assert!(stderr(&output).contains("there was no room for all of the passages"), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).expect("it is UTF-8");
    assert!(said.contains("d17") && said.lines().count() < 9, "{said}");
    let long = library.write("long.jsonl", &[json!({"id": "long", "text": "17 17 17 is it ".repeat(30)})]);
    let output = train(&["index", "add", text(&library.path("index")), text(&long)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(library.object(&["long 17 17 17 is?", "--k", "1", "--k1", "90", "--b", "0"])["cut"], json!(true));
    // one of which nothing fits is passed over, and not said to have answered
    let title = "17 17 17 17 is it ".repeat(30);
    let titled = library.write("titled.jsonl", &[json!({"id": "titled", "title": title, "text": "17"})]);
    let output = train(&["index", "add", text(&library.path("index")), text(&titled)]);
    assert!(output.status.success(), "{}", stderr(&output));
    fs::write(
        library.path("titles"),
        "{% for passage in passages %}{{ passage.title }}{{ passage.text }};{% endfor %}{{ question }}",
    )
    .expect("it can be written");
    for combining in ["prompt", "rag-sequence", "rag-token"] {
        let more = ["17 17 17?", "--k", "40", "--k1", "90", "--b", "0", "--as", combining];
        let answer = library.object(&[&more[..], &["--template", text(&library.path("titles"))]].concat());
        let ids: Vec<&str> =
            answer["passages"].as_array().expect("a list").iter().filter_map(|one| one["id"].as_str()).collect();
        assert!(!ids.is_empty() && !ids.contains(&"titled") && answer["cut"] == json!(true), "{combining}: {answer}");
    }
}

/// Figures are those of what is written; what cannot be asked or judged is named.
#[test]
fn questions_are_judged() {
    let library = Library::new();
    let question = |number: usize| json!({"id": number, "query": format!("{number} is?"), "answers": ["it", "is it"], "positive": format!("{number} is it")});
    let questions = library.write("questions.jsonl", &(0..12).map(question).collect::<Vec<_>>());
    let out = library.path("answers.jsonl");
    for more in [&["--k", "2"][..], &["--given"], &["--k", "0"], &["--as", "rag-sequence", "--k", "2"]] {
        let output = library.answer(&[&["--questions", text(&questions), "--out", text(&out)], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let said = String::from_utf8(output.stdout).expect("it is UTF-8");
        let with_answer = if more == ["--k", "0"] { 0 } else { 12 };
        assert!(said.contains(&format!("12 questions; passages of {with_answer} contain an answer")), "{said}");
        let rows = fs::read_to_string(&out).expect("it was written");
        let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mean = rows.iter().filter_map(|row| row["f1"].as_f64()).sum::<f64>() / rows.len() as f64;
        assert!(rows.len() == 12 && said.contains(&format!("F1           {mean:.4}")), "{said} {mean}");
    }
    let none = library.write("none.jsonl", &[question(1), json!({"query": "two"})]);
    let said = library.refused(&["--questions", text(&none)]);
    assert!(said.contains("line 2: it has no `answers`"), "{said}");
    assert!(library.refused(&["1 is?", "--chat"]).contains("its tokenizer has no chat template"));
    assert!(library.refused(&[&"word ".repeat(60), "--k", "0"]).contains("there is room for"));
    assert!(library.refused(&["1 is?", "--tokens", "400"]).contains("leave no room for a question"));
    let broken = |name: &str, template: &str| -> String {
        fs::write(library.path(name), template).expect("it can be written");
        library.refused(&["1 is?", "--template", text(&library.path(name))])
    };
    assert!(broken("unknown", "\n{{ questions }}").contains("the template: line 2: "));
    assert!(broken("open", "{% for passage in passages %}").contains("the template: line 1: "));
    let missing: &Path = &library.path("missing");
    assert!(library.refused(&["1 is?", "--template", text(missing)]).contains("cannot read"));
}
