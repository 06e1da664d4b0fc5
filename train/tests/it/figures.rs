//! Figures that PyTorch computed, as the scripts of `tests/figures` wrote them down.

use burn::tensor::{Tensor, TensorData};
use safetensors::SafeTensors;
use train::{
    model::{Family, Gpt, ModelConfig, replace},
    objective::Loss,
    optimize::Gradients,
};

use crate::devices::{here, slack};

/// The families of the small models, with their names in the figures.
pub const FAMILIES: [(Family, &str); 2] = [(Family::Gpt2, "gpt2"), (Family::Llama, "llama")];

/// How far a number may lie from PyTorch's.
pub const CLOSE: f64 = 1e-5;

/// The figures of a file.
pub struct Figures(SafeTensors<'static>);

impl Figures {
    pub fn read(bytes: &'static [u8]) -> Self {
        Self(SafeTensors::deserialize(bytes).expect("the figures are whole"))
    }

    /// Those of operations and models.
    pub fn of_models() -> Self {
        Self::read(include_bytes!("../figures/torch.safetensors"))
    }

    pub fn names(&self) -> Vec<&str> {
        self.0.names()
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.0.tensor(name).unwrap_or_else(|_| panic!("there is no figure {name}")).shape().to_vec()
    }

    fn words(&self, name: &str) -> Vec<[u8; 4]> {
        let view = self.0.tensor(name).unwrap_or_else(|_| panic!("there is no figure {name}"));
        view.data().as_chunks::<4>().0.to_vec()
    }

    pub fn numbers(&self, name: &str) -> Vec<f32> {
        self.words(name).into_iter().map(f32::from_le_bytes).collect()
    }

    pub fn ids(&self, name: &str) -> Vec<i32> {
        self.words(name).into_iter().map(i32::from_le_bytes).collect()
    }

    pub fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let shape: [usize; D] = self.shape(name).try_into().expect("the number of dimensions");
        Tensor::from_data(TensorData::new(self.numbers(name), shape), &here())
    }

    /// The small model of a family, by its name in the figures.
    pub fn model(&self, family: Family, name: &str) -> Gpt {
        let config = ModelConfig {
            family: Some(family),
            num_layers: Some(2),
            num_heads: Some(4),
            num_kv_heads: (family == Family::Llama).then_some(2),
            hidden_size: Some(8),
            intermediate_size: Some(12),
            context_length: Some(6),
            sliding_window: Some(3),
            ..ModelConfig::default()
        };
        let model = config.architecture().expect("the numbers fit together").init(11, 0, &here());
        replace(model, |parameter, shape| {
            let figure = format!("{name}/parameter/{parameter}");
            assert_eq!(self.shape(&figure), shape, "{figure}");
            self.numbers(&figure)
        })
    }
}

pub fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().expect("single precision")
}

/// How far two vectors lie apart, as a share of the second one's length.
pub fn apart(one: &[f32], other: &[f32]) -> f64 {
    assert_eq!(one.len(), other.len());
    let length = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = length(&mut one.iter().zip(other).map(|(x, y)| f64::from(*x) - f64::from(*y)));
    difference / length(&mut other.iter().map(|x| f64::from(*x))).max(1e-9)
}

/// Holds a loss and the gradients of all parameters of a model, which the figures have by their names in the language model.
pub fn hold<M: burn::module::Module>(figures: &Figures, name: &str, model: &M, loss: &Loss) {
    let expected = figures.numbers(&format!("{name}/loss"));
    let found = loss.total.clone().into_scalar::<f32>();
    assert!(f64::from((found - expected[0]).abs()) < CLOSE * slack(), "{name}: {found} is not {}", expected[0]);
    let mut compared = 0;
    for (parameter, gradient) in Gradients::of(model, &mut loss.total.backward()).by_name() {
        let parameter = parameter.strip_prefix("model.").unwrap_or(parameter);
        let gradient = numbers(gradient.clone());
        let expected = figures.numbers(&format!("{name}/gradient/{parameter}"));
        if expected.iter().all(|x| x.abs() < 1e-6) {
            // such as what moves all rewards alike: a ranking says nothing of it
            assert!(gradient.iter().all(|x| x.abs() < 1e-6), "{name}: {parameter} has a gradient of {gradient:?}");
            continue;
        }
        let apart = apart(&gradient, &expected);
        assert!(apart < 2.0 * CLOSE * slack(), "{name}: the gradient of {parameter} is {apart} off");
        compared += 1;
    }
    assert!(compared > 10, "{name}: {compared} gradients were compared");
}
