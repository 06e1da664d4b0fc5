//! Classifiers: trained, stopped and resumed, asked.

use std::{
    fs::{self, File},
    path::Path,
    process::Output,
};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    datatypes::{Float32Type, Int64Type},
};
use fixtures::dice::Dice;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::support::{Workshop, stderr, text, train};

const CONFIG: &str = r#"seed = 1

[data]
mixture = "words"
tokenizer = "tokenizer.json"

[model]
num_layers = 2
num_heads = 2
hidden_size = 16
context_length = 48

[classifier]
kind = "classification"

[training]
steps = 60
batch_size = 8
log_every = 5
evaluate_every = 20
save_every = 10

[learning_rate]
peak = 1e-2
warmup_steps = 5
"#;

const GOOD: [&str; 4] = ["warm", "bright", "funny", "tender"];
const BAD: [&str; 4] = ["dull", "cold", "loud", "stale"];
const OTHERS: [&str; 6] = ["film", "story", "the", "an", "scene", "plot"];

/// A workshop with labelled data of three kinds, each in a folder of its own, and a configuration.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    for (name, count) in [("train", 160), ("validation", 40)] {
        write(&workshop, &format!("words/{name}-0.jsonl"), count, words);
        write(&workshop, &format!("orders/{name}-0.jsonl"), count, orders);
        write(&workshop, &format!("choices/{name}-0.jsonl"), count, choices);
    }
    fs::write(workshop.path().join("classify.toml"), CONFIG).expect("it can be written");
    workshop
}

fn write(workshop: &Workshop, name: &str, count: usize, row: fn(&mut Dice) -> (Vec<String>, usize)) {
    let mut dice = Dice::new(1, name);
    let line = |number: usize| {
        let (sequences, label) = row(&mut dice);
        json!({"id": format!("{name} {number}"), "sequences": sequences, "label": label}).to_string() + "\n"
    };
    let path = workshop.path().join(name);
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
    fs::write(path, (0..count).map(line).collect::<String>()).expect("it can be written");
}

fn remark(good: bool, dice: &mut Dice) -> String {
    let mut words: Vec<&str> = (0..dice.between(1, 4)).map(|_| *dice.pick(&OTHERS)).collect();
    let telling = dice.pick(if good { &GOOD[..] } else { &BAD });
    words.insert(dice.below(words.len() + 1), telling);
    words.join(" ")
}

/// A remark, which is good or bad.
fn words(dice: &mut Dice) -> (Vec<String>, usize) {
    let label = dice.below(2);
    (vec![format!("<|start|>{}<|extract|>", remark(label == 1, dice))], label)
}

/// Two remarks in both orders: both bad, or both good.
fn orders(dice: &mut Dice) -> (Vec<String>, usize) {
    let label = dice.below(2);
    let [one, other] = [remark(label == 1, dice), remark(label == 1, dice)];
    let of = |one: &str, other: &str| format!("<|start|>{one}<|delimiter|>{other}<|extract|>");
    (vec![of(&one, &other), of(&other, &one)], label)
}

/// Two or three remarks, of which one is good.
fn choices(dice: &mut Dice) -> (Vec<String>, usize) {
    let count = dice.between(2, 3);
    let label = dice.below(count);
    let of = |choice: usize| format!("<|start|>which?<|delimiter|>{}<|extract|>", remark(choice == label, dice));
    ((0..count).map(of).collect(), label)
}

/// `train classify` with its output in the folder `out`.
fn classify(workshop: &Workshop, out: &str, more: &[&str]) -> Output {
    let (config, out) = (workshop.path().join("classify.toml"), workshop.path().join(out));
    train(&[&["classify", text(&config), "--out", text(&out)], more].concat())
}

/// The same, which must succeed. Returns what was said.
fn classify_well(workshop: &Workshop, out: &str, more: &[&str]) -> String {
    let output = classify(workshop, out, more);
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output)
}

/// What is said of a training that does not begin.
fn refused(workshop: &Workshop, more: &[&str]) -> String {
    let output = classify(workshop, "refused", more);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(workshop.saved("refused").is_empty());
    stderr(&output)
}

/// Settings for one of the three kinds of data.
fn kind(workshop: &Workshop, folder: &str) -> Vec<String> {
    let kind = if folder == "choices" { "multiple_choice" } else { "classification" };
    let mixture = format!("data.mixture={}", text(&workshop.path().join(folder)));
    ["--set".into(), mixture, "--set".into(), format!("classifier.kind={kind}")].into()
}

fn refs(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}

fn read(path: &Path) -> RecordBatch {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rows = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it is sound");
    let batch = rows.next().expect("there are rows").expect("they can be read");
    assert!(rows.next().is_none(), "they fit into one batch");
    batch
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn evaluation(workshop: &Workshop, out: &str) -> Value {
    serde_json::from_slice(&bytes(&workshop.path().join(out).join("evaluation.json"))).expect("it is JSON")
}

/// The losses of a part, in the order of the steps.
fn parts(workshop: &Workshop, out: &str, name: &str) -> Vec<f64> {
    workshop.metrics(out).iter().filter_map(|line| line["parts"][name].as_f64()).collect()
}

/// One sequence, both orders, and alternatives: the loss falls, what was not seen is judged well, and the same predictions come when the file is
/// given to the classifier again; a file without labels is predicted, too, and not judged.
#[test]
fn a_classifier_learns_and_is_asked() {
    let workshop = workshop();
    for folder in ["words", "orders", "choices"] {
        let out = folder_out(folder);
        let settings = kind(&workshop, folder);
        let said = classify_well(&workshop, &out, &[&refs(&settings)[..], &["--set", "training.steps=200"]].concat());
        assert!(
            said.contains("added to the tokenizer: `<|start|>` (300), `<|delimiter|>` (301), `<|extract|>`"),
            "{said}"
        );
        assert!(said.contains("mixture: 160 examples, ") && said.contains("validation: 40 examples, "), "{said}");
        let losses = parts(&workshop, &out, "classification_loss");
        assert!(losses[losses.len() - 1] < 0.5 * losses[0], "{folder}: {losses:?}");
        assert_eq!(parts(&workshop, &out, "language_model_loss").len(), losses.len());
        let judged = evaluation(&workshop, &out);
        let accuracy = &judged["metrics"]["accuracy"];
        assert!(accuracy["value"].as_f64() > Some(0.85), "{folder}: {judged}");
        assert!(accuracy["low"].as_f64() <= accuracy["value"].as_f64(), "{judged}");
        assert_eq!(judged["metrics"].get("macro_f1").is_some(), folder != "choices", "{judged}");

        let found = read(&workshop.path().join(&out).join("predictions.parquet"));
        let columns = found.schema();
        let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["id", "label", "prediction", "probabilities"]);
        assert_eq!(found.num_rows(), 40);
        let number = |name: &str, row: usize| {
            found.column_by_name(name).expect("it is there").as_primitive::<Int64Type>().value(row)
        };
        let right = (0..40).filter(|row| number("label", *row) == number("prediction", *row)).count();
        assert_eq!(accuracy["value"].as_f64(), Some(right as f64 / 40.0));
        let lists = found.column_by_name("probabilities").expect("it is there").as_list::<i32>();
        for row in 0..40 {
            let list = lists.value(row);
            let values = list.as_primitive::<Float32Type>().values();
            assert!((values.iter().sum::<f32>() - 1.0).abs() < 1e-5 && values.len() >= 2, "{values:?}");
            let best = values[usize::try_from(number("prediction", row)).expect("a class")];
            assert!(values.iter().all(|value| *value <= best));
        }

        let (model, again) = (workshop.path().join(&out), workshop.path().join(format!("{folder}-again.parquet")));
        let file = workshop.path().join(folder).join("validation-0.jsonl");
        let output = train(&["classify", "--predict", text(&model), text(&file), "--out", text(&again)]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(bytes(&again) == bytes(&model.join("predictions.parquet")), "{folder}");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            printed.starts_with(&format!("40 examples after 200 steps\naccuracy {:.4} (", right as f64 / 40.0)),
            "{printed}"
        );

        let lines = fs::read_to_string(&file).expect("it was written");
        let secret: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        let lines: String =
            secret.iter().map(|row| json!({"sequences": row["sequences"]}).to_string() + "\n").collect();
        let file = workshop.path().join("secret.jsonl");
        fs::write(&file, lines).expect("it can be written");
        let output = train(&["classify", "--predict", text(&model), text(&file), "--best"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("; no label is known\n"));
        let found = read(&model.join("predictions-secret.parquet"));
        assert_eq!((found.num_columns(), found.column(0).null_count()), (3, 40), "no id, and no label");
    }
}

fn folder_out(folder: &str) -> String {
    format!("{folder}-model")
}

/// Promise 6: stopped and resumed, a classifier ends on the same bits and says the same; with micro-batches, dropout, two sources by weight and
/// epochs, and with alternatives.
#[test]
fn a_resumed_classifier_ends_on_the_same_bits() {
    let workshop = workshop();
    let config = workshop.path().join("classify.toml");
    let sources = "validation = 0.2\n[data.sources.words]\npath = \"words/train-0.jsonl\"\nweight = 0.7\n\
                   [data.sources.orders]\npath = \"orders\"\nweight = 0.3\n";
    let two = CONFIG.replace("mixture = \"words\"\n", "").replace("\n[model]", &format!("{sources}\n[model]"));
    let two = two.replace("steps = 60", "epochs = 0.7");
    let choices = CONFIG.replace("\"words\"", "\"choices\"").replace("\"classification\"", "\"multiple_choice\"");
    for (name, config_text) in [("two", two), ("choices", choices)] {
        fs::write(&config, config_text).expect("it can be written");
        let settings = ["--set", "training.gradient_accumulation=2", "--set", "model.dropout=0.1"];
        let (whole, stopped) = (format!("{name}/whole"), format!("{name}/stopped"));
        classify_well(&workshop, &whole, &settings);
        let last = *workshop.saved(&whole).last().expect("it was saved");
        for until in ["7", "13"] {
            let resume: &[&str] = if until == "7" { &[] } else { &["--resume"] };
            classify_well(&workshop, &stopped, &[&settings[..], &["--until", until], resume].concat());
            assert!(!workshop.path().join(&stopped).join("predictions.parquet").exists(), "it has not come to its end");
        }
        classify_well(&workshop, &stopped, &[&settings[..], &["--resume"]].concat());
        assert!(workshop.checkpoint(&whole, last) == workshop.checkpoint(&stopped, last), "{name}");
        assert_eq!(workshop.metrics(&whole), workshop.metrics(&stopped), "{name}");
        for file in ["predictions.parquet", "evaluation.json"] {
            let of = |out: &str| bytes(&workshop.path().join(out).join(file));
            assert!(of(&whole) == of(&stopped), "{name}: {file}");
        }
    }
    let output = classify(&workshop, "choices/stopped", &["--resume", "--set", "classifier.auxiliary_weight=0.25"]);
    assert!(stderr(&output).contains("`classifier.auxiliary_weight` was 0.5, and is 0.25"), "{}", stderr(&output));
}

/// A classifier begins from a language model, whose rows it keeps, and a language model from a classifier; the head is fresh, and what is
/// fresh is said. Of a classifier's folder the language model writes, and nothing is exported without its head.
#[test]
fn a_classifier_begins_from_a_language_model_and_the_other_way_round() {
    let workshop = workshop();
    workshop.pretrain_well("language", &["--set", "model.context_length=48"]);
    let config = CONFIG.replace("tokenizer = \"tokenizer.json\"\n", "");
    let (before, rest) = config.split_once("num_layers").expect("it has a model");
    let (_, after) = rest.split_once("\n\n").expect("it has other parts");
    let config = format!("{before}from = \"language\"\n\n{after}");
    fs::write(workshop.path().join("classify.toml"), config).expect("it can be written");
    let said = classify_well(&workshop, "begun", &["--until", "0"]);
    let fresh = "fresh are rows 300 to 302 of `tokens` and `classes.weight`, `classes.bias`";
    assert!(said.contains("begins from ") && said.contains(fresh), "{said}");
    classify_well(&workshop, "tuned", &["--set", "training.steps=20"]);

    let model = workshop.path().join("tuned");
    let output = train(&["generate", text(&model), "--prompt", "The ", "--tokens", "5"]);
    assert!(output.status.success() && output.stdout.starts_with(b"The "), "{}", stderr(&output));
    let output = train(&["export", text(&model), "--out", text(&workshop.path().join("exported"))]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("it holds a classifier"), "{}", stderr(&output));

    // the marks are known by now, and so is the head
    let from = format!("model.from={}", text(&model));
    let said = classify_well(&workshop, "again", &["--set", &from, "--until", "0"]);
    assert!(said.contains("nothing is fresh") && !said.contains("added to the tokenizer"), "{said}");
    let [weights, _] = workshop.checkpoint("again", 0);
    assert!(weights == workshop.checkpoint("tuned", 20)[0]);
    let tokenizer = format!("data.tokenizer={}", text(&model.join("tokenizer.json")));
    let more = ["--set", &from, "--set", &tokenizer, "--set", "model.context_length=48", "--until", "0"];
    let output = workshop.pretrain("language-again", &more);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("left out: `classes.bias`, `classes.weight`; nothing is fresh"),
        "{}",
        stderr(&output)
    );

    let output =
        train(&["classify", "--predict", text(&workshop.path().join("language")), text(&model.join("x.jsonl"))]);
    assert!(stderr(&output).contains("x.jsonl: there is no such file"), "{}", stderr(&output));
    let file = workshop.path().join("words/validation-0.jsonl");
    let output = train(&["classify", "--predict", text(&workshop.path().join("language")), text(&file)]);
    assert!(stderr(&output).contains("language: it holds no classifier"), "{}", stderr(&output));
}

/// The auxiliary loss is a part of what is learned, and is not computed where it does not count.
#[test]
fn the_auxiliary_loss_counts_as_it_is_weighted() {
    let workshop = workshop();
    let run = |out: &str, weight: &str| {
        let weight = format!("classifier.auxiliary_weight={weight}");
        classify_well(&workshop, out, &["--set", &weight, "--set", "training.steps=10"]);
        let line = workshop.metrics(out).into_iter().find(|line| line["step"] == 5 && !line["loss"].is_null());
        line.expect("it was logged")
    };
    let (with, without) = (run("with", "0.5"), run("without", "0"));
    let part = |line: &Value, name: &str| line["parts"][name].as_f64();
    let sum = part(&with, "classification_loss").zip(part(&with, "language_model_loss"));
    let (classification, language) = sum.expect("it has both");
    assert!((with["loss"].as_f64().expect("a loss") - classification - 0.5 * language).abs() < 1e-4, "{with}");
    assert_eq!(part(&without, "language_model_loss"), None);
    assert_eq!(without["loss"].as_f64(), part(&without, "classification_loss"));
    assert!(workshop.checkpoint("with", 10) != workshop.checkpoint("without", 10));
}

/// What is too long is cut and counted, and the head still reads the end.
#[test]
fn what_is_too_long_is_cut_and_said() {
    let workshop = workshop();
    let said = classify_well(&workshop, "out", &["--set", "model.context_length=12", "--set", "training.steps=5"]);
    assert!(said.contains("were longer than the context and lost"), "{said}");
    let said = refused(&workshop, &["--set", "model.context_length=1"]);
    assert!(said.contains("its 2 marks alone are more than the 1 tokens that the model reads"), "{said}");
}

/// The preset is what GPT-1 was tuned with, and whatever is written goes before it.
#[test]
fn the_preset_is_that_of_the_paper() {
    let workshop = workshop();
    let preset = "seed = 1\npreset = \"gpt1\"\n\n[data]\nmixture = \"words\"\ntokenizer = \"tokenizer.json\"\n\n\
                  [model]\nnum_layers = 1\nnum_heads = 2\nhidden_size = 16\ncontext_length = 48\n\n\
                  [classifier]\nkind = \"classification\"\nlabels = [\"bad\", \"good\"]\n";
    let config = workshop.path().join("classify.toml");
    fs::write(&config, preset).expect("it can be written");
    let said = classify_well(&workshop, "paper", &["--set", "training.log_every=1"]);
    assert!(said.contains("2 classes by their examples: 0 (bad): ") && said.contains("15 steps"), "{said}");
    let saved = |out: &str, step: u64| -> Value {
        let path = workshop.path().join(out).join(format!("checkpoints/step-{step:08}/checkpoint.json"));
        serde_json::from_slice(&bytes(&path)).expect("it is JSON")
    };
    let json = &saved("paper", 15)["identity"]["config"];
    assert_eq!(json["optimizer"], json!({"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}));
    assert_eq!((&json["preset"], &json["training"]["batch_size"]), (&Value::Null, &json!(32)));
    let rates: Vec<f64> = workshop.metrics("paper").iter().filter_map(|line| line["learning_rate"].as_f64()).collect();
    assert!((rates[0] - 6.25e-5).abs() < 1e-12 && rates[14] < 6.25e-6 && rates.len() == 15, "{rates:?}");

    let written = "[training]\nsteps = 4\n[learning_rate]\nwarmup_steps = 2\n[optimizer]\nname = \"adafactor\"\n";
    fs::write(&config, format!("{preset}\n{written}")).expect("it can be written");
    classify_well(&workshop, "written", &["--set", "training.batch_size=4"]);
    let json = &saved("written", 4)["identity"]["config"];
    assert_eq!(json["optimizer"], json!({"name": "adafactor"}));
    assert_eq!(json["training"]["epochs"], Value::Null);
    fs::write(&config, preset.replace("gpt1", "gpt9")).expect("it can be written");
    assert!(refused(&workshop, &[]).contains("classify.toml:2:10: unknown variant `gpt9`, expected `gpt1`"));
}

/// Bad input is named, with its file and row, or its key; nothing is trained.
#[test]
fn what_is_no_labelled_data_is_named() {
    let workshop = workshop();
    let path = workshop.path().join("words/train-0.jsonl");
    let sound = fs::read_to_string(&path).expect("it was written");
    let row = |label: &str| format!("{{\"sequences\": [\"<|start|>a<|extract|>\"], \"label\": {label}}}\n");
    for (line, message) in [
        (row("null"), "words/train-0.jsonl is damaged: line 161: `label` is null, or not there"),
        (row("-1"), "line 161: `label` is -1, and labels count from 0"),
        (row("\"good\""), "line 161: `label` is a string, and no whole number"),
        ("{\"sequences\": [], \"label\": 0}\n".into(), "line 161: `sequences` is empty"),
        ("{\"sequences\": [\"a\"], \"label\": 0}\n".into(), "line 161: item 1 of `sequences`: it does not end with"),
        (
            "{\"prompt\": \"a\", \"completion\": \"b\"}\n".into(),
            "`prompt`: its rows are prompts with completions, which `train tune` takes",
        ),
    ] {
        fs::write(&path, format!("{sound}{line}")).expect("it can be written");
        let said = refused(&workshop, &[]);
        assert!(said.contains(message), "{said}");
    }
    fs::write(&path, &sound).expect("it can be written");
    let validation = workshop.path().join("words/validation-0.jsonl");
    fs::write(&validation, row("2")).expect("it can be written");
    let said = refused(&workshop, &[]);
    assert!(said.contains("words/validation-0.jsonl is damaged: line 1: `label` is 2, and of 2 classes"), "{said}");
    fs::write(&validation, "").expect("it can be written");
    assert!(refused(&workshop, &[]).contains("words: there is no example to judge by"));

    let mixture = format!("data.mixture={}", text(&workshop.path().join("mixture")));
    let said = refused(&workshop, &["--set", &mixture]);
    assert!(
        said.contains(
            "it has no `sequences`, which a classifier reads, but `text`: its rows are texts, which `train pretrain`"
        ),
        "{said}"
    );
    let said = refused(&workshop, &["--set", "classifier.kind=multiple_choice"]);
    assert!(said.contains("line 1: it has 1 sequence, and with `kind = \"multiple_choice\"`"), "{said}");
    let mixture = format!("data.mixture={}", text(&workshop.path().join("choices")));
    let said = refused(&workshop, &["--set", &mixture]);
    assert!(said.contains("it has 3 sequences, and with `kind = \"classification\"`"), "{said}");

    for (old, new, message) in [
        ("kind = \"classification\"", "kind = \"regression\"", "classify.toml:14:8: unknown variant `regression`"),
        (
            "kind = \"classification\"",
            "kind = \"classification\"\nlabels = [\"a\"]",
            "classify.toml:15:10: there are two classes",
        ),
        (
            "kind = \"classification\"",
            "kind = \"classification\"\nauxiliary_weight = -1",
            "classify.toml:15:20: it has to be 0",
        ),
        ("steps = 60", "steps = 60\npacking = 1", "classify.toml:18:1: unknown field `packing`"),
        ("num_layers = 2", "family = \"t5\"\nnum_layers = 2", "a head reads what a decoder has read"),
    ] {
        fs::write(workshop.path().join("classify.toml"), CONFIG.replace(old, new)).expect("it can be written");
        let said = refused(&workshop, &[]);
        assert!(said.contains(message), "{said}");
    }
    for arguments in [&["classify"][..], &["classify", "x", "--best"], &["classify", "--predict", "x", "y", "--resume"]]
    {
        assert_eq!(train(arguments).status.code(), Some(2));
    }
}
