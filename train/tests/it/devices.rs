//! Where operations are held: on the processor, and wherever else this build of the program computes.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
};

use burn::tensor::Device;

thread_local! {
    static HERE: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// Runs a test on each device, one after the other.
pub fn everywhere(test: impl Fn()) {
    for device in devices() {
        let name = format!("{device:?}");
        HERE.set(Some(device));
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
    HERE.with_borrow(|here| here.clone().unwrap_or_else(Device::flex)).autodiff()
}

/// By how much more than on a processor a number may be off where it comes from products of matrices: an NVIDIA GPU may round
/// what it multiplies to 10 bits (TF32).
pub fn slack() -> f64 {
    if HERE.with_borrow(|here| format!("{here:?}").contains("Cuda")) { 200.0 } else { 1.0 }
}

fn devices() -> Vec<Device> {
    #[allow(unused_mut, reason = "only some builds have others")]
    let mut devices = vec![Device::flex()];
    #[cfg(feature = "cubecl-cpu")]
    devices.push(Device::cpu());
    #[cfg(feature = "cuda")]
    devices.extend(Device::enumerate(burn::tensor::DeviceType::Cuda));
    devices
}
