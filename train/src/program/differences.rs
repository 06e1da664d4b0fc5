//! What a training that is to be gone on with would do otherwise: the keys of its configuration, with both values.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    classifier_config::ClassifierConfig,
    dpo_config::LossConfig,
    training::{FREE, TrainingConfig},
};
use crate::{
    checkpoint::Identity,
    model::ModelConfig,
    optimize::{OptimizerConfig, Schedule},
};

/// What differs between a checkpoint's training and one that wants to go on from it, a line each; none where it may.
///
/// A default that is written out is no difference, nor is a preset that is written out in numbers. The number of steps may change where the learning
/// rates of all steps that were taken stay the same: before a decay, or without one.
///
/// - `taken`: steps of the checkpoint
pub fn differences(saved: &Identity, wanted: &Identity, taken: u64) -> Vec<String> {
    let (saved_config, wanted_config) = (filled(&saved.config), filled(&wanted.config));
    let mut found = Vec::new();
    compare("", &saved_config, &wanted_config, &mut found);
    if same_rates(&saved_config, &wanted_config, taken) {
        found.retain(|(key, _)| key != STEPS);
    }
    let mut lines: Vec<String> = found.into_iter().map(|(key, values)| format!("`{key}` {values}")).collect();
    for (what, saved, wanted) in [
        ("`data.tokenizer` is another file", &saved.tokenizer, &wanted.tokenizer),
        ("the documents are in other files, or changed", &saved.mixture, &wanted.mixture),
    ] {
        if saved != wanted {
            lines.push(format!("{what}: the SHA-256 was {saved:.12}..., and is {wanted:.12}..."));
        }
    }
    let said = |hash: &str| if hash.is_empty() { "none".to_owned() } else { format!("{hash:.12}...") };
    if saved.weights != wanted.weights {
        let (saved, wanted) = (said(&saved.weights), said(&wanted.weights));
        lines.push(format!("`model.from` has other weights: the SHA-256 was {saved}, and is {wanted}"));
    }
    let began_with =
        |identity: &Identity| identity.base.as_ref().map(|base| base.began_with.clone()).unwrap_or_default();
    let (before, now) = (began_with(saved), began_with(wanted));
    if before != now {
        let (before, now) = (said(&before), said(&now));
        lines.push(format!("`lora.from` has other weights: the SHA-256 was {before}, and is {now}"));
    }
    lines
}

/// Keys that may change between a start and a resume.
pub fn free_keys() -> String {
    FREE.map(|key| format!("`training.{key}`")).join(", ")
}

const STEPS: &str = "training.steps";

/// A configuration with the defaults of what it does not say, as far as it can be read.
fn filled(config: &Value) -> Value {
    let mut config = config.clone();
    if !config.is_object() {
        return config;
    }
    if let Some(architecture) = architecture(&config["model"]) {
        config["model"] = architecture;
    }
    fill::<TrainingConfig>(&mut config["training"]);
    if let Some(training) = config["training"].as_object_mut() {
        FREE.iter().for_each(|name| drop(training.remove(*name)));
    }
    fill::<Schedule>(&mut config["learning_rate"]);
    if config["classifier"].is_object() {
        fill::<ClassifierConfig>(&mut config["classifier"]);
    }
    if config["dpo"].is_object() {
        fill::<LossConfig>(&mut config["dpo"]);
    }
    if config["optimizer"].is_null() {
        config["optimizer"] = json!({});
    }
    let optimizer = serde_json::from_value::<OptimizerConfig>(config["optimizer"].clone());
    if let Some(optimizer) = optimizer.ok().and_then(|optimizer| optimizer.with_defaults()) {
        config["optimizer"] = optimizer;
    }
    config
}

fn fill<T: Serialize + DeserializeOwned>(table: &mut Value) {
    if let Ok(typed) = serde_json::from_value::<T>(table.clone()) {
        *table = serde_json::to_value(typed).expect("a table is JSON");
    }
}

/// A model's numbers, whichever preset they come from.
fn architecture(model: &Value) -> Option<Value> {
    let config = serde_json::from_value::<ModelConfig>(model.clone()).ok()?.with_defaults().ok()?;
    let mut numbers = serde_json::to_value(&config).ok()?;
    // as it is written, and not the double that is nearest to the single
    numbers["dropout"] = serde_json::from_str(&config.dropout.unwrap_or_default().to_string()).ok()?;
    Some(numbers)
}

/// The keys below `key` whose values differ, and how.
fn compare(key: &str, saved: &Value, wanted: &Value, found: &mut Vec<(String, String)>) {
    if saved == wanted {
        return;
    }
    let (Some(one), Some(other)) = (saved.as_object(), wanted.as_object()) else {
        let said = |value: &Value| if value.is_null() { "not there".to_owned() } else { value.to_string() };
        found.push((key.to_owned(), format!("was {}, and is {}", said(saved), said(wanted))));
        return;
    };
    for name in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
        let inner = match key {
            "" => name.clone(),
            // weights stand with their sources
            "data.weights" => format!("data.sources.{name}.weight"),
            _ => format!("{key}.{name}"),
        };
        let of = |table: &serde_json::Map<String, Value>| table.get(name).cloned().unwrap_or(Value::Null);
        compare(&inner, &of(one), &of(other), found);
    }
}

/// Whether the steps that were taken had the learning rates that they would have had.
fn same_rates(saved: &Value, wanted: &Value, taken: u64) -> bool {
    let read = |config: &Value| {
        let schedule: Schedule = serde_json::from_value(config["learning_rate"].clone()).ok()?;
        Some((schedule, config["training"]["steps"].as_u64()?))
    };
    let (Some((before, steps)), Some((now, wanted))) = (read(saved), read(wanted)) else { return false };
    wanted >= taken && (0..taken).all(|step| before.at(step, steps).to_bits() == now.at(step, wanted).to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(changes: &[(&str, Value)]) -> Identity {
        let mut config = json!({
            "seed": 1,
            "data": {"weights": {"mixture": 1.0}, "packing": "best_fit"},
            "model": {"num_layers": 2, "num_heads": 2, "hidden_size": 16, "context_length": 32},
            "training": {"steps": 40, "batch_size": 4},
            "learning_rate": {"peak": 0.01, "warmup_steps": 5},
        });
        for (key, value) in changes {
            *config.pointer_mut(&key[..key.rfind('/').expect("a key in a table")]).expect("a table") =
                with(&config, key, value);
        }
        let (tokenizer, mixture) = ("a".repeat(64), "b".repeat(64));
        Identity { config, tokenizer, mixture, threads: 1, weights: String::new(), base: None }
    }

    fn with(config: &Value, key: &str, value: &Value) -> Value {
        let (table, name) = key.rsplit_once('/').expect("a key in a table");
        let mut table = config.pointer(table).expect("a table").clone();
        table[name] = value.clone();
        table
    }

    fn found(changes: &[(&str, Value)]) -> Vec<String> {
        differences(&identity(&[]), &identity(changes), 10)
    }

    #[test]
    fn keys_and_both_values_are_named() {
        let changes = [
            ("/seed", json!(2)),
            ("/model/dropout", json!(0.1)),
            ("/training/batch_size", json!(8)),
            ("/data/weights/forum", json!(0.5)),
        ];
        assert_eq!(
            found(&changes),
            [
                "`data.sources.forum.weight` was not there, and is 0.5",
                "`model.dropout` was 0, and is 0.1",
                "`seed` was 1, and is 2",
                "`training.batch_size` was 4, and is 8",
            ]
        );
        let other = Identity { mixture: "c".repeat(64), ..identity(&[]) };
        let expected =
            "the documents are in other files, or changed: the SHA-256 was bbbbbbbbbbbb..., and is cccccccccccc...";
        assert_eq!(differences(&identity(&[]), &other, 10), [expected]);
        let other = Identity { weights: "d".repeat(64), ..identity(&[]) };
        let expected = "`model.from` has other weights: the SHA-256 was none, and is dddddddddddd...";
        assert_eq!(differences(&identity(&[]), &other, 10), [expected]);
    }

    #[test]
    fn what_was_meant_before_is_no_difference() {
        let same = [
            ("/training/max_grad_norm", json!(1)),
            ("/training/evaluate_every", json!(7)),
            ("/model/family", json!("gpt2")),
            ("/learning_rate/shape", json!("cosine")),
            ("/optimizer", json!({"name": "adamw", "beta2": 0.95})),
        ];
        assert_eq!(found(&same), [""; 0]);
    }

    /// More steps are the same training where the rates until now are the same.
    #[test]
    fn steps_may_change_before_a_decay() {
        let steps = ("/training/steps", json!(80));
        assert_eq!(found(std::slice::from_ref(&steps)), ["`training.steps` was 40, and is 80"]);
        for (shape, taken, expected) in [
            (json!("constant"), 40, 0),
            (json!({"wsd": {"share": 0.5}}), 20, 0),
            (json!({"wsd": {"share": 0.5}}), 30, 1),
            (json!("constant"), 81, 1),
        ] {
            let shape = ("/learning_rate/shape", shape);
            let (saved, wanted) = (identity(std::slice::from_ref(&shape)), identity(&[shape.clone(), steps.clone()]));
            assert_eq!(differences(&saved, &wanted, taken).len(), expected, "{shape:?} after {taken}");
        }
    }
}
