//! Models of `transformers`: `tests/figures/transformers_figures.py` wrote seven, and the logits that it computes; and models of ours in
//! programs of others.

use std::{fs, path::Path, process::Command};

use burn::tensor::Device;
use safetensors::SafeTensors;
use serde_json::Value;
use train::{
    checkpoint,
    model::{
        ModelConfig, NamedTensor, Tokens,
        huggingface::{self, SpecialTokens},
    },
};

use crate::support::{Workshop, stderr, text, train};

fn figures(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/figures").join(name)
}

/// Read here, each has the logits that it has there; and what is read is what would be written.
#[test]
fn models_of_transformers_have_its_logits() {
    for name in ["gpt1", "gpt2", "llama", "llama-linear", "llama-llama3", "llama-biases", "qwen2"] {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let out = folder.path().join("model");
        let output = train(&["import", text(&figures(name)), "--out", text(&out)]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));

        let saved = checkpoint::newest(&out).expect("it was imported");
        let config: ModelConfig =
            serde_json::from_value(saved.identity.config["model"].clone()).expect("a configuration");
        let architecture = config.architecture().expect("the numbers fit together");
        let model = architecture.init(11, 0, &Device::flex());
        let model = checkpoint::with_weights(model, saved.model.clone(), &out).expect("all weights are there");

        let bytes = fs::read(figures(name).join("logits.safetensors")).expect("the figures are there");
        let figures_file = SafeTensors::deserialize(&bytes).expect("the figures are whole");
        let words = |name: &str| figures_file.tensor(name).expect("a figure").data().as_chunks::<4>().0.to_vec();
        let ids: Vec<i32> = words("ids").into_iter().map(i32::from_le_bytes).collect();
        let expected: Vec<f32> = words("logits").into_iter().map(f32::from_le_bytes).collect();
        let logits = model.logits(Tokens { ids: &ids, batch_size: 2, starts: None }).into_data();
        let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
        let close = logits.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-4);
        assert!(close && logits.len() == expected.len(), "{name}: {logits:?} are not {expected:?}");

        let special = SpecialTokens { bos: 10, eos: &[10], pad: 0 };
        let family = config.family().expect("it was read");
        let (_, tensors) =
            huggingface::export(family, &architecture, &saved.model, special).expect("it has a counterpart");
        let path = figures(name).join("model.safetensors");
        let there = checkpoint::from_bytes(&fs::read(&path).expect("the figures are there"), &path).expect("whole");
        assert_eq!(tensors.len(), there.len(), "{name}: tensors");
        for tensor in tensors {
            assert_eq!(Some(&tensor), there.get(&tensor.name), "{name}: {}", tensor.name);
        }
    }
}

/// A training is exported whole, read again, and writes the same text.
#[test]
fn an_exported_model_comes_back() {
    let workshop = Workshop::new();
    workshop.pretrain_well("model", &[]);
    let path = |name: &str| workshop.path().join(name);
    let output = train(&["export", text(&path("model")), "--out", text(&path("exported"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    let output = train(&["import", text(&path("exported")), "--out", text(&path("back"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    let says = |model: &str| train(&["generate", text(&path(model)), "--prompt", "The ", "--tokens", "20"]).stdout;
    assert_eq!(says("model"), says("back"));

    let output = train(&["import", text(&path("exported")), "--out", text(&path("back"))]);
    assert!(stderr(&output).contains("already holds a training"), "{}", stderr(&output));
    let config = fs::read_to_string(path("exported/config.json")).expect("it was written");
    fs::write(path("exported/config.json"), config.replace("gelu_new", "relu")).expect("it can be changed");
    let output = train(&["import", text(&path("exported")), "--out", text(&path("other"))]);
    assert!(stderr(&output).contains("`activation_function` is \"relu\""), "{}", stderr(&output));
}

/// A file of JSON, changed.
fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_slice(&fs::read(path).expect("it was written")).expect("it is JSON");
    change(&mut json);
    fs::write(path, json.to_string()).expect("it can be written");
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("it was written")).expect("it is JSON")
}

/// A tokenizer without `<|endoftext|>`: the end of a text is asked for, or taken from the files beside it, and goes with the model.
#[test]
fn a_text_ends_as_its_tokenizer_has_it() {
    let workshop = Workshop::new();
    let path = |name: &str| workshop.path().join(name);
    let tokenizer = path("tokenizer.json");
    let before = fs::read_to_string(&tokenizer).expect("it was written");
    fs::write(&tokenizer, before.replace("<|endoftext|>", "</s>")).expect("it can be written");
    let output = workshop.pretrain("model", &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(
        error.contains("small.toml:5:13") && error.contains("marked special are `</s>` (0); name it by `end_of_text`"),
        "{error}"
    );
    assert!(!path("model").exists());

    workshop.pretrain_well("model", &["--set", "data.end_of_text=\"</s>\""]);
    fs::write(path("tokenizer_config.json"), "{\"eos_token\": {\"content\": \"</s>\"}, \"pad_token\": \"</s>\"}")
        .expect("it can be written");
    workshop.pretrain_well("named", &[]);
    assert_eq!(workshop.checkpoint("model", 40), workshop.checkpoint("named", 40));

    let says = |model: &str| train(&["generate", text(&path(model)), "--prompt", "The ", "--tokens", "20"]).stdout;
    let output = train(&["export", text(&path("named")), "--out", text(&path("exported"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    let names = json(&path("exported/tokenizer_config.json"));
    assert_eq!(names["eos_token"]["content"], "</s>");
    assert_eq!([&names["bos_token"], &names["unk_token"], &names["pad_token"]], ["</s>"; 3]);
    assert_eq!(json(&path("exported/generation_config.json"))["eos_token_id"], 0);

    // a model that was made for talk has several ends, each of which ends what it writes
    change(&path("exported/generation_config.json"), |json| json["eos_token_id"] = [0, 5].into());
    let output = train(&["import", text(&path("exported")), "--out", text(&path("back"))]);
    assert!(
        stderr(&output).contains("a text ends with `</s>` (0), and what is generated with any of `</s>` (0), `%` (5)"),
        "{}",
        stderr(&output)
    );
    assert!(!says("model").is_empty() && says("model") == says("back"));
    let output = train(&["export", text(&path("back")), "--out", text(&path("again"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(json(&path("again/config.json"))["eos_token_id"], serde_json::json!([0, 5]));
    assert_eq!(json(&path("again/tokenizer_config.json")), names);
}

/// Ids with holes, and a table with more rows than there are tokens: both are trained, written, read, and never said.
#[test]
fn tables_may_have_rows_without_a_token() {
    let workshop = Workshop::new();
    let path = |name: &str| workshop.path().join(name);
    change(&path("tokenizer.json"), |json| {
        let vocabulary = json["model"]["vocab"].as_object_mut().expect("an object");
        let last = vocabulary.values_mut().max_by_key(|id| id.as_u64()).expect("it has tokens");
        assert_eq!(*last, 299);
        *last = 320.into();
    });
    workshop.pretrain_well("model", &[]);
    let rows = |out: &str| {
        let saved = checkpoint::newest(&path(out)).expect("it was saved");
        saved.model.iter().find(|named| named.name == "tokens").expect("it has a table").shape[0]
    };
    assert_eq!(rows("model"), 321);
    let output = train(&["export", text(&path("model")), "--out", text(&path("exported"))]);
    assert!(output.status.success(), "{}", stderr(&output));

    // filled up to a rounder number, as models of others are, by rows that are likelier than any
    let file = path("exported/model.safetensors");
    let mut tensors = checkpoint::from_bytes(&fs::read(&file).expect("it was written"), &file).expect("it is whole");
    let table = tensors.get_mut("transformer.wte.weight").expect("it has a table");
    assert_eq!(table.shape, [321, 16]);
    let more: Vec<f32> = (0..63 * 16).map(|place| if place / 16 % 2 == 0 { 100.0 } else { -100.0 }).collect();
    let head = NamedTensor {
        name: "lm_head.weight".into(),
        shape: vec![384, 16],
        values: [&table.values[..], &more].concat(),
    };
    table.values.resize(384 * 16, 0.5);
    table.shape[0] = 384;
    tensors.insert(head.name.clone(), head);
    checkpoint::write_tensors(&file, tensors.values()).expect("it can be written");
    let import = |out: &str| train(&["import", text(&path("exported")), "--out", text(&path(out))]);
    let output = import("padded");
    assert!(
        stderr(&output).contains("config.json: `vocab_size` is 321, and `transformer.wte.weight` has 384 rows"),
        "{}",
        stderr(&output)
    );
    change(&path("exported/config.json"), |json| json["vocab_size"] = 384.into());
    let output = import("padded");
    assert!(
        stderr(&output).contains("`lm_head.weight` has other numbers than `transformer.wte.weight`"),
        "{}",
        stderr(&output)
    );
    assert_eq!(rows("padded"), 384);
    let says = |model: &str| {
        train(&["generate", text(&path(model)), "--prompt", "The ", "--tokens", "30", "--temperature", "0"]).stdout
    };
    assert!(!says("model").is_empty() && says("model") == says("padded"));
}

/// Each family in the programs in which people run models: what they write is what is written here.
#[test]
fn programs_of_others_load_what_is_exported() {
    const TOKENS: &str = "24";
    let python = std::env::var_os("TAMIS_PYTHON").unwrap_or_else(|| "python3".into());
    let has = |modules: &str| {
        let output = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let skipped = |why: &str| fixtures::needs::skipped("programs_of_others_load_what_is_exported", why);
    if !has("torch, transformers") {
        return skipped("there is no Python with torch and transformers");
    }
    let workshop = Workshop::new();
    let window = Some("model.sliding_window=32");
    for (family, more) in [("gpt1", None), ("gpt2", None), ("gpt3", window), ("llama", None), ("qwen2", None)] {
        let path = |name: &str| workshop.path().join(format!("{family}{name}"));
        let mut settings = vec!["--set".to_owned(), format!("model.family=\"{family}\"")];
        settings.extend(more.into_iter().flat_map(|more| ["--set".to_owned(), more.to_owned()]));
        workshop.pretrain_well(family, &settings.iter().map(String::as_str).collect::<Vec<_>>());
        let output = train(&["export", text(&path("")), "--out", text(&path("-exported"))]);
        assert!(output.status.success(), "{}", stderr(&output));
        let output =
            train(&["generate", text(&path("")), "--prompt", "The ", "--tokens", TOKENS, "--temperature", "0"]);
        let ours = String::from_utf8(output.stdout).expect("it is UTF-8");

        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/load_export.py");
        let output = Command::new(&python)
            .args([text(&script), text(&path("-exported")), "The ", TOKENS])
            .output()
            .expect("Python can be started");
        let lines = String::from_utf8(output.stdout).expect("it is UTF-8");
        let programs: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        assert_eq!(programs.len(), 2, "{family}: {}", String::from_utf8_lossy(&output.stderr));
        for program in programs {
            let error = program["error"].as_str().unwrap_or_default();
            match (program["program"].as_str(), family) {
                (Some("ctranslate2"), _) if error.contains("No module named 'ctranslate2'") => {
                    skipped(&format!("there is no ctranslate2 for {family}"));
                }
                // it knows no model of this kind
                (Some("ctranslate2"), "gpt1") => assert!(error.contains("OpenAIGPTConfig"), "{error}"),
                _ => assert_eq!(program["text"].as_str(), ours.strip_suffix('\n'), "{family}: {program}"),
            }
        }
    }
}
