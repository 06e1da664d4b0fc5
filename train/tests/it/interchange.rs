//! Models of `transformers`: `tests/figures/transformers_figures.py` wrote three, and the logits that it computes.

use std::{fs, path::Path};

use burn::tensor::Device;
use safetensors::SafeTensors;
use train::{
    checkpoint,
    model::{ModelConfig, Tokens},
};

use crate::support::{Workshop, stderr, text, train};

fn figures(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/figures").join(name)
}

/// Read here, each has the logits that it has there; and what is read is what would be written.
#[test]
fn models_of_transformers_have_its_logits() {
    for name in ["gpt1", "gpt2", "llama"] {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let out = folder.path().join("model");
        let output = train(&["import", text(&figures(name)), "--out", text(&out)]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));

        let saved = checkpoint::newest(&out).expect("it was imported");
        let config: ModelConfig =
            serde_json::from_value(saved.identity.config["model"].clone()).expect("a configuration");
        let shape = config.shape().expect("the numbers fit together");
        let model = shape.init(11, 0, &Device::flex());
        let model = checkpoint::with_weights(model, saved.model.clone(), &out).expect("all weights are there");

        let bytes = fs::read(figures(name).join("logits.safetensors")).expect("the figures are there");
        let figures_file = SafeTensors::deserialize(&bytes).expect("the figures are whole");
        let words = |name: &str| figures_file.tensor(name).expect("a figure").data().as_chunks::<4>().0.to_vec();
        let ids: Vec<i32> = words("ids").into_iter().map(i32::from_le_bytes).collect();
        let expected: Vec<f32> = words("logits").into_iter().map(f32::from_le_bytes).collect();
        let logits = model.logits(Tokens { ids: &ids, rows: 2, starts: None }).into_data();
        let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
        let close = logits.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-4);
        assert!(close && logits.len() == expected.len(), "{name}: {logits:?} are not {expected:?}");

        let (_, tensors) = train::model::interchange::export(&shape, &saved.model, 10).expect("it has a counterpart");
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
    assert!(stderr(&output).contains("holds a training already"), "{}", stderr(&output));
    let config = fs::read_to_string(path("exported/config.json")).expect("it was written");
    fs::write(path("exported/config.json"), config.replace("gelu_new", "relu")).expect("it can be changed");
    let output = train(&["import", text(&path("exported")), "--out", text(&path("other"))]);
    assert!(stderr(&output).contains("`activation_function` is \"relu\""), "{}", stderr(&output));
}
