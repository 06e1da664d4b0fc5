//! A search on a thread of its own, for a server: what comes meanwhile is searched for together, and each search sees the newest version of the
//! index.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use super::searcher::{OpenIndex, SearchOptions};
use crate::{
    error::{Error, Result},
    serve::Question,
};

/// Questions that are searched for together.
const TOGETHER: usize = 64;

/// Starts a thread that finds passages for questions.
///
/// - returns: where questions go, once the index is open
///
/// # Errors
/// When the index cannot be opened, or the thread not be started.
pub(super) fn start(options: SearchOptions) -> Result<Sender<Question>> {
    let (questions, asked) = mpsc::channel();
    let (opened, is_open) = mpsc::channel();
    let place = options.index.to_string();
    let work = move || {
        let mut waiting = None;
        // is told of the first index alone
        let mut opened = Some(opened);
        loop {
            let goes_on = match (OpenIndex::new(&options), opened.take()) {
                (Ok(open), first) => {
                    let _ = first.map(|opened: Sender<Result<()>>| opened.send(Ok(())));
                    search(&open, &asked, &mut waiting)
                }
                (Err(error), Some(opened)) => {
                    let _ = opened.send(Err(error));
                    false
                }
                (Err(error), None) => try_again(error, &asked, &mut waiting),
            };
            if !goes_on {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("search".into())
        .spawn(work)
        .map_err(Error::file("start a thread for", Path::new(&place)))?;
    let stopped = || Error::Data { path: place.clone().into(), message: "the thread that searches has stopped".into() };
    is_open.recv().map_err(|_| stopped())??;
    Ok(questions)
}

/// Searches in one version of an index, until there is another.
///
/// - `waiting`: a question that another version is to answer
/// - returns: whether somebody may still ask
fn search(open: &OpenIndex<'_>, asked: &Receiver<Question>, waiting: &mut Option<Question>) -> bool {
    let searcher = open.searcher();
    // whoever asks first may be long in coming
    open.rest();
    loop {
        let Some(first) = waiting.take().or_else(|| asked.recv().ok()) else { return false };
        if !open.is_current() {
            *waiting = Some(first);
            return true;
        }
        let mut few = vec![first];
        few.extend(asked.try_iter().take(TOGETHER - 1));
        // nothing is searched for whose asker is gone
        few.retain(|question| !question.reply.is_closed());
        // how many are wanted decides how surely each is found: who else asks does not
        let mut by_k: BTreeMap<usize, Vec<Question>> = BTreeMap::new();
        few.into_iter().for_each(|question| by_k.entry(question.k).or_default().push(question));
        for (k, few) in by_k {
            let texts: Vec<&str> = few.iter().map(|question| question.text.as_str()).collect();
            match searcher.passages(&texts, k) {
                Ok(found) => {
                    for (question, found) in few.into_iter().zip(found) {
                        let _ = question.reply.send(Ok(found));
                    }
                }
                Err(error) => {
                    // what failed must not fail what is asked beside it
                    open.rest();
                    let message = error.to_string();
                    for question in few {
                        let error = Error::Data { path: open.place().to_string().into(), message: message.clone() };
                        let _ = question.reply.send(Err(error));
                    }
                }
            }
        }
        open.rest();
    }
}

/// Refuses a question where the index cannot be opened: once it has been tried again for this one.
fn try_again(error: Error, asked: &Receiver<Question>, waiting: &mut Option<Question>) -> bool {
    match waiting.take() {
        Some(question) => drop(question.reply.send(Err(error))),
        None => match asked.recv() {
            Ok(question) => *waiting = Some(question),
            Err(_) => return false,
        },
    }
    true
}
