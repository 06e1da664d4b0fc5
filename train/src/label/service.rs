//! What the page asks for, on whichever thread: nothing here is asynchronous.
//!
//! ```text
//! next       the first item of the labeler's order that they have not judged, once it has answers; the next few are asked for
//! judge      ranks in the order in which answers are shown -> ranks in the answers' own order -> the store
//! undo       the last judgment that counts, as it was, to be judged anew
//! progress   the summary of all judgments
//! ```

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Kind,
    ahead::{Ahead, locked},
    collection::Collection,
    judgment::Judgment,
    labeler::labeler_name,
    origin::OwnOrigin,
    refusal::Refusal,
    session::order,
    store::{Answer, Item, Store},
    summary::Summary,
    verdict::Verdict,
};

/// Items that are answered ahead of each labeler.
const AHEAD: usize = 4;

/// What all requests share.
#[derive(Debug)]
pub struct Service {
    store: Arc<Mutex<Store>>,
    /// What draws answers; none where people write them.
    ahead: Option<Ahead>,
    overlap: f64,
    origin: OwnOrigin,
}

/// A judgment as it is sent: one of the three.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgeRequest {
    labeler: String,
    item: i64,
    /// In the order in which the answers are shown.
    #[serde(default)]
    ranks: Option<Vec<i64>>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    skip: Option<String>,
}

/// Who takes back what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UndoRequest {
    labeler: String,
    /// The judgment that is meant; the last one, where nobody says.
    #[serde(default)]
    judgment: Option<i64>,
}

/// What a request is answered, or why not.
type Answered = Result<Value, Refusal>;

impl Service {
    /// For a folder that is open, and a server at an address.
    ///
    /// - `overlap`: the share of items that every labeler sees first
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(collection: Collection, overlap: f64, address: SocketAddr) -> io::Result<Self> {
        let Collection { store, sampler, .. } = collection;
        let store = Arc::new(Mutex::new(store));
        let ahead = sampler.map(|sampler| Ahead::start(sampler, Arc::clone(&store))).transpose()?;
        let service = Self { store, ahead, overlap, origin: OwnOrigin::new(address) };
        // whoever comes first: some of these are shown to everyone
        service.want(&order(service.seed(), "", locked(&service.store).items(), overlap));
        Ok(service)
    }

    /// Whose requests are answered.
    pub(super) fn origin(&self) -> OwnOrigin {
        self.origin
    }

    /// Ends the thread that draws answers.
    pub fn end(&self) {
        if let Some(ahead) = &self.ahead {
            ahead.end();
        }
    }

    /// What a labeler sees next.
    ///
    /// # Errors
    /// When the name is none, or answers cannot be drawn.
    pub(super) fn next(&self, labeler: &str) -> Answered {
        let labeler = labeler_name(labeler).map_err(Refusal::invalid)?;
        let store = locked(&self.store);
        let judged = store.judged(&labeler)?;
        let order = order(store.settings().seed, &labeler, store.items(), self.overlap);
        let open: Vec<i64> = order.into_iter().filter(|item| !judged.contains(item)).collect();
        self.want(&open);
        let kind = store.settings().kind.name();
        let last = store.last(&labeler)?.map(|judgment| judgment.number);
        let mut next = json!({ "kind": kind, "judged": judged.len(), "left": open.len(), "last": last });
        match open.first().and_then(|number| store.item(*number)) {
            None => next["state"] = "done".into(),
            Some(item) => match self.shown(&store, item)? {
                Some(shown) => {
                    next["state"] = "item".into();
                    next["item"] = shown;
                }
                None => {
                    if let Some(fault) = self.ahead.as_ref().and_then(Ahead::fault) {
                        return Err(Refusal::failed(fault));
                    }
                    next["state"] = "waiting".into();
                }
            },
        }
        Ok(next)
    }

    /// Keeps what a labeler says of an item.
    ///
    /// # Errors
    /// When it is not what was asked for, or cannot be written.
    pub(super) fn judge(&self, body: &[u8]) -> Answered {
        let JudgeRequest { labeler, item, ranks, text, skip } = request(body)?;
        let labeler = labeler_name(&labeler).map_err(Refusal::invalid)?;
        let mut store = locked(&self.store);
        if store.item(item).is_none() {
            return Err(Refusal::invalid(format!("there is no item {item}")));
        }
        let answers = store.answers(item)?;
        if store.settings().kind == Kind::Rankings && answers.is_none() {
            return Err(Refusal::conflict(format!("item {item} has no answers yet")));
        }
        let verdict = match (ranks, text, skip) {
            (Some(ranks), None, None) => Verdict::Ranks(ranks),
            (None, Some(text), None) => Verdict::Text(text),
            (None, None, Some(reason)) => Verdict::Skip(reason.trim().to_owned()),
            _ => return Err(Refusal::invalid("one of `ranks`, `text` and `skip` is wanted")),
        };
        verdict.check(store.settings().kind, store.settings().answers()).map_err(Refusal::invalid)?;
        let verdict = verdict.in_own_order(&places(&answers.unwrap_or_default()));
        // of two windows of one labeler neither takes the place of the other's without a word
        if let Some(before) = store.counting(item, &labeler)?.filter(|before| before.verdict != verdict) {
            let message = format!(
                "judgment {} of {labeler} on this prompt counts already; it is undone before another",
                before.number
            );
            return Err(Refusal::conflict(message));
        }
        let judgment = store.judge(item, &labeler, &verdict)?;
        Ok(json!({ "judgment": judgment }))
    }

    /// Takes a labeler's last judgment back.
    ///
    /// # Errors
    /// When there is none, it is not the one that was meant, or that cannot be written.
    pub(super) fn undo(&self, body: &[u8]) -> Answered {
        let UndoRequest { labeler, judgment: wanted } = request(body)?;
        let labeler = labeler_name(&labeler).map_err(Refusal::invalid)?;
        let mut store = locked(&self.store);
        let Some(last) = store.last(&labeler)? else {
            return Err(Refusal::conflict(format!("there is nothing to undo: no judgment of {labeler} counts")));
        };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != last.number) {
            let number = last.number;
            return Err(Refusal::conflict(format!(
                "judgment {wanted} is not the last of {labeler}, which is {number}"
            )));
        }
        store.undo(&last)?;
        let Judgment { number, item, verdict, .. } = last;
        let shown = match store.item(item) {
            Some(item) => self.shown(&store, item)?,
            None => None,
        };
        let answers = store.answers(item)?.unwrap_or_default();
        let (ranks, text, skip) = match verdict.in_shown_order(&places(&answers)) {
            Verdict::Ranks(ranks) => (Some(ranks), None, None),
            Verdict::Text(text) => (None, Some(text), None),
            Verdict::Skip(reason) => (None, None, Some(reason)),
        };
        Ok(json!({ "judgment": number, "item": shown, "ranks": ranks, "text": text, "skip": skip }))
    }

    /// How far labeling has come.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn progress(&self) -> Answered {
        let (settings, prompts, judgments) = {
            let store = locked(&self.store);
            (store.settings().clone(), store.items().len(), store.judgments()?)
        };
        Ok(json!(Summary::new(settings.kind, prompts, &judgments, settings.seed)))
    }

    fn seed(&self) -> u64 {
        locked(&self.store).settings().seed
    }

    /// Has the first few of some items answered.
    fn want(&self, items: &[i64]) {
        if let Some(ahead) = &self.ahead {
            ahead.want(items.iter().take(AHEAD).copied());
        }
    }

    /// An item as the page shows it; none where it has no answers yet.
    fn shown(&self, store: &Store, item: &Item) -> Result<Option<Value>, Refusal> {
        let answers = store.answers(item.number)?;
        if self.ahead.is_some() && answers.is_none() {
            return Ok(None);
        }
        let mut answers = answers.unwrap_or_default();
        answers.sort_by_key(|answer| answer.shown);
        let texts: Vec<String> = answers.into_iter().map(|answer: Answer| answer.text).collect();
        let prompt = store.prompt(item.number)?;
        Ok(Some(json!({ "number": item.number, "id": item.id, "prompt": prompt, "answers": texts })))
    }
}

/// The place of each answer on the page.
fn places(answers: &[Answer]) -> Vec<u32> {
    answers.iter().map(|answer| answer.shown).collect()
}

/// What a body says.
fn request<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("the body is not what it should be: {error}")))
}
