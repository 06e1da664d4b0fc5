//! A module's parameters by name, such as `blocks.0.attention.input.weight`.

use std::{borrow::Cow, fmt};

use burn::{
    module::{Module, Param},
    tensor::{Tensor, TensorData},
};

use super::{
    adapter_names::{is_adapter, is_base},
    named::{MapNamed, VisitNamed, map_named, visit_named},
};
use crate::random::Stream;

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

/// A parameter, or what an optimizer keeps of one, whose values are read when they are written: so that memory holds a copy of one at a time.
pub trait WriteTensor {
    /// The path through the module, with dots.
    fn name(&self) -> &str;

    /// The sizes of its dimensions.
    fn shape(&self) -> &[usize];

    /// Its values, row by row.
    fn values(&self) -> Cow<'_, [f32]>;
}

impl WriteTensor for NamedTensor {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn values(&self) -> Cow<'_, [f32]> {
        Cow::Borrowed(&self.values)
    }
}

/// A tensor of a device, by name. It is held and not copied.
pub struct HeldTensor {
    name: String,
    shape: Vec<usize>,
    read: Box<dyn Fn() -> Vec<f32>>,
}

impl HeldTensor {
    /// A tensor of single precision.
    #[must_use]
    pub fn new<const D: usize>(name: String, tensor: Tensor<D>) -> Self {
        let shape = tensor.dims().to_vec();
        let read = move || tensor.to_data().try_to_vec::<f32>().expect("weights and states are single precision");
        Self { name, shape, read: Box::new(read) }
    }

    /// Its values, copied.
    #[must_use]
    pub fn read(&self) -> NamedTensor {
        NamedTensor { name: self.name.clone(), shape: self.shape.clone(), values: (self.read)() }
    }
}

impl WriteTensor for HeldTensor {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn values(&self) -> Cow<'_, [f32]> {
        Cow::Owned((self.read)())
    }
}

impl fmt::Debug for HeldTensor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HeldTensor")
            .field("name", &self.name)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// All parameters of a module, in its own order.
#[must_use]
pub fn named_parameters(module: &impl Module) -> Vec<NamedTensor> {
    parameters_where(module, |_| true).iter().map(HeldTensor::read).collect()
}

/// The parameters that a checkpoint of a module holds, in the module's order: all; where there are adapters, not those that they are trained in
/// the place of, which are as they were.
#[must_use]
pub fn saved_parameters(module: &impl Module) -> Vec<HeldTensor> {
    let has_adapters = has_adapters(module);
    parameters_where(module, |name| !has_adapters || !is_base(name))
}

/// Whether some layers of a module have adapters.
#[must_use]
pub fn has_adapters(module: &impl Module) -> bool {
    named_shapes(module).iter().any(|(name, _)| is_adapter(name))
}

fn parameters_where(module: &impl Module, wanted: impl Fn(&str) -> bool) -> Vec<HeldTensor> {
    struct Collect<F>(F, Vec<HeldTensor>);
    impl<F: Fn(&str) -> bool> VisitNamed for Collect<F> {
        fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
            if (self.0)(name) {
                self.1.push(HeldTensor::new(name.to_owned(), param.val()));
            }
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

/// The same module with initial weights of a head from `seed`, normal with a standard deviation, and biases of 0.
///
/// - `prefix`: of the names of the head's parameters
pub fn with_initial_head<M: Module>(module: M, prefix: &str, deviation: f64, seed: u64) -> M {
    replace_some(module, |name, shape| {
        let count: usize = shape.iter().product();
        match name.strip_prefix(prefix)? {
            "bias" => Some(vec![0.0; count]),
            _ => {
                let stream = Stream::new(seed, name);
                #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
                let draw = |element: usize| (deviation * stream.normal(element as u64)) as f32;
                Some((0..count).map(draw).collect())
            }
        }
    })
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
