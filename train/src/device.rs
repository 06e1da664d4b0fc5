//! Where tensors live. No other module names a backend, but for the kernels' own in `tensor`.

#[cfg(feature = "cuda")]
use std::{env, path::PathBuf};
use std::{fmt, str::FromStr};

use burn::tensor::Device;
#[cfg(feature = "cuda")]
use burn::tensor::DeviceType;

use crate::{error::Error, tensor::Precision};

/// A device by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceName {
    /// The processor, through burn's `flex` backend.
    #[default]
    Cpu,
    /// An NVIDIA GPU by its number.
    Cuda(usize),
    /// The processor, through the kernels of GPUs: to try them where there is no GPU.
    #[cfg(feature = "cubecl-cpu")]
    CubeclCpu,
}

impl DeviceName {
    /// The device itself.
    ///
    /// # Errors
    /// When this program was built without the backend.
    pub fn open(self) -> Result<Device, Error> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "cubecl-cpu")]
            Self::CubeclCpu => Ok(Device::cpu()),
            #[cfg(feature = "cuda")]
            Self::Cuda(number) => cuda(number).map_err(|message| Error::Device { name: self.to_string(), message }),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda(_) => {
                let message = "this program was built without the feature `cuda`".to_owned();
                Err(Error::Device { name: self.to_string(), message })
            }
        }
    }

    /// What kind of device it is, without its number.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda(_) => "cuda",
            #[cfg(feature = "cubecl-cpu")]
            Self::CubeclCpu => "cubecl-cpu",
        }
    }

    /// The device, to compute in a precision on it.
    ///
    /// # Errors
    /// When this program was built without the backend, or the device is slower in that precision than in a better one.
    pub fn open_for(self, precision: Precision) -> Result<Device, Error> {
        if self == Self::Cpu && precision != Precision::F32 {
            let message = format!("precision {precision} is for GPUs; f32 is faster here, and more precise");
            return Err(Error::Device { name: self.to_string(), message });
        }
        self.open()
    }
}

/// A GPU by its number, or what is missing for it.
#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device, String> {
    const LIBRARY: &str = "nvvm/libdevice/libdevice.10.bc";
    let there: Vec<Device> = Device::enumerate(DeviceType::Cuda).into_iter().collect();
    let device = Device::cuda(number);
    if !there.contains(&device) {
        return Err(match there.len() {
            0 => "there is no NVIDIA GPU here, or no driver of one".into(),
            count => format!("the last of the GPUs here is cuda:{}", count - 1),
        });
    }
    // the compiler of kernels looks here for functions such as the exponential, and fails in the midst of a step without them
    let toolkits: Vec<PathBuf> = match env::var_os("CUDA_PATH") {
        Some(path) => vec![path.into()],
        None => ["/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda", "/usr"].map(PathBuf::from).into(),
    };
    if toolkits.iter().any(|folder| folder.join(LIBRARY).is_file()) {
        return Ok(device);
    }
    let looked: Vec<String> = toolkits.iter().map(|folder| folder.display().to_string()).collect();
    Err(format!("a CUDA toolkit's {LIBRARY} is not in {}; CUDA_PATH says where it is", looked.join(", ")))
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.split_once(':') {
            None if name == "cpu" => Ok(Self::Cpu),
            #[cfg(feature = "cubecl-cpu")]
            None if name == "cubecl-cpu" => Ok(Self::CubeclCpu),
            None if name == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) => {
                number.parse().map(Self::Cuda).map_err(|_| format!("`{number}` is no number of a GPU"))
            }
            _ => Err("expected `cpu`, or `cuda:0` for the first GPU".into()),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
            #[cfg(feature = "cubecl-cpu")]
            Self::CubeclCpu => formatter.write_str("cubecl-cpu"),
        }
    }
}
