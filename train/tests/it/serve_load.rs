//! The server under clients that are many, slow, rude or gone, and its end.

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use fixtures::dice::Dice;
use serde_json::{Value, json};

use crate::{
    http,
    served::{Served, workshop},
};

/// A text that takes a while.
fn long(tokens: usize) -> Value {
    json!({ "prompt": "The river", "max_tokens": tokens, "logit_bias": { "0": -100 }, "stream": true, "temperature": 1 })
}

fn begin(served: &Served, body: &Value) -> http::Reading {
    let headers = [("Content-Type", "application/json")];
    let body = body.to_string();
    http::begin(&served.address, "POST", "/v1/completions", &headers, body.as_bytes()).expect("it is answered")
}

/// One that runs is finished, with all that it was asked for; new ones are refused; then the server ends well.
#[test]
fn who_runs_is_finished_when_the_server_ends() {
    for signal in ["-TERM", "-INT"] {
        let workshop = workshop();
        let served = Served::start(&workshop.path().join("model"), &[]);
        let tokens = 1500;
        let mut reading = begin(&served, &long(tokens));
        reading.next_event().expect("it can be read");
        served.signal(signal);
        crate::support::wait_until(|| served.get("/health").status == 503);
        let refused = served.ask("POST", "/v1/completions", &json!({ "prompt": "a" }));
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.body);
        assert!(refused.body.contains("server_error"), "{}", refused.body);
        let mut events = Vec::new();
        while let Some(event) = reading.next_event().expect("it can be read") {
            events.push(event);
        }
        let [.., finish, done] = &events[..] else { panic!("{events:?}") };
        assert!(done.is_null(), "{done}");
        assert_eq!(finish["choices"][0]["finish_reason"], "length");
        let (status, said) = served.end();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(said.contains("ending after the requests that run"), "{said}");
    }
}

/// The second signal waits for nobody; a limit of time is one for the end, too.
#[test]
fn an_end_can_be_had_at_once() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &[]);
    let body = json!({ "prompt": "The", "max_tokens": 2000, "logit_bias": { "0": -100 }, "n": 100 });
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let headers = [("Content-Type", "application/json")];
            http::try_ask(&served.address, "POST", "/v1/completions", &headers, body.to_string().as_bytes())
        });
        crate::support::wait_until(|| served.metric("tamis_texts_running") > 0.0);
        served.signal("-TERM");
        crate::support::wait_until(|| served.get("/health").status == 503);
        served.signal("-TERM");
        assert!(asking.join().expect("it ends").is_err(), "nobody is answered any more");
    });
    assert_eq!(served.end().0.code(), Some(130));
}

/// Who asks when all places are taken is told to come again; who goes away leaves a place.
#[test]
fn who_is_too_many_is_told_so() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &["--sequences", "1", "--queue", "1"]);
    let mut first = begin(&served, &long(2000));
    first.next_event().expect("it can be read");
    let second = begin(&served, &long(2000));
    let third = served.ask("POST", "/v1/completions", &json!({ "prompt": "a", "max_tokens": 1 }));
    assert_eq!((third.status, third.header("retry-after")), (429, Some("1")), "{}", third.body);
    assert_eq!(third.json()["error"]["type"], "rate_limit_error");
    drop((first, second));
    served.wait_until_idle();
    assert_eq!(served.ask("POST", "/v1/completions", &json!({ "prompt": "a", "max_tokens": 1 })).status, 200);
    let gone = served.metric("tamis_requests_total{endpoint=\"/v1/completions\",code=\"499\"}");
    assert!((gone - 2.0).abs() < 0.5, "{gone}");
    assert!(served.metric("tamis_generated_tokens_total") < 3900.0, "nobody computes for who is gone");
}

/// What takes too long is ended: an answer, in pieces and at once, and a body that does not come.
#[test]
fn time_is_limited() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &["--timeout", "1"]);
    let mut body = json!({ "prompt": "The", "max_tokens": 2000, "logit_bias": { "0": -100 }, "n": 128 });
    let response = served.ask("POST", "/v1/completions", &body);
    assert_eq!(response.status, 504, "{}", response.body);
    assert!(response.json()["error"]["message"].as_str().is_some_and(|said| said.contains("within 1 seconds")));
    body["stream"] = true.into();
    let events = served.ask("POST", "/v1/completions", &body);
    assert_eq!(events.status, 200);
    let events = events.events();
    assert_eq!(events[events.len() - 1]["error"]["type"], "server_error");
    let mut stream = TcpStream::connect(&served.address).expect("it listens");
    let head =
        "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("it can be written");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it is answered");
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    served.wait_until_idle();
}

/// A prompt of a million characters is refused, and its tokens are told.
#[test]
fn a_prompt_of_a_million_characters_is_answered() {
    let workshop = workshop();
    let served = Served::start(&workshop.path().join("model"), &[]);
    for text in ["a".repeat(1_000_000), "The river ".repeat(100_000), "日".repeat(1_000_000), " ".repeat(1_000_000)] {
        for path in ["/v1/completions", "/tokenize"] {
            let response = served.ask("POST", path, &json!({ "prompt": text }));
            let status = if path == "/tokenize" { 200 } else { 400 };
            assert_eq!(response.status, status, "{:.300}", response.body);
        }
    }
    // more than a body may have
    let response = served.ask("POST", "/v1/completions", &json!({ "prompt": "a".repeat(20_000_000) }));
    assert_eq!(response.status, 413, "{}", response.body);
    let ids = vec![5; 500_000];
    let response = served.ask("POST", "/v1/completions", &json!({ "prompt": ids }));
    assert_eq!((response.status, &response.json()["error"]["code"]), (400, &json!("context_length_exceeded")));
}

/// What one client does in its turn. Returns whether it was answered as it should be.
fn turn(served: &Served, dice: &mut Dice) -> Result<(), String> {
    let headers = [("Content-Type", "application/json")];
    let post = |body: &[u8]| http::begin(&served.address, "POST", "/v1/completions", &headers, body);
    let prompt = format!("{} {}", ["The river", "A town", "Who"][dice.below(3)], dice.below(50));
    let error = |error: std::io::Error| error.to_string();
    match dice.below(12) {
        // gone in the midst of a stream
        0..=3 => {
            let mut reading = post(long(200 + dice.below(600)).to_string().as_bytes()).map_err(error)?;
            for _ in 0..dice.below(4) {
                reading.next_event().map_err(error)?;
            }
            Ok(())
        }
        4 | 5 => {
            let mut reading =
                post(json!({ "prompt": prompt, "max_tokens": 20, "stream": true }).to_string().as_bytes())
                    .map_err(error)?;
            let mut last = json!({});
            while let Some(event) = reading.next_event().map_err(error)? {
                last = event;
            }
            if last.is_null() { Ok(()) } else { Err(format!("a stream ends on {last}")) }
        }
        // malformed
        6 => {
            let bodies: [&[u8]; 4] = [b"{", b"\xff\xfe", b"{\"prompt\": [[]]}", b"[[[[[["];
            let reading = post(bodies[dice.below(4)]).map_err(error)?;
            if reading.status == 400 { Ok(()) } else { Err(format!("{} for what is malformed", reading.status)) }
        }
        // gone before the answer, or with half of a request
        7 => {
            let mut stream = TcpStream::connect(&served.address).map_err(error)?;
            let body = json!({ "prompt": prompt, "max_tokens": 500, "n": 4 }).to_string();
            let head = format!(
                "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let cut = if dice.below(2) == 0 { head.len() } else { dice.below(head.len()) };
            stream.write_all(&head.as_bytes()[..cut]).map_err(error)
        }
        kind => {
            let body = match kind {
                8 => {
                    json!({ "prompt": [[1, 2, 3], [1, 2, 3, 4]], "max_tokens": 1, "echo": true, "logprobs": 1, "temperature": 0 })
                }
                9 => json!({ "prompt": prompt, "max_tokens": 10, "n": 3, "stop": ["e", "."] }),
                _ => json!({ "prompt": prompt, "max_tokens": 10 }),
            };
            let response =
                http::try_ask(&served.address, "POST", "/v1/completions", &headers, body.to_string().as_bytes());
            let response = response.map_err(error)?;
            if response.status == 200 { Ok(()) } else { Err(format!("{}: {}", response.status, response.body)) }
        }
    }
}

/// Many clients, a third of which go away in the midst of a stream, and others that send what is no request: everyone else is answered, and
/// memory does not grow. `TAMIS_REQUESTS` says how many.
#[test]
fn many_clients_leave_nothing_behind() {
    const CLIENTS: usize = 64;
    let requests: usize = env::var("TAMIS_REQUESTS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_500);
    let workshop = workshop();
    // a full cache of prefixes is no growth
    let more = ["--queue", "1000", "--cache", "4M", "--sequences", "64"];
    let served = Served::start(&workshop.path().join("model"), &more);
    let round = |number: usize, requests: usize| {
        let next = AtomicUsize::new(0);
        let client = |client: usize| {
            let mut dice = Dice::new(1, &format!("client {client} of round {number}"));
            while next.fetch_add(1, Ordering::Relaxed) < requests {
                turn(&served, &mut dice)?;
            }
            Ok(())
        };
        let results: Vec<Result<(), String>> = thread::scope(|scope| {
            let client = &client;
            let threads: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a client does not panic")).collect()
        });
        for result in results {
            assert_eq!(result, Ok(()));
        }
        served.wait_until_idle();
        served.memory()
    };
    let warm = round(0, requests / 3);
    let after = round(1, requests - requests / 3);
    assert!(after < warm + (24 << 20), "{warm} bytes after a third of the requests, and {after} after all");
    let said = served.get("/metrics").body;
    assert!(said.contains("code=\"499\"") && said.contains("code=\"400\"") && said.contains("code=\"200\""), "{said}");
    assert!(!said.contains("code=\"5"), "{said}");
    served.signal("-TERM");
    let (status, said) = served.end();
    assert_eq!(status.code(), Some(0), "{said}");
}
