//! What every kind of training promises: a list of them, each small enough to be run many times.
//!
//! A kind that is new is a row of [`PROGRAMS`].

use std::{
    fs,
    path::Path,
    process::{Child, Output, Stdio},
};

use train::optimize::OptimizerName;

use crate::support::{Workshop, program, stderr, text, train};

/// A kind of training.
pub struct Program {
    /// What it is called in messages, and its configuration's file.
    pub name: &'static str,
    command: &'static str,
    /// What it learns from.
    data: &'static str,
    /// The model, and what else is its own.
    model: &'static str,
}

/// From nothing.
const DECODER: &str = "
[model]
num_layers = 2
num_heads = 2
hidden_size = 16
context_length = 32
dropout = 0.1
";

/// From nothing, with an encoder.
const T5: &str = "
[model]
family = \"t5\"
num_layers = 2
num_heads = 2
hidden_size = 16
context_length = 32
dropout = 0.1
";

/// From a decoder that has begun to learn.
const BASE: &str = "
[model]
from = \"base\"
dropout = 0.1
";

pub const PROGRAMS: &[Program] = &[
    Program {
        name: "decoder",
        command: "pretrain",
        data: "mixture = \"mixture\"\ntokenizer = \"tokenizer.json\"",
        model: DECODER,
    },
    // two sources by weight, one of them with prompts
    Program {
        name: "t5",
        command: "pretrain",
        data: "tokenizer = \"sentinels.json\"\nvalidation = 0.1
sources.texts = { path = \"mixture\", weight = 0.7 }
sources.sums = { path = \"sums.jsonl\", weight = 0.3 }",
        model: T5,
    },
    // prompts with completions and conversations, by weight
    Program {
        name: "tune",
        command: "tune",
        data: "validation = 0.1
sources.sums = { path = \"sums.jsonl\", weight = 0.7 }
sources.talks = { path = \"talks.jsonl\", weight = 0.3 }",
        model: BASE,
    },
    Program {
        name: "tune-lora",
        command: "tune",
        data: "mixture = \"sums.jsonl\"\nvalidation = 0.1",
        model: "
[model]
from = \"base\"
[lora]
rank = 2
alpha = 4
dropout = 0.1
targets = \"all-linear\"
",
    },
    Program {
        name: "tune-t5",
        command: "tune",
        data: "mixture = \"sums.jsonl\"\ntokenizer = \"sentinels.json\"\nvalidation = 0.1",
        model: T5,
    },
    Program {
        name: "classify",
        command: "classify",
        data: "mixture = \"labels.jsonl\"",
        model: "
[model]
from = \"base\"
dropout = 0.1
[classifier]
kind = \"classification\"
",
    },
    // rankings of two answers and more
    Program { name: "reward", command: "reward", data: "mixture = \"rankings.jsonl\"", model: BASE },
    Program { name: "dpo", command: "dpo", data: "mixture = \"rankings.jsonl\"", model: BASE },
    Program {
        name: "dpo-lora",
        command: "dpo",
        data: "mixture = \"rankings.jsonl\"",
        model: "
[model]
from = \"base\"
[lora]
rank = 2
alpha = 4
dropout = 0.1
targets = \"all-linear\"
[dpo]
loss = \"ipo\"
",
    },
    // one encoder, and two with hard negatives and answers; in two parts, whose vectors are found before
    Program {
        name: "retrieve",
        command: "retrieve",
        data: "mixture = \"questions.jsonl\"\nvalidation = 0.1",
        model: BASE,
    },
    Program {
        name: "retrieve-two",
        command: "retrieve",
        data: "mixture = \"questions.jsonl\"\nvalidation = 0.1",
        model: "
[model]
from = \"base\"
dropout = 0.1
[encoder]
shared = false
pooling = \"mean\"
similarity = \"cosine\"
hard_negatives = 2
",
    },
    // stopped in the middle of a rollout, whose coefficient has changed before, and with texts beside it
    Program { name: "ppo", command: "ppo", data: "mixture = \"rankings.jsonl\"", model: PPO },
    Program { name: "ppo-lora", command: "ppo", data: "mixture = \"rankings.jsonl\"", model: PPO_LORA },
];

const PPO: &str = "
[model]
from = \"base\"
[reward]
model = \"judge\"
[ppo]
episodes = 8
epochs = 2
max_new_tokens = 5
kl_target = 0.1
kl_horizon = 20.0
[pretraining]
mixture = \"mixture\"
weight = 0.5
";

const PPO_LORA: &str = "
[model]
from = \"base\"
[lora]
rank = 2
alpha = 4
targets = \"all-linear\"
[reward]
model = \"judge\"
[ppo]
episodes = 8
max_new_tokens = 5
missing_eos_penalty = 1.0
";

/// The tables of the loop, which are everyone's.
const LOOP: &str = "
[training]
steps = 24
batch_size = 4
gradient_accumulation = 2
log_every = 3
evaluate_every = 8
save_every = 6
[learning_rate]
peak = 1e-2
warmup_steps = 4
";

impl Program {
    /// Writes what it reads.
    pub fn prepare(&self, workshop: &Workshop) {
        workshop.write_sums("sums.jsonl", 600);
        write_sentinels(workshop);
        write_talks(&workshop.path().join("talks.jsonl"));
        write_labels(&workshop.path().join("labels.jsonl"));
        write_rankings(&workshop.path().join("rankings.jsonl"));
        write_questions(&workshop.path().join("questions.jsonl"));
        workshop.pretrain_well("base", &["--until", "3"]);
        if self.command == "ppo" {
            let judge = PROGRAMS.iter().find(|program| program.name == "reward").expect("there is one");
            judge.write(workshop);
            judge.run_well(workshop, "judge", &[], &[]);
        }
        self.write(workshop);
    }

    /// Writes its configuration.
    fn write(&self, workshop: &Workshop) {
        fs::write(self.file(workshop.path()), format!("seed = 1\n[data]\n{}\n{}{LOOP}", self.data, self.model))
            .expect("it can be written");
    }

    fn file(&self, folder: &Path) -> std::path::PathBuf {
        folder.join(format!("{}.toml", self.name))
    }

    fn arguments(&self, workshop: &Workshop, out: &str, settings: &[&str], more: &[&str]) -> Vec<String> {
        let (config, out) = (self.file(workshop.path()), workshop.path().join(out));
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let all = [self.command, text(&config), "--out", text(&out)].into_iter().chain(settings);
        all.chain(more.iter().copied()).map(str::to_owned).collect()
    }

    /// Runs it with some settings and further arguments.
    pub fn run(&self, workshop: &Workshop, out: &str, settings: &[&str], more: &[&str]) -> Output {
        let arguments = self.arguments(workshop, out, settings, more);
        train(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn run_well(&self, workshop: &Workshop, out: &str, settings: &[&str], more: &[&str]) {
        let output = self.run(workshop, out, settings, more);
        assert!(output.status.success(), "{}: {}", self.name, stderr(&output));
    }

    /// Starts it and does not wait for its end.
    pub fn start(&self, workshop: &Workshop, out: &str, settings: &[&str]) -> Child {
        // nobody reads what it would say, and a full pipe would stop it
        let arguments = self.arguments(workshop, out, settings, &["--quiet"]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        program(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it can be started")
    }
}

fn write_talks(path: &Path) {
    let line = |number: usize| {
        let messages = serde_json::json!([
            {"role": "user", "content": format!("Say {number}.")},
            {"role": "assistant", "content": number.to_string()},
            {"role": "user", "content": "Once more."},
            {"role": "assistant", "content": number.to_string()},
        ]);
        format!("{}\n", serde_json::json!({ "messages": messages }))
    };
    fs::write(path, (0..200).map(line).collect::<String>()).expect("it can be written");
}

fn write_labels(path: &Path) {
    let line = |number: usize| {
        let sequence = format!("<|start|>the number {number}<|extract|>");
        format!("{}\n", serde_json::json!({ "sequences": [sequence], "label": number % 2 }))
    };
    fs::write(path, (0..300).map(line).collect::<String>()).expect("it can be written");
}

fn write_rankings(path: &Path) {
    let line = |number: usize| {
        let answers: Vec<String> = (0..2 + number % 3).map(|place| format!(" {}", number + place)).collect();
        let ranks: Vec<usize> = (0..answers.len()).map(|place| 1 + (place + number) % answers.len()).collect();
        let prompt = format!("the number {number}");
        format!("{}\n", serde_json::json!({ "prompt": prompt, "answers": answers, "ranks": ranks }))
    };
    fs::write(path, (0..200).map(line).collect::<String>()).expect("it can be written");
}

fn write_questions(path: &Path) {
    let line = |number: usize| {
        let negatives: Vec<String> = (1..=number % 4).map(|other| format!("It is {}.", number + other)).collect();
        let (query, positive) = (format!("What is {number}?"), format!("It is {number}."));
        let answers = [number.to_string()];
        let row =
            serde_json::json!({ "query": query, "positive": positive, "negatives": negatives, "answers": answers });
        format!("{row}\n")
    };
    fs::write(path, (0..200).map(line).collect::<String>()).expect("it can be written");
}

/// A tokenizer with sentinels, as `sentinels.json`.
pub fn write_sentinels(workshop: &Workshop) {
    let (corpus, out) = (workshop.path().join("mixture"), workshop.path().join("sentinels.json"));
    let output = train(&["tokenizer", text(&corpus), "--vocab-size", "310", "--extra-ids", "10", "--out", text(&out)]);
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Stopped and resumed at several steps, between checkpoints and at one, each ends on the same bits with each optimizer: weights, the states
/// of the optimizer, what else a checkpoint holds, and metrics. With one of them weights are averaged, too.
#[test]
fn every_program_goes_on_exactly_with_every_optimizer() {
    for program in PROGRAMS {
        let workshop = Workshop::new();
        program.prepare(&workshop);
        for name in OptimizerName::ALL {
            let name = serde_json::to_value(name).expect("a name is JSON");
            let name = name.as_str().expect("a name is a string");
            let optimizer = format!("optimizer={{ name = \"{name}\" }}");
            let average = ["training.ema_decay=0.9"];
            let averaged = if name == "muon" { &average[..] } else { &[] };
            let settings = [&[optimizer.as_str()], averaged].concat();
            let (whole, stopped) = (format!("{name}/whole"), format!("{name}/stopped"));
            program.run_well(&workshop, &whole, &settings, &[]);
            program.run_well(&workshop, &stopped, &settings, &["--until", "5"]);
            for until in ["12", "19", "24"] {
                program.run_well(&workshop, &stopped, &settings, &["--resume", "--until", until]);
            }
            let what = format!("{} with {name}", program.name);
            assert!(workshop.tensors(&whole, 24) == workshop.tensors(&stopped, 24), "{what}: other bits");
            assert_eq!(workshop.metrics(&whole), workshop.metrics(&stopped), "{what}");
        }
    }
}
