//! Groups of parameters, by patterns on their names.

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::Tensor,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is particular to some parameters. Where several patterns match a parameter, the last group has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterGroup {
    /// A pattern on names such as `blocks.0.attention.input.weight`, or `tokens`: `*` stands for any characters, `?` for one.
    pub parameters: String,
    /// The learning rate is multiplied by this: 0 or more.
    #[serde(default = "one")]
    pub learning_rate: f64,
    /// The weight decay, in place of the optimizer's; of biases and gains, too.
    #[serde(default)]
    pub weight_decay: Option<f64>,
    /// They stay as they are: no gradient is taken of them, and no state is kept.
    #[serde(default)]
    pub freeze: bool,
}

fn one() -> f64 {
    1.0
}

impl ParameterGroup {
    /// The group of a parameter by its name.
    #[must_use]
    pub fn of<'g>(groups: &'g [Self], name: &str) -> Option<&'g Self> {
        groups.iter().rev().find(|group| matches(&group.parameters, name))
    }

    /// What is wrong with the numbers, if something is.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let numbers = [("learning_rate", self.learning_rate), ("weight_decay", self.weight_decay.unwrap_or_default())];
        let (key, number) = numbers.into_iter().find(|(_, number)| !number.is_finite() || *number < 0.0)?;
        Some(format!("`{key}` of `{}` has to be 0 or more, and is {number}", self.parameters))
    }
}

/// The module, with the parameters of frozen groups out of what gradients are taken of.
///
/// # Errors
/// When a pattern matches no parameter, or no parameter is left to train: the message says so.
pub fn frozen<M: Module>(module: M, groups: &[ParameterGroup]) -> Result<M, String> {
    struct Freeze<'g> {
        groups: &'g [ParameterGroup],
        path: Vec<String>,
        names: Vec<String>,
        trained: usize,
    }
    impl ModuleMapper for Freeze<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let name = self.path.join(".");
            let freeze = ParameterGroup::of(self.groups, &name).is_some_and(|group| group.freeze);
            self.names.push(name);
            self.trained += usize::from(!freeze);
            if freeze { param.set_require_grad(false) } else { param }
        }
    }
    let mut freeze = Freeze { groups, path: Vec::new(), names: Vec::new(), trained: 0 };
    let module = module.map(&mut freeze);
    let Freeze { names, trained, .. } = freeze;
    for ParameterGroup { parameters, .. } in groups {
        if !names.iter().any(|name| matches(parameters, name)) {
            let some: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
            return Err(format!(
                "`{parameters}` matches no parameter of the model; names are such as {}",
                some.join(", ")
            ));
        }
    }
    if trained == 0 {
        return Err("all parameters are frozen, and none is left to train".into());
    }
    Ok(module)
}

/// Whether a pattern matches a name, all of it.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    if first == '*' {
        return name.char_indices().any(|(place, _)| matches(rest, &name[place..])) || matches(rest, "");
    }
    let mut left = name.chars();
    left.next().is_some_and(|character| first == '?' || first == character) && matches(rest, left.as_str())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{model::ModelConfig, random::Stream};

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("tokens", "tokens", true),
            ("tokens", "tokens.more", false),
            ("*.bias", "blocks.0.norm.bias", true),
            ("*.bias", "bias", false),
            ("blocks.?.attention.*", "blocks.1.attention.input.weight", true),
            ("blocks.?.attention.*", "blocks.10.attention.input.weight", false),
            ("*attention*weight", "blocks.1.attention.input.weight", true),
            ("**", "norm.gain", true),
            ("", "norm.gain", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    fn group(parameters: &str, freeze: bool) -> ParameterGroup {
        ParameterGroup { parameters: parameters.into(), learning_rate: 1.0, weight_decay: None, freeze }
    }

    /// The last group that matches has a parameter, and what is frozen has no gradient.
    #[test]
    fn what_is_frozen_has_no_gradient() {
        let config = ModelConfig {
            num_layers: Some(1),
            num_heads: Some(1),
            hidden_size: Some(4),
            context_length: Some(3),
            ..ModelConfig::default()
        };
        let device = Device::flex().autodiff();
        let model = config.architecture().expect("the numbers fit together").init(5, 1, &device);
        let groups = [group("*", true), group("*.bias", false)];
        let model = frozen(model, &groups).expect("there are biases");
        let names: Vec<String> = crate::model::named_parameters(&model).into_iter().map(|named| named.name).collect();
        let tokens = crate::model::Tokens { ids: &[1, 2, 3], batch_size: 1, starts: None };
        let key = Stream::new(1, "test").bits(0);
        let mut graph = model.hidden(tokens, Some(key)).sum().backward();
        let gradients = super::super::Gradients::of(&model, &mut graph);
        let with: Vec<&str> = gradients.by_name().map(|(name, _)| name).collect();
        assert!(!with.is_empty() && with.iter().all(|name| matches("*.bias", name)), "{with:?} of {names:?}");

        let error = frozen(model.clone(), &[group("heads", true)]).expect_err("there is no such parameter");
        assert!(error.starts_with("`heads` matches no parameter of the model; names are such as `tokens`"), "{error}");
        let error = frozen(model, &[group("*", true)]).expect_err("nothing is left");
        assert!(error.contains("none is left to train"), "{error}");
    }
}
