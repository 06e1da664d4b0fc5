//! The gradients of a step, by the names of their parameters.

use std::collections::BTreeMap;

use burn::{
    module::{Module, Param},
    tensor::{Gradients as Graph, Tensor},
};

use crate::{
    model::{VisitNamed, visit_named},
    tensor::norm_of_all,
};

/// One gradient for each parameter, flat, and a factor for all of them.
#[derive(Debug)]
pub struct Gradients {
    /// Name to gradient, `[elements]`.
    by_name: BTreeMap<String, Tensor<1>>,
    /// What each is still to be multiplied by.
    scale: f64,
}

impl Gradients {
    /// Takes the gradients of a module's parameters out of what a backward pass left.
    pub fn of(module: &impl Module, graph: &mut Graph) -> Self {
        struct Collect<'g> {
            graph: &'g mut Graph,
            found: BTreeMap<String, Tensor<1>>,
        }
        impl VisitNamed for Collect<'_> {
            fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>) {
                if let Some(gradient) = param.val().grad_remove(self.graph) {
                    self.found.insert(name.to_owned(), gradient.flatten(0, D - 1));
                }
            }
        }
        let mut collect = Collect { graph, found: BTreeMap::new() };
        visit_named(module, &mut collect);
        Self { by_name: collect.found, scale: 1.0 }
    }

    /// Names and gradients, `[elements]` each, in the order of the names.
    pub fn by_name(&self) -> impl Iterator<Item = (&str, &Tensor<1>)> {
        self.by_name.iter().map(|(name, gradient)| (name.as_str(), gradient))
    }

    /// Adds the gradients of another micro-batch, name by name.
    pub fn add(&mut self, other: Self) {
        for (name, gradient) in other.by_name {
            let sum = match self.by_name.remove(&name) {
                Some(sum) => sum + gradient,
                None => gradient,
            };
            self.by_name.insert(name, sum);
        }
    }

    /// The norm of all gradients together, as if they were one vector.
    #[must_use]
    pub fn norm(&self) -> f64 {
        norm_of_all(self.by_name.values())
    }

    /// Scales all gradients alike so that their norm is at most `limit`. Returns the norm that they had.
    ///
    /// They are scaled when a step is made of them, in the same pass over memory.
    ///
    /// Source: Pascanu et al. 2013; GPT-2 and GPT-3 take 1.
    pub fn clip(&mut self, limit: f64) -> f64 {
        let norm = self.norm();
        self.scale = if norm > limit { limit / norm } else { 1.0 };
        norm
    }

    pub(super) fn scale(&self) -> f64 {
        self.scale
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Tensor<1>> {
        self.by_name.remove(name)
    }
}
