//! Text of benchmarks in documents, as its user would look for it.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    duplicates::{write_lines, writing},
    support::{OUTPUTS, curate, hashes, root, run_well, stderr, stdout, temporary, text},
};

/// Questions of 20 words each, which no two share a 13-gram of.
fn questions(count: usize) -> Vec<String> {
    writing(11, count, 20)
}

/// A recipe that cuts `quiz.jsonl` out of `some.jsonl`.
fn recipe(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("recipe.toml");
    let recipe = "name = \"benchmarks\"\nseed = 1\n[source.some]\njsonl = [\"some*.jsonl\"]\n[benchmark.quiz]\nfiles = [\"quiz.jsonl\"]\n\
                  fields = [\"question\"]\n[[step]]\ndecontaminate = {}\n[splits]\nvalidation = 0.0\n[mixture.text]\n\
                  weights = { some = 1.0 }\n";
    fs::write(&path, recipe).expect("the folder can be written");
    path
}

fn quiz(folder: &Path, questions: &[String]) {
    let lines: Vec<String> =
        questions.iter().map(|question| json!({ "question": question, "answer": 7 }).to_string()).collect();
    fs::write(folder.join("quiz.jsonl"), lines.join("\n")).expect("the folder can be written");
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("it can be read")).expect("it is JSON")
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("it can be read");
    text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

/// The text without the bytes from 200 characters before `start` to 200 behind `end`, as GPT-3 cut it.
fn expected(text: &str, start: usize, end: usize) -> String {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let place = |byte: usize| characters.iter().take_while(|(at, _)| *at < byte).count();
    let (from, to) = (place(start).saturating_sub(200), (place(end) + 200).min(characters.len()));
    let piece = |from: usize, to: usize| -> String {
        if to - from < 200 {
            String::new()
        } else {
            characters[from..to].iter().map(|(_, character)| *character).collect()
        }
    };
    let pieces = [piece(0, from), piece(to, characters.len())];
    let pieces: Vec<&str> = pieces.iter().map(|piece| piece.trim()).filter(|piece| !piece.is_empty()).collect();
    pieces.join("\n\n")
}

/// Stretches of 13 to 20 words of a question, in other letters and with other marks, are all found and cut to the character; no other
/// text is: at any number of threads, on any engine, as a recipe and as a command.
#[test]
fn planted_leaks_are_cut_to_the_character() {
    let folder = temporary();
    let questions = questions(40);
    quiz(folder.path(), &questions);
    let own = writing(12, 60, 150);
    let mut documents = Vec::new();
    let mut wanted = Vec::new();
    for (place, own) in own.iter().enumerate() {
        let id = place.to_string();
        if place % 3 == 0 {
            documents.push((id.clone(), own.clone()));
            wanted.push((id, own.clone()));
            continue;
        }
        let words: Vec<String> =
            questions[place % 40].split(' ').map(|word| format!("{},", word.to_uppercase())).collect();
        let leak = words[..13 + place % 8].join(" ");
        let at = own[..(place * 17) % 700].rfind(' ').unwrap_or_default();
        let (before, behind) = own.split_at(at);
        let text = format!("Übér {before} {leak}{behind}");
        let start = "Übér ".len() + before.len() + 1;
        wanted.push((id.clone(), expected(&text, start, start + leak.len() - 1)));
        documents.push((id, text));
    }
    write_lines(&folder.path().join("some.jsonl"), &documents);
    let out = folder.path().join("command");
    let (some, quiz) = (folder.path().join("some.jsonl"), folder.path().join("quiz.jsonl"));
    let command = ["decontaminate", text(&some), "--against", text(&quiz), "--out", text(&out)];
    let output = curate(&command).output().expect("the program can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    let found: Vec<(String, String)> = lines(&out.join("survivors/some.jsonl"))
        .into_iter()
        .map(|line| (line["id"].as_str().expect("an id").into(), line["text"].as_str().expect("a text").into()))
        .collect();
    let wanted: Vec<(String, String)> = wanted.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    assert_eq!(found, wanted);
    let account = json(&out.join("facts/contamination/decontaminate.json"));
    let quiz = &account["benchmarks"][0];
    assert_eq!(
        (&quiz["examples"], &quiz["short"], &quiz["documents"]),
        (&json!(40), &json!(0), &json!(40)),
        "{account}"
    );
    let examples = lines(&out.join("facts/contamination/decontaminate.jsonl"));
    assert_eq!(examples.len() as u64, quiz["found"].as_u64().expect("a count"));
    assert!(stdout(&output).contains("quiz"), "{}", stdout(&output));

    let recipe = recipe(folder.path());
    let out = folder.path().join("run");
    let ledger = run_well(&recipe, &out, &["--threads", "1"]);
    assert_eq!(ledger.cuts[0].documents + documents.len() as u64 - wanted.len() as u64, 40);
    assert_eq!(json(&out.join("facts/contamination/decontaminate.json"))["benchmarks"], account["benchmarks"]);
    for more in [&["--threads", "8"][..], &["--engine", "rehearsal"]] {
        let other = folder.path().join("other");
        run_well(&recipe, &other, &[more, &["--fresh"]].concat());
        assert_eq!(hashes(&other, &OUTPUTS), hashes(&out, &OUTPUTS), "{more:?}");
    }
}

/// What stands in more than ten documents is nobody's leak; a document in eleven pieces is dropped; and so is one that is all leak.
#[test]
fn what_is_common_stays_and_what_falls_to_pieces_goes() {
    let folder = temporary();
    let questions = questions(20);
    quiz(folder.path(), &questions);
    let own = writing(13, 24, 150);
    let apart = |count: usize| -> String {
        (0..count).map(|place| format!("{} {} ", own[20], questions[5 + place])).collect::<String>() + &own[21]
    };
    let mut texts: Vec<String> =
        (0..11).map(|place| format!("{} {} {}", own[place], questions[0], own[place])).collect();
    texts.extend((0..10).map(|place| format!("{} {} {}", own[place], questions[1], own[place])));
    texts.extend([apart(10), apart(11), questions[2].clone()]);
    let documents: Vec<(String, String)> =
        texts.into_iter().enumerate().map(|(place, text)| (place.to_string(), text)).collect();
    write_lines(&folder.path().join("some.jsonl"), &documents);
    let ledger = run_well(&recipe(folder.path()), &folder.path().join("out"), &[]);
    let stage = ledger.stages.iter().find(|entry| entry.stage == "decontaminate").expect("there is the stage");
    assert_eq!(stage.dropped.get("contaminated"), Some(&2), "{stage:?}");
    assert_eq!(ledger.cuts[0].documents, 11, "ten with a question, and the one in ten pieces");
    let account = json(&folder.path().join("out/facts/contamination/decontaminate.json"));
    assert_eq!(account["common_runs"], json!(8), "the 13-grams of one question of 20 words");
    let quiz = &account["benchmarks"][0];
    assert_eq!((&quiz["common"], &quiz["found"], &quiz["whole"]), (&json!(1), &json!(13), &json!(13)), "{account}");
}

/// Whoever asks for a step on benchmarks without one, or names a file that is none, is told where.
#[test]
fn what_is_no_benchmark_is_named() {
    let folder = temporary();
    write_lines(&folder.path().join("some.jsonl"), &[("0".into(), "Some text.".into())]);
    fs::write(folder.path().join("quiz.jsonl"), "{\"question\": \"Why?\"}\n{\"question\"\n")
        .expect("it can be written");
    let output = crate::support::run(&recipe(folder.path()), &folder.path().join("out"), &[]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("quiz.jsonl") && stderr(&output).contains("line 2"), "{}", stderr(&output));
    // an empty file, such as a download that failed, finds nothing in any document
    fs::write(folder.path().join("quiz.jsonl"), "\n").expect("it can be written");
    let output = crate::support::run(&recipe(folder.path()), &folder.path().join("out"), &[]);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("quiz.jsonl holds no example"), "{error}");
    // one whose examples are all too short is said to find nothing
    quiz(folder.path(), &["Why is it?".to_owned(), "What?".to_owned()]);
    let output = crate::support::run(&recipe(folder.path()), &folder.path().join("out"), &[]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("benchmark `quiz`: none of its 2 examples is looked for"), "{said}");
    let sums = root().join("fixtures/tasks/sums.toml");
    let some = folder.path().join("some.jsonl");
    let out = folder.path().join("task");
    let command = ["decontaminate", text(&some), "--against", text(&sums), "--out", text(&out)];
    let output = curate(&command).output().expect("the program can be started");
    assert!(output.status.success() && stdout(&output).contains("sums"), "{}", stderr(&output));
}
