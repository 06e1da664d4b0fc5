//! Reward models and direct preference optimization: trained on rankings, asked, and refused what they cannot learn from.

use std::{
    fs::{self, File},
    path::Path,
    process::Output,
};

use arrow::{
    array::{AsArray as _, RecordBatch},
    datatypes::Float32Type,
};
use fixtures::dice::Dice;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::support::{Workshop, stderr, text, train};

const REWARD: &str = r#"seed = 1

[data]
mixture = "rankings"

[model]
from = "base"

[training]
steps = 60
batch_size = 8
evaluate_every = 20
save_every = 20

[learning_rate]
peak = 1e-2
warmup_steps = 5
"#;

const GOOD: [&str; 4] = ["warm", "bright", "funny", "tender"];
const BAD: [&str; 4] = ["dull", "cold", "loud", "stale"];

/// Some words, and how many of them are good.
fn answer(dice: &mut Dice) -> (String, usize) {
    let words: Vec<(&str, bool)> = (0..dice.between(1, 4))
        .map(|_| {
            let good = dice.below(2) == 1;
            (*dice.pick(if good { &GOOD[..] } else { &BAD }), good)
        })
        .collect();
    let good = words.iter().filter(|(_, good)| *good).count();
    (format!(" {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" ")), good)
}

/// A ranking by how many good words an answer has: equal ones are a tie.
fn ranking(number: usize, dice: &mut Dice) -> Value {
    let answers: Vec<(String, usize)> = (0..dice.between(2, 4)).map(|_| answer(dice)).collect();
    let rank = |good: usize| 1 + answers.iter().filter(|(_, other)| *other > good).count();
    let ranks: Vec<usize> = answers.iter().map(|(_, good)| rank(*good)).collect();
    let texts: Vec<&str> = answers.iter().map(|(text, _)| text.as_str()).collect();
    json!({"id": format!("row {number}"), "prompt": format!("Film {number}:"), "answers": texts, "ranks": ranks})
}

fn lines(rows: impl IntoIterator<Item = Value>) -> String {
    rows.into_iter().map(|row| row.to_string() + "\n").collect()
}

/// A workshop with a model, rankings, and configurations for both programs.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.pretrain_well("base", &["--until", "3"]);
    fs::create_dir(workshop.path().join("rankings")).expect("it can be made");
    for (name, count) in [("train", 240), ("validation", 60)] {
        let mut dice = Dice::new(1, name);
        write(&workshop, &format!("rankings/{name}-0.jsonl"), &lines((0..count).map(|row| ranking(row, &mut dice))));
    }
    write(&workshop, "reward.toml", REWARD);
    write(&workshop, "dpo.toml", &(REWARD.replace("1e-2", "3e-3") + "\n[dpo]\nbeta = 0.2\n"));
    workshop
}

fn write(workshop: &Workshop, name: &str, text: &str) {
    fs::write(workshop.path().join(name), text).expect("it can be written");
}

/// A program with its output in a folder.
fn run_in(workshop: &Workshop, program: &str, out: &str, more: &[&str]) -> Output {
    let (config, out) = (workshop.path().join(format!("{program}.toml")), workshop.path().join(out));
    train(&[&[program, text(&config), "--out", text(&out)], more].concat())
}

/// The same in the folder of its name.
fn run(workshop: &Workshop, program: &str, more: &[&str]) -> Output {
    run_in(workshop, program, program, more)
}

fn run_well(workshop: &Workshop, program: &str, more: &[&str]) -> (String, String) {
    let output = run(workshop, program, more);
    assert!(output.status.success(), "{}", stderr(&output));
    (String::from_utf8(output.stdout.clone()).expect("it is text"), stderr(&output))
}

fn score(workshop: &Workshop, file: &str) -> (String, RecordBatch) {
    let out = workshop.path().join("rewards.parquet");
    let (folder, file) = (workshop.path().join("reward"), workshop.path().join(file));
    let output = train(&["reward", "--score", text(&folder), "--out", text(&out), text(&file)]);
    assert!(output.status.success(), "{}", stderr(&output));
    (String::from_utf8(output.stdout).expect("it is text"), read(&out))
}

fn read(path: &Path) -> RecordBatch {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rows = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet").build().expect("it is sound");
    rows.next().expect("there are rows").expect("they can be read")
}

/// A reward model learns what made answers better, says how well, has its 0 at the demonstrations, and scores what nobody ranked: a row a row.
#[test]
fn a_reward_model_ranks_as_people_did() {
    let workshop = workshop();
    let demonstrations = (0..40).map(|row| json!({"prompt": format!("Film {row}:"), "completion": " warm bright"}));
    write(&workshop, "demonstrations.jsonl", &lines(demonstrations));
    write(&workshop, "reward.toml", &format!("{REWARD}\n[reward]\ndemonstrations = \"demonstrations.jsonl\"\n"));
    let (printed, said) = run_well(&workshop, "reward", &[]);
    assert!(said.contains("rewards are shifted by") && said.contains("40 demonstrations in"), "{said}");

    let evaluation: Value =
        serde_json::from_slice(&fs::read(workshop.path().join("reward/evaluation.json")).expect("it is there"))
            .expect("it is JSON");
    let accuracy = evaluation["accuracy"].as_f64().expect("a number");
    assert!(accuracy > 0.9, "{evaluation:#}");
    assert!(printed.contains(&format!("accuracy {accuracy:.4}")), "{printed}");
    let card = fs::read_to_string(workshop.path().join("reward/card.md")).expect("it is there");
    assert!(card.contains("## By length") && card.contains(&format!("{accuracy:.4}")), "{card}");

    // once more at its end, it finds the same 0
    let normalization = || fs::read_to_string(workshop.path().join("reward/reward.json")).expect("it is there");
    let before = normalization();
    run_well(&workshop, "reward", &["--resume"]);
    assert_eq!(normalization(), before);

    // the demonstrations themselves have a mean of 0 now
    let (said, rewards) = score(&workshop, "demonstrations.jsonl");
    let rewards = rewards.column_by_name("reward").expect("a reward a row").as_primitive::<Float32Type>().clone();
    let mean: f32 = rewards.values().iter().sum::<f32>() / 40.0;
    assert!(rewards.len() == 40 && mean.abs() < 1e-3, "{mean}: {said}");

    // what cannot be scored has no reward, and is counted; nothing is lost
    let rows = [
        json!({"id": "a", "prompt": "Film:", "answers": [" warm", ""]}),
        json!({"id": "b", "prompt": "Film:", "chosen": " warm", "rejected": " cold".repeat(400)}),
        json!({"id": "c", "prompt": "Film:", "completion": " dull dull"}),
    ];
    write(&workshop, "odd.jsonl", &lines(rows));
    let (said, rewards) = score(&workshop, "odd.jsonl");
    assert!(said.contains("3 rows, 3 answers") && said.contains("2 answers are empty, or longer"), "{said}");
    let lists = rewards.column_by_name("rewards").expect("a list a row").as_list::<i32>().clone();
    let by_row = |row: usize| lists.value(row).as_primitive::<Float32Type>().iter().collect::<Vec<_>>();
    assert!(matches!(by_row(0)[..], [Some(_), None]) && matches!(by_row(1)[..], [Some(_), None]));
    let [warm, dull] = [by_row(0)[0], by_row(2)[0]].map(|reward| reward.expect("it has one"));
    assert!(warm > dull, "{warm} is not above {dull}");
}

/// Direct preference optimization begins at a coin for each pair, and ends with the better answers likelier; a model of it writes.
#[test]
fn preferences_move_a_model() {
    let workshop = workshop();
    let (_, said) = run_well(&workshop, "dpo", &[]);
    assert!(said.contains("step      0  validation loss 0.6931, accuracy 0.5000, margin 0.0000"), "{said}");
    let metrics = workshop.metrics("dpo");
    let last = metrics.iter().rev().find_map(|line| line["validation_accuracy"].as_f64()).expect("it was evaluated");
    assert!(last > 0.75, "{last}");
    let out = workshop.path().join("dpo");
    let output = train(&["generate", text(&out), "--prompt", "Film 3:", "--tokens", "4", "--temperature", "0"]);
    assert!(output.status.success() && !output.stdout.is_empty(), "{}", stderr(&output));
}

/// What nothing can be learnt from is skipped by name, and what is no ranking is refused with its place.
#[test]
fn rankings_at_fault_are_named() {
    let workshop = workshop();
    let mut dice = Dice::new(2, "faults");
    let sound: Vec<Value> = (0..40).map(|row| ranking(row, &mut dice)).collect();
    let odd = [
        json!({"prompt": "p", "answers": ["a"], "ranks": [1]}),
        json!({"prompt": "p", "answers": ["a", "b"], "ranks": [1, 1]}),
        json!({"prompt": "p", "answers": ["a", "a"], "ranks": [1, 2]}),
        json!({"prompt": "p", "answers": ["a", ""], "ranks": [1, 2]}),
        json!({"prompt": "p", "answers": ["a", "cold ".repeat(400)], "ranks": [1, 2]}),
    ];
    write(&workshop, "odd.jsonl", &lines(odd.into_iter().chain(sound.iter().cloned())));
    let setting = |name: &str| format!("data.mixture={}", text(&workshop.path().join(name)));
    let (_, said) = run_well(&workshop, "reward", &["--set", &setting("odd.jsonl"), "--set", "training.steps=2"]);
    let side = said.lines().find(|line| line.contains("skipped")).expect("something was skipped");
    for reason in ["fewer than two answers", "alike", "contradict", "an empty answer", "too long"] {
        assert!(side.contains(reason), "{reason}: {side}");
    }

    for (row, message) in [
        (json!({"prompt": "p", "answers": ["a", "b"], "ranks": [1]}), "line 1: `answers` has 2 items and `ranks` 1"),
        (json!({"answers": ["a", "b"], "ranks": [1, 2]}), "line 1: `prompt` is not there"),
        (json!({"prompt": "p", "completion": "a"}), "its rows are prompts with completions, which `train tune` takes"),
        (
            json!({"prompt": "p", "chosen": [{"role": "assistant", "content": "a"}], "rejected": []}),
            "line 1: `chosen` is a list, as of messages, and texts are wanted",
        ),
    ] {
        write(&workshop, "fault.jsonl", &lines([row]));
        for program in ["reward", "dpo"] {
            let output = run_in(&workshop, program, "refused", &["--set", &setting("fault.jsonl")]);
            assert!(!output.status.success() && stderr(&output).contains(message), "{program}: {}", stderr(&output));
        }
    }
    write(&workshop, "same.jsonl", &lines((0..9).map(|_| json!({"prompt": "p", "chosen": "a", "rejected": "b"}))));
    let output = run(&workshop, "dpo", &["--set", &setting("same.jsonl")]);
    assert!(stderr(&output).contains("all 9 are held out") || stderr(&output).contains("no ranking to judge by"));
    let output = run(&workshop, "dpo", &["--set", "dpo.beta=0"]);
    assert!(stderr(&output).contains("it has to be more than 0, and is 0"), "{}", stderr(&output));
    let none = "model={ num_layers = 1, num_heads = 1, hidden_size = 8, context_length = 32 }";
    let output = run(
        &workshop,
        "dpo",
        &["--set", none, "--set", &format!("data.tokenizer={}", text(&workshop.path().join("tokenizer.json")))],
    );
    assert!(stderr(&output).contains("preferences are learnt by a model that writes already"), "{}", stderr(&output));
}
