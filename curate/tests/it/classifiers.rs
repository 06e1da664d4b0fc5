//! `curate classifier`, as its user would call it.

use std::fs;

use serde_json::{Value, json};

use crate::support::{curate, recipe, root, run, run_well, stderr, stdout, temporary, text};

const GOOD: &str = "The keeper of the lighthouse wrote down the weather every morning, and in the evening he read it out to the others. ";
const BAD: &str = "Home | News | Sale\nClick here\nSubscribe now ...\nCheap pills | Casino | Login\n";

fn lines(texts: &[(String, bool)]) -> String {
    texts.iter().map(|(text, label)| json!({ "text": text, "label": u8::from(*label) }).to_string() + "\n").collect()
}

/// Every kind, and their ensemble, learns from files what can be told apart, says so as JSON, and scores lines without changing them.
#[test]
fn what_was_trained_tests_and_scores() {
    let folder = temporary();
    let side = |text: &str, label: bool| -> Vec<(String, bool)> {
        (0..120).map(|number| (format!("{} Number {number}.", text.repeat(1 + number % 9)), label)).collect()
    };
    let (good, bad) = (side(GOOD, true), side(BAD, false));
    let file = |name: &str, texts: &[(String, bool)]| {
        let path = folder.path().join(name);
        fs::write(&path, lines(texts)).expect("the folder can be written");
        path
    };
    let (positive, negative) = (file("good.jsonl", &good[20..]), file("bad.jsonl", &bad[20..]));
    let labels = file("labels.jsonl", &[&good[..20], &bad[..20]].concat());
    let out = folder.path().join("models");
    let command = [
        "classifier",
        "train",
        "--positive",
        text(&positive),
        "--negative",
        text(&negative),
        "--kind",
        "hashed,fasttext,statistics",
        "--bucket",
        "2000",
        "--labels",
        text(&labels),
        "--out",
        text(&out),
    ];
    let output = curate(&command).output().expect("the program can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    for name in ["hashed", "fasttext", "statistics", "ensemble"] {
        let model = out.join(name);
        let output = curate(&["classifier", "test", "--model", text(&model), "--labels", text(&labels)])
            .output()
            .expect("started");
        let evaluation: Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
        for figure in ["roc_auc", "f1", "precision", "recall"] {
            assert!(evaluation[figure].as_f64().expect("a figure") > 0.95, "{name}: {evaluation}");
        }
        let output =
            curate(&["classifier", "score", "--model", text(&model), text(&labels)]).output().expect("started");
        let scored = stdout(&output);
        for (line, given) in scored.lines().zip(fs::read_to_string(&labels).expect("it is there").lines()) {
            assert!(line.starts_with(given.trim_end_matches('}')), "{line}");
            let row: Value = serde_json::from_str(line).expect("it is JSON");
            assert_eq!(row["score"].as_f64().expect("a score") > 0.5, row["label"] == json!(1), "{name}: {line}");
        }
    }
    let card: Value =
        serde_json::from_slice(&fs::read(out.join("hashed/card.json")).expect("there is a card")).expect("JSON");
    assert!(card["warnings"][0].as_str().expect("it is near 1 for a trivial reason").contains("chunks"), "{card}");
    // of one class there is no area, and the word that says why; labels as strings are labels
    let one_class: String =
        (0..9).map(|number| json!({ "text": GOOD, "label": "1", "n": number }).to_string() + "\n").collect();
    fs::write(&labels, one_class).expect("it can be written");
    let model = out.join("hashed");
    let started = |arguments: &[&str]| curate(arguments).output().expect("started");
    let tested = started(&["classifier", "test", "--model", text(&model), "--labels", text(&labels)]);
    let evaluation: Value = serde_json::from_str(&stdout(&tested)).expect("it is JSON");
    assert_eq!((&evaluation["roc_auc"], &evaluation["roc_auc_interval"]), (&Value::Null, &Value::Null), "{evaluation}");
    assert_eq!(evaluation["recall"], json!(1.0), "{evaluation}");
    assert_eq!(evaluation["missing"], json!("there is no document of the rest (label 0)"));
    // what no kind knows anything of has no score, and statistics know no other script; keys that are there are not written over
    fs::write(&labels, "\u{feff}{\"text\": \"数学是美丽的\", \"label\": 1}\r\n").expect("it can be written");
    for name in ["hashed", "fasttext", "statistics", "ensemble"] {
        let scored = stdout(&started(&["classifier", "score", "--model", text(&out.join(name)), text(&labels)]));
        let row: Value = serde_json::from_str(&scored).expect("it is JSON");
        assert!(row["score"].is_null() && row["known"].as_f64() < Some(0.1), "{name}: {row}");
    }
    // nothing to test by is no result
    let tested =
        |name: &str| started(&["classifier", "test", "--model", text(&out.join(name)), "--labels", text(&labels)]);
    let unscored = tested("hashed");
    assert_eq!(unscored.status.code(), Some(1), "{}", stdout(&unscored));
    assert!(stderr(&unscored).contains("none of the 1 documents has a score"), "{}", stderr(&unscored));
    let line = fs::read(&labels).expect("it is there");
    fs::write(&labels, "").expect("it can be written");
    let empty = tested("hashed");
    assert_eq!(empty.status.code(), Some(1), "{}", stdout(&empty));
    assert!(stderr(&empty).contains("it holds no document with a label"), "{}", stderr(&empty));
    fs::write(&labels, line).expect("it can be written");
    let zero = ["classifier", "score", "--min-known", "0", "--model", text(&model), text(&labels)];
    let row: Value = serde_json::from_str(&stdout(&started(&zero))).expect("it is JSON");
    assert!(row["score"].is_f64(), "{row}");
    let twice = started(&["classifier", "score", "--known", "label", "--model", text(&model), text(&labels)]);
    let error = stderr(&twice);
    assert!(error.contains("line 1: there is a `label` already: choose another key by --known"), "{error}");
    // a line that is none is named
    fs::write(&labels, "{\"text\": \"a\", \"label\": 1}\n{\"label\": 1}\n").expect("it can be written");
    for command in [["test", "--labels"], ["score", "--score"]] {
        let mut arguments = vec!["classifier", command[0], "--model", text(&out), command[1]];
        let model = out.join("hashed");
        arguments[3] = text(&model);
        arguments.extend(if command[0] == "test" { vec![text(&labels)] } else { vec!["points", text(&labels)] });
        let output = curate(&arguments).output().expect("started");
        let error = stderr(&output);
        assert!(!output.status.success() && error.contains("line 2") && error.contains("text"), "{error}");
    }
}

/// A run trains all kinds, draws by their ensemble with a shape that is fitted, and gives the same files at any number of threads; what a
/// recipe cannot mean is said where it stands.
#[test]
fn an_ensemble_draws_with_a_fitted_shape() {
    let folder = temporary();
    let fixture = fs::read_to_string(recipe("fixture.toml")).expect("the recipe is there");
    let kind = |name: &str, more: &str| {
        format!(
            "[classifier.{name}]\nkind = \"{name}\"\npositive = [\"reference\"]\nnegative = [\"crawl\"]\nlanguage = \"en\"\n{more}\n"
        )
    };
    let kinds =
        kind("hashed", "") + &kind("fasttext", "fasttext = { bucket = 1000, dim = 10 }") + &kind("statistics", "");
    let own = fixture.find("[classifier.quality]").expect("it has a classifier")
        ..fixture.find("[[step]]").expect("it has steps");
    let mut whole = fixture.clone();
    whole.replace_range(
        own,
        &format!(
            "{kinds}[classifier.quality]\nkind = \"ensemble\"\nof = [\"hashed\", \"fasttext\", \"statistics\"]\n\n"
        ),
    );
    let whole = whole
        .replace("alpha = 3.0", "alpha = \"fit\"")
        .replace("crawl = 0.5, reference = 0.5", "reference = 1.0")
        .replace("\"../", &format!("\"{}/fixtures/", text(&root())));
    let path = folder.path().join("recipe.toml");
    fs::write(&path, &whole).expect("the folder can be written");
    let (one, two) = (temporary(), temporary());
    run_well(&path, one.path(), &["--threads", "1"]);
    run_well(&path, two.path(), &["--threads", "8"]);
    let promised = ["models", "decisions", "facts", "mixtures", "ledger.json"];
    assert_eq!(crate::support::hashes(one.path(), &promised), crate::support::hashes(two.path(), &promised));
    let fitted: Value =
        serde_json::from_slice(&fs::read(one.path().join("facts/alpha/pareto.json")).expect("it was fitted"))
            .expect("JSON");
    assert!(
        fitted["alpha"].as_f64().expect("a shape") > 0.0
            && fitted["distance"].as_f64() < fitted["distance_of_all"].as_f64(),
        "{fitted}"
    );
    let manifest: Value =
        serde_json::from_slice(&fs::read(one.path().join("manifest.json")).expect("it is there")).expect("JSON");
    assert_eq!(manifest["reproducible"], json!(true));

    for (from, to, expected) in [
        ("\"fasttext\", \"statistics\"]", "\"fasttex\", \"statistics\"]", "there is no classifier `fasttex`"),
        ("alpha = \"fit\"", "alpha = \"fitted\"", "alpha"),
        ("dim = 10", "dim = 0", "`dim`"),
        ("kind = \"ensemble\"\n", "kind = \"ensemble\"\npositive = [\"reference\"]\n", "has no sources of its own"),
    ] {
        fs::write(&path, whole.replace(from, to)).expect("the folder can be written");
        let error = stderr(&run(&path, one.path(), &[]));
        assert!(error.contains(expected) && error.contains("recipe.toml"), "{error}");
    }
    // threads that train side by side are named in the manifest
    fs::write(&path, whole.replace("dim = 10", "dim = 10, threads = 2")).expect("the folder can be written");
    run_well(&path, one.path(), &[]);
    let manifest: Value =
        serde_json::from_slice(&fs::read(one.path().join("manifest.json")).expect("it is there")).expect("JSON");
    assert_eq!(manifest["reproducible"], json!(false));
}
