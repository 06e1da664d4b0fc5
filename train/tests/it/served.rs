//! A server with a small model, and what is asked of it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    http::{self, Response},
    support::{Workshop, program, text},
};

/// A server that runs as long as the value lives.
pub struct Served {
    child: Child,
    /// Where it listens.
    pub address: String,
}

/// A small model whose texts may be long, as `model` in a workshop.
pub fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.pretrain_well("model", &["--until", "20", "--set", "model.context_length=2048"]);
    workshop
}

impl Served {
    /// Starts one and waits until it is ready.
    pub fn start(model: &Path, more: &[&str]) -> Self {
        Self::start_with(model, more, &[])
    }

    /// The same with variables of the environment.
    pub fn start_with(model: &Path, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let arguments = [&["serve", text(model), "--port", "0"], more].concat();
        let mut command = program(&arguments);
        command.env_remove("TAMIS_API_KEY").envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it can be read");
        let Some(address) = line.trim_end().strip_prefix("http://") else {
            let mut said = String::new();
            let _ = child.stderr.take().expect("it is piped").read_to_string(&mut said);
            panic!("it is not ready: {line}{said}");
        };
        Self { child, address: address.to_owned() }
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Response {
        http::ask(&self.address, method, path, &body.to_string())
    }

    pub fn get(&self, path: &str) -> Response {
        http::ask(&self.address, "GET", path, "")
    }

    /// What is answered, which has to be well.
    pub fn complete(&self, body: &Value) -> Value {
        let response = self.ask("POST", "/v1/completions", body);
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()
    }

    /// The events of an answer in pieces; `[DONE]` is the last.
    pub fn stream(&self, path: &str, body: &Value) -> Vec<Value> {
        let response = self.ask("POST", path, body);
        assert_eq!((response.status, response.header("content-type")), (200, Some("text/event-stream")));
        let mut events = response.events();
        assert_eq!(events.pop(), Some(Value::Null), "{}", response.body);
        events
    }

    /// The number of a line of `/metrics`.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |number| number.parse().expect("a number"))
    }

    /// Waits until nothing runs and nobody waits.
    pub fn wait_until_idle(&self) {
        crate::support::wait_until(|| self.metric("tamis_texts_running") + self.metric("tamis_texts_waiting") == 0.0);
    }

    /// Bytes of its memory.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.expect("there is a `kill`").success());
    }

    /// Waits for its end. Returns that, and what it said.
    pub fn end(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("it was started") {
                Some(status) => break status,
                None => assert!(start.elapsed() < Duration::from_mins(1), "it does not end"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        let mut said = String::new();
        let _ = self.child.stderr.take().expect("it is piped").read_to_string(&mut said);
        (status, said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
