//! The gradients of a step, by the names of their parameters.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Gradients as Graph, Tensor},
};

/// One gradient for each parameter, flat.
#[derive(Debug, Default)]
pub struct Gradients {
    /// Name to gradient, `[elements]`.
    by_name: BTreeMap<String, Tensor<1>>,
}

impl Gradients {
    /// Takes the gradients of a module's parameters out of what a backward pass left.
    pub fn of(module: &impl Module, graph: &mut Graph) -> Self {
        struct Collect<'g> {
            path: Vec<String>,
            graph: &'g mut Graph,
            found: BTreeMap<String, Tensor<1>>,
        }
        impl ModuleVisitor for Collect<'_> {
            fn enter_module(&mut self, name: &str, _: &str) {
                self.path.push(name.to_owned());
            }

            fn exit_module(&mut self, _: &str, _: &str) {
                self.path.pop();
            }

            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(gradient) = param.val().grad_remove(self.graph) {
                    self.found.insert(self.path.join("."), gradient.flatten(0, D - 1));
                }
            }
        }
        let mut collect = Collect { path: Vec::new(), graph, found: BTreeMap::new() };
        module.visit(&mut collect);
        Self { by_name: collect.found }
    }

    /// The norm of all gradients together, as if they were one vector.
    #[must_use]
    pub fn norm(&self) -> f64 {
        let squares: Vec<Tensor<1>> = self.by_name.values().map(|gradient| gradient.clone().square().sum()).collect();
        if squares.is_empty() {
            return 0.0;
        }
        let sum = Tensor::cat(squares, 0).sum();
        f64::from(sum.into_scalar::<f32>()).sqrt()
    }

    /// Scales all gradients alike so that their norm is at most `limit`. Returns the norm that they had.
    ///
    /// Source: Pascanu et al. 2013; GPT-2 and GPT-3 take 1.
    pub fn clip(&mut self, limit: f64) -> f64 {
        let norm = self.norm();
        if norm > limit {
            let factor = limit / norm;
            self.by_name.values_mut().for_each(|gradient| *gradient = gradient.clone() * factor);
        }
        norm
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Tensor<1>> {
        self.by_name.remove(name)
    }
}
