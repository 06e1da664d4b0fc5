//! Whole-program tests of `train`: what its promises say, seen from outside.

mod bad_input;
mod classify;
mod counted;
mod devices;
mod exactness;
mod figures;
mod help;
mod huggingface;
mod ids;
mod interrupts;
mod lora;
mod lost;
mod memory;
mod operations;
mod optimizers;
mod precision;
mod pretrained;
mod real_model;
mod reference;
mod resumes;
mod spikes;
mod support;
mod t5;
mod torch;
mod tune;
