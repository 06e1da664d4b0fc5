//! A module's parameters by name, such as `blocks.0.attention.input.weight`.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Tensor, TensorData},
};

/// A parameter: name, shape and values.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// The path through the module, with dots.
    pub name: String,
    /// The sizes of its dimensions.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Vec<f32>,
}

/// All parameters of a module, in its own order.
#[must_use]
pub fn named_parameters(module: &impl Module) -> Vec<NamedTensor> {
    struct Collect {
        path: Vec<String>,
        found: Vec<NamedTensor>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val();
            let shape = tensor.dims().to_vec();
            let values = tensor.into_data().try_to_vec::<f32>().expect("parameters are single precision");
            self.found.push(NamedTensor { name: self.path.join("."), shape, values });
        }
    }
    let mut collect = Collect { path: Vec::new(), found: Vec::new() };
    module.visit(&mut collect);
    collect.found
}

/// The names and shapes of all parameters of a module, in its own order.
#[must_use]
pub fn named_shapes(module: &impl Module) -> Vec<(String, Vec<usize>)> {
    struct Collect {
        path: Vec<String>,
        found: Vec<(String, Vec<usize>)>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.push((self.path.join("."), param.dims().to_vec()));
        }
    }
    let mut collect = Collect { path: Vec::new(), found: Vec::new() };
    module.visit(&mut collect);
    collect.found
}

/// The same module with the values that `values` gives for each name and shape.
pub fn replace<M: Module>(module: M, mut values: impl FnMut(&str, &[usize]) -> Vec<f32>) -> M {
    replace_some(module, |name, shape| Some(values(name, shape)))
}

/// The same module with the values that `values` gives for some names and shapes; what it gives none for stays.
pub fn replace_some<M: Module>(module: M, values: impl FnMut(&str, &[usize]) -> Option<Vec<f32>>) -> M {
    struct Replace<F> {
        path: Vec<String>,
        values: F,
    }
    impl<F: FnMut(&str, &[usize]) -> Option<Vec<f32>>> ModuleMapper for Replace<F> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let shape = param.dims();
            let device = param.device();
            let Some(values) = (self.values)(&self.path.join("."), &shape) else { return param };
            param.map(|_| {
                let tensor = Tensor::from_data(TensorData::new(values, shape), &device);
                if tensor.is_autodiff() { tensor.require_grad() } else { tensor }
            })
        }
    }
    module.map(&mut Replace { path: Vec::new(), values })
}
