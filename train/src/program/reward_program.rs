//! A program that gives answers rewards: one that checks a result, or asks what no model knows.
//!
//! ```text
//! standard input   {"prompt": "...", "answer": "..."}    a line for each answer, then the end
//! standard output  {"reward": 0.5}                       a line for each, in their order
//! ```
//!
//! It is started anew for each rollout and each evaluation, and whatever it says on standard error is shown.
//!
//! Useful for: rewards that can be computed, such as whether a sum is right. Not useful for: what a person would have to say.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, Result};

/// A program that gives answers rewards.
#[derive(Debug, Clone)]
pub(super) struct RewardProgram {
    path: PathBuf,
}

/// A program that runs, and is ended where nobody waits for its end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // it has ended, as a rule, and then both do nothing
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A line of its output.
#[derive(Deserialize)]
struct Line {
    reward: f64,
}

impl RewardProgram {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The rewards of prompts with answers, in their order.
    ///
    /// # Errors
    /// When the program cannot be started, ends with a failure, or says something else: the line is named.
    pub fn rewards(&self, answers: &[(String, String)]) -> Result<Vec<f64>> {
        let fault = |message: String| Error::Data { path: self.path.clone(), message };
        // in a group of its own: an interrupt at the terminal ends the training, which ends after its step
        let started = Command::new(&self.path).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn();
        let mut child = Running(started.map_err(Error::file("start", &self.path))?);
        let child = &mut child.0;
        let mut input = child.stdin.take().expect("it was asked for");
        let lines: String = answers
            .iter()
            .map(|(prompt, answer)| json!({"prompt": prompt, "answer": answer}).to_string() + "\n")
            .collect();
        // both at once: a program may answer before it has read all, and a full pipe would stop it
        let writer = thread::spawn(move || {
            // one that reads no further has ended, and that is told below
            let _ = input.write_all(lines.as_bytes());
        });
        let output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut rewards = Vec::with_capacity(answers.len());
        for (number, line) in (1..).zip(output.lines()) {
            let line = line.map_err(Error::file("read from", &self.path))?;
            let Line { reward } = serde_json::from_str(&line).map_err(|error| {
                fault(format!("line {number} of its output is no `{{\"reward\": number}}`: {error}"))
            })?;
            rewards.push(reward);
        }
        let status = child.wait().map_err(Error::file("wait for", &self.path))?;
        let _ = writer.join();
        if !status.success() {
            return Err(fault(format!("it ended with {status}")));
        }
        if rewards.len() == answers.len() {
            return Ok(rewards);
        }
        Err(fault(format!("it was given {} answers, and has given {} rewards", answers.len(), rewards.len())))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn rewards(script: &str, count: usize) -> Result<Vec<f64>> {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let path = folder.path().join("reward");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be made executable");
        let answers: Vec<(String, String)> = (0..count).map(|number| ("p".into(), number.to_string())).collect();
        RewardProgram::new(path).rewards(&answers)
    }

    /// Each answer has its reward, however many there are; what is none is named, and so is a program that fails.
    #[test]
    fn a_line_is_a_reward() {
        let counts = r#"sed 's/.*"answer":"\([0-9]*\)".*/{"reward": \1}/'"#;
        let found = rewards(counts, 20_000).expect("it answers all");
        assert!(found.iter().zip(0..).all(|(reward, number)| (reward - f64::from(number)).abs() < 1e-9));
        for (script, message) in [
            ("cat", "line 1 of its output is no `{\"reward\": number}`"),
            ("cat > /dev/null; echo '{\"reward\": 1}'", "it was given 2 answers, and has given 1 rewards"),
            ("exit 3", "it ended with exit status: 3"),
        ] {
            let error = rewards(script, 2).expect_err("it is refused").to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
