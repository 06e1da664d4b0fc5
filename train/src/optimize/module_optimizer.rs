//! An optimizer over all parameters of a module, with its states by name.

use std::collections::BTreeMap;

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, TensorData},
};

use super::{Gradients, Optimizer, ParameterStep, groups::Groups};
use crate::model::{HeldTensor, MapNamed, NamedTensor, map_named, named_shapes};

/// An optimizer with what it keeps of each parameter.
#[derive(Debug)]
pub struct ModuleOptimizer {
    optimizer: Box<dyn Optimizer>,
    groups: Groups,
    /// Steps that were taken.
    steps: u64,
    /// States of each parameter by their names, `[elements]` each.
    states: BTreeMap<String, Vec<(&'static str, Tensor<1>)>>,
}

impl ModuleOptimizer {
    /// An optimizer at its first step.
    #[must_use]
    pub fn new(optimizer: Box<dyn Optimizer>, groups: Groups) -> Self {
        Self { optimizer, groups, steps: 0, states: BTreeMap::new() }
    }

    /// The module, ready to be trained: what is frozen takes no part in gradients.
    ///
    /// # Errors
    /// When a group matches no parameter, or none is left to train: the message says so.
    pub fn prepare<M: Module>(&self, module: M) -> Result<M, String> {
        self.groups.freeze(module)
    }

    /// Goes on after `steps` steps with what [`Self::states`] had. A parameter without states begins anew.
    ///
    /// # Errors
    /// When these are not the states that this optimizer keeps of the module's parameters: the message names one.
    pub fn restore(
        &mut self,
        steps: u64,
        states: Vec<NamedTensor>,
        module: &impl Module,
        device: &Device,
    ) -> Result<(), String> {
        let mut by_name: BTreeMap<String, Vec<f32>> =
            states.into_iter().map(|NamedTensor { name, values, .. }| (name, values)).collect();
        self.steps = steps;
        self.states.clear();
        for (parameter, shape) in named_shapes(module) {
            let (mut found, mut missing) = (Vec::new(), None);
            for (state, count) in self.optimizer.states(&parameter, &shape) {
                match by_name.remove(&format!("{parameter}.{state}")) {
                    Some(values) if values.len() == count => {
                        found.push((state, Tensor::from_data(TensorData::new(values, [count]), device)));
                    }
                    Some(values) => {
                        let has = values.len();
                        return Err(format!("`{parameter}.{state}` has {has} numbers, and should have {count}"));
                    }
                    None => missing = Some(state),
                }
            }
            match missing {
                None => drop(self.states.insert(parameter, found)),
                Some(state) if !found.is_empty() => return Err(format!("it has no `{parameter}.{state}`")),
                Some(_) => {}
            }
        }
        match by_name.keys().next() {
            Some(name) => Err(format!("`{name}` is no state of this optimizer")),
            None => Ok(()),
        }
    }

    /// The states of all parameters: `tokens.first` is the state `first` of `tokens`, `[elements]`.
    #[must_use]
    pub fn states(&self) -> Vec<HeldTensor> {
        let named = |(parameter, states): (&String, &Vec<(&'static str, Tensor<1>)>)| {
            let named = |(state, tensor): &(&'static str, Tensor<1>)| {
                HeldTensor::new(format!("{parameter}.{state}"), tensor.clone())
            };
            states.iter().map(named).collect::<Vec<_>>()
        };
        self.states.iter().flat_map(named).collect()
    }

    /// The learning rate of the next step, where the schedule has `scheduled`.
    #[must_use]
    pub fn learning_rate(&self, scheduled: f64) -> f64 {
        self.optimizer.learning_rate(scheduled, self.steps + 1)
    }

    /// The module after one step of the given learning rate. Parameters without a gradient stay.
    pub fn step<M: Module>(&mut self, module: M, gradients: Gradients, learning_rate: f64) -> M {
        self.steps += 1;
        map_named(module, &mut Step { optimizer: self, gradients, learning_rate })
    }
}

struct Step<'o> {
    optimizer: &'o mut ModuleOptimizer,
    gradients: Gradients,
    learning_rate: f64,
}

impl MapNamed for Step<'_> {
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.take(name) else { return param };
        let ModuleOptimizer { optimizer, groups, steps, states } = &mut *self.optimizer;
        let shape = param.dims();
        let kept = states.remove(name).unwrap_or_else(|| {
            let zeros = |(state, count)| (state, Tensor::zeros([count], &gradient.device()));
            optimizer.states(name, &shape).into_iter().map(zeros).collect()
        });
        let (state_names, kept): (Vec<&'static str>, Vec<Tensor<1>>) = kept.into_iter().unzip();
        let group = groups.of(name);
        #[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
        let gradient_scale = self.gradients.scale() as f32;
        let (learning_rate, step) = (self.learning_rate, *steps);
        param.map(|values| {
            let parameter = ParameterStep {
                name,
                shape: &shape,
                // the step is no part of what gradients are taken of
                values: values.without_autodiff().reshape([-1]),
                gradient,
                gradient_scale,
                learning_rate: group.map_or(learning_rate, |group| group.learning_rate * learning_rate),
                weight_decay: group.and_then(|group| group.weight_decay),
                step,
            };
            let (values, kept) = optimizer.step(parameter, kept);
            states.insert(name.to_owned(), state_names.into_iter().zip(kept).collect());
            values.reshape(shape).autodiff().require_grad()
        })
    }
}
