//! Turns web crawls into training data.
pub mod archive;
mod error;
pub mod extract;
pub mod files;
pub mod source;
pub mod text;
pub use error::{Error, Result};
