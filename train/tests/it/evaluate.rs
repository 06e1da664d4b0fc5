//! `train evaluate`: tasks, prompts that come ready, texts; what is counted, what is refused, and that nothing but the model decides.

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Output,
};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch, StructArray},
    datatypes::{Float64Type, Int64Type},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::{
    scripted_model::{self, Next},
    support::{Workshop, program, stderr, text, train},
};

/// A workshop with a model that reads 640 tokens.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    let settings = ["--set", "model.context_length=640", "--set", "training.batch_size=1", "--set", "training.steps=5"];
    workshop.pretrain_well("model", &settings);
    workshop
}

fn task(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tasks").join(name)
}

/// `train evaluate` of the workshop's model, with its output in the folder `out`.
fn evaluate(workshop: &Workshop, out: &str, more: &[&str]) -> Output {
    let (model, out) = (workshop.path().join("model"), workshop.path().join(out));
    train(&[&["evaluate", text(&model), "--out", text(&out)], more].concat())
}

/// The same, which must succeed. Returns the results.
fn evaluate_well(workshop: &Workshop, out: &str, more: &[&str]) -> Value {
    let output = evaluate(workshop, out, more);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&file(workshop, out, "results.json")).expect("it is JSON")
}

fn refused(workshop: &Workshop, more: &[&str]) -> String {
    let output = evaluate(workshop, "refused", more);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(!workshop.path().join("refused").exists());
    stderr(&output)
}

fn file(workshop: &Workshop, out: &str, name: &str) -> Vec<u8> {
    let path = workshop.path().join(out).join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn samples(workshop: &Workshop, out: &str) -> RecordBatch {
    samples_in(&workshop.path().join(out))
}

fn samples_in(out: &Path) -> RecordBatch {
    let file = File::open(out.join("samples.parquet")).expect("it was written");
    let rows = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").with_batch_size(1 << 16);
    rows.build().expect("it is sound").next().expect("there are rows").expect("they can be read")
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Vec<Option<&'b str>> {
    batch.column_by_name(name).unwrap_or_else(|| panic!("{name}")).as_string::<i32>().iter().collect()
}

/// The log-likelihoods of the answers of a row.
fn sums(batch: &RecordBatch, row: usize) -> Vec<f64> {
    let answers = batch.column_by_name("answers").expect("it is there").as_list::<i32>().value(row);
    let answers: &StructArray = answers.as_struct();
    answers.column_by_name("log_likelihood").expect("it is there").as_primitive::<Float64Type>().values().to_vec()
}

fn own(run: &Value) -> &Value {
    run["scores"].as_array().expect("a list").iter().find(|score| score["own"] == true).expect("one is its own")
}

/// Choices, with no, some, and as many demonstrations as there is room for; the same figures in batches of any size and on any number of
/// threads, to the byte.
#[test]
fn a_task_is_evaluated() {
    let workshop = workshop();
    let pairs = task("pairs.toml");
    let arguments = ["--task", text(&pairs), "--template", "say_the_same", "--shots", "0,1,max"];
    let results = evaluate_well(&workshop, "first", &arguments);
    let found = &results["tasks"][0];
    assert_eq!(
        (&found["task"], &found["split"], &found["demonstrations"]),
        (&json!("pairs"), &json!("test"), &json!("train"))
    );
    let runs = found["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert_eq!((&run["method"], &run["skipped"]), (&json!("choices"), &json!({})));
        let scorings: Vec<&Value> = run["scores"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|score| score["metric"] == "accuracy")
            .map(|score| &score["scoring"])
            .collect();
        assert_eq!(scorings, ["sum", "per_token", "per_character", "per_byte", "normalized"]);
        assert_eq!(
            (&own(run)["scoring"], own(run)["count"].as_u64()),
            (&json!("per_token"), found["examples"].as_u64())
        );
        assert!(own(run)["stderr"].as_f64().is_some_and(|stderr| stderr < 0.5));
        assert!(!run["calibration"].as_array().expect("a list").is_empty());
    }
    assert_eq!([&runs[0], &runs[1]].map(|run| &run["mean_shown"]), [&json!(0.0), &json!(1.0)]);
    assert!(runs[2]["mean_shown"].as_f64().is_some_and(|shown| shown > 1.0));
    assert!(runs.iter().all(|run| run["cut"]["prompts"] == 0), "what fits is not cut");

    let rows = samples(&workshop, "first");
    let shown = rows.column_by_name("shown").expect("it is there").as_primitive::<Int64Type>();
    for (row, prompt) in texts(&rows, "prompt").into_iter().enumerate() {
        let prompt = prompt.expect("a prompt");
        let questions = i64::try_from(prompt.matches("OPTIONS:").count()).expect("a few");
        assert_eq!(questions - 1, shown.value(row), "{prompt}");
        assert_eq!(sums(&rows, row).len(), 2);
    }

    for (out, more) in
        [("second", ["--batch-tokens", "7", "--threads", "1"]), ("third", ["--batch-tokens", "64", "--threads", "3"])]
    {
        evaluate_well(&workshop, out, &[&arguments[..], &more].concat());
        for name in ["results.json", "samples.parquet"] {
            assert!(file(&workshop, out, name) == file(&workshop, "first", name), "{name} of {out} differs");
        }
    }
    let output = evaluate(&workshop, "first", &arguments);
    assert!(stderr(&output).contains("first: it holds something already"), "{}", stderr(&output));
}

/// What a model writes is judged by the metric of the task, by protocol, beam search and samples alike; seeds fix it.
#[test]
fn answers_are_written() {
    let workshop = workshop();
    let (numbers, sums) = (task("numbers.toml"), task("sums.toml"));
    let arguments = ["--task", text(&numbers), "--shots", "2", "--count", "3"];
    let results = evaluate_well(&workshop, "greedy", &arguments);
    let run = &results["tasks"][0]["runs"][0];
    assert_eq!((&run["method"], &run["template"]), (&json!("generation"), &json!("demonstrations")));
    assert_eq!((&run["protocol"]["stop"], &own(run)["metric"]), (&json!(["\n"]), &json!("exact_match")));
    let metrics: Vec<&str> =
        run["scores"].as_array().expect("a list").iter().filter_map(|score| score["metric"].as_str()).collect();
    assert_eq!(metrics, ["exact_match", "f1", "answered", "bleu", "chrf", "rouge_1", "rouge_2", "rouge_l"]);
    for (out, more) in [("again", &[][..]), ("other", &["--threads", "1", "--batch-tokens", "5"])] {
        evaluate_well(&workshop, out, &[&arguments[..], more].concat());
        assert!(file(&workshop, out, "samples.parquet") == file(&workshop, "greedy", "samples.parquet"), "{out}");
    }
    let results = evaluate_well(&workshop, "beams", &[&arguments[..], &["--beams", "4", "--tokens", "8"]].concat());
    assert_eq!(results["tasks"][0]["runs"][0]["protocol"]["beams"], json!([4, 0.6]));
    let sampled = [
        "--task",
        text(&sums),
        "--split",
        "train",
        "--template",
        "question",
        "--count",
        "3",
        "--samples",
        "3",
        "--tokens",
        "6",
    ];
    let results = evaluate_well(&workshop, "sampled", &sampled);
    let run = &results["tasks"][0]["runs"][0];
    assert_eq!((&run["protocol"]["temperature"], &own(run)["count"]), (&json!(0.7), &json!(3)));
    let rows = samples(&workshop, "sampled");
    let generated = rows.column_by_name("generated").expect("it is there").as_list::<i32>();
    assert!((0..3).all(|row| generated.value(row).len() == 3));
    evaluate_well(&workshop, "sampled again", &[&sampled[..], &["--threads", "1"]].concat());
    assert!(file(&workshop, "sampled again", "samples.parquet") == file(&workshop, "sampled", "samples.parquet"));
}

/// Chains of thought, of a model that writes what is known beforehand: the answer is what the pattern finds, the calculator's where it may
/// write, what is said when asked once more, and what most samples say.
#[test]
fn reasoning_comes_before_the_answer() {
    const TASK: &str = r#"
name = "reckoning"
title = "Sums"
kind = "arithmetic"
licence = "apache-2.0"
metric = "exact_match"
fields = ["sum", "answer"]
[data]
test = ["sums.jsonl"]
[[template]]
name = "steps"
prompt_style = "chain_of_thought"
prompt = "Q: {{ sum }}\nA:"
completion = " {{ answer }}"
pattern = '(?:answer is |=)([0-9]+)'
[[example]]
sum = "1+1"
answer = "2"
"#;
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("task.toml"), TASK).expect("it can be written");
    fs::write(path("sums.jsonl"), "{\"sum\": \"2+3\", \"answer\": \"5\"}\n{\"sum\": \"2+4\", \"answer\": \"6\"}\n")
        .expect("it can be written");
    let begin = "Q: 2+3\nA:".len();
    let evaluate = |name: &str, script: &[(usize, &[Next<'_>])], more: &[&str]| {
        let (model, out, task) = (path(&format!("{name} model")), path(name), path("task.toml"));
        scripted_model::write(&model, script);
        let output = train(
            &[&["evaluate", text(&model), "--out", text(&out), "--task", text(&task), "--tokens", "40"], more].concat(),
        );
        assert!(output.status.success(), "{}", stderr(&output));
        let rows = samples_in(&out);
        let generated = rows.column_by_name("generated").expect("it is there").as_list::<i32>();
        let generated: Vec<Vec<String>> = (0..rows.num_rows())
            .map(|row| {
                generated.value(row).as_string::<i32>().iter().map(|text| text.expect("a text").to_owned()).collect()
            })
            .collect();
        let answers = texts(&rows, "answer").into_iter().map(|answer| answer.map(str::to_owned)).collect::<Vec<_>>();
        (generated, answers)
    };
    let some = |answer: &str| Some(answer.to_owned());

    let marked: &[(usize, &[Next<'_>])] = &[(begin, &[Next::Text(" <<2+3=9>> is it."), Next::End])];
    let (generated, answers) = evaluate("found", marked, &[]);
    assert_eq!((&generated[1][0], &answers), (&" <<2+3=9>> is it.".to_owned(), &vec![some("9"), some("9")]));
    let (generated, answers) = evaluate("calculated", marked, &["--calculator"]);
    assert_eq!((&generated[1][0], &answers), (&" <<2+3=5>> is it.".to_owned(), &vec![some("5"), some("5")]));

    let vague = " Three and two.";
    let asked = begin + vague.len() + "\nTherefore, the answer is".len();
    let twice: &[(usize, &[Next<'_>])] =
        &[(begin, &[Next::Text(vague), Next::End]), (asked, &[Next::Text(" some 5, or 6.\n")])];
    let (generated, answers) = evaluate("asked again", twice, &[]);
    assert_eq!(generated[0], [" Three and two.\nTherefore, the answer is some 5, or 6."]);
    assert_eq!(answers, [some("5"), some("5")]);
    let (generated, answers) = evaluate("not asked", twice, &["--second-pass", ""]);
    assert_eq!((&generated[0], answers), (&vec![vague.to_owned()], vec![None, None]));

    let torn: &[(usize, &[Next<'_>])] =
        &[(begin, &[Next::Text(" The answer is "), Next::Either(b'6', b'5'), Next::End])];
    let (generated, answers) = evaluate("voted", torn, &["--samples", "15"]);
    for (generated, answer) in generated.iter().zip(answers) {
        let votes = |digit: &str| generated.iter().filter(|text| text.ends_with(digit)).count();
        let (six, five) = (votes("6"), votes("5"));
        assert!(six > 0 && five > 0 && six + five == 15, "{generated:?}");
        assert_eq!(answer, some(if six > five { "6" } else { "5" }));
    }
}

/// Golden scores: of a model of drawn numbers on tasks of every kind. They change only where a task gets a new version, or a fault is mended.
#[test]
fn golden_scores_stay() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = |name: &str| folder.path().join(name);
    scripted_model::write_drawn(&path("model"));
    let mut arguments = vec![
        "--shots".to_owned(),
        "0,2".into(),
        "--split".into(),
        "train".into(),
        "--tokens".into(),
        "8".into(),
        "--count".into(),
        "20".into(),
    ];
    for name in ["pairs.toml", "numbers.toml", "openings.toml", "quiz.toml"] {
        arguments.extend(["--task".to_owned(), text(&task(name)).to_owned()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (model, out) = (path("model"), path("out"));
    let output = train(&[&["evaluate", text(&model), "--out", text(&out)], &arguments[..]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let results = fs::read(out.join("results.json")).expect("it was written");
    let results: Value = serde_json::from_slice(&results).expect("it is JSON");
    let mut shown = String::new();
    for task in results["tasks"].as_array().expect("a list") {
        writeln!(shown, "{} {}", task["task"], task["version"]).expect("a string takes it");
        for run in task["runs"].as_array().expect("a list") {
            writeln!(shown, "  {} {} shots {}", run["template"], run["shots"], run["skipped"])
                .expect("a string takes it");
            for score in run["scores"].as_array().expect("a list") {
                let (number, error) = (score["value"].as_f64(), score["stderr"].as_f64());
                let round = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.3}"));
                let (metric, scoring) = (&score["metric"], score["scoring"].as_str().unwrap_or(""));
                writeln!(shown, "    {metric} {scoring} {} ({})", round(number), round(error))
                    .expect("a string takes it");
            }
        }
    }
    insta::assert_snapshot!(shown);
}

/// Prompts that come ready: a likelihood is that of the text as a whole, however it is asked for; what cannot be scored is skipped by name.
#[test]
fn prompts_come_ready() {
    let workshop = workshop();
    let long = "word ".repeat(800);
    let lines = [
        json!({"id": "a", "context": "The baker keeps", "choices": [" the", " the bread", ""], "gold": 1}),
        json!({"id": "b", "context": "The baker keeps", "choices": [" the", " the bread"], "gold": 1}),
        json!({"id": "c", "context": "The baker keeps", "choices": [" the", " the bread"], "gold": 2}),
        json!({"id": "d", "context": long, "choices": [" the", " the bread"], "gold": 0}),
        json!({"id": "e", "context": "", "choices": ["The baker keeps the bread", long], "gold": 0}),
    ];
    let more = [
        json!({"id": "f", "context": "The baker keeps", "continuation": " the bread"}),
        json!({"id": "g", "text": "The baker keeps the bread"}),
        json!({"id": "h", "text": long}),
        json!({"id": "i", "text": ""}),
        json!({"id": "j", "context": "The baker", "references": ["x"], "max_tokens": 3, "stop": []}),
    ];
    let path = workshop.path().join("ready.jsonl");
    let all: String = lines.iter().chain(&more).map(|line| format!("{line}\n")).collect();
    fs::write(&path, all).expect("it can be written");
    let results = evaluate_well(&workshop, "out", &["--rendered", text(&path), "--stride", "100"]);
    let runs = results["tasks"][0]["runs"].as_array().expect("a list");
    let kinds: Vec<&Value> = runs.iter().map(|run| &run["method"]).collect();
    assert_eq!(kinds, ["choices", "answer", "text", "generation"]);
    assert_eq!(runs[0]["skipped"], json!({"no_answer": 1, "empty_answer": 1, "long_answer": 1}));
    assert_eq!((&runs[0]["cut"]["prompts"], &own(&runs[0])["count"]), (&json!(1), &json!(2)));
    assert_eq!(runs[2]["skipped"], json!({"empty_text": 1}));
    let rows = samples(&workshop, "out");
    let row = |id: &str| texts(&rows, "id").iter().position(|found| *found == Some(id)).expect("it is there");
    let [choices, continuation, whole] = ["b", "f", "g"].map(|id| sums(&rows, row(id)));
    assert!(
        choices[1].to_bits() == continuation[0].to_bits(),
        "the same bits, alone or beside another: {choices:?}, {continuation:?}"
    );
    assert!(choices[0] > choices[1] && whole[0] < choices[1]);
    assert_eq!(texts(&rows, "skipped")[row("a")], Some("empty_answer"));

    // the likelihood of a text is that of its parts, behind what stands before every text
    let parts = [
        json!({"context": "", "continuation": "The baker"}),
        json!({"context": "<|endoftext|>The baker", "continuation": " keeps the bread"}),
    ];
    fs::write(&path, parts.map(|line| format!("{line}\n")).concat()).expect("it can be written");
    evaluate_well(&workshop, "parts", &["--rendered", text(&path)]);
    let found = samples(&workshop, "parts");
    let sum = sums(&found, 0)[0] + sums(&found, 1)[0];
    assert!((sum - whole[0]).abs() < 1e-9, "{sum} is not {}", whole[0]);

    // a file of text is a text
    let plain = workshop.path().join("plain.txt");
    fs::write(&plain, "The baker keeps the bread").expect("it can be written");
    evaluate_well(&workshop, "plain", &["--text", text(&plain)]);
    assert_eq!(sums(&samples(&workshop, "plain"), 0), whole);
}

/// Of answers to prompts that come ready, several are drawn, too, and that which most have counts; where all are written alike, it is said how.
#[test]
fn answers_to_ready_prompts_are_voted_on() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = |name: &str| folder.path().join(name);
    let torn: &[(usize, &[Next<'_>])] = &[("Say: ".len(), &[Next::Either(b'6', b'5'), Next::End])];
    scripted_model::write(&path("model"), torn);
    let evaluate = |out: &str, lines: &[Value], more: &[&str]| {
        let (model, ready, out) = (path("model"), path("ready.jsonl"), path(out));
        fs::write(&ready, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).expect("it can be written");
        train(&[&["evaluate", text(&model), "--out", text(&out), "--rendered", text(&ready)], more].concat())
    };
    let run = |out: &str, lines: &[Value], more: &[&str]| {
        let output = evaluate(out, lines, more);
        assert!(output.status.success(), "{}", stderr(&output));
        let bytes = fs::read(path(out).join("results.json")).expect("it was written");
        let results: Value = serde_json::from_slice(&bytes).expect("it is JSON");
        (results["tasks"][0]["runs"][0].clone(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let asked = |more: &Value| {
        let mut line = json!({"context": "Say: ", "references": ["6"]});
        line.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        line
    };
    let alike = [asked(&json!({})), asked(&json!({"id": "x"}))];
    let (found, _) = run("alike", &alike, &["--samples", "61", "--tokens", "9"]);
    assert_eq!((&found["protocol"]["samples"], &found["protocol"]["max_new_tokens"]), (&json!(61), &json!(9)));
    let rows = samples_in(&path("alike"));
    let generated = rows.column_by_name("generated").expect("it is there").as_list::<i32>();
    for (row, answer) in texts(&rows, "answer").into_iter().enumerate() {
        let generated = generated.value(row);
        let drawn: Vec<&str> = generated.as_string::<i32>().iter().flatten().collect();
        let sixes = drawn.iter().filter(|text| **text == "6").count();
        assert!(drawn.len() == 61 && sixes > 0 && sixes < 61, "{drawn:?}");
        assert_eq!(answer, Some(if sixes > 30 { "6" } else { "5" }));
    }

    let (found, _) = run("mixed", &[asked(&json!({})), asked(&json!({"max_tokens": 3}))], &["--tokens", "9"]);
    assert_eq!((found.get("protocol"), &own(&found)["count"]), (None, &json!(2)), "they are written in two ways");

    // nothing is right, and so nothing has a score; the run is there nevertheless
    let nothing = asked(&json!({"references": []}));
    let (found, table) = run("nothing", &[nothing], &["--tokens", "9"]);
    assert_eq!((&found["skipped"], &found["scores"]), (&json!({"no_answer": 1}), &json!([])));
    let row = table.lines().find(|line| line.starts_with("ready ")).unwrap_or_else(|| panic!("{table}"));
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["ready", "rendered", "0", "0", "1"]);

    // a prompt of one token is no prompt
    let output = evaluate("refused", &alike, &[]);
    let said = stderr(&output);
    assert!(
        said.contains("ready.jsonl, line 1: 256 new tokens leave no room for a prompt in a context of 256"),
        "{said}"
    );
}

/// Scores are those of the examples, and not of their order: with ids, and without.
#[test]
fn the_order_of_examples_changes_no_score() {
    let workshop = workshop();
    let path = |name: &str| workshop.path().join(name);
    let both = |file: &str, head: &str, lines: &[String], arguments: &[&str]| {
        let turned: Vec<String> = lines.iter().rev().cloned().collect();
        [("there", lines), ("back", &turned[..])].map(|(order, lines)| {
            fs::write(path(file), format!("{head}{}\n", lines.join("\n"))).expect("it can be written");
            let results = evaluate_well(&workshop, &format!("{file} {order}"), arguments);
            results["tasks"][0]["runs"].clone()
        })
    };
    for name in ["pairs.train.csv", "pairs.validation.csv"] {
        fs::copy(task(name), path(name)).expect("it can be copied");
    }
    let own = fs::read_to_string(task("pairs.toml")).expect("it is there").replace("pairs.test.csv", "rows.csv");
    let pairs = path("pairs.toml");
    fs::write(&pairs, own).expect("it can be written");
    let rows = fs::read_to_string(task("pairs.test.csv")).expect("it is there");
    let (head, rows) = rows.split_once('\n').expect("it has a row of names");
    let rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    let arguments = ["--task", text(&pairs), "--template", "say_the_same", "--shots", "0,1"];
    let [there, back] = both("rows.csv", &format!("{head}\n"), &rows, &arguments);
    assert_eq!(there, back);

    let words = ["The baker keeps", "Bread is kept", "A mill", "The", "keeps the bread of a baker"];
    let choices = words.iter().map(|words| json!({"context": words, "choices": [" the", " a loaf", " it"], "gold": 1}));
    let whole = words.iter().map(|words| json!({"text": words}));
    let lines: Vec<String> = choices.chain(whole).map(|line| line.to_string()).collect();
    let ready = path("ready.jsonl");
    let [there, back] = both("ready.jsonl", "", &lines, &["--rendered", text(&ready)]);
    assert_eq!(there, back);
    assert_eq!(there.as_array().expect("a list").len(), 2);
}

/// What cannot be told apart or has nothing that is right is counted or refused, and never scored.
#[test]
fn choices_are_there_and_told_apart() {
    const TASK: &str = r#"
name = "ways"
kind = "multiple_choice"
fields = ["question", "ways", "right"]
choices = "ways"
answer = "right"
[data]
test = ["ways.jsonl"]
[[template]]
name = "ask"
prompt = "{{ question }}"
completion = " {{ answer }}"
[[template]]
name = "forgetful"
prompt = "{{ question }}"
completion = " {{ question }}"
[[example]]
question = "Which way?"
ways = ["left", "right"]
right = 0
"#;
    let workshop = workshop();
    let ways = workshop.path().join("ways.toml");
    fs::write(&ways, TASK).expect("it can be written");
    let lines = [
        json!({"question": "Which?", "ways": ["left", "right"], "right": 1}),
        json!({"question": "Whither?", "ways": [], "right": 0}),
    ];
    fs::write(workshop.path().join("ways.jsonl"), lines.map(|line| format!("{line}\n")).concat())
        .expect("it can be written");
    let results = evaluate_well(&workshop, "ways", &["--task", text(&ways), "--template", "ask"]);
    let found = &results["tasks"][0];
    assert_eq!((&found["broken"], &found["examples"]), (&json!({"no_answer": 1}), &json!(1)));
    assert_eq!(own(&found["runs"][0])["count"], 1);
    let said = refused(&workshop, &["--task", text(&ways), "--template", "forgetful"]);
    assert!(said.contains("template `forgetful`: it has the same words for the choices `left` and `right`"), "{said}");
    fs::write(&ways, TASK.replace("answer = \"right\"\n", "").replace(" {{ answer }}", " {{ choices[right] }}"))
        .expect("it can be written");
    let said = refused(&workshop, &["--task", text(&ways), "--template", "ask"]);
    assert!(said.contains("template `ask` is not for evaluation: the task has no `answer`"), "{said}");
}

/// With a list of what leaked, scores are given on the rest, too; with another evaluation, both stand side by side.
#[test]
fn what_leaked_and_what_was_before_stand_beside_it() {
    let workshop = workshop();
    let pairs = task("pairs.toml");
    let arguments = ["--task", text(&pairs), "--template", "say_the_same"];
    let before = evaluate_well(&workshop, "before", &arguments);
    assert_eq!(before["tasks"][0]["runs"][0].get("clean"), None);
    let list = workshop.path().join("list.jsonl");
    let line = |place: usize, cut: usize| {
        json!({"benchmark": "pairs", "file": "/x/pairs.test.csv", "place": place, "ngrams": 2, "cut": cut, "common": 0})
            .to_string()
    };
    fs::write(&list, [line(1, 2), line(3, 1), line(4, 0)].join("\n")).expect("it can be written");
    let before_path = workshop.path().join("before");
    let more = ["--leaked", text(&list), "--against", text(&before_path), "--scoring", "sum"];
    let after = evaluate_well(&workshop, "after", &[&arguments[..], &more].concat());
    let run = &after["tasks"][0]["runs"][0];
    assert_eq!(run["clean"]["leaked"], 2);
    let all = own(run)["count"].as_u64().expect("a count");
    assert_eq!(own(&run["clean"])["count"].as_u64(), Some(all - 2));
    let compared = &after["against"]["runs"][0];
    assert_eq!((&compared["task"], &compared["test"]["count"]), (&json!("pairs"), &json!(all)));
    assert_eq!(after["against"]["model"], before["model"]);
    assert_eq!(compared["other"], own(&before["tasks"][0]["runs"][0])["value"]);
    assert_eq!(compared["own"], own(run)["value"]);
    assert_eq!(compared["differs"], json!(["scoring per_token there and sum here"]));
    assert_eq!(after["settings"]["leaked"][0]["path"], text(&list));

    // texts have no score of their own but their likelihood; the folder that one stands in is one to write into
    let [model, plain, here] = ["model", "plain.txt", "here"].map(|name| workshop.path().join(name));
    fs::write(&plain, "The baker keeps the bread").expect("it can be written");
    fs::create_dir(&here).expect("it can be made");
    let arguments = ["evaluate", text(&model), "--text", text(&plain), "--out", "."];
    let output = program(&arguments).current_dir(&here).output().expect("the program can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    let after = evaluate_well(&workshop, "again", &["--text", text(&plain), "--against", text(&here)]);
    let compared = &after["against"]["runs"][0];
    assert_eq!((&compared["task"], &compared["test"]["difference"]), (&json!("plain"), &json!(0.0)));
    assert_eq!((&compared["own"], compared.get("differs")), (&compared["other"], None));
}

/// Tasks are followed along a training, within it and behind it: the last evaluation is that of the last checkpoint, and a resume sees the same.
#[test]
fn a_training_is_followed() {
    let workshop = Workshop::new();
    let (config, pairs) = (workshop.path().join("small.toml"), task("pairs.toml"));
    let written = fs::read_to_string(&config).expect("it was written");
    let tasks =
        format!("[training.evaluate]\ntasks = [{:?}]\nevery = 4\nexamples = 6\n\n[learning_rate]", text(&pairs));
    fs::write(&config, written.replace("[learning_rate]", &tasks)).expect("it can be written");
    let settings = [
        "--set",
        "training.steps=8",
        "--set",
        "training.evaluate_every=2",
        "--set",
        "training.save_every=4",
        "--set",
        "training.keep=9",
    ];
    workshop.pretrain_well("model", &[&settings[..], &["--until", "4"]].concat());
    workshop.pretrain_well("model", &[&settings[..], &["--resume"]].concat());
    let within: Vec<(u64, f64)> = workshop
        .metrics("model")
        .iter()
        .filter_map(|line| Some((line["step"].as_u64()?, line["tasks"]["pairs/prefix/0"].as_f64()?)))
        .collect();
    let steps: Vec<u64> = within.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [0, 4, 8]);
    let arguments = ["--task", text(&pairs), "--count", "6", "--seed", "1", "--checkpoint", "all"];
    let output = evaluate(&workshop, "curves", &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let curves: Value = serde_json::from_slice(&file(&workshop, "curves", "curves.json")).expect("it is JSON");
    let curve =
        curves.as_array().expect("a list").iter().find(|curve| curve["template"] == "prefix").expect("it is there");
    let points: Vec<(u64, f64)> = curve["points"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|point| (point["step"].as_u64().expect("a step"), point["value"].as_f64().expect("a score")))
        .collect();
    // the best is saved at other steps, too
    let both: Vec<(u64, f64)> = points.into_iter().filter(|(step, _)| step.is_multiple_of(4)).collect();
    assert_eq!(both, within[1..], "{curves}");
    assert!(!file(&workshop, "curves/step-00000008", "report.html").is_empty());

    fs::write(&config, written.replace("[learning_rate]", &tasks.replace("pairs.toml", "pears.toml")))
        .expect("it can be written");
    let said = stderr(&workshop.pretrain("other", &[]));
    assert!(said.contains("there is no such file, and no shipped task of that name"), "{said}");
    fs::write(&config, written.replace("[learning_rate]", &tasks.replace("every = 4", "every = 0")))
        .expect("it can be written");
    let said = stderr(&workshop.pretrain("other", &[]));
    assert!(said.contains("it has to be 1 or more"), "{said}");
}

/// What cannot be evaluated is refused before the model is asked, with its name.
#[test]
fn what_cannot_be_evaluated_is_named() {
    let workshop = workshop();
    let [pairs, numbers, sums, quiz_retrieval, preferences] =
        ["pairs.toml", "numbers.toml", "sums.toml", "quiz_retrieval.toml", "sums_preference.toml"].map(task);
    let of = |task: &PathBuf, more: &[&str]| refused(&workshop, &[&["--task", text(task)], more].concat());
    for (said, message) in [
        (refused(&workshop, &[]), "there is nothing to evaluate on"),
        (
            refused(&workshop, &["--task", "sst3"]),
            "sst3: there is no such file, and no shipped task of that name; there are `agnews`",
        ),
        (refused(&workshop, &["--task", "sst2"]), "no folder is named `data`"),
        (of(&sums, &[]), "task `sums`: it has no split for testing or validation, only `train`; name it by --split"),
        (of(&sums, &["--split", "test"]), "task `sums`: it has no split `test`; it has `train`"),
        (of(&pairs, &["--template", "ask"]), "task `pairs`: it has no template `ask`; it has `both_orders`"),
        (
            of(&pairs, &["--template", "both_orders"]),
            "template `both_orders` is not for evaluation: it makes sequences for a classification head",
        ),
        (
            of(&numbers, &["--template", "back"]),
            "template `back` is not for evaluation: its input is made from the label",
        ),
        (of(&pairs, &["--prompt-style", "gpt2"]), "it has no template of that prompt style for evaluation"),
        (
            of(&quiz_retrieval, &["--split", "train"]),
            "it has no template for evaluation: it makes questions with passages",
        ),
        (
            of(&preferences, &["--split", "train", "--method", "generation"]),
            "it has no template for evaluation: its answers are compared by likelihood, not written",
        ),
        (of(&pairs, &["--task", text(&pairs)]), "the name `pairs`: "),
        (of(&pairs, &["--stride", "641"]), "a stride of 641 tokens: a window has 640 tokens, and cannot score more"),
        (
            of(&numbers, &["--tokens", "640"]),
            "task `numbers`, template `demonstrations`: 640 new tokens leave no room for a prompt in a context of 640",
        ),
        (of(&pairs, &["--context-length", "700"]), "a context of 700 tokens: the model reads 640 tokens"),
        (of(&pairs, &["--against", "nowhere"]), "cannot read nowhere/results.json"),
    ] {
        assert!(said.contains(message), "{said}");
    }
    let path = workshop.path().join("ready.jsonl");
    for (line, message) in [
        ("{\"context\": [999], \"continuation\": \"a\"}", "line 2: the id 999 is outside the vocabulary of 300 tokens"),
        ("{\"context\": \"a\"}", "line 2: it has `context`, `choices` and `gold`"),
        ("{\"context\"", "ready.jsonl is damaged: line 2: EOF"),
    ] {
        fs::write(&path, format!("{{\"text\": \"a\"}}\n{line}\n")).expect("it can be written");
        let said = refused(&workshop, &["--rendered", text(&path)]);
        assert!(said.contains(message), "{said}");
    }
    let nowhere = workshop.path().join("mixture");
    let out = workshop.path().join("refused");
    let output = train(&["evaluate", text(&nowhere), "--out", text(&out), "--task", text(&pairs)]);
    assert!(
        stderr(&output).contains("it has neither the checkpoints of a training nor a config.json"),
        "{}",
        stderr(&output)
    );
    for wrong in [
        &["--shots", "few"][..],
        &["--temperature", "-1"],
        &["--beams", "0"],
        &["--length-penalty", "1"],
        &["--beams", "2", "--samples", "3"],
        &["--beams", "2", "--calculator"],
    ] {
        assert_eq!(evaluate(&workshop, "refused", &[&["--task", text(&pairs)], wrong].concat()).status.code(), Some(2));
    }
}
