//! The part `[optimizer]` of a configuration, and the list of optimizers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Adafactor, AdamW, ModuleOptimizer, Muon, Optimizer, ParameterGroup, groups::Groups};

/// The optimizer, by name. Each has keys of its own, and a key of another is an error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Which optimizer it is.
    pub name: OptimizerName,
    /// The decay rate of the first moment: 0.9 for `adamw`, 0.8 for what `muon` leaves to AdamW. For `adafactor` that of the mean of updates,
    /// which is not kept by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// `adamw`, `muon`: the decay rate of the second moment, 0.95.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// Added to the root of the second moment: 1e-8 for `adamw`, 1e-10 for `muon`. For `adafactor` added to squares of gradients: 1e-30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Decoupled weight decay of matrices and tables; biases and gains do not decay. 0.1 for `adamw`, 0 for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// `adafactor`: the second moments' decay rate at step t is 1 - t^-`decay_rate`; 0.8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay_rate: Option<f64>,
    /// `adafactor`: the largest root mean square of an update, before the learning rate; 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_threshold: Option<f64>,
    /// `adafactor`: whether the learning rate is multiplied by the root mean square of the parameter; `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_parameter: Option<bool>,
    /// `adafactor`: the least that it is multiplied by; 1e-3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_scale: Option<f64>,
    /// `adafactor`: whether the learning rate at step t is min(0.01, 1/sqrt(t)), whatever `[learning_rate]` has; `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_step: Option<bool>,
    /// `muon`: the decay rate of the momentum, 0.95.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// `muon`: the learning rate of what AdamW steps, as a multiple of that of the matrices; 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adamw_learning_rate: Option<f64>,
    /// What is particular to some parameters.
    #[serde(rename = "group", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ParameterGroup>,
}

/// The optimizers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    #[default]
    AdamW,
    /// Adafactor (Shazeer and Stern 2018): of a matrix only the second moments of rows and columns are kept.
    Adafactor,
    /// Muon (Jordan et al. 2024) for matrices, AdamW for tables and vectors.
    Muon,
}

/// What is wrong with a configuration: a key, and the message.
pub type KeyFault = (String, String);

/// A row of the list: what an optimizer has as keys, and how it is made of them.
struct Row {
    defaults: fn() -> Map<String, Value>,
    make: fn(Value) -> Result<Box<dyn Optimizer>, serde_json::Error>,
}

impl Row {
    fn of<O: Optimizer + Default + Serialize + DeserializeOwned + 'static>() -> Self {
        Self {
            defaults: || table(&O::default()),
            make: |settings| Ok(Box::new(serde_json::from_value::<O>(settings)?)),
        }
    }
}

impl OptimizerName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AdamW, Self::Adafactor, Self::Muon];

    fn row(self) -> Row {
        match self {
            Self::AdamW => Row::of::<AdamW>(),
            Self::Adafactor => Row::of::<Adafactor>(),
            Self::Muon => Row::of::<Muon>(),
        }
    }
}

impl OptimizerConfig {
    /// The optimizer at its first step.
    ///
    /// # Errors
    /// A key that it does not have, or a number that means nothing: with the key.
    pub fn build(&self) -> Result<ModuleOptimizer, KeyFault> {
        let settings = Value::Object(self.settings()?);
        let name = || ("name".to_owned(), "its numbers are no settings".to_owned());
        let optimizer = (self.name.row().make)(settings).map_err(|_| name())?;
        if let Some((key, message)) = optimizer.fault() {
            return Err((key.to_owned(), message));
        }
        let groups = Groups::new(&self.groups).map_err(|message| ("group".to_owned(), message))?;
        Ok(ModuleOptimizer::new(optimizer, groups))
    }

    /// All that the optimizer is given, with the defaults of what is not said.
    ///
    /// # Errors
    /// A key that it does not have.
    fn settings(&self) -> Result<Map<String, Value>, KeyFault> {
        let mut given = table(self);
        let name = given.remove("name").unwrap_or_default();
        given.remove("group");
        // what is said and is no number that JSON has
        if let Some((key, _)) = given.iter().find(|(_, value)| value.is_null()) {
            return Err((key.clone(), "it has to be a finite number".into()));
        }
        let mut settings = (self.name.row().defaults)();
        if let Some(key) = given.keys().find(|key| !settings.contains_key(*key)) {
            let keys: Vec<String> = settings.keys().map(|key| format!("`{key}`")).collect();
            let message = format!("the optimizer {name} has no such key; it has {}", keys.join(", "));
            return Err((key.clone(), message));
        }
        settings.extend(given);
        Ok(settings)
    }

    /// The same with every key of the optimizer written out.
    #[must_use]
    pub fn with_defaults(&self) -> Option<Value> {
        let mut all = self.settings().ok()?;
        let given = table(self);
        all.extend(["name", "group"].into_iter().filter_map(|key| Some((key.to_owned(), given.get(key)?.clone()))));
        Some(Value::Object(all))
    }
}

fn table(of: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(table)) => table,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(json: Value) -> OptimizerConfig {
        serde_json::from_value(json).expect("its keys are known")
    }

    #[test]
    fn a_key_of_another_optimizer_is_an_error() {
        for name in OptimizerName::ALL {
            let name = serde_json::to_value(name).expect("a name is JSON");
            config(json!({"name": name})).build().expect("defaults fit together");
        }
        let fault = |json| config(json).build().expect_err("it means nothing");
        assert_eq!(
            fault(json!({"momentum": 0.9})),
            (
                "momentum".to_owned(),
                "the optimizer \"adamw\" has no such key; it has `beta1`, `beta2`, `epsilon`, `weight_decay`"
                    .to_owned()
            )
        );
        assert_eq!(fault(json!({"name": "muon", "relative_step": true})).0, "relative_step");
        assert_eq!(fault(json!({"name": "adafactor", "decay_rate": 0.0})).0, "decay_rate");
        let infinite = OptimizerConfig { weight_decay: Some(f64::INFINITY), ..config(json!({})) };
        let (key, message) = infinite.build().expect_err("it means nothing");
        assert_eq!((key.as_str(), message.as_str()), ("weight_decay", "it has to be a finite number"));
        let (key, message) = fault(json!({"group": [{"parameters": "tokens", "learning_rate": -1.0}]}));
        assert_eq!(
            (key.as_str(), message.as_str()),
            ("group", "`learning_rate` of `tokens` has to be 0 or more, and is -1")
        );
    }

    /// What is written out is what is meant without.
    #[test]
    fn defaults_are_written_out() {
        let all = config(json!({})).with_defaults();
        assert_eq!(all, config(json!({"name": "adamw", "beta1": 0.9})).with_defaults());
        assert_eq!(
            all,
            Some(json!({"name": "adamw", "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0.1}))
        );
    }
}
