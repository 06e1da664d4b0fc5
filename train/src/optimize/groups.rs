//! Groups of parameters, by patterns on their names.

use std::collections::BTreeSet;

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};
use glob::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{MapNamed, has_adapters, is_base, map_named};

/// What is particular to some parameters. Where several patterns match a parameter, the last group has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterGroup {
    /// A pattern on names such as `blocks.0.attention.input.weight`, or `tokens`: `*` stands for any characters, `?` for one, `[01]` for one of these.
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
    /// What is wrong with the numbers, if something is.
    fn fault(&self) -> Option<String> {
        let numbers = [("learning_rate", self.learning_rate), ("weight_decay", self.weight_decay.unwrap_or_default())];
        let (key, number) = numbers.into_iter().find(|(_, number)| !number.is_finite() || *number < 0.0)?;
        Some(format!("`{key}` of `{}` has to be 0 or more, and is {number}", self.parameters))
    }
}

/// Groups, checked, each with its pattern.
#[derive(Debug)]
pub struct Groups(Vec<(Pattern, ParameterGroup)>);

impl Groups {
    /// # Errors
    /// When a number means nothing, or a pattern is none: the message says which.
    pub fn new(groups: &[ParameterGroup]) -> Result<Self, String> {
        let checked = |group: &ParameterGroup| {
            if let Some(fault) = group.fault() {
                return Err(fault);
            }
            let pattern = Pattern::new(&group.parameters)
                .map_err(|error| format!("`{}` is no pattern: {}", group.parameters, error.msg))?;
            Ok((pattern, group.clone()))
        };
        groups.iter().map(checked).collect::<Result<_, _>>().map(Self)
    }

    /// The group of a parameter by its name.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&ParameterGroup> {
        self.0.iter().rev().find(|(pattern, _)| pattern.matches(name)).map(|(_, group)| group)
    }

    /// The module, with the parameters of frozen groups out of what gradients are taken of; where layers have adapters, also all others than
    /// these.
    ///
    /// # Errors
    /// When a pattern matches no parameter, or only such as adapters are trained in the place of, or no parameter is left to train: the message
    /// says so.
    pub fn freeze<M: Module>(&self, module: M) -> Result<M, String> {
        struct Freeze<'g> {
            groups: &'g Groups,
            has_adapters: bool,
            names: Vec<String>,
            /// The parameters that adapters are trained in the place of.
            of_base: BTreeSet<String>,
            trained: usize,
        }
        impl MapNamed for Freeze<'_> {
            fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let of_base = self.has_adapters && is_base(name);
                let freeze = of_base || self.groups.of(name).is_some_and(|group| group.freeze);
                self.names.push(name.to_owned());
                if of_base {
                    self.of_base.insert(name.to_owned());
                }
                self.trained += usize::from(!freeze);
                if freeze { param.set_require_grad(false) } else { param }
            }
        }
        let has_adapters = has_adapters(&module);
        let mut freeze = Freeze { groups: self, has_adapters, names: Vec::new(), of_base: BTreeSet::new(), trained: 0 };
        let module = map_named(module, &mut freeze);
        let Freeze { names, of_base, trained, .. } = freeze;
        for (pattern, group) in &self.0 {
            let mut matched = names.iter().filter(|name| pattern.matches(name)).peekable();
            if !group.freeze && matched.peek().is_some() && matched.all(|name| of_base.contains(name)) {
                return Err(format!(
                    "`{pattern}` matches parameters that stay as they are, since adapters are trained in their place"
                ));
            }
            if !names.iter().any(|name| pattern.matches(name)) {
                let some: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
                return Err(format!(
                    "`{pattern}` matches no parameter of the model; names are such as {}",
                    some.join(", ")
                ));
            }
        }
        if trained == 0 {
            return Err("all parameters are frozen, and none is left to train".into());
        }
        Ok(module)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{model::ModelConfig, random::Stream};

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).expect("it is a pattern").matches(name)
    }

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

    fn frozen<M: Module>(module: M, groups: &[ParameterGroup]) -> Result<M, String> {
        Groups::new(groups)?.freeze(module)
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
        let error = Groups::new(&[group("blocks.[0", true)]).expect_err("a bracket is open");
        assert!(error.starts_with("`blocks.[0` is no pattern: "), "{error}");
    }
}
