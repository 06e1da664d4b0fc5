//! An encoder for byte-level BPE with GPT-2's cut, faster than that of the crate `tokenizers` and with the same ids.
//!
//! ```text
//! text -> segments between special tokens -> words -> ids, known or merged
//! ```
//!
//! Useful for: every `tokenizer.json` that `train tokenizer` writes, GPT-2's own, and others of their kind. Not useful for:
//! normal forms, other cuts, added tokens that take white space or stand alone: [`ByteLevelEncoder::read`] knows them and declines,
//! and the crate encodes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;
use serde_json::Value;

use super::{
    added::{AddedToken, pair, special_contents},
    classes::Classes,
    merges::Merges,
    pre_tokenizer::{Words, parts},
    specials::{Segment, Specials},
    word_cache::WordCache,
};

/// Bytes of a text that one thread takes at a time, about.
const PART: usize = 1 << 16;

/// The encoder.
#[derive(Debug)]
pub(super) struct ByteLevelEncoder {
    /// The ids of single bytes.
    bytes: [u32; 256],
    merges: Merges,
    /// The added tokens that are none of the special ones: those that belong to texts.
    ordinary: Stages,
    /// All added tokens; none if this encoder does not do one of them.
    all: Option<Stages>,
    classes: Classes,
    /// Caches that no thread uses at the moment.
    caches: Mutex<Vec<WordCache>>,
}

/// Added tokens in the order in which the crate `tokenizers` looks for them: those that are looked for in the text as it is, then those of
/// its normal form. Here the two texts are one.
type Stages = [Specials; 2];

impl ByteLevelEncoder {
    /// Reads a `tokenizer.json`; none if it asks for something that this encoder does not do.
    ///
    /// - `added`: its added tokens
    pub(super) fn read(json: &Value, added: &[AddedToken]) -> Option<Self> {
        let model = &json["model"];
        let cut = &json["pre_tokenizer"];
        let is_plain = json["normalizer"].is_null()
            && cut["type"] == "ByteLevel"
            && cut["add_prefix_space"] == false
            && cut.get("use_regex").is_none_or(|uses| uses == true)
            && model["type"] == "BPE"
            && model["dropout"].is_null()
            && ["continuing_subword_prefix", "end_of_word_suffix"].iter().all(|part| is_absent(&model[part]))
            && model.get("ignore_merges").is_none_or(|ignores| ignores == false);
        if !is_plain {
            return None;
        }
        let vocabulary: HashMap<&str, u32> = model["vocab"]
            .as_object()?
            .iter()
            .map(|(token, id)| Some((token.as_str(), number(id)?)))
            .collect::<Option<_>>()?;
        let mut bytes = [0; 256];
        for (id, character) in bytes.iter_mut().zip(alphabet()) {
            *id = *vocabulary.get(character.encode_utf8(&mut [0; 4]) as &str)?;
        }
        let special = special_contents(added);
        let mut merges = Merges::default();
        for merge in model["merges"].as_array()? {
            let (left, right) = pair(merge)?;
            let whole = format!("{left}{right}");
            let merged = *vocabulary.get(whole.as_str())?;
            let (left_id, right_id) = (*vocabulary.get(left)?, *vocabulary.get(right)?);
            // no text becomes a special token, or is made of one
            if [whole.as_str(), left, right].iter().any(|part| special.contains(part) && part.chars().count() > 1) {
                continue;
            }
            if !merges.push(left_id, right_id, merged) {
                return None;
            }
        }
        let ordinary = stages(added.iter().filter(|token| !token.special))?;
        let all = stages(added.iter());
        Some(Self { bytes, merges, ordinary, all, classes: Classes::new(), caches: Mutex::default() })
    }

    /// The ids of a text, in which special tokens are text.
    pub(super) fn encode(&self, text: &str) -> Vec<u32> {
        self.of_segments(segments(&self.ordinary, text))
    }

    /// The ids of a text, in which special tokens are those tokens; none if this encoder does not do one of them.
    pub(super) fn encode_with_special(&self, text: &str) -> Option<Vec<u32>> {
        Some(self.of_segments(segments(self.all.as_ref()?, text)))
    }

    /// The ids of each text, on all cores; long texts are shared among them.
    pub(super) fn encode_batch(&self, texts: &[&str]) -> Vec<Vec<u32>> {
        self.batch(&self.ordinary, texts)
    }

    /// The same with special tokens.
    pub(super) fn encode_batch_with_special(&self, texts: &[&str]) -> Option<Vec<Vec<u32>>> {
        Some(self.batch(self.all.as_ref()?, texts))
    }

    fn of_segments(&self, segments: Vec<Segment<'_>>) -> Vec<u32> {
        segments.into_iter().flat_map(|segment| self.segment(segment)).collect()
    }

    fn batch(&self, stages: &Stages, texts: &[&str]) -> Vec<Vec<u32>> {
        let jobs: Vec<(usize, Segment<'_>)> = (0..texts.len())
            .flat_map(|number| segments(stages, texts[number]).into_iter().map(move |segment| (number, segment)))
            .flat_map(|(number, segment)| pieces(segment).map(move |piece| (number, piece)))
            .collect();
        let ids: Vec<Vec<u32>> = jobs.par_iter().map(|(_, segment)| self.segment(*segment)).collect();
        let mut all = vec![Vec::new(); texts.len()];
        for ((number, _), ids) in jobs.iter().zip(ids) {
            match &mut all[*number] {
                empty if empty.is_empty() => *empty = ids,
                begun => begun.extend(ids),
            }
        }
        all
    }

    fn segment(&self, segment: Segment<'_>) -> Vec<u32> {
        let text = match segment {
            Segment::Special(id) => return vec![id],
            Segment::Text(text) => text,
        };
        let idle = self.caches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut cache = idle.unwrap_or_else(WordCache::new);
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut word_ids = Vec::new();
        for word in Words::new(text, self.classes) {
            cache.ids(word.as_bytes(), &mut ids, |ids| {
                word_ids.clear();
                word_ids.extend(word.bytes().map(|byte| self.bytes[usize::from(byte)]));
                self.merges.apply(&mut word_ids);
                ids.extend_from_slice(&word_ids);
            });
        }
        self.caches.lock().unwrap_or_else(PoisonError::into_inner).push(cache);
        ids
    }
}

/// The two stages of some added tokens; none if one of them asks for what this encoder does not do.
fn stages<'a>(added: impl Iterator<Item = &'a AddedToken>) -> Option<Stages> {
    let mut stages = [Vec::new(), Vec::new()];
    for AddedToken { id, content, single_word, lstrip, rstrip, normalized, .. } in added {
        if *single_word || *lstrip || *rstrip || content.is_empty() {
            return None;
        }
        stages[usize::from(*normalized)].push((content.clone(), *id));
    }
    Some(stages.map(Specials::new))
}

/// A text cut at added tokens, stage by stage.
fn segments<'t>([first, second]: &Stages, text: &'t str) -> Vec<Segment<'t>> {
    let segments = first.segments(text);
    if second.is_empty() {
        return segments;
    }
    let cut = |segment| match segment {
        Segment::Text(text) => second.segments(text),
        Segment::Special(_) => vec![segment],
    };
    segments.into_iter().flat_map(cut).collect()
}

/// A segment in pieces that can be encoded one by one.
fn pieces(segment: Segment<'_>) -> Box<dyn Iterator<Item = Segment<'_>> + '_> {
    match segment {
        Segment::Text(text) if text.len() > PART => Box::new(parts(text, PART).map(Segment::Text)),
        whole => Box::new(std::iter::once(whole)),
    }
}

fn is_absent(part: &Value) -> bool {
    part.is_null() || part == ""
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// The character that stands for each byte in a vocabulary: itself where it can be seen, else one from U+0100 on.
///
/// Source: Radford et al. 2019 (GPT-2), its published `encoder.py`.
pub(super) fn alphabet() -> impl Iterator<Item = char> {
    let mut hidden = '\u{100}'..;
    (0..=255u8).map(move |byte| match byte {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
        _ => hidden.next().expect("there are characters enough"),
    })
}
