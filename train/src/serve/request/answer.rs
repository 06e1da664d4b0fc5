//! A question that is to be answered from passages.

use super::{common::stops, fields::Fields};
use crate::{
    retrieve::Combining,
    serve::error::{ApiError, ApiResult},
};

/// A question that is to be answered from passages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRequest {
    /// The model that is asked.
    pub model: Option<String>,
    /// The question, which is not empty.
    pub query: String,
    /// Passages, at most.
    pub k: Option<usize>,
    /// How they become an answer.
    pub combining: Option<Combining>,
    /// New tokens, at most: 1 or more.
    pub max_tokens: Option<usize>,
    /// What an answer ends before.
    pub stop: Option<Vec<String>>,
}

impl AnswerRequest {
    /// Reads a body.
    ///
    /// - `most_passages`: that may be asked for
    ///
    /// # Errors
    /// When a key is missing, unknown, or has another value than it may have.
    pub fn read(body: &[u8], most_passages: usize) -> ApiResult<Self> {
        let mut fields = Fields::of_body(body)?;
        let model = fields.string("model")?;
        let query = fields.string("query")?.ok_or_else(|| ApiError::of("query", "`query` is missing"))?;
        if query.trim().is_empty() {
            return Err(ApiError::of("query", "`query` is empty"));
        }
        let k = fields.count("k", [0, most_passages])?;
        let combining = match fields.string("as")? {
            Some(name) => Some(Combining::from_name(&name).ok_or_else(|| {
                ApiError::of("as", format!("`as` has to be prompt, rag-sequence or rag-token, not {name:?}"))
            })?),
            None => None,
        };
        let max_tokens = fields.count("max_tokens", [1, u32::MAX as usize])?;
        let stop = if fields.has("stop") { Some(stops(&mut fields)?.0) } else { None };
        fields.pass_over(&["user", "metadata"]);
        fields.end()?;
        Ok(Self { model, query, k, combining, max_tokens, stop })
    }
}
