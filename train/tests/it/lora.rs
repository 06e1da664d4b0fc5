//! LoRA: adapters that are trained in place of a model, from outside and against PEFT.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use burn::{module::Module as _, tensor::Device};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use train::{
    checkpoint::{self, TensorFile},
    model::{
        AdapterWeights, Architecture, Family, Gpt, HeldTensor, LoraConfig, ModelConfig, NamedTensor, Targets, Tokens,
        huggingface::{self, SpecialTokens},
        named_parameters, replace_some, saved_parameters,
    },
    objective::next_token_loss,
    optimize::{Gradients, OptimizerConfig},
};

use crate::{
    figures::{apart, numbers},
    support::{Workshop, stderr, text, train},
};

/// A workshop with a model of a family that was trained for 40 steps, and the same as a folder of Hugging Face.
fn workshop(family: &str) -> Workshop {
    let workshop = Workshop::new();
    workshop.pretrain_well("first", &["--set", &format!("model.family={family}")]);
    well(&["export", text(&workshop.path().join("first")), "--out", text(&workshop.path().join("exported"))]);
    workshop
}

/// Runs the program, which must succeed. Returns what it printed.
fn well(arguments: &[&str]) -> String {
    let output = train(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// What a program says that fails.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    stderr(output)
}

/// A training of adapters on a folder of the workshop; its configuration has no other model.
fn adapt(workshop: &Workshop, out: &str, from: &str, lora: &str, more: &[&str]) -> Output {
    let from = format!("model.from={}", text(&workshop.path().join(from)));
    let lora = format!("lora={{ {lora} }}");
    workshop.pretrain(out, &[&["--set", &from, "--set", &lora], more].concat())
}

fn adapt_well(workshop: &Workshop, out: &str, from: &str, lora: &str, more: &[&str]) -> String {
    let output = adapt(workshop, out, from, lora, more);
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output)
}

/// The workshop's configuration without its model, which the folder in `from` says itself.
fn without_model(workshop: &Workshop) {
    let config = workshop.path().join("small.toml");
    let whole = fs::read_to_string(&config).expect("it was written");
    let (before, rest) = whole.split_once("[model]").expect("it has a model");
    let (_, training) = rest.split_once("[training]").expect("it has a loop");
    fs::write(&config, format!("{before}[model]\n\n[training]{training}")).expect("it can be written");
}

/// What a model writes greedily.
fn written(folder: &Path) -> String {
    well(&["generate", text(folder), "--prompt", "The ", "--tokens", "24", "--temperature", "0"])
}

fn names(file: &[u8]) -> Vec<String> {
    let tensors = SafeTensors::deserialize(file).expect("it is whole");
    let mut names: Vec<String> = tensors.names().into_iter().map(str::to_owned).collect();
    names.sort();
    names
}

const LORA: &str = "rank = 4, alpha = 16, dropout = 0.1, targets = \"all-linear\"";

/// Adapters change nothing at first, and learn; a checkpoint holds them and their states alone, and the model that they are for stays what it is.
#[test]
fn adapters_alone_are_trained_and_saved() {
    let workshop = workshop("llama");
    without_model(&workshop);
    let before = workshop.checkpoint("first", 40);
    let said = adapt_well(&workshop, "adapted", "first", LORA, &["--set", "learning_rate.peak=0.03"]);
    // 2 blocks with queries, keys, values, output (16 to 16), gate, up (16 to 64) and down
    let numbers = 2 * 4 * (4 * (16 + 16) + 3 * (16 + 64));
    assert!(said.contains(&format!("adapters of rank 4 on down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj: {numbers} numbers are trained")), "{said}");
    assert_eq!(workshop.checkpoint("first", 40), before);
    let [weights, states] = workshop.checkpoint("adapted", 40);
    let layers = ["attention.input", "attention.output", "feed_forward.down", "feed_forward.up"];
    let of_block =
        |block: usize| layers.map(|layer| ["a", "b"].map(|part| format!("blocks.{block}.{layer}.lora.{part}")));
    let expected: Vec<String> = [0, 1].map(of_block).as_flattened().as_flattened().to_vec();
    assert_eq!(names(&weights), expected);
    let of_state = |name: &String| ["first", "second"].map(|state| format!("{name}.{state}"));
    assert_eq!(names(&states), expected.iter().flat_map(of_state).collect::<Vec<_>>());

    let losses = |out: &str| -> Vec<f64> {
        workshop.metrics(out).iter().filter_map(|line| line["validation_loss"].as_f64()).collect()
    };
    let (first, adapted) = (losses("first"), losses("adapted"));
    assert_eq!(adapted[0].to_bits(), first[first.len() - 1].to_bits());

    // of what is new to the model they learn
    workshop.write_sums("sums.jsonl", 600);
    workshop.set_data("mixture = \"sums.jsonl\"\nvalidation = 0.1");
    without_model(&workshop);
    adapt_well(&workshop, "sums", "first", LORA, &["--set", "learning_rate.peak=0.03"]);
    let adapted = losses("sums");
    assert!(adapted[adapted.len() - 1] < adapted[0] - 0.2, "{adapted:?}");
}

/// Stopped and resumed, with dropout in the model and before the adapters, with several micro-batches and spikes that are rolled back; from a
/// folder of either kind, which may be moved as long as the configuration says where to.
#[test]
fn a_training_of_adapters_ends_on_the_same_bits() {
    let workshop = workshop("gpt2");
    without_model(&workshop);
    let settings = [
        "--set",
        "model.dropout=0.1",
        "--set",
        "training.gradient_accumulation=2",
        "--set",
        "training.spikes={ deviations = 3.5, window = 8, limit = 300, action = \"rollback\" }",
    ];
    for (folder, moved) in [("first", "first-moved"), ("exported", "exported-moved")] {
        let (whole, stopped) = (format!("{folder}-whole"), format!("{folder}-stopped"));
        let run = |out: &str, folder: &str, more: &[&str]| {
            adapt_well(&workshop, out, folder, LORA, &[&settings[..], more].concat())
        };
        run(&whole, folder, &[]);
        run(&stopped, folder, &["--until", "7"]);
        run(&stopped, folder, &["--resume", "--until", "23"]);
        fs::rename(workshop.path().join(folder), workshop.path().join(moved)).expect("it can be moved");
        run(&stopped, moved, &["--resume"]);
        assert!(workshop.checkpoint(&whole, 40) == workshop.checkpoint(&stopped, 40), "{folder}");
        assert_eq!(workshop.metrics(&whole), workshop.metrics(&stopped), "{folder}");
    }
    let other = LORA.replace("rank = 4", "rank = 2");
    let fault =
        refused(&adapt(&workshop, "first-stopped", "first-moved", &other, &[&settings[..], &["--resume"]].concat()));
    assert!(fault.contains("`lora.rank` was 4, and is 2"), "{fault}");
}

/// Adapters and the model that they are for write what the two merged write: exported, or gone on from, whichever way.
#[test]
fn what_is_merged_writes_the_same() {
    for family in ["gpt2", "llama"] {
        let workshop = workshop(family);
        without_model(&workshop);
        let path = |name: &str| workshop.path().join(name);
        adapt_well(&workshop, "adapted", "exported", LORA, &["--set", "learning_rate.peak=0.03"]);
        let expected = written(&path("adapted"));
        well(&["export", text(&path("adapted")), "--out", text(&path("merged"))]);
        let weights = |name: &str| fs::read(path(name).join("model.safetensors")).expect("it was written");
        assert_ne!(weights("merged"), weights("exported"), "{family}: adapters change something");
        well(&["import", text(&path("merged")), "--out", text(&path("imported"))]);
        assert_eq!(written(&path("imported")), expected, "{family}");

        // a training from it begins with all weights; so does one from the adapters, as PEFT has them, on the model
        well(&["export", text(&path("adapted")), "--out", text(&path("peft")), "--adapter"]);
        let begin = |out: &str, settings: &[String]| {
            let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
            workshop.pretrain_well(out, &[&settings[..], &["--until", "0"]].concat());
            let [weights, _] = workshop.checkpoint(out, 0);
            weights
        };
        let set = |key: &str, name: &str| format!("{key}={}", text(&path(name)));
        let on = begin("on", &[set("model.from", "adapted")]);
        assert!(on == workshop.checkpoint("imported", 0)[0], "{family}: other weights than the exported");
        assert!(on == begin("with", &[set("model.from", "exported"), set("model.adapter", "peft")]), "{family}");

        // adapters that go on are those that were
        let again =
            begin("again", &[set("model.from", "exported"), format!("lora={{ from = \"{}\" }}", text(&path("peft")))]);
        assert!(again == workshop.checkpoint("adapted", 40)[0], "{family}: other adapters");
        assert_eq!(written(&path("again")), expected, "{family}");

        // adapters on a model with adapters, twice
        adapt_well(&workshop, "twice", "adapted", "rank = 2", &["--until", "0"]);
        assert_eq!(written(&path("twice")), expected, "{family}");
        let merged = format!("model.adapter={}", text(&path("peft")));
        adapt_well(&workshop, "beside", "exported", "rank = 2", &["--until", "0", "--set", &merged]);
        assert_eq!(written(&path("beside")), expected, "{family}");
        let fault = refused(&train(&["export", text(&path("beside")), "--out", text(&path("none")), "--adapter"]));
        assert!(fault.contains("merged into it, which no folder holds"), "{fault}");
    }
}

/// Rows of new tokens and positions that are left out are the model's, and are found again.
#[test]
fn a_model_with_new_tokens_is_found_again() {
    let workshop = workshop("gpt2");
    without_model(&workshop);
    let path = |name: &str| workshop.path().join(name);
    let mut tokenizer: Value =
        serde_json::from_slice(&fs::read(path("tokenizer.json")).expect("it was written")).expect("it is JSON");
    let mut token = tokenizer["added_tokens"][0].clone();
    (token["id"], token["content"]) = (json!(300), json!("<start>"));
    tokenizer["added_tokens"].as_array_mut().expect("a list").push(token);
    fs::write(path("more.json"), tokenizer.to_string()).expect("it can be written");
    let more = format!("data.tokenizer={}", text(&path("more.json")));
    adapt_well(
        &workshop,
        "adapted",
        "first",
        LORA,
        &["--set", &more, "--set", "model.context_length=16", "--set", "training.steps=10"],
    );
    well(&["export", text(&path("adapted")), "--out", text(&path("merged"))]);
    let merged = tensors(&path("merged/model.safetensors"));
    let exported = tensors(&path("exported/model.safetensors"));
    let (table, before) = (&merged["transformer.wte.weight"], &exported["transformer.wte.weight"]);
    assert_eq!((&table.shape[..], &table.values[..300 * 16]), (&[301, 16][..], &before.values[..]));
    assert_eq!(merged["transformer.wpe.weight"].shape, [16, 16]);
    workshop.pretrain_well(
        "full",
        &["--until", "0", "--set", &more, "--set", &format!("model.from={}", text(&path("first")))],
    );
    let full = tensors(&path("full/checkpoints/step-00000000/model.safetensors"));
    assert_eq!(table.values, full["tokens"].values, "the row is drawn as the training drew it");
    let fault = refused(&train(&["export", text(&path("adapted")), "--out", text(&path("none")), "--adapter"]));
    assert!(fault.contains("an adapter does not hold these 1 rows"), "{fault}");
    assert!(written(&path("adapted")).starts_with("The "));
}

fn tensors(path: &Path) -> BTreeMap<String, NamedTensor> {
    checkpoint::from_bytes(&fs::read(path).expect("it was written"), path).expect("it is whole")
}

/// A model that is gone, or another by now, is named with its place: by whatever asks for it.
#[test]
fn a_model_that_is_gone_is_named() {
    let workshop = workshop("gpt2");
    without_model(&workshop);
    let path = |name: &str| workshop.path().join(name);
    adapt_well(&workshop, "adapted", "exported", LORA, &["--until", "10"]);
    let none = path("none");
    let all = || {
        [
            train(&["generate", text(&path("adapted"))]),
            train(&["export", text(&path("adapted")), "--out", text(&none)]),
            adapt(&workshop, "again", "adapted", LORA, &[]),
        ]
    };
    fs::rename(path("exported"), path("moved")).expect("it can be moved");
    for output in all() {
        let fault = refused(&output);
        let expected = format!(
            "holds adapters alone, of the model in {}: there is no such folder any more",
            path("exported").display()
        );
        assert!(fault.contains(&expected), "{fault}");
    }
    let fault = refused(&adapt(&workshop, "adapted", "exported", LORA, &["--resume"]));
    assert!(fault.contains(&format!("there is no folder {}", path("exported").display())), "{fault}");

    fs::rename(path("moved"), path("exported")).expect("it can be moved");
    let file = path("exported/model.safetensors");
    let mut bytes = fs::read(&file).expect("it was written");
    let last = bytes.len() - 4;
    bytes[last] ^= 1;
    fs::write(&file, bytes).expect("it can be changed");
    for output in all() {
        let fault = refused(&output);
        let expected =
            format!("of the model in {}: its weights are others by now: the SHA-256 was ", path("exported").display());
        assert!(fault.contains(&expected), "{fault}");
    }
    let fault = refused(&adapt(&workshop, "adapted", "exported", LORA, &["--resume"]));
    assert!(fault.contains("`model.from` has other weights: the SHA-256 was"), "{fault}");
    // adapters alone can be had without it
    well(&["export", text(&path("adapted")), "--out", text(&path("peft")), "--adapter"]);
    assert!(!none.exists());
}

/// What cannot be adapted is named at its key, before anything is read; so is an adapter for another model.
#[test]
fn what_cannot_be_adapted_is_named() {
    let workshop = workshop("gpt2");
    let path = |name: &str| workshop.path().join(name);
    let refuse = |settings: &[&str]| {
        let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let fault = refused(&workshop.pretrain("refused", &settings));
        assert!(!path("refused").exists(), "{fault}");
        fault
    };
    let from = format!("model.from={}", text(&path("first")));
    for (lora, expected) in [
        ("rank = 0", "it has to be 1 or more"),
        ("alpha = 0", "it has to be more than 0, and is 0"),
        (
            "targets = [\"q_proj\"]",
            "the model has no linear layer `q_proj`; it has `c_attn`, `c_fc`, `c_proj`, and \"all-linear\"",
        ),
        ("targets = \"all\"", "expected a list of names of linear layers, or \"all-linear\""),
        ("rang = 4", "unknown field `rang`"),
        ("from = \"nowhere\"", "there is no folder"),
    ] {
        let fault = refuse(&[&from, &format!("lora={{ {lora} }}")]);
        assert!(fault.contains(expected), "{fault}");
    }
    let fault = refuse(&["lora={ rank = 4 }"]);
    assert!(fault.contains("adapters are for a model that is there, which `[model] from` names"), "{fault}");
    let fault = refuse(&["model.adapter=mixture"]);
    assert!(fault.contains("`adapter` is one for a model that `from` names"), "{fault}");

    workshop.pretrain_well("wide", &["--set", "model.hidden_size=24", "--until", "1"]);
    adapt_well(&workshop, "adapted", "first", "rank = 4", &["--until", "1"]);
    well(&["export", text(&path("adapted")), "--out", text(&path("peft")), "--adapter"]);
    let wide = format!("model.from={}", text(&path("wide")));
    let lora = |more: &str| format!("lora={{ from = \"{}\"{more} }}", text(&path("peft")));
    let fault = refuse(&[&wide, &lora(""), "model.hidden_size=24"]);
    let expected = "`base_model.model.transformer.h.0.attn.c_attn.lora_A.weight` is of shape [4, 16], and by adapter_config.json and the model of \
                    shape [4, 24]";
    assert!(fault.contains(expected), "{fault}");
    let fault = refuse(&[&from, &lora(", rank = 8")]);
    assert!(fault.contains("`rank` is 8, and of the adapter that is there 4"), "{fault}");
    let fault = refused(&train(&["export", text(&path("first")), "--out", text(&path("none")), "--adapter"]));
    assert!(fault.contains("it was trained without adapters"), "{fault}");
}

/// A small model, as a family has it.
fn architecture(family: Family) -> Architecture {
    let config = ModelConfig {
        family: Some(family),
        num_layers: Some(2),
        num_heads: Some(4),
        num_kv_heads: matches!(family, Family::Llama | Family::Qwen2).then_some(2),
        hidden_size: Some(16),
        intermediate_size: Some(64),
        context_length: Some(16),
        ..ModelConfig::default()
    };
    config.architecture().expect("the numbers fit together")
}

/// A model with adapters of which no number is 0.
fn adapted(family: Family, device: &Device) -> (Gpt, Gpt, AdapterWeights) {
    let architecture = architecture(family);
    let config = LoraConfig {
        rank: Some(3),
        alpha: Some(4.0),
        targets: Some(Targets::AllLinear),
        rslora: Some(true),
        ..LoraConfig::default()
    };
    let adapters = config.adapters(family, &architecture).expect("the layers are there");
    let base = architecture.init(19, 1, device);
    let drawn = architecture.init(19, 2, device).with_adapters(&adapters, 2);
    let mut tensors: Vec<_> = saved_parameters(&drawn).iter().map(HeldTensor::read).collect();
    for (number, tensor) in tensors.iter_mut().enumerate().filter(|(_, tensor)| tensor.name.ends_with("lora.b")) {
        let count = tensor.values.len();
        tensor.values = (0..count).map(|place| ((place * 7 + number) % 11) as f32 / 22.0 - 0.25).collect();
    }
    let weights = adapters.clone().with_weights(tensors.clone()).expect("they are the model's");
    let model = base.clone().with_adapters(&adapters, 1);
    let model = checkpoint::with_weights(model, tensors, Path::new("adapters")).expect("they are the model's");
    (base, model, weights)
}

const IDS: [i32; 12] = [3, 14, 15, 9, 2, 6, 5, 3, 5, 8, 9, 7];
const TARGETS: [i32; 12] = [14, 15, 9, 2, 6, 5, 3, 5, 8, 9, 7, 1];

fn tokens() -> Tokens<'static> {
    Tokens { ids: &IDS, batch_size: 2, starts: None }
}

/// The furthest that two vectors lie apart at a place.
fn furthest(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// Merged into the weights, adapters of every layer give the logits that they give beside them; and without them there are others.
#[test]
fn merged_adapters_give_the_same_logits() {
    for family in [Family::Gpt1, Family::Gpt2, Family::Gpt3, Family::Llama, Family::Qwen2] {
        let (base, model, weights) = adapted(family, &Device::flex());
        let parameters: BTreeMap<String, NamedTensor> =
            named_parameters(&base).into_iter().map(|named| (named.name.clone(), named)).collect();
        let merged = replace_some(base.clone(), |name, _| Some(weights.merged(parameters[name].clone()).values));
        let [base, beside, merged] = [&base, &model, &merged].map(|model| numbers(model.logits(tokens())));
        let (far, off) = (furthest(&beside, &base), furthest(&beside, &merged));
        assert!(off < 1e-5 && far > 1e-2, "{family:?}: {off} off, and {far} from the model");
    }
}

/// The gradients of adapters, with all else frozen.
fn gradients(model: Gpt, weights: &AdapterWeights) -> AdapterWeights {
    let optimizer = OptimizerConfig::default().build().expect("defaults fit together");
    let model = optimizer.prepare(model).expect("adapters are left to train");
    let loss = next_token_loss(&model, tokens(), &TARGETS, &[1.0 / 12.0; 12], None);
    let found = Gradients::of(&model, &mut loss.backward());
    let shape = |name: &str| weights.tensors().find(|named| named.name == name).expect("an adapter").shape.clone();
    let named = found.by_name().map(|(name, gradient)| {
        assert!(name.contains(".lora."), "{name} is frozen");
        NamedTensor { name: name.to_owned(), shape: shape(name), values: numbers(gradient.clone()) }
    });
    weights.adapters.clone().with_weights(named.collect()).expect("each adapter has a gradient")
}

/// Runs PEFT on folders. Returns what it computed, or nothing where there is none.
fn peft(folder: &Path, adapter: &Path, config: Option<&Value>) -> Option<BTreeMap<String, NamedTensor>> {
    let python = std::env::var_os("TAMIS_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(&python).args(["-c", "import torch, transformers, peft"]).output();
    if !output.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let out = adapter.with_extension("safetensors");
    let rows = |ids: &[i32]| serde_json::json!([ids[..6], ids[6..]]).to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/peft_adapter.py");
    let mut command = Command::new(&python);
    command.arg(script).args([folder, adapter, &out]).args([rows(&IDS), rows(&TARGETS)]);
    command.args(config.map(Value::to_string));
    let output = command.output().expect("Python can be started");
    assert!(output.status.success(), "{}", stderr(&output));
    Some(tensors(&out))
}

/// Holds logits and gradients against those of PEFT.
fn hold(family: Family, model: &Gpt, weights: &AdapterWeights, theirs: &BTreeMap<String, NamedTensor>) {
    let off = furthest(&numbers(model.valid().logits(tokens())), &theirs["logits"].values);
    assert!(off < 1e-4, "{family:?}: logits are {off} off");
    let found = gradients(model.clone(), weights);
    let (_, found) =
        huggingface::write_adapter(&found, family, &architecture(family), "").expect("it has a counterpart");
    for gradient in &found {
        let expected = &theirs[&format!("gradient/{}", gradient.name)];
        assert_eq!(gradient.shape, expected.shape, "{family:?}: {}", gradient.name);
        let far = apart(&gradient.values, &expected.values);
        assert!(far < 1e-4, "{family:?}: the gradient of {} is {far} off", gradient.name);
    }
    assert_eq!(found.len() + 1, theirs.len(), "{family:?}: gradients");
}

/// Writes a model as a folder of Hugging Face.
fn write(folder: &Path, family: Family, model: &Gpt) {
    let special = SpecialTokens { bos: 0, eos: &[1], pad: 0 };
    let (config, tensors) =
        huggingface::export(family, &architecture(family), &named_parameters(&model.valid()), special)
            .expect("it has a counterpart");
    write_tensors(&folder.join("model.safetensors"), &tensors);
    fs::write(folder.join("config.json"), config.to_string()).expect("it can be written");
}

fn write_tensors(path: &Path, tensors: &[NamedTensor]) {
    checkpoint::write_tensors(path, tensors).expect("it can be written");
}

/// Our adapters in PEFT, and PEFT's here: the same logits, and the same gradients of A and B.
#[test]
fn peft_computes_the_same() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let path = |name: String| -> PathBuf { folder.path().join(name) };
    for family in [Family::Gpt2, Family::Llama] {
        let (base, model, weights) = adapted(family, &Device::flex().autodiff());
        let (there, ours) = (path(format!("{family:?}")), path(format!("{family:?}-ours")));
        write(&there, family, &base);
        let (config, tensors) = huggingface::write_adapter(&weights, family, &architecture(family), text(&there))
            .expect("it has a counterpart");
        write_tensors(&ours.join("adapter_model.safetensors"), &tensors);
        fs::write(ours.join("adapter_config.json"), config.to_string()).expect("it can be written");
        let Some(theirs) = peft(&there, &ours, None) else {
            return fixtures::needs::skipped(
                "peft_computes_the_same",
                "there is no Python with torch, transformers and peft",
            );
        };
        hold(family, &model, &weights, &theirs);

        let targets = if family == Family::Gpt2 {
            json!(["c_attn", "mlp.c_proj"])
        } else {
            json!(["k_proj", "v_proj", "up_proj"])
        };
        let made = path(format!("{family:?}-theirs"));
        let config =
            json!({"r": 2, "lora_alpha": 3, "target_modules": targets, "fan_in_fan_out": family == Family::Gpt2});
        let theirs = peft(&there, &made, Some(&config)).expect("there is a Python by now");
        let config = fs::read(made.join("adapter_config.json")).expect("it was written");
        let config = serde_json::from_slice(&config).expect("it is JSON");
        let file = TensorFile::open(&made.join("adapter_model.safetensors")).expect("it was written");
        let read =
            huggingface::read_adapter(&config, &file, family, &architecture(family)).expect("it can be computed");
        assert_eq!(read.notes, [""; 0], "{family:?}: every key is known");
        let model = base.with_adapters(&read.weights.adapters, 1);
        let tensors = read.weights.tensors().cloned().collect();
        let model = checkpoint::with_weights(model, tensors, &made).expect("it is for this model");
        hold(family, &model, &read.weights, &theirs);
    }
}
