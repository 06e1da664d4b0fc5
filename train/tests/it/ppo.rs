//! The arithmetic of PPO against PyTorch: `tests/figures/ppo_figures.py` wrote down what it computes.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData};
use train::{
    data::{Batch, Episode, EpisodeBatch, MicroBatches as _, NextTokens},
    model::{ActorCritic, Family, RewardModel, Tokens, replace, states_at},
    objective::{Drawn, Loss, Objective as _, Ppo, answer_values, policy_log_probabilities},
    optimize::Gradients,
    rollout::{Advantages, advantages, explained_variance, kl, kl_k3, token_rewards, whiten},
    tensor::head_losses,
};

use crate::{
    devices::{everywhere, here, slack},
    figures::{Figures, apart, numbers},
};

/// Prompts and answers, as the script has them.
const EPISODES: [(&[u32], &[u32]); 3] = [(&[1, 2], &[3, 4, 5, 0]), (&[9, 3, 1], &[2, 0]), (&[7], &[8, 10, 0])];
const FAMILIES: [(Family, &str); 2] = [(Family::Gpt2, "gpt2"), (Family::Llama, "llama")];
const DRAWN: Drawn = Drawn { temperature: 0.7, tokens: 11 };
const PPO: Ppo = Ppo { clip: 0.2, value_clip: 0.2, value_weight: 0.1, drawn: DRAWN, pretraining_weight: 2.5 };
const LAMBDA: f64 = 0.95;
const CLOSE: f64 = 1e-5;

fn read() -> Figures {
    Figures::read(include_bytes!("../figures/ppo.safetensors"))
}

fn near(what: &str, found: f64, expected: f64, close: f64) {
    assert!((found - expected).abs() < close, "{what} is {found} and not {expected}");
}

/// Holds a vector.
fn hold(figures: &Figures, name: &str, found: &[f32], close: f64) {
    let far = apart(found, &figures.numbers(name));
    assert!(far < close, "{name}: {far} off");
}

/// The two networks with the weights of a small model of PyTorch's each, and a head of its.
fn actor_critic(figures: &Figures, family: Family, name: &str) -> ActorCritic {
    let policy = Figures::of_models().model(family, name);
    let fresh: RewardModel = policy.architecture().init_reward_model(11, 0, &here());
    let value = replace(fresh, |parameter, shape| match parameter {
        "score.weight" => figures.numbers(&format!("{name}/score")),
        "score.bias" => vec![0.25],
        _ => {
            let inner = parameter.strip_prefix("model.").expect("it is of the language model");
            let figure = format!("{name}/parameter/{inner}");
            assert_eq!(Figures::of_models().shape(&figure), shape, "{figure}");
            Figures::of_models().numbers(&figure)
        }
    });
    ActorCritic::new(policy, value)
}

/// The episodes with the numbers of their tokens, and two pretraining sequences each.
fn batch(figures: &Figures, name: &str) -> EpisodeBatch {
    let of = |what: &str| figures.numbers(&format!("{name}/{what}"));
    let ids: Vec<Vec<u32>> = EPISODES.iter().map(|(prompt, answer)| [*prompt, *answer].concat()).collect();
    let [log_probabilities, values] = ["log_probabilities", "values"].map(of);
    let [advantages, returns] = ["advantages", "returns"].map(of);
    let mut episodes = Vec::new();
    let mut first = 0;
    for ((prompt, answer), ids) in EPISODES.iter().zip(&ids) {
        let own = first..first + answer.len();
        first = own.end;
        episodes.push(Episode {
            ids,
            prompt: prompt.len(),
            log_probabilities: &log_probabilities[own.clone()],
            values: &values[own.clone()],
            advantages: &advantages[own.clone()],
            returns: &returns[own],
        });
    }
    let [inputs, targets] = ["inputs", "targets"].map(|what| figures.ids(&format!("{name}/pretraining/{what}")));
    let pretraining = Batch {
        starts: vec![0; inputs.len()],
        inputs,
        targets,
        weights: of("pretraining/weights"),
        batch_size: 6,
        sequence_length: 5,
    };
    EpisodeBatch {
        pretraining: Some(pretraining),
        figures: vec![("score", 1.5), ("kl", -0.25)],
        ..EpisodeBatch::new(&episodes, 0)
    }
}

/// A loss in numbers, and the gradients of all parameters.
struct Found {
    loss: f64,
    parts: BTreeMap<&'static str, f64>,
    gradients: Gradients,
}

fn found(model: &ActorCritic, Loss { total, parts }: Loss) -> Found {
    let number = |x: Tensor<1>| f64::from(x.into_scalar::<f32>());
    let gradients = Gradients::of(model, &mut total.backward());
    Found {
        loss: number(total),
        parts: parts.into_iter().map(|(name, value)| (name, number(value))).collect(),
        gradients,
    }
}

/// Holds gradients to others, of the same parameters.
fn hold_gradients(name: &str, gradients: &Gradients, expected: &BTreeMap<String, Vec<f32>>, close: f64) {
    let names: Vec<&str> = gradients.by_name().map(|(parameter, _)| parameter).collect();
    assert_eq!(names, expected.keys().collect::<Vec<_>>(), "{name}: these parameters have gradients");
    for (parameter, gradient) in gradients.by_name() {
        let far = apart(&numbers(gradient.clone()), &expected[parameter]);
        assert!(far < close, "{name}: the gradient of {parameter} is {far} off");
    }
}

fn in_numbers(gradients: &Gradients) -> BTreeMap<String, Vec<f32>> {
    gradients.by_name().map(|(name, gradient)| (name.to_owned(), numbers(gradient.clone()))).collect()
}

/// Rewards, advantages, and what is made of these before anything is learnt.
#[test]
fn a_rollout_is_judged_as_it_is_there() {
    let figures = read();
    for length in ["short", "long"] {
        let of = |what: &str| figures.numbers(&format!("advantages/{length}/{what}"));
        let (rewards, values) = (of("rewards"), of("values"));
        for (name, gamma) in [("undiscounted", 1.0), ("discounted", 0.95)] {
            let found = advantages(&rewards, &values, gamma, LAMBDA);
            let Advantages { advantages, returns } = &found;
            hold(&figures, &format!("advantages/{length}/{name}/advantages"), advantages, CLOSE);
            hold(&figures, &format!("advantages/{length}/{name}/returns"), returns, CLOSE);
            let expected = f64::from(of(&format!("{name}/explained_variance"))[0]);
            near("the explained variance", explained_variance(&values, returns), expected, CLOSE);
        }
    }
    for (name, shift_mean) in [("shifted", true), ("unshifted", false)] {
        let mut values = figures.numbers("whitening/values");
        whiten(&mut values, shift_mean);
        hold(&figures, &format!("whitening/{name}"), &values, CLOSE);
    }
    let of = |what: &str| figures.numbers(&format!("rewards/{what}"));
    let (own, references) = (of("log_probabilities"), of("references"));
    hold(&figures, "rewards/rewards", &token_rewards(&own, &references, 0.15, 1.75), CLOSE);
    near("the divergence", kl(&own, &references), f64::from(of("kl")[0]), CLOSE);
    near("that of a token", kl_k3(&own, &references), f64::from(of("k3")[0]), CLOSE);
}

/// Answers of different lengths, some of whose ratios and values are clipped: the loss, what it is made of, and its gradients.
#[test]
fn a_policy_and_its_value_network_learn_as_they_do_there() {
    everywhere(|| {
        let figures = read();
        for (family, name) in FAMILIES {
            let (model, batch) = (actor_critic(&figures, family, name), batch(&figures, name));
            let log_probabilities = policy_log_probabilities(model.policy(), &batch, DRAWN);
            let values = answer_values(model.value(), &batch);
            hold(&figures, &format!("{name}/new_log_probabilities"), &log_probabilities, CLOSE * slack());
            hold(&figures, &format!("{name}/new_values"), &values, CLOSE * slack());
            let by_itself = policy_log_probabilities(&Figures::of_models().model(family, name), &batch, DRAWN);
            let far = apart(&by_itself, &log_probabilities);
            assert!(far < CLOSE * slack(), "{name}: as a reference it is {far} off what it is as a policy");

            let Found { loss, parts, gradients } = found(&model, PPO.loss(&model, &batch, &batch, 1));
            let of = |what: &str| f64::from(figures.numbers(&format!("{name}/{what}"))[0]);
            near(name, loss, of("loss"), CLOSE * slack());
            let own: BTreeMap<&str, f32> = batch.figures.iter().copied().collect();
            for (part, value) in &parts {
                let expected = own.get(part).map_or_else(|| of(part), |figure| f64::from(*figure));
                near(&format!("{name}: {part}"), *value, expected, CLOSE * slack());
            }
            assert_eq!(parts.len(), 6 + own.len(), "{name}: {parts:?}");
            let prefix = format!("{name}/gradient/");
            let parameters = figures.names().into_iter().filter_map(|figure| figure.strip_prefix(&prefix));
            let expected: BTreeMap<String, Vec<f32>> =
                parameters.map(|key| (key.to_owned(), figures.numbers(&format!("{prefix}{key}")))).collect();
            hold_gradients(name, &gradients, &expected, 2.0 * CLOSE * slack());
        }
    });
}

/// One episode at a time is all three at once: losses, their parts, what is said of the rollout, and gradients.
#[test]
fn parts_of_a_batch_add_up() {
    everywhere(|| {
        let figures = read();
        for (family, name) in FAMILIES {
            let (model, batch) = (actor_critic(&figures, family, name), batch(&figures, name));
            let whole = found(&model, PPO.loss(&model, &batch, &batch, 1));
            let (mut loss, mut sums) = (0.0, BTreeMap::new());
            let mut gradients: Option<Gradients> = None;
            for (number, part) in (2..).zip(batch.micro_batches(3)) {
                let own = found(&model, PPO.loss(&model, &part, &batch, number));
                loss += own.loss;
                for (part, value) in own.parts {
                    *sums.entry(part).or_insert(0.0) += value;
                }
                gradients = Some(match gradients {
                    Some(mut sum) => {
                        sum.add(own.gradients);
                        sum
                    }
                    None => own.gradients,
                });
            }
            near(name, loss, whole.loss, CLOSE * slack());
            assert_eq!(sums.keys().collect::<Vec<_>>(), whole.parts.keys().collect::<Vec<_>>());
            for (part, sum) in sums {
                near(&format!("{name}: {part}"), sum, whole.parts[part], CLOSE * slack());
            }
            let gradients = gradients.expect("there are parts");
            hold_gradients(name, &gradients, &in_numbers(&whole.gradients), 2.0 * CLOSE * slack());
        }
    });
}

/// Where policy and values are those of the rollout, every ratio is 1 and every value within its range, and the two losses of a token are
/// equal: the gradient is that of `-advantage * log P(token)` and of the plain square, and not a share of them.
#[test]
fn a_first_update_has_the_whole_gradient() {
    everywhere(|| {
        let figures = read();
        for (family, name) in FAMILIES {
            let model = actor_critic(&figures, family, name);
            let mut batch = EpisodeBatch { pretraining: None, figures: Vec::new(), ..batch(&figures, name) };
            batch.log_probabilities = policy_log_probabilities(model.policy(), &batch, DRAWN);
            batch.values = answer_values(model.value(), &batch);
            let Found { parts, gradients, .. } = found(&model, PPO.loss(&model, &batch, &batch, 1));
            for part in ["clip_share", "value_clip_share", "approximate_kl"] {
                // two passes on a GPU may be by different kernels
                near(&format!("{name}: {part}"), parts[part], 0.0, 1e-9 * slack().powi(2));
            }
            assert_eq!(parts.len(), 5, "{name}: there are no pretraining sequences: {parts:?}");

            let tokens = Tokens { ids: &batch.ids, batch_size: EPISODES.len(), starts: None };
            let NextTokens { places, targets, .. } = batch.next_tokens();
            let states = states_at(model.policy().hidden(tokens, None), &places) / DRAWN.temperature;
            let losses = head_losses(states, model.policy().head(), &targets);
            let constant = |numbers: &[f32]| {
                Tensor::<1>::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), &losses.device())
            };
            let (advantages, returns) = (constant(&batch.advantages), constant(&batch.returns));
            let of_values = (model.value().values(tokens, &places, None) - returns).square() * (0.5 * PPO.value_weight);
            let plain: Tensor<1> = (losses * advantages + of_values).mean();
            let expected = in_numbers(&found(&model, plain.into()).gradients);
            hold_gradients(name, &gradients, &expected, 2.0 * CLOSE * slack());
        }
    });
}
