//! What an optimizer is: from the gradient of one parameter to its next values.

use std::fmt::Debug;

use burn::tensor::Tensor;

/// An optimizer, by its settings. What it keeps of a parameter between steps is given to it and taken back, so that whoever holds the
/// states can save them.
pub trait Optimizer: Debug + Send {
    /// What is wrong with the settings, if something is: the key, and the message.
    fn fault(&self) -> Option<(&'static str, String)>;

    /// What is kept of a parameter: the name of each state, and how many numbers it has. They are 0 at first.
    fn states(&self, name: &str, shape: &[usize]) -> Vec<(&'static str, usize)>;

    /// The learning rate at a step, counted from 1, where the schedule has `scheduled`.
    fn learning_rate(&self, scheduled: f64, _step: u64) -> f64 {
        scheduled
    }

    /// The parameter's values after a step, and its states in the order of [`Self::states`].
    fn step(&self, parameter: ParameterStep<'_>, states: Vec<Tensor<1>>) -> (Tensor<1>, Vec<Tensor<1>>);
}

/// A step of one parameter.
///
/// Nothing is copied where nobody else holds the tensors: they are given away.
#[derive(Debug)]
pub struct ParameterStep<'p> {
    /// The parameter's name, such as `blocks.0.attention.input.weight`.
    pub name: &'p str,
    /// The sizes of its dimensions.
    pub shape: &'p [usize],
    /// Its values, `[elements]`, without gradients.
    pub values: Tensor<1>,
    /// The gradient, `[elements]`.
    pub gradient: Tensor<1>,
    /// The gradient is to be multiplied by this first: gradient clipping.
    pub gradient_scale: f32,
    /// The learning rate of its group.
    pub learning_rate: f64,
    /// The weight decay of its group, in place of the optimizer's.
    pub weight_decay: Option<f64>,
    /// The number of the step, from 1.
    pub step: u64,
}

impl ParameterStep<'_> {
    /// The weight decay: the group's, or else `of_matrices` on what has two dimensions, and none on biases and gains.
    #[must_use]
    pub fn weight_decay_or(&self, of_matrices: f64) -> f64 {
        self.weight_decay.unwrap_or(if self.shape.len() >= 2 { of_matrices } else { 0.0 })
    }
}

/// The first setting that is less than 0 or no number, in words.
pub(super) fn negative(settings: &[(&'static str, f64)]) -> Option<(&'static str, String)> {
    let (key, number) = settings.iter().find(|(_, number)| number.is_nan() || *number < 0.0)?;
    Some((key, format!("it has to be 0 or more, and is {number}")))
}

/// The first decay rate that is not in `0.0..1.0`, in words.
pub(super) fn no_decay_rate(settings: &[(&'static str, f64)]) -> Option<(&'static str, String)> {
    let (key, rate) = settings.iter().find(|(_, rate)| !(0.0..1.0).contains(rate))?;
    Some((key, format!("it has to be 0 or more and less than 1, and is {rate}")))
}
