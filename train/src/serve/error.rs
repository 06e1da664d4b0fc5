//! Why a request is refused, in the words of the API.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::generate::continuous::RequestFault;

/// A request that is refused, or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    /// The kind of the fault, such as `invalid_request_error`.
    kind: &'static str,
    /// The key of the request that is at fault.
    param: Option<String>,
    code: Option<&'static str>,
    /// When it is worth to try again.
    retry_after: Option<Duration>,
}

/// A result of the API.
pub type ApiResult<T> = Result<T, ApiError>;

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";

/// When a server that is full, or that ends, is worth another try.
const AGAIN: Duration = Duration::from_secs(1);

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind, param: None, code: None, retry_after: None }
    }

    /// A key of the request is not what it should be.
    pub fn of(param: &str, message: impl Into<String>) -> Self {
        Self { param: Some(param.to_owned()), ..Self::invalid(message) }
    }

    /// The request as a whole is not what it should be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
    }

    /// A key that is none.
    pub fn unknown(param: &str) -> Self {
        let code = Some("unknown_parameter");
        Self { code, ..Self::of(param, format!("Unrecognized request argument supplied: {param}")) }
    }

    /// A prompt and the tokens that are asked for behind it are too many.
    pub fn too_long(param: &str, context_length: usize, prompt: usize, new: usize) -> Self {
        let message = format!(
            "This model's maximum context length is {context_length} tokens, however you requested {} tokens ({prompt} in your prompt; {new} \
             for the completion). Please reduce your prompt; or completion length.",
            prompt + new
        );
        Self { code: Some("context_length_exceeded"), ..Self::of(param, message) }
    }

    /// There is no such model.
    pub fn no_model(name: &str) -> Self {
        let message = format!("The model `{name}` does not exist");
        Self {
            param: Some("model".into()),
            code: Some("model_not_found"),
            ..Self::new(StatusCode::NOT_FOUND, INVALID, message)
        }
    }

    /// There is nothing at a path.
    pub fn no_path(method: &str, path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, INVALID, format!("Invalid URL ({method} {path})"))
    }

    /// What is at a path is asked by another method.
    pub fn other_method(method: &str, path: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, INVALID, format!("Not allowed to {method} on {path}"))
    }

    /// The key is missing or another.
    pub fn unauthorized(message: &str) -> Self {
        Self { code: Some("invalid_api_key"), ..Self::new(StatusCode::UNAUTHORIZED, INVALID, message) }
    }

    /// The body is no JSON, as its head has it.
    pub fn other_media_type() -> Self {
        let message = "the body has to be JSON, and the header `Content-Type` to say `application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID, message)
    }

    /// The body has more bytes than are taken.
    pub fn too_large(limit: usize) -> Self {
        let message = format!("the body has more than {limit} bytes, which is the limit of this server");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, INVALID, message)
    }

    /// The body did not come in time.
    pub fn slow_body(limit: Duration) -> Self {
        let message = format!("the body did not come within {} seconds", limit.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, INVALID, message)
    }

    /// There are more requests than may wait.
    pub fn full() -> Self {
        let message = "more requests are waiting than this server lets wait; try again later";
        let code = Some("rate_limit_exceeded");
        let retry_after = Some(AGAIN);
        Self { code, retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message) }
    }

    /// The server is about to end.
    pub fn ending() -> Self {
        let message = "this server is ending, and takes no further requests";
        Self { retry_after: Some(AGAIN), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, SERVER, message) }
    }

    /// The answer took too long.
    pub fn timeout(limit: Duration) -> Self {
        let message = format!("the answer was not complete within {} seconds", limit.as_secs());
        Self::new(StatusCode::GATEWAY_TIMEOUT, SERVER, message)
    }

    /// Something is wrong with the server.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, SERVER, message)
    }

    /// What the engine says of a prompt.
    pub fn refused(fault: &RequestFault) -> Self {
        Self::of("prompt", fault.to_string())
    }

    /// The code of the answer.
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body of the answer.
    pub fn json(&self) -> Value {
        json!({ "error": { "message": self.message, "type": self.kind, "param": self.param, "code": self.code } })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(again) = self.retry_after {
            headers.insert(header::RETRY_AFTER, again.as_secs().into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
