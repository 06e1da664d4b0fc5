//! A program in the place of a labeler, for trials and tests.
//!
//! ```text
//! us, a line      {"prompt": "...", "answers": ["...", "..."]}          answers as a page would show them
//! it, a line      {"ranks": [2, 1]}   or   {"skip": "unclear"}
//! ```
//!
//! It is called by its file, and goes through items as a labeler of this name would: in their order, and on from where it was. What it says is
//! read on a thread of its own, so that one that says nothing can be told to stop.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use pages::excerpt::short;
use serde::Deserialize;
use serde_json::json;

use super::{
    Kind,
    collection::Collection,
    labeler::{LONGEST_NAME, labeler_name},
    sampler::{AnswerSampler, Sampled},
    session::order,
    store::{Answer, Store},
    verdict::Verdict,
};
use crate::error::{Error, Result};

/// Items that are answered at once.
const AHEAD: usize = 8;

/// Bytes of a line, at most.
const LONGEST_LINE: u64 = 1 << 20;

/// How often one looks whether to stop while a judgment is waited for.
const LOOKING: Duration = Duration::from_millis(100);

/// How long the program may take to end once nothing is asked any more.
const ENDING: Duration = Duration::from_secs(10);

/// What a program has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scripted {
    /// What it is called.
    pub labeler: String,
    /// Items that it ranked.
    pub judged: usize,
    /// Items that it passed over.
    pub skipped: usize,
}

/// Has a program rank answers.
///
/// - `program`: an executable
/// - `count`: items at most; all, where nobody says
/// - `overlap`: the share of items that every labeler sees first
/// - `should_stop`: whether it should stop before the next item
///
/// # Errors
/// When it cannot be started, ends, or writes what is no judgment: with the line. What it said before is kept.
pub fn run_script(
    collection: Collection,
    program: &Path,
    count: Option<usize>,
    overlap: f64,
    should_stop: &dyn Fn() -> bool,
) -> Result<Scripted> {
    let Collection { mut store, mut sampler, .. } = collection;
    let labeler = name(program);
    let judged = store.judged(&labeler)?;
    let order = order(store.settings().seed, &labeler, store.items(), overlap);
    let open: Vec<i64> = order.into_iter().filter(|item| !judged.contains(item)).collect();
    let open = &open[..count.unwrap_or(open.len()).min(open.len())];
    let mut done = Scripted { labeler, judged: 0, skipped: 0 };
    let mut script = Script::start(program)?;
    let mut ahead = open.iter().copied().collect::<VecDeque<i64>>();
    for item in open {
        if should_stop() {
            break;
        }
        let answers = answers(&mut store, sampler.as_mut(), *item, &mut ahead)?;
        let mut shown: Vec<&Answer> = answers.iter().collect();
        shown.sort_by_key(|answer| answer.shown);
        let texts: Vec<&str> = shown.iter().map(|answer| answer.text.as_str()).collect();
        let Some(verdict) = script.ask(&store.prompt(*item)?, &texts, should_stop)? else {
            // it is ended with what it was asked last unsaid
            return Ok(done);
        };
        let places: Vec<u32> = answers.iter().map(|answer| answer.shown).collect();
        match &verdict {
            Verdict::Skip(_) => done.skipped += 1,
            Verdict::Ranks(_) | Verdict::Text(_) => done.judged += 1,
        }
        store.judge(*item, &done.labeler, &verdict.in_own_order(&places))?;
    }
    script.end()?;
    Ok(done)
}

/// What a program is called: by its file, as far as that is a name of a labeler.
fn name(program: &Path) -> String {
    let name: String = program.file_name().unwrap_or_default().to_string_lossy().chars().take(LONGEST_NAME).collect();
    labeler_name(&name).unwrap_or_else(|_| "script".to_owned())
}

/// The answers to an item; those to the next few are drawn along.
///
/// - `ahead`: items that were not given to the sampler
fn answers(
    store: &mut Store,
    sampler: Option<&mut AnswerSampler>,
    item: i64,
    ahead: &mut VecDeque<i64>,
) -> Result<Vec<Answer>> {
    let Some(sampler) = sampler else { return Ok(store.answers(item)?.unwrap_or_default()) };
    loop {
        if let Some(answers) = store.answers(item)? {
            return Ok(answers);
        }
        if sampler.is_idle() {
            let few = AHEAD.min(ahead.len());
            for next in ahead.drain(..few) {
                match store.item(next) {
                    Some(item) if store.answers(next)?.is_none() => sampler.add(item, &store.prompt(next)?)?,
                    _ => {}
                }
            }
        }
        for Sampled { item, answers } in sampler.step()? {
            store.add_answers(item, &answers)?;
        }
    }
}

/// A program that is asked line by line. It is ended when it is dropped.
struct Script {
    path: PathBuf,
    child: Child,
    input: Option<ChildStdin>,
    /// Its lines; none more once it says nothing more.
    output: Receiver<std::io::Result<Vec<u8>>>,
    /// Lines that it was asked for.
    line: u64,
}

/// What it says: one of both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    #[serde(default)]
    ranks: Option<Vec<i64>>,
    #[serde(default)]
    skip: Option<String>,
}

impl Script {
    fn start(path: &Path) -> Result<Self> {
        // a name alone would be looked for elsewhere
        let program = std::path::absolute(path).map_err(Error::file("find", path))?;
        let child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(Error::file("run", path))?;
        let input = child.stdin.take();
        let output = lines(child.stdout.take().expect("it is piped"));
        Ok(Self { path: path.to_owned(), child, input, output, line: 0 })
    }

    /// What it says of some answers to a prompt; none where it is to stop before it says something.
    ///
    /// # Errors
    /// When it has ended, or says something else.
    fn ask(&mut self, prompt: &str, answers: &[&str], should_stop: &dyn Fn() -> bool) -> Result<Option<Verdict>> {
        self.line += 1;
        let question = format!("{}\n", json!({ "prompt": prompt, "answers": answers }));
        let written = match &mut self.input {
            Some(input) => input.write_all(question.as_bytes()).and_then(|()| input.flush()),
            None => Ok(()),
        };
        let said = loop {
            match self.output.recv_timeout(LOOKING) {
                Err(RecvTimeoutError::Timeout) if should_stop() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Ok(Vec::new()),
                Ok(said) => break said,
            }
        };
        let line = said.map_err(|error| self.fault(format!("it cannot be read: {error}")))?;
        if line.is_empty() {
            let ended = match self.wait(ENDING) {
                Some(status) => format!("it has ended ({status}), and was asked for a judgment"),
                None => "it says no more, and was asked for a judgment".to_owned(),
            };
            return Err(self.fault(ended));
        }
        if let Err(error) = written {
            return Err(self.fault(format!("it does not read what it is asked: {error}")));
        }
        verdict(&line, answers.len()).map(Some).map_err(|message| {
            let said = String::from_utf8_lossy(line.trim_ascii()).into_owned();
            self.fault(format!("{message}; it says `{}`", short(&said, 80)))
        })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end, or not well.
    fn end(mut self) -> Result<()> {
        drop(self.input.take());
        match self.wait(ENDING) {
            Some(status) if status.success() => {
                let mut more = Vec::new();
                // what it has started may go on, and keep the pipe open: nobody waits for that
                while let Ok(said) = self.output.recv_timeout(LOOKING) {
                    more.extend(said.unwrap_or_default());
                }
                if more.trim_ascii().is_empty() {
                    return Ok(());
                }
                let said = String::from_utf8_lossy(more.trim_ascii()).into_owned();
                let said = short(&said, 80);
                Err(self.fault(format!(
                    "it has said more than it was asked, and its judgments may be of other prompts: `{said}`"
                )))
            }
            Some(status) => Err(self.fault(format!("after this line, it has ended with {status}"))),
            None => Err(self.fault("after this line, it does not end, though it is asked nothing more".into())),
        }
    }

    /// How it has ended; none where it has not within a time.
    fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(None) if begun.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
                ended => return ended.ok().flatten(),
            }
        }
    }

    fn fault(&self, message: String) -> Error {
        Error::Labeler { path: self.path.clone(), line: self.line, message }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // one that has ended is none to be ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that a program writes, as it writes them; each is waited with until it is taken.
fn lines(output: ChildStdout) -> Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(1);
    let mut output = BufReader::new(output);
    thread::spawn(move || {
        loop {
            let mut line = Vec::new();
            let read = (&mut output).take(LONGEST_LINE).read_until(b'\n', &mut line);
            let is_last = !matches!(read, Ok(1..));
            let said = read.map(|_| line);
            // at its end it says nothing more, and nobody may be there to take more
            if said.as_ref().is_ok_and(Vec::is_empty) || sender.send(said).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// What a line says.
///
/// - `answers`: how many were shown
fn verdict(line: &[u8], answers: usize) -> Result<Verdict, String> {
    let Reply { ranks, skip } =
        serde_json::from_slice(line).map_err(|error| format!("this is no object with `ranks` or `skip`: {error}"))?;
    let verdict = match (ranks, skip) {
        (Some(ranks), None) => Verdict::Ranks(ranks),
        (None, Some(reason)) => Verdict::Skip(reason.trim().to_owned()),
        _ => return Err("one of `ranks` and `skip` is wanted".into()),
    };
    verdict.check(Kind::Rankings, answers)?;
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_judgment_or_not() {
        let of = |line: &str| verdict(line.as_bytes(), 3);
        assert_eq!(of("{\"ranks\": [2, 1, 2]}\r\n"), Ok(Verdict::Ranks(vec![2, 1, 2])));
        assert_eq!(of("{\"skip\": \" unclear \"}"), Ok(Verdict::Skip("unclear".into())));
        for (line, message) in [
            ("", "no object with `ranks` or `skip`"),
            ("yes\n", "no object with `ranks` or `skip`"),
            ("{\"ranks\": [1, 2.5, 3]}", "no object with `ranks` or `skip`"),
            ("{\"rank\": [1, 2, 3]}", "no object with `ranks` or `skip`"),
            ("{\"ranks\": [1, 2]}", "it ranks 2 answers, and there are 3"),
            ("{\"ranks\": [1, 0, 2]}", "it has the rank 0"),
            ("{\"ranks\": [1, 2, 4]}", "it has the rank 4"),
            ("{\"ranks\": [1, 2, 3], \"skip\": \"a\"}", "one of `ranks` and `skip`"),
            ("{\"skip\": \" \"}", "the reason is empty"),
        ] {
            let fault = of(line).expect_err("it is none");
            assert!(fault.contains(message), "{line}: {fault}");
        }
    }
}
