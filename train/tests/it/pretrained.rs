//! Trainings that begin from a model that is there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use burn::tensor::bf16;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};
use train::{checkpoint, model::NamedTensor};

use crate::support::{Workshop, stderr, text, train};

/// A workshop with a model that was trained for 40 steps, and the same as a folder of Hugging Face.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.pretrain_well("first", &[]);
    let (first, exported) = (workshop.path().join("first"), workshop.path().join("exported"));
    let output = train(&["export", text(&first), "--out", text(&exported)]);
    assert!(output.status.success(), "{}", stderr(&output));
    workshop
}

/// Settings as they are given.
fn set(settings: &[String]) -> Vec<&str> {
    settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect()
}

/// The setting that names a folder of a workshop.
fn from(workshop: &Workshop, name: &str) -> String {
    format!("model.from={}", text(&workshop.path().join(name)))
}

/// Begins a training and takes no step. Returns what was said.
fn begin(workshop: &Workshop, out: &str, settings: &[String]) -> String {
    let output = workshop.pretrain(out, &[&set(settings)[..], &["--until", "0"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output)
}

/// What a training says that does not begin.
fn refused(workshop: &Workshop, settings: &[String]) -> String {
    let output = workshop.pretrain("refused", &[&set(settings)[..], &["--until", "0"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(workshop.saved("refused").is_empty());
    stderr(&output)
}

fn weights(workshop: &Workshop, out: &str, step: u64) -> Vec<u8> {
    let [weights, _] = workshop.checkpoint(out, step);
    weights
}

fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_slice(&fs::read(path).expect("it was written")).expect("it is JSON");
    change(&mut json);
    fs::write(path, json.to_string()).expect("it can be written");
}

/// A copy of a folder without inner ones.
fn copy(workshop: &Workshop, from: &str, to: &str) -> PathBuf {
    let (from, to) = (workshop.path().join(from), workshop.path().join(to));
    fs::create_dir(&to).expect("the folder can be made");
    for entry in fs::read_dir(from).expect("it can be listed") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, to.join(path.file_name().expect("it has a name"))).expect("it can be copied");
    }
    to
}

fn tensors(path: &Path) -> BTreeMap<String, NamedTensor> {
    checkpoint::from_bytes(&fs::read(path).expect("it was written"), path).expect("it is whole")
}

fn write<'t>(path: &Path, tensors: impl IntoIterator<Item = &'t NamedTensor>) {
    checkpoint::write_tensors(path, tensors).expect("it can be written");
}

/// The last checkpoint, the best, or one of a step: the weights that a training begins with are those, whatever its seed; what is loaded is
/// said. Of a folder that was exported they are the same.
#[test]
fn a_training_begins_with_the_weights_that_are_there() {
    let workshop = workshop();
    for (number, (settings, step)) in [
        (vec![from(&workshop, "first")], 40),
        (vec![from(&workshop, "first"), "model.checkpoint=last".into()], 40),
        (vec![from(&workshop, "first"), "model.checkpoint=best".into()], 40),
        (vec![from(&workshop, "first"), "model.checkpoint=30".into(), "seed=2".into()], 30),
        (vec![from(&workshop, "exported")], 40),
    ]
    .into_iter()
    .enumerate()
    {
        let out = format!("begun-{number}");
        let said = begin(&workshop, &out, &settings);
        assert!(weights(&workshop, &out, 0) == weights(&workshop, "first", step), "{settings:?}");
        assert!(said.contains("numbers are loaded; nothing is fresh"), "{said}");
        assert_eq!(said.contains(&format!("first after {step} steps")), settings[0].ends_with("first"), "{said}");
    }
    let loss = |out: &str, step: u64| {
        let metrics = workshop.metrics(out);
        let found = metrics.iter().find(|line| line["step"] == step && !line["validation_loss"].is_null());
        found.expect("it was evaluated")["validation_loss"].clone()
    };
    assert_eq!(loss("begun-0", 0), loss("first", 40));
}

/// The configuration may leave out what the model says itself, its tokenizer, too.
#[test]
fn a_model_brings_its_own_tokenizer() {
    let workshop = workshop();
    let config = workshop.path().join("small.toml");
    let whole = fs::read_to_string(&config).expect("it was written");
    let (before, rest) = whole.split_once("[model]").expect("it has a model");
    let (_, training) = rest.split_once("[training]").expect("it has a loop");
    let before = before.replace("tokenizer = \"tokenizer.json\"\n", "");
    for name in ["first", "exported"] {
        let model = format!("[model]\nfrom = \"{name}\"\ncontext_length = 16\n\n");
        fs::write(&config, format!("{before}{model}[training]{training}")).expect("it can be written");
        let out = format!("from-{name}");
        let said = begin(&workshop, &out, &[]);
        assert!(said.contains("of 32 learned positions the first 16; nothing is fresh"), "{said}");
        let file = workshop.path().join(&out).join("checkpoints/step-00000000/model.safetensors");
        assert_eq!(tensors(&file)["positions"].shape, [16, 16]);
    }
    let longer = "[model]\nfrom = \"first\"\ncontext_length = 64\n\n";
    fs::write(&config, format!("{before}{longer}[training]{training}")).expect("it can be written");
    let fault = refused(&workshop, &[]);
    assert!(fault.contains("small.toml:8:18: `context_length` is 64, and the model in "), "{fault}");
    assert!(fault.contains("first has learned positions for 32 tokens"), "{fault}");
    fs::write(&config, format!("{before}[model]\npreset = \"gpt2\"\n\n[training]{training}"))
        .expect("it can be written");
    let fault = refused(&workshop, &[]);
    assert!(fault.contains("missing field `tokenizer`"), "{fault}");
}

/// A tokenizer with tokens added is the model's, and gives it new rows; one whose ids are other tokens is not.
#[test]
fn a_tokenizer_is_that_of_the_model_or_more() {
    let workshop = workshop();
    let add = |name: &str, change_more: &dyn Fn(&mut Value)| {
        let path = workshop.path().join(name);
        fs::copy(workshop.path().join("tokenizer.json"), &path).expect("it can be copied");
        change(&path, |json| {
            for (id, content) in (300..).zip(["<start>", "<extract>"]) {
                let mut token = json["added_tokens"][0].clone();
                (token["id"], token["content"]) = (json!(id), json!(content));
                json["added_tokens"].as_array_mut().expect("a list").push(token);
            }
            change_more(json);
        });
        format!("data.tokenizer={}", text(&path))
    };
    let more = add("more.json", &|_| {});
    for (name, own) in [("first", "tokens"), ("exported", "tokens")] {
        let out = format!("from-{name}");
        let said = begin(&workshop, &out, &[from(&workshop, name), more.clone()]);
        assert!(said.contains(&format!("fresh are rows 300 to 301 of `{own}`")), "{said}");
        let file = |out: &str, step: u64| {
            workshop.path().join(out).join(format!("checkpoints/step-{step:08}/model.safetensors"))
        };
        let (before, after) = (&tensors(&file("first", 40))["tokens"], &tensors(&file(&out, 0))["tokens"]);
        assert_eq!(after.shape, [302, 16]);
        assert_eq!(after.values[..300 * 16], before.values);
        assert_ne!(after.values[300 * 16..301 * 16], after.values[301 * 16..]);
    }
    assert!(weights(&workshop, "from-first", 0) == weights(&workshop, "from-exported", 0));

    let other = add("other.json", &|json| {
        let vocabulary = json["model"]["vocab"].as_object_mut().expect("an object");
        let (a, b) = (vocabulary["a"].clone(), vocabulary["b"].clone());
        (vocabulary["a"], vocabulary["b"]) = (b, a);
    });
    let fault = refused(&workshop, &[from(&workshop, "first"), other.clone()]);
    assert!(fault.contains("it is not the tokenizer of the model in"), "{fault}");
    assert!(fault.contains("first: `a` has the id"), "{fault}");

    // a folder without one takes any that has no more ids than it has rows
    fs::remove_file(workshop.path().join("exported/tokenizer.json")).expect("it can be removed");
    let fault = refused(&workshop, &[from(&workshop, "exported"), more]);
    assert!(fault.contains("its ids go up to 301, and the model in "), "{fault}");
    assert!(fault.contains("exported, which has no tokenizer.json, knows 300 tokens"), "{fault}");
    begin(&workshop, "bare", &[from(&workshop, "exported")]);

    // nor does another file stand in the place of the one that a model was trained with
    change(&workshop.path().join("first/tokenizer.json"), |json| json["version"] = "1.1".into());
    let fault = refused(&workshop, &[from(&workshop, "first")]);
    assert!(fault.contains("first/tokenizer.json is damaged: it is not the tokenizer that the model in"), "{fault}");
}

/// Stopped and resumed, it ends on the same bits, wherever the folder lies by then; with other weights in it, it is another training.
#[test]
fn a_training_from_a_model_ends_on_the_same_bits() {
    let workshop = workshop();
    let settings = |folder: &str| {
        let more = ["model.dropout=0.1", "training.gradient_accumulation=2", "training.steps=24"];
        more.into_iter().map(str::to_owned).chain([from(&workshop, folder)]).collect::<Vec<_>>()
    };
    let run = |out: &str, folder: &str, more: &[&str]| {
        let settings = settings(folder);
        workshop.pretrain(out, &[&set(&settings)[..], more].concat())
    };
    for (folder, moved) in [("first", "first-moved"), ("exported", "exported-moved")] {
        let (whole, stopped) = (format!("{folder}-whole"), format!("{folder}-stopped"));
        for (out, more) in
            [(&whole, &[][..]), (&stopped, &["--until", "7"]), (&stopped, &["--resume", "--until", "13"])]
        {
            let output = run(out, folder, more);
            assert!(output.status.success(), "{}", stderr(&output));
        }
        let path = |name: &str| workshop.path().join(name);
        fs::rename(path(folder), path(moved)).expect("it can be moved");
        let output = run(&stopped, moved, &["--resume"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(workshop.checkpoint(&whole, 24) == workshop.checkpoint(&stopped, 24), "{folder}");
        assert_eq!(workshop.metrics(&whole), workshop.metrics(&stopped));
    }
    // a step later or a number more, and it began from something else
    let mut earlier = settings("first-moved");
    earlier.push("model.checkpoint=30".into());
    let output = workshop.pretrain("first-stopped", &[&set(&earlier)[..], &["--resume"]].concat());
    assert!(stderr(&output).contains("`model.from` has other weights: the SHA-256 was"), "{}", stderr(&output));
    let nothing = &settings("first-moved")[..3];
    let output = workshop.pretrain("first-stopped", &[&set(nothing)[..], &["--resume"]].concat());
    assert!(stderr(&output).contains(", and is none"), "{}", stderr(&output));
}

/// Weights in several files and in halves are those of one file; what is wrong with an index is named.
#[test]
fn weights_may_lie_in_several_files_and_in_halves() {
    let workshop = workshop();
    let sharded = copy(&workshop, "exported", "sharded");
    let whole = tensors(&sharded.join("model.safetensors"));
    fs::remove_file(sharded.join("model.safetensors")).expect("it can be removed");
    let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let halves: Vec<&NamedTensor> = whole.values().collect();
    let (one, other) = halves.split_at(halves.len() / 2);
    let mut map = BTreeMap::new();
    for (name, some) in shards.iter().zip([one, other]) {
        write(&sharded.join(name), some.iter().copied());
        map.extend(some.iter().map(|named| (named.name.clone(), *name)));
    }
    let index = sharded.join("model.safetensors.index.json");
    fs::write(&index, json!({ "weight_map": map }).to_string()).expect("it can be written");
    begin(&workshop, "from-sharded", &[from(&workshop, "sharded")]);
    assert!(weights(&workshop, "from-sharded", 0) == weights(&workshop, "first", 40));

    let last = halves[halves.len() - 1];
    write(&sharded.join(shards[0]), one.iter().copied().chain([last]));
    let fault = refused(&workshop, &[from(&workshop, "sharded")]);
    assert!(fault.contains(&format!("{} is damaged: `{}` is in ", shards[1], last.name)), "{fault}");
    write(&sharded.join(shards[0]), one[1..].iter().copied());
    let fault = refused(&workshop, &[from(&workshop, "sharded")]);
    assert!(fault.contains(&format!("index.json is damaged: `{}` should be in", one[0].name)), "{fault}");
    fs::remove_file(sharded.join(shards[1])).expect("it can be removed");
    let fault = refused(&workshop, &[from(&workshop, "sharded")]);
    assert!(fault.contains(&format!("it names {}, and there is no such file", shards[1])), "{fault}");

    let halved = copy(&workshop, "exported", "halved");
    let bytes: Vec<(&NamedTensor, Vec<u8>)> = whole
        .values()
        .map(|named| (named, named.values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect()))
        .collect();
    let views = bytes.iter().map(|(named, bytes)| {
        (named.name.as_str(), TensorView::new(Dtype::BF16, named.shape.clone(), bytes).expect("a shape fits"))
    });
    let halves = safetensors::serialize(views, None).expect("tensors can be written");
    fs::write(halved.join("model.safetensors"), halves).expect("it can be written");
    begin(&workshop, "from-halved", &[from(&workshop, "halved")]);
    let found = tensors(&workshop.path().join("from-halved/checkpoints/step-00000000/model.safetensors"));
    let table = &whole["transformer.wte.weight"].values;
    assert!(
        found["tokens"].values.iter().zip(table).all(|(x, y)| x.to_bits() == bf16::from_f32(*y).to_f32().to_bits())
    );
}

/// What is no model, or no model that can be gone on with, is named with what was asked for, at the key that asks.
#[test]
fn what_cannot_be_gone_on_from_is_named() {
    let workshop = workshop();
    let wanted = |name: &str, more: &[&str]| {
        let more = more.iter().map(|setting| (*setting).to_owned());
        refused(&workshop, &[from(&workshop, name)].into_iter().chain(more).collect::<Vec<_>>())
    };
    for (name, more, expected) in [
        ("nowhere", &[][..], "there is no folder"),
        ("mixture", &[], "mixture has neither the checkpoints of a training nor a config.json"),
        ("first", &["model.num_layers=3"], "`num_layers` is 3, and of the model that is there 2"),
        ("exported", &["model.family=llama"], "`family` is \"llama\", and of the model that is there \"gpt2\""),
        ("first", &["model.checkpoint=35"], "first holds no checkpoint of step 35; there are step-00000030, step-"),
        ("first", &["model.checkpoint=newest"], "expected \"last\", \"best\", or the number of a step"),
        ("exported", &["model.checkpoint=best"], "exported is a folder of Hugging Face, which has one model"),
    ] {
        let fault = wanted(name, more);
        assert!(fault.contains(expected), "{fault}");
    }
    let fault = refused(&workshop, &["model.checkpoint=best".into()]);
    assert!(fault.contains("`checkpoint` is one of a training that `from` names"), "{fault}");

    let unknown = copy(&workshop, "exported", "unknown");
    change(&unknown.join("config.json"), |json| json["model_type"] = "mamba".into());
    let fault = wanted("unknown", &[]);
    assert!(fault.contains("unknown: config.json: models of the kind `mamba` cannot be read; `gpt2`,"), "{fault}");
    change(&unknown.join("config.json"), |json| json["model_type"] = "gpt2".into());
    let file = unknown.join("model.safetensors");
    let mut broken = tensors(&file);
    broken.get_mut("transformer.h.1.mlp.c_fc.bias").expect("it has one").values[5] = f32::NAN;
    write(&file, broken.values());
    let fault = wanted("unknown", &[]);
    assert!(fault.contains("number 5 of the 64 of `transformer.h.1.mlp.c_fc.bias` is NaN"), "{fault}");
    let output = train(&["import", text(&unknown), "--out", text(&workshop.path().join("imported"))]);
    assert!(stderr(&output).contains("`transformer.h.1.mlp.c_fc.bias` is NaN"), "{}", stderr(&output));
    assert!(!workshop.path().join("imported").exists());
    fs::rename(&file, unknown.join("pytorch_model.bin")).expect("it can be renamed");
    let fault = wanted("unknown", &[]);
    assert!(fault.contains("pytorch_model.bin holds pickled objects of Python, which are not read"), "{fault}");
}
