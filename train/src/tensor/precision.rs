//! What numbers are computed in. Parameters, their gradients and the optimizer's memory are single precision whatever it is.

use std::{fmt, str::FromStr};

use burn::tensor::{DType, FloatDType, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What numbers are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Precision {
    /// Single precision. An NVIDIA GPU may round what it multiplies in products of matrices to 10 bits (TF32).
    #[default]
    #[serde(rename = "f32")]
    Single,
    /// The upper half of single precision: a GPU's products of matrices are several times as fast. Sums over rows, losses and
    /// parameters stay single.
    #[serde(rename = "bf16")]
    Brain,
}

impl Precision {
    /// `x` in this precision.
    #[must_use]
    pub fn of<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        let dtype = match self {
            Self::Single => DType::F32,
            Self::Brain => DType::BF16,
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
            "f32" => Ok(Self::Single),
            "bf16" => Ok(Self::Brain),
            _ => Err("expected `f32` or `bf16`".into()),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Single => "f32",
            Self::Brain => "bf16",
        })
    }
}
