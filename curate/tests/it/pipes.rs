//! The small commands: one step on files, in a pipe, as a run would take it.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use crate::support::{curate, recipe, root, run_well, stderr, stdout, temporary, text};

/// The JSON lines that a command prints.
fn lines(output: &Output) -> Vec<serde_json::Value> {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output).lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// What is extracted from an archive are the documents of a run, with their ids; what is none is named with its place.
#[tokio::test]
async fn an_archive_gives_the_documents_of_a_run() {
    let out = temporary();
    run_well(&recipe("fixture.toml"), out.path(), &[]);
    let archive = root().join("fixtures/crawl/00.warc.gz");
    let output = curate(&["extract", "--source", "crawl", text(&archive)]).output().expect("it can be started");
    let documents = lines(&output);
    assert!(documents.len() > 100, "{} documents", documents.len());
    for document in &documents {
        let id = document["id"].as_str().expect("an id");
        let fates = curate::run::why(out.path(), id).await.expect("the run knows the document");
        assert_eq!((fates[0].stage.as_str(), fates[0].verdict.as_str()), ("read", "keep"), "{id}");
        assert!(!document["text"].as_str().expect("a text").is_empty());
    }
    let said = stderr(&output);
    assert!(said.contains("00.warc.gz: byte ") && said.contains(": not_a_response"), "{said}");
}

/// Documents come through a pipe, and one object goes out for each.
#[test]
fn documents_are_measured_in_a_pipe() {
    let mut child = curate(&["measure", "-q", "--facts", "words,fingerprints", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut input = child.stdin.take().expect("it is piped");
    input
        .write_all(
            b"{\"id\": \"a\", \"text\": \"One two, one two.\"}\n{\"id\": \"b\", \"text\": \"\"}\n{\"text\": 3}\n",
        )
        .expect("it reads");
    drop(input);
    let facts = lines(&child.wait_with_output().expect("it ends"));
    assert_eq!(facts.len(), 1, "an empty text and a number are no documents");
    assert_eq!((&facts[0]["record"], &facts[0]["words"], &facts[0]["tokens"]), (&"a".into(), &4.into(), &6.into()));
    assert!(facts[0]["text_hash"].is_string());
}
