//! Cuts on their way out, sorted by id.

use std::{iter::Peekable, sync::Arc};

use datafusion::{
    arrow::array::{ArrayRef, RecordBatch, StringViewBuilder},
    error::Result,
};

use super::{
    exec::substrings_schema,
    places::{Place, repeated},
    search::Search,
};
use crate::{decide::cuts::CutsBuilder, files::ExternalSorter, plan::BatchSender};

/// Rows in a batch of cuts.
const BATCH_ROWS: usize = 4096;

impl Search {
    /// Sends the cuts, until no more are wanted.
    pub fn send(self, mut batches: BatchSender) -> Result<()> {
        let Self { config, ids, numbers, count, anchors, substrings, storage } = self;
        drop((numbers, anchors));
        let mut places = ExternalSorter::below(u128::from(count), storage.folder(), config.budget / 2);
        substrings.each_sorted(
            |occurrences| repeated(occurrences, config.keep_first),
            |found| found.into_iter().try_for_each(|place| places.push(place)),
        )?;
        drop(substrings);
        let sorted = places.sorted(|mut places: Vec<Place>| {
            places.sort_unstable();
            places
        });
        // an error ends the places, and is given in their place
        let mut failed = None;
        let mut places =
            sorted.map_while(|places| places.map_err(|error| failed = Some(error)).ok()).flatten().peekable();
        let mut rows = Rows::new();
        ids.each_wanted(|number, id| {
            if batches.is_open() && rows.take(id, number, &mut places) == BATCH_ROWS {
                batches.send(rows.finish());
            }
            Ok(())
        })?;
        drop(places);
        if let Some(error) = failed {
            return Err(error.into());
        }
        if rows.count > 0 {
            batches.send(rows.finish());
        }
        Ok(())
    }
}

/// Rows on their way into a batch.
struct Rows {
    ids: StringViewBuilder,
    cuts: CutsBuilder,
    count: usize,
}

impl Rows {
    fn new() -> Self {
        Self { ids: StringViewBuilder::new(), cuts: CutsBuilder::new(), count: 0 }
    }

    /// Takes the places of a document, which come next, and joins those that touch. Returns how many rows there are.
    fn take(&mut self, id: u128, number: u32, places: &mut Peekable<impl Iterator<Item = Place>>) -> usize {
        let Some(Place { start, end, .. }) = places.next_if(|place| place.number == number) else { return self.count };
        let mut open = start..end;
        while let Some(Place { start, end, .. }) = places.next_if(|place| place.number == number) {
            if start <= open.end {
                open.end = open.end.max(end);
            } else {
                self.cuts.push(&open);
                open = start..end;
            }
        }
        self.cuts.push(&open);
        self.cuts.close(true);
        self.ids.append_value(format!("{id:032x}"));
        self.count += 1;
        self.count
    }

    fn finish(&mut self) -> RecordBatch {
        self.count = 0;
        let columns: Vec<ArrayRef> = vec![Arc::new(self.ids.finish()), self.cuts.finish()];
        RecordBatch::try_new(Arc::new(substrings_schema()), columns).expect("the columns are of one length")
    }
}
