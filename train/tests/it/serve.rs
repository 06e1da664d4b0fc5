//! The contract of the server with clients that others wrote: lm-evaluation-harness, and OpenAI's.

use serde_json::{Value, json};
use train::{
    checkpoint::Which, device::DeviceName, generate::LoadedModel, model::Tokens, program::load, tokenizer::Tokenizer,
};

use crate::{
    http,
    served::{Served, workshop},
    support::Workshop,
};

/// The log-probabilities of a model behind some ids, `[vocab_size]`, by the model of the trainings.
struct Truth {
    model: LoadedModel,
    tokenizer: Tokenizer,
}

impl Truth {
    fn new(workshop: &Workshop) -> Self {
        let (model, tokenizer) =
            load(&workshop.path().join("model"), Which::Newest, DeviceName::Cpu).expect("it was trained");
        Self { model, tokenizer }
    }

    fn logprobs(&self, ids: &[u32]) -> Vec<f64> {
        let LoadedModel::Decoder(model) = &self.model else { panic!("it has no encoder") };
        let ids: Vec<i32> = ids.iter().map(|id| i32::try_from(*id).expect("small")).collect();
        let logits = model.logits(Tokens { ids: &ids, batch_size: 1, starts: None }).into_data();
        let logits: Vec<f32> = logits.try_to_vec().expect("single precision");
        let last = &logits[logits.len() / ids.len() * (ids.len() - 1)..];
        let sum: f64 = last.iter().map(|logit| f64::from(*logit).exp()).sum();
        last.iter().map(|logit| f64::from(*logit) - sum.ln()).collect()
    }

    fn encode(&self, text: &str) -> Vec<u32> {
        self.tokenizer.prompt(text).expect("it encodes any text")
    }
}

fn likeliest(logprobs: &[f64]) -> u32 {
    let place = (0..logprobs.len()).max_by(|one, other| logprobs[*one].total_cmp(&logprobs[*other]));
    u32::try_from(place.expect("there are tokens")).expect("small")
}

/// A request of the harness for the likelihood of some ids.
fn likelihood(prompts: &[Vec<u32>]) -> Value {
    json!({ "model": "model", "prompt": prompts, "temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": true })
}

/// Checks an answer to the harness as it reads it, and as it is true.
fn check_likelihood(truth: &Truth, ids: &[u32], choice: &Value) {
    let logprobs = &choice["logprobs"];
    let [tokens, numbers, top, offsets] = ["tokens", "token_logprobs", "top_logprobs", "text_offset"]
        .map(|name| logprobs[name].as_array().expect("a list"));
    // the prompt and the one new token
    for list in [tokens, numbers, top, offsets] {
        assert_eq!(list.len(), ids.len() + 1, "{logprobs}");
    }
    assert!(numbers[0].is_null() && top[0].is_null());
    for place in 1..ids.len() {
        let expected = truth.logprobs(&ids[..place]);
        let found = numbers[place].as_f64().expect("a number");
        assert!((found - expected[ids[place] as usize]).abs() < 1e-4, "{place}: {found}");
        let top = top[place].as_object().expect("an object");
        let largest = top.values().filter_map(Value::as_f64).fold(f64::NEG_INFINITY, f64::max);
        let is_greedy = largest.to_bits() == found.to_bits();
        assert_eq!(is_greedy, likeliest(&expected) == ids[place], "{place}: {top:?}");
        assert!((1..=2).contains(&top.len()));
    }
    let joined: String = tokens.iter().map(|token| token.as_str().expect("a string")).collect();
    if !joined.contains("bytes:") {
        assert_eq!(choice["text"], joined);
    }
    assert_eq!(choice["finish_reason"], "length");
}

/// Lists of ids of several lengths, asked together, alone, and again: each is told of each token, whatever a cache has of it.
#[test]
fn likelihoods_are_as_the_harness_reads_them() {
    let workshop = workshop();
    let truth = Truth::new(&workshop);
    let served = Served::start(&workshop.path().join("model"), &[]);
    let long = truth.encode(&"The river runs past the old mill, and 日本 é ".repeat(3));
    let prompts =
        [long.clone(), long[..40].to_vec(), [&long[..40], &truth.encode(" town")].concat(), vec![5], vec![0, 0]];
    let together = served.complete(&likelihood(&prompts));
    let choices = together["choices"].as_array().expect("a list");
    assert_eq!(choices.len(), prompts.len());
    for (index, (ids, choice)) in prompts.iter().zip(choices).enumerate() {
        assert_eq!(choice["index"], index);
        check_likelihood(&truth, ids, choice);
        for _ in 0..2 {
            let alone = served.complete(&likelihood(std::slice::from_ref(ids)));
            assert_eq!(alone["choices"][0]["logprobs"], choice["logprobs"], "{index}");
        }
    }
    let tokens: usize = prompts.iter().map(Vec::len).sum();
    let usage =
        json!({ "prompt_tokens": tokens, "completion_tokens": prompts.len(), "total_tokens": tokens + prompts.len() });
    assert_eq!(together["usage"], usage);
    assert!(served.metric("tamis_prefix_cache_hit_tokens_total") > 0.0);
    // older clients judge a prompt without a new token
    let judged = served.complete(&json!({ "prompt": long, "max_tokens": 0, "echo": true, "logprobs": 0 }));
    let logprobs = &judged["choices"][0]["logprobs"];
    assert_eq!(logprobs["token_logprobs"].as_array().map(Vec::len), Some(long.len()));
    assert_eq!(logprobs["token_logprobs"][1], choices[0]["logprobs"]["token_logprobs"][1]);
    assert_eq!(judged["usage"]["completion_tokens"], 0);
}

/// What comes in pieces is what comes at once, with whatever stop strings; a seed gives a text, in any company.
#[test]
fn texts_are_the_same_in_pieces_and_in_company() {
    let workshop = workshop();
    let truth = Truth::new(&workshop);
    let served = Served::start(&workshop.path().join("model"), &[]);
    let prompt = "The river";
    let greedy = served.complete(&json!({ "prompt": prompt, "max_tokens": 40, "temperature": 0, "logprobs": 2 }));
    let choice = &greedy["choices"][0];
    let whole = choice["text"].as_str().expect("a string");
    // greedy is the likeliest each time
    let mut ids = truth.encode(prompt);
    for number in choice["logprobs"]["token_logprobs"].as_array().expect("a list") {
        let logprobs = truth.logprobs(&ids);
        let next = likeliest(&logprobs);
        assert!((number.as_f64().expect("a number") - logprobs[next as usize]).abs() < 1e-4);
        ids.push(next);
    }
    // any piece of the text can be where it ends
    let middle: String = whole.chars().skip(7).take(3).collect();
    for (body, expected) in [
        (json!({}), whole.to_owned()),
        (json!({ "echo": true }), format!("{prompt}{whole}")),
        (json!({ "stop": middle }), whole[..whole.find(&middle).expect("it is there")].to_owned()),
        (
            json!({ "stop": ["never to be seen", middle] }),
            whole[..whole.find(&middle).expect("it is there")].to_owned(),
        ),
        (json!({ "logprobs": 1, "echo": true }), format!("{prompt}{whole}")),
    ] {
        let mut body = body;
        for (name, value) in [("prompt", json!(prompt)), ("max_tokens", json!(40)), ("temperature", json!(0))] {
            body[name] = value;
        }
        let at_once = served.complete(&body);
        assert_eq!(at_once["choices"][0]["text"], expected, "{body}");
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": true });
        let events = served.stream("/v1/completions", &body);
        let (last, pieces) = events.split_last().expect("there are events");
        assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &at_once["usage"]));
        let text: String = pieces.iter().map(|piece| piece["choices"][0]["text"].as_str().expect("a string")).collect();
        assert_eq!(text, expected, "{body}");
        let finish: Vec<&Value> = pieces
            .iter()
            .map(|piece| &piece["choices"][0]["finish_reason"])
            .filter(|reason| !reason.is_null())
            .collect();
        assert_eq!(finish, [&at_once["choices"][0]["finish_reason"]]);
        assert_eq!(finish, [if body["stop"].is_null() { "length" } else { "stop" }]);
        let tokens = |choice: &Value| choice["logprobs"]["tokens"].as_array().cloned().unwrap_or_default();
        let of_pieces: Vec<Value> = pieces.iter().flat_map(|piece| tokens(&piece["choices"][0])).collect();
        assert_eq!(of_pieces, tokens(&at_once["choices"][0]));
    }

    let sampled = |prompt: Value, seed: u64, n: usize| {
        let answer =
            served.complete(&json!({ "prompt": prompt, "max_tokens": 20, "temperature": 1, "seed": seed, "n": n }));
        let choices = answer["choices"].as_array().expect("a list").clone();
        choices.into_iter().map(|choice| choice["text"].as_str().expect("a string").to_owned()).collect::<Vec<_>>()
    };
    let three = sampled(json!(prompt), 5, 3);
    assert!(three[0] != three[1] && three[1] != three[2], "{three:?}");
    assert_eq!(sampled(json!(prompt), 5, 1), three[..1]);
    assert_eq!(sampled(json!(["A town", prompt]), 5, 3)[3..], three);
    assert!(sampled(json!(prompt), 6, 1) != three[..1]);
    let chance = |_| served.complete(&json!({ "prompt": prompt, "max_tokens": 20 }))["choices"][0]["text"].clone();
    assert!(chance(0) != chance(1), "without a seed chance decides");
    let equal = served.complete(&json!({ "prompt": [prompt, prompt], "max_tokens": 20 }));
    let [one, other] = [0, 1].map(|index| &equal["choices"][index]["text"]);
    assert!(one != other, "for each prompt on its own");
}

/// Where nobody says how many tokens there are to be, there are as many as may be.
#[test]
fn the_number_of_tokens_nobody_says_has_room() {
    let workshop = workshop();
    let more = ["--max-tokens", "12", "--chat-template", "plain"];
    let served = Served::start(&workshop.path().join("model"), &more);
    for (prompt, tokens) in [(json!("a"), 12), (json!(vec![5; 2040]), 8)] {
        let answer = served.complete(&json!({ "prompt": prompt, "logit_bias": { "0": -100 } }));
        assert_eq!(answer["usage"]["completion_tokens"], tokens);
    }
    let messages = json!([{ "role": "user", "content": "a" }]);
    let mut body = json!({ "messages": messages, "logit_bias": { "0": -100 } });
    let answer = served.ask("POST", "/v1/chat/completions", &body).json();
    assert_eq!(answer["usage"]["completion_tokens"], 12, "{answer}");
    // the key is named by which more are asked for
    for key in ["max_tokens", "max_completion_tokens"] {
        body[key] = 13.into();
        let response = served.ask("POST", "/v1/chat/completions", &body);
        assert_eq!((response.status, &response.json()["error"]["param"]), (400, &json!(key)), "{}", response.body);
    }
}

#[test]
fn tokens_are_chosen_as_is_asked() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &[]);
    let id = served.ask("POST", "/tokenize", &json!({ "prompt": "x", "add_special_tokens": false })).json()["tokens"]
        [0]
    .clone();
    let biased =
        json!({ "prompt": "The", "max_tokens": 5, "temperature": 1, "logit_bias": { id.to_string(): 100 }, "seed": 3 });
    assert_eq!(served.complete(&biased)["choices"][0]["text"], "xxxxx");
    let nucleus = json!({ "prompt": "The", "max_tokens": 9, "temperature": 1, "top_p": 0 });
    let first = json!({ "prompt": "The", "max_tokens": 9, "temperature": 1, "top_k": 1 });
    let greedy = json!({ "prompt": "The", "max_tokens": 9, "temperature": 0 });
    let [nucleus, first, greedy] =
        [nucleus, first, greedy].map(|body| served.complete(&body)["choices"][0]["text"].clone());
    assert!(nucleus == greedy && first == greedy);
    // the best of several is the one that was likeliest
    let of = |best_of: usize, n: usize| {
        let answer = served.complete(&json!({
            "prompt": "The", "max_tokens": 9, "temperature": 1, "seed": 1, "best_of": best_of, "n": n, "logprobs": 0,
        }));
        assert_eq!(answer["usage"]["completion_tokens"], 9 * best_of);
        let sum = |choice: &Value| -> f64 {
            choice["logprobs"]["token_logprobs"].as_array().expect("a list").iter().filter_map(Value::as_f64).sum()
        };
        answer["choices"].as_array().expect("a list").iter().map(sum).collect::<Vec<f64>>()
    };
    let mut all = of(4, 4);
    all.sort_by(|one, other| other.total_cmp(one));
    assert_eq!(of(4, 2), all[..2]);
    // a text ends at a special token that is asked for as a string
    let end = served.ask("POST", "/tokenize", &json!({ "prompt": "<|endoftext|>" })).json()["tokens"][0].clone();
    let ended = served
        .complete(&json!({ "prompt": "The", "max_tokens": 5, "logit_bias": { end.to_string(): 100 }, "logprobs": 1 }));
    let choice = &ended["choices"][0];
    assert_eq!((&choice["text"], &choice["finish_reason"]), (&json!(""), &json!("stop")));
    assert_eq!(
        choice["logprobs"]["tokens"],
        json!(["<|endoftext|>"]),
        "the harness drops one token, and there has to be one"
    );
}

#[test]
fn conversations_are_answered() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &["--chat-template", "plain", "--name", "small"]);
    let body = json!({
        "model": "small", "messages": [{ "role": "user", "content": "Say something." }], "max_tokens": 12, "temperature": 0,
        "logprobs": true, "top_logprobs": 2, "n": 2,
    });
    let answer = served.ask("POST", "/v1/chat/completions", &body).json();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("small")));
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["role"], "assistant");
    assert_eq!(answer["choices"][1]["message"], *message, "greedy twice");
    // as the prompt of the template is completed
    let prompt = "User: Say something.\n\nAssistant:";
    let completed = served.complete(&json!({ "prompt": prompt, "max_tokens": 12, "temperature": 0, "logprobs": 2 }));
    assert_eq!(completed["choices"][0]["text"], message["content"]);
    let told = answer["choices"][0]["logprobs"]["content"].as_array().expect("a list");
    assert_eq!(answer["usage"]["completion_tokens"], 2 * told.len());
    for (place, token) in told.iter().enumerate() {
        assert_eq!(token["logprob"], completed["choices"][0]["logprobs"]["token_logprobs"][place]);
        assert_eq!(token["top_logprobs"].as_array().map(Vec::len), Some(2));
    }
    assert_eq!(message["content"], joined(told));

    let mut body = body;
    body["stream"] = true.into();
    let events = served.stream("/v1/chat/completions", &body);
    for index in 0..2 {
        let of = |event: &&Value| event["choices"][0]["index"] == index;
        let pieces: Vec<&Value> = events.iter().filter(of).map(|event| &event["choices"][0]).collect();
        assert_eq!(pieces[0]["delta"], json!({ "role": "assistant", "content": "" }));
        let text: String = pieces.iter().filter_map(|piece| piece["delta"]["content"].as_str()).collect();
        assert_eq!(message["content"], text);
        assert_eq!(pieces[pieces.len() - 1]["finish_reason"], answer["choices"][index]["finish_reason"]);
    }
    assert!(events.iter().all(|event| event["object"] == "chat.completion.chunk" && event.get("usage").is_none()));
}

/// The text of a message by the bytes of its tokens.
fn joined(tokens: &[Value]) -> String {
    let bytes = tokens.iter().flat_map(|token| token["bytes"].as_array().expect("a list"));
    let bytes: Vec<u8> = bytes.map(|byte| u8::try_from(byte.as_u64().expect("a number")).expect("a byte")).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The token that ends a message is listed by its name, and its bytes are none.
#[test]
fn the_bytes_of_tokens_are_the_message() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &["--chat-template", "plain"]);
    let end = served.ask("POST", "/tokenize", &json!({ "prompt": "<|endoftext|>" })).json()["tokens"][0].clone();
    let mut ended = 0;
    // from where an end is as rare as any token to where it comes first
    for bias in [0, 2, 4, 6, 8] {
        let answer = served.ask(
            "POST",
            "/v1/chat/completions",
            &json!({
                "messages": [{ "role": "user", "content": "Say something." }], "max_tokens": 48, "n": 8, "seed": 1, "logprobs": true,
                "logit_bias": { end.to_string(): bias },
            }),
        );
        for choice in answer.json()["choices"].as_array().expect("a list") {
            let content = choice["message"]["content"].as_str().expect("a string");
            let tokens = choice["logprobs"]["content"].as_array().expect("a list");
            assert_eq!(content, joined(tokens));
            if choice["finish_reason"] == "stop" {
                let last = tokens.last().expect("the end is listed");
                assert_eq!((&last["token"], &last["bytes"]), (&json!("<|endoftext|>"), &json!([])));
                ended += usize::from(!content.is_empty());
            }
        }
    }
    assert!(ended > 0, "no message that says something comes to its end");
}

#[test]
fn the_tokenizer_can_be_asked() {
    let workshop = workshop();
    let model = workshop.path().join("model");
    let served = Served::start(&model, &[]);
    let text = "Grüße, 日本! <|endoftext|> x";
    let answer = served.ask(
        "POST",
        "/tokenize",
        &json!({ "prompt": text, "add_special_tokens": false, "return_token_strs": true }),
    );
    let answer = answer.json();
    let ids = answer["tokens"].as_array().expect("a list");
    assert_eq!((&answer["count"], &answer["max_model_len"]), (&json!(ids.len()), &json!(2048)));
    assert!(answer["token_strs"].as_array().expect("a list").contains(&json!("<|endoftext|>")));
    assert_eq!(served.ask("POST", "/detokenize", &json!({ "tokens": ids })).json(), json!({ "prompt": text }));
    let info = served.get("/tokenizer_info").json();
    assert_eq!((&info["eos_token"], &info["chat_template"]), (&json!("<|endoftext|>"), &Value::Null));

    let models = served.get("/v1/models").json();
    assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!("model")));
    assert_eq!(served.get("/v1/models/model").json(), models["data"][0]);
    let path = model.display().to_string().replace('/', "%2F");
    assert_eq!(served.get(&format!("/v1/models/{path}")).status, 200, "the folder is a name, too");
    assert_eq!(served.get("/health").json(), json!({ "status": "ok" }));
}

/// Each fault has its code, its kind and the key that it is of.
#[test]
fn faults_are_told_as_openai_tells_them() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &["--max-body", "100K", "--max-tokens", "1000"]);
    let completions = "/v1/completions";
    let many = "a ".repeat(10_000);
    let huge = json!({ "prompt": vec![vec![5; 300]; 32], "n": 128, "echo": true, "logprobs": 100, "max_tokens": 0 });
    for (method, path, body, status, param, code, message) in [
        ("POST", completions, json!({ "prompt": "a", "temperature": 3 }), 400, "temperature", "", "from 0 to 2"),
        ("POST", completions, json!({ "prompt": "a", "mood": 3 }), 400, "mood", "unknown_parameter", "Unrecognized"),
        ("POST", completions, json!({ "prompt": [99_999] }), 400, "prompt", "", "the token id 99999"),
        (
            "POST",
            completions,
            json!({ "prompt": many }),
            400,
            "prompt",
            "context_length_exceeded",
            "maximum context length is 2048",
        ),
        (
            "POST",
            completions,
            json!({ "prompt": "a", "max_tokens": 1001 }),
            400,
            "max_tokens",
            "",
            "1000 tokens at most",
        ),
        (
            "POST",
            completions,
            json!({ "prompt": "a", "model": "b" }),
            404,
            "model",
            "model_not_found",
            "`b` does not exist",
        ),
        ("POST", completions, json!({ "prompt": "a".repeat(200_000) }), 413, "", "", "102400 bytes"),
        ("POST", completions, huge, 400, "logprobs", "", "more than 4194304 log-probabilities"),
        ("POST", "/detokenize", json!({ "tokens": vec![5; 10_000] }), 400, "tokens", "", "8192 at most"),
        (
            "POST",
            "/v1/chat/completions",
            json!({ "messages": [{ "role": "user", "content": "a" }] }),
            400,
            "messages",
            "",
            "no chat template",
        ),
        ("GET", completions, json!({}), 405, "", "", "Not allowed to GET"),
        ("GET", "/v1/nothing", json!({}), 404, "", "", "Invalid URL (GET /v1/nothing)"),
        ("GET", "/v1/models/b", json!({}), 404, "model", "model_not_found", "does not exist"),
    ] {
        let response = served.ask(method, path, &body);
        let error = &response.json()["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        assert_eq!((response.status, text("param").as_str(), text("code").as_str()), (status, param, code), "{error}");
        assert!(text("message").contains(message), "{error}");
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    // whoever is still sending can read why that is in vain
    let body = vec![b' '; 600_000];
    for (path, status) in [(completions, 415), ("/v1/nothing", 404)] {
        let response = http::try_ask(&served.address, "POST", path, &[("Content-Type", "text/plain")], &body);
        assert_eq!(response.expect("an answer").status, status);
    }
    for body in ["", "{", "[]", "\u{feff}{}", "{\"prompt\": \"\\ud800\"}", "{\"prompt\": 1e999}"] {
        assert_eq!(http::ask(&served.address, "POST", completions, body).status, 400, "{body}");
    }
    // deep, and not too deep
    let nested = format!("{}{}", "[".repeat(40_000), "]".repeat(40_000));
    assert_eq!(http::ask(&served.address, "POST", completions, &nested).status, 400);
    assert_eq!(served.complete(&json!({ "prompt": "a", "max_tokens": 3 }))["usage"]["prompt_tokens"], 1);
}

#[test]
fn a_key_is_asked_for() {
    let workshop = workshop();
    let model = workshop.path().join("model");
    let key = workshop.path().join("key");
    std::fs::write(&key, "secret\n").expect("it can be written");
    let with_file = Served::start(&model, &["--api-key-file", crate::support::text(&key)]);
    let with_variable = Served::start_with(&model, &[], &[("TAMIS_API_KEY", "secret")]);
    for served in [with_file, with_variable] {
        let status = |path: &str, sent: &[(&str, &str)]| {
            let response = http::try_ask(&served.address, "GET", path, sent, b"").expect("it is answered");
            (response.status, response.header("www-authenticate").map(str::to_owned))
        };
        let bearer = Some("Bearer".to_owned());
        for path in ["/v1/models", "/metrics", "/tokenizer_info"] {
            assert_eq!(status(path, &[]), (401, bearer.clone()));
            for wrong in ["Bearer secret2", "Bearer ", "secret", "Basic secret"] {
                assert_eq!(status(path, &[("Authorization", wrong)]), (401, bearer.clone()), "{wrong}");
            }
            assert_eq!(status(path, &[("Authorization", "Bearer secret")]), (200, None));
        }
        assert_eq!(status("/health", &[]).0, 200);
        let response = http::try_ask(&served.address, "POST", "/v1/completions", &[], &vec![b' '; 4_000_000]);
        assert_eq!(response.expect("an answer").status, 401, "also of what is long");
    }
}
