//! Clusters on their way out, sorted by member.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatch, StringViewBuilder, UInt32Builder},
        datatypes::SchemaRef,
    },
    error::Result,
};

use super::{exec::clusters_schema, joined::Joined};
use crate::{files::write_json, plan::BatchSender};

/// Rows in a batch of clusters.
const BATCH_ROWS: usize = 8192;

impl Joined {
    /// Sends the clusters, until no more are wanted; writes the account.
    pub fn send(self, mut batches: BatchSender) -> Result<()> {
        let Self { arrivals, numbers, mut union_find, mut account, .. } = self;
        let count = union_find.count();
        drop(numbers);
        // takes the place of the numbers in the account of memory
        let mut sizes = vec![0u32; count as usize];
        (0..count).for_each(|number| sizes[union_find.find(number) as usize] += 1);
        account.clusters = sizes.iter().filter(|size| **size > 1).count() as u64;
        account.members = sizes.iter().filter(|size| **size > 1).map(|size| u64::from(*size)).sum();
        let roots = usize::try_from(account.clusters).expect("clusters fit into memory");
        arrivals.storage.grow(20 * roots)?;
        let (mut root_numbers, mut root_ids) = (Vec::with_capacity(roots), Vec::with_capacity(roots));
        let mut rows = Rows::default();
        arrivals.numbers.each(|number, id| {
            let root = union_find.find(number);
            let size = sizes[root as usize];
            if size > 1 && batches.is_open() {
                if root == number {
                    root_numbers.push(number);
                    root_ids.push(id);
                }
                let place = root_numbers.binary_search(&root).expect("a root comes before its members");
                rows.push(id, root_ids[place], size);
                if rows.count == BATCH_ROWS {
                    batches.send(rows.finish());
                }
            }
            Ok(())
        })?;
        if rows.count > 0 {
            batches.send(rows.finish());
        }
        write_json(&arrivals.config.account, &account)?;
        Ok(())
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
