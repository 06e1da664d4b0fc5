//! How an operation on slices stands in burn's graph.
//!
//! An operation is a forward function from tensors to a tensor, and what it keeps for later: a type that turns the gradient of
//! what came out into those of what went in.

use std::{fmt::Debug, marker::PhantomData};

use burn::{
    backend::{
        Autodiff, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        flex::FlexTensor,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData},
};

/// What an operation of `N` inputs keeps for its backward pass.
pub trait Kept<const N: usize>: Clone + Debug + Send + 'static {
    /// From the gradient of the output to those of the inputs; of those that are not `wanted`, none is needed.
    fn gradients(self, of_output: Numbers, wanted: [bool; N]) -> [Option<Numbers>; N];
}

/// A tensor of single precision on the processor, row by row.
#[derive(Debug, Clone)]
pub struct Numbers(FlexTensor);

impl Numbers {
    /// Numbers of a shape.
    pub fn new(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape.into())))
    }

    /// The numbers of a tensor without gradients.
    pub fn of<const D: usize>(x: Tensor<D>) -> Self {
        let x = x.try_into_primitive::<Flex>().expect("the tensor is on the processor, without gradients");
        Self(x.to_contiguous())
    }

    /// A tensor without gradients.
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.0)
    }

    /// Sizes of the dimensions.
    pub fn shape(&self) -> Vec<usize> {
        self.0.layout().shape().iter().copied().collect()
    }

    /// The size of the last dimension.
    pub fn width(&self) -> usize {
        *self.shape().last().expect("a tensor has a dimension")
    }

    /// All numbers, row by row.
    pub fn values(&self) -> &[f32] {
        self.0.storage::<f32>()
    }

    /// All numbers to change; they are copied first if others hold them, too.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut::<f32>()
    }
}

/// What goes into an operation.
pub enum Input {
    /// Without gradients.
    Plain(FlexTensor),
    /// A node of the graph.
    Recorded(FloatTensor<Autodiff<Flex>>),
}

impl<const D: usize> From<Tensor<D>> for Input {
    fn from(x: Tensor<D>) -> Self {
        const PLACE: &str = "the tensor is on the processor";
        if x.is_autodiff() {
            Self::Recorded(x.try_into_primitive::<Autodiff<Flex>>().expect(PLACE))
        } else {
            Self::Plain(x.try_into_primitive::<Flex>().expect(PLACE))
        }
    }
}

/// Runs an operation, and puts it into the graph of its inputs if they have one.
///
/// `forward` is given the inputs, and whether something must be kept for the backward pass.
pub fn record<const N: usize, const D: usize, K: Kept<N>>(
    inputs: [Input; N],
    forward: impl FnOnce([Numbers; N], bool) -> (Numbers, Option<K>),
) -> Tensor<D> {
    let numbers = |x: &FlexTensor| Numbers(x.to_contiguous());
    if inputs.iter().all(|input| matches!(input, Input::Plain(_))) {
        let inputs = inputs.map(|input| match input {
            Input::Plain(x) => numbers(&x),
            Input::Recorded(_) => unreachable!("all are plain"),
        });
        return forward(inputs, false).0.into_tensor();
    }
    let recorded = inputs.map(|input| match input {
        Input::Plain(x) => FloatTensor::<Autodiff<Flex>>::new(x),
        Input::Recorded(x) => x,
    });
    let nodes = recorded.each_ref().map(FloatTensor::<Autodiff<Flex>>::node);
    // the primitives move: an operation may then work in place on what nobody else holds
    let inputs = recorded.map(|input| numbers(&input.into_primitive()));
    let out = match Step::<K>(PhantomData).prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (out, kept) = forward(inputs, true);
            prepared.finish(kept.expect("something is kept for the backward pass"), out.0)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(forward(inputs, false).0.0),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

#[derive(Debug)]
struct Step<K>(PhantomData<K>);

impl<const N: usize, K: Kept<N>> Backward<Flex, N> for Step<K> {
    type State = K;

    fn backward(self, ops: Ops<K, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let of_output = Numbers(gradients.consume::<Flex>(&ops.node).to_contiguous());
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let of_inputs = ops.state.gradients(of_output, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(of_inputs) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<Flex>(parent.id, gradient.0);
            }
        }
    }
}
