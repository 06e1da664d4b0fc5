//! A module's parameters by name, such as `blocks.0.attention.input.weight`.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, TensorData},
};

use super::{
    adapter_names::is_adapter,
    named::{MapNamed, VisitNamed, map_named, visit_named},
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
    parameters_where(module, |_| true)
}

/// The parameters that a checkpoint of a module holds, in the module's order: all; where there are adapters, these alone, since all else is
/// as it was.
#[must_use]
pub fn saved_parameters(module: &impl Module) -> Vec<NamedTensor> {
    let has_adapters = has_adapters(module);
    parameters_where(module, |name| !has_adapters || is_adapter(name))
}

/// Whether some layers of a module have adapters.
#[must_use]
pub fn has_adapters(module: &impl Module) -> bool {
    named_shapes(module).iter().any(|(name, _)| is_adapter(name))
}

fn parameters_where(module: &impl Module, wanted: impl Fn(&str) -> bool) -> Vec<NamedTensor> {
    struct Collect<F>(F, Vec<NamedTensor>);
    impl<F: Fn(&str) -> bool> VisitNamed for Collect<F> {
        fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
            if !(self.0)(name) {
                return;
            }
            let tensor = param.val();
            let shape = tensor.dims().to_vec();
            let values = tensor.into_data().try_to_vec::<f32>().expect("parameters are single precision");
            self.1.push(NamedTensor { name: name.to_owned(), shape, values });
        }
    }
    let mut found = Collect(wanted, Vec::new());
    visit_named(module, &mut found);
    found.1
}

/// The names and shapes of all parameters of a module, in its own order.
#[must_use]
pub fn named_shapes(module: &impl Module) -> Vec<(String, Vec<usize>)> {
    struct Collect(Vec<(String, Vec<usize>)>);
    impl VisitNamed for Collect {
        fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
            self.0.push((name.to_owned(), param.dims().to_vec()));
        }
    }
    let mut found = Collect(Vec::new());
    visit_named(module, &mut found);
    found.0
}

/// The same module with the values that `values` gives for each name and shape.
pub fn replace<M: Module>(module: M, mut values: impl FnMut(&str, &[usize]) -> Vec<f32>) -> M {
    replace_some(module, |name, shape| Some(values(name, shape)))
}

/// The same module with the values that `values` gives for some names and shapes; what it gives none for stays.
pub fn replace_some<M: Module>(module: M, values: impl FnMut(&str, &[usize]) -> Option<Vec<f32>>) -> M {
    struct Replace<F>(F);
    impl<F: FnMut(&str, &[usize]) -> Option<Vec<f32>>> MapNamed for Replace<F> {
        fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let shape = param.dims();
            let device = param.device();
            let Some(values) = (self.0)(name, &shape) else { return param };
            param.map(|_| {
                let tensor = Tensor::from_data(TensorData::new(values, shape), &device);
                if tensor.is_autodiff() { tensor.require_grad() } else { tensor }
            })
        }
    }
    map_named(module, &mut Replace(values))
}
