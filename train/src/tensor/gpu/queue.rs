//! How a kernel gets into the queue, and how many units run it.

use std::fmt;

use burn::backend::{
    ExecutionError,
    fusion::custom::{CustomOpIr, HandleContainer, Operation, OperationIr, StreamId, TensorIr},
};
use burn::tensor::{DType, Shape};
use burn_cubecl::{
    CubeBackend,
    cubecl::{self, prelude::*},
    fusion::FusionCubeRuntime,
    kernel::into_contiguous,
    ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};

use super::gpu_tensor::GpuTensor;

type Handles = HandleContainer<burn_cubecl::fusion::CubeFusionHandle>;

/// The shape and dtype of a tensor that a kernel writes.
#[derive(Debug, Clone)]
pub struct OutputSpec {
    shape: Vec<usize>,
    dtype: DType,
}

impl OutputSpec {
    /// Of a shape and a dtype.
    pub fn new(shape: impl Into<Vec<usize>>, dtype: DType) -> Self {
        Self { shape: shape.into(), dtype }
    }

    /// Those of another tensor.
    pub fn like(x: &GpuTensor) -> Self {
        Self::new(x.shape(), x.dtype())
    }
}

/// Puts a kernel into the queue behind what its inputs are waiting for. `launch` is given them, contiguous, and tensors for what
/// it writes.
pub fn queue<const I: usize, const O: usize>(
    name: &'static str,
    inputs: [GpuTensor; I],
    specs: [OutputSpec; O],
    launch: impl Fn(&Client, [CubeTensor; I], [CubeTensor; O]) + Send + Sync + 'static,
) -> [GpuTensor; O] {
    let counts = inputs.iter().map(GpuTensor::count).chain(specs.iter().map(|spec| spec.shape.iter().product()));
    for count in counts {
        assert!(u32::try_from(count).is_ok(), "{name}: kernels index 32 bits of numbers, and a tensor has {count}");
    }
    let client = inputs[0].0.client.clone();
    let inputs = inputs.map(|input| input.0.into_ir());
    let outputs = specs
        .map(|OutputSpec { shape, dtype }| TensorIr::uninit(client.create_empty_handle(), Shape::from(shape), dtype));
    let queued = OperationIr::Custom(CustomOpIr::new(name, &inputs, &outputs));
    let written = client.register(StreamId::current(), queued, Queued { name, inputs, outputs, launch });
    let mut written = written.into_iter().map(GpuTensor);
    std::array::from_fn(|_| written.next().expect("a tensor for each output"))
}

struct Queued<F, const I: usize, const O: usize> {
    name: &'static str,
    inputs: [TensorIr; I],
    outputs: [TensorIr; O],
    launch: F,
}

impl<F, const I: usize, const O: usize> fmt::Debug for Queued<F, I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl<F, const I: usize, const O: usize> Operation<FusionCubeRuntime> for Queued<F, I, O>
where
    F: Fn(&Client, [CubeTensor; I], [CubeTensor; O]) + Send + Sync,
{
    fn execute(&self, handles: &mut Handles) -> Result<(), ExecutionError> {
        // a handle is the same for every kind of numbers
        let inputs =
            self.inputs.each_ref().map(|input| into_contiguous(handles.get_float_tensor::<CubeBackend>(input)));
        let (client, device) = (inputs[0].client.clone(), inputs[0].device.clone());
        let written = self.outputs.each_ref().map(|output| {
            empty_device_contiguous_dtype(client.clone(), device.clone(), output.shape.clone(), output.dtype)
        });
        (self.launch)(&client, inputs, written.clone());
        for (output, written) in self.outputs.iter().zip(written) {
            handles.register_float_tensor::<CubeBackend>(&output.id, written);
        }
        Ok(())
    }
}

/// Units in a cube on a GPU.
const UNITS: u32 = 256;

/// How many cubes of how many units run a kernel.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Cubes.
    pub cubes: CubeCount,
    /// Units of a cube; for rows, those of a plane lie along x.
    pub units: CubeDim,
}

impl Grid {
    /// A plane for each row, and several of them along y.
    pub fn rows(client: &Client, rows: usize) -> Self {
        let hardware = &client.properties().hardware;
        let plane = hardware.plane_size_max;
        let planes = (UNITS.min(hardware.max_units_per_cube) / plane).max(1);
        let units = CubeDim::new_2d(plane, planes);
        // each plane counts as one element of a cube
        let cubes = cubecl::calculate_cube_count_elemwise(client, rows, CubeDim::new_1d(planes));
        Self { cubes, units }
    }

    /// A unit for each of `count`.
    pub fn units(client: &Client, count: usize) -> Self {
        let units = CubeDim::new(client, count);
        let cubes = cubecl::calculate_cube_count_elemwise(client, count, units);
        Self { cubes, units }
    }
}

/// Numbers that a unit takes at a time, of rows of `width`.
pub fn together(width: usize) -> usize {
    [8, 4, 2].into_iter().find(|size| width.is_multiple_of(*size)).unwrap_or(1)
}

/// How often the units of a plane step over a row of `count` numbers. All take as many turns, whether or not there is a number for
/// each in the last: what is then exchanged within the plane has to find all of them.
#[cube]
pub fn turns(count: usize, step: usize) -> usize {
    count.div_ceil(step)
}

/// The row that a unit works on.
#[cube]
pub fn row_of_unit() -> usize {
    CUBE_POS * CUBE_DIM_Y as usize + UNIT_POS_Y as usize
}

/// The sum over a plane, in every unit of it.
#[cube]
pub fn sum_over_plane(x: f32, #[comptime] plane: u32) -> f32 {
    if comptime!(plane > 1) { plane_sum(x) } else { x }
}

/// The largest of a plane, in every unit of it.
#[cube]
pub fn largest_of_plane(x: f32, #[comptime] plane: u32) -> f32 {
    if comptime!(plane > 1) { plane_max(x) } else { x }
}
