//! Turns web crawls into training data.
pub mod archive;
mod error;
pub mod extract;
pub mod files;
pub mod source;
pub mod text;
pub use error::{Error, Result};
pub mod cli;
pub mod decide;
pub mod engine;
pub mod learn;
pub mod measure;
pub mod plan;
pub mod recipe;
pub mod report;
pub mod run;
pub mod write;
