//! Clients that others wrote, where they are at hand: the package `openai`, and lm-evaluation-harness.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    served::{Served, workshop},
    support::{stderr, text, train},
};

/// A Python that has some modules; none where there is none, and then the test is skipped.
fn python(test: &str, modules: &str) -> Option<OsString> {
    let python = env::var_os("TAMIS_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if output.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    fixtures::needs::skipped(test, &format!("there is no Python with {modules}"));
    None
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name)
}

#[test]
fn the_package_openai_is_answered() {
    let Some(python) = python("the_package_openai_is_answered", "openai") else { return };
    let workshop = workshop();
    let more = ["--chat-template", "plain", "--name", "small"];
    let served = Served::start_with(&workshop.path().join("model"), &more, &[("TAMIS_API_KEY", "secret")]);
    let output = Command::new(python).arg(script("openai_client.py")).args([&served.address, "small"]).output();
    let output = output.expect("Python can be started");
    assert!(output.status.success(), "{}", stderr(&output));
}

/// What the harness finds of some tasks, over the server and in `transformers`.
fn scores(python: &OsStr, model: &Path, folder: &Path, tasks: &Value, limit: &str, context: &str) -> Vec<Value> {
    let served = Served::start(model, &["--name", "small"]);
    let place = tempfile::tempdir().expect("the temporary folder can be written");
    let path = place.path().join("tasks.json");
    fs::write(&path, tasks.to_string()).expect("it can be written");
    let output = Command::new(python)
        .arg(script("harness.py"))
        .args([&served.address, "small", text(folder), text(&path), limit, context])
        .output()
        .expect("Python can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = String::from_utf8(output.stdout).expect("it is UTF-8");
    let scores: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(scores.len(), tasks.as_array().map_or(0, Vec::len), "{lines}");
    for score in &scores {
        assert!(score["furthest"].as_f64().is_some_and(|furthest| furthest < 1e-3), "{score}");
        assert_eq!((&score["greedy"], &score["other"]), (&json!(0), &json!([])), "{score}");
    }
    scores
}

/// A task of the harness on JSON lines.
fn task(name: &str, file: &Path, kind: &str, more: &Value) -> Value {
    let mut task = json!({
        "task": name, "dataset_path": "json", "dataset_kwargs": { "data_files": { "test": text(file) } }, "test_split": "test",
        "output_type": kind,
    });
    for (key, value) in more.as_object().expect("an object") {
        task[key] = value.clone();
    }
    task
}

fn accuracy() -> Value {
    json!([{ "metric": "acc" }])
}

/// A model of ours, exported: choices, texts and continuations are scored over the server as from the folder.
#[test]
fn the_harness_scores_a_model_of_ours_as_its_own() {
    let name = "the_harness_scores_a_model_of_ours_as_its_own";
    let Some(python) = python(name, "lm_eval, torch, transformers, aiohttp, datasets, tenacity") else { return };
    let workshop = workshop();
    let path = |name: &str| workshop.path().join(name);
    let output = train(&["export", text(&path("model")), "--out", text(&path("exported"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = |count: usize| {
        let line = |number: usize| {
            let said = format!("the {} of number {number}", ["river", "town", "mill é日"][number % 3]);
            format!(
                "{}\n",
                json!({ "said": said, "text": format!("{said}. ").repeat(20 + 30 * number), "answer": number % 2 })
            )
        };
        (0..count).map(line).collect::<String>()
    };
    fs::write(path("lines.jsonl"), lines(6)).expect("it can be written");
    let file = path("lines.jsonl");
    let tasks = json!([
        task(
            "choice",
            &file,
            "multiple_choice",
            &json!({
                "doc_to_text": "Who saw {{said}}?", "doc_to_target": "answer", "doc_to_choice": ["nobody", "the man of the town", "日本"],
                "metric_list": accuracy(),
            })
        ),
        task(
            "perplexity",
            &file,
            "loglikelihood_rolling",
            &json!({
                "doc_to_text": "", "doc_to_target": "text", "metric_list": [{ "metric": "word_perplexity" }],
            })
        ),
        task(
            "writing",
            &file,
            "generate_until",
            &json!({
                "doc_to_text": "Tell of {{said}}", "doc_to_target": "said", "metric_list": [{ "metric": "exact_match" }],
                "generation_kwargs": { "until": ["the", "."], "max_gen_toks": 30, "do_sample": false, "temperature": 0.0 },
            })
        ),
    ]);
    let scores = scores(&python, &path("model"), &path("exported"), &tasks, "6", "2048");
    let counts: Vec<u64> = scores.iter().map(|score| score["numbers"].as_u64().unwrap_or(0)).collect();
    assert_eq!(counts[..2], [18, 6], "{scores:?}");
    assert_eq!(scores[2]["texts"], 6);
}

/// A real model, in `TAMIS_MODEL`: real tasks.
#[test]
fn the_harness_scores_a_real_model_as_its_own() {
    let name = "the_harness_scores_a_real_model_as_its_own";
    let Some(model) = env::var_os("TAMIS_MODEL") else {
        return fixtures::needs::skipped(name, "`TAMIS_MODEL` names no folder of Hugging Face");
    };
    let Some(python) = python(name, "lm_eval, torch, transformers, aiohttp, datasets, tenacity") else { return };
    let Some(data) = fixtures::needs::data(name, "tasks/rte.val.jsonl") else { return };
    let data = |file: &str| data.join("tasks").join(file);
    let tasks = json!([
        task(
            "rte",
            &data("rte.val.jsonl"),
            "multiple_choice",
            &json!({
                "doc_to_text": "{{premise}}\nQuestion: {{hypothesis}} True or False?\nAnswer:", "doc_to_target": "{{['entailment', 'not_entailment'].index(label)}}",
                "doc_to_choice": ["True", "False"], "metric_list": accuracy(),
            })
        ),
        task(
            "cb",
            &data("cb.val.jsonl"),
            "multiple_choice",
            &json!({
                "doc_to_text": "{{premise}}\nQuestion: {{hypothesis}}. True, False, or Neither?\nAnswer:",
                "doc_to_target": "{{['entailment', 'contradiction', 'neutral'].index(label)}}",
                "doc_to_choice": ["True", "False", "Neither"], "metric_list": accuracy(),
            })
        ),
        task(
            "xcopa",
            &data("xcopa.test.it.jsonl"),
            "multiple_choice",
            &json!({
                "doc_to_text": "{{premise}}", "doc_to_target": "label", "doc_to_choice": "{{[choice1, choice2]}}", "metric_list": accuracy(),
            })
        ),
        task(
            "gsm8k",
            &data("gsm8k.test.jsonl"),
            "loglikelihood_rolling",
            &json!({
                "doc_to_text": "", "doc_to_target": "{{question}} {{answer}}", "metric_list": [{ "metric": "word_perplexity" }],
            })
        ),
        task(
            "gsm8k_written",
            &data("gsm8k.test.jsonl"),
            "generate_until",
            &json!({
                "doc_to_text": "Question: {{question}}\nAnswer:", "doc_to_target": "answer", "metric_list": [{ "metric": "exact_match" }],
                "generation_kwargs": { "until": ["Question:", "\n\n"], "max_gen_toks": 48, "do_sample": false, "temperature": 0.0 },
            })
        ),
    ]);
    let limit = env::var("TAMIS_EXAMPLES").unwrap_or_else(|_| "20".into());
    let model = Path::new(&model);
    scores(&python, model, model, &tasks, &limit, "2048");
}
