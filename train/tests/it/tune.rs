//! Instruction tuning, as one who does it sees it.

use std::{fs, sync::Arc};

use arrow::{
    array::{ArrayRef, ListBuilder, RecordBatch, StringBuilder, StructBuilder},
    datatypes::{DataType, Field, Fields},
};
use fixtures::dice::Dice;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use train::tokenizer::{ChatTemplate, Tokenizer};

use crate::support::{Workshop, stderr, text, train};

const CONFIG: &str = r#"seed = 1

[data]
DATA
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
evaluate_sequences = 10000
save_every = 10

[learning_rate]
peak = 1e-2
warmup_steps = 5
"#;

/// What is said in turn, the user first.
type Talk = Vec<String>;

impl Workshop {
    /// Writes a configuration for `train tune`, with `data` among what it says of data.
    fn set_tuning(&self, data: &str) {
        // tables come behind keys
        let (keys, tables) =
            data.split_once("\n[").map_or((data, String::new()), |(keys, tables)| (keys, format!("\n[{tables}\n")));
        let config = CONFIG.replace("DATA", keys).replace("\n[model]", &format!("{tables}\n[model]"));
        fs::write(self.path().join("tune.toml"), config).expect("the configuration can be written");
    }

    /// `train tune` with its output in the folder `out`; what it says, whether or not it goes well.
    fn tune(&self, out: &str, more: &[&str]) -> (bool, String) {
        let (config, out) = (self.path().join("tune.toml"), self.path().join(out));
        let output = train(&[&["tune", text(&config), "--out", text(&out), "--plain"], more].concat());
        (output.status.success(), stderr(&output))
    }

    fn tune_well(&self, out: &str, more: &[&str]) -> String {
        let (is_well, said) = self.tune(out, more);
        assert!(is_well, "{said}");
        said
    }

    fn write(&self, name: &str, lines: &[Value]) {
        let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.path().join(name), lines.concat()).expect("the file can be written");
    }

    /// What each evaluation found: the loss, and on how many tokens.
    fn evaluations(&self, out: &str) -> Vec<(f64, u64)> {
        let found = self.metrics(out).into_iter();
        found
            .filter_map(|line| Some((line["validation_loss"].as_f64()?, line["validation_tokens"].as_u64()?)))
            .collect()
    }

    fn own_tokenizer(&self) -> Tokenizer {
        Tokenizer::load(&self.path().join("tokenizer.json")).expect("it was trained")
    }
}

fn talks(purpose: &str, count: usize) -> Vec<Talk> {
    let mut dice = Dice::new(1, purpose);
    let talk = |_| {
        let turns = 1 + dice.below(2);
        (0..turns).flat_map(|_| [format!("is it {}", dice.below(9)), format!("no, {}", dice.below(9))]).collect()
    };
    (0..count).map(talk).collect()
}

fn role(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "user" } else { "assistant" }
}

fn as_messages(talk: &Talk) -> Value {
    let messages = talk.iter().enumerate().map(|(number, said)| json!({"role": role(number), "content": said}));
    json!({ "messages": messages.collect::<Vec<_>>() })
}

fn sums(purpose: &str, count: usize) -> Vec<Value> {
    let mut dice = Dice::new(1, purpose);
    let sum = |_| {
        let (one, other) = (dice.below(50), dice.below(50));
        json!({"prompt": format!("{one} and {other} are"), "completion": format!(" {}", one + other)})
    };
    (0..count).map(sum).collect()
}

/// The loss is taken on completions and the ends behind them, or on all; and it falls.
#[test]
fn completions_are_learnt() {
    let workshop = Workshop::new();
    let (train_rows, validation) = (sums("train", 300), sums("validation", 40));
    fs::create_dir(workshop.path().join("sums")).expect("the folder can be made");
    workshop.write("sums/train-0.jsonl", &train_rows);
    workshop.write("sums/validation-0.jsonl", &validation);
    workshop.set_tuning("mixture = \"sums\"");
    workshop.tune_well("completions", &[]);
    workshop.tune_well("all", &["--set", "data.loss_on=all"]);

    let tokenizer = workshop.own_tokenizer();
    let ids =
        |row: &Value, key: &str| tokenizer.encode(row[key].as_str().expect("a text")).expect("it is text").len() as u64;
    let completions: u64 = validation.iter().map(|row| ids(row, "completion") + 1).sum();
    let prompts: u64 = validation.iter().map(|row| ids(row, "prompt")).sum();
    let found = workshop.evaluations("completions");
    assert!(found.iter().all(|(_, tokens)| *tokens == completions), "{found:?} are not on {completions} tokens");
    assert!(found[found.len() - 1].0 < found[0].0 - 1.0, "{found:?}");
    assert_eq!(workshop.evaluations("all")[0].1, completions + prompts);
}

/// Rows of messages, as JSON lines and as Parquet, are the same training: on the assistant's turns and their ends, through the tokenizer's
/// template or a plain one, which then stands beside the model. Samples are asked for through it, too.
#[test]
fn conversations_are_learnt() {
    let workshop = Workshop::new();
    let (all, held_out) = (talks("train", 200), talks("validation", 30));
    let lines = |talks: &[Talk]| talks.iter().map(as_messages).collect::<Vec<_>>();
    for name in ["lines", "columns"] {
        fs::create_dir(workshop.path().join(name)).expect("the folder can be made");
    }
    for (split, talks) in [("train", &all), ("validation", &held_out)] {
        workshop.write(&format!("lines/{split}-0.jsonl"), &lines(talks));
        write_columns(&workshop.path().join(format!("columns/{split}-0.parquet")), talks);
    }
    let samples = ["--set", "training.samples={ every = 20, prompts = [\"is it 3\"], tokens = 4 }"];
    for name in ["lines", "columns"] {
        workshop.set_tuning(&format!("mixture = \"{name}\""));
        let said = workshop.tune_well(name, &samples);
        assert!(said.contains("conversations are written by the chat template `plain`"), "{said}");
    }
    assert_eq!(workshop.checkpoint("lines", 40)[0], workshop.checkpoint("columns", 40)[0]);
    let tokenizer = workshop.own_tokenizer();
    let count = |text: &str| tokenizer.encode(text).expect("it is text").len() as u64;
    let answers = held_out.iter().flat_map(|talk| talk.iter().skip(1).step_by(2));
    let expected: u64 = answers.map(|answer| count(&format!(" {answer}")) + 1).sum();
    let found = workshop.evaluations("lines");
    assert!(found.iter().all(|(_, tokens)| *tokens == expected), "{found:?} are not on {expected} tokens");
    assert!(found[found.len() - 1].0 < found[0].0 - 1.0, "{found:?}");

    let tuned = Tokenizer::load(&workshop.path().join("lines/tokenizer.json")).expect("it was saved");
    let template = ChatTemplate::of(&tuned, None).expect("it can be read").expect("it is there");
    assert!(template.source().contains("add_generation_prompt"));
    assert!(
        fs::read_to_string(workshop.path().join("lines/samples.jsonl")).expect("they were written").contains("is it 3")
    );

    // the tokenizer's own goes before the plain one, and a file of one's own before that
    let own = |answer: &str| {
        format!(
            "{{% for m in messages %}}{{{{ m.role + ': ' + m.content + ({answer} if m.role == 'assistant' else '') + '\\n' }}}}{{% endfor %}}\
             {{% if add_generation_prompt %}}assistant:{{% endif %}}"
        )
    };
    fs::write(workshop.path().join("chat_template.jinja"), own("eos_token")).expect("it can be written");
    fs::write(workshop.path().join("other.jinja"), own("eos_token + '!'")).expect("it can be written");
    let said = workshop.tune_well("own", &["--set", "training.steps=1"]);
    assert!(said.contains("/chat_template.jinja") && workshop.evaluations("own")[0].1 == expected, "{said}");
    workshop.set_tuning("mixture = \"lines\"\nchat_template = \"other.jinja\"");
    let said = workshop.tune_well("other", &["--set", "training.steps=1"]);
    assert!(said.contains("/other.jinja") && workshop.evaluations("other")[0].1 > expected, "{said}");
    let (is_well, said) = workshop.tune("own", &["--resume"]);
    assert!(!is_well && said.contains("`data.chat_template` was "), "{said}");
}

fn write_columns(path: &std::path::Path, talks: &[Talk]) {
    let fields: Fields = ["role", "content"].map(|name| Field::new(name, DataType::Utf8, true)).into_iter().collect();
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields, 1));
    for talk in talks {
        let messages = lists.values();
        for (number, said) in talk.iter().enumerate() {
            messages.field_builder::<StringBuilder>(0).expect("a text").append_value(role(number));
            messages.field_builder::<StringBuilder>(1).expect("a text").append_value(said);
            messages.append(true);
        }
        lists.append(true);
    }
    let column: ArrayRef = Arc::new(lists.finish());
    let batch = RecordBatch::try_from_iter([("messages", column)]).expect("one column has one length");
    let file = fs::File::create(path).expect("the file can be made");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("the schema can be written");
    writer.write(&batch).and_then(|()| writer.close()).expect("the rows can be written");
}

/// A packed example is as it is alone: nothing that it attends to, nor its positions, is another's. Without masks it is not.
#[test]
fn packed_examples_have_the_loss_that_they_have_alone() {
    let workshop = Workshop::new();
    workshop.pretrain_well("before", &[]);
    workshop.write("sums.jsonl", &sums("train", 200));
    workshop.write("talks.jsonl", &talks("train", 100).iter().map(as_messages).collect::<Vec<_>>());
    workshop.set_tuning("validation = 0.3\n[data.sources.sums]\npath = \"sums.jsonl\"\nweight = 1\n[data.sources.talks]\npath = \"talks.jsonl\"\nweight = 1");
    let config = workshop.path().join("tune.toml");
    let written = fs::read_to_string(&config).expect("it was written");
    let numbers = "num_layers = 2\nnum_heads = 2\nhidden_size = 16\ncontext_length = 32";
    fs::write(&config, written.replace(numbers, "from = \"before\"")).expect("it can be written");
    let loss = |out: &str, settings: &[&str]| -> [(f64, f64); 2] {
        let mut more = vec!["--set", "training.steps=1"];
        settings.iter().for_each(|setting| more.extend(["--set", *setting]));
        let said = workshop.tune_well(out, &more);
        let padding = said.lines().find(|line| line.starts_with("sums: ")).expect("the data is told of");
        let padding = padding.split(" % padding").next().and_then(|line| line.rsplit(' ').next()).expect("its share");
        let first = &workshop.metrics(out).into_iter().find(|line| !line["held_out"].is_null()).expect("an evaluation");
        ["sums", "talks"]
            .map(|name| (first["held_out"][name].as_f64().expect("a loss"), padding.parse().expect("a number")))
    };
    let (packed, alone) = (loss("packed", &[]), loss("alone", &["data.packing=padded"]));
    let mixed = loss("mixed", &["data.document_masking=false"]);
    for (packed, alone) in packed.iter().zip(&alone) {
        assert!(packed.1 < 30.0 && alone.1 > 50.0, "{packed:?} and {alone:?} percent of padding");
        assert!((packed.0 - alone.0).abs() < 1e-6, "{packed:?} is not {alone:?}");
    }
    let differs = |(mixed, alone): (&(f64, f64), &(f64, f64))| (mixed.0 - alone.0).abs() > 1e-5;
    assert!(mixed.iter().zip(&alone).any(differs), "masks make no difference: {mixed:?}");
}

/// Stopped and resumed, with sources by weight, epochs in place of steps, dropout and micro-batches: the same bits.
#[test]
fn a_resumed_tuning_ends_on_the_same_bits() {
    let workshop = Workshop::new();
    workshop.write("sums.jsonl", &sums("train", 300));
    workshop.write("talks.jsonl", &talks("train", 150).iter().map(as_messages).collect::<Vec<_>>());
    workshop.set_tuning("validation = 0.1\n[data.sources.sums]\npath = \"sums.jsonl\"\nweight = 0.6\n[data.sources.talks]\npath = \"talks.jsonl\"\nweight = 0.4");
    let config = workshop.path().join("tune.toml");
    let written = fs::read_to_string(&config).expect("it was written");
    fs::write(&config, written.replace("steps = 40", "epochs = 1.5")).expect("it can be written");
    let settings = ["--set", "training.gradient_accumulation=2", "--set", "model.dropout=0.1"];
    workshop.tune_well("whole", &settings);
    let last = *workshop.saved("whole").last().expect("it was saved");
    assert!(last > 15, "{last} steps");
    for until in ["7", "13"] {
        let resume: &[&str] = if until == "7" { &[] } else { &["--resume"] };
        workshop.tune_well("stopped", &[&settings[..], &["--until", until], resume].concat());
    }
    workshop.tune_well("stopped", &[&settings[..], &["--resume"]].concat());
    assert_eq!(workshop.checkpoint("whole", last), workshop.checkpoint("stopped", last));
    assert_eq!(workshop.metrics("whole"), workshop.metrics("stopped"));
}

/// What cannot be learnt is skipped, what is too long is cut from the left, and both are counted before the start.
#[test]
fn what_is_left_out_is_counted() {
    let workshop = Workshop::new();
    let mut rows = sums("train", 60);
    rows.extend((0..4).map(|number| json!({"prompt": format!("what is {number}"), "completion": ""})));
    rows.extend(
        (0..3).map(|number| json!({"prompt": "to be or not to be ".repeat(20 + number), "completion": " yes"})),
    );
    rows.extend((0..2).map(|number| json!({"messages": [{"role": "user", "content": format!("hello {number}")}]})));
    rows.push(as_messages(&vec![
        "the user goes on and on ".repeat(20),
        "no".into(),
        "the user goes on ".repeat(30),
        "no".into(),
    ]));
    fs::create_dir(workshop.path().join("rows")).expect("the folder can be made");
    workshop.write("rows/train-0.jsonl", &rows);
    workshop.write("rows/validation-0.jsonl", &sums("validation", 10));
    workshop.set_tuning("mixture = \"rows\"");
    let said = workshop.tune_well("out", &["--set", "training.steps=2"]);
    let line = said.lines().find(|line| line.starts_with("mixture: ")).expect("the data is told of");
    for expected in [
        "mixture: 64 documents, ",
        "; 4 prompts are too long, and lose ",
        " tokens of long conversations are in no sequence with loss, and left out",
        "; 4 examples with an empty completion are skipped",
        "; 2 conversations without an answer are skipped",
    ] {
        assert!(line.contains(expected), "{line} lacks {expected}");
    }

    workshop.write("empty.jsonl", &rows[60..64]);
    workshop.set_tuning("mixture = \"empty.jsonl\"\nvalidation = 0.01");
    let (is_well, said) = workshop.tune("nothing", &[]);
    assert!(
        !is_well && said.contains("examples with an empty completion and 0 conversations without an answer"),
        "{said}"
    );
}

/// Turns end with a token of their own, which then ends what is generated, here and where an export is loaded. A template that looks at the
/// first message asks for no answer without one: a conversation that the assistant begins is learnt from its next answer on.
#[test]
fn a_turn_ends_what_is_generated() {
    let workshop = Workshop::new();
    let path = workshop.path().join("tokenizer.json");
    let own = workshop.own_tokenizer();
    let (end, id) = (own.end_of_text(), own.vocab_size());
    let read = |path: &std::path::Path| -> Value {
        serde_json::from_slice(&fs::read(path).expect("it was written")).expect("it is JSON")
    };
    let mut json = read(&path);
    let mut token = json["added_tokens"][0].clone();
    (token["id"], token["content"]) = (json!(id), json!("<|im_end|>"));
    json["added_tokens"].as_array_mut().expect("a list").push(token);
    fs::write(&path, json.to_string()).expect("it can be written");
    let template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}\
                    {% for m in messages %}{{ m.role + ': ' + m.content + '<|im_end|>\\n' }}{% endfor %}\
                    {% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";
    fs::write(workshop.path().join("chat_template.jinja"), template).expect("it can be written");

    let say = |role: &str, said: String| json!({"role": role, "content": said});
    let begun = |number: usize| {
        let turns =
            [say("assistant", format!("hello {number}")), say("user", "is it".into()), say("assistant", "no".into())];
        json!({ "messages": turns })
    };
    let mut rows: Vec<Value> = talks("train", 60).iter().map(as_messages).collect();
    rows.extend((0..5).map(begun));
    rows.push(json!({"messages": [say("assistant", "hello".into())]}));
    fs::create_dir(workshop.path().join("rows")).expect("the folder can be made");
    workshop.write("rows/train-0.jsonl", &rows);
    workshop.write("rows/validation-0.jsonl", &talks("validation", 10).iter().map(as_messages).collect::<Vec<_>>());
    workshop.set_tuning("mixture = \"rows\"");
    let said = workshop.tune_well("out", &["--set", "training.steps=2"]);
    for expected in [
        "mixture: 65 documents, ",
        "; 5 conversations begin with an answer that the chat template cannot ask for",
        "; 1 conversations without an answer are skipped",
        "a turn ends with `<|im_end|>`, which ends what the model generates, too",
    ] {
        assert!(said.contains(expected), "{said} lacks {expected}");
    }
    let out = workshop.path().join("out");
    let exported = workshop.path().join("exported");
    let output = train(&["export", text(&out), "--out", text(&exported)]);
    assert!(output.status.success(), "{}", stderr(&output));
    for file in
        [out.join("generation_config.json"), exported.join("generation_config.json"), exported.join("config.json")]
    {
        assert_eq!(read(&file)["eos_token_id"], json!([end, id]), "{}", file.display());
    }
}

#[test]
fn faults_are_named_with_their_place() {
    let workshop = Workshop::new();
    for (name, rows, message) in [
        (
            "labels",
            json!({"sequences": ["a"], "label": 0}),
            "its rows are sequences with labels, which `train classify` takes",
        ),
        (
            "pairs",
            json!({"prompt": "a", "chosen": "b", "rejected": "c"}),
            "its rows are better and worse answers, which `train reward` and `train dpo` take",
        ),
        (
            "passages",
            json!({"query": "a", "positive": "b", "negatives": []}),
            "its rows are questions with passages, from which no program learns yet",
        ),
        (
            "roles",
            json!({"messages": [{"role": "user"}]}),
            "line 1: `messages` has a message 1 whose `content` is no string",
        ),
    ] {
        let file = format!("{name}.jsonl");
        workshop.write(&file, &[rows]);
        workshop.set_tuning(&format!("mixture = \"{file}\""));
        let (is_well, said) = workshop.tune("out", &[]);
        assert!(!is_well && said.contains(&file) && said.contains(message), "{said}");
    }

    let alternating = "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('take turns') }}{% endif %}\
                       {{ m.role + m.content }}{% endfor %}{% if add_generation_prompt %}assistant{% endif %}";
    fs::write(workshop.path().join("turns.jinja"), alternating).expect("it can be written");
    let twice = json!({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]});
    workshop.write("talks.jsonl", &[as_messages(&talks("a", 1)[0]), twice]);
    for (data, message) in [
        ("mixture = \"talks.jsonl\"\nchat_template = \"turns.jinja\"", "talks.jsonl: line 2: chat template "),
        ("mixture = \"talks.jsonl\"\nchat_template = \"turns.jinja\"", "turns.jinja: line 1: take turns"),
        ("mixture = \"talks.jsonl\"\nchat_template = \"nobody\"", "tune.toml:5:17: there is no file "),
        ("mixture = \"talks.jsonl\"\nloss_on = \"prompts\"", "tune.toml:5:11: unknown variant `prompts`"),
        ("mixture = \"talks.jsonl\"\npacking = \"concatenate\"", "unknown variant `concatenate`, expected one of"),
    ] {
        workshop.set_tuning(data);
        let (is_well, said) = workshop.tune("out", &[]);
        assert!(!is_well && said.contains(message), "{said}");
    }
    workshop.set_tuning("mixture = \"talks.jsonl\"");
    let (is_well, said) = workshop.tune("out", &["--set", "model.family=t5"]);
    assert!(
        !is_well && said.contains("and a model with an encoder learns from a `prompt` and a `completion`"),
        "{said}"
    );

    // nor has it what packs examples and writes conversations
    for (line, place, message) in [
        ("packing = \"best_fit\"", "tune.toml:5:11", "nothing is packed"),
        ("document_masking = false", "tune.toml:5:20", "there is no boundary to mask attention at"),
        ("loss_on = \"all\"", "tune.toml:5:11", "writes the completion alone"),
        ("chat_template = \"plain\"", "tune.toml:5:17", "no template writes these"),
        ("span_corruption = {}", "tune.toml:5:1", "unknown field `span_corruption`"),
    ] {
        workshop.set_tuning(&format!("mixture = \"talks.jsonl\"\n{line}"));
        let (is_well, said) = workshop.tune("out", &["--set", "model.family=t5"]);
        assert!(!is_well && said.contains(place) && said.contains(message), "{said}");
    }

    // conversations are no texts to pretrain on
    workshop.set_data("mixture = \"talks.jsonl\"");
    let output = workshop.pretrain("out", &[]);
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("talks.jsonl: its rows are conversations (`messages`), which `train tune` takes"),
        "{}",
        stderr(&output)
    );
}
