//! Any bytes as the body of a request to a server of completions: it is read, and then may be run, or refused with a word about what is
//! wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use train::serve::{ChatRequest, CompletionRequest, DetokenizeRequest, TokenizeRequest};

const VOCAB_SIZE: usize = 1000;

fuzz_target!(|body: &[u8]| {
    let refused = [
        CompletionRequest::read(body, VOCAB_SIZE).err(),
        ChatRequest::read(body, VOCAB_SIZE).err(),
        TokenizeRequest::read(body).err(),
        DetokenizeRequest::read(body, VOCAB_SIZE).err(),
    ];
    for error in refused.into_iter().flatten() {
        assert!(error.json()["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
});
