//! A real model of others, in `TAMIS_MODEL`, a folder of Hugging Face: here it computes what it computes in `transformers`, and writes the
//! same; what is exported is what was imported.

use std::{env, fs, path::Path, process::Command};

use safetensors::SafeTensors;
use train::{
    checkpoint::{TensorFile, Which},
    device::DeviceName,
    generate::{LoadedModel, Sampling, StoppingCriteria, generate},
    model::Tokens,
    program::load,
};

use crate::support::{Workshop, stderr, text, train};

/// Tokens that are written behind each text.
const TOKENS: usize = 64;

const TEXTS: [&str; 20] = [
    "The capital of France is",
    "Once upon a time, in a village by the sea, there lived",
    "def fibonacci(n):\n    if n < 2:\n        return n\n",
    "Water boils at 100 degrees Celsius because",
    "1, 1, 2, 3, 5, 8, 13,",
    "Question: What is the largest planet?\nAnswer:",
    "SELECT name, COUNT(*) FROM people",
    "Der Zug nach Hamburg fährt um",
    "  Two spaces stand before this text, and",
    "The mitochondrion is the",
    "Dear Sir or Madam,\n\nI am writing to",
    "<html>\n<head><title>",
    "In 1969, Apollo 11",
    "日本の首都は",
    "She opened the letter and read: \"",
    "To make bread one needs flour, water, salt and",
    "The derivative of x^2 is",
    "import numpy as np\n\n",
    "Photosynthesis turns light into",
    "E",
];

/// Logits within 1e-3 on 20 texts, and the same 64 tokens behind each, the likeliest every time.
#[test]
fn a_real_model_is_what_it_is_in_transformers() {
    let skipped = |why: &str| fixtures::needs::skipped("a_real_model_is_what_it_is_in_transformers", why);
    let Some(folder) = env::var_os("TAMIS_MODEL") else {
        return skipped("`TAMIS_MODEL` names no folder of Hugging Face");
    };
    let python = env::var_os("TAMIS_PYTHON").unwrap_or_else(|| "python3".into());
    let has_peers = Command::new(&python).args(["-c", "import torch, transformers"]).output();
    if !has_peers.is_ok_and(|output| output.status.success()) {
        return skipped("there is no Python with torch and transformers");
    }
    let folder = Path::new(&folder);
    let workshop = Workshop::new();
    let path = |name: &str| workshop.path().join(name);
    let output = train(&["import", text(folder), "--out", text(&path("model"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    let (model, tokenizer) = load(&path("model"), Which::Newest, DeviceName::Cpu).expect("it was imported");
    let LoadedModel::Decoder(model) = model else { panic!("Llama's shape has no encoder") };

    // what is exported is what was imported, number for number
    let output = train(&["export", text(&path("model")), "--out", text(&path("exported"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    if let Ok(there) = TensorFile::open(&folder.join("model.safetensors")) {
        let exported = TensorFile::open(&path("exported/model.safetensors")).expect("it was exported");
        for (name, shape) in there.shapes().filter(|(_, shape)| shape.is_some()) {
            assert!(exported.contains(&name), "{name} of shape {shape:?}");
            assert!(exported.read(&name).expect("whole") == there.read(&name).expect("whole"), "{name}");
        }
    }

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/likeliest.py");
    let of = |folder: &Path, texts: &[&str], out: &str| {
        let list = serde_json::to_string(texts).expect("texts are JSON");
        fs::write(path("texts.json"), list).expect("it can be written");
        let output = Command::new(&python)
            .args([text(&script), text(folder), text(&path("texts.json")), text(&path(out)), &TOKENS.to_string()])
            .output()
            .expect("Python can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(path(out)).expect("it was written")
    };
    let bytes = of(folder, &TEXTS, "theirs");
    let again = of(&path("exported"), &TEXTS[..2], "again");
    let theirs = SafeTensors::deserialize(&bytes).expect("it is whole");
    let words = |name: String| theirs.tensor(&name).expect("a tensor").data().as_chunks::<4>().0.to_vec();
    let again = SafeTensors::deserialize(&again).expect("it is whole");
    for (name, tensor) in again.iter() {
        assert!(tensor == theirs.tensor(name).expect("a tensor"), "{name}: what was exported computes something else");
    }
    let mut furthest = 0.0f32;
    for (number, said) in TEXTS.iter().enumerate() {
        let ids: Vec<i32> = words(format!("{number}.ids")).into_iter().map(i32::from_le_bytes).collect();
        let prompt = tokenizer.prompt(said).expect("it can be encoded");
        assert!(prompt.iter().zip(&ids).all(|(x, y)| i64::from(*x) == i64::from(*y)), "{said}: {prompt:?}, {ids:?}");
        assert_eq!(prompt.len(), ids.len(), "{said}");
        let logits = model.logits(Tokens { ids: &ids, batch_size: 1, starts: None }).into_data();
        let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
        let expected: Vec<f32> = words(format!("{number}.logits")).into_iter().map(f32::from_le_bytes).collect();
        assert_eq!(logits.len(), expected.len(), "{said}");
        furthest = logits.iter().zip(&expected).map(|(x, y)| (x - y).abs()).fold(furthest, f32::max);
        let written: Vec<i32> = words(format!("{number}.new")).into_iter().map(i32::from_le_bytes).collect();
        let criteria = StoppingCriteria {
            max_new_tokens: TOKENS,
            bos: tokenizer.before_text(),
            eos: tokenizer.ends(),
            suppressed: &[],
            should_stop: &|_| false,
        };
        let greedy = Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 1 };
        let new: Vec<i64> =
            generate(&*model, &[prompt], greedy, &criteria)[0].iter().map(|id| i64::from(*id)).collect();
        assert_eq!(new, written.into_iter().map(i64::from).collect::<Vec<_>>(), "{said}");
    }
    assert!(furthest < 1e-3, "a logit is {furthest} off");

    // a training that begins from the folder begins with the same
    let settings = [format!("model.from={}", text(folder)), "training.evaluate_sequences=1".into()];
    let config = fs::read_to_string(path("small.toml")).expect("it was written");
    let (data, rest) = config.split_once("[model]").expect("it has a model");
    let (_, training) = rest.split_once("[training]").expect("it has a loop");
    let data = data.replace("tokenizer = \"tokenizer.json\"\n", "");
    fs::write(path("small.toml"), format!("{data}[model]\ncontext_length = 32\n\n[training]{training}"))
        .expect("it can be written");
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
    workshop.pretrain_well("begun", &[&settings[..], &["--until", "0"]].concat());
    let [begun, _] = workshop.checkpoint("begun", 0);
    assert!(begun == workshop.checkpoint("model", 0)[0], "it begins with other weights");
}
