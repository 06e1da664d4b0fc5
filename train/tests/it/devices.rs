//! Where operations are held: on the processor, and wherever else this build of the program computes.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
};

use burn::tensor::Device;

thread_local! {
    static HERE: RefCell<Option<(Device, f64)>> = const { RefCell::new(None) };
}

/// Runs a test on each device, one after the other.
pub fn everywhere(test: impl Fn()) {
    for (device, slack) in devices() {
        let name = format!("{device:?}");
        HERE.set(Some((device, slack)));
        // a test that fails says where
        if let Err(fault) = panic::catch_unwind(AssertUnwindSafe(&test)) {
            eprintln!("on {name}");
            panic::resume_unwind(fault);
        }
    }
    HERE.set(None);
}

/// The device of the moment, with gradients.
pub fn here() -> Device {
    HERE.with_borrow(|here| here.as_ref().map_or_else(Device::flex, |(device, _)| device.clone())).autodiff()
}

/// By how much more than on a processor a number may be off where it comes from products of matrices: an NVIDIA GPU may round
/// what it multiplies to 10 bits (TF32).
pub fn slack() -> f64 {
    HERE.with_borrow(|here| here.as_ref().map_or(1.0, |(_, slack)| *slack))
}

/// Devices, and the slack of each.
fn devices() -> Vec<(Device, f64)> {
    #[allow(unused_mut, reason = "only some builds have others")]
    let mut devices = vec![(Device::flex(), 1.0)];
    #[cfg(feature = "cubecl-cpu")]
    devices.push((Device::cpu(), 1.0));
    #[cfg(feature = "cuda")]
    devices.extend(Device::enumerate(burn::tensor::DeviceType::Cuda).into_iter().map(|device| (device, 200.0)));
    devices
}
