//! Answers over HTTP: what `train answer` writes, from the newest version of an index.

use std::fs;

use serde_json::{Value, json};

use crate::{
    answers::Library,
    served::Served,
    support::{stderr, text, train},
};

/// A server that answers from a library as `train answer` does in its tests.
fn served(library: &Library, more: &[&str]) -> Served {
    let [index, model, template] = ["index", "base", "template"].map(|name| library.path(name));
    let own = ["--answers", text(&index), "--template", text(&template), "--tokens", "4"];
    Served::start(&model, &[&own[..], more].concat())
}

fn answer(served: &Served, body: &Value) -> Value {
    let response = served.ask("POST", "/v1/answers", body);
    assert_eq!(response.status, 200, "{body}: {}", response.body);
    response.json()
}

fn fault(served: &Served, body: &Value) -> (u16, String) {
    let response = served.ask("POST", "/v1/answers", body);
    (response.status, response.json()["error"]["message"].as_str().expect("a text").to_owned())
}

/// A server writes the words of the command, from the same passages with the same shares.
#[test]
fn a_server_answers_as_the_command_does() {
    let library = Library::new();
    let served = served(&library, &["--k", "2"]);
    for combining in ["prompt", "rag-sequence", "rag-token"] {
        let by_command = library.object(&["17 is?", "--as", combining, "--k", "2"]);
        let by_server = answer(&served, &json!({"query": "17 is?", "as": combining, "model": "base"}));
        for key in ["query", "answer", "passages", "cut"] {
            assert_eq!(by_server[key], by_command[key], "{combining}: {key}");
        }
        assert_eq!((&by_server["object"], &by_server["model"]), (&json!("answer"), &json!("base")));
        assert!(by_server["usage"]["completion_tokens"].as_u64().is_some_and(|tokens| (1..=4 * 3).contains(&tokens)));
    }
    let closed = answer(&served, &json!({"query": "17 is?", "k": 0, "max_tokens": 2}));
    assert_eq!(closed["passages"], json!([]));
    let tokens = served.metric("tamis_generated_tokens_total");
    assert!(tokens > 0.0, "what was written is counted");
}

/// Documents that are added, replaced or removed while it runs are seen by the next question; an index that is gone is said, and one that is back is
/// searched again.
#[test]
fn a_server_sees_the_newest_index() {
    let library = Library::new();
    let served = served(&library, &["--k", "1"]);
    let passage = |question: &str| answer(&served, &json!({"query": question}))["passages"][0].clone();
    assert_eq!(passage("17 is?")["text"], json!("17 is it"));
    let change = |command: &[&str]| {
        let index = library.path("index");
        let output = train(&[&["index", command[0], text(&index)], &command[1..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let fresh = library
        .write("fresh.jsonl", &[json!({"id": "d17", "text": "17 was it"}), json!({"id": "new", "text": "zebra"})]);
    change(&["add", text(&fresh)]);
    assert_eq!(passage("17 is?")["text"], json!("17 was it"));
    assert_eq!(passage("zebra?")["id"], json!("new"));
    change(&["remove", "new"]);
    assert_ne!(passage("zebra is?")["id"], json!("new"));
    let [index, away] = ["index", "away"].map(|name| library.path(name));
    fs::rename(&index, &away).expect("it can be moved");
    let (status, said) = fault(&served, &json!({"query": "17 is?"}));
    assert!(status == 500 && said.contains("there is no index"), "{status}: {said}");
    fs::rename(&away, &index).expect("it can be moved");
    assert_eq!(passage("17 is?")["text"], json!("17 was it"));
}

/// What cannot be asked is named; the page is there, and knows no key.
#[test]
fn questions_that_cannot_be_are_refused() {
    let library = Library::new();
    let [index, key] = ["index", "key"].map(|name| library.path(name));
    let served = served(&library, &["--max-tokens", "6"]);
    for (body, said) in [
        (json!({"query": " "}), "`query` is empty"),
        (json!({"query": "a", "k": 101}), "from 0 to 100"),
        (json!({"query": "a", "max_tokens": 7}), "generates 6 tokens at most"),
        (json!({"query": "a", "model": "other"}), "other"),
        (json!({"query": "word ".repeat(99)}), "there is room for"),
        (json!({"query": "a", "as": "rag"}), "prompt, rag-sequence or rag-token"),
    ] {
        let (status, found) = fault(&served, &body);
        assert!((400..=404).contains(&status) && found.contains(said), "{body}: {status}: {found}");
    }
    for (path, media_type) in [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")] {
        let response = served.get(path);
        assert!(
            response.status == 200
                && response.header("content-type").is_some_and(|found| found.starts_with(media_type))
        );
        assert!(response.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    }
    drop(served);
    // without an index there are neither
    let without = Served::start(&library.path("base"), &[]);
    assert_eq!((without.get("/").status, fault(&without, &json!({"query": "a"})).0), (404, 404));
    drop(without);
    fs::write(&key, "secret").expect("it can be written");
    let with_key = Served::start(
        &library.path("base"),
        &["--answers", text(&index), "--api-key-file", text(&key), "--tokens", "4"],
    );
    assert_eq!((with_key.get("/").status, fault(&with_key, &json!({"query": "a"})).0), (200, 401));
    drop(with_key);
    for (more, said) in [
        (&["--answers", text(&library.path("none")), "--tokens", "4"][..], "there is no index"),
        (&["--answers", text(&index), "--chat", "--tokens", "4"], "no chat template"),
        (&["--answers", text(&index), "--tokens", "900"], "leave no room for a question"),
    ] {
        let output = train(&[&["serve", text(&library.path("base")), "--port", "0"], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(said), "{said}: {}", stderr(&output));
    }
}
