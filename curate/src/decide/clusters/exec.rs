//! The plan node that finds clusters.

use std::{
    fmt::{self, Formatter},
    hash::Hasher as _,
    path::PathBuf,
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array as _, ArrayRef, AsArray as _, RecordBatch, StringViewBuilder, UInt32Builder},
        datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type},
    },
    common::{exec_err, internal_err, tree_node::TreeNodeRecursion},
    error::Result,
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
    physical_expr::EquivalenceProperties,
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchReceiverStreamBuilder,
    },
};
use futures::TryStreamExt as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::{ClusterAccount, buckets::Buckets, sets::Sets, union_find::UnionFind, verify::Verifier};
use crate::{
    decide::{
        node::{Batches, blocking, rows, spill_folder},
        numbers::{Numbers, number},
    },
    files::{PARTITIONS, write_json},
    text::{
        normal::NormalForm,
        shingles::{Shingle, Shingler},
    },
};

/// Rows in a batch of clusters.
const BATCH_ROWS: usize = 8192;
/// No set: the document is no candidate.
const NO_SLOT: u32 = u32::MAX;
/// No set yet: the document is a candidate.
const CANDIDATE: u32 = u32::MAX - 1;

/// How documents are clustered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterConfig {
    /// Look at the texts of documents that share a band.
    pub verification: Option<Verification>,
    /// Bytes of ids, of hashes and of shingles, each, that are held in memory; the rest is spilled. It does not show.
    pub budget: usize,
    /// Where the [`ClusterAccount`] is written, as JSON.
    pub account: PathBuf,
}

/// Which candidates are near-duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// What texts are compared by.
    pub shingle: Shingle,
    /// The Jaccard similarity of their shingles from which on they are near-duplicates, above 0.
    pub similarity: f64,
    /// Documents of a bucket that one is compared with, at most: those whose texts come next in size.
    pub max_bucket: usize,
}

impl Verification {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// What is out of range, in words.
    pub fn new(shingle: Shingle, similarity: f64, max_bucket: usize) -> Result<Self, String> {
        if !(similarity > 0.0 && similarity <= 1.0) {
            return Err(format!("`verify` is {similarity}, and should be a similarity above 0, at most 1"));
        }
        if max_bucket == 0 {
            return Err("`max_bucket` is 1 or more".into());
        }
        Ok(Self { shingle, similarity, max_bucket })
    }
}

/// Joins documents that share a hash into clusters: rows of `member`, `cluster` and `members`, sorted by member.
#[derive(Debug)]
pub struct ClusterExec {
    hashes: Arc<dyn ExecutionPlan>,
    texts: Option<Arc<dyn ExecutionPlan>>,
    config: ClusterConfig,
    properties: Arc<PlanProperties>,
}

impl ClusterExec {
    /// Clusters of documents. Partitions of the inputs follow one another.
    ///
    /// - `hashes`: rows of an id and its hashes, one or a list, the first of which is that of the whole text
    /// - `texts`: the same documents in the same order, rows of an id and its text; where they are verified
    #[must_use]
    pub fn new(hashes: Arc<dyn ExecutionPlan>, texts: Option<Arc<dyn ExecutionPlan>>, config: ClusterConfig) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(clusters_schema())),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { hashes, texts, config, properties: Arc::new(properties) }
    }

    /// How documents are clustered.
    #[must_use]
    pub fn config(&self) -> &ClusterConfig {
        &self.config
    }
}

/// The columns of clusters: the id of a document, the least id of those that it is like, and how many they are with that one.
#[must_use]
pub fn clusters_schema() -> Schema {
    let id = |name| Field::new(name, DataType::Utf8View, false);
    Schema::new(vec![id("member"), id("cluster"), Field::new("members", DataType::UInt32, false)])
}

impl DisplayAs for ClusterExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.config.verification {
            Some(Verification { similarity, .. }) => write!(formatter, "ClusterExec: similarity={similarity}"),
            None => formatter.write_str("ClusterExec"),
        }
    }
}

impl ExecutionPlan for ClusterExec {
    fn name(&self) -> &'static str {
        "ClusterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        std::iter::once(&self.hashes).chain(&self.texts).collect()
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
        let mut children = children.into_iter();
        let Some(hashes) = children.next() else { return internal_err!("clusters are found in hashes") };
        Ok(Arc::new(Self::new(hashes, children.next(), self.config.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("clusters are one partition, and not number {partition}");
        }
        let (hashes, texts) = (Arc::clone(&self.hashes), self.texts.clone());
        let config = self.config.clone();
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::new(clusters_schema()), 2);
        let batches = builder.tx();
        builder.spawn(async move {
            let mut work = Work::new(config, &context)?;
            work.take_hashes(rows(hashes, &context)).await?;
            let mut joined = blocking(move || work.join()).await?;
            if let (Some(texts), Some(verification)) = (texts, joined.work.config.verification) {
                joined.take_texts(rows(texts, &context), verification).await?;
                joined = blocking(move || {
                    joined.verify(verification)?;
                    Ok(joined)
                })
                .await?;
            }
            blocking(move || joined.emit(|batch| batches.blocking_send(Ok(batch)).is_ok())).await
        });
        Ok(builder.build())
    }
}

/// What is known before documents are joined.
struct Work {
    config: ClusterConfig,
    numbers: Numbers,
    buckets: Buckets,
    /// A hash of all ids in their order, which texts must come in, too.
    order: Order,
    memory: MemoryReservation,
    spill: PathBuf,
}

/// What is known once they are.
struct Joined {
    work: Work,
    numbers: Vec<u32>,
    union_find: UnionFind,
    /// The slot of each number's shingles, and the shingles.
    slots: Vec<u32>,
    sets: Sets,
    account: ClusterAccount,
}

impl Work {
    fn new(config: ClusterConfig, context: &TaskContext) -> Result<Self> {
        let spill = spill_folder(context)?;
        let memory = MemoryConsumer::new("clusters").register(context.memory_pool());
        memory.try_grow(2 * config.budget)?;
        Ok(Self {
            numbers: Numbers::new(&spill, config.budget),
            buckets: Buckets::new(&spill, config.budget),
            order: Order::default(),
            memory,
            config,
            spill,
        })
    }

    async fn take_hashes(&mut self, mut batches: impl Batches) -> Result<()> {
        while let Some(batch) = batches.try_next().await? {
            let (ids, hashes) = (batch.column(0).as_string_view(), batch.column(1));
            // its number and its parent
            self.memory.try_grow(8 * batch.num_rows())?;
            for (row, id) in ids.iter().enumerate() {
                let id = number(id)?;
                self.order.take(id);
                let arrival = self.numbers.push(id)?;
                if hashes.is_null(row) {
                    continue;
                }
                match hashes.as_list_opt::<i32>() {
                    Some(lists) => {
                        self.buckets.push(arrival, lists.value(row).as_primitive::<UInt64Type>().values())?;
                    }
                    None => self.buckets.push(arrival, &[hashes.as_primitive::<UInt64Type>().value(row)])?,
                }
            }
        }
        Ok(())
    }

    /// Numbers the documents, and joins those that share a hash; where texts decide, finds which are needed.
    fn join(self) -> Result<Joined> {
        let partition = usize::try_from(self.buckets.count()).expect("hashes fit into an address space") / PARTITIONS;
        // as it is sorted, by each thread
        self.memory.try_grow(partition * 16 * rayon::current_num_threads())?;
        tracing::info!(
            documents = self.numbers.arrivals(),
            hashes = self.buckets.count(),
            spilled = self.numbers.spilled() + self.buckets.spilled(),
            "clusters: numbering"
        );
        let (numbers, count) = self.numbers.of_arrivals()?;
        let mut union_find = UnionFind::new(count);
        let mut slots = Vec::new();
        if self.config.verification.is_some() {
            self.memory.try_grow(4 * count as usize)?;
            slots.resize(count as usize, NO_SLOT);
            self.buckets.each(&numbers, |bucket| {
                if !bucket.same_text {
                    bucket.members.iter().for_each(|member| slots[*member as usize] = CANDIDATE);
                }
                Ok(())
            })?;
        } else {
            self.buckets.each(&numbers, |bucket| {
                bucket.members[1..].iter().for_each(|member| {
                    union_find.union(bucket.members[0], *member);
                });
                Ok(())
            })?;
        }
        let account = ClusterAccount {
            documents: u64::from(self.numbers.arrivals()),
            hashes: self.buckets.count(),
            ..ClusterAccount::default()
        };
        let sets = Sets::new(&self.spill, self.config.budget);
        Ok(Joined { work: self, numbers, union_find, slots, sets, account })
    }
}

impl Joined {
    /// The shingles of all candidates.
    async fn take_texts(&mut self, mut batches: impl Batches, verification: Verification) -> Result<()> {
        self.work.memory.try_grow(self.work.config.budget)?;
        let mut order = Order::default();
        let mut arrival = 0;
        while let Some(batch) = batches.try_next().await? {
            let (ids, texts) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
            let mut wanted: Vec<(u32, &str)> = Vec::new();
            for (id, text) in ids.iter().zip(texts) {
                order.take(number(id)?);
                let Some(number) = self.numbers.get(arrival) else { return exec_err!("{OTHER_ORDER}") };
                arrival += 1;
                let slot = &mut self.slots[*number as usize];
                // of a document that comes twice the first is taken
                if *slot == CANDIDATE {
                    *slot = NO_SLOT;
                    wanted.push((*number, text.unwrap_or_default()));
                }
            }
            let shingles = |(normal, shingler): &mut (NormalForm, Shingler), (_, text): &(u32, &str)| {
                let mut set = Vec::new();
                normal.take(text);
                shingler.take(normal, &mut set);
                set.sort_unstable();
                set.dedup();
                set
            };
            let start = || (NormalForm::default(), Shingler::new(verification.shingle));
            let sets: Vec<Vec<u64>> = wanted.par_iter().map_init(start, shingles).collect();
            self.work.memory.try_grow(8 * sets.len())?;
            for ((number, _), set) in wanted.iter().zip(sets) {
                self.slots[*number as usize] = self.sets.push(&set)?;
            }
        }
        if order != self.work.order {
            return exec_err!("{OTHER_ORDER}");
        }
        Ok(())
    }

    /// Joins the candidates that are similar enough.
    fn verify(&mut self, verification: Verification) -> Result<()> {
        let mut verifier = Verifier {
            union_find: &mut self.union_find,
            sets: &self.sets,
            slots: &self.slots,
            similarity: verification.similarity,
            max_bucket: verification.max_bucket,
            account: &mut self.account,
            pending: Vec::new(),
            by_size: Vec::new(),
        };
        self.work.buckets.each(&self.numbers, |bucket| verifier.take(bucket))?;
        verifier.compare()?;
        Ok(())
    }

    /// Gives the clusters to `take`, until it wants no more; writes the account.
    fn emit(self, mut take: impl FnMut(RecordBatch) -> bool) -> Result<()> {
        let Self { work, numbers, mut union_find, mut account, .. } = self;
        let count = union_find.count();
        drop(numbers);
        // takes the place of the numbers in the account of memory
        let mut sizes = vec![0u32; count as usize];
        (0..count).for_each(|number| sizes[union_find.find(number) as usize] += 1);
        account.clusters = sizes.iter().filter(|size| **size > 1).count() as u64;
        account.members = sizes.iter().filter(|size| **size > 1).map(|size| u64::from(*size)).sum();
        let roots = usize::try_from(account.clusters).expect("clusters fit into memory");
        work.memory.try_grow(20 * roots)?;
        let (mut root_numbers, mut root_ids) = (Vec::with_capacity(roots), Vec::with_capacity(roots));
        let mut rows = Rows::default();
        let mut open = true;
        work.numbers.each(|number, id| {
            let root = union_find.find(number);
            let size = sizes[root as usize];
            if size > 1 && open {
                if root == number {
                    root_numbers.push(number);
                    root_ids.push(id);
                }
                let place = root_numbers.binary_search(&root).expect("a root comes before its members");
                rows.push(id, root_ids[place], size);
                if rows.count == BATCH_ROWS {
                    open = take(rows.finish());
                }
            }
            Ok(())
        })?;
        if open && rows.count > 0 {
            take(rows.finish());
        }
        write_json(&work.config.account, &account)?;
        Ok(())
    }
}

/// What is wrong when texts are not those of the hashes.
const OTHER_ORDER: &str = "the texts are not those of the documents whose hashes came, or not in their order";

/// A hash of ids in their order.
#[derive(Default)]
struct Order(Xxh3);

impl Order {
    fn take(&mut self, id: u128) {
        self.0.write(&id.to_le_bytes());
    }
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest128() == other.0.digest128()
    }
}

/// Rows on their way into a batch.
#[derive(Default)]
struct Rows {
    members: StringViewBuilder,
    clusters: StringViewBuilder,
    sizes: UInt32Builder,
    count: usize,
}

impl Rows {
    fn push(&mut self, member: u128, cluster: u128, size: u32) {
        self.members.append_value(format!("{member:032x}"));
        self.clusters.append_value(format!("{cluster:032x}"));
        self.sizes.append_value(size);
        self.count += 1;
    }

    fn finish(&mut self) -> RecordBatch {
        self.count = 0;
        let columns: Vec<ArrayRef> =
            vec![Arc::new(self.members.finish()), Arc::new(self.clusters.finish()), Arc::new(self.sizes.finish())];
        let schema: SchemaRef = Arc::new(clusters_schema());
        RecordBatch::try_new(schema, columns).expect("the columns are of one length")
    }
}
