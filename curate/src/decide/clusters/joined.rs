//! Documents that share a hash: joined, or candidates until their texts have been compared.

use datafusion::{arrow::array::AsArray as _, common::exec_err, error::Result};
use futures::TryStreamExt as _;
use rayon::prelude::*;

use super::{
    ClusterAccount, Verification, arrivals::Arrivals, order::Order, sets::Sets, union_find::UnionFind, verify::Verifier,
};
use crate::{
    decide::numbers::number,
    files::PARTITIONS,
    plan::Batches,
    text::{normal::NormalForm, shingles::Shingler},
};

/// No set: the document is no candidate.
const NO_SLOT: u32 = u32::MAX;
/// No set yet: the document is a candidate.
const CANDIDATE: u32 = u32::MAX - 1;

/// What is wrong when texts are not those of the hashes.
const OTHER_ORDER: &str = "the texts are not those of the documents whose hashes came, or not in their order";

/// The documents once those that share a hash are joined, or known as candidates where texts decide.
pub struct Joined {
    pub arrivals: Arrivals,
    pub numbers: Vec<u32>,
    pub union_find: UnionFind,
    /// The slot of each number's shingles, and the shingles.
    pub slots: Vec<u32>,
    pub sets: Sets,
    pub account: ClusterAccount,
}

impl Joined {
    /// Numbers the documents, and joins those that share a hash; where texts decide, finds which are needed.
    pub fn of(arrivals: Arrivals) -> Result<Self> {
        let partition =
            usize::try_from(arrivals.buckets.count()).expect("hashes fit into an address space") / PARTITIONS;
        // as it is sorted, by each thread
        arrivals.storage.grow(partition * 16 * rayon::current_num_threads())?;
        tracing::info!(
            documents = arrivals.numbers.arrivals(),
            hashes = arrivals.buckets.count(),
            spilled = arrivals.numbers.spilled() + arrivals.buckets.spilled(),
            "clusters: numbering"
        );
        let (numbers, count) = arrivals.numbers.of_arrivals()?;
        let mut union_find = UnionFind::new(count);
        let mut slots = Vec::new();
        if arrivals.config.verification.is_some() {
            arrivals.storage.grow(4 * count as usize)?;
            slots.resize(count as usize, NO_SLOT);
            arrivals.buckets.each(&numbers, |bucket| {
                if !bucket.same_text {
                    bucket.members.iter().for_each(|member| slots[*member as usize] = CANDIDATE);
                }
                Ok(())
            })?;
        } else {
            arrivals.buckets.each(&numbers, |bucket| {
                bucket.members[1..].iter().for_each(|member| {
                    union_find.union(bucket.members[0], *member);
                });
                Ok(())
            })?;
        }
        let account = ClusterAccount {
            documents: u64::from(arrivals.numbers.arrivals()),
            hashes: arrivals.buckets.count(),
            ..ClusterAccount::default()
        };
        let sets = Sets::new(arrivals.storage.folder(), arrivals.config.budget);
        Ok(Self { arrivals, numbers, union_find, slots, sets, account })
    }

    /// Takes the shingles of all candidates.
    ///
    /// - `batches`: rows of an id and its text
    pub async fn take_texts(&mut self, mut batches: impl Batches, verification: Verification) -> Result<()> {
        self.arrivals.storage.grow(self.arrivals.config.budget)?;
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
            self.arrivals.storage.grow(8 * sets.len())?;
            for ((number, _), set) in wanted.iter().zip(sets) {
                self.slots[*number as usize] = self.sets.push(&set)?;
            }
        }
        if order != self.arrivals.order {
            return exec_err!("{OTHER_ORDER}");
        }
        Ok(())
    }

    /// Joins the candidates that are similar enough.
    pub fn verify(&mut self, verification: Verification) -> Result<()> {
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
        self.arrivals.buckets.each(&self.numbers, |bucket| verifier.take(bucket))?;
        verifier.compare()?;
        Ok(())
    }
}
