//! An exponential moving average of a model's weights.
//!
//! ```text
//! average <- decay * average + (1 - decay) * weights      after each step
//! ```
//!
//! Useful for: steps that are noisy, as those of reinforcement learning are: the average is steadier than where the last step went. Not useful
//! for: short trainings, since it lags `1 / (1 - decay)` steps behind, and begins with the weights that the training begins with.
//!
//! Source: Polyak and Juditsky 1992; a decay of 0.992 in Ouyang et al. 2022 (`InstructGPT`), appendix C.4.
//! Cost: 4 bytes for each weight that is trained.

use std::collections::BTreeMap;

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use crate::model::{MapNamed, VisitNamed, map_named, visit_named};

/// The average of what is trained of a model; what is frozen is not held.
#[derive(Debug)]
pub struct WeightAverage {
    decay: f32,
    /// `[elements]` each, by name.
    weights: BTreeMap<String, Tensor<1>>,
}

impl WeightAverage {
    /// An average that begins with a model's weights.
    ///
    /// - `decay`: what stays of the average at a step, above 0 and below 1
    /// - `model`: with gradients, by which one sees what is trained
    #[must_use]
    pub fn new(decay: f64, model: &impl Module) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
        let decay = decay as f32;
        Self { decay, weights: trained(model) }
    }

    /// Takes the weights after a step into the average.
    pub fn update(&mut self, model: &impl Module) {
        for (name, weights) in trained(model) {
            let average = self.weights.remove(&name).expect("what is trained stays the same");
            let next = average.mul_scalar(self.decay) + weights.mul_scalar(1.0 - self.decay);
            self.weights.insert(name, next);
        }
    }

    /// The model with the average in place of its weights.
    ///
    /// - `model`: without gradients
    #[must_use]
    pub fn averaged<M: Module>(&self, model: M) -> M {
        struct Replace<'a>(&'a BTreeMap<String, Tensor<1>>);
        impl MapNamed for Replace<'_> {
            fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let Some(average) = self.0.get(name) else { return param };
                let shape = param.dims();
                param.map(|_| average.clone().reshape(shape))
            }
        }
        map_named(model, &mut Replace(&self.weights))
    }
}

/// The parameters that gradients are taken of, `[elements]` each.
fn trained(model: &impl Module) -> BTreeMap<String, Tensor<1>> {
    struct Collect(BTreeMap<String, Tensor<1>>);
    impl VisitNamed for Collect {
        fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
            let weights = param.val();
            if weights.is_require_grad() {
                self.0.insert(name.to_owned(), weights.without_autodiff().reshape([-1]));
            }
        }
    }
    let mut found = Collect(BTreeMap::new());
    visit_named(model, &mut found);
    found.0
}
