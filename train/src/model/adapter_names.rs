//! The names of adapters among a model's parameters.

const A: &str = ".lora.a";
const B: &str = ".lora.b";

/// The name of `A` of a linear layer's adapters.
pub fn a(linear: &str) -> String {
    format!("{linear}{A}")
}

/// The name of `B` of a linear layer's adapters.
pub fn b(linear: &str) -> String {
    format!("{linear}{B}")
}

/// Whether a parameter is one of an adapter, by its name.
#[must_use]
pub fn is_adapter(parameter: &str) -> bool {
    parameter.ends_with(A) || parameter.ends_with(B)
}
