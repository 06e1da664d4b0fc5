//! T5 and its version 1.1 against `transformers`: `tests/figures/t5_figures.py` wrote two small models, and what it computes with them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use burn::{module::Module as _, tensor::Device};
use serde_json::Value;
use train::{
    checkpoint::{self, TensorFile},
    data::PairBatch,
    generate::{BeamConfig, Sampling, StoppingCriteria, beam_search, generate},
    model::{
        Architecture, EncoderDecoder, EncoderInput, Family, ModelConfig, NamedTensor, Tokens,
        huggingface::{self, Imported, SpecialTokens, TensorSource},
        named_parameters,
    },
    objective::teacher_forcing_loss,
    optimize::Gradients,
    tensor::{Operations, with},
};

use crate::{
    devices::{everywhere, here, slack},
    figures::{Figures, apart, numbers},
};

const SPECIAL: SpecialTokens<'static> = SpecialTokens { bos: 0, eos: &[1], pad: 0 };
const GREEDY: Sampling = Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 1 };
const CRITERIA: StoppingCriteria<'static> =
    StoppingCriteria { max_new_tokens: 9, bos: 0, eos: &[1], suppressed: &[], should_stop: &|_| false };

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/figures").join(name)
}

fn models() -> [(&'static str, Family, Figures); 2] {
    [
        ("t5", Family::T5, Figures::read(include_bytes!("../figures/t5/figures.safetensors"))),
        ("t5-v1.1", Family::T5v11, Figures::read(include_bytes!("../figures/t5-v1.1/figures.safetensors"))),
    ]
}

fn config(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("config.json")).expect("it is there")).expect("it is JSON")
}

/// The one file of a folder's weights.
struct Weights(TensorFile);

impl TensorSource for Weights {
    fn shapes(&self) -> BTreeMap<String, Option<Vec<usize>>> {
        self.0.shapes().collect()
    }

    fn read(&self, name: &str) -> Result<NamedTensor, String> {
        self.0.read(name).map_err(|error| error.to_string())
    }
}

/// A model that was read whole.
struct Read {
    model: Imported,
    named: Vec<NamedTensor>,
}

fn imported(folder: &Path) -> Read {
    let weights = Weights(TensorFile::open(&folder.join("model.safetensors")).expect("it is there"));
    let model = huggingface::import(&config(folder), &weights).expect("it can be computed");
    let parameter = |name| model.parameter(name, &weights).expect("it is whole").expect("the model has it");
    let named = model.names().map(parameter).collect();
    Read { model, named }
}

fn built(Read { model, named }: Read, device: &Device) -> (Architecture, EncoderDecoder) {
    let architecture = model.config.architecture().expect("the numbers fit together");
    let empty = architecture.init_encoder_decoder(model.vocab_size, 0, device);
    (architecture, checkpoint::with_weights(empty, named, Path::new("figures")).expect("all weights are there"))
}

fn batch(figures: &Figures) -> PairBatch {
    PairBatch {
        sources: figures.ids("source"),
        source_lengths: figures
            .ids("lengths")
            .into_iter()
            .map(|length| usize::try_from(length).expect("a length"))
            .collect(),
        inputs: figures.ids("inputs"),
        targets: figures.ids("targets"),
        weights: figures.numbers("weights").into_iter().map(|weight| if weight > 0.0 { 1.0 } else { 0.0 }).collect(),
        batch_size: 2,
    }
}

/// Read here, each has the logits, the loss and every gradient that it has there: of the tables of relative positions, too.
#[test]
fn models_of_transformers_have_its_logits_loss_and_gradients() {
    everywhere(|| {
        for (name, family, figures) in models() {
            let (architecture, model) = built(imported(&folder(name)), &here());
            let batch = batch(&figures);
            let tokens = |ids| Tokens { ids, batch_size: 2, starts: None };
            let source = EncoderInput { tokens: tokens(&batch.sources), lengths: &batch.source_lengths };
            let logits = numbers(model.valid().logits(source, tokens(&batch.inputs)));
            let expected = figures.numbers("logits");
            let furthest = logits.iter().zip(&expected).map(|(x, y)| f64::from((x - y).abs())).fold(0.0, f64::max);
            assert!(logits.len() == expected.len() && furthest < 1e-4 * slack(), "{name}: logits are {furthest} off");

            let loss = teacher_forcing_loss(&model, &batch, &figures.numbers("weights"), None);
            let mut graph = loss.backward();
            let off = f64::from((loss.into_scalar::<f32>() - figures.numbers("loss")[0]).abs());
            assert!(off < 1e-4 * slack(), "{name}: the loss is {off} off");

            let parameters = named_parameters(&model);
            let gradients = Gradients::of(&model, &mut graph);
            let shape = |name: &str| {
                parameters
                    .iter()
                    .find(|named| named.name == name)
                    .map(|named| named.shape.clone())
                    .expect("a parameter")
            };
            let named: Vec<NamedTensor> = gradients
                .by_name()
                .map(|(name, x)| NamedTensor { name: name.into(), shape: shape(name), values: numbers(x.clone()) })
                .collect();
            let (_, theirs) =
                huggingface::export(family, &architecture, &named, SPECIAL).expect("all parameters have a gradient");
            for gradient in &theirs {
                let far = apart(&gradient.values, &figures.numbers(&format!("gradient/{}", gradient.name)));
                assert!(far < 1e-4 * slack(), "{name}: the gradient of {} is {far} off", gradient.name);
            }
            let there = figures.names().into_iter().filter(|figure| figure.starts_with("gradient/")).count();
            assert_eq!(theirs.len(), there, "{name}: gradients");
        }
    });
}

/// In training, numbers are dropped by their places: by our operations the same as by burn's, the same again with the same key, and others
/// with another.
#[test]
fn what_is_dropped_depends_on_the_key_alone() {
    for (name, family, figures) in models() {
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(2),
            num_heads: Some(2),
            hidden_size: Some(12),
            context_length: Some(32),
            dropout: Some(0.3),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().expect("the numbers fit together");
        let model = architecture.init_encoder_decoder(19, 3, &Device::flex());
        let batch = batch(&figures);
        let loss = |operations, key| {
            with(operations, || numbers(teacher_forcing_loss(&model, &batch, &figures.numbers("weights"), key))[0])
        };
        let own = loss(Operations::Own, Some(5));
        let by_burn = loss(Operations::Framework, Some(5));
        assert!((own - by_burn).abs() < 1e-4, "{name}: {own} is not {by_burn}");
        assert_eq!(own.to_bits(), loss(Operations::Own, Some(5)).to_bits(), "{name}");
        for other in [Some(6), None] {
            assert!(
                (own - loss(Operations::Own, other)).abs() > 1e-4,
                "{name}: nothing else is dropped with {other:?}"
            );
        }
    }
}

/// What is read is what would be written, under the same keys.
#[test]
fn what_is_read_is_written() {
    for (name, family, _) in models() {
        let read = imported(&folder(name));
        assert_eq!(read.model.config.family(), Ok(family));
        // transformers 5 writes that tables are tied, and a head nevertheless
        let notes: &[&str] = if family == Family::T5 { &[] } else { &["`tie_word_embeddings` is true"] };
        assert_eq!(read.model.notes.len(), notes.len(), "{:?}", read.model.notes);
        assert!(
            read.model.notes.iter().zip(notes).all(|(note, begin)| note.starts_with(begin)),
            "{:?}",
            read.model.notes
        );
        let architecture = read.model.config.architecture().expect("the numbers fit together");
        let (ours, tensors) =
            huggingface::export(family, &architecture, &read.named, SPECIAL).expect("it has a counterpart");
        let theirs = config(&folder(name));
        let same =
            ["torch_dtype", "bos_token_id", "n_positions", "tie_word_embeddings", "initializer_range", "dropout_rate"];
        for (key, value) in ours.as_object().expect("an object").iter().filter(|(key, _)| !same.contains(&key.as_str()))
        {
            assert_eq!(value, &theirs[key], "{name}: {key}");
        }
        assert_eq!(ours["tie_word_embeddings"], family == Family::T5);
        let path = folder(name).join("model.safetensors");
        let there = checkpoint::from_bytes(&fs::read(&path).expect("it is there"), &path).expect("it is whole");
        assert_eq!(tensors.len(), there.len(), "{name}: tensors");
        for tensor in tensors {
            assert_eq!(Some(&tensor), there.get(&tensor.name), "{name}: {}", tensor.name);
        }
    }
}

fn prompts(figures: &Figures) -> Vec<Vec<u32>> {
    let batch = batch(figures);
    let rows = batch.sources.chunks(batch.sources.len() / 2).zip(&batch.source_lengths);
    rows.map(|(ids, length)| ids[..*length].iter().map(|id| u32::try_from(*id).expect("an id")).collect()).collect()
}

/// The log probability of a text, divided by its length to a power.
fn score(model: &EncoderDecoder, prompt: &[u32], new: &[u32], length_penalty: f64) -> f64 {
    let ids = |ids: &[u32]| ids.iter().map(|id| i32::try_from(*id).expect("an id")).collect::<Vec<_>>();
    let (source, target) = (ids(prompt), ids(&[&[0], &new[..new.len() - 1]].concat()));
    let tokens = |ids| Tokens { ids, batch_size: 1, starts: None };
    let logits =
        numbers(model.logits(EncoderInput { tokens: tokens(&source), lengths: &[source.len()] }, tokens(&target)));
    let of_token = |(logits, id): (&[f32], &u32)| {
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        f64::from(logits[*id as usize]) - sum.ln()
    };
    let sum: f64 = logits.chunks(19).zip(new).map(of_token).sum();
    sum / (new.len() as f64).powf(length_penalty)
}

/// Greedy and beam search write what `generate` of `transformers` writes with `early_stopping="never"`, as ours goes on while a text may get
/// better; but where an end is likely and not among the best `num_beams` continuations: there ours keeps a text that is likelier.
#[test]
fn searches_find_the_same_texts() {
    for (name, _, figures) in models() {
        let (_, model) = built(imported(&folder(name)), &Device::flex());
        let prompts = prompts(&figures);
        let expected = |row: usize, beams: usize, penalty: &str| -> Vec<u32> {
            let ids = figures.ids(&format!("beams/{row}/{beams}/{penalty}"));
            ids.into_iter().map(|id| u32::try_from(id).expect("an id")).collect()
        };
        for operations in [Operations::Own, Operations::Framework] {
            let greedy = with(operations, || generate(&model, &prompts, GREEDY, &CRITERIA));
            for (row, prompt) in prompts.iter().enumerate() {
                assert_eq!(greedy[row], expected(row, 1, "1.0"), "{name}, {operations}: greedy, {row}");
                for (num_beams, length_penalty, written) in [(3, 1.0, "1.0"), (4, 0.0, "0.0"), (5, 2.0, "2.0")] {
                    let config = BeamConfig { num_beams, length_penalty };
                    let found = with(operations, || beam_search(&model, prompt, config, &CRITERIA));
                    let theirs = expected(row, num_beams, written);
                    if (name, row, num_beams) == ("t5", 1, 4) {
                        let [ours, theirs] = [&found, &theirs].map(|new| score(&model, prompt, new, length_penalty));
                        assert!(ours > theirs + 1.0, "{operations}: {found:?} has {ours}, and theirs {theirs}");
                    } else {
                        assert_eq!(found, theirs, "{name}, {operations}: {num_beams} beams, {row}");
                    }
                }
            }
        }
    }
}

/// A model of ours, exported, has its logits and its texts in `transformers`.
#[test]
fn transformers_loads_what_is_exported() {
    let python = std::env::var_os("TAMIS_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(&python).args(["-c", "import torch, transformers"]).output();
    if !output.is_ok_and(|output| output.status.success()) {
        return fixtures::needs::skipped(
            "transformers_loads_what_is_exported",
            "there is no Python with torch and transformers",
        );
    }
    for (name, family, figures) in models() {
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(2),
            num_heads: Some(2),
            head_dim: Some(5),
            hidden_size: Some(12),
            intermediate_size: Some(20),
            context_length: Some(32),
            ..ModelConfig::default()
        };
        let architecture = config.architecture().expect("the numbers fit together");
        let model = architecture.init_encoder_decoder(19, 3, &Device::flex());
        let (config, tensors) = huggingface::export(family, &architecture, &named_parameters(&model), SPECIAL)
            .expect("it has a counterpart");
        let out = tempfile::tempdir().expect("the temporary folder can be written");
        checkpoint::write_tensors(&out.path().join("model.safetensors"), &tensors).expect("it can be written");
        fs::write(out.path().join("config.json"), config.to_string()).expect("it can be written");

        let prompt = &prompts(&figures)[0];
        let source: Vec<i32> = prompt.iter().map(|id| i32::try_from(*id).expect("an id")).collect();
        let target = [0, 7, 3, 18, 4];
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/t5_logits.py");
        let output = Command::new(&python)
            .arg(script)
            .arg(out.path())
            .args([serde_json::json!(source).to_string(), serde_json::json!(target).to_string()])
            .output()
            .expect("Python can be started");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let theirs: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
        let numbers_of = |key: &str| -> Vec<f64> {
            theirs[key].as_array().expect("an array").iter().map(|x| x.as_f64().expect("a number")).collect()
        };

        let tokens = |ids| Tokens { ids, batch_size: 1, starts: None };
        let source = EncoderInput { tokens: tokens(&source), lengths: &[source.len()] };
        let logits = numbers(model.logits(source, tokens(&target)));
        let expected = numbers_of("logits");
        let close = logits.iter().zip(&expected).all(|(x, y)| (f64::from(*x) - y).abs() < 1e-4);
        assert!(close && logits.len() == expected.len(), "{name}: {logits:?} are not {expected:?}");
        let ids = |ids: Vec<u32>| ids.into_iter().map(f64::from).collect::<Vec<_>>();
        assert_eq!(
            ids(generate(&model, std::slice::from_ref(prompt), GREEDY, &CRITERIA).remove(0)),
            numbers_of("greedy")
        );
        let beams = BeamConfig { num_beams: 4, length_penalty: 1.0 };
        assert_eq!(ids(beam_search(&model, prompt, beams, &CRITERIA)), numbers_of("beams"), "{name}");
    }
}
