//! What clients send: JSON in, checked requests out. No model, no sockets: whatever the bytes are, they become a request or an error that
//! names the key at fault.
//!
//! ```text
//! bytes -> an object's fields -> CompletionRequest, ChatRequest, AnswerRequest, TokenizeRequest, DetokenizeRequest
//! ```
//!
//! A key that the API does not have is refused, as OpenAI refuses it: what is misspelt should not be passed over. Keys that say something of the
//! caller's account, and no more, are taken and change nothing; keys that ask for what this server does not do are taken where they ask for
//! nothing.

mod answer;
mod chat;
mod common;
mod completion;
mod fields;
mod tokens;

pub use answer::AnswerRequest;
pub use chat::ChatRequest;
pub use common::SamplingParams;
pub use completion::{CompletionRequest, Prompt};
pub use tokens::{DetokenizeRequest, TokenizeRequest, Tokenized};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::serve::error::{ApiError, ApiResult};

    const VOCAB_SIZE: usize = 300;

    fn completion(body: &Value) -> ApiResult<CompletionRequest> {
        CompletionRequest::read(body.to_string().as_bytes(), VOCAB_SIZE)
    }

    fn chat(body: &Value) -> ApiResult<ChatRequest> {
        ChatRequest::read(body.to_string().as_bytes(), VOCAB_SIZE)
    }

    /// The key that an error names, and what it says.
    fn named(error: &ApiError) -> (String, String) {
        let error = &error.json()["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("param"), text("message"))
    }

    #[test]
    fn prompts_come_in_four_forms() {
        let prompts = |prompt: Value| completion(&json!({ "prompt": prompt })).map(|request| request.prompts);
        let text = |text: &str| Prompt::Text(text.into());
        assert_eq!(prompts(json!("a")), Ok(vec![text("a")]));
        assert_eq!(prompts(json!(["a", "b"])), Ok(vec![text("a"), text("b")]));
        assert_eq!(prompts(json!([1, 2])), Ok(vec![Prompt::Ids(vec![1, 2])]));
        assert_eq!(prompts(json!([[1, 2], [3]])), Ok(vec![Prompt::Ids(vec![1, 2]), Prompt::Ids(vec![3])]));
        assert_eq!(prompts(Value::Null), Ok(vec![text("")]));
    }

    /// What the harness sends, and what OpenAI's clients send.
    #[test]
    fn requests_of_others_are_read() {
        let request = completion(&json!({
            "model": "m", "prompt": [[1, 2]], "temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": true,
        }));
        let request = request.expect("it is sound");
        assert!(request.echo && request.logprobs == Some(1) && request.sampling.max_tokens == Some(1));
        assert_eq!((request.sampling.temperature, request.sampling.seed), (0.0, Some(1234)));
        let request =
            completion(&json!({ "prompt": "a", "stop": ["\n", "b"], "max_tokens": 256, "top_k": -1, "seed": -1 }));
        let request = request.expect("it is sound");
        assert_eq!(request.sampling.stops.0, ["\n", "b"]);
        assert_eq!(request.sampling.seed, Some(u64::MAX));
        let request = chat(&json!({
            "messages": [
                { "role": "developer", "content": "Be brief." },
                { "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }], "name": "c" },
                { "role": "assistant", "content": "d", "refusal": null },
            ],
            "max_tokens": 4, "max_completion_tokens": 5, "logprobs": true, "top_logprobs": 2, "stream": true, "user": "someone",
            "stream_options": { "include_usage": true }, "presence_penalty": 0, "response_format": { "type": "text" }, "tools": [],
            "reasoning_effort": null, "audio": null,
        }));
        let request = request.expect("it is sound");
        let said: Vec<(&str, &str)> =
            request.messages.iter().map(|message| (message.role.as_str(), message.content.as_str())).collect();
        assert_eq!(said, [("system", "Be brief."), ("user", "ab"), ("assistant", "d")]);
        assert_eq!((request.sampling.max_tokens, request.logprobs), (Some(5), Some(2)));
        assert_eq!(request.sampling.max_tokens_key, "max_completion_tokens");
        assert!(request.sampling.stream && request.sampling.include_usage);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, param, message) in [
            (json!({ "prompt": [] }), "prompt", "an empty list"),
            (json!({ "prompt": [[]] }), "prompt", "a list without a token"),
            (json!({ "prompt": 5 }), "prompt", "has to be a string, a list of strings"),
            (json!({ "prompt": ["a", 1] }), "prompt", "has to be a string, a list of strings"),
            (json!({ "prompt": [1, "a"] }), "prompt", "a token id that is none: \"a\""),
            (json!({ "prompt": [1, -1] }), "prompt", "a token id that is none: -1"),
            (json!({ "prompt": [1, 300] }), "prompt", "the token id 300, and the model's ids end before 300"),
            (json!({ "prompt": vec!["a"; 2049] }), "prompt", "more than 2048 prompts"),
            (json!({ "prompt": vec!["a"; 100], "best_of": 100 }), "prompt", "more than 4096 texts"),
            (json!({ "max_tokens": 0 }), "max_tokens", "1 or more, but with `echo`"),
            (json!({ "max_tokens": -1 }), "max_tokens", "a whole number from 0"),
            (json!({ "max_tokens": 1.5 }), "max_tokens", "a whole number from 0"),
            (json!({ "temperature": 2.1 }), "temperature", "a number from 0 to 2, not 2.1"),
            (json!({ "temperature": "1" }), "temperature", "a number from 0 to 2, not \"1\""),
            (json!({ "top_p": -0.1 }), "top_p", "a number from 0 to 1"),
            (json!({ "n": 0 }), "n", "a whole number from 1 to 128, not 0"),
            (json!({ "n": 3, "best_of": 2 }), "best_of", "has to be 3 or more"),
            (json!({ "n": 1, "best_of": 2, "stream": true }), "best_of", "cannot be streamed"),
            (json!({ "stop": "" }), "stop", "is empty"),
            (json!({ "stop": [1] }), "stop", "a string, or a list of strings"),
            (json!({ "stop": vec!["a"; 33] }), "stop", "more than 32"),
            (json!({ "stop": "a".repeat(257) }), "stop", "more than 256 characters"),
            (json!({ "logit_bias": { "a": 1 } }), "logit_bias", "a key that is no token's id: \"a\""),
            (json!({ "logit_bias": { "+3": 1 } }), "logit_bias", "a key that is no token's id: \"+3\""),
            (json!({ "logit_bias": { "": 1 } }), "logit_bias", "a key that is no token's id: \"\""),
            (json!({ "logit_bias": { "3": 1, "03": 1 } }), "logit_bias", "the token id 3 twice"),
            (json!({ "logit_bias": { "300": 1 } }), "logit_bias", "the token id 300"),
            (json!({ "logit_bias": { "3": 101 } }), "logit_bias", "of numbers from -100 to 100, not 101"),
            (json!({ "logprobs": 101 }), "logprobs", "from 0 to 100, not 101"),
            (json!({ "logprobs": true }), "logprobs", "from 0 to 100, not true"),
            (json!({ "suffix": "a" }), "suffix", "does not support `suffix`"),
            (json!({ "presence_penalty": 0.5 }), "presence_penalty", "does not support"),
            (json!({ "response_format": { "type": "json_object" } }), "response_format", "does not support"),
            (json!({ "stream_options": {} }), "stream_options", "only allowed when 'stream'"),
            (json!({ "stream": true, "stream_options": { "a": 1 } }), "stream_options.a", "Unrecognized"),
            (
                json!({ "max_new_tokens": 1 }),
                "max_new_tokens",
                "Unrecognized request argument supplied: max_new_tokens",
            ),
            (json!({ "echo": 1 }), "echo", "true or false, not 1"),
            (json!({ "seed": 1.5 }), "seed", "a whole number of 64 bits"),
        ] {
            let (found, said) = named(&completion(&body).expect_err("it is refused"));
            assert!(found == param && said.contains(message), "{body}: {found}: {said}");
        }
        let one = |message: Value| json!({ "messages": [message] });
        for (body, param, message) in [
            (json!({}), "messages", "is missing"),
            (json!({ "messages": [] }), "messages", "an empty list"),
            (json!({ "messages": "a" }), "messages", "a list of messages"),
            (one(json!("a")), "messages[0]", "an object, not \"a\""),
            (one(json!({ "content": "a" })), "messages[0].role", "is missing"),
            (one(json!({ "role": "user" })), "messages[0].content", "is missing"),
            (one(json!({ "role": "user", "content": 1 })), "messages[0].content", "a string, or a list of parts"),
            (
                one(json!({ "role": "user", "content": [{ "type": "image_url" }] })),
                "messages[0].content[0].type",
                "does not support",
            ),
            (one(json!({ "role": "user", "content": "a", "mood": 1 })), "messages[0].mood", "Unrecognized"),
            (json!({ "messages": [{ "role": "user", "content": "a" }], "tools": [{}] }), "tools", "does not support"),
            (
                json!({ "messages": [{ "role": "user", "content": "a" }], "reasoning_effort": "low" }),
                "reasoning_effort",
                "does not support `reasoning_effort`",
            ),
            (
                json!({ "messages": [{ "role": "user", "content": "a" }], "max_completion_tokens": 0, "max_tokens": 1 }),
                "max_completion_tokens",
                "has to be 1 or more",
            ),
            (
                json!({ "messages": [{ "role": "user", "content": "a" }], "top_logprobs": 1 }),
                "top_logprobs",
                "whose `logprobs` is true",
            ),
        ] {
            let (found, said) = named(&chat(&body).expect_err("it is refused"));
            assert!(found == param && said.contains(message), "{body}: {found}: {said}");
        }
        for (body, message) in
            [("", "not valid JSON: EOF"), ("{\"prompt\": \"a\"", "EOF"), ("[1]", "an object, not a list of 1")]
        {
            let error = CompletionRequest::read(body.as_bytes(), VOCAB_SIZE).expect_err("it is refused");
            assert!(named(&error).1.contains(message), "{body}: {error:?}");
        }
    }

    #[test]
    fn questions_are_read_or_named() {
        let read = |body: Value| AnswerRequest::read(body.to_string().as_bytes(), 10);
        let request = read(json!({"query": "who?", "k": 0, "as": "rag-token", "stop": "."})).expect("it is sound");
        assert_eq!((request.query.as_str(), request.k, request.stop), ("who?", Some(0), Some(vec![".".to_owned()])));
        for (body, param, message) in [
            (json!({}), "query", "is missing"),
            (json!({"query": " "}), "query", "is empty"),
            (json!({"query": 1}), "query", "a string, not 1"),
            (json!({"query": "a", "k": 11}), "k", "from 0 to 10, not 11"),
            (json!({"query": "a", "as": "rag"}), "as", "prompt, rag-sequence or rag-token"),
            (json!({"query": "a", "max_tokens": 0}), "max_tokens", "a whole number from 1"),
            (json!({"query": "a", "question": "a"}), "question", "Unrecognized"),
        ] {
            let (found, said) = named(&read(body.clone()).expect_err("it is refused"));
            assert!(found == param && said.contains(message), "{body}: {found}: {said}");
        }
    }

    /// Any JSON, with the names that requests have.
    fn any_json() -> impl Strategy<Value = Value> {
        let number = || {
            prop_oneof![
                any::<i64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                (-2i64..5).prop_map(Value::from),
                any::<bool>().prop_map(Value::from),
                Just(Value::Null),
            ]
        };
        let name = prop_oneof![
            "[a-z]{0,4}",
            prop::sample::select(vec![
                "prompt",
                "messages",
                "role",
                "content",
                "type",
                "text",
                "model",
                "max_tokens",
                "temperature",
                "top_p",
                "n",
                "best_of",
                "stop",
                "stream",
                "stream_options",
                "include_usage",
                "logprobs",
                "top_logprobs",
                "echo",
                "seed",
                "logit_bias",
                "reasoning_effort",
                "suffix",
                "query",
                "k",
                "as",
                "tokens",
                "add_special_tokens",
            ])
            .prop_map(str::to_owned),
            (0u32..400).prop_map(|id| id.to_string()),
        ];
        prop_oneof![number(), "\\PC{0,6}".prop_map(Value::from)].prop_recursive(4, 40, 8, move |inner| {
            let entries = proptest::collection::vec((name.clone(), inner.clone()), 0..8);
            prop_oneof![
                proptest::collection::vec(inner, 0..6).prop_map(Value::from),
                entries.prop_map(|entries| entries.into_iter().collect::<serde_json::Map<String, Value>>().into()),
            ]
        })
    }

    /// What every request that was read promises to those who run it; what none does says why.
    fn hold(body: &[u8]) {
        let is_said = |error: &ApiError| error.code() == 400 && !named(error).1.is_empty();
        match CompletionRequest::read(body, VOCAB_SIZE) {
            Ok(request) => {
                assert!(!request.prompts.is_empty() && request.sampling.n <= request.best_of);
                assert!(request.sampling.max_tokens != Some(0) || request.echo);
                for prompt in &request.prompts {
                    if let Prompt::Ids(ids) = prompt {
                        assert!(!ids.is_empty() && ids.iter().all(|id| (*id as usize) < VOCAB_SIZE));
                    }
                }
                assert!(request.sampling.temperature.is_finite() && request.sampling.top_p.is_finite());
            }
            Err(error) => assert!(is_said(&error), "{error:?}"),
        }
        for error in [
            ChatRequest::read(body, VOCAB_SIZE).err(),
            TokenizeRequest::read(body).err(),
            AnswerRequest::read(body, 10).err(),
            DetokenizeRequest::read(body, VOCAB_SIZE).err(),
        ] {
            assert!(error.as_ref().is_none_or(is_said), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused(value in any_json()) {
            hold(value.to_string().as_bytes());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            hold(&bytes);
        }
    }
}
