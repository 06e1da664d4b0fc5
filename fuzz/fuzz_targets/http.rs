//! Any bytes as an answer of a server: it has a body within the limit, or a fault, and the body is text.
#![no_main]

use curate::archive::{charset, http::Response, sniff};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = Response::parse(bytes) else { return };
    let Ok(Some(body)) = response.body(LIMIT) else { return };
    assert!(body.bytes.len() <= LIMIT);
    let _ = sniff::no_page(&body.bytes);
    let _ = charset::decode(&body.bytes, response.charset());
    let _ = response.media_type();
});
