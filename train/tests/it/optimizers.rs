//! Optimizers by name: each takes the steps of its reference, and goes on exactly.

use std::path::Path;

use safetensors::SafeTensors;
use train::{
    model::{Family, Tokens, named_parameters},
    objective::next_token_loss,
    optimize::{Gradients, OptimizerConfig, OptimizerName},
    tensor::{Operations, with},
};

use crate::{
    devices::{everywhere, slack},
    figures::{Figures, apart},
    support::{Workshop, stderr, text},
};

/// Ten steps of each, as `tests/figures/optimizer_figures.py` wrote them down. The relative step has no use for the schedule's learning
/// rate, and Muon's AdamW has a tenth of it.
#[test]
fn steps_are_those_of_pytorch() {
    let settings = |settings: &str| serde_json::from_str::<OptimizerConfig>(settings).expect("its keys are known");
    let optimizers = [
        ("adafactor", 1e-2, settings(r#"{"name": "adafactor"}"#)),
        ("adafactor", 123.0, settings(r#"{"name": "adafactor", "relative_step": true}"#)),
        (
            "adafactor-mean",
            1e-2,
            settings(
                r#"{"name": "adafactor", "scale_parameter": false, "beta1": 0.9, "weight_decay": 0.1, "clip_threshold": 0.5}"#,
            ),
        ),
        ("muon", 2e-2, settings(r#"{"name": "muon", "weight_decay": 0.1}"#)),
    ];
    everywhere(|| {
        for operations in [Operations::Own, Operations::Framework] {
            for (name, rate, optimizer) in &optimizers {
                with(operations, || steps_of(name, *rate, optimizer));
            }
        }
    });
}

fn steps_of(name: &str, rate: f64, optimizer: &OptimizerConfig) {
    let start = Figures::of_models();
    let figures = Figures::read(include_bytes!("../figures/optimizers.safetensors"));
    for (family, family_name) in [(Family::Gpt2, "gpt2"), (Family::Llama, "llama")] {
        let name = format!("{name}/{family_name}");
        let mut model = start.model(family, family_name);
        let (ids, targets) = (start.ids(&format!("{family_name}/ids")), start.ids(&format!("{family_name}/targets")));
        let mut optimizer = optimizer.build().expect("the settings fit together");
        for (step, expected) in figures.numbers(&format!("{name}/losses")).into_iter().enumerate() {
            let tokens = Tokens { ids: &ids, batch_size: 2, starts: None };
            let loss = next_token_loss(&model, tokens, &targets, &[1.0 / 12.0; 12], None);
            let mut graph = loss.backward();
            let loss = loss.into_scalar::<f32>();
            assert!(
                f64::from((loss - expected).abs()) < 1e-4 * slack(),
                "{name}: loss {loss} of step {step} is not {expected}"
            );
            let mut gradients = Gradients::of(&model, &mut graph);
            gradients.clip(0.5);
            let rate = optimizer.learning_rate(rate);
            model = optimizer.step(model, gradients, rate);
        }
        for mut parameter in named_parameters(&model) {
            let mut expected = figures.numbers(&format!("{name}/parameter/{}", parameter.name));
            if parameter.name.ends_with("attention.input.bias") {
                // a bias of keys has no gradient but for what is rounded off, of which adaptive steps make whole ones; Adafactor clips
                // by the root mean square of the whole vector, which is no other's then
                if name.starts_with("adafactor") {
                    continue;
                }
                for bias in [&mut parameter.values, &mut expected] {
                    bias.drain(8..16);
                }
            }
            let apart = apart(&parameter.values, &expected);
            assert!(apart < 1e-3 * slack(), "{name}: {} is {apart} off", parameter.name);
        }
    }
}

/// Stopped and resumed, with several micro-batches, groups and spikes that are rolled back: the same weights and the same states bit for
/// bit, whichever optimizer it is. What is frozen stays as it was, and no state of it is kept.
#[test]
fn every_optimizer_goes_on_exactly() {
    let workshop = Workshop::new();
    for name in OptimizerName::ALL {
        let name = serde_json::to_value(name).expect("a name is JSON");
        let name = name.as_str().expect("a name is a string");
        let optimizer = format!(
            "optimizer={{ name = \"{name}\", group = [\
             {{ parameters = \"positions\", freeze = true }}, {{ parameters = \"*.bias\", learning_rate = 0.5, weight_decay = 0.1 }}] }}"
        );
        let settings = [
            "--set",
            &optimizer,
            "--set",
            "learning_rate.peak=0.03",
            "--set",
            "training.gradient_accumulation=2",
            "--set",
            "training.spikes={ deviations = 3.0, window = 16, limit = 30, action = \"rollback\" }",
        ];
        let (whole, stopped) = (format!("{name}/whole"), format!("{name}/stopped"));
        workshop.pretrain_well(&whole, &settings);
        for until in ["7", "23"] {
            let resume: &[&str] = if until == "7" { &[] } else { &["--resume"] };
            workshop.pretrain_well(&stopped, &[&settings[..], &["--until", until], resume].concat());
        }
        workshop.pretrain_well(&stopped, &[&settings[..], &["--resume"]].concat());
        assert_eq!(workshop.checkpoint(&whole, 40), workshop.checkpoint(&stopped, 40), "{name}");
        assert_eq!(workshop.metrics(&whole), workshop.metrics(&stopped), "{name}");

        let losses: Vec<f64> =
            workshop.metrics(&whole).iter().filter_map(|line| line["validation_loss"].as_f64()).collect();
        assert!(losses[losses.len() - 1] < losses[0] - 0.01, "{name} learns: {losses:?}");
        let [before, after] = [30, 40].map(|step| workshop.checkpoint(&whole, step)[0].clone());
        assert_eq!(values(&before, "positions"), values(&after, "positions"), "{name}: what is frozen moved");
        assert_ne!(values(&before, "tokens"), values(&after, "tokens"), "{name}");
        let [_, states] = workshop.checkpoint(&whole, 40);
        let states = SafeTensors::deserialize(&states).expect("the states are whole");
        assert!(states.names().iter().all(|state| !state.starts_with("positions.")), "{:?}", states.names());
        assert!(states.names().iter().any(|state| state.starts_with("tokens.")), "{:?}", states.names());
    }
}

fn values(file: &[u8], name: &str) -> Vec<u8> {
    let tensors = SafeTensors::deserialize(file).expect("the weights are whole");
    tensors.tensor(name).expect("it is there").data().to_vec()
}

/// What means nothing is named, with its line or its setting; what is meant for no parameter before anything is tokenized.
#[test]
fn an_optimizer_that_cannot_be_is_named() {
    let workshop = Workshop::new();
    for (setting, message) in [
        ("optimizer={ momentum = 0.9 }", "the optimizer \"adamw\" has no such key; it has `beta1`, `beta2`, `epsilon`"),
        ("optimizer={ name = \"muon\", momentum = 1.0 }", "it has to be 0 or more and less than 1, and is 1"),
        ("optimizer={ name = \"sgd\" }", "unknown variant `sgd`, expected one of `adamw`, `adafactor`, `muon`"),
        (
            "optimizer={ group = [{ parameters = \"blocks.2.*\" }] }",
            "`blocks.2.*` matches no parameter of the model; names are such as `tokens`, `positions`",
        ),
        ("optimizer={ group = [{ parameters = \"*\", freeze = true }] }", "all parameters are frozen"),
    ] {
        let output = workshop.pretrain("out", &["--set", setting]);
        assert_eq!(output.status.code(), Some(1), "{setting}");
        assert!(stderr(&output).contains(message), "{setting}: {}", stderr(&output));
        assert!(!workshop.path().join("out/tokens").exists(), "{setting}: {}", text(workshop.path()));
    }
    workshop.pretrain_well("out", &["--until", "10"]);
    let output = workshop.pretrain("out", &["--resume", "--set", "optimizer={ name = \"muon\" }"]);
    assert!(stderr(&output).contains("`optimizer.name` was \"adamw\", and is \"muon\""), "{}", stderr(&output));
    // what is the default may be said
    workshop
        .pretrain_well("out", &["--resume", "--until", "20", "--set", "optimizer={ name = \"adamw\", beta1 = 0.9 }"]);
}

/// A training without progress ends, again when it is gone on with; and goes on with more patience as if it had not ended.
#[test]
fn patience_ends_a_training_without_progress() {
    let workshop = Workshop::new();
    // at such a rate nothing gets better after the first evaluations
    let settings = ["--set", "learning_rate.peak=0.5", "--set", "training.evaluate_every=2"];
    let impatient = [&settings[..], &["--set", "training.patience=2"]].concat();
    let output = workshop.pretrain("out", &impatient);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("in 2 evaluations, as `training.patience` has it"), "{}", stderr(&output));
    let ended = workshop.saved("out").last().copied().expect("it was saved");
    assert!(ended < 40, "it ended at {ended}");
    workshop.pretrain_well("out", &[&impatient[..], &["--resume"]].concat());
    assert_eq!(workshop.saved("out").last().copied(), Some(ended));

    workshop.pretrain_well("out", &[&settings[..], &["--resume"]].concat());
    workshop.pretrain_well("whole", &settings);
    assert_eq!(workshop.checkpoint("out", 40), workshop.checkpoint("whole", 40));
}

/// What is judged and used is the average of the weights after each step; what goes on is these themselves.
#[test]
fn an_average_of_the_weights_is_kept_beside_them() {
    let workshop = Workshop::new();
    let each = ["--set", "training.save_every=1", "--set", "training.keep=9", "--until", "4"];
    workshop.pretrain_well("averaged", &[&each[..], &["--set", "training.ema_decay=0.75"]].concat());
    workshop.pretrain_well("plain", &each);
    let file = |out: &str, step: u64, name: &str| workshop.tensors(out, step)[Path::new(name)].clone();
    let numbers = |bytes: &[u8]| -> Vec<f32> {
        values(bytes, "tokens")
            .chunks_exact(4)
            .map(|number| f32::from_le_bytes(number.try_into().expect("four")))
            .collect()
    };
    // the first checkpoint is after the first step: the average there is one of the start and of it
    let mut average = numbers(&file("averaged", 1, "model.safetensors"));
    for step in 2..=4 {
        let weights = file("averaged", step, "unaveraged.safetensors");
        assert!(weights == file("plain", step, "model.safetensors"), "step {step}: an average changes no step");
        for (average, weight) in average.iter_mut().zip(numbers(&weights)) {
            *average = *average * 0.75 + weight * 0.25;
        }
        assert_eq!(average, numbers(&file("averaged", step, "model.safetensors")), "step {step}");
    }
    let losses = |out: &str| {
        workshop.metrics(out).iter().filter_map(|line| line["validation_loss"].as_f64()).collect::<Vec<_>>()
    };
    assert_eq!(losses("averaged")[0].to_bits(), losses("plain")[0].to_bits(), "it begins with the weights");
    let refused = workshop.pretrain("refused", &["--set", "training.ema_decay=1"]);
    assert!(stderr(&refused).contains("it has to be 0 or more and less than 1, and is 1"), "{}", stderr(&refused));
}
