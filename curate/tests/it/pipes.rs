//! The small commands: one step on files, in a pipe, as a run would take it.

use std::{
    fs::{self, File},
    io::Write as _,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

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
    let limits = ["--max-error-rate", "0.05", "--max-lost-rate", "0.05"];
    let command = [&["extract", "--source", "crawl"][..], &limits, &[text(&archive)]].concat();
    let output = curate(&command).output().expect("it can be started");
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
    let mut child =
        curate(&["measure", "-q", "--max-error-rate", "0.5", "--facts", "words,c4-lines,fingerprints", "-"])
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
    assert_eq!((&facts[0]["sentences"], &facts[0]["cuts"]), (&1.into(), &serde_json::json!([])));
    assert!(facts[0]["text_hash"].is_string());
}

/// A pipe that has a name, as `<(zcat FILE)` makes one, is read like standard input: nothing of it is empty or lost.
#[test]
fn a_named_pipe_is_read_like_standard_input() {
    let folder = temporary();
    let (archive, lines) = (root().join("fixtures/crawl/00.warc.gz"), folder.path().join("some.jsonl"));
    let texts = ["One and two.", "Three and four."].map(|text| serde_json::json!({ "text": text }).to_string());
    fs::write(&lines, texts.join("\n")).expect("it can be written");
    let limits = ["--max-error-rate", "0.05", "--max-lost-rate", "0.05"];
    for (command, file) in [("measure", &lines), ("extract", &archive)] {
        let read = |name: &str| {
            let input = File::open(file).expect("it is there");
            let arguments = [&[command][..], &limits, &[name]].concat();
            // as a pipe, and not as a file that standard input happens to be
            let mut cat = Command::new("cat").stdin(input).stdout(Stdio::piped()).spawn().expect("it can be started");
            let pipe = cat.stdout.take().expect("it is piped");
            let output = curate(&arguments).stdin(pipe).output().expect("it can be started");
            cat.wait().expect("it ends");
            output
        };
        let (named, unnamed) = (read("/dev/stdin"), read("-"));
        assert!(named.status.success(), "{command}: {}", stderr(&named));
        assert_eq!(stdout(&named), stdout(&unnamed), "{command}");
        assert!(
            !stdout(&named).is_empty() && !stderr(&named).contains("file is empty"),
            "{command}: {}",
            stderr(&named)
        );
    }
    // what reads its files more than once says that a pipe is none
    let out = folder.path().join("out");
    let mut child = curate(&["dedup", "--out", text(&out), "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    drop(child.stdin.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("write it to a file first"), "{}", stderr(&output));
}

/// However documents are kept, they are the same: ids, facts, and what is left out.
#[test]
fn lines_and_tables_hold_the_same_documents() {
    let folder = temporary();
    let texts = [Some("One and two, and three."), None, Some("Le même texte, deux fois. Le même texte, deux fois.")];
    let objects: String = texts
        .iter()
        .zip(7..)
        .map(|(text, id)| {
            serde_json::json!({"body": text.unwrap_or_default(), "id": id, "likes": [1]}).to_string() + "\n"
        })
        .collect();
    fs::write(folder.path().join("plain.jsonl"), &objects).expect("it can be written");
    let packed = zstd::encode_all(objects.as_bytes(), 3).expect("memory can be packed");
    fs::write(folder.path().join("packed.jsonl.zst"), &packed).expect("it can be written");
    fs::write(folder.path().join("clipped.jsonl.zst"), &packed[..packed.len() - 9]).expect("it can be written");
    let columns: [(&str, ArrayRef); 3] = [
        ("likes", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
        ("body", Arc::new(StringArray::from(texts.to_vec()))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("the columns are as long");
    let file = File::create(folder.path().join("table.parquet")).expect("it can be written");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema is sound");
    writer.write(&batch).expect("it can be written");
    writer.close().expect("it can be written");

    let measure = |name: &str, key: &str| {
        let path = folder.path().join(name);
        curate(&["measure", "--text", key, text(&path)]).output().expect("it can be started")
    };
    let plain = measure("plain.jsonl", "body");
    assert_eq!(lines(&plain).len(), 2);
    for name in ["packed.jsonl.zst", "table.parquet"] {
        let output = measure(name, "body");
        assert_eq!(stdout(&output), stdout(&plain), "{name}: {}", stderr(&output));
        let place = if name == "table.parquet" { "row 1" } else { "byte " };
        let said = stderr(&output);
        assert!(said.contains(&format!("{name}: {place}")) && said.contains(": no_text"), "{said}");
    }
    let clipped = stderr(&measure("clipped.jsonl.zst", "body"));
    assert!(clipped.contains("bytes are lost: zstd_clipped at byte 0: the file ends at byte "), "{clipped}");
    let missing = measure("table.parquet", "text");
    assert!(
        !missing.status.success() && stderr(&missing).contains("there is no column `text`"),
        "{}",
        stderr(&missing)
    );
}
