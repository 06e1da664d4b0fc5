//! Labels of people: ranked and written over HTTP, killed in between, exported, and refused where they do not fit.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use serde_json::{Value, json};
use train::data::{Document, Documents, PreferenceRow, PreferenceRows, ReadOptions};

use crate::{
    http::{self, Response},
    served::workshop,
    support::{Workshop, program, stderr, text, train},
};

/// A server of labels that runs as long as the value lives.
struct Labels {
    child: Child,
    address: String,
}

/// The folder of labels in a workshop.
fn folder(workshop: &Workshop) -> PathBuf {
    workshop.path().join("labels")
}

/// What of a command line is said of every folder of rankings.
fn of_rankings(workshop: &Workshop) -> Vec<String> {
    let path = |name: &str| text(&workshop.path().join(name)).to_owned();
    ["--model", &path("model"), "--prompts", &path("prompts.jsonl"), "--tokens", "6"].map(str::to_owned).to_vec()
}

/// The same of demonstrations, which need no model.
fn of_demonstrations(prompts: &Path) -> Vec<String> {
    ["--kind", "demonstrations", "--prompts", text(prompts)].map(str::to_owned).to_vec()
}

fn write_prompts(path: &Path, count: usize) {
    let line = |number: usize| {
        format!("{}\n", json!({ "id": format!("p{number}"), "prompt": format!("River {number} runs") }))
    };
    fs::write(path, (1..=count).map(line).collect::<String>()).expect("it can be written");
}

/// A workshop with a model and some prompts.
fn with_prompts(count: usize) -> Workshop {
    let workshop = workshop();
    write_prompts(&workshop.path().join("prompts.jsonl"), count);
    workshop
}

impl Labels {
    /// Starts a server for a folder, and waits until it is ready.
    fn start(folder: &Path, of: &[String], more: &[&str]) -> Self {
        let of = of.iter().map(String::as_str);
        let arguments: Vec<&str> =
            ["label", "serve", text(folder), "--port", "0"].into_iter().chain(of).chain(more.iter().copied()).collect();
        let mut child =
            program(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it can be read");
        let Some(address) = line.trim_end().strip_prefix("http://") else {
            let mut said = String::new();
            let _ = child.stderr.take().expect("it is piped").read_to_string(&mut said);
            panic!("it is not ready: {line}{said}");
        };
        Self { child, address: address.to_owned() }
    }

    fn get(&self, path: &str) -> Response {
        http::ask(&self.address, "GET", path, "")
    }

    fn post(&self, path: &str, body: &Value) -> Response {
        http::ask(&self.address, "POST", path, &body.to_string())
    }

    /// What is answered, which has to be well.
    fn well(&self, path: &str, body: &Value) -> Value {
        let response = self.post(path, body);
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()
    }

    /// What a labeler sees, once its answers are there.
    fn next(&self, labeler: &str) -> Value {
        for _ in 0..2000 {
            let response = self.get(&format!("/api/next?labeler={labeler}"));
            assert_eq!(response.status, 200, "{}", response.body);
            let next = response.json();
            if next["state"] != "waiting" {
                return next;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("no answers come");
    }

    /// Judges a labeler's next item. Returns its number.
    fn judge(&self, labeler: &str, how: &Value) -> i64 {
        let item = number(&self.next(labeler));
        let mut body = json!({ "labeler": labeler, "item": item });
        for (key, value) in how.as_object().expect("an object") {
            body[key] = value.clone();
        }
        self.well("/api/judge", &body);
        item
    }

    fn progress(&self) -> Value {
        self.get("/api/progress").json()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.expect("there is a `kill`").success());
    }

    /// Waits for its end.
    fn end(mut self) -> ExitStatus {
        self.child.wait().expect("it was started")
    }
}

impl Drop for Labels {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number of the item that is shown.
fn number(next: &Value) -> i64 {
    next["item"]["number"].as_i64().unwrap_or_else(|| panic!("an item is shown: {next}"))
}

fn export(folder: &Path, more: &[&str]) -> Output {
    train(&[&["label", "export", text(folder)], more].concat())
}

/// What an export says, which has to go well.
fn exported(folder: &Path) -> String {
    let output = export(folder, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("it is text")
}

fn rows(path: &Path) -> Vec<PreferenceRow> {
    let mut reader = PreferenceRows::open(path, ReadOptions::default()).expect("it can be opened");
    let mut rows = Vec::new();
    while let Some(few) = reader.next_few().expect("each row is one") {
        rows.extend(few);
    }
    rows
}

/// The lines of a file of JSON.
fn lines(path: &Path) -> Vec<Value> {
    let lines = fs::read_to_string(path).expect("it was written");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// A server that is killed while somebody labels has kept all that it has answered, and shows the same answers again.
#[test]
fn what_was_answered_outlives_a_kill() {
    let (workshop, options) = (with_prompts(60), ["--answers", "2"]);
    let (folder, of) = (folder(&workshop), of_rankings(&workshop));
    let labels = Labels::start(&folder, &of, &options);
    labels.judge("ann", &json!({ "ranks": [1, 2] }));
    let shown = labels.next("ann");
    labels.signal("-KILL");
    labels.end();

    let labels = Labels::start(&folder, &of, &options);
    assert_eq!(labels.next("ann"), shown, "the same item with the same answers in the same order");
    // one labels as fast as it goes, and another kills the server somewhere in between
    let address = labels.address.clone();
    let labeler = thread::spawn(move || {
        let headers = [("Content-Type", "application/json")];
        let mut answered = BTreeSet::new();
        loop {
            let Ok(next) = http::try_ask(&address, "GET", "/api/next?labeler=ann", &headers, b"") else {
                return answered;
            };
            let next = next.json();
            match next["state"].as_str() {
                Some("item") => {
                    let body = json!({ "labeler": "ann", "item": number(&next), "ranks": [2, 1] }).to_string();
                    match http::try_ask(&address, "POST", "/api/judge", &headers, body.as_bytes()) {
                        Ok(response) if response.status == 200 => {
                            answered.insert(number(&next));
                        }
                        _ => return answered,
                    }
                }
                Some("waiting") => thread::sleep(Duration::from_millis(2)),
                _ => return answered,
            }
        }
    });
    while labels.progress()["done"].as_u64().expect("a number") < 12 {
        thread::sleep(Duration::from_millis(2));
    }
    labels.signal("-KILL");
    labels.end();
    let answered = labeler.join().expect("it does not panic");
    assert!(answered.len() > 9 && answered.len() < 60, "{} were answered", answered.len());

    let said = exported(&folder);
    let kept: BTreeMap<String, Value> = lines(&folder.join("rankings.jsonl"))
        .into_iter()
        .map(|row| (row["id"].to_string(), row["ranks"].clone()))
        .collect();
    // one that was not answered any more may be there, too
    assert!([1, 2].contains(&(kept.len() - answered.len())), "{} of {}: {said}", kept.len(), answered.len());
    let labels = Labels::start(&folder, &of, &options);
    let again = number(&labels.next("ann"));
    assert!(!answered.contains(&again));
    // who asks once more for what was lost on its way has judged once
    let body = json!({ "labeler": "ann", "item": again, "ranks": [1, 1] });
    assert_eq!(labels.well("/api/judge", &body), labels.well("/api/judge", &body));
    labels.signal("-TERM");
    assert_eq!(labels.end().code(), Some(0));
    assert_eq!(rows(&folder.join("rankings.jsonl")).len(), kept.len());
}

/// Two labelers see the same prompts first; how far they agree is said, and their rankings are those that a reward model reads.
#[test]
fn two_labelers_are_compared_and_exported() {
    let workshop = with_prompts(3);
    let (folder, of) = (folder(&workshop), of_rankings(&workshop));
    let labels = Labels::start(&folder, &of, &["--overlap", "1"]);
    let mut by_ann = BTreeMap::new();
    for _ in 0..3 {
        let next = labels.next("ann");
        assert_eq!(next["item"]["answers"].as_array().map(Vec::len), Some(4));
        by_ann.insert(number(&next), next["item"].clone());
        labels.judge("ann", &json!({ "ranks": [1, 2, 3, 4] }));
    }
    assert_eq!(labels.next("ann")["state"], "done");
    for place in 0..3 {
        let next = labels.next("bob");
        assert_eq!(by_ann[&number(&next)], next["item"], "both are shown the same");
        let ranks = if place == 0 { [4, 3, 2, 1] } else { [1, 2, 3, 3] };
        labels.judge("bob", &json!({ "ranks": ranks }));
    }
    let progress = labels.progress();
    assert_eq!(
        (&progress["done"], &progress["prompts"], &progress["kind"]),
        (&json!(3), &json!(3), &json!("rankings"))
    );
    // of one prompt six pairs the other way round; of each other one five the same way, and a tie
    let agreement = &progress["agreement"];
    assert_eq!((&agreement["pairs"], &agreement["prompts"]), (&json!(16), &json!(3)));
    let share = agreement["share"].as_f64().expect("a number");
    assert!((share - 10.0 / 16.0).abs() < 1e-9, "{agreement}");
    assert!(agreement["alpha"].as_f64().is_some_and(|alpha| alpha < share));

    // it can be exported while the server runs
    let said = exported(&folder);
    assert!(
        said.starts_with(
            "6 rankings\n3 of 3 prompts are done\nann: 3 rankings, 0.0 % of pairs are ties\nbob: 3 rankings"
        ),
        "{said}"
    );
    assert!(said.contains("\nagreement 0.625 (") && said.contains("16 pairs of answers to 3 prompts"), "{said}");
    let path = folder.join("rankings.jsonl");
    assert!(said.ends_with(&format!("\n{}\n", path.display())), "{said}");
    let (rows, labelers) = (rows(&path), lines(&path));
    assert_eq!(rows.len(), 6);
    for (row, line) in rows.iter().zip(&labelers) {
        let item = by_ann.values().find(|item| item["id"].as_str() == row.id.as_deref()).expect("it was shown");
        assert_eq!(item["prompt"], row.prompt);
        assert!(["ann", "bob"].contains(&line["labeler"].as_str().expect("a name")));
        if line["labeler"] == "ann" {
            // ranks stand with the answers that they were given to, wherever these were shown
            let shown = item["answers"].as_array().expect("a list");
            let by_rank: Vec<&str> = (1..=4)
                .map(|rank| row.ranks.iter().position(|other| *other == rank).expect("each rank once"))
                .map(|place| row.answers[place].as_str())
                .collect();
            assert_eq!(by_rank, shown.iter().map(|text| text.as_str().expect("a text")).collect::<Vec<_>>());
        }
    }
}

/// Who goes back judges anew, who passes over says why, and neither is exported as a ranking.
#[test]
fn a_labeler_goes_back_and_passes_over() {
    let workshop = with_prompts(4);
    let (folder, of) = (folder(&workshop), of_rankings(&workshop));
    let labels = Labels::start(&folder, &of, &["--answers", "3"]);
    let nothing = labels.post("/api/undo", &json!({ "labeler": "ann" }));
    assert_eq!(nothing.status, 409, "{}", nothing.body);
    let first = labels.next("ann");
    assert_eq!((&first["last"], &first["left"], &first["judged"]), (&Value::Null, &json!(4), &json!(0)));
    let item = labels.judge("ann", &json!({ "ranks": [3, 1, 2] }));
    assert_eq!(item, number(&first));
    // another window of the same labeler, which still shows it
    let again = |ranks: Value| labels.post("/api/judge", &json!({ "labeler": "ann", "item": item, "ranks": ranks }));
    let other = again(json!([1, 2, 3]));
    assert!(other.status == 409 && other.body.contains("of ann on this prompt counts already"), "{}", other.body);
    assert_eq!(again(json!([3, 1, 2])).status, 200, "a request that is sent once more is no other judgment");
    let second = labels.judge("ann", &json!({ "skip": "other: in Latin" }));
    let last = labels.next("ann")["last"].as_i64().expect("two were judged");
    let other = labels.post("/api/undo", &json!({ "labeler": "ann", "judgment": last - 1 }));
    assert!(other.status == 409 && other.body.contains("is not the last of ann"), "{}", other.body);
    let undone = labels.well("/api/undo", &json!({ "labeler": "ann", "judgment": last }));
    assert_eq!((undone["skip"].as_str(), number(&undone)), (Some("other: in Latin"), second));
    let undone = labels.well("/api/undo", &json!({ "labeler": "ann" }));
    assert_eq!((&undone["ranks"], &undone["item"]), (&json!([3, 1, 2]), &first["item"]), "as it was shown");
    assert_eq!(labels.next("ann")["item"], first["item"], "it comes again");
    labels.judge("ann", &json!({ "ranks": [1, 1, 2] }));
    labels.judge("ann", &json!({ "skip": "unclear" }));
    labels.judge("ann", &json!({ "skip": "unclear" }));
    labels.judge("ann", &json!({ "skip": "other: in Greek" }));
    assert_eq!(labels.next("ann")["state"], "done");
    drop(labels);
    let said = exported(&folder);
    assert!(said.contains("ann: 1 rankings, 3 skipped (other 1, unclear 2), 33.3 % of pairs are ties"), "{said}");
    assert_eq!(rows(&folder.join("rankings.jsonl")).len(), 1);
    let database = Connection::open(folder.join("labels.sqlite")).expect("it is a database");
    let count: i64 =
        database.query_row("SELECT count(*) FROM judgments", (), |row| row.get(0)).expect("it can be asked");
    assert_eq!(count, 2 + 2 + 4, "nothing was deleted");
}

/// A line of a request that is sent as it stands, and the code of its answer.
fn raw(address: &str, head: &str) -> u16 {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "{head}Connection: close\r\n\r\n").expect("it can be written");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("it is answered");
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status: {line}"))
}

/// Answers are of our own page, and faults say what is wrong.
#[test]
fn what_is_not_asked_for_is_refused() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let prompts = folder.path().join("prompts.jsonl");
    write_prompts(&prompts, 2);
    let labels = Labels::start(&folder.path().join("labels"), &of_demonstrations(&prompts), &[]);
    let page = labels.get("/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("/page.js") && !page.body.contains("https://"));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    assert_eq!((labels.get("/page.js").status, labels.get("/page.css").status), (200, 200));

    let ok = json!({ "labeler": "ann", "item": 1, "text": "It flows." });
    for (method, path, body, status, message) in [
        ("GET", "/api/next", Value::Null, 400, "`labeler` is missing"),
        ("GET", "/api/next?labeler=%20", Value::Null, 400, "1 to 40 characters"),
        ("GET", "/api/nothing", Value::Null, 404, "nothing at /api/nothing"),
        ("GET", "/api/judge", Value::Null, 405, "not asked by GET"),
        ("POST", "/api/judge", json!({ "labeler": "x".repeat(41), "item": 1, "text": "a" }), 400, "1 to 40 characters"),
        ("POST", "/api/judge", json!({ "labeler": "ann", "item": 9, "text": "a" }), 400, "no item 9"),
        ("POST", "/api/judge", json!({ "labeler": "ann", "item": 1, "text": " " }), 400, "is empty"),
        (
            "POST",
            "/api/judge",
            json!({ "labeler": "ann", "item": 1, "ranks": [1, 2] }),
            400,
            "demonstrations are asked for",
        ),
        ("POST", "/api/judge", json!({ "labeler": "ann", "item": 1 }), 400, "one of `ranks`, `text` and `skip`"),
        ("POST", "/api/judge", json!({ "labeler": "ann", "item": 1, "mood": "a" }), 400, "unknown field `mood`"),
        (
            "POST",
            "/api/judge",
            json!({ "labeler": "ann", "item": 1, "text": "a".repeat(300_000) }),
            413,
            "262144 bytes",
        ),
    ] {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = http::ask(&labels.address, method, path, &body);
        assert_eq!(response.status, status, "{path}: {}", response.body);
        let error = response.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains(message), "{error}");
    }
    let text = ok.to_string();
    let with = |headers: &[(&str, &str)]| {
        let response = http::try_ask(&labels.address, "POST", "/api/judge", headers, text.as_bytes());
        response.expect("it is answered").status
    };
    let own = format!("http://{}", labels.address);
    assert_eq!(with(&[("Content-Type", "text/plain")]), 415);
    assert_eq!(with(&[("Content-Type", "application/json"), ("Origin", "http://labels.example")]), 403);
    assert_eq!(with(&[("Content-Type", "application/json"), ("Origin", "null")]), 403);
    let port = labels.address.rsplit_once(':').expect("a port").1;
    assert_eq!(raw(&labels.address, &format!("GET / HTTP/1.1\r\nHost: labels.example:{port}\r\n")), 403);
    assert_eq!(raw(&labels.address, &format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\n")), 200);
    assert_eq!(labels.progress()["done"], 0, "nothing of it was kept");
    assert_eq!(with(&[("Content-Type", "application/json"), ("Origin", own.as_str())]), 200);
    assert_eq!(labels.progress()["done"], 1);
}

/// Demonstrations need no model, and are what instruction tuning reads.
#[test]
fn demonstrations_are_written_and_exported() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let (prompts, to) = (folder.path().join("prompts.jsonl"), folder.path().join("labels"));
    write_prompts(&prompts, 3);
    let labels = Labels::start(&to, &of_demonstrations(&prompts), &[]);
    let next = labels.next("ann");
    assert_eq!((&next["kind"], &next["item"]["answers"]), (&json!("demonstrations"), &json!([])));
    let prompt = next["item"]["prompt"].as_str().expect("a text").to_owned();
    labels.judge("ann", &json!({ "text": " It flows,\nand flows.\n" }));
    labels.judge("ann", &json!({ "skip": "harmful" }));
    labels.signal("-INT");
    assert_eq!(labels.end().code(), Some(0));
    // prompts that are added are shown, too; those that were there stay
    write_prompts(&prompts, 5);
    let labels = Labels::start(&to, &of_demonstrations(&prompts), &[]);
    assert_eq!(labels.progress()["prompts"], 5);
    drop(labels);
    let out = folder.path().join("out/written.jsonl");
    let output = export(&to, &["--out", text(&out), "--kind", "demonstrations"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut documents = Documents::open(&out).expect("it can be opened");
    let found = documents.next_few().expect("each row is one").expect("there is one");
    assert_eq!(found, [Document::Text { prompt, text: " It flows,\nand flows.\n".into() }]);
    assert_eq!(lines(&out)[0]["labeler"], "ann");
    let other = export(&to, &["--kind", "rankings"]);
    assert!(stderr(&other).contains("labels holds demonstrations, and no rankings"), "{}", stderr(&other));
    let none = export(folder.path(), &[]);
    assert!(stderr(&none).contains("holds no labels"), "{}", stderr(&none));
}

/// One server at a time has a folder, and it goes on as it was begun; a database that somebody has changed is refused with the row.
#[test]
fn a_folder_that_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let (prompts, to) = (folder.path().join("prompts.jsonl"), folder.path().join("labels"));
    write_prompts(&prompts, 3);
    let of = of_demonstrations(&prompts);
    let serve = |more: &[&str]| {
        let of = of.iter().map(String::as_str);
        let arguments: Vec<&str> =
            ["label", "serve", text(&to), "--port", "0"].into_iter().chain(of).chain(more.iter().copied()).collect();
        let output = train(&arguments);
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    let labels = Labels::start(&to, &of, &[]);
    labels.judge("ann", &json!({ "text": "a" }));
    let second = labels.judge("ann", &json!({ "text": "b" }));
    assert!(serve(&[]).contains("labels is held by another `train label`"));
    drop(labels);
    assert!(serve(&["--seed", "2"]).contains("`seed` was 1, and is 2"));
    let database = to.join("labels.sqlite");
    let change = |statement: &str| {
        let connection = Connection::open(&database).expect("it is a database");
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {statement}")).expect("it can be changed");
    };
    change("UPDATE judgments SET item = 77 WHERE number = 2");
    for said in [serve(&[]), stderr(&export(&to, &[]))] {
        assert!(
            said.contains("labels.sqlite is damaged: judgments, row 2: it judges item 77, which is not there"),
            "{said}"
        );
    }
    change(&format!(
        "UPDATE judgments SET item = {second} WHERE number = 2; UPDATE meta SET value = '2' WHERE key = 'version'"
    ));
    let said = stderr(&export(&to, &[]));
    assert!(said.contains("meta, row version: it is 2, and this program reads version 1"), "{said}");
    change("UPDATE meta SET value = '1' WHERE key = 'version'");
    assert!(export(&to, &[]).status.success());
    fs::write(&prompts, "{\"id\": \"p1\", \"prompt\": \"Another\"}\n").expect("it can be written");
    assert!(serve(&[]).contains("the prompt `p1` (prompts.jsonl, line 1) was another one"));
}

/// A program ranks as a labeler of its name; where it does not do its part, the line is named, and what it said before stays.
#[test]
fn a_program_ranks_in_the_place_of_people() {
    let workshop = with_prompts(6);
    let (folder, of) = (folder(&workshop), of_rankings(&workshop));
    let run = |labeler: &Path, more: &[&str]| {
        let of = of.iter().map(String::as_str);
        let arguments = ["label", "run", text(&folder), "--answers", "2", "--labeler", text(labeler)];
        train(&arguments.into_iter().chain(of).chain(more.iter().copied()).collect::<Vec<&str>>())
    };
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let first = workshop.script("first", r#"while read -r line; do echo '{"ranks": [1, 2]}'; done"#);
    let output = run(&first, &["--count", "4"]);
    assert_eq!(said(&output), "first: 4 prompts ranked, 0 skipped\n", "{}", stderr(&output));
    let output = run(&first, &[]);
    assert_eq!(said(&output), "first: 2 prompts ranked, 0 skipped\n", "it goes on: {}", stderr(&output));
    let picky = r#"while read -r line; do case "$line" in *"River 1 "*) echo '{"skip": "dull"}';; *) echo '{"ranks": [2, 1]}';; esac; done"#;
    let output = run(&workshop.script("picky", picky), &[]);
    assert_eq!(said(&output), "picky: 5 prompts ranked, 1 skipped\n", "{}", stderr(&output));
    let summary = exported(&folder);
    assert!(summary.contains("picky: 5 rankings, 1 skipped (dull 1), 0.0 % of pairs are ties"), "{summary}");
    assert!(summary.contains("agreement 0.000 (0.000 to 0.000) on 5 pairs of answers to 5 prompts"), "{summary}");
    assert_eq!(rows(&folder.join("rankings.jsonl")).len(), 6 + 5);

    for (name, lines, message) in [
        ("ends", r#"read -r line; echo '{"ranks": [1, 2]}'; exit 3"#, "ends, line 2: it has ended (exit status: 3)"),
        (
            "babbles",
            r#"read -r line; echo '{"ranks": [1, 1]}'; while read -r line; do echo "A, surely"; done"#,
            "babbles, line 2: this is no object with `ranks` or `skip`",
        ),
        (
            "counts",
            r#"while read -r line; do echo '{"ranks": [1, 2, 3]}'; done"#,
            "counts, line 1: it ranks 3 answers, and there are 2",
        ),
        (
            "zero",
            r#"while read -r line; do echo '{"ranks": [0, 1]}'; done"#,
            "zero, line 1: it has the rank 0, and ranks go from 1 to 2",
        ),
        (
            "fails",
            r#"while read -r line; do echo '{"ranks": [1, 2]}'; done; exit 4"#,
            "fails, line 6: after this line, it has ended with exit status: 4",
        ),
        (
            "repeats",
            r#"while read -r line; do echo '{"ranks": [1, 2]}'; echo '{"ranks": [1, 2]}'; done"#,
            "repeats, line 6: it has said more than it was asked",
        ),
    ] {
        let output = run(&workshop.script(name, lines), &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
    let summary = exported(&folder);
    for kept in ["ends: 1 rankings", "babbles: 1 rankings", "fails: 6 rankings"] {
        assert!(summary.contains(kept), "{kept}: {summary}");
    }
    assert!(!summary.contains("counts: ") && !summary.contains("zero: "), "{summary}");
    let missing = run(&workshop.path().join("missing"), &[]);
    assert!(stderr(&missing).contains("cannot run") && stderr(&missing).contains("missing"), "{}", stderr(&missing));
    let prompts = workshop.path().join("prompts.jsonl");
    let output = train(&["label", "serve", text(&folder), "--port", "0", "--prompts", text(&prompts)]);
    assert!(stderr(&output).contains("name it by --model"), "{}", stderr(&output));
}
