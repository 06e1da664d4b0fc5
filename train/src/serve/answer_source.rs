//! What questions are answered from, and who is at it.

use std::{
    fmt,
    sync::{Arc, mpsc},
};

use tokio::sync::{Semaphore, oneshot};

use super::error::{ApiError, ApiResult};
use crate::{
    error::Result,
    inference::InferenceModel,
    retrieve::{AnswerConfig, ScoredPassage},
};

/// A question whose passages are wanted.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// Passages, at most.
    pub k: usize,
    /// Who waits for them.
    pub reply: oneshot::Sender<Result<Vec<ScoredPassage>>>,
}

/// What questions are answered from, and how where a request says nothing.
pub struct AnswerSource {
    /// The model that answers: that of the engine.
    pub model: Arc<InferenceModel>,
    /// Whoever finds passages.
    pub questions: mpsc::Sender<Question>,
    /// Passages of an answer.
    pub k: usize,
    /// How answers are written.
    pub config: AnswerConfig,
    /// What the model is asked, in Jinja.
    pub template: String,
    /// Whether it is asked in a turn of a conversation.
    pub chat: bool,
}

/// What questions are answered from, and who is at it.
pub(super) struct Answers {
    pub source: AnswerSource,
    /// One answer is written at a time: each takes all cores.
    pub turn: Semaphore,
    /// Questions that are answered or wait.
    pub open: Semaphore,
}

impl fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answers").field("k", &self.source.k).finish_non_exhaustive()
    }
}

impl Answers {
    /// - `most`: questions that are answered or wait, at most
    pub fn new(source: AnswerSource, most: usize) -> Self {
        Self { source, turn: Semaphore::new(1), open: Semaphore::new(most) }
    }

    /// The passages of a question.
    ///
    /// # Errors
    /// When the index cannot be searched.
    pub async fn passages(&self, text: &str, k: usize) -> ApiResult<Vec<ScoredPassage>> {
        if k == 0 {
            return Ok(Vec::new());
        }
        let (reply, found) = oneshot::channel();
        let stopped = || ApiError::failed("the search has stopped");
        self.source.questions.send(Question { text: text.to_owned(), k, reply }).map_err(|_| stopped())?;
        found.await.map_err(|_| stopped())?.map_err(|error| ApiError::failed(error.to_string()))
    }
}
