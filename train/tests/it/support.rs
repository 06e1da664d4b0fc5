//! A small mixture, and running the program on it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use fixtures::{
    dice::Dice,
    prose::{Language, TOPICS},
};
use parquet::arrow::ArrowWriter;
use serde_json::Value;
use tempfile::TempDir;

/// A mixture, a tokenizer and a configuration in one folder.
pub struct Workshop {
    folder: TempDir,
}

const CONFIG: &str = r#"seed = 1

[data]
mixture = "mixture"
tokenizer = "tokenizer.json"

[model]
num_layers = 2
num_heads = 2
hidden_size = 16
context_length = 32

[training]
steps = 40
batch_size = 4
log_every = 5
evaluate_every = 20
save_every = 10

[learning_rate]
peak = 1e-2
warmup_steps = 5
"#;

impl Workshop {
    /// A program that can be run, of some lines of the shell.
    pub fn script(&self, name: &str, lines: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be made executable");
        path
    }

    pub fn new() -> Self {
        let workshop = Self { folder: tempfile::tempdir().expect("the temporary folder can be written") };
        fs::create_dir(workshop.path().join("mixture")).expect("the folder can be made");
        for (split, documents) in [("train", 60), ("validation", 6)] {
            write_texts(&workshop.path().join(format!("mixture/{split}-00000-of-00001.parquet")), split, documents);
        }
        fs::write(workshop.path().join("small.toml"), CONFIG).expect("the configuration can be written");
        let mixture = workshop.path().join("mixture");
        let tokenizer = workshop.path().join("tokenizer.json");
        let output = train(&["tokenizer", text(&mixture), "--vocab-size", "300", "--out", text(&tokenizer)]);
        assert!(output.status.success(), "{}", stderr(&output));
        workshop
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts `lines` in the place of what the configuration says of data, but for the tokenizer.
    pub fn set_data(&self, lines: &str) {
        let (before, rest) = CONFIG.split_once("mixture = \"mixture\"\n").expect("the configuration names a mixture");
        let (tokenizer, after) = rest.split_once("\n\n").expect("it has other parts");
        let config = format!("{before}{tokenizer}\n{lines}\n\n{after}");
        fs::write(self.path().join("small.toml"), config).expect("the configuration can be written");
    }

    /// Writes `count` sums as JSON lines with prompts and completions.
    pub fn write_sums(&self, name: &str, count: usize) {
        let mut dice = Dice::new(1, name);
        let line = |_| {
            let (one, other) = (dice.below(50), dice.below(50));
            format!("{{\"prompt\": \"{one} and {other} are\", \"completion\": \" {}\"}}\n", one + other)
        };
        fs::write(self.path().join(name), (0..count).map(line).collect::<String>()).expect("the file can be written");
    }

    /// `train pretrain` with its output in the folder `out`.
    pub fn pretrain(&self, out: &str, more: &[&str]) -> Output {
        train(&[&self.arguments(out), more].concat())
    }

    pub fn arguments(&self, out: &str) -> [&str; 4] {
        let path = |name: &str| Box::leak(self.path().join(name).into_boxed_path());
        ["pretrain", text(path("small.toml")), "--out", text(path(out))]
    }

    /// The same, which must succeed.
    pub fn pretrain_well(&self, out: &str, more: &[&str]) {
        let output = self.pretrain(out, more);
        assert!(output.status.success(), "{}", stderr(&output));
    }

    /// What each line of the metrics says, but for times.
    pub fn metrics(&self, out: &str) -> Vec<Value> {
        let lines = fs::read_to_string(self.path().join(out).join("metrics.jsonl")).expect("there are metrics");
        let timeless = |line: &str| {
            let mut line: Value = serde_json::from_str(line).expect("a line is JSON");
            let object = line.as_object_mut().expect("a line is an object");
            object.retain(|key, _| !["seconds", "tokens_per_second", "seconds_left"].contains(&key.as_str()));
            line
        };
        lines.lines().map(timeless).collect()
    }

    /// The steps of the checkpoints.
    pub fn saved(&self, out: &str) -> Vec<u64> {
        let entries = fs::read_dir(self.path().join(out).join("checkpoints"));
        let names = entries.into_iter().flatten().map(|entry| entry.expect("it can be listed").file_name());
        let mut steps: Vec<u64> = names.filter_map(|name| name.to_str()?.strip_prefix("step-")?.parse().ok()).collect();
        steps.sort_unstable();
        steps
    }

    /// Starts `train pretrain` and does not wait for its end.
    pub fn starting(&self, out: &str, more: &[&str]) -> Child {
        let arguments = [&self.arguments(out), more].concat();
        program(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be started")
    }

    /// All files of tensors after a step, by their names.
    pub fn tensors(&self, out: &str, step: u64) -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = self.path().join(out).join(format!("checkpoints/step-{step:08}"));
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let paths = entries.map(|entry| entry.expect("it can be listed").path());
        let tensors = paths.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
        let read = |path: PathBuf| {
            let bytes = fs::read(&path).expect("it can be read");
            (path.file_name().expect("a file has a name").into(), bytes)
        };
        tensors.map(read).collect()
    }

    /// The weights and the optimizer's states after a step.
    pub fn checkpoint(&self, out: &str, step: u64) -> [Vec<u8>; 2] {
        ["model.safetensors", "optimizer.safetensors"].map(|name| {
            let path = self.path().join(out).join(format!("checkpoints/step-{step:08}")).join(name);
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        })
    }
}

fn write_texts(path: &Path, purpose: &str, documents: usize) {
    let mut dice = Dice::new(1, purpose);
    let texts =
        (0..documents).map(|number| Language::English.paragraphs(&TOPICS[number % 10], 80, &mut dice).join("\n"));
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, false)]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).expect("one column has one length");
    let file = File::create(path).expect("the file can be made");
    let mut writer = ArrowWriter::try_new(file, schema, None).expect("the schema can be written");
    writer.write(&batch).expect("the rows can be written");
    writer.close().expect("the file can be closed");
}

/// Waits until something is so, for a minute at most.
pub fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "nothing happens");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The program with some arguments.
pub fn train(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program can be started")
}

pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.args(arguments).env_remove("RUST_BACKTRACE");
    command
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
