//! The plan node that finds substrings that stand in more than one place.

use std::{
    fmt::{self, Formatter},
    iter::Peekable,
    path::PathBuf,
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, RecordBatch, StringViewBuilder},
        datatypes::{DataType, Field, Schema},
    },
    common::{internal_err, tree_node::TreeNodeRecursion},
    error::Result,
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
    physical_expr::EquivalenceProperties,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType, reset_plan_states},
        stream::RecordBatchReceiverStreamBuilder,
    },
};
use futures::TryStreamExt as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::places::{Anchor, BloomFilter, Occurrence, Place, repeated, seen_twice};
use crate::{
    decide::{
        cuts::{CutsBuilder, cuts_type},
        node::{Batches, blocking, rows, spill_folder},
        numbers::{Numbers, WANTED, number},
    },
    files::ExternalSorter,
    text::{
        sameness::Sameness,
        substrings::{Substring, SubstringFinder, SubstringUnit},
    },
};

/// Rows in a batch of cuts.
const BATCH_ROWS: usize = 4096;
/// Bytes of text whose substrings are held at a time, at 16 bytes for each that begins one.
const TEXT_BYTES: usize = 4 << 20;

/// How substrings are searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubstringsConfig {
    /// What a substring is.
    pub unit: SubstringUnit,
    /// By what two substrings are the same.
    pub sameness: Sameness,
    /// Whether the first place of a substring stays.
    pub keep_first: bool,
    /// Bytes of anchors, of substrings and of places, each, that are held in memory; the rest is spilled. It does not show.
    pub budget: usize,
}

/// Finds substrings that stand in more than one place: rows of `id` and `cuts`, sorted by id; documents without cuts have none.
#[derive(Debug)]
pub struct SubstringsExec {
    /// Wanted ids; ids, and ids with texts, in one order.
    inputs: [Arc<dyn ExecutionPlan>; 3],
    config: SubstringsConfig,
    properties: Arc<PlanProperties>,
}

impl SubstringsExec {
    /// Cuts of documents. Partitions of the inputs follow one another.
    ///
    /// - `wanted`: rows of an id, in any order: the documents that count
    /// - `ids`: rows of an id, all documents that `texts` has, in its order
    /// - `texts`: rows of an id and its text; it is read twice where substrings are n-grams
    #[must_use]
    pub fn new(
        wanted: Arc<dyn ExecutionPlan>,
        ids: Arc<dyn ExecutionPlan>,
        texts: Arc<dyn ExecutionPlan>,
        config: SubstringsConfig,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(substrings_schema())),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { inputs: [wanted, ids, texts], config, properties: Arc::new(properties) }
    }

    /// How substrings are searched for.
    #[must_use]
    pub fn config(&self) -> &SubstringsConfig {
        &self.config
    }
}

/// The columns of what is found: a document's id, and its cuts.
#[must_use]
pub fn substrings_schema() -> Schema {
    Schema::new(vec![Field::new("id", DataType::Utf8View, false), Field::new("cuts", cuts_type(), true)])
}

impl DisplayAs for SubstringsExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "SubstringsExec: unit={:?}", self.config.unit)
    }
}

impl ExecutionPlan for SubstringsExec {
    fn name(&self) -> &'static str {
        "SubstringsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([wanted, ids, texts]) = <[_; 3]>::try_from(children) else {
            return internal_err!("substrings are found in ids that are wanted, ids and texts");
        };
        Ok(Arc::new(Self::new(wanted, ids, texts, self.config.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("cuts are one partition, and not number {partition}");
        }
        let [wanted, ids, texts] = self.inputs.clone();
        let config = self.config.clone();
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::new(substrings_schema()), 2);
        let batches = builder.tx();
        builder.spawn(async move {
            let mut search = Search::new(config, &context)?;
            search.number(rows(wanted, &context), rows(ids, &context)).await?;
            if search.config.unit.is_ngram() {
                search.take_anchors(rows(Arc::clone(&texts), &context)).await?;
            }
            // a plan that has run is at its end
            let texts = reset_plan_states(texts)?;
            search.take_substrings(rows(texts, &context)).await?;
            blocking(move || search.emit(|batch| batches.blocking_send(Ok(batch)).is_ok())).await
        });
        Ok(builder.build())
    }
}

/// What is known of the texts so far.
struct Search {
    config: SubstringsConfig,
    ids: Numbers,
    /// The number of each text, in their order; [`WANTED`] where it does not count.
    numbers: Vec<u32>,
    count: u32,
    /// Anchors that stand twice.
    anchors: BloomFilter,
    substrings: ExternalSorter<Occurrence>,
    memory: MemoryReservation,
    spill: PathBuf,
}

impl Search {
    fn new(config: SubstringsConfig, context: &TaskContext) -> Result<Self> {
        let spill = spill_folder(context)?;
        let memory = MemoryConsumer::new("substrings").register(context.memory_pool());
        // ids or places, anchors or substrings, and the filter of anchors
        memory.try_grow(3 * config.budget)?;
        Ok(Self {
            ids: Numbers::new(&spill, config.budget),
            numbers: Vec::new(),
            count: 0,
            anchors: BloomFilter::new(8),
            substrings: ExternalSorter::new(&spill, config.budget / 2),
            memory,
            config,
            spill,
        })
    }

    /// Numbers the documents that count.
    async fn number(&mut self, mut wanted: impl Batches, mut ids: impl Batches) -> Result<()> {
        while let Some(batch) = wanted.try_next().await? {
            for id in batch.column(0).as_string_view() {
                self.ids.want(number(id)?)?;
            }
        }
        while let Some(batch) = ids.try_next().await? {
            self.memory.try_grow(4 * batch.num_rows())?;
            for id in batch.column(0).as_string_view() {
                self.ids.push(number(id)?)?;
            }
        }
        (self.numbers, self.count) = self.ids.of_wanted()?;
        Ok(())
    }

    /// Finds the anchors that stand twice.
    async fn take_anchors(&mut self, mut batches: impl Batches) -> Result<()> {
        let mut anchors = ExternalSorter::new(&self.spill, self.config.budget / 2);
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
    async fn take_substrings(&mut self, mut batches: impl Batches) -> Result<()> {
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

    /// Gives the cuts to `take`, until it wants no more.
    fn emit(self, mut take: impl FnMut(RecordBatch) -> bool) -> Result<()> {
        let Self { config, ids, numbers, count, anchors, substrings, memory: _memory, spill } = self;
        drop((numbers, anchors));
        let mut places = ExternalSorter::below(u128::from(count), &spill, config.budget / 2);
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
        let (mut rows, mut open) = (Rows::new(), true);
        ids.each_wanted(|number, id| {
            if open && rows.take(id, number, &mut places) == BATCH_ROWS {
                open = take(rows.finish());
            }
            Ok(())
        })?;
        drop(places);
        if let Some(error) = failed {
            return Err(error.into());
        }
        if open && rows.count > 0 {
            take(rows.finish());
        }
        Ok(())
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
