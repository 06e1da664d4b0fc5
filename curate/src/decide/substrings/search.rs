//! The search for substrings that stand in more than one place, text by text.

use datafusion::{
    arrow::array::{AsArray as _, RecordBatch},
    common::internal_err,
    error::Result,
    execution::TaskContext,
};
use futures::TryStreamExt as _;
use rayon::prelude::*;

use super::{
    SubstringsConfig,
    places::{Anchor, BloomFilter, Occurrence, Place, seen_twice},
};
use crate::{
    decide::numbers::{Numbers, WANTED, number},
    files::ExternalSorter,
    plan::{Batches, Storage},
    text::substrings::{Substring, SubstringFinder},
};

/// Bytes of text whose substrings are held at a time, at 16 bytes for each that begins one.
const TEXT_BYTES: usize = 4 << 20;

/// What is known of the texts so far.
pub struct Search {
    pub config: SubstringsConfig,
    pub ids: Numbers,
    /// The number of each text, in their order; [`WANTED`] where it does not count.
    pub numbers: Vec<u32>,
    pub count: u32,
    /// Anchors that stand twice.
    pub anchors: BloomFilter,
    pub substrings: ExternalSorter<Occurrence>,
    pub storage: Storage,
}

impl Search {
    pub fn new(config: SubstringsConfig, context: &TaskContext) -> Result<Self> {
        let storage = Storage::new("substrings", context)?;
        // ids or places, anchors or substrings, and the filter of anchors
        storage.grow(3 * config.budget)?;
        Ok(Self {
            ids: Numbers::new(storage.folder(), config.budget),
            numbers: Vec::new(),
            count: 0,
            anchors: BloomFilter::new(8),
            substrings: ExternalSorter::new(storage.folder(), config.budget / 2),
            storage,
            config,
        })
    }

    /// Numbers the documents that count.
    pub async fn number(&mut self, mut wanted: impl Batches, mut ids: impl Batches) -> Result<()> {
        while let Some(batch) = wanted.try_next().await? {
            for id in batch.column(0).as_string_view() {
                self.ids.want(number(id)?)?;
            }
        }
        while let Some(batch) = ids.try_next().await? {
            self.storage.grow(4 * batch.num_rows())?;
            for id in batch.column(0).as_string_view() {
                self.ids.push(number(id)?)?;
            }
        }
        (self.numbers, self.count) = self.ids.of_wanted()?;
        Ok(())
    }

    /// Finds the anchors that stand twice.
    pub async fn take_anchors(&mut self, mut batches: impl Batches) -> Result<()> {
        let mut anchors = ExternalSorter::new(self.storage.folder(), self.config.budget / 2);
        let SubstringsConfig { unit, sameness, .. } = self.config;
        let of_text = |finder: &mut SubstringFinder, (_, text): &(u32, &str)| {
            let mut found = Vec::new();
            finder.anchors(text, |hash| found.push(hash));
            found
        };
        let mut arrival = 0;
        while let Some(batch) = batches.try_next().await? {
            for texts in together(&self.counting(&batch, &mut arrival)?) {
                let found: Vec<Vec<u64>> =
                    texts.par_iter().map_init(|| SubstringFinder::new(unit, sameness), of_text).collect();
                found.into_iter().flatten().try_for_each(|hash| anchors.push(Anchor(hash)))?;
            }
        }
        self.ended(arrival)?;
        let mut filter = BloomFilter::new(self.config.budget / 2);
        anchors.each_sorted(seen_twice, |hashes| {
            hashes.into_iter().for_each(|hash| filter.insert(hash));
            Ok(())
        })?;
        self.anchors = filter;
        Ok(())
    }

    /// Finds the substrings that may stand in more than one place.
    pub async fn take_substrings(&mut self, mut batches: impl Batches) -> Result<()> {
        let mut arrival = 0;
        while let Some(batch) = batches.try_next().await? {
            for texts in together(&self.counting(&batch, &mut arrival)?) {
                self.take_substrings_of(texts)?;
            }
        }
        self.ended(arrival)
    }

    /// Whether as many texts came as ids.
    fn ended(&self, arrival: usize) -> Result<()> {
        if arrival == self.numbers.len() {
            return Ok(());
        }
        internal_err!("there are {arrival} texts of {} documents", self.numbers.len())
    }

    fn take_substrings_of(&mut self, texts: &[(u32, &str)]) -> Result<()> {
        let (anchors, SubstringsConfig { unit, sameness, .. }) = (&self.anchors, &self.config);
        let of_text = |finder: &mut SubstringFinder, (_, text): &(u32, &str)| {
            let mut found = Vec::new();
            finder.find(text, |hash| anchors.contains(hash), |substring| found.push(substring));
            found
        };
        let found: Vec<Vec<Substring>> =
            texts.par_iter().map_init(|| SubstringFinder::new(*unit, *sameness), of_text).collect();
        for ((number, _), found) in texts.iter().zip(found) {
            for Substring { hash, start, end } in found {
                self.substrings.push(Occurrence { hash, place: Place { number: *number, start, end } })?;
            }
        }
        Ok(())
    }

    /// The texts of a batch that count, each with its number.
    fn counting<'t>(&self, batch: &'t RecordBatch, arrival: &mut usize) -> Result<Vec<(u32, &'t str)>> {
        let texts = batch.column(1).as_string_view();
        let mut counting = Vec::with_capacity(batch.num_rows());
        for text in texts {
            let Some(number) = self.numbers.get(*arrival) else {
                return internal_err!("there are more texts than ids");
            };
            *arrival += 1;
            if *number != WANTED {
                counting.push((*number, text.unwrap_or_default()));
            }
        }
        Ok(counting)
    }
}

/// Texts of [`TEXT_BYTES`] at a time, or a single one: all of one may be substrings.
fn together<'a, 't>(texts: &'a [(u32, &'t str)]) -> impl Iterator<Item = &'a [(u32, &'t str)]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |(_, text): &&(u32, &str)| {
            bytes += text.len();
            bytes <= TEXT_BYTES
        };
        let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (some, others) = rest.split_at(count);
        rest = others;
        (!some.is_empty()).then_some(some)
    })
}
