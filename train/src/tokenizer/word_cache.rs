//! Words that came before, with their ids: most words of a text are few, over and over.

use xxhash_rust::xxh3::xxh3_64;

/// Slots, at most; half of them are filled. With words and ids some 10 MB a thread.
const MOST: usize = 1 << 18;
/// Slots at the beginning.
const FEWEST: usize = 1 << 12;
/// Bytes of a word that is kept, at most.
const LONGEST: usize = 64;

/// Words and their ids, for one thread. When it is full it is emptied: what is frequent comes back at once.
#[derive(Debug)]
pub(super) struct WordCache {
    /// Open addressing; the number of slots is a power of two.
    slots: Vec<Slot>,
    filled: usize,
    words: Vec<u8>,
    ids: Vec<u32>,
}

/// A word and its ids, in `words` and `ids`. A slot without ids is free.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u64,
    word: u32,
    ids: u32,
    bytes: u8,
    count: u8,
}

impl WordCache {
    pub(super) fn new() -> Self {
        Self { slots: vec![Slot::default(); FEWEST], filled: 0, words: Vec::new(), ids: Vec::new() }
    }

    /// Adds the ids of `word` to `out`: those that are known, or those that `encode` adds to what it is given.
    #[inline]
    pub(super) fn ids(&mut self, word: &[u8], out: &mut Vec<u32>, encode: impl FnOnce(&mut Vec<u32>)) {
        if word.len() > LONGEST {
            return encode(out);
        }
        let hash = xxh3_64(word);
        let place = self.place(hash, word);
        let Slot { ids, count, .. } = self.slots[place];
        if count > 0 {
            out.extend_from_slice(&self.ids[ids as usize..ids as usize + usize::from(count)]);
            return;
        }
        let before = out.len();
        encode(out);
        self.keep(place, hash, word, &out[before..]);
    }

    /// The slot of a word, or the free one where it belongs.
    #[inline]
    fn place(&self, hash: u64, word: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "the low bits choose a slot")]
        let mut place = hash as usize & mask;
        loop {
            let slot = &self.slots[place];
            let kept = || &self.words[slot.word as usize..slot.word as usize + usize::from(slot.bytes)];
            if slot.count == 0 || (slot.hash == hash && kept() == word) {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    fn keep(&mut self, place: usize, hash: u64, word: &[u8], ids: &[u32]) {
        let numbers = (u32::try_from(self.words.len()), u32::try_from(self.ids.len()));
        let lengths = (u8::try_from(word.len()), u8::try_from(ids.len()));
        let ((Ok(start), Ok(first)), (Ok(bytes), Ok(count))) = (numbers, lengths) else { return };
        self.slots[place] = Slot { hash, word: start, ids: first, bytes, count };
        self.words.extend_from_slice(word);
        self.ids.extend_from_slice(ids);
        self.filled += 1;
        if self.filled * 2 > self.slots.len() {
            self.grow();
        }
    }

    /// Doubles the slots, or begins anew.
    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        if slots > MOST {
            *self = Self::new();
            return;
        }
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); slots]);
        for slot in old.into_iter().filter(|slot| slot.count > 0) {
            let word = &self.words[slot.word as usize..slot.word as usize + usize::from(slot.bytes)];
            let place = self.place(slot.hash, word);
            self.slots[place] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many words come, and though the cache was emptied in between, each has its own ids.
    #[test]
    fn every_word_has_its_ids() {
        let mut cache = WordCache::new();
        let mut encoded = 0u32;
        for round in 0..2 {
            for number in 0..200_000u32 {
                let mut out = Vec::new();
                cache.ids(number.to_string().as_bytes(), &mut out, |out| {
                    encoded += 1;
                    out.extend([number, number + 1]);
                });
                assert_eq!(out, [number, number + 1], "round {round}");
            }
        }
        assert!(encoded >= 200_000);
        let mut out = Vec::new();
        cache.ids(b"0", &mut out, |out| out.push(9));
        cache.ids(b"0", &mut out, |_| unreachable!("it came just before"));
        assert_eq!(out[..out.len() / 2], out[out.len() / 2..]);
    }
}
