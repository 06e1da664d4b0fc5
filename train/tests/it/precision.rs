//! Trainings in half the bits, and elsewhere than on the processor, take the course of one in single precision on it.

use burn::tensor::{DType, Device};
use train::{
    model::{Family, ModelConfig, Tokens},
    objective::next_token_loss,
    optimize::{Gradients, OptimizerConfig},
    tensor::Precision,
};

use crate::devices::{everywhere, here, slack};

/// Steps: the kernels of GPUs take seconds for each on a processor.
const STEPS: u64 = if cfg!(feature = "cubecl-cpu") { 6 } else { 20 };

/// The losses of the first steps on one text, which a small model learns by heart.
fn losses(family: Family, precision: Precision, device: &Device) -> Vec<f64> {
    let config = ModelConfig {
        family: Some(family),
        num_layers: Some(2),
        num_heads: Some(4),
        num_kv_heads: (family == Family::Llama).then_some(2),
        hidden_size: Some(32),
        context_length: Some(70),
        dropout: Some(0.1),
        ..ModelConfig::default()
    };
    let mut model =
        config.architecture().expect("the numbers fit together").init(50, 1, device).computing_in(precision);
    let mut optimizer = OptimizerConfig::default().build().expect("defaults fit together");
    let ids: Vec<i32> = (0..141).map(|place| place * place % 47).collect();
    let tokens = Tokens { ids: &ids[..140], batch_size: 2, starts: None };
    let step = |step: u64| {
        let loss = next_token_loss(&model, tokens, &ids[1..], &[1.0 / 140.0; 140], Some(step));
        let mut graph = loss.backward();
        let mut gradients = Gradients::of(&model, &mut graph);
        assert!(gradients.by_name().all(|(_, gradient)| gradient.dtype() == DType::F32));
        gradients.clip(1.0);
        model = optimizer.step(model.clone(), gradients, 1e-2);
        f64::from(loss.into_scalar::<f32>())
    };
    (0..STEPS).map(step).collect()
}

#[test]
fn the_first_losses_are_those_of_the_processor() {
    for family in [Family::Gpt2, Family::Llama] {
        let expected = losses(family, Precision::F32, &Device::flex().autodiff());
        let last = expected.last().expect("there are steps");
        assert!(*last < 0.9 * expected[0], "{family:?} learns: {expected:?}");
        everywhere(|| {
            for (precision, tolerance) in [(Precision::F32, 1e-3 * slack().min(10.0)), (Precision::Bf16, 3e-2)] {
                let found = losses(family, precision, &here());
                let apart = found.iter().zip(&expected).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
                assert!(apart < tolerance, "{family:?} in {precision}: {apart} apart, {found:?} for {expected:?}");
                assert!(precision == Precision::F32 || apart > 1e-5, "{family:?} computes in half the bits");
            }
        });
    }
}
