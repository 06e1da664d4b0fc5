//! A tensor on a GPU.

use burn::{
    backend::{Cube, TensorMetadata, ops::FloatTensorOps, tensor::FloatTensor},
    tensor::{DType, Device, Int, Tensor, TensorData},
};

use super::super::autodiff::{BackendTensor, Input, SavedForBackward, record_on};

/// A tensor without gradients on a GPU, of floating-point numbers or integers.
#[derive(Debug, Clone)]
pub struct GpuTensor(pub FloatTensor<Cube>);

impl BackendTensor for GpuTensor {
    type Backend = Cube;

    fn from_primitive(x: FloatTensor<Cube>) -> Self {
        Self(x)
    }

    fn into_primitive(self) -> FloatTensor<Cube> {
        self.0
    }
}

impl GpuTensor {
    const PLACE: &str = "the tensor is on a GPU, without gradients";

    /// The same tensor.
    pub fn of<const D: usize>(x: Tensor<D>) -> Self {
        Self(x.try_into_primitive::<Cube>().expect(Self::PLACE))
    }

    /// Integers of a shape `[count]`.
    pub fn integers(values: Vec<i32>, device: &Device) -> Self {
        let count = values.len();
        let x = Tensor::<1, Int>::from_data(TensorData::new(values, [count]), (device, DType::I32));
        Self(x.inner().try_into_primitive::<Cube>().expect(Self::PLACE))
    }

    /// Numbers of single precision of a shape `[count]`.
    pub fn singles(values: Vec<f32>, device: &Device) -> Self {
        let count = values.len();
        Self::of(Tensor::<1>::from_data(TensorData::new(values, [count]), (device, DType::F32)).inner())
    }

    /// A tensor without gradients.
    pub fn tensor<const D: usize>(&self) -> Tensor<D> {
        self.clone().into_tensor()
    }

    /// The same.
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Cube>(self.0)
    }

    /// All rows below each other, `[rows, width]`.
    pub fn rows(&self) -> Tensor<2> {
        let width = self.width();
        self.reshaped(vec![self.count() / width, width]).into_tensor()
    }

    /// The same numbers in another shape.
    pub fn reshaped(&self, shape: Vec<usize>) -> Self {
        Self(Cube::float_reshape(self.0.clone(), shape.into()))
    }

    /// Sizes of the dimensions.
    pub fn shape(&self) -> Vec<usize> {
        self.0.shape().iter().copied().collect()
    }

    /// The size of the last dimension.
    pub fn width(&self) -> usize {
        *self.shape().last().expect("a tensor has a dimension")
    }

    /// How many numbers stand in it.
    pub fn count(&self) -> usize {
        self.shape().iter().product()
    }

    /// The kind of its numbers.
    pub fn dtype(&self) -> DType {
        self.0.dtype()
    }
}

/// Runs an operation on a GPU, and puts it into the graph of its inputs if they have one.
pub fn record<const N: usize, const D: usize, K: SavedForBackward<N, GpuTensor>>(
    inputs: [Input<Cube>; N],
    forward: impl FnOnce([GpuTensor; N], bool) -> (GpuTensor, Option<K>),
) -> Tensor<D> {
    record_on(inputs, forward)
}
