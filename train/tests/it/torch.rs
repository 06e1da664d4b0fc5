//! Operations and whole small models against PyTorch: `tests/figures/torch_figures.py` wrote down what it computes.

use burn::{module::Module as _, tensor::Tensor};
use train::{
    model::{Family, Tokens, named_parameters},
    objective::next_token_loss,
    optimize::{Gradients, OptimizerConfig},
    tensor::{AttentionMask, Heads, attention, gelu, head_loss, linear, norm, swiglu},
};

use crate::{
    devices::{everywhere, slack},
    figures::{Figures, apart, numbers},
};

/// The largest relative error of a gradient.
const CLOSE: f64 = 1e-4;

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
    everywhere(|| operations_on(&Figures::of_models()));
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

#[test]
fn models_have_its_logits_gradients_and_steps() {
    everywhere(|| models_on(&Figures::of_models()));
}

fn models_on(figures: &Figures) {
    let families = [(Family::Gpt1, "gpt1"), (Family::Gpt2, "gpt2"), (Family::Gpt3, "gpt3"), (Family::Llama, "llama")];
    for (family, name) in families {
        let mut model = figures.model(family, name);
        let (ids, targets) = (figures.ids(&format!("{name}/ids")), figures.ids(&format!("{name}/targets")));
        let tokens = Tokens { ids: &ids, batch_size: 2, starts: None };
        let logits = numbers(model.valid().logits(tokens));
        let apart_logits = apart(&logits, &figures.numbers(&format!("{name}/logits")));
        assert!(apart_logits < 1e-5 * slack(), "{name}: logits are {apart_logits} off");

        let mut optimizer = OptimizerConfig::default().build().expect("defaults fit together");
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
