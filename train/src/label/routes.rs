//! What stands at each path.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
    routing::{get, post},
};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::{task::spawn_blocking, time::timeout};

use super::{query, refusal::Refusal, service::Service};

/// Bytes of a body, at most.
const MOST_BODY: usize = 256 << 10;

/// Bytes of a body that are read, at most, where it is refused.
const PASSED_OVER: usize = 4 << 20;

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What the browser may do for the page: load what lies beside it, and ask this server.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// All paths.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/page.css", get(style))
        .route("/page.js", get(script))
        .route("/api/next", get(next))
        .route("/api/judge", post(judge))
        .route("/api/undo", post(undo))
        .route("/api/progress", get(progress))
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .with_state(service)
}

type Shared = State<Arc<Service>>;
type Answered = Result<Response, Refusal>;

async fn page(State(service): Shared, request: Request) -> Answered {
    admitted(&service, request).await?;
    Ok(response(Body::from(PAGE), "text/html; charset=utf-8"))
}

async fn style(State(service): Shared, request: Request) -> Answered {
    admitted(&service, request).await?;
    Ok(response(Body::from(STYLE), "text/css; charset=utf-8"))
}

async fn script(State(service): Shared, request: Request) -> Answered {
    admitted(&service, request).await?;
    Ok(response(Body::from(SCRIPT), "text/javascript; charset=utf-8"))
}

async fn next(State(service): Shared, request: Request) -> Answered {
    let request = admitted(&service, request).await?;
    let labeler = query::value(request.uri().query().unwrap_or_default(), "labeler");
    let labeler = labeler.ok_or_else(|| Refusal::invalid("`labeler` is missing: who is asking?"))?;
    computed(move || service.next(&labeler)).await
}

async fn judge(State(service): Shared, request: Request) -> Answered {
    let body = body(admitted(&service, request).await?).await?;
    computed(move || service.judge(&body)).await
}

async fn undo(State(service): Shared, request: Request) -> Answered {
    let body = body(admitted(&service, request).await?).await?;
    computed(move || service.undo(&body)).await
}

async fn progress(State(service): Shared, request: Request) -> Answered {
    admitted(&service, request).await?;
    computed(move || service.progress()).await
}

async fn nothing(State(service): Shared, request: Request) -> Answered {
    let request = admitted(&service, request).await?;
    let refusal = Refusal::no_path(request.uri().path());
    pass_over(request).await;
    Err(refusal)
}

async fn other_method(State(service): Shared, request: Request) -> Answered {
    let request = admitted(&service, request).await?;
    let refusal = Refusal::other_method(request.method().as_str(), request.uri().path());
    pass_over(request).await;
    Err(refusal)
}

/// A request that is one of our own page.
async fn admitted(service: &Service, request: Request) -> Result<Request, Refusal> {
    match service.origin().admit(request.headers()) {
        Ok(()) => Ok(request),
        Err(refusal) => {
            pass_over(request).await;
            Err(refusal)
        }
    }
}

/// Runs what waits for the disk on a thread for that, and answers what comes of it.
async fn computed(work: impl FnOnce() -> Result<Value, Refusal> + Send + 'static) -> Answered {
    let value =
        spawn_blocking(work).await.map_err(|error| Refusal::failed(format!("a fault of this server: {error}")))??;
    Ok(response(Body::from(value.to_string()), "application/json"))
}

fn response(body: Body, media_type: &'static str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// The body of a request.
///
/// # Errors
/// When it is no JSON, too large, or takes too long.
async fn body(request: Request) -> Result<Vec<u8>, Refusal> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    if !media_type.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
        pass_over(request).await;
        return Err(Refusal::other_media_type());
    }
    read(request, MOST_BODY).await
}

/// Reads what nobody takes of a request: a client that is still sending does not read why that is in vain.
async fn pass_over(request: Request) {
    let _ = read(request, 0).await;
}

/// Reads a body, of which no more than so many bytes are kept.
async fn read(request: Request, most: usize) -> Result<Vec<u8>, Refusal> {
    let mut parts = request.into_body().into_data_stream();
    let read = async {
        let (mut body, mut size) = (Vec::new(), 0_usize);
        while size <= PASSED_OVER
            && let Some(part) = parts.next().await
        {
            let part = part.map_err(|error| Refusal::invalid(format!("the body breaks off: {error}")))?;
            size += part.len();
            if size <= most {
                body.extend_from_slice(&part);
            }
        }
        if size > most { Err(Refusal::too_large(most)) } else { Ok(body) }
    };
    timeout(BODY_TIME, read).await.unwrap_or_else(|_| Err(Refusal::slow_body(BODY_TIME.as_secs())))
}
