//! The page on which a person asks. It knows no key: what it asks with one, it is told by whoever looks at it.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, header},
    response::Response,
    routing::get,
};

use super::service::Service;

/// What the browser may do for the page: load what lies beside it, and ask this server.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Adds the page and what it loads.
pub fn routes(router: Router<Arc<Service>>) -> Router<Arc<Service>> {
    router
        .route("/", get(async || file(include_str!("page.html"), "text/html; charset=utf-8")))
        .route("/page.css", get(async || file(include_str!("page.css"), "text/css; charset=utf-8")))
        .route("/page.js", get(async || file(include_str!("page.js"), "text/javascript; charset=utf-8")))
}

fn file(text: &'static str, media_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
