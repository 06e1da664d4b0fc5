//! The names of adapters among a model's parameters, and of what is trained whole beside them.

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

/// What the names of the value network beside a policy begin with, and those of the encoder of passages beside one of questions.
const BESIDE: [&str; 2] = ["value.", "passage."];

/// Whether a parameter is one of a network beside the language model, by its name.
#[must_use]
pub fn is_beside(parameter: &str) -> bool {
    BESIDE.iter().any(|network| parameter.starts_with(network))
}

/// Whether a parameter is one that adapters are trained in the place of, where there are adapters, by its name: a network beside the language
/// model is trained whole.
#[must_use]
pub fn is_base(parameter: &str) -> bool {
    !is_adapter(parameter) && !is_beside(parameter)
}
