//! Losses on ranked answers against PyTorch: `tests/figures/preference_figures.py` wrote down what it computes.

use burn::tensor::Tensor;
use train::{
    data::{Answer, PreferenceBatch},
    model::{Family, Gpt, RewardModel, Tokens, replace},
    objective::{DirectPreference, Loss, Objective as _, PreferenceLoss, Ranking, reference_log_probabilities},
};

use crate::{
    devices::{everywhere, here, slack},
    figures::{CLOSE, FAMILIES, Figures, apart, hold, numbers},
};

/// Prompts, each with its answers' ids, ranks, and log-probabilities by a reference: as the script has them.
type Prompts = [(&'static [u32], &'static [(&'static [u32], u32, f32)])];
const PROMPTS: &Prompts = &[
    (&[1, 2], &[(&[3, 4, 5, 0], 0, -9.0), (&[6, 0], 1, -5.5), (&[7, 8, 0], 1, -7.25)]),
    (&[9, 3, 1], &[(&[2, 0], 1, -4.0), (&[4, 10, 0], 0, -8.5)]),
];
const BETA: f64 = 0.3;

fn batch() -> PreferenceBatch {
    let whole = |prompt: &[u32], answer: &[u32]| [prompt, answer].concat();
    let ids: Vec<Vec<Vec<u32>>> = PROMPTS
        .iter()
        .map(|(prompt, answers)| answers.iter().map(|(answer, ..)| whole(prompt, answer)).collect())
        .collect();
    let mut examples = Vec::new();
    for ((prompt, answers), ids) in PROMPTS.iter().zip(&ids) {
        let answer = |((_, rank, reference), ids): (&(&[u32], u32, f32), _)| Answer {
            ids,
            prompt: prompt.len(),
            rank: *rank,
            reference: Some(*reference),
        };
        examples.push(answers.iter().zip(ids.iter().map(Vec::as_slice)).map(answer).collect::<Vec<_>>());
    }
    PreferenceBatch::new(&examples, 0)
}

fn read() -> Figures {
    Figures::read(include_bytes!("../figures/preferences.safetensors"))
}

/// A reward model with the weights of a small model of PyTorch's, and a head of its.
fn reward_model(figures: &Figures, family: Family, name: &str) -> RewardModel {
    let language: Gpt = Figures::of_models().model(family, name);
    let fresh = language.architecture().init_reward_model(11, 0, &here());
    replace(fresh, |parameter, shape| match parameter {
        "score.weight" => figures.numbers(&format!("{name}/score")),
        "score.bias" => vec![0.25],
        _ => {
            let inner = parameter.strip_prefix("model.").expect("it is of the language model");
            let figure = format!("{name}/parameter/{inner}");
            assert_eq!(Figures::of_models().shape(&figure), shape, "{figure}");
            Figures::of_models().numbers(&figure)
        }
    })
}

/// Answers of different lengths go through the model together, padded; each has the reward that it has alone, and a tie is no pair.
#[test]
fn a_reward_model_learns_as_it_does_there() {
    everywhere(|| {
        let (figures, batch) = (read(), batch());
        for (family, name) in FAMILIES {
            let model = reward_model(&figures, family, name);
            let tokens = Tokens { ids: &batch.ids, batch_size: 5, starts: None };
            let rewards = numbers(model.rewards(tokens, &batch.lengths, None));
            let far = apart(&rewards, &figures.numbers(&format!("{name}/rewards")));
            assert!(far < CLOSE * slack(), "{name}: rewards are {far} off");
            hold(&figures, &format!("{name}/ranking"), &model, &Ranking.loss(&model, &batch, &batch, 1));
        }
    });
}

/// The three losses of direct preference optimization, and what they are made of.
#[test]
fn preferences_are_learnt_as_they_are_there() {
    everywhere(|| {
        let (figures, batch) = (read(), batch());
        for (family, name) in FAMILIES {
            let model = Figures::of_models().model(family, name);
            let found = reference_log_probabilities(&model, &batch);
            let far = apart(&found, &figures.numbers(&format!("{name}/log_probabilities")));
            assert!(far < CLOSE * slack(), "{name}: log-probabilities are {far} off");
            for (loss, label_smoothing, of) in [
                (PreferenceLoss::Sigmoid, 0.0, "dpo"),
                (PreferenceLoss::Sigmoid, 0.1, "dpo_smoothed"),
                (PreferenceLoss::Ipo, 0.0, "ipo"),
            ] {
                let objective = DirectPreference { beta: BETA, label_smoothing, loss };
                hold(&figures, &format!("{name}/{of}"), &model, &objective.loss(&model, &batch, &batch, 1));
            }
        }
    });
}

/// A model that is its own reference has no reward yet: each pair is a coin, whatever beta is.
#[test]
fn a_model_begins_at_its_reference() {
    let model = Figures::of_models().model(Family::Gpt2, "gpt2");
    let mut batch = batch();
    batch.references = reference_log_probabilities(&model, &batch);
    let objective = DirectPreference { beta: 5.0, label_smoothing: 0.0, loss: PreferenceLoss::Sigmoid };
    let Loss { total, parts } = objective.loss(&model, &batch, &batch, 1);
    let number = |x: Tensor<1>| f64::from(x.into_scalar::<f32>());
    assert!((number(total) - std::f64::consts::LN_2).abs() < 1e-6);
    for (name, value) in parts {
        let expected = if name == "accuracy" { 0.5 } else { 0.0 };
        let value = number(value);
        assert!((value - expected).abs() < 1e-6, "{name} is {value}");
    }
}
