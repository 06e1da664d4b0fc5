//! The precision of computation. Parameters, gradients and optimizer states are always f32.

use std::{fmt, str::FromStr};

use burn::tensor::{DType, FloatDType, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The precision of computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Precision {
    /// Single precision. An NVIDIA GPU may multiply matrices in TF32, with 10 bits.
    #[default]
    #[serde(rename = "f32")]
    F32,
    /// bfloat16: a GPU multiplies matrices several times as fast. Sums over rows, losses and parameters stay f32.
    #[serde(rename = "bf16")]
    Bf16,
}

impl Precision {
    /// `x` in this precision.
    #[must_use]
    pub fn of<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        let dtype = match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        };
        like(x, dtype)
    }
}

/// `x` as numbers of another kind, where it is not of that kind.
pub(super) fn like<const D: usize>(x: Tensor<D>, dtype: DType) -> Tensor<D> {
    if x.dtype() == dtype { x } else { x.cast(FloatDType::from(dtype)) }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            _ => Err("expected `f32` or `bf16`".into()),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}
