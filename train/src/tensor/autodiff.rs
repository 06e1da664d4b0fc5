//! How an operation stands in burn's graph.
//!
//! An operation is a forward function from tensors to a tensor, and what it saves: a type that turns the gradient of the output into
//! those of the inputs.

use std::{fmt::Debug, marker::PhantomData};

use burn::{
    backend::{
        Autodiff, Backend, DispatchKindConversion, DispatchTensor, Flex,
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

/// A tensor of a backend, without gradients.
pub trait BackendTensor: Clone + Debug + Send + 'static {
    /// The backend.
    type Backend: Backend;

    /// From the backend's own tensor.
    fn from_primitive(x: FloatTensor<Self::Backend>) -> Self;

    /// The backend's own tensor.
    fn into_primitive(self) -> FloatTensor<Self::Backend>;
}

/// What an operation of `N` inputs saves for its backward pass.
pub trait SavedForBackward<const N: usize, X: BackendTensor = CpuTensor>: Clone + Debug + Send + 'static {
    /// The gradients of the inputs, from that of the output; only those that are `wanted` are needed.
    fn gradients(self, of_output: X, wanted: [bool; N]) -> [Option<X>; N];
}

/// A contiguous f32 tensor on the CPU.
#[derive(Debug, Clone)]
pub struct CpuTensor(FlexTensor);

impl BackendTensor for CpuTensor {
    type Backend = Flex;

    fn from_primitive(x: FlexTensor) -> Self {
        Self(x.to_contiguous())
    }

    fn into_primitive(self) -> FlexTensor {
        self.0
    }
}

impl CpuTensor {
    /// A tensor of a shape.
    pub fn new(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape.into())))
    }

    /// The same as a tensor without gradients.
    pub fn of<const D: usize>(x: Tensor<D>) -> Self {
        let x = x.try_into_primitive::<Flex>().expect("the tensor is on the processor, without gradients");
        Self::from_primitive(x)
    }

    /// The same as a tensor of burn, without gradients.
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

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        self.0.storage::<f32>()
    }

    /// All values, to change; they are copied first if they are shared.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut::<f32>()
    }
}

/// What goes into an operation.
pub enum Input<B: Backend> {
    /// Without gradients.
    Plain(FloatTensor<B>),
    /// A node of the graph.
    Recorded(FloatTensor<Autodiff<B>>),
}

impl<B: Backend, const D: usize> From<Tensor<D>> for Input<B>
where
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
{
    fn from(x: Tensor<D>) -> Self {
        const PLACE: &str = "the tensor is where the operation runs";
        if x.is_autodiff() {
            Self::Recorded(x.try_into_primitive::<Autodiff<B>>().expect(PLACE))
        } else {
            Self::Plain(x.try_into_primitive::<B>().expect(PLACE))
        }
    }
}

/// Runs an operation on the processor, and puts it into the graph of its inputs if they have one.
///
/// `forward` is given the inputs, and whether something must be saved for the backward pass.
pub fn record<const N: usize, const D: usize, K: SavedForBackward<N>>(
    inputs: [Input<Flex>; N],
    forward: impl FnOnce([CpuTensor; N], bool) -> (CpuTensor, Option<K>),
) -> Tensor<D> {
    record_on(inputs, forward)
}

/// The same on any backend.
pub fn record_on<X: BackendTensor, const N: usize, const D: usize, K: SavedForBackward<N, X>>(
    inputs: [Input<X::Backend>; N],
    forward: impl FnOnce([X; N], bool) -> (X, Option<K>),
) -> Tensor<D>
where
    DispatchTensor: DispatchKindConversion<X::Backend> + DispatchKindConversion<Autodiff<X::Backend>>,
{
    if inputs.iter().all(|input| matches!(input, Input::Plain(_))) {
        let inputs = inputs.map(|input| match input {
            Input::Plain(x) => X::from_primitive(x),
            Input::Recorded(_) => unreachable!("all are plain"),
        });
        return Tensor::from_primitive::<X::Backend>(forward(inputs, false).0.into_primitive());
    }
    let recorded = inputs.map(|input| match input {
        Input::Plain(x) => FloatTensor::<Autodiff<X::Backend>>::new(x),
        Input::Recorded(x) => x,
    });
    let nodes = recorded.each_ref().map(FloatTensor::<Autodiff<X::Backend>>::node);
    // the primitives move: an operation may then work in place on what nobody else holds
    let inputs = recorded.map(|input| X::from_primitive(input.into_primitive()));
    let step = Step::<K, X>(PhantomData).prepare::<NoCheckpointing>(nodes).compute_bound().stateful();
    let out = match step {
        OpsKind::Tracked(prepared) => {
            let (out, saved) = forward(inputs, true);
            prepared.finish(saved.expect("something is saved for the backward pass"), out.into_primitive())
        }
        OpsKind::UnTracked(prepared) => prepared.finish(forward(inputs, false).0.into_primitive()),
    };
    Tensor::from_primitive::<Autodiff<X::Backend>>(out)
}

struct Step<K, X>(PhantomData<fn() -> (K, X)>);

impl<K, X> Debug for Step<K, X> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(std::any::type_name::<K>())
    }
}

impl<const N: usize, X: BackendTensor, K: SavedForBackward<N, X>> Backward<X::Backend, N> for Step<K, X> {
    type State = K;

    fn backward(self, ops: Ops<K, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let of_output = X::from_primitive(gradients.consume::<X::Backend>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let of_inputs = ops.state.gradients(of_output, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(of_inputs) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<X::Backend>(parent.id, gradient.into_primitive());
            }
        }
    }
}
