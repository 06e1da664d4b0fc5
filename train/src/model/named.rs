//! Walks over a module's parameters that know each by its name, such as `blocks.0.attention.input.weight`.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::Tensor,
};

/// What is done with each parameter.
pub trait VisitNamed {
    /// A parameter: the path through the module, with dots, and itself.
    fn visit<const D: usize>(&mut self, name: &str, param: &Param<Tensor<D>>);
}

/// What each parameter becomes.
pub trait MapNamed {
    /// What stands in the parameter's place; `name` is the path through the module, with dots.
    fn map<const D: usize>(&mut self, name: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// Visits all parameters of a module, in its own order.
pub fn visit_named(module: &impl Module, visitor: &mut impl VisitNamed) {
    module.visit(&mut Walk { path: Vec::new(), inner: visitor });
}

/// The module of what its parameters become.
pub fn map_named<M: Module>(module: M, mapper: &mut impl MapNamed) -> M {
    module.map(&mut Walk { path: Vec::new(), inner: mapper })
}

struct Walk<'w, W> {
    path: Vec<String>,
    inner: &'w mut W,
}

impl<W: VisitNamed> ModuleVisitor for Walk<'_, W> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.inner.visit(&self.path.join("."), param);
    }
}

impl<W: MapNamed> ModuleMapper for Walk<'_, W> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.inner.map(&self.path.join("."), param)
    }
}
