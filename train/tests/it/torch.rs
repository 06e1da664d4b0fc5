//! Operations and whole small models against PyTorch: `tests/figures/torch_figures.py` wrote down what it computes.

use burn::{
    module::Module as _,
    tensor::{Tensor, TensorData},
};
use safetensors::SafeTensors;
use train::{
    model::{Family, Gpt, ModelConfig, Tokens, named_parameters, replace},
    objective::next_token_loss,
    optimize::{AdamW, AdamWConfig, Gradients},
    tensor::{AttentionMask, Heads, attention, gelu, head_loss, linear, norm, swiglu},
};

use crate::devices::{everywhere, here, slack};

/// The largest relative error of a gradient.
const CLOSE: f64 = 1e-4;

/// Numbers that were written down.
pub struct Figures(SafeTensors<'static>);

impl Figures {
    fn read() -> Self {
        Self::of(include_bytes!("../figures/torch.safetensors"))
    }

    pub fn of(bytes: &'static [u8]) -> Self {
        Self(SafeTensors::deserialize(bytes).expect("the figures are whole"))
    }

    pub fn names(&self) -> Vec<&str> {
        self.0.names()
    }

    fn shape(&self, name: &str) -> Vec<usize> {
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

    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let shape: [usize; D] = self.shape(name).try_into().expect("the number of dimensions");
        Tensor::from_data(TensorData::new(self.numbers(name), shape), &here())
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

/// Holds an operation of the named inputs against PyTorch's.
macro_rules! hold {
    ($figures:expr, $name:literal, [$($input:ident: $rank:literal),*], $out:expr) => {{
        let name = |part: &str| format!("operation/{}/{part}", $name);
        $(let $input: Tensor<$rank> = $figures.tensor(&name(stringify!($input))).require_grad();)*
        let out = { $(let $input = $input.clone();)* $out };
        let factor = $figures.tensor(&name("out.gradient"));
        let gradients = (out.clone() * factor).sum().backward();
        assert!(apart(&numbers(out), &$figures.numbers(&name("out"))) < 1e-5 * slack(), "{}", $name);
        $(
            let found = numbers($input.grad(&gradients).expect("a gradient"));
            let far = apart(&found, &$figures.numbers(&name(concat!(stringify!($input), ".gradient"))));
            assert!(far < CLOSE * slack(), "{}: the gradient of {} is {far} off", $name, stringify!($input));
        )*
    }};
}

#[test]
fn operations_have_its_gradients() {
    everywhere(|| operations_on(&Figures::read()));
}

fn operations_on(figures: &Figures) {
    hold!(figures, "linear", [x: 2, w: 2, b: 1], linear(x, w, Some(b)));
    hold!(figures, "layer_norm", [x: 2, g: 1, b: 1], norm(x, g, Some(b), 1e-5));
    hold!(figures, "rms_norm", [x: 2, g: 1], norm(x, g, None, 1e-5));
    hold!(figures, "gelu", [x: 2], gelu(x));
    hold!(figures, "swiglu", [x: 2], swiglu(x));
    let heads = Heads { num_heads: 4, num_kv_heads: 2, head_dim: 2, scaled: true };
    hold!(figures, "attention", [x: 3], attention(x, heads, &AttentionMask::causal()));
    let targets = [0, 1, 2, 3, 4, 0];
    hold!(figures, "head", [x: 2, w: 2], head_loss(x, w, &targets, &[1.0 / 6.0; 6]));
}

fn model(figures: &Figures, family: Family, name: &str) -> Gpt {
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
        assert_eq!(figures.shape(&figure), shape, "{figure}");
        figures.numbers(&figure)
    })
}

#[test]
fn models_have_its_logits_gradients_and_steps() {
    everywhere(|| models_on(&Figures::read()));
}

fn models_on(figures: &Figures) {
    let families = [(Family::Gpt1, "gpt1"), (Family::Gpt2, "gpt2"), (Family::Gpt3, "gpt3"), (Family::Llama, "llama")];
    for (family, name) in families {
        let mut model = model(figures, family, name);
        let (ids, targets) = (figures.ids(&format!("{name}/ids")), figures.ids(&format!("{name}/targets")));
        let tokens = Tokens { ids: &ids, batch_size: 2, starts: None };
        let logits = numbers(model.valid().logits(tokens));
        let apart_logits = apart(&logits, &figures.numbers(&format!("{name}/logits")));
        assert!(apart_logits < 1e-5 * slack(), "{name}: logits are {apart_logits} off");

        let mut optimizer = AdamW::new(AdamWConfig::default());
        for (step, expected) in figures.numbers(&format!("{name}/losses")).into_iter().enumerate() {
            let loss = next_token_loss(&model, tokens, &targets, &[1.0 / 12.0; 12], None);
            let mut graph = loss.backward();
            let loss = loss.into_scalar::<f32>();
            assert!(
                f64::from((loss - expected).abs()) < 1e-4 * slack(),
                "{name}: loss {loss} of step {step} is not {expected}"
            );
            let mut gradients = Gradients::of(&model, &mut graph);
            if step == 0 {
                let mut compared = 0;
                for (parameter, found) in gradients.by_name() {
                    let expected = figures.numbers(&format!("{name}/gradient/{parameter}"));
                    let apart = apart(&numbers(found.clone()), &expected);
                    assert!(apart < CLOSE * slack(), "{name}: the gradient of {parameter} is {apart} off");
                    compared += 1;
                }
                assert_eq!(compared, named_parameters(&model).len(), "{name}: parameters with a gradient");
            }
            gradients.clip(0.5);
            model = optimizer.step(model, gradients, 1e-2);
        }
    }
}
