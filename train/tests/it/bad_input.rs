//! Bad input: each gets an error that names the thing and the place, a code, and leaves what was there.

use std::fs;

use fixtures::needs::skipped;
use serde_json::json;

use crate::{
    exactness::TWO_SOURCES,
    support::{Workshop, stderr, text, train},
};

#[test]
fn faults_of_configurations_are_shown_in_their_line() {
    let workshop = Workshop::new();
    let config = workshop.path().join("small.toml");
    let sound = fs::read_to_string(&config).expect("it was written");
    for (old, new, message) in [
        ("batch_size = 4", "batch_sizes = 4", "small.toml:15:1: unknown field `batch_sizes`"),
        ("steps = 40", "steps = 0", "small.toml:14:9: it has to be 1 or more"),
        (
            "batch_size = 4",
            "batch_size = 4\ngradient_accumulation = 3",
            "small.toml:16:25: 3 micro-batches do not divide a batch size of 4",
        ),
        ("peak = 1e-2", "peak = -1.0", "small.toml:21:8: a learning rate is more than 0, not -1"),
        ("num_heads = 2", "num_heads = 3", "`num_heads` is 3, which does not divide the `hidden_size` of 16"),
        ("\"mixture\"", "\"nowhere\"", "small.toml:4:11: there is no file or folder"),
        ("\"tokenizer.json\"", "\"nothing.json\"", "small.toml:5:13: there is no file"),
    ] {
        fs::write(&config, sound.replace(old, new)).expect("it can be written");
        let output = workshop.pretrain("out", &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert!(!workshop.path().join("out").exists());
    }
}

/// A configuration of an earlier version is told the names of today.
#[test]
fn an_old_key_says_the_new_one() {
    let workshop = Workshop::new();
    let config = workshop.path().join("small.toml");
    let sound = fs::read_to_string(&config).expect("it was written");
    for (new, old, message) in [
        ("num_layers = 2", "layers = 2", "small.toml:8:1: `layers` is called `num_layers` by now"),
        ("batch_size = 4", "rows = 4", "small.toml:15:1: `rows` is called `batch_size` by now"),
        (
            "[model]",
            "across_documents = false\n\n[model]",
            "small.toml:7:1: `across_documents` is called `document_masking` by now, and means the opposite",
        ),
        (
            "[learning_rate]",
            "[training.spikes]\naction = \"back\"\n\n[learning_rate]",
            "small.toml:21:10: `back` is called `rollback` by now",
        ),
    ] {
        fs::write(&config, sound.replace(new, old)).expect("it can be written");
        let output = workshop.pretrain("out", &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert!(!workshop.path().join("out").exists());
    }
}

/// A checkpoint of an earlier version is neither gone on with nor asked to write; the key that says so is named.
#[test]
fn a_checkpoint_with_an_old_key_is_refused() {
    let workshop = Workshop::new();
    workshop.pretrain_well("out", &["--until", "10"]);
    let checkpoint = workshop.path().join("out/checkpoints/step-00000010");
    let json = fs::read_to_string(checkpoint.join("checkpoint.json")).expect("it was saved");
    for (new, old) in [("\"num_layers\"", "layers"), ("\"batch_size\"", "rows")] {
        let older = json.replace(new, &format!("\"{old}\""));
        let hash = format!("{}  checkpoint.json\n", system::sha256(older.as_bytes()));
        fs::write(checkpoint.join("checkpoint.json"), older).expect("it can be changed");
        fs::write(checkpoint.join("checkpoint.sha256"), hash).expect("it can be changed");
        let output = workshop.pretrain("out", &["--resume"]);
        assert_eq!(output.status.code(), Some(1));
        let expected =
            format!("was saved by another version of this program: in its configuration, unknown field `{old}`");
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    }
}

#[test]
fn faults_of_sources_are_shown_in_their_line() {
    let workshop = Workshop::new();
    workshop.write_sums("sums.jsonl", 600);
    for (old, new, message) in [
        ("validation = 0.1", "validation = 1.5", "small.toml:7:14: a share lies between 0 and 1, not at 1.5"),
        ("weight = 0.3", "weight = -1", "small.toml:13:10: the weight of a source is above 0, and not -1"),
        ("sums.jsonl", "nowhere.jsonl", "small.toml:12:8: there is no file or folder"),
        (
            "sums.jsonl",
            "small.toml",
            "small.toml: its name ends with none of .parquet and .jsonl, nor with .jsonl and .gz",
        ),
        ("validation", "mixture = \"mixture\"\nvalidation", "[data] names either a `mixture` or `sources`"),
        ("best_fit", "worst_fit", "small.toml:5:11: unknown variant `worst_fit`"),
    ] {
        workshop.set_data(&TWO_SOURCES.replace(old, new));
        let output = workshop.pretrain("out", &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert!(!workshop.path().join("out").exists());
    }
}

/// A file of a run that is not the one its manifest lists is refused, though it can be read; so is a manifest that cannot.
#[test]
fn a_file_of_a_run_is_the_one_that_was_written() {
    let workshop = Workshop::new();
    let run = workshop.path().join("run");
    let folder = run.join("mixtures/text");
    fs::create_dir_all(&folder).expect("the folder can be made");
    let mut outputs = Vec::new();
    for split in ["train", "validation"] {
        let name = format!("{split}-00000-of-00001.parquet");
        let bytes = fs::read(workshop.path().join("mixture").join(&name)).expect("it was written");
        fs::write(folder.join(&name), &bytes).expect("it can be written");
        let (path, sha256) = (format!("mixtures/text/{name}"), system::sha256(&bytes));
        outputs.push(json!({ "path": path, "bytes": bytes.len(), "sha256": sha256 }));
    }
    let manifest = json!({ "name": "run", "recipe": {}, "outputs": outputs }).to_string();
    fs::write(run.join("manifest.json"), &manifest).expect("it can be written");
    workshop.set_data("mixture = \"run/mixtures/text\"");
    workshop.pretrain_well("sound", &["--until", "1"]);

    let path = folder.join("train-00000-of-00001.parquet");
    let mut bytes = fs::read(&path).expect("it was written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("it can be changed");
    let made = workshop.path().join("made.json");
    let tokenizer = train(&["tokenizer", text(&folder), "--vocab-size", "300", "--out", text(&made)]);
    for output in [workshop.pretrain("out", &[]), tokenizer] {
        assert_eq!(output.status.code(), Some(1));
        let error = stderr(&output);
        let message = "train-00000-of-00001.parquet is not the file that `curate run` wrote: its SHA-256 is";
        assert!(error.contains(message) && error.contains("give the run again"), "{error}");
    }
    fs::write(run.join("manifest.json"), &manifest[..manifest.len() / 2]).expect("it can be cut");
    let output = workshop.pretrain("out", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("run/manifest.json is damaged"), "{}", stderr(&output));
}

/// Over a tokenizer whose merges do not fit its prefix, the crate that reads it panics: the file is named, in a training and where a model
/// comes with it.
#[test]
fn a_tokenizer_whose_parts_do_not_fit_is_named() {
    let workshop = Workshop::new();
    let path = |name: &str| workshop.path().join(name);
    workshop.pretrain_well("model", &["--until", "1"]);
    let output = train(&["export", text(&path("model")), "--out", text(&path("exported"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    for name in ["tokenizer.json", "exported/tokenizer.json"] {
        let json = fs::read_to_string(path(name)).expect("it was written");
        let mut json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        json["model"]["continuing_subword_prefix"] = "##".into();
        fs::write(path(name), json.to_string()).expect("it can be changed");
    }
    let imported = train(&["import", text(&path("exported")), "--out", text(&path("imported"))]);
    for output in [workshop.pretrain("out", &[]), imported] {
        assert_eq!(output.status.code(), Some(1));
        let error = stderr(&output);
        assert!(error.contains("tokenizer.json is damaged: the crate `tokenizers` cannot read it"), "{error}");
        assert!(!error.contains("panicked"), "{error}");
    }
}

/// A row that cannot be read is named by its file and line; what was tokenized of the file before it is not kept.
#[test]
fn a_row_that_is_none_is_named() {
    let workshop = Workshop::new();
    workshop.write_sums("sums.jsonl", 600);
    workshop.set_data(TWO_SOURCES);
    let path = workshop.path().join("sums.jsonl");
    let lines = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, format!("{lines}{{\"prompt\": \"2 and 2 are\"}}\n")).expect("it can be written");
    let output = workshop.pretrain("out", &[]);
    assert_eq!(output.status.code(), Some(1));
    let message = "sums.jsonl is damaged: line 601: it has neither `text` nor `prompt` and `completion`";
    assert!(stderr(&output).contains(message), "{}", stderr(&output));

    fs::write(&path, "{\"text\": \"2\"}\n").expect("it can be written");
    let output = workshop.pretrain("out", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("sums.jsonl: its"), "{}", stderr(&output));
    assert!(stderr(&output).contains("fewer than one sequence of 32"), "{}", stderr(&output));
    let names = fs::read_dir(workshop.path().join("out/tokens")).expect("there is a cache");
    let names: Vec<String> =
        names.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    assert!(names.iter().all(|name| !name.ends_with(".partial")), "{names:?}");
}

/// A checkpoint that was cut short is named, and so are its bytes; the ones before it stay.
#[test]
fn a_checkpoint_cut_short_is_named() {
    let workshop = Workshop::new();
    workshop.pretrain_well("out", &["--until", "20"]);
    let before = workshop.checkpoint("out", 10);
    let model = workshop.path().join("out/checkpoints/step-00000020/model.safetensors");
    let bytes = fs::read(&model).expect("it was saved");
    fs::write(&model, &bytes[..bytes.len() / 3]).expect("it can be cut");
    for output in [workshop.pretrain("out", &["--resume"]), train(&["generate", text(&workshop.path().join("out"))])] {
        assert_eq!(output.status.code(), Some(1));
        let error = stderr(&output);
        assert!(error.contains("step-00000020/model.safetensors is damaged: it has"), "{error}");
    }
    assert_eq!(before, workshop.checkpoint("out", 10));

    fs::remove_dir_all(workshop.path().join("out/checkpoints/step-00000020")).expect("it can be removed");
    workshop.pretrain_well("out", &["--resume", "--until", "20"]);
    assert_eq!(fs::read(&model).expect("it was saved again"), bytes);
}

/// A training is not written over, and not gone on with by another.
#[test]
fn a_training_goes_on_with_itself_alone() {
    let workshop = Workshop::new();
    let output = workshop.pretrain("out", &["--resume"]);
    assert!(stderr(&output).contains("holds no checkpoint"), "{}", stderr(&output));
    workshop.pretrain_well("out", &["--until", "10"]);
    let output = workshop.pretrain("out", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("already holds a training; go on with it by --resume"), "{}", stderr(&output));
    let output = workshop.pretrain("out", &["--resume", "--set", "learning_rate.peak=0.5"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`learning_rate.peak` was 0.01, and is 0.5"), "{}", stderr(&output));
    assert!(stderr(&output).contains("may change `training.log_every`"), "{}", stderr(&output));

    let texts = workshop.path().join("mixture/train-00000-of-00001.parquet");
    fs::copy(workshop.path().join("mixture/validation-00000-of-00001.parquet"), texts).expect("it can be replaced");
    let output = workshop.pretrain("out", &["--resume", "--set", "training.gradient_accumulation=2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`training.gradient_accumulation` was 1, and is 2"), "{}", stderr(&output));
    assert!(stderr(&output).contains("the documents are in other files, or changed"), "{}", stderr(&output));
}

/// What reads nothing has done nothing, and does not end well.
#[test]
fn nothing_to_read_is_an_error() {
    let workshop = Workshop::new();
    let empty = workshop.path().join("empty.jsonl");
    for lines in ["", "\n\n", "{\"text\": \"\"}\n"] {
        fs::write(&empty, lines).expect("it can be written");
        let made = workshop.path().join("made.json");
        let output = train(&["tokenizer", text(&empty), "--vocab-size", "300", "--out", text(&made)]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("empty.jsonl: no document has any text"), "{}", stderr(&output));
        assert!(!made.exists());

        workshop.set_data("mixture = \"empty.jsonl\"");
        let output = workshop.pretrain("out", &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("empty.jsonl: its training split has"), "{}", stderr(&output));
        assert!(workshop.saved("out").is_empty());
    }
}

/// A number on the command line that means nothing is refused before anything is read, with its flag.
#[test]
fn numbers_out_of_their_range_are_refused() {
    for (command, flag, value, message) in [
        ("tokenizer", "--max-lost-rate", "5", "a share lies between 0 and 1: for 5 %, write 0.05"),
        ("tokenizer", "--max-lost-rate", "nan", "a share lies between 0 and 1, and NaN does not"),
        ("generate", "--temperature", "nan", "NaN is no number to compute with"),
        ("generate", "--top-p", "0", "above 0 and at most 1, not 0"),
        ("generate", "--top-p", "2", "above 0 and at most 1, not 2"),
        ("generate", "--stop", "", "a string to stop before has a character at least"),
    ] {
        let output = train(&[command, "nowhere", flag, value]);
        assert_eq!(output.status.code(), Some(2));
        let error = stderr(&output);
        assert!(error.contains(flag) && error.contains(message), "{error}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let workshop = Workshop::new();
    fs::write(workshop.path().join("file"), "no folder").expect("the file can be written");
    let output = workshop.pretrain("file/out", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("file/out"), "{}", stderr(&output));
}

#[test]
fn a_gpu_that_this_program_cannot_use_is_named() {
    if cfg!(feature = "cuda") {
        skipped("a_gpu_that_this_program_cannot_use_is_named", "this program can use GPUs");
        return;
    }
    let workshop = Workshop::new();
    let output = workshop.pretrain("out", &["--device", "cuda:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("device `cuda:0`: this program was built without the feature `cuda`"));
    let output = workshop.pretrain("out", &["--device", "abacus"]);
    assert_eq!(output.status.code(), Some(2));
}
